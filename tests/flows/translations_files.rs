//! What many products are to say in another language leaves in one file, and comes back filled: row by row, once, over
//! nothing that was written meanwhile.

use crate::imports::counts;
use crate::imports_cut::{lines, workbook};
use crate::outward_cuts::{Case, Scene, cut_everywhere};
use crate::sending::{fetch_file, send_file};
use domain::import::Format;
use domain::pim::translation::file::COLUMNS;
use http::Method;
use serde_json::{Value, json};
use souk::api::Api;
use std::collections::BTreeMap;
use tests::*;

/// Cells by column.
type Row = BTreeMap<String, String>;

async fn words(shop: &Shop) {
    shop.done("/v1/sales-channels/web/set", &json!({"locales": ["en", "de"], "currency": "EUR"})).await;
    for (code, body) in [
        ("title", json!({"kind": {"is": "text", "max": 40}, "scope": {"per_locale": true}})),
        (
            "story",
            json!({"kind": {"is": "text", "max": 200, "lines": true},
            "scope": {"per_locale": true, "per_channel": true}}),
        ),
        ("height", json!({"kind": {"is": "number", "decimals": 1}, "scope": {"per_locale": true}})),
    ] {
        shop.done(&format!("/v1/attributes/{code}/set"), &body).await;
    }
}

async fn says(shop: &Shop, product: &str, values: Value) {
    let (path, body) = (format!("/v1/products/{product}/sheet"), json!({"values": values}).to_string());
    shop.api.send_with(Method::PATCH, &path, &body, &[("if-match", "*")]).await.ok().unwrap();
}

fn title(locale: &str, text: &str) -> Value {
    json!({"title": [{"locale": locale, "data": text}]})
}

/// A mug of alma's, whose title is stale and whose story is missing in German, and a bowl of the marketplace's with
/// nothing to be translated.
struct Office {
    shop: Shop,
    alma: String,
    mug: String,
    bowl: String,
}

