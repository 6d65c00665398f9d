//! Tax tables: the rules, a sheet per country, and what they come to for a line.

use serde_json::{Value, json};
use tests::*;

fn rates() -> Value {
    json!({"rates": [
        {"from": "2007-01-01", "treatment": "standard", "percent": "19"},
        {"from": "2020-07-01", "treatment": "standard", "percent": "16"},
        {"from": "2021-01-01", "treatment": "standard", "percent": "19"},
        {"from": "2007-01-01", "treatment": "reduced", "percent": "7", "category": "books"},
        {"from": "2007-01-01", "treatment": "outside_scope", "postal": "27498"},
    ]})
}

fn rules(prices: &str, rounding: &str) -> Value {
    json!({"prices": prices, "rounding": rounding, "reverse_charge": true})
}

/// Reason, percentage, base, tax and total of a quote.
async fn quoted(shop: &Shop, query: &str) -> [String; 5] {
    let quote = shop.get(&format!("/v1/tax/quote?{query}")).await;
    let text = |pointer: &str| at(&quote, pointer).to_owned();
    let [base, tax, total] = ["/base", "/tax", "/total"].map(|pointer| eur_at(&quote, pointer));
    [text("/reason"), text("/percent"), base, tax, total]
}

#[tokio::test]
async fn the_latest_row_of_the_smallest_area_decides_and_every_line_says_why() {
    let shop = Shop::open().await;
    shop.done("/v1/tax/rates/DE/set", &rates()).await;
    // Included: 119.00 × 19 / 119; in the second half of 2020 116.00 × 16 / 116; books 107.00 × 7 / 107.
    for (query, want) in [
        ("country=DE&amount=119.00", ["standard", "19", "100.00", "19.00", "119.00"]),
        ("country=DE&amount=116.00&on=2020-12-31", ["standard", "16", "100.00", "16.00", "116.00"]),
        ("country=DE&amount=107.00&category=books", ["reduced", "7", "100.00", "7.00", "107.00"]),
        ("country=DE&amount=9.00&postal=27498", ["outside_scope", "0", "9.00", "0.00", "9.00"]),
        ("country=FR&amount=9.00", ["not_configured", "0", "9.00", "0.00", "9.00"]),
        // A French business buys from Germany: it pays the base of a price that has the tax in it.
        (
            "country=FR&seller=DE&tax_id=FR40303265045&amount=9.00",
            ["not_configured", "0", "9.00", "0.00", "9.00"],
        ),
    ] {
        assert_eq!(quoted(&shop, query).await, want, "{query}");
    }
    let french = json!({"rates": [{"from": "2014-01-01", "treatment": "standard", "percent": "20"}]});
    shop.done("/v1/tax/rates/FR/set", &french).await;
    let business = "country=FR&seller=DE&tax_id=FR40303265045&amount=120.00";
    assert_eq!(quoted(&shop, business).await, ["reverse_charge", "0", "100.00", "0.00", "100.00"]);
    // What no country says, the world says.
    let world = json!({"rates": [{"from": "2000-01-01", "treatment": "exempt"}]});
    shop.done("/v1/tax/rates/world/set", &world).await;
    assert_eq!(quoted(&shop, "country=JP&amount=5.00").await, ["exempt", "0", "5.00", "0.00", "5.00"]);
    let sheets = shop.get("/v1/tax/rates").await;
    let sheets =
        sheets["items"].as_array().unwrap().iter().map(|sheet| (at(sheet, "/country"), &sheet["rates"]));
    assert_eq!(sheets.collect::<Vec<_>>(), [("world", &json!(1)), ("DE", &json!(5)), ("FR", &json!(1))]);
}

#[tokio::test]
async fn a8_4_per_line_3_86_and_per_unit_3_87() {
    // 1.08 × 3 = 3.24, with 19 % 3.8556: 3.86. Per unit 1.08 × 1.19 = 1.2852: 1.29, three times 3.87.
    let shop = Shop::open().await;
    let rates = json!({"rates": [{"from": "2007-01-01", "treatment": "standard", "percent": "19"}]});
    shop.done("/v1/tax/rates/DE/set", &rates).await;
    for (rounding, total) in [("line", "3.86"), ("unit", "3.87")] {
        shop.done("/v1/tax/set-rules", &rules("added", rounding)).await;
        let [.., told] = quoted(&shop, "country=DE&amount=3.24&units=3").await;
        assert_eq!(told, total, "{rounding}");
    }
}

