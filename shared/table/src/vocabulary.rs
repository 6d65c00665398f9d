//! The words that one sheet is written in and judged by, read for it alone: a marketplace may have thousands.

use crate::{Fault, Key, Table};
use domain::id::MarketplaceId;
use domain::marketplace::Marketplace;
use domain::pim::attribute::Attribute;
use domain::pim::data::Data;
use domain::pim::family::{Family, Model, PimChannel};
use domain::pim::sheet::{Patch, Path, Sheet};
use domain::text::{Channel, Code};
use std::collections::{BTreeMap, BTreeSet};

/// Channels of one reading.
const READING: u16 = 100;

impl Table {
    pub async fn all_sales_channels(
        &self,
        m: &MarketplaceId,
    ) -> Result<BTreeMap<Channel, PimChannel>, Fault> {
        let (mut channels, mut after) = (BTreeMap::new(), None);
        loop {
            let page = self.sales_channels(m, READING, after.as_ref()).await?;
            channels.extend(page.items.into_iter().map(|channel| (channel.code.clone(), channel)));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(channels),
            }
        }
    }

    /// All channels, the source language, the families that are named, and the attributes of both; what is not there is
    /// absent.
    pub async fn model(
        &self,
        m: &MarketplaceId,
        families: &[Code],
        mut attributes: BTreeSet<Code>,
    ) -> Result<Model, Fault> {
        let mut model = Model { channels: self.all_sales_channels(m).await?, ..Model::default() };
        let keys: Vec<Key> = families.iter().map(|code| Key::family(m, code)).collect();
        let own = Key::marketplace(m);
        let mut read = self.read(&[keys.as_slice(), std::slice::from_ref(&own)].concat()).await?;
        model.source = read.take::<Marketplace>(&own)?.and_then(|held| held.value.locale.parse().ok());
        for key in &keys {
            let Some(held) = read.take::<Family>(key)? else { continue };
            attributes.extend(held.value.attributes.keys().cloned());
            model.families.insert(held.value.code.clone(), held.value);
        }
        let keys: Vec<Key> = attributes.iter().map(|code| Key::attribute(m, code)).collect();
        for held in self.load_all::<Attribute>(&keys).await? {
            model.attributes.insert(held.value.code.clone(), held.value);
        }
        Ok(model)
    }

    /// The words that a patch of a sheet is written in and judged by: those that it names, and all of the family that
    /// is the sheet's after it.
    pub async fn words(&self, m: &MarketplaceId, before: &Sheet, patch: &Patch) -> Result<Model, Fault> {
        let (families, attributes) = named(before, patch);
        self.model(m, &families, attributes).await
    }
}

/// The families and attributes that a patch of a sheet names.
pub fn named(before: &Sheet, patch: &Patch) -> (Vec<Code>, BTreeSet<Code>) {
    let attribute = |path: &Path| match path {
        Path::Value(slot) | Path::Translation(slot) => Some(slot.attribute.clone()),
        Path::Family | Path::Assets => None,
    };
    let family = patch.edits.get(&Path::Family).and_then(Data::as_text).and_then(|code| code.parse().ok());
    let families = family.into_iter().chain(before.content.family()).collect();
    (families, patch.edits.keys().filter_map(attribute).collect())
}
