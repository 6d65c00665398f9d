//! Rows of products: everything that they are decided on is read together, each product is one transaction, several
//! at once. Rows that share a product or an offer are taken one after the other, in the order of the file.

use crate::rows::{Job, Outcome, Said, What, bad, blamed};
use crate::wish::{Merchants, OfferWish, Wish, wish};
use domain::catalog::{
    CategoryNode, Offer, OfferStatus, Product, ProductStatus, Variant, VariantDraft, number_variants,
};
use domain::id::{OfferId, ProductId};
use domain::import::BadCell;
use domain::marketplace::Marketplace;
use domain::merchant::Merchant;
use domain::pim::attribute::Attribute;
use domain::pim::data::Data;
use domain::pim::exchange::Field;
use domain::pim::family::{Completeness, Model};
use domain::pim::sheet::{Content, Refused, Sheet};
use domain::text::{Category, Code, ExternalId};
use edge::command::Overtaken;
use edge::{Again, World};
use events::Announced;
use events::catalog::{AttributeChangedV1, offer_changed, offer_created, product_changed, product_created};
use futures::future::join_all;
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use table::seen::Seen;
use table::sheet::Described;
use table::vocabulary::named;
use table::{Commit, Held, Key, Loaded, Story};

/// Products that are written at once.
const AT_ONCE: usize = 16;

/// What is there of what a row asks for.
#[derive(Debug, Clone, Default)]
struct Found {
    product: Option<Held<Product>>,
    sheet: Option<Held<Described>>,
    offer: Option<Held<Offer>>,
}

/// All that is there of what a part's rows ask for.
#[derive(Default)]
struct There {
    products: HashMap<ProductId, Held<Product>>,
    sheets: HashMap<ProductId, Held<Described>>,
    offers: HashMap<OfferId, Held<Offer>>,
}

impl There {
    fn of(&self, wish: &Wish) -> Found {
        Found {
            product: self.products.get(&wish.id).cloned(),
            sheet: self.sheets.get(&wish.id).cloned(),
            offer: wish.offer.as_ref().and_then(|offer| self.offers.get(&offer.id)).cloned(),
        }
    }

    fn put(&mut self, found: Found) {
        self.products.extend(found.product.map(|held| (held.value.id.clone(), held)));
        self.sheets.extend(found.sheet.map(|held| (held.value.sheet.product.clone(), held)));
        self.offers.extend(found.offer.map(|held| (held.value.id.clone(), held)));
    }
}

/// What rows are judged by.
struct Words {
    model: Model,
    categories: BTreeSet<Category>,
}

fn keys(job: &Job<'_>, wish: &Wish) -> Vec<Key> {
    let mut keys = vec![Key::product(job.m, &wish.id), Key::sheet(job.m, &wish.id)];
    keys.extend(wish.offer.as_ref().map(|offer| Key::offer(job.m, &offer.id)));
    keys
}

fn take(job: &Job<'_>, read: &mut Loaded, wish: &Wish) -> Result<Found, table::Fault> {
    Ok(Found {
        product: read.take(&Key::product(job.m, &wish.id))?,
        sheet: read.take(&Key::sheet(job.m, &wish.id))?,
        offer: match &wish.offer {
            Some(offer) => read.take(&Key::offer(job.m, &offer.id))?,
            None => None,
        },
    })
}