impl Office {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        words(&shop).await;
        let mug = json!({"merchant": alma, "title": "Mug", "external_id": "m-1", "status": "draft", "variants": [{}]});
        let mug = at(&shop.done("/v1/products", &mug).await, "/id").to_owned();
        let bowl = json!({"title": "Bowl", "variants": [{}]});
        let bowl = at(&shop.done("/v1/products", &bowl).await, "/id").to_owned();
        let all = Self { shop, alma, mug, bowl };
        all.mug_says(json!({
            "title": [{"locale": "en", "data": "Mug"}, {"locale": "de", "data": "Becher"}],
            "story": [{"locale": "en", "channel": "web", "data": "Fired twice,\nby \"hand\"."}],
            "height": [{"locale": "en", "data": 9}],
        }))
        .await;
        all.mug_says(title("en", "=Mug of sand; tall")).await;
        let done = json!({"title": [{"locale": "en", "data": "Bowl"}, {"locale": "de", "data": "Schale"}]});
        says(&all.shop, &all.bowl, done).await;
        all.shop.settle().await;
        all
    }

    async fn mug_says(&self, values: Value) {
        says(&self.shop, &self.mug, values).await;
    }

    /// What a product says in German, and in which version.
    async fn german(&self, product: &str) -> (Value, BTreeMap<String, String>) {
        let sheet = self.shop.get(&format!("/v1/products/{product}/sheet")).await;
        let mut said = BTreeMap::new();
        for (code, values) in sheet["values"].as_object().unwrap() {
            for value in values.as_array().unwrap().iter().filter(|value| value["locale"] == "de") {
                said.insert(code.clone(), at(value, "/data").to_owned());
            }
        }
        (sheet["version"].clone(), said)
    }

    /// The file of an export, as it is fetched.
    async fn file(&self, api: &Api, format: &str, translations: Value) -> String {
        let body = json!({"channel": "web", "locale": "de", "format": format, "translations": translations});
        let asked = api.post("/v1/exports", &body, &self.shop.fresh()).await.ok().unwrap();
        self.shop.settle().await;
        let made = api.get(&format!("/v1/exports/{}", at(&asked, "/id"))).await.ok().unwrap();
        assert_eq!(at(&made, "/status"), "done");
        let (status, bytes) = fetch_file(&self.shop, at(&made, "/file/url")).await;
        assert_eq!((status, made["counts"]["bytes"].as_u64()), (200, u64::try_from(bytes.len()).ok()));
        String::from_utf8(bytes).unwrap()
    }

    /// The rows of an export of everybody's products, by title and attribute.
    async fn rows(&self, translations: Value) -> Vec<Row> {
        rows_of(&self.file(&self.shop.api, "csv", translations).await)
    }

    async fn open_rows(&self) -> Vec<Row> {
        self.rows(json!({})).await
    }

    /// An import whose file is sent.
    async fn sent(&self, api: &Api, format: &str, file: &[u8], more: Value) -> Value {
        let mut new = json!({"name": "de.csv", "of": "translations", "format": format, "bytes": file.len()});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let import = api.post("/v1/imports", &new, &self.shop.fresh()).await.ok().unwrap();
        assert_eq!((at(&import, "/of"), at(&import, "/profile")), ("translations", "translations"));
        assert_eq!(send_file(&self.shop, &import["upload"], file).await, 200);
        import
    }

    /// One with all that follows.
    async fn bring_as(&self, api: &Api, format: &str, file: &[u8], more: Value) -> Value {
        let import = self.sent(api, format, file, more).await;
        self.shop.settle().await;
        let done = api.get(&format!("/v1/imports/{}", at(&import, "/id"))).await.ok().unwrap();
        assert_eq!(at(&done, "/status"), "done", "{done}");
        done
    }

    async fn bring(&self, rows: &[Row]) -> Value {
        self.bring_as(&self.shop.api, "csv", csv(rows, ',').as_bytes(), json!({})).await
    }

    /// Line, column, message and hint of the first flaw of each row that was refused.
    async fn flaws(&self, import: &Value) -> Vec<(u64, String, String, String)> {
        let page = self.shop.get(&format!("/v1/imports/{}/errors", at(import, "/id"))).await;
        let told = |row: &Value| {
            let flaw = |name: &str| row["flaws"][0][name].as_str().unwrap_or_default().to_owned();
            (row["line"].as_u64().unwrap(), flaw("column"), flaw("message"), flaw("todo"))
        };
        page["items"].as_array().unwrap().iter().map(told).collect()
    }
}

fn rows_of(file: &str) -> Vec<Row> {
    let mut rows: Vec<Row> =
        if file.lines().count() > 1 { lines(file.as_bytes(), Format::Csv) } else { Vec::new() }
            .into_iter()
            .map(|(_, row)| serde_json::from_value(row).unwrap())
            .collect();
    rows.sort_by_key(|row| (row["title"].clone(), row["attribute"].clone()));
    rows
}

/// A file as a spreadsheet writes it.
fn csv(rows: &[Row], by: char) -> String {
    let by = by.to_string();
    let line = |cells: Vec<&str>| {
        let quoted: Vec<String> =
            cells.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect();
        format!("{}\n", quoted.join(&by))
    };
    let names = COLUMNS.map(|(name, _)| name);
    let body: String = rows.iter().map(|row| line(names.map(|name| row[name].as_str()).to_vec())).collect();
    line(names.to_vec()) + &body
}

/// The row with other cells.
fn with(row: &Row, cells: &[(&str, &str)]) -> Row {
    let mut row = row.clone();
    row.extend(cells.iter().map(|(name, cell)| ((*name).to_owned(), (*cell).to_owned())));
    row
}

fn told(rows: &[Row], columns: &[&str]) -> Vec<String> {
    rows.iter()
        .map(|row| columns.iter().map(|name| row[*name].as_str()).collect::<Vec<_>>().join("|"))
        .collect()
}

