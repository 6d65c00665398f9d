//! Whether things cost and take the same as the table grows: what shoppers look at, a cart, a whole checkout, an
//! operator's list.
//!
//! Products with an offer and a place in the category and the collection, and orders on the days of a year, are copies
//! of ones that were made through the API, put straight into the table in batches. Absent on purpose: the network.

use super::prices::Of;
use super::shopper::{Goods, Shopper, Times, Watch};
use super::{Measured, NotMeasured, Work, micros, missing, orders, places, thousandths, worked_by_all};
use crate::api::{Answer, Api};
use crate::cloud::Pace;
use crate::demo::{self, STOREFRONT};
use crate::market::Market;
use crate::replay::Progress;
use domain::catalog::{Offer, Product};
use domain::id::{OfferId, OrderId, ProductId, derive};
use domain::order::Order;
use futures::{StreamExt, stream};
use jiff::{SignedDuration, Timestamp};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::ops::Range;
use std::path::Path;
use std::time::Instant;
use table::collection::{Member, Shown, Stand};
use table::{Key, Record, Table};

/// The operator's key.
const SECRET: &str = "sk_bench";
/// Things of a kind in one call that fills the table, and calls at once.
const BATCH: usize = 25;
const AT_ONCE: usize = 8;
/// Things after which the stream is read, so that it does not grow beside the table.
const STRETCH: usize = 20_000;
/// How often a request is made.
const TIMES: usize = 51;
/// How often a whole checkout is.
const CHECKOUTS: usize = 10;
/// What the category and the collection are called.
const SHELF: &str = "bench-shelf";
/// By so much may the dearest checkout be dearer than the cheapest.
const MOST: Decimal = Decimal::from_parts(105, 0, 0, false, 2);
/// The operation that is held to it.
const CHECKOUT: &str = "a complete checkout";
/// Calls of the table that a page of a list may take; one of them asks whose key it is.
const CALLS_MOST: Decimal = Decimal::from_parts(3, 0, 0, false, 0);

/// What the sizes came to.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Growth {
    pub rows: Vec<Row>,
    /// The dearest checkout by the cheapest.
    pub ratio: Decimal,
}

/// One operation in a table of one size.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Row {
    /// Products with their offers, and as many orders.
    pub size: usize,
    pub operation: String,
    /// A page of a list.
    pub list: bool,
    #[serde(flatten)]
    pub work: Work,
    /// For a million.
    pub dollars: Decimal,
    pub microseconds: Times,
}

impl Measured for Growth {
    const NAME: &'static str = "growth";

    fn table(&self) -> Vec<String> {
        let head = format!(
            "{:>9}  {:<28} {:>6} {:>7} {:>7} {:>9} {:>9} {:>9}",
            "products", "operation", "calls", "reads", "writes", "$/million", "p50", "p99"
        );
        let line = |row: &Row| {
            let get = |of: Of| places(row.work.usage.get(of), 2);
            let Times { p50, p99, .. } = row.microseconds;
            let [p50, p99] = [p50, p99].map(|time| format!("{} ms", thousandths(time)));
            let (calls, dollars) = (places(row.work.table_calls, 1), places(row.dollars, 2));
            let (reads, writes) = (get(Of::ReadUnits), get(Of::WriteUnits));
            let Row { size, operation, .. } = row;
            format!(
                "{size:>9}  {operation:<28} {calls:>6} {reads:>7} {writes:>7} {dollars:>9} {p50:>9} {p99:>9}"
            )
        };
        let mut lines = vec![head];
        lines.extend(self.rows.iter().map(line));
        let (ratio, most) = (places(self.ratio, 4), places(MOST, 2));
        lines.push(format!("\nthe dearest checkout by the cheapest: {ratio} (at most {most})"));
        lines
    }

    fn wrong(&self) -> Vec<String> {
        let long = self.rows.iter().filter(|row| row.list && row.work.table_calls > CALLS_MOST);
        let long = long.map(|row| {
            format!("{} takes {} calls among {}", row.operation, places(row.work.table_calls, 1), row.size)
        });
        let ratio = (self.ratio > MOST)
            .then(|| format!("a checkout costs {} times what it cost before", places(self.ratio, 4)));
        long.chain(ratio).collect()
    }
}