pub(crate) async fn write(
    job: &Job<'_>,
    rows: Vec<Result<Said, Vec<BadCell>>>,
) -> Result<Vec<Outcome>, Again> {
    let merchants = merchants(job, &rows).await?;
    let mut outcomes: Vec<Outcome> = Vec::with_capacity(rows.len());
    let mut wishes: Vec<(usize, Said, Wish)> = Vec::new();
    for (at, row) in rows.into_iter().enumerate() {
        let wished = row.and_then(|said| wish(job, &said, &merchants).map(|wish| (said, wish)));
        outcomes.push(match wished {
            Ok((said, wish)) => {
                wishes.push((at, said, wish));
                Ok(What::Unchanged)
            }
            Err(wrong) => Err(wrong),
        });
    }
    let all: Vec<Key> = wishes.iter().flat_map(|(_, _, wish)| keys(job, wish)).collect();
    let mut read = job.world.table.read(&all).await?;
    let mut there = There::default();
    for (_, _, wish) in &wishes {
        there.put(take(job, &mut read, wish)?);
    }
    let words = words(job, &wishes, &there).await?;
    for wave in waves(&wishes) {
        for some in wave.chunks(AT_ONCE) {
            let ones = some.iter().filter_map(|at| wishes.get(*at));
            let done = join_all(ones.map(|(at, said, wish)| {
                let found = there.of(wish);
                let words = &words;
                async move { (*at, one(job, said, wish, found, words).await) }
            }))
            .await;
            for (at, one) in done {
                let (outcome, found) = one?;
                there.put(found);
                if let Some(slot) = outcomes.get_mut(at) {
                    *slot = outcome;
                }
            }
        }
    }
    Ok(outcomes)
}

/// Places among the wishes that can be written at once: none of a wave has a product or an offer of another's in it.
fn waves(wishes: &[(usize, Said, Wish)]) -> Vec<Vec<usize>> {
    let mut last: HashMap<&str, usize> = HashMap::new();
    let mut waves: Vec<Vec<usize>> = Vec::new();
    for (at, (_, _, wish)) in wishes.iter().enumerate() {
        let names = [Some(wish.id.as_str()), wish.offer.as_ref().map(|offer| offer.id.as_str())];
        let before = names.iter().flatten().filter_map(|name| last.get(name).copied()).max();
        let wave = before.map_or(0, |before| before.saturating_add(1));
        last.extend(names.into_iter().flatten().map(|name| (name, wave)));
        match waves.get_mut(wave) {
            Some(wave) => wave.push(at),
            None => waves.push(vec![at]),
        }
    }
    waves
}

/// The merchants that rows name, and the one that the import is for.
async fn merchants(job: &Job<'_>, rows: &[Result<Said, Vec<BadCell>>]) -> Result<Merchants, Again> {
    let (table, m) = (&job.world.table, job.m);
    let marketplace = table.load::<Marketplace>(&Key::marketplace(m)).await?;
    let currency = marketplace.map(|held| held.value.currency);
    let currency = currency.ok_or_else(|| Again::Early(format!("the marketplace {m}")))?;
    if let Some(own) = &job.import.merchant {
        let own = table.load::<Merchant>(&Key::merchant(m, own)).await?.map(|held| held.value);
        return Ok(Merchants { named: BTreeMap::new(), own, currency });
    }
    let said = rows.iter().filter_map(|row| row.as_ref().ok());
    let named = said.filter_map(|said| said.mapped.fields.get(&Field::Merchant)?.as_text());
    let names: BTreeSet<ExternalId> = named.filter_map(|name| name.trim().parse().ok()).collect();
    let names: Vec<ExternalId> = names.into_iter().collect();
    let named = if names.is_empty() { Vec::new() } else { table.merchants_named(m, &names).await? };
    let named = named.into_iter().map(|(name, held)| (name, held.value)).collect();
    Ok(Merchants { named, own: None, currency })
}

/// Families and attributes that rows name, those that the profile declares among them; and categories.
async fn words(job: &Job<'_>, wishes: &[(usize, Said, Wish)], there: &There) -> Result<Words, Again> {
    let table = &job.world.table;
    let (mut families, mut attributes) = (BTreeSet::new(), BTreeSet::new());
    let (mut columns, mut handles) = (BTreeSet::new(), BTreeSet::new());
    for (_, said, wish) in wishes {
        let blank = Sheet::blank(wish.id.clone());
        let sheet = there.sheets.get(&wish.id).map_or(&blank, |held| &held.value.sheet);
        let (of, with) = named(sheet, &said.mapped.patch);
        families.extend(of);
        attributes.extend(with);
        let filled = |data: &Data| !matches!(data, Data::Null) && data.as_text() != Some("");
        columns.extend(said.row.iter().filter(|(_, data)| filled(data)).map(|(name, _)| name.as_str()));
        handles.extend(wish.categories.iter().flatten().cloned());
    }
    let families: Vec<Code> = families.into_iter().collect();
    let mut model = table.model(job.m, &families, attributes).await?;
    // What can be said in a marketplace is its operators' to say.
    if job.import.merchant.is_none() {
        let declared = job.profile.declares(columns.iter().copied());
        let missing = declared.into_values().filter(|one| !model.attributes.contains_key(&one.code));
        let missing: Vec<Attribute> = missing.filter(|one| one.declare().is_ok()).collect();
        for some in missing.chunks(AT_ONCE) {
            for made in join_all(some.iter().map(|one| declare(job, one))).await {
                let attribute = made?;
                model.attributes.insert(attribute.code.clone(), attribute);
            }
        }
    }
    let keys: Vec<Key> = handles.iter().map(|handle| Key::category(job.m, handle)).collect();
    let held = table.load_all::<CategoryNode>(&keys).await?;
    Ok(Words { model, categories: held.into_iter().map(|held| held.value.handle).collect() })
}

