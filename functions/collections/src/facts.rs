//! What rules ask of a product, read strongly: the product with its sheet and placement, who offers it, the categories
//! above its own.

use domain::catalog::{CategoryNode, Offer, OfferStatus, Product};
use domain::id::{MarketplaceId, MerchantId, OfferId, ProductId};
use domain::marketplace::Marketplace;
use domain::merchant::{Merchant, Status};
use domain::pim::attribute::Place;
use domain::pim::collection::{Facts, lowest};
use domain::pim::sheet::Content;
use domain::text::{Category, Code, Word};
use domain::{Currency, Money};
use edge::World;
use std::collections::{BTreeMap, BTreeSet};
use table::collection::{OFFERS_MAX, Placement};
use table::sheet::Described;
use table::{Fault, Held, Key};

/// What the attribute is called that says who has made a product.
const BRAND: &str = "brand";
/// Offers of one query.
const PAGE: u16 = 100;

/// A product, and all that rules may ask of it.
pub(crate) struct Seen {
    pub(crate) product: Product,
    pub(crate) placement: Option<Held<Placement>>,
    pub(crate) offers: BTreeSet<OfferId>,
    content: Content,
    categories: BTreeSet<Category>,
    brand: Option<Word>,
    prices: Vec<Money>,
    home: Option<Currency>,
    merchants: BTreeSet<MerchantId>,
}

impl Seen {
    /// None where there is no such product. `offer` is one that the caller knows of, whatever indexes say by now.
    pub(crate) async fn load(
        world: &World,
        m: &MarketplaceId,
        id: &ProductId,
        offer: Option<&OfferId>,
        tree: &mut Tree,
    ) -> Result<Option<Self>, Fault> {
        let [product, sheet] = [Key::product(m, id), Key::sheet(m, id)];
        let [placement, marketplace] = [Key::placement(m, id), Key::marketplace(m)];
        let keys = [&product, &sheet, &placement, &marketplace].map(Clone::clone);
        let mut read = world.table.read(&keys).await?;
        let Some(product) = read.take::<Product>(&product)?.map(|held| held.value) else { return Ok(None) };
        let content = read.take::<Described>(&sheet)?.map(|held| held.value.sheet.content);
        let content = content.unwrap_or_default();
        let placement = read.take::<Placement>(&placement)?;
        let home = read.take::<Marketplace>(&marketplace)?.map(|held| held.value.currency);
        let mut offers = match &placement {
            Some(held) => held.value.offers.clone(),
            None => offered(world, m, id).await?,
        };
        offers.extend(offer.filter(|_| offers.len() < OFFERS_MAX).cloned());
        let keys: Vec<Key> = offers.iter().map(|offer| Key::offer(m, offer)).collect();
        let found = world.table.load_all::<Offer>(&keys).await?.into_iter().map(|held| held.value);
        // What has gone over to the product that another has become is that one's.
        let (own, gone): (Vec<Offer>, Vec<Offer>) = found.partition(|offer| offer.product == *id);
        for offer in &gone {
            offers.remove(&offer.id);
        }
        let (prices, merchants) = sold(world, m, own, home).await?;
        let brand: Option<Code> = BRAND.parse().ok();
        let brand =
            brand.and_then(|brand| content.value(None, &brand, &Place::default())?.as_text()?.parse().ok());
        let categories = tree.above(world, m, &product.categories).await?;
        Ok(Some(Self { product, placement, offers, content, categories, brand, prices, home, merchants }))
    }

    pub(crate) fn facts(&self) -> Facts<'_> {
        Facts {
            product: &self.product.id,
            title: self.product.title.as_str(),
            categories: &self.categories,
            content: &self.content,
            brand: self.brand.as_ref(),
            prices: &self.prices,
            home: self.home,
            merchants: &self.merchants,
            created_at: self.product.created_at,
        }
    }
}

/// Who offered a product before it was ever looked at here.
async fn offered(world: &World, m: &MarketplaceId, id: &ProductId) -> Result<BTreeSet<OfferId>, Fault> {
    let (mut found, mut after) = (BTreeSet::new(), None);
    loop {
        let page = world.table.offers_of_product(m, id, PAGE, after.as_ref()).await?;
        found.extend(page.items.into_iter().map(|row| row.id));
        match page.next {
            Some(next) if found.len() < OFFERS_MAX => after = Some(next),
            Some(_) | None => return Ok(found),
        }
    }
}

/// The lowest prices, and who sells it: offers that are active, of merchants that are open. Holidays of a merchant take
/// nothing out of a collection.
async fn sold(
    world: &World,
    m: &MarketplaceId,
    mut active: Vec<Offer>,
    home: Option<Currency>,
) -> Result<(Vec<Money>, BTreeSet<MerchantId>), Fault> {
    active.retain(|offer| offer.status == OfferStatus::Active);
    let keys: Vec<Key> = active.iter().map(|offer| Key::merchant(m, &offer.merchant)).collect();
    let merchants = world.table.load_all::<Merchant>(&keys).await?;
    let open = |held: &Held<Merchant>| held.value.status == Status::Open;
    let open: BTreeSet<MerchantId> = merchants.into_iter().filter(open).map(|held| held.value.id).collect();
    let prices = active.iter().filter(|offer| open.contains(&offer.merchant)).map(|offer| offer.price);
    Ok((lowest(prices, home), open))
}

/// The part of the category tree that was asked for so far.
#[derive(Debug, Default)]
pub(crate) struct Tree(BTreeMap<Category, Option<Category>>);

impl Tree {
    /// Categories with all that they lie below. A circle, which nobody can make, would end too.
    async fn above(
        &mut self,
        world: &World,
        m: &MarketplaceId,
        categories: &[Category],
    ) -> Result<BTreeSet<Category>, Fault> {
        let (mut all, mut next) = (BTreeSet::new(), categories.to_vec());
        while !next.is_empty() {
            let unknown = next.iter().filter(|category| !self.0.contains_key(*category));
            let keys: Vec<Key> = unknown.map(|category| Key::category(m, category)).collect();
            for held in world.table.load_all::<CategoryNode>(&keys).await? {
                self.0.insert(held.value.handle, held.value.parent);
            }
            next.retain(|category| !all.contains(category));
            all.extend(next.iter().cloned());
            next = next.iter().filter_map(|category| self.0.get(category).cloned().flatten()).collect();
        }
        Ok(all)
    }
}
