//! Products: kept by the marketplace or by a merchant, offered by whoever sells them.

use crate::sheets;
use axum::extract::{Path, State};
use domain::catalog::{Gtin, Product, ProductStatus, Variant, VariantDraft, number_variants};
use domain::id::{MarketplaceId, MerchantId, ProductId};
use domain::merchant::Merchant;
use domain::text::{Category, ExternalId, Name, Text, Word};
use edge::change::{Fresh, change as change_one, create as create_one};
use edge::identity::Reach;
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Command, Listing, Problem, Query, Reply, World};
use events::catalog::{product_changed, product_created};
use serde::{Deserialize, Serialize};
use table::catalog::ProductSummary;
use table::{Key, Story};

/// The heaviest parcel: 10 t.
const WEIGHT_MAX: u32 = 10_000_000;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ProductView {
    id: String,
    /// Who keeps it; absent: the marketplace.
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    categories: Vec<String>,
    axes: Vec<String>,
    variants: Vec<VariantBody>,
    status: ProductStatus,
    /// The product that it has become.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<String>,
}

fn texts<T: ToString>(items: &[T]) -> Vec<String> {
    items.iter().map(ToString::to_string).collect()
}

/// Whether a caller may write it: its keeper, and the operators.
pub(crate) fn own(product: &Product, reach: &Reach) -> bool {
    reach.keeps(product.merchant.as_ref())
}

pub(crate) fn view(product: &Product) -> ProductView {
    let variant = |variant: &Variant| VariantBody {
        number: Some(variant.number),
        values: texts(&variant.values),
        gtin: variant.gtin.as_ref().map(ToString::to_string),
        weight: variant.weight,
    };
    ProductView {
        id: product.id.to_string(),
        merchant: product.merchant.as_ref().map(ToString::to_string),
        external_id: product.external_id.as_ref().map(ToString::to_string),
        title: product.title.to_string(),
        description: product.description.as_ref().map(ToString::to_string),
        categories: texts(&product.categories),
        axes: texts(&product.axes),
        variants: product.variants.iter().map(variant).collect(),
        status: product.status,
        merged_into: product.merged.as_ref().map(|merged| merged.into.to_string()),
    }
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct VariantBody {
    /// Given when it is made, and named to keep it; without one it is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    number: Option<u16>,
    /// One per axis, in their order.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Word>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::catalog::AXES_MAX)))]
    values: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Gtin>"))]
    gtin: Option<String>,
    /// Packed, in grams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = WEIGHT_MAX)))]
    weight: Option<u32>,
}

fn drafts(check: &mut Check, field: &str, bodies: &[VariantBody]) -> Vec<VariantDraft> {
    let mut drafts = Vec::with_capacity(bodies.len());
    for (at, body) in bodies.iter().enumerate() {
        let values = check.all::<Word>(&format!("{field}[{at}].values"), &body.values);
        let gtin = check.maybe::<Gtin>(format!("{field}[{at}].gtin"), body.gtin.as_deref());
        if let Some(weight) = body.weight.filter(|weight| !(1..=WEIGHT_MAX).contains(weight)) {
            let message = format!("{weight} is not between 1 and {WEIGHT_MAX} grams");
            check.wrong(format!("{field}[{at}].weight"), "range", message);
        }
        drafts.push(VariantDraft { number: body.number, values, gtin, weight: body.weight });
    }
    drafts
}

/// Its keeper is a merchant of the marketplace, or nobody is said; every category is one of the tree's.
pub(crate) async fn known(
    world: &World,
    m: &MarketplaceId,
    keeper: Option<&MerchantId>,
    categories: &[Category],
) -> Result<(), Problem> {
    let mut keys: Vec<Key> = categories.iter().map(|handle| Key::category(m, handle)).collect();
    keys.extend(keeper.map(|merchant| Key::merchant(m, merchant)));
    let mut read = world.table.read(&keys).await?;
    let mut check = Check::new();
    if let Some(merchant) = keeper
        && read.take::<Merchant>(&Key::merchant(m, merchant))?.is_none()
    {
        check.wrong("merchant", "unknown", format!("there is no merchant {merchant}"));
    }
    for (at, (handle, key)) in categories.iter().zip(&keys).enumerate() {
        // Of one that is named twice, the product says what is wrong.
        let again = categories.iter().take(at).any(|before| before == handle);
        if !again && read.take::<domain::catalog::CategoryNode>(key)?.is_none() {
            check.wrong(format!("categories[{at}]"), "unknown", format!("there is no category `{handle}`"));
        }
    }
    check.done()
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CreateProduct {
    /// Who keeps it. An operator may leave it out: then the marketplace does.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    /// What the keeper's systems call it; unique among its products.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExternalId>"))]
    external_id: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    title: String,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Text>"))]
    description: Option<String>,
    /// The first is the one that fees go by.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Category>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::catalog::CATEGORIES_MAX)))]
    categories: Vec<String>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Word>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::catalog::AXES_MAX)))]
    axes: Vec<String>,
    /// At least one; a product without axes has exactly one.
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = domain::catalog::VARIANTS_MAX)))]
    variants: Vec<VariantBody>,
    #[serde(default)]
    status: Option<ProductStatus>,
}