/// An attribute that a profile declares; or what somebody has declared under its code meanwhile.
async fn declare(job: &Job<'_>, attribute: &Attribute) -> Result<Attribute, Again> {
    if job.import.dry_run {
        return Ok(attribute.clone());
    }
    let told = AttributeChangedV1 { attribute: attribute.code.to_string() };
    job.world
        .until_free(|| async {
            let key = Key::attribute(job.m, &attribute.code);
            if let Some(held) = job.world.table.load::<Attribute>(&key).await? {
                return Ok(held.value);
            }
            let (story, subject) =
                (Story::new([Announced::of(&told)]), format!("attribute-{}", attribute.code));
            let commit = Commit::new(job.m, job.context).begin(attribute, &subject, story, Overtaken);
            commit.send(&job.world.table).await?;
            Ok(attribute.clone())
        })
        .await
}

/// What a row comes to.
struct Decided {
    product: Product,
    sheet: Sheet,
    offer: Option<Offer>,
}

/// One row, with what was found of it, or found anew while others write; what is there afterwards.
async fn one(
    job: &Job<'_>,
    said: &Said,
    wish: &Wish,
    found: Found,
    words: &Words,
) -> Result<(Outcome, Found), Again> {
    let (first, found) = (AtomicBool::new(true), &found);
    let first = &first;
    let world: &World = job.world;
    world
        .until_free(|| async move {
            let mut anew = None;
            let found = if first.swap(false, Ordering::Relaxed) {
                found.clone()
            } else {
                let mut read = world.table.read(&keys(job, wish)).await?;
                let found = take(job, &mut read, wish)?;
                let blank = Sheet::blank(wish.id.clone());
                let sheet = found.sheet.as_ref().map_or(&blank, |held| &held.value.sheet);
                anew = Some(world.table.words(job.m, sheet, &said.mapped.patch).await?);
                found
            };
            let model = anew.as_ref().unwrap_or(&words.model);
            match decide((said, wish), &found, model, &words.categories, job.context.at) {
                Err(wrong) => Ok((Err(wrong), found)),
                Ok(decided) => send(job, found, decided, model).await,
            }
        })
        .await
}

fn decide(
    (said, wish): (&Said, &Wish),
    found: &Found,
    model: &Model,
    known: &BTreeSet<Category>,
    now: Timestamp,
) -> Result<Decided, Vec<BadCell>> {
    if let Some(held) = found.product.as_ref().filter(|held| held.value.merged.is_some()) {
        return merged(said, wish, &held.value, found);
    }
    let mut wrong = Vec::new();
    for handle in wish.categories.iter().flatten().filter(|handle| !known.contains(*handle)) {
        let what = format!("there is no category `{handle}`");
        let column = said.mapped.source(Field::Categories);
        wrong.push(bad(&said.row, column, what, "import the categories first"));
    }
    let before = found.sheet.as_ref().map(|held| held.value.sheet.clone());
    let before = before.unwrap_or_else(|| Sheet::blank(wish.id.clone()));
    let product = product(said, wish, found.product.as_ref().map(|held| &held.value), now);
    let (sheet, numbers) = match &product {
        Ok(product) => {
            let seen = Seen::new(product.clone(), found.sheet.clone());
            (seen.patched(&said.mapped.patch, model), seen.numbers())
        }
        // What else is wrong is told too.
        Err(_) => (before.patch(&said.mapped.patch, model, &[1]), Vec::new()),
    };
    let sheet = sheet.map_err(|refused| match refused {
        Refused::Wrong(wrongs) => wrong.extend(wrongs.iter().map(|one| blamed(said, one))),
        Refused::TooLarge { .. } | Refused::ChangeTooLarge { .. } => {
            wrong.push(bad(&said.row, None, refused.to_string(), "leave out some of its columns"));
        }
    });
    let product = product.map_err(|one| wrong.push(one));
    let (Ok(mut product), Ok(sheet), true) = (product, sheet, wrong.is_empty()) else { return Err(wrong) };
    // Nobody has seen a new one: it is shown where it says enough.
    if found.product.is_none() {
        product.status = status(&sheet.content, model, &numbers);
    }
    let held = found.offer.as_ref().map(|held| &held.value);
    let offer = wish.offer.as_ref().map(|wish| offer(said, wish, &product, held)).transpose();
    Ok(Decided { offer: offer.map_err(|one| vec![one])?, product, sheet })
}

