//! The words that one sheet is written in and judged by, read for it alone: a marketplace may have thousands.

use domain::id::MarketplaceId;
use domain::pim::attribute::Attribute;
use domain::pim::family::{Family, Model, PimChannel};
use domain::text::{Channel, Code};
use edge::{Problem, World};
use std::collections::{BTreeMap, BTreeSet};
use table::Key;

/// Channels of one reading.
const READING: u16 = 100;

pub(crate) async fn channels(
    world: &World,
    m: &MarketplaceId,
) -> Result<BTreeMap<Channel, PimChannel>, Problem> {
    let (mut channels, mut after) = (BTreeMap::new(), None);
    loop {
        let page = world.table.sales_channels(m, READING, after.as_ref()).await?;
        channels.extend(page.items.into_iter().map(|channel| (channel.code.clone(), channel)));
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(channels),
        }
    }
}

/// All channels, the families that are named, and the attributes of both; what is not there is absent.
pub(crate) async fn with(
    world: &World,
    m: &MarketplaceId,
    families: &[Code],
    mut attributes: BTreeSet<Code>,
) -> Result<Model, Problem> {
    let mut model = Model { channels: channels(world, m).await?, ..Model::default() };
    let keys: Vec<Key> = families.iter().map(|code| Key::family(m, code)).collect();
    for held in world.table.load_all::<Family>(&keys).await? {
        attributes.extend(held.value.attributes.keys().cloned());
        model.families.insert(held.value.code.clone(), held.value);
    }
    let keys: Vec<Key> = attributes.iter().map(|code| Key::attribute(m, code)).collect();
    for held in world.table.load_all::<Attribute>(&keys).await? {
        model.attributes.insert(held.value.code.clone(), held.value);
    }
    Ok(model)
}
