//! What is wrong with a file, a row or a request is told where it stands, and writes nothing that it should not.

use crate::imports::{Depot, MUGS, counts, profile};
use crate::imports_cut::zipped;
use serde_json::{Value, json};
use tests::*;

#[tokio::test]
async fn each_row_that_is_wrong_is_told_with_line_column_and_value_and_the_others_are_written() {
    let depot = Depot::open().await;
    let file = "id,merchant,name,sku,price,attr_glaze\n\
        1,alma,\"Mug\nof sand\",m-1,14.50,matte\n\
        ,alma,Jug,m-2,x,\n\
        3,nobody,Bowl,m-3,9,shiny\n\
        4,alma,Plate,m-4\n\
        5,alma,Plate,m-5,9.999,a glaze that is far too long for it\n\
        6,alma,Cup,m-1,9,\n\
        7,,Pot,m-7,9,\n\
        8,alma,Pan,m-8,9,flat\n";
    let import = depot.imported("csv", file.as_bytes(), json!({})).await;
    assert_eq!((at(&import, "/status"), counts(&import)), ("done", [8, 2, 0, 0, 6]));
    let flaw = |column: Option<&str>, value: Option<&str>, message: &str, todo: &str| {
        let mut flaw = json!({"message": message, "todo": todo});
        flaw.as_object_mut().unwrap().extend(column.map(|column| ("column".to_owned(), json!(column))));
        flaw.as_object_mut().unwrap().extend(value.map(|value| ("value".to_owned(), json!(value))));
        flaw
    };
    let row = |line: u64, flaws: &[Value]| json!({"file": "mugs.csv", "line": line, "flaws": flaws});
    let want = json!([
        row(
            4,
            &[
                flaw(
                    Some("id"),
                    Some(""),
                    "it is missing, and a row without it is not taken",
                    "fill the cell"
                ),
                flaw(
                    Some("price"),
                    Some("x"),
                    "`x` is no decimal number like 12.5",
                    "write a plain number, or give its mapping `number` or `decimal_comma`"
                ),
            ]
        ),
        row(
            5,
            &[flaw(
                Some("merchant"),
                Some("nobody"),
                "there is no merchant `nobody`",
                "invite the merchant first, under this external id"
            )]
        ),
        row(
            6,
            &[flaw(
                None,
                None,
                "it has 4 cells, and the header has 6",
                "put cells that have delimiters or line ends in quotes"
            )]
        ),
        row(
            7,
            &[flaw(
                Some("price"),
                Some("9.999"),
                "`9.999` has more decimals than EUR has (2)",
                "correct it, or its mapping's step"
            )]
        ),
        row(
            9,
            &[flaw(
                Some("price"),
                Some("9"),
                "nobody is named who sells it",
                "map a column to `merchant`, or leave out SKU or price"
            )]
        ),
    ]);
    let errors = depot.errors(&import).await;
    let shown: Vec<Value> =
        errors.as_array().unwrap().iter().filter(|row| row["line"] != json!(8)).cloned().collect();
    assert_eq!(json!(shown), want);
    let taken = errors.as_array().unwrap().iter().find(|row| row["line"] == json!(8)).unwrap();
    assert_eq!((at(taken, "/flaws/0/column"), at(taken, "/flaws/0/value")), ("sku", "m-1"));
    assert_eq!(at(taken, "/flaws/0/todo"), "give it a SKU of its own");
    assert_eq!(depot.offers().await, ["m-1 Mug of sand 14.50", "m-8 Pan 9.00"], "a line end is a blank");
    let page = depot.shop.get(&format!("/v1/imports/{}/errors?limit=2", at(&import, "/id"))).await;
    assert_eq!(page["items"], json!([want[0], want[1]]));
    let next = format!("/v1/imports/{}/errors?limit=2&cursor={}", at(&import, "/id"), at(&page, "/next"));
    assert_eq!(depot.shop.get(&next).await["items"], json!([want[2], want[3]]));
}

#[tokio::test]
async fn what_a_sheet_refuses_is_told_by_the_column_that_said_it() {
    let depot = Depot::open().await;
    let glaze = json!({"kind": {"is": "option", "choices": [{"code": "matte"}]}});
    depot.shop.done("/v1/attributes/glaze/set", &glaze).await;
    let import = depot.imported("csv", MUGS.as_bytes(), json!({})).await;
    assert_eq!(counts(&import), [3, 2, 0, 0, 1]);
    let errors = depot.errors(&import).await;
    assert_eq!(at(&errors, "/0/flaws/0/column"), "attr_glaze");
    assert_eq!(at(&errors, "/0/flaws/0/value"), "shiny");
    assert_eq!(at(&errors, "/0/flaws/0/message"), "`shiny` is none of its options");
    let todo = "add it to the attribute's options, or give its mapping a `lookup`";
    assert_eq!(at(&errors, "/0/flaws/0/todo"), todo);
}