#[tokio::test]
async fn a_file_has_what_is_missing_or_stale_of_all_products_and_the_rest_where_it_is_asked_for() {
    let all = Office::open().await;
    let open = all.open_rows().await;
    let columns = ["product", "external_id", "title", "variant", "attribute", "channel"];
    let mug = &all.mug;
    assert_eq!(
        told(&open, &columns),
        [format!("{mug}|m-1|Mug||story|web"), format!("{mug}|m-1|Mug||title|")]
    );
    let columns = ["source_locale", "source", "target_locale", "target", "status"];
    let want = ["en|Fired twice,\nby \"hand\".|de||missing", "en|'=Mug of sand; tall|de|Becher|stale"];
    assert_eq!(told(&open, &columns), want);
    let whole = all.rows(json!({"all": true})).await;
    assert_eq!(told(&whole, &["title", "target", "status"])[0], "Bowl|Schale|done");
    assert_eq!(whole[1..], open);
    let file = all.file(&all.shop.api, "json_lines", json!({})).await;
    let mut lines: Vec<Row> = file.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.sort_by_key(|row| row["attribute"].clone());
    assert_eq!(lines, open, "each format has the same cells");
    // From German it is the other way round: there is an English word for everything.
    let body = json!({"channel": "web", "locale": "en", "format": "csv", "attributes": ["title"],
        "translations": {"source_locale": "de", "all": true}});
    let asked = all.shop.done("/v1/exports", &body).await;
    assert_eq!(asked["translations"], json!({"source_locale": "de", "all": true}));
    all.shop.settle().await;
    let made = all.shop.get(&format!("/v1/exports/{}", at(&asked, "/id"))).await;
    let rows = rows_of(&String::from_utf8(fetch_file(&all.shop, at(&made, "/file/url")).await.1).unwrap());
    let told = told(&rows, &["source", "target", "status"]);
    assert_eq!(told, ["Schale|Bowl|done", "Becher|'=Mug of sand; tall|done"]);
}

#[tokio::test]
async fn a_file_that_comes_back_filled_is_said_once_and_the_same_file_again_is_nothing() {
    let all = Office::open().await;
    let open = all.open_rows().await;
    let filled = [
        with(&open[0], &[("target", "Zweimal gebrannt,\nvon \"Hand\".")]),
        with(&open[1], &[("target", "Becher aus Sand"), ("status", "draft")]),
    ];
    let before = all.german(&all.mug).await;
    let file = csv(&filled, ',');
    let dry = all.bring_as(&all.shop.api, "csv", file.as_bytes(), json!({"dry_run": true})).await;
    assert_eq!((counts(&dry), all.german(&all.mug).await), ([2, 1, 1, 0, 0], before.clone()));
    let done = all.bring(&filled).await;
    assert_eq!(counts(&done), [2, 1, 1, 0, 0]);
    let (version, said) = all.german(&all.mug).await;
    assert_eq!(version.as_u64(), before.0.as_u64().map(|before| before + 1), "all rows are one version");
    let want = [("story", "Zweimal gebrannt,\nvon \"Hand\"."), ("title", "Becher aus Sand")];
    assert_eq!(said, want.map(|(code, text)| (code.to_owned(), text.to_owned())).into());
    assert_eq!(all.open_rows().await, Vec::<Row>::new());
    let whole = all.rows(json!({"all": true})).await;
    assert_eq!(told(&whole, &["attribute", "status"]), ["title|done", "story|done", "title|draft"]);
    let again = all.bring(&filled).await;
    assert_eq!((counts(&again), all.german(&all.mug).await.0), ([2, 0, 0, 2, 0], version.clone()));
    // What goes out and comes back untouched says nothing, whatever stands in it.
    let untouched = all.bring(&whole).await;
    assert_eq!((counts(&untouched), all.german(&all.mug).await.0), ([3, 0, 0, 3, 0], version));
    let settled = all.bring(&[with(&whole[2], &[("status", "done")])]).await;
    assert_eq!(counts(&settled), [1, 0, 1, 0, 0]);
    assert_eq!(all.rows(json!({"all": true})).await[2]["status"], "done");
    let history = all.shop.get(&format!("/v1/products/{}/sheet/history?limit=1", all.mug)).await;
    let changed = &history["items"][0]["diff"];
    assert_eq!((changed.as_array().unwrap().len(), at(changed, "/0/path")), (1, "translations/title/de"));
}

