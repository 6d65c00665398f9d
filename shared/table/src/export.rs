//! Where exports lie: one item each, and a list per merchant.

use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{ExportId, MarketplaceId, MerchantId};
use domain::pim::export::{Export, Format};
use domain::text::Channel;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What lists show of one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExportSummary {
    pub id: ExportId,
    pub channel: Channel,
    pub format: Format,
    pub asked_at: Timestamp,
    /// The word of its stage.
    pub status: String,
}

impl Record for Export {
    const KIND: &'static str = "export.1";
    type Summary = ExportSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::export(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::export(m, self.merchant.as_ref(), self.asked_at, self.id.as_str())]
    }

    fn summary(&self) -> Option<ExportSummary> {
        let (id, channel, format) = (self.id.clone(), self.channel.clone(), self.format);
        let status = self.stage.word().to_owned();
        Some(ExportSummary { id, channel, format, asked_at: self.asked_at, status })
    }
}

impl Table {
    /// Exports of a merchant, or the marketplace's own, the last first.
    pub async fn exports(
        &self,
        m: &MarketplaceId,
        merchant: Option<&MerchantId>,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ExportSummary>, Fault> {
        let list = List::of(Place::export(m, merchant, Timestamp::UNIX_EPOCH, ""));
        self.list::<Export>(&list, limit, after).await
    }
}
