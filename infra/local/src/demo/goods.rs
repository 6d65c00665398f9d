//! What the sample's merchants sell: `goods.csv`, one product a line; its variants differ in one axis at most.

use super::NoDemo;
use crate::api::{Api, Refusal};
use futures::{StreamExt, TryStreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const GOODS: &str = include_str!("goods.csv");
/// Units of each variant to begin with.
const STOCK: u32 = 25;
/// Sold by a second merchant too: product, merchant, price.
const SECOND_OFFERS: [(&str, &str, &str); 2] =
    [("Tea Strainer", "alma", "17.50"), ("Tea and Its Company", "ember", "25.00")];
/// Where each category lies.
const ABOVE: [(&str, &[&str]); 5] = [
    ("kitchen", &["mugs", "bowls", "plates", "vases"]),
    ("clothing", &["shirts", "knitwear", "scarves", "trousers", "aprons"]),
    ("books", &["fiction", "cookbooks", "travel", "notebooks"]),
    ("audio", &["headphones", "speakers", "turntables", "cables"]),
    ("tea", &["black-tea", "green-tea", "herbal", "teaware"]),
];

#[derive(Debug, Deserialize)]
struct Row {
    merchant: String,
    category: String,
    title: String,
    axis: String,
    values: String,
    price: String,
    weight: u32,
}

/// A word for SKUs: `Tea Pot` is `tea-pot`.
fn slug(text: &str) -> String {
    let plain: String =
        text.to_lowercase().chars().map(|c| if c.is_ascii_alphanumeric() { c } else { ' ' }).collect();
    plain.split_whitespace().collect::<Vec<_>>().join("-")
}

fn name(handle: &str) -> String {
    let words = handle.split('-').map(|word| {
        let (first, rest) = word.split_at(1.min(word.len()));
        first.to_uppercase() + rest
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Categories, products, offers and their first receipts; a repeat finds them there.
pub(super) async fn stock_up(api: &Api, merchants: &BTreeMap<String, String>) -> Result<(), NoDemo> {
    for (above, below) in ABOVE {
        category(api, above, None).await?;
        for handle in below {
            category(api, handle, Some(above)).await?;
        }
    }
    let rows: Result<Vec<Row>, _> = csv::Reader::from_reader(GOODS.as_bytes()).deserialize().collect();
    let rows = rows.map_err(|error| NoDemo::Word(error.to_string()))?;
    let put = |row: Row| async move { product(api, merchants, &row).await };
    stream::iter(rows).map(put).buffer_unordered(8).try_collect::<Vec<()>>().await?;
    Ok(())
}

async fn category(api: &Api, handle: &str, parent: Option<&str>) -> Result<(), Refusal> {
    let body = json!({"handle": handle, "name": name(handle), "parent": parent});
    api.post("/v1/categories", &body, &format!("demo-category-{handle}")).await.ok()?;
    Ok(())
}

async fn product(api: &Api, merchants: &BTreeMap<String, String>, row: &Row) -> Result<(), NoDemo> {
    let id_of = |merchant: &str| {
        merchants.get(merchant).ok_or_else(|| NoDemo::Word(format!("there is no merchant {merchant}")))
    };
    let values: Vec<&str> = row.values.split('|').filter(|value| !value.is_empty()).collect();
    let variant = |value: &&str| json!({"values": [value], "weight": row.weight});
    let variants: Vec<Value> = match values.as_slice() {
        [] => vec![json!({"weight": row.weight})],
        values => values.iter().map(variant).collect(),
    };
    let axes: Vec<&str> = Some(row.axis.as_str()).filter(|axis| !axis.is_empty()).into_iter().collect();
    let sku = slug(&row.title);
    let body = json!({
        "merchant": id_of(&row.merchant)?,
        "external_id": sku,
        "title": row.title,
        "categories": [row.category],
        "axes": axes,
        "variants": variants,
    });
    let made = api.post("/v1/products", &body, &format!("demo-product-{sku}")).await.ok()?;
    let product = made.pointer("/id").and_then(Value::as_str).unwrap_or_default();
    for at in 0..variants.len() {
        let sku = values.get(at).map_or(sku.clone(), |value| format!("{sku}-{}", slug(value)));
        let sold = Sold { product, variant: at + 1, sku, price: &row.price };
        offer(api, id_of(&row.merchant)?, sold).await?;
    }
    for (title, merchant, price) in SECOND_OFFERS {
        if title == row.title {
            offer(api, id_of(merchant)?, Sold { product, variant: 1, sku: sku.clone(), price }).await?;
        }
    }
    Ok(())
}

struct Sold<'a> {
    product: &'a str,
    variant: usize,
    sku: String,
    price: &'a str,
}

async fn offer(api: &Api, merchant: &str, sold: Sold<'_>) -> Result<(), Refusal> {
    let Sold { product, variant, sku, price } = sold;
    let body = json!({
        "merchant": merchant,
        "product": product,
        "variant": variant,
        "sku": sku,
        "price": {"amount": price, "currency": "EUR"},
    });
    let key = format!("{merchant}-{sku}");
    let made = api.post("/v1/offers", &body, &format!("demo-offer-{key}")).await.ok()?;
    let offer = made.pointer("/id").and_then(Value::as_str).unwrap_or_default();
    let receipt = json!({"quantity": STOCK});
    api.post(&format!("/v1/stock/{offer}/receive"), &receipt, &format!("demo-stock-{key}")).await.ok()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sku_is_a_plain_word() {
        assert_eq!(slug("The Cartographer's Garden"), "the-cartographer-s-garden");
        assert_eq!(name("black-tea"), "Black Tea");
    }

    #[test]
    fn the_sample_has_sixty_products_of_five_merchants() {
        let rows: Vec<Row> =
            csv::Reader::from_reader(GOODS.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap();
        let merchants: std::collections::BTreeSet<&str> =
            rows.iter().map(|row| row.merchant.as_str()).collect();
        assert_eq!((rows.len(), merchants.len()), (60, 5));
        let known: Vec<&str> = ABOVE.iter().flat_map(|(_, below)| below.iter().copied()).collect();
        assert!(rows.iter().all(|row| known.contains(&row.category.as_str())));
    }
}
