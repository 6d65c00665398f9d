//! The files of an export are made, once more if that was cut short; the first run that ends counts.

use crate::file::{BYTES_MAX, Digests, Files, bucket, content_type, digests_name, file_name, left_out_name};
use crate::translations;
use bucket::{Bucket, File, Found};
use domain::asset::shown::Gallery;
use domain::catalog::{Offer, OfferStatus, Product, ProductStatus};
use domain::fx;
use domain::id::{MarketplaceId, MerchantId, OfferId, ProductId};
use domain::marketplace::Marketplace;
use domain::merchant::{Merchant, Status};
use domain::payout::day;
use domain::pim::export::{Export, Shows, Stage, Subject};
use domain::pim::sheet::Content;
use domain::text::{Code, WebAddress};
use domain::{Currency, Money};
use edge::command::Overtaken;
use edge::shown::Front;
use edge::{Again, World};
use events::export::{ExportRequestedV1, export_finished};
use events::{Context, Envelope};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use table::collection::{OFFERS_MAX, Placement};
use table::sheet::Described;
use table::{Commit, Cursor, Held, Key, Story};

/// Products, or a merchant's offers, of one reading.
pub(crate) const READING: u16 = 50;
/// Offers of one query.
const PAGE: u16 = 100;
/// Digests of so many rows are read; a file has fewer.
const DIGESTS_MAX: usize = 400_000_000;

/// What an export comes to: its files, or why there are none.
pub(crate) type Made<'a> = Result<Files<'a>, String>;

pub(crate) async fn requested(world: World, event: Envelope<ExportRequestedV1>) -> Result<(), Again> {
    let (world, m, id) = (&world, &event.marketplace, &event.data.export);
    let Some(held) = world.table.load::<Export>(&Key::export(m, id)).await? else { return Ok(()) };
    if held.value.stage != Stage::Waiting {
        return Ok(());
    }
    let bucket = bucket(world)?;
    let made = match &held.value.translations {
        Some(of) => translations::make(world, m, &held.value, of).await?,
        None => make(world, m, &bucket, &held.value).await?,
    };
    let stage = match made {
        Ok(files) => {
            let counts = files.counts;
            keep(&bucket, m, &held.value, files).await?;
            Stage::Done { since: world.now(), counts }
        }
        Err(why) => {
            let why = why.parse().map_err(|error| Again::Refused(format!("{why}: {error}")))?;
            Stage::Failed { since: world.now(), why }
        }
    };
    let next = Export { stage, ..held.value.clone() };
    let context = Context::follows(&event, world.now(), "exports");
    let commit: Commit<'_, Overtaken> = Commit::new(m, &context);
    let story = Story::new([export_finished(&next)]);
    Ok(commit.change(&held, &next, id.as_str(), story).send(&world.table).await?)
}

async fn keep(bucket: &Bucket, m: &MarketplaceId, export: &Export, files: Files<'_>) -> Result<(), Again> {
    let Files { rows, left_out, digests, .. } = files;
    let digests = serde_json::to_vec(&digests).map_err(|error| Again::call("write digests", error))?;
    let name = file_name(m, export);
    let called = name.rsplit('/').next().map(str::to_owned);
    let all = [
        (digests_name(m, &export.id), "application/json", digests, None),
        (left_out_name(m, &export.id), "application/jsonl", left_out, Some("left-out.jsonl".to_owned())),
        (name, content_type(export.format), rows, called),
    ];
    for (name, content_type, bytes, called) in all {
        let file = File { content_type, bytes, called, saved: true, lasting: false };
        bucket.keep(&name, file).await?;
    }
    Ok(())
}

