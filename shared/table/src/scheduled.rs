//! Where changes lie that wait for their time.

use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{MarketplaceId, MerchantId, ProductId, ScheduledChangeId};
use domain::pim::scheduled::ScheduledChange;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Which changes.
#[derive(Debug, Clone, Copy)]
pub enum Of<'a> {
    Product(&'a ProductId),
    /// Of its products.
    Merchant(&'a MerchantId),
    /// All that wait.
    Waiting,
}

/// What lists show of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledSummary {
    pub id: ScheduledChangeId,
    pub product: ProductId,
    pub due: Timestamp,
    /// The word of its stage.
    pub status: String,
}

impl Record for ScheduledChange {
    const KIND: &'static str = "scheduled_change.1";
    type Summary = ScheduledSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::scheduled_change(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let (id, due) = (self.id.as_str(), self.plan.due);
        let mut places = vec![Place::scheduled_of(m, &self.product, due, id)];
        places.extend(self.merchant.as_ref().map(|merchant| Place::scheduled_by(m, merchant, due, id)));
        places.extend(self.waits().then(|| Place::waiting_change(m, due, id)));
        places
    }

    fn summary(&self) -> Option<ScheduledSummary> {
        let (id, product, due) = (self.id.clone(), self.product.clone(), self.plan.due);
        Some(ScheduledSummary { id, product, due, status: self.stage.word().to_owned() })
    }
}

impl Table {
    /// Changes by when they are due, the last first.
    pub async fn scheduled_changes(
        &self,
        m: &MarketplaceId,
        of: Of<'_>,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ScheduledSummary>, Fault> {
        let place = match of {
            Of::Product(product) => Place::scheduled_of(m, product, Timestamp::UNIX_EPOCH, ""),
            Of::Merchant(merchant) => Place::scheduled_by(m, merchant, Timestamp::UNIX_EPOCH, ""),
            Of::Waiting => Place::waiting_change(m, Timestamp::UNIX_EPOCH, ""),
        };
        self.list::<ScheduledChange>(&List::of(place), limit, after).await
    }
}
