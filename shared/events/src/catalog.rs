//! What is told of the catalog: that a thing is new or has changed, not how it reads now.

use crate::{Amount, Announced, payloads};
use domain::catalog::{Merged, Offer, OfferStatus, Product, ProductStatus};
use domain::id::{DuplicateId, MerchantId, OfferId, ProductId, ProposalId, ScheduledChangeId};
use domain::pim::duplicate::Duplicate;
use domain::pim::history::Change;
use domain::pim::proposal::{About, Fact, Proposal};
use domain::pim::scheduled::ScheduledChange;
use domain::pim::sheet::Path;
use std::collections::{BTreeMap, BTreeSet};

payloads! {
    /// A category is new, or has another name or place.
    "category.changed.v1" CategoryChangedV1 {
        category: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parent: Option<String>,
    }

    /// A product is known; merchants may offer it.
    "product.created.v1" ProductCreatedV1 {
        product: ProductId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        status: ProductStatus,
    }

    /// Something about a product reads differently now.
    "product.changed.v1" ProductChangedV1 { product: ProductId, status: ProductStatus }

    /// What a product says is another version now: values, family or pictures. Tells of which attributes, not what.
    "product.described.v1" ProductDescribedV1 {
        product: ProductId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        version: u32,
        /// At most 500 of them.
        attributes: Vec<String>,
    }

    /// An attribute is new, or reads differently; its type stays.
    "attribute.changed.v1" AttributeChangedV1 { attribute: String }

    /// A family is new, or demands something else of its products.
    "family.changed.v1" FamilyChangedV1 { family: String }

    /// A sales channel is new, or speaks other languages.
    "sales_channel.changed.v1" SalesChannelChangedV1 { channel: String }

    /// A collection is new, has something else in it, or is gone.
    "collection.changed.v1" CollectionChangedV1 { collection: String, deleted: bool }

    /// Two products may be one, or nothing speaks for it any more.
    "duplicate.changed.v1" DuplicateChangedV1 {
        duplicate: DuplicateId,
        products: Vec<ProductId>,
        status: String,
    }

    /// A product has become another; its offers follow.
    "product.merged.v1" ProductMergedV1 {
        product: ProductId,
        into: ProductId,
        /// Which variant there each of its own is.
        variants: BTreeMap<String, u16>,
    }

    /// Work, not news: a change of what a product says is due. Lies in a queue, never on the bus.
    "scheduled_change.due.v1" ScheduledChangeDueV1 { change: ScheduledChangeId }

    /// A change of what a product says waits for its time, is made, has failed, or is canceled.
    "scheduled_change.changed.v1" ScheduledChangeChangedV1 {
        change: ScheduledChangeId,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        merchant: Option<MerchantId>,
        product: ProductId,
        status: String,
    }

    /// A merchant wants a product to say something else; what waits for a person waits from now on.
    "proposal.submitted.v1" ProposalSubmittedV1 {
        proposal: ProposalId,
        merchant: MerchantId,
        product: ProductId,
    }

    /// A person, or the marketplace's policy, has agreed: what was proposed is said.
    "proposal.confirmed.v1" ProposalConfirmedV1 {
        proposal: ProposalId, merchant: MerchantId, product: ProductId,
    }

    /// A person has not agreed.
    "proposal.declined.v1" ProposalDeclinedV1 {
        proposal: ProposalId, merchant: MerchantId, product: ProductId,
    }

    /// The merchant does not want it any more.
    "proposal.canceled.v1" ProposalCanceledV1 {
        proposal: ProposalId, merchant: MerchantId, product: ProductId,
    }

    /// What of proposals is done at once and what waits is new; it binds what is proposed from now on.
    "proposal.policy_changed.v1" ProposalPolicyChangedV1 {}

    /// A merchant sells a variant.
    "offer.created.v1" OfferCreatedV1 {
        offer: OfferId,
        merchant: MerchantId,
        product: ProductId,
        variant: u16,
        sku: String,
        price: Amount,
        status: OfferStatus,
    }

    /// Price or status of an offer are new; placed orders keep theirs (A5(5)).
    "offer.changed.v1" OfferChangedV1 {
        offer: OfferId, merchant: MerchantId, product: ProductId, price: Amount, status: OfferStatus,
    }
}

