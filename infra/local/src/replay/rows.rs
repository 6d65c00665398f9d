//! The files of an order history, read and checked: every bad row is told with its file and line.

use domain::{Currency, Money};
use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// What is wrong with a file or a row of it.
#[derive(Debug, thiserror::Error)]
pub enum BadRow {
    #[error(
        "{path} cannot be read: {why}. Want a folder with six olist_*_dataset.csv files: is the path right?"
    )]
    File { path: PathBuf, why: String },
    #[error("{file}, line {line}: {why}")]
    Row { file: &'static str, line: u64, why: String },
}

/// An order history, ready to travel: orders in the order of their purchase.
#[derive(Debug, Clone)]
pub struct History {
    pub currency: Currency,
    pub orders: Vec<Recorded>,
    pub merchants: BTreeSet<String>,
}

/// One order as it is recorded, its dates in order.
#[derive(Debug, Clone)]
pub struct Recorded {
    pub name: String,
    pub customer: String,
    pub stage: Stage,
    pub placed_at: Timestamp,
    pub approved_at: Option<Timestamp>,
    pub shipped_at: Option<Timestamp>,
    pub delivered_at: Option<Timestamp>,
    pub lines: Vec<RecordedLine>,
    pub payments: Vec<RecordedPayment>,
    /// The last score that was given, and when.
    pub answer: Option<(u8, Timestamp)>,
}

/// What the record says became of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Approved, invoiced or processing: nothing has left yet.
    Open,
    Shipped,
    Delivered,
    /// Canceled or unavailable.
    Canceled,
}

/// One unit of one item; amounts in minor units.
#[derive(Debug, Clone)]
pub struct RecordedLine {
    pub merchant: String,
    pub sku: String,
    pub category: Option<String>,
    pub price: i64,
    pub freight: i64,
}

#[derive(Debug, Clone)]
pub struct RecordedPayment {
    pub method: String,
    pub amount: i64,
}

impl Recorded {
    /// Merchants in the order.
    pub fn merchant_count(&self) -> u8 {
        let merchants: BTreeSet<&str> = self.lines.iter().map(|line| line.merchant.as_str()).collect();
        u8::try_from(merchants.len()).unwrap_or(u8::MAX)
    }

    /// When its answer counts: not before it has arrived. None of what has not.
    pub fn answered_at(&self) -> Option<Timestamp> {
        let ((_, at), delivered) = self.answer.zip(self.delivered_at)?;
        Some(at.max(delivered))
    }

    /// The first line of each merchant, numbered as orders number them: one answer for each.
    pub fn first_lines(&self) -> Vec<u16> {
        let mut seen = BTreeSet::new();
        let first = self.lines.iter().zip(1_u16..).filter(|(line, _)| seen.insert(line.merchant.as_str()));
        first.map(|(_, number)| number).collect()
    }

    /// The last thing that is recorded of it.
    pub fn latest(&self) -> Timestamp {
        let dates = [self.approved_at, self.shipped_at, self.delivered_at];
        dates.into_iter().flatten().fold(self.placed_at, Timestamp::max)
    }

    /// A cancellation has no date of its own: it takes the approval's, else the purchase's.
    pub fn canceled_at(&self) -> Timestamp {
        self.approved_at.unwrap_or(self.placed_at)
    }
}

#[derive(Deserialize)]
struct OrderRow {
    order_id: String,
    customer_id: String,
    order_status: String,
    order_purchase_timestamp: String,
    order_approved_at: String,
    order_delivered_carrier_date: String,
    order_delivered_customer_date: String,
}

#[derive(Deserialize)]
struct ItemRow {
    order_id: String,
    order_item_id: u32,
    product_id: String,
    seller_id: String,
    price: String,
    freight_value: String,
}

#[derive(Deserialize)]
struct PaymentRow {
    order_id: String,
    payment_sequential: u32,
    payment_type: String,
    payment_value: String,
}

#[derive(Deserialize)]
struct CustomerRow {
    customer_id: String,
    customer_unique_id: String,
}

#[derive(Deserialize)]
struct ProductRow {
    product_id: String,
    product_category_name: String,
}

const ORDERS: &str = "olist_orders_dataset.csv";
const ITEMS: &str = "olist_order_items_dataset.csv";
const PAYMENTS: &str = "olist_order_payments_dataset.csv";
const CUSTOMERS: &str = "olist_customers_dataset.csv";
const PRODUCTS: &str = "olist_products_dataset.csv";
const SELLERS: &str = "olist_sellers_dataset.csv";
/// A history may come without.
const REVIEWS: &str = "olist_order_reviews_dataset.csv";

#[derive(Deserialize)]
struct ReviewRow {
    order_id: String,
    review_score: u8,
    review_answer_timestamp: String,
}