#[tokio::test]
async fn a_sheet_is_set_whole_and_set_again_is_no_news() {
    let shop = Shop::open().await;
    let first = shop.post("/v1/tax/rates/DE/set", &rates()).await;
    assert_eq!((first.status.as_u16(), first.headers["etag"].as_bytes()), (200, b"\"1\"".as_slice()));
    let again = shop.post("/v1/tax/rates/DE/set", &rates()).await;
    assert_eq!(
        (again.headers["idempotent-replayed"].as_bytes(), &again.body),
        (b"true".as_slice(), &first.body)
    );
    shop.done("/v1/tax/rates/DE/set", &json!({"rates": []})).await;
    assert_eq!(shop.get("/v1/tax/rates/DE").await["rates"], json!([]));
    // Two changes, two stories: the repeat left none.
    let keys = shop.contents().await.into_keys();
    assert_eq!(keys.filter(|(pk, sk)| pk.ends_with("#TAX") && sk.starts_with("EVT#")).count(), 2);
}

#[tokio::test]
async fn what_no_table_could_mean_is_refused_with_its_row() {
    let shop = Shop::open().await;
    let before = shop.contents().await;
    let row = |more: Value| {
        let mut row = json!({"from": "2021-01-01", "treatment": "standard", "percent": "19"});
        row.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"rates": [row]})
    };
    let taken = json!({"rates": [rates()["rates"][0], rates()["rates"][0]]});
    let many = json!({"rates": vec![rates()["rates"][0].clone(); 501]});
    for (country, body, field, code) in [
        ("DE", row(json!({"percent": "101"})), "rates[0]", "range"),
        ("DE", row(json!({"percent": "-1"})), "rates[0]", "range"),
        ("DE", row(json!({"percent": "x"})), "rates[0].percent", "format"),
        ("DE", row(json!({"percent": null})), "rates[0].percent", "required"),
        ("DE", row(json!({"treatment": "exempt"})), "rates[0].percent", "conflict"),
        ("DE", row(json!({"from": "yesterday"})), "rates[0].from", "format"),
        ("DE", row(json!({"region": "BY", "postal": "8"})), "rates[0].region", "conflict"),
        ("world", row(json!({"postal": "8"})), "rates[0].region", "conflict"),
        ("DE", row(json!({"category": "No Handle"})), "rates[0].category", "format"),
        ("DE", taken, "rates[1]", "range"),
        ("DE", many, "rates", "range"),
    ] {
        let answer = shop.refused(&format!("/v1/tax/rates/{country}/set"), &body, 422, "invalid_value").await;
        assert_eq!((answer.text("/errors/0/field"), answer.text("/errors/0/code")), (field, code), "{body}");
    }
    for path in ["/v1/tax/rates/Germany/set", "/v1/tax/rates/de/set"] {
        shop.refused(path, &rates(), 404, "not_found").await;
    }
    let odd = json!({"prices": "net", "rounding": "line", "reverse_charge": true});
    shop.refused("/v1/tax/set-rules", &odd, 400, "malformed_request").await;
    let nowhere = json!({
        "prices": "added", "rounding": "line", "reverse_charge": true,
        "deemed_supplier": [{"area": {"region": "CA"}, "sellers": "all"}],
    });
    let answer = shop.refused("/v1/tax/set-rules", &nowhere, 422, "invalid_value").await;
    assert_eq!(answer.text("/errors/0/field"), "deemed_supplier[0].area.country");
    for query in
        ["amount=1.00", "country=DE", "country=DE&amount=1.00&units=0", "country=DE&amount=1.00&tax_id=1"]
    {
        assert_problem(&shop.api.get(&format!("/v1/tax/quote?{query}")).await, 422, "invalid_value");
    }
    assert!(shop.contents().await == before);
}
