//! Where wish lists lie, one item each, and who waits for an offer to be there again.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Held, Page, Record, Table};
use domain::id::{CustomerId, MarketplaceId, MerchantId, OfferId, WishListId};
use domain::text::Name;
use domain::wish_list::WishList;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What lists show of a wish list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WishListSummary {
    pub id: WishListId,
    pub name: Name,
    pub items: u16,
    pub shared: bool,
}

impl Record for WishList {
    const KIND: &'static str = "wish_list.1";
    type Summary = WishListSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::wish_list(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        self.customer.iter().map(|customer| Place::wish_list_of(m, customer, &self.id)).collect()
    }

    fn summary(&self) -> Option<WishListSummary> {
        let items = u16::try_from(self.items.len()).unwrap_or(u16::MAX);
        let (id, name, shared) = (self.id.clone(), self.name.clone(), self.shared);
        self.customer.as_ref().map(|_| WishListSummary { id, name, items, shared })
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.forgotten_at()
    }
}

/// A customer who wants to hear when an offer can be had again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waiting {
    pub customer: CustomerId,
    pub offer: OfferId,
    /// Whose it is; those of before it was kept do not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub since: Timestamp,
}

impl Record for Waiting {
    const KIND: &'static str = "waiting.1";
    type Summary = Self;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::waiting(m, &self.offer, &self.customer)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let mut places = vec![Place::waiting(m, &self.customer, self.since, &self.offer)];
        let at = |merchant| Place::waiting_at(m, merchant, self.since, &self.offer);
        places.extend(self.merchant.as_ref().map(at));
        places
    }

    fn summary(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl Table {
    pub async fn wish_lists_of(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<WishListSummary>, Fault> {
        let list = List::new(Index::Gsi1, Place::wish_lists_of(m, customer));
        self.list::<WishList>(&list, limit, after).await
    }

    /// What a customer waits for, the last first.
    pub async fn waits_of(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Waiting>, Fault> {
        let first = Place::waiting(m, customer, Timestamp::UNIX_EPOCH, &OfferId::from_bits(0));
        self.list::<Waiting>(&List::of(first), limit, after).await
    }

    /// Who waits for what a merchant sells.
    pub async fn waits_at(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Waiting>, Fault> {
        let first = Place::waiting_at(m, merchant, Timestamp::UNIX_EPOCH, &OfferId::from_bits(0));
        self.list::<Waiting>(&List::of(first), limit, after).await
    }

    /// Some of those who wait for an offer; none once all were told.
    pub async fn waiting_for(
        &self,
        m: &MarketplaceId,
        offer: &OfferId,
        limit: u16,
    ) -> Result<Vec<Held<Waiting>>, Fault> {
        let pk = Key::offer(m, offer).pk;
        let (items, _) = self.range(&pk, Key::WAITING, limit, None, true).await?;
        items.into_iter().map(crate::record::from_item).collect()
    }
}