async fn make<'a>(
    world: &World,
    m: &MarketplaceId,
    bucket: &Bucket,
    export: &'a Export,
) -> Result<Made<'a>, Again> {
    let before = match &export.since {
        None => None,
        Some(since) => match bucket.fetch(&digests_name(m, since), DIGESTS_MAX).await? {
            Found::File(bytes) => {
                let read: Result<Digests, _> = serde_json::from_slice(&bytes);
                Some(read.map_err(Again::Unreadable)?)
            }
            Found::Nothing | Found::TooLarge => {
                return Ok(Err(format!("what was in {since} is kept no more: export everything once")));
            }
        },
    };
    let Some(channel) = world.table.all_sales_channels(m).await?.remove(&export.channel) else {
        return Ok(Err(format!("there is no sales channel `{}` any more", export.channel)));
    };
    let rates = world.table.load::<fx::Sheet>(&Key::fx_rates(m)).await?;
    let marketplace = world.table.marketplace(m).await?.map(|held| held.value);
    let desk = Desk {
        world,
        m,
        export,
        now: world.now(),
        currency: channel.currency,
        rates: rates.map(|held| held.value.rates).unwrap_or_default(),
        marketplace,
        front: Front::of(world, "MEDIA_ADDRESS")
            .map_err(|unset| Again::call("find where pictures are shown", unset))?,
    };
    let mut files = Files::begin(export, before);
    let (mut named, mut after) = (BTreeSet::new(), None);
    loop {
        let (mut offers, next) = desk.offered(after.as_ref()).await?;
        // A product that was merged may still name what the other has by now: an offer has one row.
        offers.retain(|offer| named.insert(offer.clone()));
        desk.put(&mut files, &offers).await?;
        if files.is_too_large() {
            let why = format!(
                "it has more than {BYTES_MAX} bytes: export fewer attributes, or a merchant's offers"
            );
            return Ok(Err(why));
        }
        match next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    files.end();
    Ok(Ok(files))
}

/// All that is the same for each row.
struct Desk<'a> {
    world: &'a World,
    m: &'a MarketplaceId,
    export: &'a Export,
    now: Timestamp,
    currency: Currency,
    rates: Vec<fx::FxRate>,
    marketplace: Option<Marketplace>,
    front: Front,
}

