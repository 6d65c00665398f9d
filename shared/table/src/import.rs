//! Where imports lie: a job, how its rows are read, and those that were refused, each an item of its own.

use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{ImportId, MarketplaceId, MerchantId};
use domain::import::{BadRow, Counts, Import};
use domain::pim::exchange::Profile;
use domain::text::Name;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// So long the flaws of rows are kept.
const BAD_ROWS_DAYS: i64 = 90;

/// What lists show of an import.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportSummary {
    pub id: ImportId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub name: Name,
    pub requested_at: Timestamp,
    /// The word of its stage.
    pub status: String,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    pub counts: Counts,
}

impl Record for Import {
    const KIND: &'static str = "import.1";
    type Summary = ImportSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::import(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::import(m, self.merchant.as_ref(), self.requested_at, self.id.as_str())]
    }

    fn summary(&self) -> Option<ImportSummary> {
        Some(ImportSummary {
            id: self.id.clone(),
            merchant: self.merchant.clone(),
            name: self.name.clone(),
            requested_at: self.requested_at,
            status: self.stage.word().to_owned(),
            dry_run: self.dry_run,
            counts: self.counts,
        })
    }
}

/// How a source's rows are read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ImportProfile(pub Profile);

impl Record for ImportProfile {
    const KIND: &'static str = "import_profile.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::import_profile(m, &self.0.code)
    }
}

/// How the rows of one import are read: whoever changes the profile meanwhile does not change that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileOfImport {
    pub import: ImportId,
    pub profile: Profile,
}

impl Record for ProfileOfImport {
    const KIND: &'static str = "profile_of_import.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::profile_of_import(m, &self.import)
    }
}

/// A row that was refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BadRowOfImport {
    pub import: ImportId,
    /// Counted from 1, in the order of the file.
    pub number: u32,
    pub found_at: Timestamp,
    pub row: BadRow,
}

impl Record for BadRowOfImport {
    const KIND: &'static str = "bad_row.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::bad_row(m, &self.import, self.number)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.found_at.checked_add(SignedDuration::from_hours(BAD_ROWS_DAYS.saturating_mul(24))).ok()
    }
}

impl Table {
    /// The imports of a merchant, or of the marketplace itself, the youngest first.
    pub async fn imports(
        &self,
        m: &MarketplaceId,
        merchant: Option<&MerchantId>,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ImportSummary>, Fault> {
        let list = List::of(Place::import(m, merchant, Timestamp::UNIX_EPOCH, ""));
        self.list::<Import>(&list, limit, after).await
    }

    /// What was refused of an import, in the order of the file.
    pub async fn bad_rows(
        &self,
        m: &MarketplaceId,
        import: &ImportId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<BadRow>, Fault> {
        let pk = Key::import(m, import).pk;
        let page = self.records::<BadRowOfImport>(&pk, Key::BAD_ROWS, limit, after, true).await?;
        Ok(Page { items: page.items.into_iter().map(|held| held.value.row).collect(), next: page.next })
    }

    /// Profiles by code, from the first to the last.
    pub async fn import_profiles(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Profile>, Fault> {
        let pk = Key::import_profiles(m);
        let page = self.records::<ImportProfile>(&pk, Key::IMPORT_PROFILES, limit, after, true).await?;
        Ok(Page { items: page.items.into_iter().map(|held| held.value.0).collect(), next: page.next })
    }
}
