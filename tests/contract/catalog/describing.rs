//! Samples of what is told of what products say, and of what merchants propose that they say.

use super::{Entry, Told, entry, merchant, person, product};
use domain::id::ProposalId;
use events::catalog::{
    AttributeChangedV1, FamilyChangedV1, ProductDescribedV1, ProposalCanceledV1, ProposalConfirmedV1,
    ProposalDeclinedV1, ProposalPolicyChangedV1, ProposalSubmittedV1, SalesChannelChangedV1,
};

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