#[derive(Deserialize)]
struct SellerRow {
    seller_id: String,
}

impl History {
    /// Reads a folder; the first row that is broken stops it.
    pub fn read(folder: &Path) -> Result<Self, BadRow> {
        let currency: Currency = "BRL".parse().map_err(|error: domain::currency::NotACurrency| {
            BadRow::File { path: folder.to_owned(), why: error.to_string() }
        })?;
        let customers: BTreeMap<String, String> = rows::<CustomerRow>(folder, CUSTOMERS)?
            .into_iter()
            .map(|(_, row)| (row.customer_id, row.customer_unique_id))
            .collect();
        let categories: BTreeMap<String, String> = rows::<ProductRow>(folder, PRODUCTS)?
            .into_iter()
            .map(|(_, row)| (row.product_id, row.product_category_name))
            .collect();
        let merchants: BTreeSet<String> =
            rows::<SellerRow>(folder, SELLERS)?.into_iter().map(|(_, row)| row.seller_id).collect();
        let mut orders: BTreeMap<String, Recorded> = BTreeMap::new();
        for (line, row) in rows::<OrderRow>(folder, ORDERS)? {
            let customer = customers.get(&row.customer_id).cloned().ok_or_else(|| {
                bad(ORDERS, line, format!("there is no customer `{}` in {CUSTOMERS}", row.customer_id))
            })?;
            let name = row.order_id.clone();
            if orders.insert(name.clone(), recorded(line, row, customer)?).is_some() {
                return Err(bad(ORDERS, line, format!("the order `{name}` stands twice in the file")));
            }
        }
        items(folder, currency, &categories, &merchants, &mut orders)?;
        payments(folder, currency, &mut orders)?;
        reviews(folder, &mut orders)?;
        let mut orders: Vec<Recorded> = orders.into_values().collect();
        orders.sort_by(|a, b| (a.placed_at, &a.name).cmp(&(b.placed_at, &b.name)));
        Ok(Self { currency, orders, merchants })
    }

    /// The first purchase: where the clock begins.
    pub fn start(&self) -> Option<Timestamp> {
        self.orders.first().map(|order| order.placed_at)
    }
}

fn bad(file: &'static str, line: u64, why: impl std::fmt::Display) -> BadRow {
    BadRow::Row { file, line, why: why.to_string() }
}

/// The rows of a file with the lines they begin at.
fn rows<T: DeserializeOwned>(folder: &Path, file: &'static str) -> Result<Vec<(u64, T)>, BadRow> {
    let path = folder.join(file);
    let mut reader = csv::Reader::from_path(&path)
        .map_err(|error| BadRow::File { path: path.clone(), why: error.to_string() })?;
    let mut rows = Vec::new();
    let headers = reader.headers().cloned().map_err(|error| BadRow::File { path, why: error.to_string() })?;
    for record in reader.records() {
        let record = record.map_err(|error| {
            let line = error.position().map_or(0, csv::Position::line);
            bad(file, line, &error)
        })?;
        let line = record.position().map_or(0, csv::Position::line);
        rows.push((line, record.deserialize(Some(&headers)).map_err(|error| bad(file, line, &error))?));
    }
    Ok(rows)
}

/// The last answer of each order.
fn reviews(folder: &Path, orders: &mut BTreeMap<String, Recorded>) -> Result<(), BadRow> {
    if !folder.join(REVIEWS).exists() {
        return Ok(());
    }
    for (line, row) in rows::<ReviewRow>(folder, REVIEWS)? {
        let order = orders
            .get_mut(&row.order_id)
            .ok_or_else(|| bad(REVIEWS, line, format!("there is no order `{}` in {ORDERS}", row.order_id)))?;
        if !(1..=5).contains(&row.review_score) {
            return Err(bad(REVIEWS, line, format!("review_score is {}: want 1 to 5", row.review_score)));
        }
        let at = moment_in(REVIEWS, line, "review_answer_timestamp", &row.review_answer_timestamp)?
            .ok_or_else(|| bad(REVIEWS, line, "review_answer_timestamp is empty"))?;
        if order.answer.is_none_or(|(_, before)| before <= at) {
            order.answer = Some((row.review_score, at));
        }
    }
    Ok(())
}

fn moment(line: u64, field: &str, text: &str) -> Result<Option<Timestamp>, BadRow> {
    moment_in(ORDERS, line, field, text)
}