#[tokio::test]
async fn a_file_that_cannot_be_read_fails_as_a_whole_says_why_and_writes_nothing() {
    let depot = Depot::open().await;
    let late = format!("{}7,alma,M\u{fffd},m-7,1,\n", MUGS.repeat(40).replace("id,merchant", "9,alma"));
    let late =
        late.replacen("9,alma,name,sku,price,attr_glaze\n", "id,merchant,name,sku,price,attr_glaze\n", 1);
    let latin: Vec<u8> = late.bytes().filter(|byte| !matches!(byte, 0xbf | 0xbd)).collect();
    let archive = zipped(&[("good.csv", MUGS.as_bytes()), ("more.zip", b"x")]);
    let files: [(&str, &[u8], &str); 3] = [
        ("csv", &latin, "no UTF-8: save it as UTF-8 and send it again"),
        ("zip", &archive, "more.zip: it is an archive within the archive"),
        ("xlsx", b"no workbook", "mugs.xlsx: it is no workbook"),
    ];
    for (format, file, why) in files {
        let failed = depot.imported(format, file, json!({})).await;
        assert_eq!((at(&failed, "/status"), counts(&failed)), ("failed", [0; 5]), "{failed}");
        assert!(at(&failed, "/reason").contains(why), "{failed}");
        let told = depot.shop.told(at(&failed, "/id")).await;
        assert_eq!(told, ["import.created.v1", "import.finished.v1"]);
    }
    assert_eq!(depot.offers().await, Vec::<String>::new(), "though its first parts could be read");
}

#[tokio::test]
async fn a_column_whose_name_is_half_a_megabyte_is_told_in_short_and_the_other_rows_are_written() {
    let depot = Depot::open().await;
    let row = |id: &str, column: &str, said: &str| {
        let mut row =
            json!({"id": id, "merchant": "alma", "name": "Mug", "sku": format!("m-{id}"), "price": 9});
        row[column] = json!(said);
        row.to_string()
    };
    let (long, too_much) = (format!("attr_{}", "x".repeat(500_000)), "matte ".repeat(5));
    let file = format!("{}\n{}\n", row("1", &long, &too_much), row("2", "attr_glaze", "matte"));
    let done = depot.imported("jsonl", file.as_bytes(), json!({})).await;
    assert_eq!((at(&done, "/status"), counts(&done)), ("done", [2, 1, 0, 0, 1]), "{done}");
    let errors = depot.errors(&done).await;
    let column = at(&errors, "/0/flaws/0/column");
    assert_eq!((column.starts_with("attr_xxx"), column.chars().count()), (true, 201));
    assert!(at(&errors, "/0/flaws/0/message").chars().count() <= 601);
}