/// The first thing said of a product.
pub fn product_created(product: &Product) -> Announced {
    let Product { id, merchant, status, .. } = product;
    Announced::of(&ProductCreatedV1 { product: id.clone(), merchant: merchant.clone(), status: *status })
}

pub fn product_changed(product: &Product) -> Announced {
    Announced::of(&ProductChangedV1 { product: product.id.clone(), status: product.status })
}

/// What has become of a change that was to wait.
pub fn scheduled_change_changed(change: &ScheduledChange) -> Announced {
    let ScheduledChange { id, product, merchant, stage, .. } = change.clone();
    let status = stage.word().to_owned();
    Announced::of(&ScheduledChangeChangedV1 { change: id, merchant, product, status })
}

/// What is known of a pair, found or resolved.
pub fn duplicate_changed(pair: &Duplicate) -> Announced {
    let (duplicate, products) = (pair.id.clone(), pair.products.to_vec());
    Announced::of(&DuplicateChangedV1 { duplicate, products, status: pair.stage.word().to_owned() })
}

/// What is told of a product that has become another; nothing where it has not.
pub fn product_merged(product: &Product) -> Option<Announced> {
    let Merged { into, variants } = product.merged.clone()?;
    let variants = variants.into_iter().map(|(own, there)| (own.to_string(), there)).collect();
    Some(Announced::of(&ProductMergedV1 { product: product.id.clone(), into, variants }))
}

/// The most attributes that an event names.
const NAMED_MAX: usize = 500;

/// What a change of a sheet tells.
pub fn product_described(product: &Product, change: &Change) -> Announced {
    let attribute = |path: &Path| match path {
        Path::Value(slot) | Path::Translation(slot) => Some(slot.attribute.to_string()),
        Path::Family | Path::Assets => None,
    };
    let attributes: BTreeSet<String> = change.diff.paths().filter_map(attribute).collect();
    Announced::of(&ProductDescribedV1 {
        product: product.id.clone(),
        merchant: product.merchant.clone(),
        version: change.version,
        attributes: attributes.into_iter().take(NAMED_MAX).collect(),
    })
}

/// Proposal, merchant and product: all that an event says of a proposal.
fn of_proposal(proposal: &Proposal) -> (ProposalId, MerchantId, ProductId) {
    let product = match &proposal.about {
        About::Product { product, .. } => product.id.clone(),
        About::Change { product, .. } => product.clone(),
    };
    (proposal.id.clone(), proposal.merchant.clone(), product)
}

/// The first thing said of a proposal.
pub fn proposal_submitted(proposal: &Proposal) -> Announced {
    let (proposal, merchant, product) = of_proposal(proposal);
    Announced::of(&ProposalSubmittedV1 { proposal, merchant, product })
}

/// What became of a proposal.
pub fn proposal_resolved(proposal: &Proposal, fact: &Fact) -> Announced {
    let (proposal, merchant, product) = of_proposal(proposal);
    match fact {
        Fact::Confirmed { .. } => Announced::of(&ProposalConfirmedV1 { proposal, merchant, product }),
        Fact::Declined { .. } => Announced::of(&ProposalDeclinedV1 { proposal, merchant, product }),
        Fact::Canceled { .. } => Announced::of(&ProposalCanceledV1 { proposal, merchant, product }),
    }
}

/// The first thing said of an offer.
pub fn offer_created(offer: &Offer) -> Announced {
    Announced::of(&OfferCreatedV1 {
        offer: offer.id.clone(),
        merchant: offer.merchant.clone(),
        product: offer.product.clone(),
        variant: offer.variant,
        sku: offer.sku.as_str().to_owned(),
        price: offer.price.into(),
        status: offer.status,
    })
}

pub fn offer_changed(offer: &Offer) -> Announced {
    Announced::of(&OfferChangedV1 {
        offer: offer.id.clone(),
        merchant: offer.merchant.clone(),
        product: offer.product.clone(),
        price: offer.price.into(),
        status: offer.status,
    })
}
