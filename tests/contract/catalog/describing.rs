//! Samples of what is told of what products say, and of what merchants propose that they say.

use super::{Entry, Told, entry, marketplace, merchant, person, product};
use domain::id::{ExportId, ProductId, ProposalId, ScheduledChangeId};
use domain::pim::duplicate::Duplicate;
use events::catalog::{
    AttributeChangedV1, CollectionChangedV1, DuplicateChangedV1, FamilyChangedV1, ProductDescribedV1,
    ProductMergedV1, ProposalCanceledV1, ProposalConfirmedV1, ProposalDeclinedV1, ProposalPolicyChangedV1,
    ProposalSubmittedV1, SalesChannelChangedV1, ScheduledChangeChangedV1, ScheduledChangeDueV1,
};
use events::export::{ExportFinishedV1, ExportRequestedV1};

fn member() -> String {
    format!("person:{}", edge::identity::subject("https://login.example", "ben"))
}

/// The words, and a product that is described with them.
pub(super) fn sheets() -> Vec<Entry> {
    let member = member();
    vec![
        entry(
            Told::new("sales_channel-web", 1, 5, person()),
            SalesChannelChangedV1 { channel: "web".to_owned() },
        ),
        entry(
            Told::new("attribute-color", 1, 5, person()),
            AttributeChangedV1 { attribute: "color".to_owned() },
        ),
        entry(Told::new("family-mug", 1, 5, person()), FamilyChangedV1 { family: "mug".to_owned() }),
        entry(
            Told::new("collection-spring", 1, 5, person()),
            CollectionChangedV1 { collection: "spring".to_owned(), deleted: false },
        ),
        entry(
            Told::new(format!("{}-sheet", product()), 3, 7, &member),
            ProductDescribedV1 {
                product: product(),
                merchant: Some(merchant()),
                version: 3,
                attributes: ["color", "material"].map(str::to_owned).to_vec(),
            },
        ),
    ]
}

/// A file for the web.
pub(super) fn exports() -> Vec<Entry> {
    let export = ExportId::from_bits(66);
    let merchant = Some(merchant());
    vec![
        entry(
            Told::new(&export, 1, 7, member()),
            ExportRequestedV1 { export: export.clone(), merchant: merchant.clone() },
        ),
        entry(
            Told::new(&export, 2, 8, "system:exports"),
            ExportFinishedV1 { export, merchant, status: "done".to_owned() },
        ),
    ]
}

/// A change that waits, and the message of its time.
pub(super) fn scheduled() -> Vec<Entry> {
    let change = ScheduledChangeId::from_bits(65);
    let (merchant, product) = (Some(merchant()), product());
    let due = format!("due:{change}:2026-01-15T09:00");
    vec![
        entry(
            Told::new(&change, 1, 7, member()),
            ScheduledChangeChangedV1 {
                change: change.clone(),
                merchant,
                product,
                status: "waiting".to_owned(),
            },
        ),
        entry(Told::new(due, 0, 0, "system:sheet-change"), ScheduledChangeDueV1 { change }),
    ]
}

/// Two that may be one, and one that has become the other.
pub(super) fn duplicates() -> Vec<Entry> {
    let (pair, products) = Duplicate::of(&marketplace(), &product(), &ProductId::from_bits(64));
    let [stays, goes] = products.clone();
    vec![
        entry(
            Told::new(&pair, 1, 7, "system:duplicates"),
            DuplicateChangedV1 {
                duplicate: pair.clone(),
                products: products.to_vec(),
                status: "open".to_owned(),
            },
        ),
        entry(
            Told::new(&goes, 4, 8, person()),
            ProductMergedV1 {
                product: goes.clone(),
                into: stays,
                variants: [("1".to_owned(), 1), ("2".to_owned(), 1)].into(),
            },
        ),
    ]
}

/// One that becomes said, one that does not, one that is taken back.
pub(super) fn proposals() -> Vec<Entry> {
    let member = member();
    let [said, not, back] = [61, 62, 63].map(ProposalId::from_bits);
    let (merchant, product) = (merchant(), product());
    vec![
        entry(Told::new("proposal-policy", 1, 5, person()), ProposalPolicyChangedV1 {}),
        entry(
            Told::new(&said, 1, 7, &member),
            ProposalSubmittedV1 {
                proposal: said.clone(),
                merchant: merchant.clone(),
                product: product.clone(),
            },
        ),
        entry(
            Told::new(&said, 2, 8, person()),
            ProposalConfirmedV1 { proposal: said, merchant: merchant.clone(), product: product.clone() },
        ),
        entry(
            Told::new(&not, 2, 8, person()),
            ProposalDeclinedV1 { proposal: not, merchant: merchant.clone(), product: product.clone() },
        ),
        entry(Told::new(&back, 2, 8, &member), ProposalCanceledV1 { proposal: back, merchant, product }),
    ]
}