#[tokio::test]
async fn what_was_changed_while_a_file_was_out_is_refused_with_its_line_and_the_rest_is_taken() {
    let all = Office::open().await;
    let whole = all.rows(json!({"all": true})).await;
    all.mug_says(title("en", "Mug of clay")).await;
    says(&all.shop, &all.bowl, title("de", "Schüssel")).await;
    let (bowl, story, mug) = (&whole[0], &whole[1], &whole[2]);
    let import = all
        .bring(&[
            with(mug, &[("target", "Becher aus Sand")]),
            with(bowl, &[("target", "Schälchen")]),
            with(story, &[("target", "Zweimal gebrannt.")]),
            with(mug, &[("target", "")]),
            bowl.clone(),
        ])
        .await;
    assert_eq!(counts(&import), [5, 1, 0, 2, 2]);
    let (source, translation) = (
        "its source has changed since: fetch the row again",
        "the translation says something else by now than when the row went out",
    );
    let flaw = |line, column: &str, message: &str, todo: &str| {
        (line, column.to_owned(), message.to_owned(), todo.to_owned())
    };
    // The story has two lines, which are one row.
    assert_eq!(
        all.flaws(&import).await,
        [
            flaw(2, "digest", source, "export the row again, and translate what it says now"),
            flaw(3, "target", translation, "export the row again, and compare the two"),
        ]
    );
    assert_eq!(all.german(&all.mug).await.1["story"], "Zweimal gebrannt.");
    assert_eq!(
        all.german(&all.bowl).await.1["title"],
        "Schüssel",
        "a row that nobody touched takes nothing back"
    );
}

#[tokio::test]
async fn a_row_that_cannot_be_read_or_said_is_told_by_its_column() {
    let all = Office::open().await;
    let row = all.open_rows().await.remove(1);
    let row = with(&row, &[("target", "Becher aus Sand")]);
    let long = "x".repeat(41);
    let ghost = "prd_00000000000000000000000009";
    let odd = [
        ("target", long.as_str(), "it has 41 characters: want at most 40"),
        ("product", ghost, "there is no such product of yours"),
        ("product", "mug", "`mug` is no id"),
        ("attribute", "ghost", "there is no attribute `ghost`"),
        ("attribute", "height", "its source has changed since: fetch the row again"),
        ("variant", "7", "its source is gone"),
        ("channel", "web", "its source is gone"),
        ("target_locale", "fr", "no channel shows it: there is no `fr`"),
        ("target_locale", "en", "it is no value in another language than the source"),
        ("source_locale", "", "it is missing, and a row without it is not taken"),
        ("digest", "1.23457E+15", "it is no digest as the row went out with"),
        ("status", "fertig", "`fertig` is no status of a translation"),
    ];
    let rows: Vec<Row> = odd.iter().map(|(column, cell, _)| with(&row, &[(column, cell)])).collect();
    let import = all.bring(&rows).await;
    assert_eq!(counts(&import), [12, 0, 0, 0, 12]);
    let flaws = all.flaws(&import).await;
    for ((number, (column, cell, message)), flaw) in (2_u64..).zip(&odd).zip(&flaws) {
        let about = if message.starts_with("its source") { "digest" } else { column };
        assert_eq!((flaw.0, flaw.1.as_str()), (number, about), "{column} {cell}: {flaw:?}");
        assert!(flaw.2 == *message || *cell == "mug", "{flaw:?}");
        assert_ne!(flaw.3, "");
    }
    assert_eq!(all.german(&all.mug).await.1["title"], "Becher");
    // Without a column of what it needs, a row says what it lacks.
    let bare = "product,target\nprd_00000000000000000000000009,Becher\n";
    let import = all.bring_as(&all.shop.api, "csv", bare.as_bytes(), json!({})).await;
    assert_eq!(all.flaws(&import).await[0].2, "it is missing, and a row without it is not taken");
}

