//! What `cargo souk import` does: a profile, merchants that are missing, files one after the other, and the figures.

use souk::imports::{Door, Source, files, import};
use std::path::Path;
use tests::*;

const PROFILE: &str = r#"{"of": "products", "currency": "USD", "mappings": [
    {"from": {"column": "id"}, "to": {"field": "external_id"}, "required": true},
    {"from": {"column": "id"}, "to": {"field": "sku"}},
    {"from": {"column": "supplier"}, "to": {"field": "merchant"}, "steps": ["trim"]},
    {"from": {"column": "title"}, "to": {"field": "title"}, "steps": ["trim", {"cut": 20}]},
    {"from": {"column": "price"}, "to": {"field": "price"}, "steps": [{"cents": "USD"}]},
    {"from": {"columns": "attr_n_"}, "to": {"named": {"before": "n_", "kind": {"is": "number", "decimals": 9}}},
        "steps": ["number"]}
]}"#;

fn row(id: u32, supplier: &str, price: i64) -> String {
    format!(
        "{{\"id\": \"{id}\", \"supplier\": \"{supplier}\", \"title\": \"A toner cartridge of number {id}\", \
         \"price\": {price}, \"attr_n_pages\": 23000.0, \"attr_n_tiny\": 1e-06}}"
    )
}

fn put(folder: &Path, name: &str, rows: &[String]) {
    let text = format!("[{}]", rows.join(",\n"));
    let bytes = match name.ends_with(".zip") {
        true => crate::imports_cut::zipped(&[("rows.json", text.as_bytes())]),
        false => text.into_bytes(),
    };
    std::fs::write(folder.join(name), bytes).unwrap();
}

#[tokio::test]
async fn a_folder_of_files_comes_in_with_the_merchants_that_its_rows_name() {
    let shop = Shop::open().await;
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "1.json.zip", &[row(1, "Xerox", 4995), row(2, "2-Power & Co", 10995)]);
    put(folder.path(), "2.json", &[row(3, "Xerox", 100), row(4, "Xerox", -1)]);
    std::fs::write(folder.path().join("notes.md"), "no catalog").unwrap();
    let found = files(folder.path()).unwrap();
    let source = Source::read("toner", PROFILE).unwrap();
    let door = Door::here(&shop.market, SECRET);
    let cloud = shop.market.cloud.clone();
    let pump = tokio::spawn(async move { cloud.run_until_stopped(std::future::pending()).await });
    let first = import(&door, &found, &source, false, &Unwatched).await.unwrap();
    let again = import(&door, &found, &source, false, &Unwatched).await.unwrap();
    pump.abort();
    let counts: Vec<_> =
        first.files.iter().map(|file| (file.file.as_str(), file.status.as_str(), file.counts)).collect();
    assert_eq!(counts, [("1.json.zip", "done", [2, 2, 0, 0, 0]), ("2.json", "done", [2, 1, 0, 0, 1])]);
    assert_eq!(first.merchants, 2);
    let told = "2.json, line 2, column price `-1`: it is below zero; correct the cell";
    assert_eq!(first.files[1].errors, [told]);
    assert!(first.costs["imports"].write > 0);
    let counts: Vec<_> = again.files.iter().map(|file| file.counts).collect();
    assert_eq!((again.merchants, counts), (0, vec![[2, 0, 0, 2, 0], [2, 0, 0, 1, 1]]));
    let found = shop.get("/v1/merchants?external_id=2-Power%20%26%20Co").await;
    let merchant = shop.get(&format!("/v1/merchants/{}", at(&found, "/items/0/id"))).await;
    assert_eq!(at(&merchant, "/currency"), "USD");
    let offers = shop.get(&format!("/v1/offers?merchant={}&sku=2", at(&merchant, "/id"))).await;
    assert_eq!(at(&offers, "/items/0/title"), "A toner cartridge of");
    assert_eq!(at(&offers, "/items/0/price/amount"), "109.95");
    let sheet = shop.get(&format!("/v1/products/{}/sheet", at(&offers, "/items/0/product"))).await;
    assert_eq!(sheet["values"]["n_tiny"][0]["data"], "0.000001");
}
