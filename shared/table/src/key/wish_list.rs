//! Keys of wish lists, and of who waits for an offer to be there again.

use crate::key::{Index, Key, Place};
use domain::id::{CustomerId, MarketplaceId, MerchantId, OfferId, WaitId, WishListId};
use jiff::Timestamp;

impl Key {
    pub fn wish_list(m: &MarketplaceId, id: &WishListId) -> Self {
        Self::new(format!("{m}#WSH#{}", id.tail()), "WSH")
    }

    /// After the offer's story and stock in text order, so that no reader of those reads it.
    pub fn waiting(m: &MarketplaceId, offer: &OfferId, customer: &CustomerId) -> Self {
        Self::new(Self::offer(m, offer).pk, format!("WAI#{}", customer.tail()))
    }

    /// Where it is told that an offer is there again, beside the offer.
    pub fn wait(m: &MarketplaceId, offer: &OfferId, id: &WaitId) -> Self {
        Self::new(Self::offer(m, offer).pk, id.as_str())
    }

    /// The bounds of those who wait for an offer.
    pub(crate) const WAITING: (&'static str, &'static str) = ("WAI#", "WAI#~");
}

impl Place {
    pub(crate) fn wish_list_of(m: &MarketplaceId, customer: &CustomerId, id: &WishListId) -> Self {
        Self { index: Index::Gsi1, pk: Self::wish_lists_of(m, customer), sk: id.as_str().to_owned() }
    }

    pub(crate) fn wish_lists_of(m: &MarketplaceId, customer: &CustomerId) -> String {
        format!("{m}#CUSWSH#{}", customer.tail())
    }

    pub(crate) fn waiting(
        m: &MarketplaceId,
        customer: &CustomerId,
        since: Timestamp,
        offer: &OfferId,
    ) -> Self {
        Self::new(Index::Gsi1, format!("{m}#CUSWAI#{}", customer.tail()), since, offer.as_str())
    }

    /// Sparse: of waits that say whose the offer is.
    pub(crate) fn waiting_at(
        m: &MarketplaceId,
        merchant: &MerchantId,
        since: Timestamp,
        offer: &OfferId,
    ) -> Self {
        Self::new(Index::Gsi2, format!("{m}#MERWAI#{}", merchant.tail()), since, offer.as_str())
    }
}
