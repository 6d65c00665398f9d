//! What a product says in one language beside another: rows go out, come back, and are stale when their source changes.

use crate::sheets::{Described, first_shirt};
use serde_json::{Value, json};
use tests::*;

/// Where the title stands in German, with what it says in English beside it.
async fn rows(all: &Described) -> Vec<Value> {
    let page = all.shop.get(&format!("{}/translations?target_locale=de", all.path)).await;
    assert_eq!((at(&page, "/source_locale"), at(&page, "/target_locale")), ("en", "de"));
    page["rows"].as_array().unwrap().clone()
}

async fn status(all: &Described) -> String {
    at(&rows(all).await[0], "/status").to_owned()
}

fn title(locale: &str, text: Value) -> Value {
    json!({"values": {"title": [{"locale": locale, "data": text}]}})
}

async fn take(all: &Described, row: &Value, target: &str, done: bool) -> Value {
    let row =
        json!({"path": row["path"], "of": row["of"], "was": row["was"], "target": target, "done": done});
    let body = json!({"source_locale": "en", "rows": [row], "reason": "from the agency"});
    all.shop.done(&format!("{}/translations/take", all.path), &body).await
}

#[tokio::test]
async fn a_row_goes_out_and_comes_back_and_is_stale_once_its_source_says_something_else() {
    let all = Described::open().await;
    all.says(title("en", json!("Shirt"))).await;
    let out = rows(&all).await;
    assert_eq!(out.len(), 1);
    assert_eq!((at(&out[0], "/path"), at(&out[0], "/status")), ("values/title/de", "missing"));
    assert_eq!((at(&out[0], "/source"), out[0].get("target")), ("Shirt", None));
    let taken = take(&all, &out[0], "Hemd", false).await;
    assert_eq!((&taken["taken"], &taken["refused"], &taken["version"]), (&json!(1), &json!([]), &json!(2)));
    assert_eq!(status(&all).await, "draft");
    take(&all, &out[0], "Hemd", true).await;
    assert_eq!(status(&all).await, "done");
    assert_eq!(at(&rows(&all).await[0], "/target"), "Hemd");
    all.says(title("en", json!("Blouse"))).await;
    assert_eq!(status(&all).await, "stale");
    // What was translated from what is said no more is refused, and nothing is written.
    let before = all.shop.contents().await;
    let late = take(&all, &out[0], "Oberhemd", true).await;
    assert_eq!(late["taken"], 0);
    assert_eq!((&late["refused"][0]["row"], at(&late, "/refused/0/code")), (&json!(0), "changed"));
    assert!(all.shop.contents().await == before);
    let now = rows(&all).await;
    let again = take(&all, &now[0], "Bluse", true).await;
    assert_eq!(again["taken"], 1);
    // What somebody has said since the row went out is not written over.
    let overtaken = take(&all, &now[0], "Damenbluse", true).await;
    assert_eq!((&overtaken["taken"], at(&overtaken, "/refused/0/code")), (&json!(0), "overtaken"));
    assert_eq!(status(&all).await, "done");
    let history = all.history().await;
    assert_eq!(at(&history[0], "/reason"), "from the agency");
}

#[tokio::test]
async fn what_is_written_by_hand_follows_its_source_from_then_on() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    assert_eq!(status(&all).await, "done");
    all.says(title("en", json!("Blouse"))).await;
    assert_eq!(status(&all).await, "stale");
    let quality = all.sheet().await["quality"].clone();
    let web_de = quality.as_array().unwrap().iter().find(|one| one["locale"] == "de").unwrap();
    assert!(
        web_de["reasons"].as_array().unwrap().iter().any(|reason| reason["rule"] == "translations"),
        "{web_de}"
    );
    all.says(title("de", json!("Bluse"))).await;
    assert_eq!(status(&all).await, "done");
}

#[tokio::test]
async fn rows_that_cannot_be_taken_are_told_by_number_and_the_others_are_taken() {
    let all = Described::open().await;
    all.says(title("en", json!("Shirt"))).await;
    let out = rows(&all).await;
    let row =
        |path: &str, target: Value| json!({"path": path, "of": out[0]["of"], "target": target, "done": true});
    let body = json!({"source_locale": "en", "rows": [
        row("values/title/en", json!("Shirt")),
        row("values/color", json!("rot")),
        row("values/title/de", json!("x".repeat(151))),
        row("values/title/de", json!("Hemd")),
        row("variants/1/values/title/de", json!("Hemd")),
    ]});
    let taken = all.shop.done(&format!("{}/translations/take", all.path), &body).await;
    let told = taken["refused"].as_array().unwrap().iter();
    let told: Vec<_> = told.map(|one| (one["row"].as_u64().unwrap(), at(one, "/code"))).collect();
    assert_eq!(told, [(0, "no_target"), (1, "no_target"), (2, "invalid_value"), (4, "gone")]);
    assert_eq!(taken["taken"], 1);
    assert_eq!(at(&rows(&all).await[0], "/target"), "Hemd");
}

#[tokio::test]
async fn what_cannot_be_asked_is_refused_with_its_place() {
    let all = Described::open().await;
    let path = format!("{}/translations", all.path);
    for (asked, field) in [
        ("", "target_locale"),
        ("?target_locale=german", "target_locale"),
        ("?target_locale=de&source_locale=x_y", "source_locale"),
        ("?target_locale=en", "target_locale"),
    ] {
        let refused = all.shop.api.get(&format!("{path}{asked}")).await;
        assert_problem(&refused, 422, "invalid_value");
        assert_eq!(at(&refused.body, "/errors/0/field"), field, "{asked}");
    }
    let take = format!("{path}/take");
    let rows = json!({"source_locale": "en", "rows": []});
    all.shop.refused(&take, &rows, 422, "invalid_value").await;
    let place = json!({"source_locale": "en", "rows": [{"path": "title", "of": "x", "target": "Hemd"}]});
    all.shop.refused(&take, &place, 422, "invalid_value").await;
    all.shop.member("ben", &all.alma, &["*"]).await;
    let member = all.shop.person("ben");
    assert_eq!(member.get(&format!("{path}?target_locale=de")).await.status, 200);
    let birch = all.shop.merchant("birch", json!({"every": "day"})).await;
    all.shop.member("mia", &birch, &["*"]).await;
    let other = all.shop.person("mia");
    assert_problem(&other.get(&format!("{path}?target_locale=de")).await, 404, "not_found");
}
