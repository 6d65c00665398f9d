//! A product is or says something else now: what it is recognized by, and who else has the same.
//!
//! A product is put under its marks before it looks who else stands there, so of two that come at once at least one
//! sees the other. Whoever has changed something looks again until there is nothing to change.

use domain::asset::{Asset, Kind};
use domain::catalog::{Product, ProductStatus};
use domain::id::{DuplicateId, MarketplaceId, ProductId};
use domain::pim::attribute::Place;
use domain::pim::duplicate::{Duplicate, Stage};
use domain::pim::likeness::{Evidence, Traits, compare, keys};
use domain::pim::sheet::Content;
use domain::text::Code;
use edge::command::Overtaken;
use edge::{Again, World};
use events::catalog::{ProductChangedV1, ProductCreatedV1, ProductDescribedV1, duplicate_changed};
use events::{Context, Envelope};
use std::collections::{BTreeMap, BTreeSet};
use table::duplicate::{Bearer, Recognition};
use table::sheet::Described;
use table::{Commit, Fault, Held, Key, Story};

/// What the attributes are called by which products of one maker are told apart.
const BRAND: &str = "brand";
const PART: &str = "mpn";
/// Bits of 64 by which pictures of one thing may differ.
const DISTANCE: u32 = 5;
/// A mark that more products have tells nothing of them.
const BEARERS_MAX: u16 = 20;
/// GTINs and pictures of one product that are looked at: its marks fit a transaction.
const GTINS_MAX: usize = 40;
const PICTURES_MAX: usize = 5;
/// Marks that are written at once.
const MARKS_AT_ONCE: usize = 90;

pub(crate) async fn created(world: World, event: Envelope<ProductCreatedV1>) -> Result<(), Again> {
    look(&world, &event.marketplace, &event.data.product, &context(&world, &event)).await
}

pub(crate) async fn changed(world: World, event: Envelope<ProductChangedV1>) -> Result<(), Again> {
    look(&world, &event.marketplace, &event.data.product, &context(&world, &event)).await
}

pub(crate) async fn described(world: World, event: Envelope<ProductDescribedV1>) -> Result<(), Again> {
    look(&world, &event.marketplace, &event.data.product, &context(&world, &event)).await
}

pub(crate) fn context<T>(world: &World, event: &Envelope<T>) -> Context {
    Context::follows(event, world.now(), "duplicates")
}

async fn look(world: &World, m: &MarketplaceId, product: &ProductId, context: &Context) -> Result<(), Again> {
    world
        .until_free(|| async {
            while correct(world, m, product, context).await? {}
            Ok(())
        })
        .await
}

/// Whether there was something to change.
async fn correct(world: &World, m: &MarketplaceId, id: &ProductId, context: &Context) -> Result<bool, Again> {
    let [product, sheet, recognition] = [Key::product(m, id), Key::sheet(m, id), Key::recognition(m, id)];
    let mut read = world.table.read(&[product.clone(), sheet.clone(), recognition.clone()]).await?;
    let Some(product) = read.take::<Product>(&product)?.map(|held| held.value) else { return Ok(false) };
    let content = read.take::<Described>(&sheet)?.map(|held| held.value.sheet.content).unwrap_or_default();
    let held = read.take::<Recognition>(&recognition)?;
    let traits = traits(world, m, &product, &content).await?;
    if stand(world, m, id, context, (held.as_ref(), &traits)).await? {
        return Ok(true);
    }
    let Some(held) = held else { return Ok(false) };
    let others = others(world, m, &held.value).await?;
    pair(world, m, context, &held, others).await
}

/// What a product is recognized by; what is archived, by nothing.
async fn traits(
    world: &World,
    m: &MarketplaceId,
    product: &Product,
    content: &Content,
) -> Result<Traits, Fault> {
    if product.status == ProductStatus::Archived {
        return Ok(Traits::default());
    }
    let says = |name: &str| {
        let code: Code = name.parse().ok()?;
        content.value(None, &code, &Place::default())?.as_text().map(str::to_owned)
    };
    let gtins = product.variants.iter().filter_map(|variant| variant.gtin.clone());
    let assets: Vec<Key> =
        content.assets().iter().take(PICTURES_MAX).map(|asset| Key::asset(m, asset)).collect();
    let assets = world.table.load_all::<Asset>(&assets).await?;
    let hash = |held: Held<Asset>| match held.value.media?.kind {
        Kind::Picture(picture) => Some(picture.likeness),
        Kind::Video { .. } | Kind::Model { .. } | Kind::Document { .. } => None,
    };
    Ok(Traits {
        gtins: gtins.take(GTINS_MAX).collect(),
        brand: says(BRAND),
        mpn: says(PART),
        pictures: assets.into_iter().filter_map(hash).collect(),
    })
}

