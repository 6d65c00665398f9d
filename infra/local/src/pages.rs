//! What the pages of a storefront take of the table, in a catalog of so many products: a category, a collection, a
//! product, what it says.
//!
//! Products are copies of one that was made through the API, put straight into the table with their places in the
//! category and the collection. Absent on purpose: the network.

use crate::api::Api;
use crate::bench::{Cost, NotMeasured, costs, missing};
use crate::cloud::Pace;
use crate::demo::{self, STOREFRONT};
use crate::market::Market;
use crate::replay::Progress;
use domain::catalog::Product;
use domain::id::{ProductId, derive};
use futures::{StreamExt, stream};
use jiff::Timestamp;
use serde_json::json;
use std::time::{Duration, Instant};
use table::collection::{Member, Shown, Stand};
use table::{Key, Table};

/// The operator's key.
const SECRET: &str = "sk_bench";
/// Products that are put at once.
const AT_ONCE: usize = 16;
/// How often a page is fetched; the median counts.
const TIMES: usize = 51;
/// What the category and the collection are called.
const SHELF: &str = "bench-shelf";

/// One page in a catalog of one size.
#[derive(Debug, Clone)]
pub struct Page {
    pub products: usize,
    pub name: &'static str,
    /// In hundredths; one call asks whose key it is.
    pub cost: Cost,
    pub median: Duration,
}

/// Fetches every page in a catalog that grows to each of these sizes.
pub async fn pages(sizes: &[usize], progress: &impl Progress) -> Result<Vec<Page>, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::in_memory(start, Pace::Parallel).await?;
    demo::seed(&market, SECRET).await?;
    let sample = sample(&market).await?;
    let (mut filled, mut seen) = (1, Vec::new());
    for size in sizes {
        fill(&market.world.table, &sample, filled..*size, progress).await?;
        filled = filled.max(*size);
        for (name, path) in [
            ("category", format!("/v1/shop/products?category={SHELF}&limit=20")),
            ("collection", format!("/v1/shop/collections/{SHELF}/products?limit=20")),
            ("product", format!("/v1/shop/products/{}", sample.id)),
            ("what it says", format!("/v1/shop/products/{}/sheet?channel={SHELF}&locale=en", sample.id)),
        ] {
            let (cost, median) = page(&market, &path).await?;
            seen.push(Page { products: filled, name, cost, median });
        }
    }
    Ok(seen)
}

/// A product on the shelf, with an offer and something to say.
async fn sample(market: &Market) -> Result<Product, NotMeasured> {
    let api = Api::new(&market.cloud, SECRET);
    let channel = json!({"locales": ["en"], "currency": "EUR"});
    let text = json!({"kind": {"is": "text", "max": 50}});
    let rule = json!({"by": "rule", "must": "all", "conditions": [{"on": "category", "any": [SHELF]}]});
    for (path, body) in [
        ("/v1/categories".to_owned(), json!({"handle": SHELF, "name": "Shelf"})),
        (format!("/v1/sales-channels/{SHELF}/set"), channel),
        ("/v1/attributes/glaze/set".to_owned(), text),
        (format!("/v1/collections/{SHELF}/set"), json!({"members": rule, "order": "title"})),
    ] {
        api.post(&path, &body, &path).await.ok()?;
    }
    let merchants = api.get("/v1/merchants?external_id=alma").await;
    let merchant = merchants.text("/items/0/id").to_owned();
    let product = json!({
        "merchant": merchant, "title": "Mug", "categories": [SHELF], "variants": [{}],
    });
    let product = api.post("/v1/products", &product, "product").await;
    let id: ProductId = product.text("/id").parse().map_err(|_| missing("product"))?;
    let price = json!({"amount": "14.50", "currency": "EUR"});
    let offer = json!({"merchant": merchant, "product": id, "sku": SHELF, "price": price});
    api.post("/v1/offers", &offer, "offer").await.ok()?;
    let says = json!({"values": {"glaze": [{"data": "matte"}]}}).to_string();
    let path = format!("/v1/products/{id}/sheet");
    api.send_with(http::Method::PATCH, &path, &says, &[("if-match", "*")]).await.ok()?;
    market.cloud.settle_with_retries().await?;
    let held = market.world.table.load::<Product>(&Key::product(&demo::marketplace_id(), &id)).await?;
    Ok(held.ok_or_else(|| missing("product"))?.value)
}

/// Copies of the sample, each in the category and the collection.
async fn fill(
    table: &Table,
    sample: &Product,
    numbers: std::ops::Range<usize>,
    progress: &impl Progress,
) -> Result<(), NotMeasured> {
    let collection = SHELF.parse().map_err(|_| missing("collection"))?;
    let (of, collection) = (numbers.end, &collection);
    let put = |n: usize| async move {
        let m = demo::marketplace_id();
        let title = format!("Mug {n:09}").parse().map_err(|_| missing("title"))?;
        let id = ProductId::from_bits(derive(&["shelf", &n.to_string()]));
        let product = Product { id: id.clone(), title, ..sample.clone() };
        let shown = Shown { title: product.title.clone(), variants: 1, price: None, cover: None };
        let stand = Stand { place: format!("mug {n:09}"), until: None };
        table.put(&m, None, &product).await?;
        table
            .put(&m, None, &Member { collection: Clone::clone(collection), product: id, stand, shown })
            .await?;
        Ok::<_, NotMeasured>(())
    };
    let mut putting = stream::iter(numbers).map(put).buffer_unordered(AT_ONCE);
    let mut there: usize = 0;
    while let Some(done) = putting.next().await {
        done?;
        there = there.saturating_add(1);
        progress.step("filled", there, of);
    }
    Ok(())
}

/// What a page takes, and how long.
async fn page(market: &Market, path: &str) -> Result<(Cost, Duration), NotMeasured> {
    let guest = Api::new(&market.cloud, STOREFRONT);
    guest.get(path).await.ok()?;
    let _before = market.cloud.meter().take();
    let mut times = Vec::with_capacity(TIMES);
    for _ in 0..TIMES {
        let began = Instant::now();
        guest.get(path).await.ok()?;
        times.push(began.elapsed());
    }
    times.sort_unstable();
    let all = costs(market).into_values().fold(Cost::default(), |sum, cost| sum.plus(&cost));
    Ok((all.of_one(TIMES), times.get(TIMES / 2).copied().unwrap_or_default()))
}