/// Active, where it is of no family or complete on some channel.
fn status(content: &Content, model: &Model, numbers: &[u16]) -> ProductStatus {
    if content.family().is_none() {
        return ProductStatus::Active;
    }
    let completeness = Completeness::of(content, model, numbers);
    let shown = model.channels.keys().any(|channel| completeness.publishable(channel).is_ok());
    if shown { ProductStatus::Active } else { ProductStatus::Draft }
}

/// A product that has become another one says nothing any more; what the merchant asks for that one may change.
fn merged(said: &Said, wish: &Wish, product: &Product, found: &Found) -> Result<Decided, Vec<BadCell>> {
    let into = product.merged.as_ref().map(|merged| &merged.into);
    let offer = found.offer.as_ref().map(|held| held.value.clone());
    let offer = offer.filter(|offer| Some(&offer.product) == into).zip(wish.offer.as_ref());
    let Some((offer, wish)) = offer else {
        let into = into.map(ToString::to_string).unwrap_or_default();
        let what = format!("its product and {into} are one by now");
        let column = said.mapped.source(Field::ExternalId);
        return Err(vec![bad(&said.row, column, what, "leave the row out, or change that product")]);
    };
    let sheet = found.sheet.as_ref().map(|held| held.value.sheet.clone());
    let sheet = sheet.unwrap_or_else(|| Sheet::blank(product.id.clone()));
    Ok(Decided { product: product.clone(), sheet, offer: Some(Offer { price: wish.price, ..offer }) })
}

fn product(said: &Said, wish: &Wish, before: Option<&Product>, now: Timestamp) -> Result<Product, BadCell> {
    let wrong = |field, what: &str, todo| bad(&said.row, said.mapped.source(field), what, todo);
    let other =
        |refused: domain::catalog::Refused| bad(&said.row, None, refused.to_string(), "correct the row");
    let Some(before) = before else {
        let mapped = said.mapped.source(Field::Title).is_some();
        let todo = if mapped { "fill the cell" } else { "map a column to `title`" };
        let title = wish.title.clone();
        let title = title.ok_or_else(|| wrong(Field::Title, "a new product has no title", todo))?;
        let draft = VariantDraft {
            number: None,
            values: Vec::new(),
            gtin: wish.gtin.clone().flatten(),
            weight: wish.weight.flatten(),
        };
        let product = Product {
            id: wish.id.clone(),
            merchant: wish.keeper.clone(),
            external_id: Some(wish.external_id.clone()),
            title,
            description: wish.description.clone().flatten(),
            categories: wish.categories.clone().unwrap_or_default(),
            axes: Vec::new(),
            variants: number_variants(&[], vec![draft]).map_err(other)?,
            status: ProductStatus::Active,
            created_at: now,
            merged: None,
            cover: None,
        };
        return product.checked().map_err(other);
    };
    let mut next = before.clone();
    next.title = wish.title.clone().unwrap_or(next.title);
    next.description = wish.description.clone().unwrap_or(next.description);
    next.categories = wish.categories.clone().unwrap_or(next.categories);
    if wish.gtin.is_some() || wish.weight.is_some() {
        let [one] = next.variants.as_mut_slice() else {
            let field = if wish.gtin.is_some() { Field::Gtin } else { Field::Weight };
            let what = "the product has several variants, and the row does not say which";
            return Err(wrong(field, what, "change it through the API"));
        };
        let Variant { gtin, weight, .. } = one;
        *gtin = wish.gtin.clone().unwrap_or(gtin.take());
        *weight = wish.weight.unwrap_or(*weight);
    }
    next.checked().map_err(other)
}