#[tokio::test]
async fn a_merchant_has_its_own_products_translated_and_no_others() {
    let all = Office::open().await;
    let (shop, price) = (&all.shop, json!({"amount": "8.00", "currency": "EUR"}));
    shop.post(&format!("/v1/products/{}/publish", all.mug), &json!({"channel": "web"})).await;
    for (product, sku) in [(&all.mug, "mug"), (&all.bowl, "bowl")] {
        let active = json!({"status": "active"}).to_string();
        let path = format!("/v1/products/{product}");
        shop.api.send_with(Method::PATCH, &path, &active, &[("if-match", "*")]).await.ok().unwrap();
        let offer = json!({"merchant": all.alma, "product": product, "sku": sku, "price": price});
        shop.done("/v1/offers", &offer).await;
    }
    shop.wait_minutes(5).await;
    shop.key("sk_alma", &["catalog:write", "catalog:read"], Some(&all.alma)).await;
    let alma = shop.calls_as("sk_alma");
    let whole = all.rows(json!({"all": true})).await;
    let own = rows_of(&all.file(&alma, "csv", json!({"all": true})).await);
    assert_eq!(own, whole[1..], "it offers the bowl, and does not keep it");
    let filled: Vec<Row> = whole.iter().map(|row| with(row, &[("target", "Gefäß")])).collect();
    let file = csv(&filled, ',');
    let import = all.bring_as(&alma, "csv", file.as_bytes(), json!({})).await;
    assert_eq!((at(&import, "/merchant"), counts(&import)), (all.alma.as_str(), [3, 1, 1, 0, 1]));
    let flaws = all.flaws(&import).await;
    assert_eq!((flaws[0].0, flaws[0].1.as_str()), (2, "product"));
    assert_eq!(flaws[0].2, "there is no such product of yours");
    let import = all.bring(&filled).await;
    assert_eq!(counts(&import), [3, 0, 1, 2, 0], "the operators' is of everybody's products");
    let import = all.bring_as(&shop.api, "csv", file.as_bytes(), json!({"merchant": all.alma})).await;
    assert_eq!(counts(&import), [3, 0, 0, 2, 1]);
}

#[tokio::test]
async fn what_a_spreadsheet_would_run_goes_out_disarmed_and_comes_back_as_it_was_in_every_format() {
    let all = Office::open().await;
    for (number, text) in ["=1+1", "'=1+1", "-2+3", "@now", "+49; 30", "a,b;c|d", "'tis"].iter().enumerate() {
        all.mug_says(json!({"title": [
            {"locale": "en", "data": format!("{text} {number}")}, {"locale": "de", "data": text},
        ]}))
        .await;
        let row = all.rows(json!({"all": true})).await.remove(2);
        for cell in [&row["source"], &row["target"]] {
            assert!(!cell.starts_with(['=', '+', '-', '@']), "{cell}");
        }
        let rows = [row.clone()];
        let json = serde_json::to_string(&row).unwrap();
        let cells = COLUMNS.map(|(name, _)| name);
        let book = workbook(&[cells.to_vec(), cells.map(|name| row[name].as_str()).to_vec()]);
        let files = [
            ("csv", csv(&rows, ',').into_bytes()),
            ("csv", csv(&rows, ';').into_bytes()),
            ("jsonl", json.into_bytes()),
            ("xlsx", book),
        ];
        for (format, file) in files {
            let untouched = all.bring_as(&all.shop.api, format, &file, json!({})).await;
            assert_eq!(
                counts(&untouched),
                [1, 0, 0, 1, 0],
                "{text} in {format}: {:?}",
                all.flaws(&untouched).await
            );
        }
        // What was a source in one language may be what is said in the other, to the letter.
        let import = all.bring(&[with(&row, &[("target", &row["source"])])]).await;
        assert_eq!(counts(&import), [1, 0, 1, 0, 0]);
        assert_eq!(all.german(&all.mug).await.1["title"], format!("{text} {number}"));
    }
}