/// Every operation in a table that grows to each of these sizes, in a folder below this one.
pub async fn growth(sizes: &[usize], folder: &Path, progress: &impl Progress) -> Result<Growth, NotMeasured> {
    let start = Timestamp::from_second(1_767_225_600).unwrap_or_default();
    let market = Market::below(folder, start, Pace::Ordered).await?;
    demo::seed(&market, SECRET).await?;
    let sample = Sample::make(&market).await?;
    let (mut filled, mut rows) = (1, Vec::new());
    for size in sizes {
        fill(&market, &sample, filled..*size, progress).await?;
        filled = filled.max(*size);
        rows.extend(measure(&market, &sample, filled, progress).await?);
    }
    let dollars = || rows.iter().filter(|row: &&Row| row.operation == CHECKOUT).map(|row| row.dollars);
    let (least, most) = (dollars().min().unwrap_or_default(), dollars().max().unwrap_or_default());
    let ratio = most.checked_div(least).unwrap_or_default().round_dp(4);
    Ok(Growth { rows, ratio })
}

/// What copies are made of.
struct Sample {
    product: Product,
    offer: Offer,
    order: Order,
}

impl Sample {
    async fn make(market: &Market) -> Result<Self, NotMeasured> {
        let (product, offer) = shelf(market).await?;
        let (shop, basket) = (Api::new(&market.cloud, STOREFRONT), orders::basket(market).await?);
        let id = buy(&shop, "sample", &basket, &Watch::default()).await?;
        market.cloud.settle_with_retries().await?;
        let id: OrderId = id.parse().map_err(|_| missing("order"))?;
        let held = market.world.table.load::<Order>(&Key::order(&demo::marketplace_id(), &id)).await?;
        Ok(Self { product, offer, order: held.ok_or_else(|| missing("order"))?.value })
    }

    fn product(&self, n: usize) -> Result<Product, NotMeasured> {
        let title = format!("Mug {n:09}").parse().map_err(|_| missing("title"))?;
        let id = ProductId::from_bits(derive(&["shelf", &n.to_string()]));
        Ok(Product { id, title, ..self.product.clone() })
    }

    fn offer(&self, n: usize) -> Offer {
        let id = OfferId::from_bits(derive(&["shelf", &n.to_string()]));
        Offer { id, product: ProductId::from_bits(derive(&["shelf", &n.to_string()])), ..self.offer.clone() }
    }

    fn member(&self, product: &Product, n: usize) -> Result<Member, NotMeasured> {
        let collection = SHELF.parse().map_err(|_| missing("collection"))?;
        let shown = Shown { title: product.title.clone(), variants: 1, price: None, cover: None };
        let stand = Stand { place: format!("mug {n:09}"), until: None };
        Ok(Member { collection, product: product.id.clone(), stand, shown })
    }

    /// On one of the days of the year before.
    fn order(&self, n: usize) -> Order {
        let minutes = i64::try_from(n.wrapping_mul(7).rem_euclid(365 * 24 * 60)).unwrap_or_default();
        let before = SignedDuration::from_mins(minutes);
        let placed_at = self.order.placed_at.saturating_sub(before).unwrap_or(self.order.placed_at);
        Order { id: OrderId::from_bits(derive(&["filled", &n.to_string()])), placed_at, ..self.order.clone() }
    }
}

/// Products, offers, members and orders of these numbers.
async fn fill(
    market: &Market,
    sample: &Sample,
    numbers: Range<usize>,
    progress: &impl Progress,
) -> Result<(), NotMeasured> {
    let (table, of) = (&market.world.table, numbers.end);
    for from in numbers.step_by(STRETCH) {
        let stretch = from..from.saturating_add(STRETCH).min(of);
        let batches =
            stretch.clone().step_by(BATCH).map(|from| from..from.saturating_add(BATCH).min(stretch.end));
        let put = |batch: Range<usize>| async move {
            let products = batch.clone().map(|n| sample.product(n)).collect::<Result<Vec<_>, _>>()?;
            let members = products.iter().zip(batch.clone()).map(|(product, n)| sample.member(product, n));
            let members = members.collect::<Result<Vec<_>, _>>()?;
            put_all(table, &products).await?;
            put_all(table, &members).await?;
            put_all(table, &batch.clone().map(|n| sample.offer(n)).collect::<Vec<_>>()).await?;
            put_all(table, &batch.clone().map(|n| sample.order(n)).collect::<Vec<_>>()).await?;
            Ok::<_, NotMeasured>(batch.end)
        };
        let mut putting = stream::iter(batches).map(put).buffer_unordered(AT_ONCE);
        while let Some(done) = putting.next().await {
            progress.step("filled", done?, of);
        }
        market.cloud.settle_with_retries().await?;
    }
    Ok(())
}

async fn put_all<R: Record>(table: &Table, things: &[R]) -> Result<(), NotMeasured> {
    Ok(table.fill(&demo::marketplace_id(), things).await?)
}

