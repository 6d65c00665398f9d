//! Where marketplaces and merchants lie.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Held, Page, Record, Table};
use domain::id::{MarketplaceId, MerchantId};
use domain::marketplace::Marketplace;
use domain::merchant::Merchant;
use domain::text::ExternalId;
use serde::{Deserialize, Serialize};

impl Record for Marketplace {
    const KIND: &'static str = "marketplace.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::marketplace(m)
    }
}

/// What lists show of a merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantSummary {
    pub id: MerchantId,
    pub name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    pub status: String,
}

impl Record for Merchant {
    const KIND: &'static str = "merchant.1";
    type Summary = MerchantSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::merchant(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::merchant(m, &self.id)]
    }

    fn summary(&self) -> Option<MerchantSummary> {
        Some(MerchantSummary {
            id: self.id.clone(),
            name: self.name.as_str().to_owned(),
            external_id: self.external_id.clone(),
            status: self.status.word().to_owned(),
        })
    }
}

/// The mark that makes an external id unique among merchants, and finds the merchant by it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantName {
    pub external_id: ExternalId,
    pub merchant: MerchantId,
}

impl Record for MerchantName {
    const KIND: &'static str = "merchant_name.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::merchant_by_external_id(m, self.external_id.as_str())
    }
}

impl Table {
    /// All merchants by id, newest first.
    pub async fn merchants(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<MerchantSummary>, Fault> {
        let list = List::new(Index::Gsi2, Place::merchants(m));
        self.list::<Merchant>(&list, limit, after).await
    }

    /// The merchants that other systems call so, in the order of `names`; unknown ones are absent.
    pub async fn merchants_named(
        &self,
        m: &MarketplaceId,
        names: &[ExternalId],
    ) -> Result<Vec<(ExternalId, Held<Merchant>)>, Fault> {
        let keys: Vec<Key> =
            names.iter().map(|name| Key::merchant_by_external_id(m, name.as_str())).collect();
        let names = self.load_all::<MerchantName>(&keys).await?;
        let keys: Vec<Key> = names.iter().map(|name| Key::merchant(m, &name.value.merchant)).collect();
        let merchants = self.load_all::<Merchant>(&keys).await?;
        let named = names.into_iter().filter_map(|name| {
            let merchant = merchants.iter().find(|merchant| merchant.value.id == name.value.merchant)?;
            Some((name.value.external_id, merchant.clone()))
        });
        Ok(named.collect())
    }
}