/// Puts a product under its marks, and takes it away from under others.
async fn stand(
    world: &World,
    m: &MarketplaceId,
    id: &ProductId,
    context: &Context,
    (held, traits): (Option<&Held<Recognition>>, &Traits),
) -> Result<bool, Again> {
    let nothing = Recognition {
        product: id.clone(),
        traits: Traits::default(),
        marks: BTreeSet::new(),
        pairs: BTreeSet::new(),
    };
    let before = held.map_or(&nothing, |held| &held.value);
    let wanted = keys(traits, DISTANCE);
    if before.traits == *traits && before.marks == wanted {
        return Ok(false);
    }
    let gone = before.marks.difference(&wanted).map(|mark| (mark, false));
    let new = wanted.difference(&before.marks).map(|mark| (mark, true));
    let mut next = Recognition { traits: traits.clone(), ..before.clone() };
    let mut commit: Commit<'_, Overtaken> = Commit::new(m, context);
    for (mark, stands) in gone.chain(new).take(MARKS_AT_ONCE) {
        commit = if stands {
            next.marks.insert(mark.clone());
            commit.put_any(&Bearer { mark: mark.clone(), product: id.clone() })
        } else {
            next.marks.remove(mark);
            commit.delete(Key::bearer(m, mark, id))
        };
    }
    let commit = match held {
        Some(held) => commit.replace(held, &next),
        None => commit.add(&next, Overtaken),
    };
    commit.send(&world.table).await?;
    Ok(true)
}

/// Who stands under the same marks, and who did when they were paired.
async fn others(
    world: &World,
    m: &MarketplaceId,
    own: &Recognition,
) -> Result<BTreeMap<DuplicateId, (Option<Held<Duplicate>>, Held<Recognition>)>, Fault> {
    let mut products = BTreeSet::new();
    for mark in &own.marks {
        let bearers = world.table.bearers(m, mark, BEARERS_MAX.saturating_add(1)).await?;
        if bearers.len() <= usize::from(BEARERS_MAX) {
            products.extend(bearers);
        }
    }
    let keys: Vec<Key> = own.pairs.iter().map(|pair| Key::duplicate(m, pair)).collect();
    for held in world.table.load_all::<Duplicate>(&keys).await? {
        products.insert(held.value.other(&own.product).clone());
    }
    products.remove(&own.product);
    let keys: Vec<Key> = products.iter().map(|product| Key::recognition(m, product)).collect();
    let mut found = BTreeMap::new();
    for held in world.table.load_all::<Recognition>(&keys).await? {
        let (id, _) = Duplicate::of(m, &own.product, &held.value.product);
        let pair = world.table.load::<Duplicate>(&Key::duplicate(m, &id)).await?;
        found.insert(id, (pair, held));
    }
    Ok(found)
}

/// The first pair that is not kept as it is now; the next look finds the next one.
async fn pair(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    own: &Held<Recognition>,
    others: BTreeMap<DuplicateId, (Option<Held<Duplicate>>, Held<Recognition>)>,
) -> Result<bool, Again> {
    for (id, (held, other)) in others {
        let evidence = compare(&own.value.traits, &other.value.traits, DISTANCE);
        let commit: Commit<'_, Overtaken> = Commit::new(m, context);
        let commit = match &held {
            Some(held) => match held.value.seen(evidence, context.at) {
                Some(next) => {
                    let story = Story::new([duplicate_changed(&next)]);
                    commit.change(held, &next, id.as_str(), story)
                }
                None => continue,
            },
            None if evidence.is_empty() => continue,
            None => {
                let pair = found(m, (&own.value.product, &other.value.product), evidence, context);
                let story = Story::new([duplicate_changed(&pair)]);
                let with = |recognition: &Recognition| {
                    let mut pairs = recognition.pairs.clone();
                    pairs.insert(id.clone());
                    Recognition { pairs, ..recognition.clone() }
                };
                let commit = commit.begin(&pair, id.as_str(), story, Overtaken);
                commit.replace(own, &with(&own.value)).replace(&other, &with(&other.value))
            }
        };
        commit.send(&world.table).await?;
        return Ok(true);
    }
    Ok(false)
}

fn found(
    m: &MarketplaceId,
    (one, two): (&ProductId, &ProductId),
    evidence: Vec<Evidence>,
    context: &Context,
) -> Duplicate {
    let (id, products) = Duplicate::of(m, one, two);
    Duplicate { id, products, evidence, found_at: context.at, stage: Stage::Open }
}