/// From an empty cart to a paid order; answers the order.
async fn buy(shop: &Api, name: &str, basket: &[Goods], watch: &Watch) -> Result<String, NotMeasured> {
    let shopper = Shopper::ready(shop, watch, name, basket).await?;
    shopper.hold().await?;
    Ok(shopper.pay().await?)
}

async fn measure(
    market: &Market,
    sample: &Sample,
    size: usize,
    progress: &impl Progress,
) -> Result<Vec<Row>, NotMeasured> {
    let (shop, operator) = (Api::new(&market.cloud, STOREFRONT), Api::new(&market.cloud, SECRET));
    let (product, order) = (&sample.product.id, &sample.order.id);
    let cart = shop.post("/v1/carts", &json!({"country": "DE"}), "").await.ok()?;
    let edit = format!("/v1/carts/{}/edit", cart.pointer("/id").and_then(Value::as_str).unwrap_or_default());
    let add = json!({"add": [{"merchant": sample.offer.merchant, "sku": sample.offer.sku, "quantity": 1}]});
    let pages = [
        ("a product with its offers", &shop, format!("/v1/shop/products/{product}"), false),
        (
            "what a product says",
            &shop,
            format!("/v1/shop/products/{product}/sheet?channel={SHELF}&locale=en"),
            false,
        ),
        ("a category, 20 products", &shop, format!("/v1/shop/products?category={SHELF}&limit=20"), true),
        ("a collection, 20 products", &shop, format!("/v1/shop/collections/{SHELF}/products?limit=20"), true),
        ("an operator's order", &operator, format!("/v1/orders/{order}"), false),
        ("an operator's list, 20 orders", &operator, "/v1/orders?limit=20".to_owned(), false),
    ];
    let mut rows = Vec::new();
    for (operation, api, path, list) in &pages {
        let (work, microseconds) = repeat(market, TIMES, async || api.get(path).await).await?;
        rows.push(row(size, operation, *list, work, microseconds));
    }
    let (work, microseconds) = repeat(market, TIMES, async || shop.post(&edit, &add, "").await).await?;
    rows.push(row(size, "add to a cart", false, work, microseconds));

    let basket = orders::basket(market).await?;
    orders::stock_up(market, CHECKOUTS).await?;
    let (watch, mut times) = (Watch::default(), Vec::new());
    let _before = worked_by_all(market);
    for n in 0..CHECKOUTS {
        let began = Instant::now();
        buy(&shop, &format!("{size}-{n}"), &basket, &watch).await?;
        times.push(micros(began.elapsed()));
        market.cloud.settle_with_retries().await?;
        progress.step("checkouts", n.saturating_add(1), CHECKOUTS);
    }
    rows.push(row(size, CHECKOUT, false, worked_by_all(market).of_one(CHECKOUTS), Times::of(times)));
    Ok(rows)
}

fn row(size: usize, operation: &str, list: bool, work: Work, microseconds: Times) -> Row {
    let dollars = work.usage.per_million();
    Row { size, operation: operation.to_owned(), list, work, dollars, microseconds }
}

/// What one of so many requests takes, and how long; the first one does not count.
async fn repeat(
    market: &Market,
    times: usize,
    request: impl AsyncFn() -> Answer,
) -> Result<(Work, Times), NotMeasured> {
    request().await.ok()?;
    market.cloud.settle_with_retries().await?;
    let _before = worked_by_all(market);
    let mut took = Vec::with_capacity(times);
    for _ in 0..times {
        let began = Instant::now();
        request().await.ok()?;
        took.push(micros(began.elapsed()));
    }
    market.cloud.settle_with_retries().await?;
    Ok((worked_by_all(market).of_one(times), Times::of(took)))
}

/// A product on the shelf, with an offer and something to say.
async fn shelf(market: &Market) -> Result<(Product, Offer), NotMeasured> {
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
    let offer = api.post("/v1/offers", &offer, "offer").await;
    let says = json!({"values": {"glaze": [{"data": "matte"}]}}).to_string();
    let path = format!("/v1/products/{id}/sheet");
    api.send_with(http::Method::PATCH, &path, &says, &[("if-match", "*")]).await.ok()?;
    market.cloud.settle_with_retries().await?;
    let (m, table) = (demo::marketplace_id(), &market.world.table);
    let product = table.load::<Product>(&Key::product(&m, &id)).await?.ok_or_else(|| missing("product"))?;
    let offer: OfferId = offer.text("/id").parse().map_err(|_| missing("offer"))?;
    let offer = table.load::<Offer>(&Key::offer(&m, &offer)).await?.ok_or_else(|| missing("offer"))?;
    Ok((product.value, offer.value))
}