impl Desk<'_> {
    /// Some of what is offered: of everybody's products, or of a merchant's offers.
    async fn offered(&self, after: Option<&Cursor>) -> Result<(Vec<OfferId>, Option<Cursor>), Again> {
        let table = &self.world.table;
        if let Some(merchant) = &self.export.merchant {
            let page = table.offers_of_merchant(self.m, merchant, READING, after).await?;
            return Ok((page.items.into_iter().map(|row| row.id).collect(), page.next));
        }
        let page = table.products(self.m, None, READING, after).await?;
        let products: Vec<ProductId> = page.items.into_iter().map(|row| row.id).collect();
        let keys: Vec<Key> = products.iter().map(|product| Key::placement(self.m, product)).collect();
        let placed = table.load_all::<Placement>(&keys).await?;
        let mut offers = Vec::new();
        for Placement { product, offers: named, .. } in placed.into_iter().map(|held| held.value) {
            if named.len() >= OFFERS_MAX {
                offers.extend(self.all_of(&product).await?);
            }
            offers.extend(named);
        }
        Ok((offers, page.next))
    }

    /// What the index of a product's offers has, of which there are more than its placement names.
    async fn all_of(&self, product: &ProductId) -> Result<Vec<OfferId>, Again> {
        let (mut found, mut after) = (Vec::new(), None);
        loop {
            let page = self.world.table.offers_of_product(self.m, product, PAGE, after.as_ref()).await?;
            found.extend(page.items.into_iter().map(|row| row.id));
            match page.next {
                Some(next) => after = Some(next),
                None => return Ok(found),
            }
        }
    }

    async fn put(&self, files: &mut Files<'_>, offers: &[OfferId]) -> Result<(), Again> {
        let (table, m) = (&self.world.table, self.m);
        let offers: Vec<Key> = offers.iter().map(|offer| Key::offer(m, offer)).collect();
        let offers = table.load_all::<Offer>(&offers).await?;
        let active =
            offers.into_iter().map(|held| held.value).filter(|offer| offer.status == OfferStatus::Active);
        let active: Vec<Offer> = active.collect();
        let open = self.open(&active).await?;
        let offers: Vec<Offer> = active.into_iter().filter(|offer| open.contains(&offer.merchant)).collect();
        let left = table.available(m, &offers, None, self.now).await?;
        let products: BTreeSet<&ProductId> = offers.iter().map(|offer| &offer.product).collect();
        let keys: Vec<Key> = products
            .iter()
            .flat_map(|id| [Key::product(m, id), Key::sheet(m, id), Key::gallery(m, id)])
            .collect();
        let mut read = table.read(&keys).await?;
        let mut goods = BTreeMap::new();
        for id in products {
            let product = read.take::<Product>(&Key::product(m, id))?.map(|held| held.value);
            let content = read.take::<Described>(&Key::sheet(m, id))?;
            let content = content.map(|held| held.value.sheet.content).unwrap_or_default();
            let gallery = read.take::<Gallery>(&Key::gallery(m, id))?;
            let shown = product.filter(|product| product.status == ProductStatus::Active);
            let pictures = self.pictures(gallery);
            goods.extend(shown.map(|product| (id.clone(), Goods { product, content, pictures })));
        }
        let families: BTreeSet<Code> = goods.values().filter_map(|goods| goods.content.family()).collect();
        let families: Vec<Code> = families.into_iter().collect();
        let mut attributes: BTreeSet<Code> = self.export.attributes.iter().cloned().collect();
        attributes.extend(["brand", "mpn"].iter().filter_map(|name| name.parse().ok()));
        let model = table.model(m, &families, attributes).await?;
        let Export { channel, locale, attributes, .. } = self.export;
        let shows = Shows { model: &model, channel, locale, attributes };
        for offer in &offers {
            let Some(Goods { product, content, pictures }) = goods.get(&offer.product) else { continue };
            let price = match self.price(offer.price) {
                Ok(price) => price,
                Err(error) => {
                    files.leave_out(offer.id.as_str(), [("price".to_owned(), error.to_string())]);
                    continue;
                }
            };
            let link = self.link(product);
            let available = left.get(&offer.id).is_none_or(|left| *left > 0);
            let subject =
                Subject { product, content, offer, price, available, link: link.as_ref(), pictures };
            match shows.row(subject) {
                Ok(row) => files.put(&row, price),
                Err(missing) => {
                    let why = |code: Code| (format!("values/{code}"), "the channel needs it".to_owned());
                    files.leave_out(offer.id.as_str(), missing.into_iter().map(why));
                }
            }
        }
        Ok(())
    }

    /// Merchants that sell.
    async fn open(&self, offers: &[Offer]) -> Result<BTreeSet<MerchantId>, Again> {
        let keys: BTreeSet<&MerchantId> = offers.iter().map(|offer| &offer.merchant).collect();
        let keys: Vec<Key> = keys.into_iter().map(|merchant| Key::merchant(self.m, merchant)).collect();
        let merchants = self.world.table.load_all::<Merchant>(&keys).await?;
        let open = merchants.into_iter().filter(|held| held.value.status == Status::Open);
        Ok(open.map(|held| held.value.id).collect())
    }

    /// In the channel's currency, by the rate of the day where it is another.
    fn price(&self, price: Money) -> Result<Money, fx::FxError> {
        if price.currency == self.currency {
            return Ok(price);
        }
        let rate = fx::find(&self.rates, price.currency, self.currency, day(self.now))?;
        Ok(rate.convert(price)?.amount)
    }

    fn link(&self, product: &Product) -> Option<WebAddress> {
        let storefront = self.marketplace.as_ref()?.settings.storefront.as_ref()?;
        format!("{}/#/product/{}", storefront.as_str().trim_end_matches('/'), product.id).parse().ok()
    }

    /// Addresses of the largest size of each, as JPEG.
    fn pictures(&self, gallery: Option<Held<Gallery>>) -> Vec<String> {
        let shown = gallery.map(|held| held.value.shown).unwrap_or_default();
        self.front.pictures(self.m, &shown, self.now)
    }
}

/// A product as a row needs it.
struct Goods {
    product: Product,
    content: Content,
    pictures: Vec<String>,
}