impl CreateProduct {
    /// The product that is meant, of this keeper; what is wrong with it is noted under where it stands in the body.
    pub(crate) fn read(
        &self,
        world: &World,
        m: &MarketplaceId,
        merchant: Option<MerchantId>,
        (mut check, under): (Check, &str),
    ) -> Result<Product, Problem> {
        let at = |field: &str| format!("{under}{field}");
        let external_id = check.maybe::<ExternalId>(at("external_id"), self.external_id.as_deref());
        let title = check.parse::<Name>(at("title"), &self.title);
        let description = check.maybe::<Text>(at("description"), self.description.as_deref());
        let categories = check.all::<Category>(&at("categories"), &self.categories);
        let axes = check.all::<Word>(&at("axes"), &self.axes);
        let drafts = drafts(&mut check, &at("variants"), &self.variants);
        check.done()?;
        let Some(title) = title else { return Err(Problem::internal()) };
        let id = match &external_id {
            Some(name) => ProductId::named(m, merchant.as_ref(), name.as_str()),
            None => ProductId::from_bits(world.fresh()),
        };
        let product = Product {
            id,
            merchant,
            external_id,
            title,
            description,
            categories,
            axes,
            variants: number_variants(&[], drafts)?,
            status: self.status.unwrap_or(ProductStatus::Active),
            created_at: world.now(),
            merged: None,
            cover: None,
        };
        Ok(product.checked()?)
    }

    /// Whose it is said to be.
    pub(crate) fn keeper(&self) -> Option<&str> {
        self.merchant.as_deref()
    }
}

/// What it means that there is a product of that external id.
pub(crate) fn taken(product: &Product) -> Problem {
    Problem::new(409, "external_id_taken", "Another product has this external id")
        .with(format!("it is {}", product.id))
}

pub(crate) async fn create(
    State(world): State<World>,
    command: Command<CreateProduct>,
) -> Result<Reply<ProductView>, Problem> {
    let m = &command.caller.marketplace;
    let body = &command.body;
    let mut check = Check::new();
    let merchant = command.reach.keeper(&mut check, body.keeper())?;
    let product = body.read(&world, m, merchant, (check, ""))?;
    let key = |id: &str| Some(Key::product(m, &id.parse().ok()?));
    let make = || async {
        known(&world, m, product.merchant.as_ref(), &product.categories).await?;
        let (id, story) = (product.id.to_string(), Story::new([product_created(&product)]));
        Ok(Fresh { thing: product.clone(), id, story })
    };
    create_one(&world, &command, key, make, taken, view).await
}