#[tokio::test]
async fn two_files_of_one_product_at_once_are_both_said() {
    let all = Office::open().await;
    let open = all.open_rows().await;
    let mut imports = Vec::new();
    for row in &open {
        let file = csv(&[with(row, &[("target", "Ein Becher")])], ',');
        imports.push(all.sent(&all.shop.api, "csv", file.as_bytes(), json!({})).await);
    }
    all.shop.settle().await;
    for import in &imports {
        let done = all.shop.get(&format!("/v1/imports/{}", at(import, "/id"))).await;
        assert_eq!((at(&done, "/status"), counts(&done)[4]), ("done", 0));
    }
    let said = ["story", "title"].map(|code| (code.to_owned(), "Ein Becher".to_owned()));
    assert_eq!(all.german(&all.mug).await.1, said.into());
}

#[tokio::test]
async fn a_row_of_a_product_that_has_become_another_names_that_one() {
    let all = Office::open().await;
    let mut twins = Vec::new();
    for name in ["Jug of the maker", "Jug of alma"] {
        let jug = json!({"title": name, "variants": [{"gtin": "4006381333931"}]});
        let jug = at(&all.shop.done("/v1/products", &jug).await, "/id").to_owned();
        says(&all.shop, &jug, title("en", name)).await;
        twins.push(jug);
    }
    all.shop.settle().await;
    let rows = all.open_rows().await;
    let pair = at(&all.shop.get("/v1/duplicates").await, "/items/0/id").to_owned();
    all.shop.done(&format!("/v1/duplicates/{pair}/merge"), &json!({"keep": twins[0]})).await;
    all.shop.settle().await;
    let gone = rows.iter().find(|row| row["product"] == twins[1]).unwrap();
    let import = all.bring(&[with(gone, &[("target", "Krug")])]).await;
    let told = format!("its product and {} are one by now", twins[0]);
    let flaw = all.flaws(&import).await.remove(0);
    assert_eq!((flaw.0, flaw.1.as_str(), flaw.2), (2, "product", told));
    assert!(all.open_rows().await.iter().all(|row| row["product"] != twins[1]), "it has no rows any more");
}

#[tokio::test]
async fn operators_may_read_files_of_translators_otherwise() {
    let all = Office::open().await;
    let known = all.shop.get("/v1/import-profiles/translations").await;
    let mappings = known["mappings"].as_array().unwrap().iter();
    let mut mappings: Vec<Value> =
        mappings.map(|mapping| json!({"from": mapping["from"], "to": mapping["to"], "steps": []})).collect();
    let target = mappings.iter_mut().find(|mapping| mapping["to"]["field"] == "target").unwrap();
    *target = json!({"from": {"column": "deutsch"}, "to": {"field": "target"}, "steps": ["trim"]});
    let agency = json!({"mappings": mappings, "empty": "remove"});
    all.shop.done("/v1/import-profiles/translations/set", &agency).await;
    let whole = all.rows(json!({"all": true})).await;
    let file = csv(&whole[..1], ',').replace("\"target\"", "\"deutsch\"").replace("Schale", "");
    let import = all.bring_as(&all.shop.api, "csv", file.as_bytes(), json!({})).await;
    assert_eq!(counts(&import), [1, 0, 1, 0, 0], "{:?}", all.flaws(&import).await);
    assert_eq!(all.german(&all.bowl).await.1, BTreeMap::new(), "it says that an empty cell takes away");
    let file = file.replace("\"\",\"done\"", "\" Eine   Schale \",\"done\"");
    let import = all.bring_as(&all.shop.api, "csv", file.as_bytes(), json!({})).await;
    assert_eq!(all.flaws(&import).await[0].1, "deutsch", "what it went out with is gone");
}