fn offer(said: &Said, wish: &OfferWish, product: &Product, before: Option<&Offer>) -> Result<Offer, BadCell> {
    let column = said.mapped.source(Field::Sku);
    if let Some(other) = before.filter(|offer| offer.product != product.id) {
        let what = format!("the merchant offers {} under this SKU", other.product);
        return Err(bad(&said.row, column, what, "give it a SKU of its own"));
    }
    let number = before.map_or(1, |offer| offer.variant);
    let variant = product.offerable(number);
    let variant = variant.map_err(|refused| {
        bad(&said.row, column, refused.to_string(), "make the product active again, or leave out its SKU")
    })?;
    let (status, keeps_stock) =
        before.map_or((OfferStatus::Active, true), |offer| (offer.status, offer.keeps_stock));
    Ok(Offer {
        id: wish.id.clone(),
        merchant: wish.merchant.clone(),
        sku: wish.sku.clone(),
        product: product.id.clone(),
        variant: number,
        title: product.title_of(variant),
        category: product.categories.first().cloned(),
        grams: variant.weight,
        product_status: product.status,
        price: wish.price,
        status,
        keeps_stock,
        order_limit: before.and_then(|offer| offer.order_limit),
        locations: before.map(|offer| offer.locations.clone()).unwrap_or_default(),
    })
}

/// Writes what is otherwise than it was found: all of a row, or nothing.
async fn send(
    job: &Job<'_>,
    found: Found,
    decided: Decided,
    model: &Model,
) -> Result<(Outcome, Found), Again> {
    let Decided { product, sheet, offer } = decided;
    let seen = Seen::new(product.clone(), found.sheet.clone());
    let what = match &found.product {
        None => What::Created,
        Some(held) => {
            let same = held.value == product
                && seen.sheet == sheet
                && offer.as_ref() == found.offer.as_ref().map(|held| &held.value).filter(|_| offer.is_some());
            if same { What::Unchanged } else { What::Changed }
        }
    };
    if what == What::Unchanged {
        return Ok((Ok(what), found));
    }
    let mut next = found.clone();
    let mut commit: Commit<'_, Overtaken> = Commit::new(job.m, job.context);
    let id = product.id.as_str();
    match &found.product {
        None => {
            let story = Story::new([product_created(&product)]);
            commit = commit.begin(&product, id, story, Overtaken);
            next.product = Some(Held::written(product.clone(), 1));
        }
        Some(held) if held.value != product => {
            commit = commit.change(held, &product, id, Story::new([product_changed(&product)]));
            next.product = Some(Held::written(product.clone(), held.next_step()));
        }
        Some(_) => {}
    }
    if sheet != seen.sheet {
        let described = seen.described(&sheet, model);
        let revision = found.sheet.as_ref().map_or(1, Held::next_step);
        next.sheet = Some(Held::written(described, revision));
        commit = seen.rewrite(commit, job.context, (sheet, model), (None, Overtaken));
    }
    if let Some(offer) = offer {
        match &found.offer {
            None => {
                let story = Story::new([offer_created(&offer)]);
                commit = commit.begin(&offer, offer.id.as_str(), story, Overtaken);
                next.offer = Some(Held::written(offer, 1));
            }
            Some(held) if held.value != offer => {
                commit = commit.change(held, &offer, offer.id.as_str(), Story::new([offer_changed(&offer)]));
                next.offer = Some(Held::written(offer, held.next_step()));
            }
            Some(_) => {}
        }
    }
    if !job.import.dry_run {
        commit.send(&job.world.table).await?;
    }
    Ok((Ok(what), next))
}
