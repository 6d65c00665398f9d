//! Reviews: where they, what was asked, and what they come to lie, and their lists.

use crate::key::{Index, Key, Place, millis};
use domain::id::{CustomerId, MarketplaceId, MerchantId, MerchantOrderId, ProductId, ReportId, ReviewId};
use domain::review::Stars;
use jiff::Timestamp;

impl Key {
    /// After `EVT#` in text order, as all that lies with it: a trail does not read them.
    pub fn review(m: &MarketplaceId, id: &ReviewId) -> Self {
        Self::new(format!("{m}#REV#{}", id.tail()), "REV")
    }

    pub fn review_rank(m: &MarketplaceId, id: &ReviewId) -> Self {
        Self::new(Self::review(m, id).pk, "RNK")
    }

    /// There is one if the customer found the review helpful.
    pub fn review_vote(m: &MarketplaceId, id: &ReviewId, voter: &CustomerId) -> Self {
        Self::new(Self::review(m, id).pk, format!("VOT#{}", voter.tail()))
    }

    pub fn review_report(m: &MarketplaceId, review: &ReviewId, id: &ReportId) -> Self {
        Self::new(Self::review(m, review).pk, format!("RPT#{}", id.tail()))
    }

    /// What was asked about a part of an order; none where the id does not have its form. After order and payments in
    /// text order.
    pub fn asking(m: &MarketplaceId, id: &MerchantOrderId) -> Option<Self> {
        let (order, part) = id.place()?;
        Some(Self::new(Self::order(m, &order).pk, format!("RVQ#{part:02}")))
    }

    pub fn review_policy(m: &MarketplaceId) -> Self {
        Self::new(format!("{m}#RVP"), "RVP")
    }

    pub fn product_rating(m: &MarketplaceId, product: &ProductId) -> Self {
        Self::new(format!("{m}#RTG#{product}"), "RTG")
    }

    pub fn merchant_rating(m: &MarketplaceId, merchant: &MerchantId) -> Self {
        Self::new(format!("{m}#RTG#{merchant}"), "RTG")
    }

    /// How a merchant delivers, in counters.
    pub fn merchant_conduct(m: &MarketplaceId, merchant: &MerchantId) -> Self {
        Self::new(Self::merchant_rating(m, merchant).pk, "CND")
    }

    pub fn rating_adjustment(m: &MarketplaceId, merchant: &MerchantId) -> Self {
        Self::new(Self::merchant_rating(m, merchant).pk, "ADJ")
    }
}

impl Place {
    fn review_at(index: Index, pk: String, at: Timestamp, id: &str) -> Self {
        Self { index, pk, sk: format!("{}#{id}", millis(at)) }
    }

    pub(crate) fn review_of_product(
        m: &MarketplaceId,
        product: &ProductId,
        stars: Stars,
        at: Timestamp,
        id: &str,
    ) -> Self {
        let pk = format!("{m}#PRDREV#{}#{}", product.tail(), stars.number());
        Self::review_at(Index::Gsi1, pk, at, id)
    }

    pub(crate) fn review_of_merchant(
        m: &MarketplaceId,
        merchant: &MerchantId,
        stars: Stars,
        at: Timestamp,
        id: &str,
    ) -> Self {
        let pk = format!("{m}#MERREV#{}#{}", merchant.tail(), stars.number());
        Self::review_at(Index::Gsi2, pk, at, id)
    }

    /// Sparse: reviews that a person has to look at.
    pub(crate) fn pending_review(m: &MarketplaceId, at: Timestamp, id: &str) -> Self {
        Self::review_at(Index::Gsi3, format!("{m}#REVWAIT"), at, id)
    }

    /// Sparse: complaints that nobody has closed.
    pub(crate) fn open_report(m: &MarketplaceId, at: Timestamp, id: &str) -> Self {
        Self::review_at(Index::Gsi3, format!("{m}#REVRPT"), at, id)
    }

    pub(crate) fn helpful_of_product(
        m: &MarketplaceId,
        product: &ProductId,
        helpful: u32,
        at: Timestamp,
        id: &str,
    ) -> Self {
        let pk = format!("{m}#PRDHLP#{}", product.tail());
        Self { index: Index::Gsi1, pk, sk: format!("{helpful:010}#{}#{id}", millis(at)) }
    }

    pub(crate) fn helpful_of_merchant(
        m: &MarketplaceId,
        merchant: &MerchantId,
        helpful: u32,
        at: Timestamp,
        id: &str,
    ) -> Self {
        let pk = format!("{m}#MERHLP#{}", merchant.tail());
        Self { index: Index::Gsi2, pk, sk: format!("{helpful:010}#{}#{id}", millis(at)) }
    }

    pub(crate) fn review_of_customer(
        m: &MarketplaceId,
        customer: &CustomerId,
        at: Timestamp,
        id: &str,
    ) -> Self {
        Self::review_at(Index::Gsi3, format!("{m}#CUSREV#{}", customer.tail()), at, id)
    }
}
