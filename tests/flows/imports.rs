//! A catalog comes as a file: sent to a signed address, told of, cut, written part after part; again, at once, with
//! crashes and late messages in between, and stopped half way.

use crate::imports_cut::{workbook, zipped};
use crate::outward_cuts::{Case, Scene, cut_everywhere};
use crate::sending::send_file;
use edge::{Function, World};
use events::Envelope;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use tests::*;

/// A shop with a merchant, and a profile of a source of mugs.
pub(crate) struct Depot {
    pub(crate) shop: Shop,
    pub(crate) alma: String,
}

pub(crate) fn profile() -> Value {
    json!({"mappings": [
        {"from": {"column": "id"}, "to": {"field": "external_id"}, "required": true},
        {"from": {"column": "merchant"}, "to": {"field": "merchant"}},
        {"from": {"column": "name"}, "to": {"field": "title"}, "steps": ["trim"]},
        {"from": {"column": "sku"}, "to": {"field": "sku"}},
        {"from": {"column": "price"}, "to": {"field": "price"}, "steps": ["number", {"money": "EUR"}]},
        {"from": {"columns": "attr_"}, "to": {"named": {"place": {}, "kind": {"is": "text", "max": 20}}},
            "steps": ["trim"]},
    ]})
}

pub(crate) const MUGS: &str = "id,merchant,name,sku,price,attr_glaze\n\
    1,alma,Mug of sand,m-1,14.50,matte\n\
    2,alma,\"Mug, tall\",m-2,16.00,\n\
    3,alma,Bowl,m-3,9,shiny\n";

impl Depot {
    pub(crate) async fn open() -> Self {
        let shop = Shop::open().await;
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        shop.done("/v1/import-profiles/mugs/set", &profile()).await;
        Self { shop, alma }
    }

    /// A new import, waiting for its file.
    pub(crate) async fn awaited(&self, format: &str, file: &[u8], more: Value) -> Value {
        let name = format!("mugs.{format}");
        let mut new = json!({"name": name, "profile": "mugs", "format": format, "bytes": file.len()});
        new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        self.shop.done("/v1/imports", &new).await
    }

    /// One whose file is sent, and all that follows.
    pub(crate) async fn imported(&self, format: &str, file: &[u8], more: Value) -> Value {
        let import = self.awaited(format, file, more).await;
        assert_eq!(send_file(&self.shop, &import["upload"], file).await, 200);
        self.shop.settle().await;
        self.import(at(&import, "/id")).await
    }

    pub(crate) async fn import(&self, id: &str) -> Value {
        self.shop.get(&format!("/v1/imports/{id}")).await
    }

    pub(crate) async fn errors(&self, import: &Value) -> Value {
        self.shop.get(&format!("/v1/imports/{}/errors?limit=100", at(import, "/id"))).await["items"].clone()
    }

    /// Where products, offers, categories and attributes lie, as they lie there.
    async fn catalog(&self) -> Contents {
        let kinds = ["#PRD#", "#OFF#", "#ATT#", "#CAT#"];
        let contents = self.shop.contents().await.into_iter();
        contents.filter(|((pk, _), _)| kinds.iter().any(|kind| pk.contains(kind))).collect()
    }

