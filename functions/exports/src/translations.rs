//! What is to be translated, as a file for translators: of all products, or of those that a merchant keeps and offers.

use crate::file::{BYTES_MAX, Files};
use crate::make::{Made, READING};
use domain::catalog::{Product, ProductStatus};
use domain::id::{MarketplaceId, ProductId};
use domain::pim::export::{Export, Translations};
use domain::pim::sheet::Content;
use domain::pim::translation::file::Which;
use domain::text::Code;
use edge::{Again, World};
use std::collections::BTreeSet;
use table::sheet::Described;
use table::{Cursor, Key};

pub(crate) async fn make<'a>(
    world: &World,
    m: &MarketplaceId,
    export: &'a Export,
    of: &Translations,
) -> Result<Made<'a>, Again> {
    let mut files = Files::begin(export, None);
    let (mut met, mut after) = (BTreeSet::new(), None);
    loop {
        let (mut some, next) = products(world, m, export, after.as_ref()).await?;
        some.retain(|id| !met.contains(id));
        put(world, m, &mut files, (export, of), &some).await?;
        met.extend(some);
        if files.is_too_large() {
            return Ok(Err(format!("it has more than {BYTES_MAX} bytes: export single attributes")));
        }
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    files.end();
    Ok(Ok(files))
}

/// Some products. A merchant offers one several times, so it may come on several pages.
async fn products(
    world: &World,
    m: &MarketplaceId,
    export: &Export,
    after: Option<&Cursor>,
) -> Result<(BTreeSet<ProductId>, Option<Cursor>), Again> {
    let table = &world.table;
    Ok(match &export.merchant {
        Some(merchant) => {
            let page = table.offers_of_merchant(m, merchant, READING, after).await?;
            (page.items.into_iter().map(|row| row.product).collect(), page.next)
        }
        None => {
            let page = table.products(m, None, READING, after).await?;
            (page.items.into_iter().map(|row| row.id).collect(), page.next)
        }
    })
}

async fn put(
    world: &World,
    m: &MarketplaceId,
    files: &mut Files<'_>,
    (export, of): (&Export, &Translations),
    products: &BTreeSet<ProductId>,
) -> Result<(), Again> {
    let keys: Vec<Key> = products.iter().flat_map(|id| [Key::product(m, id), Key::sheet(m, id)]).collect();
    let mut read = world.table.read(&keys).await?;
    let mut said: Vec<(Product, Content)> = Vec::new();
    for id in products {
        let Some(product) = read.take::<Product>(&Key::product(m, id))? else { continue };
        let Some(sheet) = read.take::<Described>(&Key::sheet(m, id))? else { continue };
        let product = product.value;
        let kept = export.merchant.is_none() || product.merchant == export.merchant;
        if kept && product.status != ProductStatus::Archived {
            said.push((product, sheet.value.sheet.content));
        }
    }
    let slots = said.iter().flat_map(|(_, content)| content.values());
    let named = slots.filter(|(slot, _)| slot.place.locale.as_ref() == Some(&of.from));
    let named: BTreeSet<Code> = named.map(|(slot, _)| slot.attribute.clone()).collect();
    let model = world.table.model(m, &[], named).await?;
    let Export { channel, locale, attributes, .. } = export;
    let which = Which { from: &of.from, to: locale, channel, attributes, all: of.all };
    for (product, content) in &said {
        for cells in which.rows(product, content, &model) {
            files.put_cells(&cells);
        }
    }
    Ok(())
}
