//! Where lies what products are described with, and what each of them says: as it is now, and version by version.
//!
//! A sheet is written with the change that made it, in one transaction: the versions are all there, or it is not new.
//! With it lie the figures of that version (how complete, how good); what is missing follows from family and content
//! and is worked out when somebody looks, so no change of a family leaves a wrong list behind.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{MarketplaceId, ProductId};
use domain::pim::attribute::{Attribute, Labels, Scope};
use domain::pim::family::{Family, PimChannel};
use domain::pim::history::Change;
use domain::pim::sheet::Sheet;
use domain::text::{Channel, Code, Locale};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Versions of one reading; a range also ends at 1 MB.
const READING: u16 = 100;

/// What lists show of an attribute; its options may be many.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttributeSummary {
    pub code: Code,
    /// The word of its kind.
    pub kind: String,
    pub scope: Scope,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Labels,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Code>,
}

/// What lists show of a family.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FamilySummary {
    pub code: Code,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub labels: Labels,
    pub attributes: u16,
}

impl Record for Attribute {
    const KIND: &'static str = "attribute.1";
    type Summary = AttributeSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::attribute(m, &self.code)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::attribute(m, &self.code)]
    }

    fn summary(&self) -> Option<AttributeSummary> {
        let Self { code, kind, scope, labels, group } = self.clone();
        Some(AttributeSummary { code, kind: kind.word().to_owned(), scope, labels, group })
    }
}

impl Record for Family {
    const KIND: &'static str = "family.1";
    type Summary = FamilySummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::family(m, &self.code)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::family(m, &self.code)]
    }

    fn summary(&self) -> Option<FamilySummary> {
        let attributes = u16::try_from(self.attributes.len()).ok()?;
        Some(FamilySummary { code: self.code.clone(), labels: self.labels.clone(), attributes })
    }
}

impl Record for PimChannel {
    const KIND: &'static str = "sales_channel.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::sales_channel(m, &self.code)
    }
}

/// What a product says, and how well it said so when it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Described {
    pub sheet: Sheet,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub figures: Vec<Figure>,
}

/// On a channel, in a language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    pub channel: Channel,
    pub locale: Locale,
    /// Of what the family demands there.
    pub complete: u8,
    pub quality: u8,
}

impl Record for Described {
    const KIND: &'static str = "sheet.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::sheet(m, &self.sheet.product)
    }
}

/// One version of what a product says, as the change that made it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SheetVersion {
    pub product: ProductId,
    pub change: Change,
}

impl Record for SheetVersion {
    const KIND: &'static str = "sheet_version.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::sheet_version(m, &self.product, self.change.version)
    }
}

impl Table {
    /// Attributes by code, from the last to the first.
    pub async fn attributes(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<AttributeSummary>, Fault> {
        self.list::<Attribute>(&List::new(Index::Gsi2, Place::attributes(m)), limit, after).await
    }

    /// Families by code, from the last to the first.
    pub async fn families(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<FamilySummary>, Fault> {
        self.list::<Family>(&List::new(Index::Gsi2, Place::families(m)), limit, after).await
    }

    /// Sales channels by code, from the first to the last; strongly consistent.
    pub async fn sales_channels(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<PimChannel>, Fault> {
        let pk = Key::sales_channels(m);
        let page = self.records::<PimChannel>(&pk, Key::SALES_CHANNELS, limit, after, true).await?;
        Ok(Page { items: page.items.into_iter().map(|held| held.value).collect(), next: page.next })
    }

    /// The changes of what a product says, the last first.
    pub async fn sheet_versions(
        &self,
        m: &MarketplaceId,
        product: &ProductId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Change>, Fault> {
        let pk = Key::product(m, product).pk;
        let page = self.records::<SheetVersion>(&pk, Key::SHEET_VERSIONS, limit, after, false).await?;
        Ok(Page { items: page.items.into_iter().map(|held| held.value.change).collect(), next: page.next })
    }

    /// All changes since a version.
    pub async fn sheet_changes_since(
        &self,
        m: &MarketplaceId,
        product: &ProductId,
        version: u32,
    ) -> Result<Vec<Change>, Fault> {
        let (pk, from) = (Key::product(m, product).pk, Key::versions_after(version));
        let (mut changes, mut after) = (Vec::new(), None);
        loop {
            let range = (from.as_str(), Key::SHEET_VERSIONS.1);
            let page = self.records::<SheetVersion>(&pk, range, READING, after.as_ref(), true).await?;
            changes.extend(page.items.into_iter().map(|held| held.value.change));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(changes),
            }
        }
    }
}