/// A local time without zone, taken as UTC.
fn moment_in(file: &'static str, line: u64, field: &str, text: &str) -> Result<Option<Timestamp>, BadRow> {
    if text.is_empty() {
        return Ok(None);
    }
    let parsed = DateTime::strptime("%Y-%m-%d %H:%M:%S", text)
        .and_then(|moment| moment.to_zoned(jiff::tz::TimeZone::UTC))
        .map_err(|_| {
            bad(file, line, format!("{field} is `{text:.40}`: want a time like 2017-01-05 12:01:20"))
        })?;
    Ok(Some(parsed.timestamp()))
}

/// Dates as recorded, each raised to its predecessor where it is earlier.
fn recorded(line: u64, row: OrderRow, customer: String) -> Result<Recorded, BadRow> {
    let stage = match row.order_status.as_str() {
        "approved" | "invoiced" | "processing" | "created" => Stage::Open,
        "shipped" => Stage::Shipped,
        "delivered" => Stage::Delivered,
        "canceled" | "unavailable" => Stage::Canceled,
        other => return Err(bad(ORDERS, line, format!("`{other:.40}` is no order_status"))),
    };
    let placed_at = moment(line, "order_purchase_timestamp", &row.order_purchase_timestamp)?
        .ok_or_else(|| bad(ORDERS, line, "order_purchase_timestamp is empty"))?;
    let approved = moment(line, "order_approved_at", &row.order_approved_at)?;
    let shipped = moment(line, "order_delivered_carrier_date", &row.order_delivered_carrier_date)?;
    let delivered = moment(line, "order_delivered_customer_date", &row.order_delivered_customer_date)?;
    // What ships was paid: an approval that is not recorded was at the purchase.
    let on_its_way = matches!(stage, Stage::Shipped | Stage::Delivered);
    let approved = approved.or(on_its_way.then_some(placed_at)).map(|at| at.max(placed_at));
    let before = approved.unwrap_or(placed_at);
    let shipped_at = on_its_way.then(|| shipped.unwrap_or(before).max(before));
    let delivered_at = match (stage, shipped_at) {
        (Stage::Delivered, Some(shipped)) => Some(delivered.unwrap_or(shipped).max(shipped)),
        (Stage::Open | Stage::Shipped | Stage::Delivered | Stage::Canceled, _) => None,
    };
    let (lines, payments) = (Vec::new(), Vec::new());
    let (name, approved_at) = (row.order_id, approved);
    Ok(Recorded {
        name,
        customer,
        stage,
        placed_at,
        approved_at,
        shipped_at,
        delivered_at,
        lines,
        payments,
        answer: None,
    })
}

fn amount(file: &'static str, line: u64, field: &str, text: &str, currency: Currency) -> Result<i64, BadRow> {
    Money::parse(text, currency)
        .and_then(Money::not_negative)
        .map(|money| money.minor)
        .map_err(|error| bad(file, line, format!("{field}: {error}")))
}

fn items(
    folder: &Path,
    currency: Currency,
    categories: &BTreeMap<String, String>,
    merchants: &BTreeSet<String>,
    orders: &mut BTreeMap<String, Recorded>,
) -> Result<(), BadRow> {
    let mut items = rows::<ItemRow>(folder, ITEMS)?;
    items.sort_by(|(_, a), (_, b)| (&a.order_id, a.order_item_id).cmp(&(&b.order_id, b.order_item_id)));
    for (line, row) in items {
        let order = orders
            .get_mut(&row.order_id)
            .ok_or_else(|| bad(ITEMS, line, format!("there is no order `{}` in {ORDERS}", row.order_id)))?;
        if !merchants.contains(&row.seller_id) {
            return Err(bad(ITEMS, line, format!("there is no seller `{}` in {SELLERS}", row.seller_id)));
        }
        let category = categories.get(&row.product_id).filter(|category| !category.is_empty()).cloned();
        order.lines.push(RecordedLine {
            merchant: row.seller_id,
            sku: row.product_id,
            category,
            price: amount(ITEMS, line, "price", &row.price, currency)?,
            freight: amount(ITEMS, line, "freight_value", &row.freight_value, currency)?,
        });
    }
    Ok(())
}

fn payments(
    folder: &Path,
    currency: Currency,
    orders: &mut BTreeMap<String, Recorded>,
) -> Result<(), BadRow> {
    let mut rows = rows::<PaymentRow>(folder, PAYMENTS)?;
    rows.sort_by(|(_, a), (_, b)| {
        (&a.order_id, a.payment_sequential).cmp(&(&b.order_id, b.payment_sequential))
    });
    for (line, row) in rows {
        let order = orders.get_mut(&row.order_id).ok_or_else(|| {
            bad(PAYMENTS, line, format!("there is no order `{}` in {ORDERS}", row.order_id))
        })?;
        let amount = amount(PAYMENTS, line, "payment_value", &row.payment_value, currency)?;
        order.payments.push(RecordedPayment { method: row.payment_type, amount });
    }
    Ok(())
}