    /// What the offers of alma are: SKU, title and price.
    pub(crate) async fn offers(&self) -> Vec<String> {
        self.shop.wait_minutes(5).await;
        let offer = |offer: &Value| {
            format!("{} {} {}", at(offer, "/sku"), at(offer, "/title"), at(offer, "/price/amount"))
        };
        let (mut offers, mut cursor): (Vec<String>, _) = (Vec::new(), String::new());
        loop {
            let path = format!("/v1/offers?merchant={}&limit=100{cursor}", self.alma);
            let list = self.shop.get(&path).await;
            offers.extend(list["items"].as_array().unwrap().iter().map(offer));
            match list["next"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        offers.sort();
        offers
    }

    /// What a product of alma's says, and in which version.
    async fn sheet(&self, external_id: &str) -> (u64, Value) {
        let alma = self.alma.parse().unwrap();
        let id = domain::id::ProductId::named(&marketplace_id(), Some(&alma), external_id);
        let sheet = self.shop.get(&format!("/v1/products/{id}/sheet")).await;
        (sheet["version"].as_u64().unwrap(), sheet["values"].clone())
    }
}

pub(crate) fn counts(import: &Value) -> [u64; 5] {
    let count = |name: &str| import["counts"][name].as_u64().unwrap();
    ["rows", "created", "changed", "unchanged", "refused"].map(count)
}

/// So many mugs, in as many parts as there are ninety of them.
fn many(rows: usize) -> String {
    let mut file = "id,merchant,name,sku,price,attr_glaze\n".to_owned();
    for n in 1..=rows {
        writeln!(file, "{n},alma,Mug {n},m-{n},{n}.50,glaze {n}").unwrap();
    }
    file
}

#[tokio::test]
async fn a_file_that_is_sent_becomes_products_with_what_they_say_and_their_offers() {
    let depot = Depot::open().await;
    let import = depot.awaited("csv", MUGS.as_bytes(), json!({})).await;
    let id = at(&import, "/id").to_owned();
    assert_eq!((at(&import, "/status"), counts(&import)), ("awaiting_file", [0; 5]));
    assert_eq!(send_file(&depot.shop, &import["upload"], MUGS.as_bytes()).await, 200);
    depot.shop.settle().await;
    let done = depot.import(&id).await;
    assert_eq!((at(&done, "/status"), counts(&done)), ("done", [3, 3, 0, 0, 0]), "{done}");
    assert_eq!(done.get("upload"), None);
    assert_eq!(depot.offers().await, ["m-1 Mug of sand 14.50", "m-2 Mug, tall 16.00", "m-3 Bowl 9.00"]);
    assert_eq!(depot.sheet("1").await, (1, json!({"glaze": [{"data": "matte"}]})));
    assert_eq!(depot.sheet("2").await, (0, json!({})), "an empty cell says nothing");
    let glaze = depot.shop.get("/v1/attributes/glaze").await;
    assert_eq!(glaze["kind"], json!({"is": "text", "max": 20, "lines": false}), "the profile declares it");
    let told = ["import.created.v1", "import.advanced.v1", "import.finished.v1"];
    assert_eq!(depot.shop.told(&id).await, told);
    assert_eq!(depot.errors(&done).await, json!([]));
    let folder = depot.shop.market.cloud.folder().join("s3/souk-importfiles");
    let left: Vec<String> = crate::sending::walk(&folder);
    assert_eq!(left.iter().filter(|name| name.contains("/sent/") || name.contains("/parts/")).count(), 0);
}

#[tokio::test]
async fn every_format_says_the_same_and_the_same_again_writes_nothing() {
    let depot = Depot::open().await;
    let row = |n, name: &str, price: &str, glaze: &str| {
        json!({"id": n, "merchant": "alma", "name": name, "sku": format!("m-{n}"), "attr_glaze": glaze})
            .to_string()
            .replace("\"id\"", &format!("\"price\":{price},\"id\""))
    };
    let rows = [
        row("1", "Mug of sand", "14.50", "matte"),
        row("2", "Mug, tall", "16.0", ""),
        row("3", "Bowl", "9", "shiny"),
    ];
    let (json_lines, array) = (rows.join("\n"), format!("[\n {}\n]", rows.join(",\n ")));
    let cells = [
        ["id", "merchant", "name", "sku", "price", "attr_glaze"],
        ["1", "alma", "Mug of sand", "m-1", "#14.5", "matte"],
        ["2", "alma", "Mug, tall", "m-2", "#16", ""],
        ["3", "alma", "Bowl", "m-3", "#9", "shiny"],
    ];
    let book = workbook(&cells.map(|row| row.to_vec()));
    let semicolons = MUGS.replace(", ", "\0").replace(',', ";").replace('\0', ", ");
    let mut wide = vec![0xff, 0xfe];
    wide.extend(MUGS.encode_utf16().flat_map(u16::to_le_bytes));
    let archive = zipped(&[("a/mugs.csv", MUGS.as_bytes()), ("mugs.jsonl", json_lines.as_bytes())]);
    let first = depot.imported("csv", MUGS.as_bytes(), json!({})).await;
    assert_eq!(counts(&first), [3, 3, 0, 0, 0]);
    let before = depot.catalog().await;
    let files: [(&str, &[u8], u64); 8] = [
        ("csv", MUGS.as_bytes(), 3),
        ("csv", semicolons.as_bytes(), 3),
        ("csv", &wide, 3),
        ("csv", &[b"\xef\xbb\xbf", MUGS.replace('\n', "\r\n").as_bytes()].concat(), 3),
        ("jsonl", json_lines.as_bytes(), 3),
        ("json", array.as_bytes(), 3),
        ("xlsx", &book, 3),
        ("zip", &archive, 6),
    ];
    for (n, (format, file, rows)) in files.into_iter().enumerate() {
        let again = depot.imported(format, file, json!({})).await;
        assert_eq!(at(&again, "/status"), "done", "{n}: {again}");
        assert_eq!(counts(&again), [rows, 0, 0, rows, 0], "{n}: {}", depot.errors(&again).await);
    }
    assert_eq!(depot.catalog().await, before, "nothing is written");
}

#[tokio::test]
async fn what_has_changed_is_written_and_nothing_else_is() {
    let depot = Depot::open().await;
    depot.imported("csv", MUGS.as_bytes(), json!({})).await;
    let dearer = MUGS.replace("14.50,matte", "15.00,gloss").replace("Bowl", "Small bowl");
    let import = depot.imported("csv", dearer.as_bytes(), json!({})).await;
    assert_eq!(counts(&import), [3, 0, 2, 1, 0]);
    assert_eq!(depot.offers().await, ["m-1 Mug of sand 15.00", "m-2 Mug, tall 16.00", "m-3 Small bowl 9.00"]);
    assert_eq!(depot.sheet("1").await, (2, json!({"glaze": [{"data": "gloss"}]})));
    let product = depot.sheet("3").await;
    assert_eq!(product.0, 1, "it says what it said");
}

#[tokio::test]
async fn rows_of_one_product_are_taken_in_the_order_of_the_file() {
    let depot = Depot::open().await;
    let file = format!("{MUGS}1,alma,Mug of clay,m-1,13.00,raw\n1,alma,Mug of earth,m-1,12.00,glossy\n");
    let import = depot.imported("csv", file.as_bytes(), json!({})).await;
    assert_eq!(counts(&import), [5, 3, 2, 0, 0]);
    assert_eq!(depot.offers().await[0], "m-1 Mug of earth 12.00");
    assert_eq!(depot.sheet("1").await, (3, json!({"glaze": [{"data": "glossy"}]})));
}

#[tokio::test]
async fn a_dry_run_counts_and_tells_the_same_and_writes_nothing() {
    let depot = Depot::open().await;
    let file = format!("{MUGS}4,nobody,Jug,m-4,9,\n5,alma,,m-5,9,\n1,alma,Mug of clay,m-1,13.00,raw\n");
    let before = depot.catalog().await;
    let dry = depot.imported("csv", file.as_bytes(), json!({"dry_run": true})).await;
    assert_eq!((at(&dry, "/status"), counts(&dry)), ("done", [6, 3, 1, 0, 2]));
    assert_eq!(depot.catalog().await, before);
    let wet = depot.imported("csv", file.as_bytes(), json!({})).await;
    assert_eq!((counts(&wet), depot.errors(&wet).await), (counts(&dry), depot.errors(&dry).await));
    assert_ne!(depot.catalog().await, before);
}

#[tokio::test]
async fn categories_come_in_any_order_and_name_what_is_above_them() {
    let depot = Depot::open().await;
    let profile = json!({"mappings": [
        {"from": {"column": "id"}, "to": {"field": "external_id"}},
        {"from": {"column": "path.name"}, "to": {"field": "title"}},
        {"from": {"column": "path.id"}, "to": {"field": "categories"}},
    ]});
    depot.shop.done("/v1/import-profiles/tree/set", &profile).await;
    let row = |id: &str, path: &[&str]| {
        let path: Vec<Value> = path.iter().map(|id| json!({"id": id, "name": format!("The {id}")})).collect();
        json!({"id": id, "path": path})
    };
    let rows = json!([
        row("cups", &["kitchen", "mugs", "cups"]),
        row("kitchen", &["kitchen"]),
        row("mugs", &["kitchen", "mugs"]),
    ]);
    let more = json!({"profile": "tree", "of": "categories"});
    let import = depot.imported("json", rows.to_string().as_bytes(), more.clone()).await;
    assert_eq!(counts(&import), [3, 1, 0, 2, 0], "{}", depot.errors(&import).await);
    let cups = depot.shop.get("/v1/categories/cups").await;
    assert_eq!((at(&cups, "/name"), at(&cups, "/parent")), ("The cups", "mugs"));
    let before = depot.catalog().await;
    let again = depot.imported("json", rows.to_string().as_bytes(), more.clone()).await;
    assert_eq!(counts(&again), [3, 0, 0, 3, 0]);
    assert_eq!(depot.catalog().await, before);
    // Kitchen would lie below what lies below it.
    let circle = json!([row("kitchen", &["cups", "kitchen"])]);
    let import = depot.imported("json", circle.to_string().as_bytes(), more).await;
    assert_eq!(counts(&import), [1, 0, 0, 0, 1]);
    let errors = depot.errors(&import).await;
    assert_eq!(at(&errors, "/0/flaws/0/message"), "category kitchen would lie below itself");
    assert_eq!(at(&errors, "/0/flaws/0/column"), "path.id");
}

#[tokio::test]
async fn two_imports_of_one_file_at_once_end_as_one_does() {
    let (depot, other) = (Depot::open().await, Depot::open().await);
    let file = many(200);
    let one = other.imported("csv", file.as_bytes(), json!({})).await;
    assert_eq!(counts(&one), [200, 200, 0, 0, 0]);
    let (first, second) = (
        depot.awaited("csv", file.as_bytes(), json!({})).await,
        depot.awaited("csv", file.as_bytes(), json!({})).await,
    );
    for import in [&first, &second] {
        assert_eq!(send_file(&depot.shop, &import["upload"], file.as_bytes()).await, 200);
    }
    depot.shop.settle().await;
    let mut created = 0;
    for import in [&first, &second] {
        let done = depot.import(at(import, "/id")).await;
        let [rows, new, _, _, refused] = counts(&done);
        assert_eq!((at(&done, "/status"), rows, refused), ("done", 200, 0));
        created += new;
    }
    assert_eq!(created, 200, "each product is made once");
    assert_eq!(depot.offers().await, other.offers().await);
    assert_eq!(depot.sheet("77").await, other.sheet("77").await);
}

/// A depot in which nothing is heard of files and parts but what a test tells.
struct Quiet {
    depot: Depot,
    function: Function,
}

impl Quiet {
    async fn open() -> Self {
        let depot = Depot::open().await;
        let (cloud, world) = (&depot.shop.market.cloud, &depot.shop.market.world);
        let clock = depot.shop.market.clock.clone();
        let own = World::new(
            cloud.sdk_config("imports"),
            cloud.environment("imports").unwrap(),
            clock,
            world.keys.clone(),
        );
        let function = imports::function(&own.unwrap());
        let requests = function.clone();
        cloud.register(
            "imports",
            Arc::new(move |event: Value| {
                let requests = requests.clone();
                Box::pin(async move {
                    if event.pointer("/Records").is_some() {
                        return Ok(json!({"batchItemFailures": []}));
                    }
                    requests.call(event).await.map_err(|error| edge::chain(error.as_ref()))
                })
            }),
        );
        Self { depot, function }
    }

    async fn tell(&self, body: &Value) {
        let answer = self.function.call(batch(&[body.to_string()])).await.unwrap();
        assert_eq!(answer["batchItemFailures"], json!([]));
    }

    /// A file is sent, and nobody has told of it yet; answers the import and the bucket's word.
    async fn sent(&self, file: &str) -> (String, Value) {
        let import = self.depot.awaited("csv", file.as_bytes(), json!({})).await;
        assert_eq!(send_file(&self.depot.shop, &import["upload"], file.as_bytes()).await, 200);
        self.depot.shop.settle().await;
        let path = at(&import, "/upload/url").split('?').next().unwrap().splitn(4, '/').nth(3).unwrap();
        let (bucket, key) = path.split_once('/').unwrap();
        let word = json!({"bucket": {"name": bucket}, "object": {"key": key, "size": file.len()}});
        (at(&import, "/id").to_owned(), word)
    }

    async fn events(&self, import: &str) -> Vec<Envelope> {
        let events = self.depot.shop.events(import).await.into_iter();
        events.filter(|event| event.name == "import.advanced.v1").collect()
    }

    async fn tell_part(&self, import: &str, number: usize) {
        let event = self.events(import).await.remove(number);
        self.tell(&serde_json::to_value(event).unwrap()).await;
    }
}

#[tokio::test]
async fn a_file_that_is_told_of_five_times_is_cut_once() {
    let quiet = Quiet::open().await;
    let (id, word) = quiet.sent(&many(100)).await;
    for _ in 0..5 {
        quiet.tell(&word).await;
    }
    let running = quiet.depot.import(&id).await;
    assert_eq!((at(&running, "/status"), &running["parts"]), ("running", &json!(2)));
    assert_eq!(quiet.events(&id).await.len(), 1);
    quiet.tell_part(&id, 0).await;
    quiet.tell_part(&id, 1).await;
    quiet.tell(&word).await;
    let done = quiet.depot.import(&id).await;
    assert_eq!((at(&done, "/status"), counts(&done)), ("done", [100, 100, 0, 0, 0]));
}

#[tokio::test]
async fn a_part_that_is_told_of_again_or_late_changes_nothing() {
    let quiet = Quiet::open().await;
    let (id, word) = quiet.sent(&many(200)).await;
    quiet.tell(&word).await;
    for part in [0, 0, 1, 0, 1, 2, 2, 1, 0] {
        let known = quiet.events(&id).await.len();
        quiet.tell_part(&id, part.min(known - 1)).await;
    }
    let done = quiet.depot.import(&id).await;
    assert_eq!((at(&done, "/status"), counts(&done)), ("done", [200, 200, 0, 0, 0]));
    let told = quiet.depot.shop.told(&id).await;
    assert_eq!(told.iter().filter(|name| *name == "import.finished.v1").count(), 1);
}

#[tokio::test]
async fn an_import_that_is_canceled_half_way_goes_no_further_and_keeps_what_is_written() {
    let quiet = Quiet::open().await;
    let (id, word) = quiet.sent(&many(200)).await;
    quiet.tell(&word).await;
    quiet.tell_part(&id, 0).await;
    let half = quiet.depot.import(&id).await;
    assert_eq!((&half["reached"], &half["parts"], counts(&half)), (&json!(1), &json!(3), [90, 90, 0, 0, 0]));
    let canceled = quiet.depot.shop.done(&format!("/v1/imports/{id}/cancel"), &json!({})).await;
    assert_eq!(at(&canceled, "/status"), "canceled");
    quiet.tell_part(&id, 1).await;
    let after = quiet.depot.import(&id).await;
    assert_eq!((at(&after, "/status"), counts(&after)), ("canceled", [90, 90, 0, 0, 0]));
    assert_eq!(quiet.depot.offers().await.len(), 90);
    let folder = quiet.depot.shop.market.cloud.folder().join("s3/souk-importfiles");
    assert_eq!(crate::sending::walk(&folder).iter().filter(|name| name.contains("/parts/")).count(), 0);
    // Again is no news; and what has ended is not canceled.
    let again = quiet.depot.shop.post(&format!("/v1/imports/{id}/cancel"), &json!({})).await;
    assert_eq!((again.status.as_u16(), again.text("/status")), (200, "canceled"));
    let (other, word) = quiet.sent(MUGS).await;
    quiet.tell(&word).await;
    quiet.tell_part(&other, 0).await;
    let path = format!("/v1/imports/{other}/cancel");
    quiet.depot.shop.refused(&path, &json!({}), 409, "import_ended").await;
}

#[tokio::test]
async fn an_import_whose_every_write_may_fail_ends_as_one_that_was_not_disturbed() {
    let scene = Scene::open("imports", None).await;
    scene.shop().done("/v1/import-profiles/mugs/set", &profile()).await;
    cut_everywhere(&scene, 5, async |scene: &Scene, case: Case| {
        let run = scene.run();
        let file = format!(
            "id,merchant,name,sku,price,attr_{run}\n{run}-1,alma,Mug,s{run}-1,4.50,a\n{run}-2,alma,Bowl,s{run}-2,5,b\n\
             {run}-1,alma,Jug,s{run}-1,6.00,c\n{run}-3,alma,,s{run}-3,5,b\n"
        );
        let new = json!({"name": "mugs.csv", "profile": "mugs", "format": "csv", "bytes": file.len()});
        let import = scene.shop().done("/v1/imports", &new).await;
        scene.trouble(case);
        assert_eq!(send_file(scene.shop(), &import["upload"], file.as_bytes()).await, 200);
        scene.pass(180).await;
        let done = scene.shop().get(&format!("/v1/imports/{}", at(&import, "/id"))).await;
        let [rows, created, changed, unchanged, refused] = counts(&done);
        assert_eq!((at(&done, "/status"), rows, refused), ("done", 4, 1), "{case:?}: {done}");
        assert_eq!(created + changed + unchanged, 3, "{case:?}");
        let errors = scene.shop().get(&format!("/v1/imports/{}/errors", at(&import, "/id"))).await;
        assert_eq!(errors["items"].as_array().unwrap().len(), 1, "{case:?}");
        let alma = scene.store().alma.parse().unwrap();
        let mut shown = BTreeMap::new();
        for n in [1, 2] {
            let id = domain::id::ProductId::named(&marketplace_id(), Some(&alma), &format!("{run}-{n}"));
            let product = scene.shop().get(&format!("/v1/products/{id}")).await;
            let sheet = scene.shop().get(&format!("/v1/products/{id}/sheet")).await;
            let offer = domain::id::OfferId::of(&marketplace_id(), &alma, &format!("s{run}-{n}"));
            let offer = scene.shop().get(&format!("/v1/offers/{offer}")).await;
            let said = sheet["values"][run.to_string()][0]["data"].clone();
            shown.insert(n, json!([product["title"], offer["price"]["amount"], said]));
        }
        assert_eq!(shown[&1], json!(["Jug", "6.00", "c"]), "{case:?}");
        assert_eq!(shown[&2], json!(["Bowl", "5.00", "b"]), "{case:?}");
    })
    .await;
}

#[tokio::test]
async fn what_a_merged_product_says_is_no_matter_any_more_and_its_offer_still_changes() {
    let depot = Depot::open().await;
    let shop = &depot.shop;
    let own = json!({"title": "Mug of the maker", "variants": [{"gtin": "4006381333931"}]});
    let kept = at(&shop.done("/v1/products", &own).await, "/id").to_owned();
    let mappings = json!({"mappings": [
        {"from": {"column": "id"}, "to": {"field": "external_id"}},
        {"from": {"column": "merchant"}, "to": {"field": "merchant"}},
        {"from": {"column": "name"}, "to": {"field": "title"}},
        {"from": {"column": "gtin"}, "to": {"field": "gtin"}},
        {"from": {"column": "sku"}, "to": {"field": "sku"}},
        {"from": {"column": "price"}, "to": {"field": "price"}, "steps": [{"money": "EUR"}]},
    ]});
    shop.done("/v1/import-profiles/goods/set", &mappings).await;
    let file = |sku: &str, price: &str| {
        format!("id,merchant,name,gtin,sku,price\n1,alma,Mug of alma,4006381333931,{sku},{price}\n")
    };
    let more = json!({"profile": "goods"});
    let first = depot.imported("csv", file("m-1", "14.50").as_bytes(), more.clone()).await;
    assert_eq!(counts(&first), [1, 1, 0, 0, 0]);
    let pair = at(&shop.get("/v1/duplicates").await, "/items/0/id").to_owned();
    shop.done(&format!("/v1/duplicates/{pair}/merge"), &json!({"keep": kept})).await;
    shop.settle().await;
    let again = depot.imported("csv", file("m-1", "15.00").as_bytes(), more.clone()).await;
    assert_eq!(counts(&again), [1, 0, 1, 0, 0], "{}", depot.errors(&again).await);
    assert_eq!(depot.offers().await, ["m-1 Mug of the maker 15.00"]);
    let same = depot.imported("csv", file("m-1", "15.00").as_bytes(), more.clone()).await;
    assert_eq!(counts(&same), [1, 0, 0, 1, 0]);
    let other = depot.imported("csv", file("m-2", "15.00").as_bytes(), more).await;
    assert_eq!(counts(&other), [1, 0, 0, 0, 1]);
    let told = format!("its product and {kept} are one by now");
    assert_eq!(at(&depot.errors(&other).await, "/0/flaws/0/message"), told);
}