#[tokio::test]
async fn a_merchant_imports_its_own_products_and_sees_its_own_imports() {
    let depot = Depot::open().await;
    let shop = &depot.shop;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    shop.key("sk_birch", &["catalog:write", "catalog:read"], Some(&birch)).await;
    let birch_api = shop.calls_as("sk_birch");
    let new = json!({"name": "mugs.csv", "profile": "mugs", "format": "csv", "bytes": MUGS.len()});
    let import = birch_api.post("/v1/imports", &new, "one").await.ok().unwrap();
    assert_eq!(at(&import, "/merchant"), birch);
    assert_eq!(crate::sending::send_file(shop, &import["upload"], MUGS.as_bytes()).await, 200);
    shop.settle().await;
    let id = at(&import, "/id").to_owned();
    let done = birch_api.get(&format!("/v1/imports/{id}")).await.body;
    assert_eq!((at(&done, "/status"), counts(&done)), ("done", [3, 0, 0, 0, 3]));
    let errors = depot.errors(&done).await;
    let told = "it is another merchant's row: an import writes its merchant's products alone";
    assert_eq!(at(&errors, "/0/flaws/0/message"), told);
    // Without the column they are its own; but what can be said is the operators' to declare.
    let own = MUGS.replace("merchant,", "").replace("alma,", "");
    let new = json!({"name": "mugs.csv", "profile": "mugs", "format": "csv", "bytes": own.len()});
    let import = birch_api.post("/v1/imports", &new, "two").await.ok().unwrap();
    crate::sending::send_file(shop, &import["upload"], own.as_bytes()).await;
    shop.settle().await;
    let done = birch_api.get(&format!("/v1/imports/{}", at(&import, "/id"))).await.body;
    assert_eq!(counts(&done), [3, 1, 0, 0, 2]);
    let errors = depot.errors(&done).await;
    assert_eq!(at(&errors, "/0/flaws/0/message"), "there is no attribute `glaze`");
    assert_eq!(at(&errors, "/0/flaws/0/column"), "attr_glaze");
    let alma = depot.imported("csv", MUGS.as_bytes(), json!({})).await;
    for path in ["", "/errors"] {
        let path = format!("/v1/imports/{}{path}", at(&alma, "/id"));
        assert_problem(&birch_api.get(&path).await, 404, "not_found");
    }
    let cancel = format!("/v1/imports/{}/cancel", at(&alma, "/id"));
    assert_problem(&birch_api.post(&cancel, &json!({}), "three").await, 404, "not_found");
    shop.wait_minutes(5).await;
    assert_eq!(birch_api.get("/v1/imports").await.body["items"].as_array().unwrap().len(), 2);
    assert_eq!(shop.get("/v1/imports").await["items"].as_array().unwrap().len(), 1);
    let more = json!({"of": "categories", "merchant": birch});
    let mut new = new.clone();
    new.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_problem(&birch_api.post("/v1/imports", &new, "four").await, 422, "invalid_value");
}

#[tokio::test]
async fn requests_that_make_no_sense_are_refused_with_their_field() {
    let depot = Depot::open().await;
    let shop = &depot.shop;
    let good = json!({"name": "mugs.csv", "profile": "mugs", "format": "csv", "bytes": 9});
    let cases = [
        ("name", json!(""), "name"),
        ("profile", json!("unknown"), "profile"),
        ("bytes", json!(0), "bytes"),
        ("bytes", json!(200_000_001), "bytes"),
        ("merchant", json!("mer_00000000000000000000000009"), "merchant"),
    ];
    for (field, value, named) in cases {
        let mut bad = good.clone();
        bad[field] = value;
        let answer = shop.refused("/v1/imports", &bad, 422, "invalid_value").await;
        assert_eq!(answer.text("/errors/0/field"), named);
    }
    let mut bad = good.clone();
    (bad["format"], bad["bytes"]) = (json!("xlsx"), json!(20_000_001));
    let answer = shop.refused("/v1/imports", &bad, 422, "invalid_value").await;
    assert_eq!(answer.text("/errors/0/message"), "20000001 is not between 1 and 20000000");
    let path = "/v1/import-profiles/mugs/set";
    let answer = shop.refused(path, &json!({"mappings": []}), 422, "import_profile_size").await;
    assert_eq!(answer.text("/detail"), "a profile has 1 to 500 mappings, not 0");
    let brand = json!({"mappings": [{"from": {"column": "b"}, "to": {"field": "brand"}}]});
    let answer = shop.refused(path, &brand, 422, "invalid_value").await;
    assert_eq!(answer.text("/errors/0/field"), "mappings[0].to");
    let twice = json!({"mappings": [
        {"from": {"column": "a"}, "to": {"field": "title"}}, {"from": {"column": "b"}, "to": {"field": "title"}},
    ]});
    shop.refused(path, &twice, 422, "import_profile_mapping").await;
    let kind = json!({"mappings": [
        {"from": {"columns": "a_"}, "to": {"named": {"kind": {"is": "text", "max": 10_001}}}},
    ]});
    let answer = shop.refused(path, &kind, 422, "import_profile_mapping").await;
    assert_eq!(answer.text("/detail"), "mapping 0: a text has 1 to 10000 characters at the most");
    let (nothing, title) = (json!([{"lookup": {"table": {"": "x"}}}]), json!({"field": "title"}));
    let nothing = json!({"mappings": [{"from": {"column": "a"}, "to": title, "steps": nothing}]});
    shop.refused(path, &nothing, 422, "import_profile_mapping").await;
    let odd = json!({"mappings": [{"from": {"column": "a"}, "to": title, "step": []}]});
    let unnamed = json!({"mappings": [{"from": {"constant": {"": 1}}, "to": title}]});
    for odd in [odd, unnamed] {
        assert_eq!(shop.post(path, &odd).await.status.as_u16(), 400);
    }
    assert_eq!(shop.get("/v1/import-profiles/mugs").await["mappings"], profile()["mappings"]);
}