#[tokio::test]
async fn translations_whose_every_write_may_fail_end_as_if_nothing_had_been_in_their_way() {
    let scene = Scene::open("imports", None).await;
    words(scene.shop()).await;
    cut_everywhere(&scene, 4, async |scene: &Scene, case: Case| {
        let (shop, run) = (scene.shop(), scene.run());
        let mut products = Vec::new();
        for name in ["Mug", "Bowl"] {
            let product = json!({"title": format!("{name} {run}"), "variants": [{}]});
            let product = at(&shop.done("/v1/products", &product).await, "/id").to_owned();
            says(shop, &product, title("en", name)).await;
            products.push(product);
        }
        let row = |product: &str, source: &str, target: &str| {
            let of = domain::pim::data::Data::text(source).digest();
            format!("{product},title,en,de,{target},{of}-none\n")
        };
        let head = "product,attribute,source_locale,target_locale,target,digest\n";
        let rows = [
            row(&products[0], "Mug", "Becher"),
            row(&products[1], "Bowl", "Schale"),
            row(&products[1], "Jug", "Krug"),
        ];
        let file = format!("{head}{}", rows.concat());
        let new = json!({"name": "de.csv", "of": "translations", "format": "csv", "bytes": file.len()});
        let import = shop.done("/v1/imports", &new).await;
        scene.trouble(case);
        assert_eq!(send_file(shop, &import["upload"], file.as_bytes()).await, 200);
        scene.pass(180).await;
        let done = shop.get(&format!("/v1/imports/{}", at(&import, "/id"))).await;
        let [rows, created, changed, unchanged, refused] = counts(&done);
        assert_eq!((at(&done, "/status"), rows, refused), ("done", 3, 1), "{case:?}: {done}");
        assert_eq!((created + unchanged, changed), (2, 0), "{case:?}");
        for (product, want) in products.iter().zip(["Becher", "Schale"]) {
            let sheet = shop.get(&format!("/v1/products/{product}/sheet")).await;
            assert_eq!(sheet["version"], 2, "{case:?}: {sheet}");
            let values = sheet["values"]["title"].as_array().unwrap();
            assert_eq!(values[0], json!({"locale": "de", "data": want}), "{case:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn what_cannot_be_asked_for_is_refused_with_its_place() {
    let all = Office::open().await;
    let first = json!({"channel": "web", "locale": "de", "format": "csv", "translations": {}});
    let first = at(&all.shop.done("/v1/exports", &first).await, "/id").to_owned();
    let body = |more: Value| {
        let mut body = json!({"channel": "web", "locale": "de", "format": "csv"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    for (body, field, code) in [
        (body(json!({"translations": {}, "format": "google_xml"})), "format", "format"),
        (body(json!({"translations": {}, "since": first})), "since", "forbidden"),
        (body(json!({"since": first})), "since", "other"),
        (body(json!({"translations": {}, "locale": "en"})), "locale", "same"),
        (body(json!({"translations": {"source_locale": "x_y"}})), "translations.source_locale", "format"),
        (body(json!({"translations": {}, "locale": "fr"})), "locale", "unknown"),
    ] {
        let refused = all.shop.refused("/v1/exports", &body, 422, "invalid_value").await;
        assert_eq!(
            (refused.text("/errors/0/field"), refused.text("/errors/0/code")),
            (field, code),
            "{body}"
        );
    }
    let new = json!({"name": "de.csv", "format": "csv", "bytes": 9});
    let refused = all.shop.refused("/v1/imports", &new, 422, "invalid_value").await;
    assert_eq!(refused.text("/errors/0/field"), "profile", "products are read by a profile that says how");
}