/// What is absent stays as it is; lists are replaced as a whole (A3(1)).
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ChangeProduct {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Name>"))]
    title: Option<String>,
    /// Null takes it away.
    #[serde(default, deserialize_with = "crate::given")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Text>"))]
    description: Option<Option<String>>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<Category>>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::catalog::CATEGORIES_MAX)))]
    categories: Option<Vec<String>>,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Vec<Word>>"))]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::catalog::AXES_MAX)))]
    axes: Option<Vec<String>>,
    /// All of them: those with a number stay, those without are new, none may be missing.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = domain::catalog::VARIANTS_MAX)))]
    variants: Option<Vec<VariantBody>>,
    #[serde(default)]
    status: Option<ProductStatus>,
}

/// The parts of a product that a PATCH names.
struct Parts {
    title: Option<Name>,
    description: Option<Option<Text>>,
    categories: Option<Vec<Category>>,
    axes: Option<Vec<Word>>,
    drafts: Option<Vec<VariantDraft>>,
    status: Option<ProductStatus>,
}

impl Parts {
    /// The product with them.
    fn of(&self, before: Product) -> Result<Product, domain::catalog::Refused> {
        let variants = match &self.drafts {
            Some(drafts) => number_variants(&before.variants, drafts.clone())?,
            None => before.variants,
        };
        Ok(Product {
            title: self.title.clone().unwrap_or(before.title),
            description: self.description.clone().unwrap_or(before.description),
            categories: self.categories.clone().unwrap_or(before.categories),
            axes: self.axes.clone().unwrap_or(before.axes),
            variants,
            status: self.status.unwrap_or(before.status),
            ..before
        })
    }
}

pub(crate) async fn change(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<ChangeProduct>,
) -> Result<Reply<ProductView>, Problem> {
    let reach = command.reach.clone();
    let m = &command.caller.marketplace;
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let body = &command.body;
    let mut check = Check::new();
    let title = check.maybe::<Name>("title", body.title.as_deref());
    let description = body.description.as_ref();
    let description = description.map(|text| check.maybe::<Text>("description", text.as_deref()));
    let categories = body.categories.as_ref().map(|all| check.all::<Category>("categories", all));
    let axes = body.axes.as_ref().map(|all| check.all::<Word>("axes", all));
    let drafts = body.variants.as_ref().map(|all| drafts(&mut check, "variants", all));
    check.done()?;
    let parts = &Parts { title, description, categories, axes, drafts, status: body.status };
    let (world, reach) = (&world, &reach);
    let decide = |product: Product| async move {
        if !own(&product, reach) {
            return Err(Problem::not_found("product of yours"));
        }
        product.unmerged()?;
        if let Some(categories) = &parts.categories {
            known(world, m, None, categories).await?;
        }
        let next = parts.of(product.clone())?.checked()?;
        if next.status == ProductStatus::Active && product.status != ProductStatus::Active {
            sheets::complete(world, m, &next, None).await?;
        }
        Ok((next != product).then(|| (next.clone(), Story::new([product_changed(&next)]))))
    };
    let key = Key::product(m, &id);
    change_one(world, &command, (&key, id.as_str(), "product"), decide, view).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<ProductView>, Problem> {
    let id: ProductId = id.parse().map_err(|_| Problem::not_found("product"))?;
    let held = world.table.load::<Product>(&Key::product(&query.caller.marketplace, &id)).await?;
    let held = held.ok_or_else(|| Problem::not_found("product"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ProductRow {
    id: String,
    title: String,
    status: ProductStatus,
    /// How many.
    variants: u16,
}

fn row(summary: ProductSummary) -> ProductRow {
    let ProductSummary { id, title, status, variants, cover: _ } = summary;
    ProductRow { id: id.to_string(), title: title.to_string(), status, variants }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Those whose first category this is.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    pub(crate) category: Option<String>,
    pub(crate) limit: Option<String>,
    pub(crate) cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<ProductRow>>, Problem> {
    let Which { category, limit, cursor } = &query.parameters;
    let mut check = Check::new();
    let Paging { limit, after } = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
    let category = check.maybe::<Category>("category", category.as_deref());
    check.done()?;
    let m = &query.caller.marketplace;
    let page = world.table.products(m, category.as_ref(), limit, after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}
