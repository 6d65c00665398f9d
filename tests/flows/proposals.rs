//! What merchants propose products to say: parted by the marketplace's policy, resolved once.

use crate::races::{at_once, open as polite_shop};
use futures::future::BoxFuture;
use http::Method;
use serde_json::{Value, json};
use souk::api::{Answer, Api};
use tests::*;

/// A product that the marketplace keeps, and two merchants who have a say in it.
struct Shared {
    shop: Shop,
    alma: String,
    product: String,
    own: Api,
    other: Api,
}

impl Shared {
    async fn open_in(shop: Shop) -> Self {
        let alma = shop.merchant("alma", json!({"every": "day"})).await;
        let birch = shop.merchant("birch", json!({"every": "day"})).await;
        for (secret, merchant) in [("sk_alma", &alma), ("sk_birch", &birch)] {
            shop.key(secret, &["catalog:write"], Some(merchant)).await;
        }
        let (own, other) = (shop.calls_as("sk_alma"), shop.calls_as("sk_birch"));
        let text = json!({"kind": {"is": "text", "max": 50}});
        for code in ["title", "brand", "care"] {
            shop.done(&format!("/v1/attributes/{code}/set"), &text).await;
        }
        let family = json!({"label": "title", "attributes": {"title": {}, "brand": {}, "care": {}}});
        shop.done("/v1/families/shirt/set", &family).await;
        let product = json!({"title": "Shirt", "variants": [{}]});
        let product = at(&shop.done("/v1/products", &product).await, "/id").to_owned();
        let all = Self { shop, alma, product, own, other };
        let path = format!("/v1/products/{}/sheet", all.product);
        let says = json!({"family": "shirt"}).to_string();
        let said = all.shop.api.send_with(Method::PATCH, &path, &says, &[("if-match", "*")]).await;
        assert_eq!(said.status, 200, "{}", said.body);
        all
    }

    async fn open() -> Self {
        Self::open_in(Shop::open().await).await
    }

    async fn propose(&self, api: &Api, values: Value) -> Answer {
        let path = format!("/v1/products/{}/proposals", self.product);
        api.post(&path, &json!({"says": {"values": values}}), &self.shop.fresh()).await
    }

    /// Alma's proposal of a title, which waits; answers its id.
    async fn title(&self, title: &str) -> String {
        let made = self.propose(&self.own, json!({"title": [{"data": title}]})).await;
        assert_eq!((made.status.as_u16(), made.text("/status")), (201, "pending"), "{}", made.body);
        made.text("/id").to_owned()
    }

    async fn resolve(&self, api: &Api, id: &str, word: &str) -> Answer {
        let body = if word == "decline" { json!({"reason": "no advertisement"}) } else { json!({}) };
        api.post(&format!("/v1/proposals/{id}/{word}"), &body, &self.shop.fresh()).await
    }

    async fn sheet(&self) -> Value {
        self.shop.get(&format!("/v1/products/{}/sheet", self.product)).await
    }

    async fn pending(&self) -> Vec<String> {
        self.shop.settle().await;
        let page = self.shop.get("/v1/proposals").await;
        page["items"].as_array().unwrap().iter().map(|row| at(row, "/id").to_owned()).collect()
    }
}

#[tokio::test]
async fn a_policy_parts_what_is_said_at_once_from_what_waits_for_a_person() {
    let all = Shared::open().await;
    let values =
        json!({"title": [{"data": "Hemd"}], "brand": [{"data": "Lein"}], "care": [{"data": "cold"}]});
    let made = all.propose(&all.own, values).await;
    assert_eq!(made.text("/status"), "pending");
    let waits = json!([{"path": "values/brand", "data": "Lein"}, {"path": "values/title", "data": "Hemd"}]);
    assert_eq!(made.body["changes"], waits);
    let said = all.sheet().await;
    assert_eq!((&said["values"], &said["version"]), (&json!({"care": [{"data": "cold"}]}), &json!(2)));
    let id = made.text("/id").to_owned();
    assert_eq!(all.pending().await, std::slice::from_ref(&id));
    let confirmed = all.resolve(&all.shop.api, &id, "confirm").await;
    assert_eq!(confirmed.text("/status"), "confirmed");
    assert_eq!(all.sheet().await["values"]["title"], json!([{"data": "Hemd"}]));
    assert!(all.pending().await.is_empty());
    // What waits for nobody is confirmed as it comes.
    let made = all.propose(&all.own, json!({"care": [{"data": "warm"}]})).await;
    assert_eq!((made.text("/status"), made.text("/resolved_by")), ("confirmed", "policy"));
    // Another policy: titles are said at once, care waits.
    let policy = json!({"product": "review", "price": "automatic", "title": "automatic", "family": "review",
        "assets": "automatic", "attributes": {"care": "review"}, "otherwise": "automatic"});
    all.shop.done("/v1/proposals/set-policy", &policy).await;
    assert_eq!(all.shop.get("/v1/proposals/policy").await, policy);
    let made = all.propose(&all.own, json!({"title": [{"data": "Bluse"}], "care": [{"data": "hot"}]})).await;
    assert_eq!(made.body["changes"], json!([{"path": "values/care", "data": "hot"}]));
    assert_eq!(all.sheet().await["values"]["title"], json!([{"data": "Bluse"}]));
}

#[tokio::test]
async fn a3_4_only_a_pending_proposal_can_be_resolved_and_the_same_word_again_is_no_news() {
    let all = Shared::open().await;
    for (first, others) in [
        ("confirm", ["decline", "cancel"]),
        ("decline", ["confirm", "cancel"]),
        ("cancel", ["confirm", "decline"]),
    ] {
        let id = all.title(&format!("to {first}")).await;
        let done = all.resolve(&all.shop.api, &id, first).await;
        assert_eq!(done.status, 200, "{first}: {}", done.body);
        let version = all.sheet().await["version"].clone();
        for other in others {
            assert_problem(&all.resolve(&all.shop.api, &id, other).await, 409, "proposal_resolved");
        }
        let again = all.resolve(&all.shop.api, &id, first).await;
        assert_eq!((again.status.as_u16(), &again.body), (200, &done.body));
        assert_eq!(all.sheet().await["version"], version, "{first}");
    }
    assert_eq!(all.sheet().await["values"]["title"], json!([{"data": "to confirm"}]));
}

#[tokio::test]
async fn a3_4_of_a_confirmation_and_a_cancellation_at_once_one_comes_too_late() {
    let all = Shared::open_in(polite_shop().await).await;
    for round in 0..6 {
        let title = format!("Hemd {round}");
        let id = all.title(&title).await;
        let (all, id) = (&all, &id);
        let racers: Vec<BoxFuture<'_, Answer>> = vec![
            Box::pin(all.resolve(&all.shop.api, id, "confirm")),
            Box::pin(all.resolve(&all.own, id, "cancel")),
        ];
        let answers = at_once(racers, round).await;
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409], "{answers:?}");
        let said = all.sheet().await["values"]["title"] == json!([{"data": title}]);
        let status = all.shop.get(&format!("/v1/proposals/{id}")).await["status"].clone();
        assert_eq!(status, if said { "confirmed" } else { "canceled" });
    }
}

#[tokio::test]
async fn a_proposal_is_its_merchants_and_a_person_of_the_marketplace_resolves_it() {
    let all = Shared::open().await;
    let id = all.title("Hemd").await;
    let path = format!("/v1/proposals/{id}");
    assert_problem(&all.other.get(&path).await, 404, "not_found");
    assert_problem(&all.resolve(&all.other, &id, "cancel").await, 404, "not_found");
    assert_problem(&all.resolve(&all.own, &id, "confirm").await, 403, "forbidden");
    assert_problem(&all.other.get(&format!("/v1/proposals?merchant={}", all.alma)).await, 404, "not_found");
    assert_eq!(all.own.get(&path).await.text("/status"), "pending");
    all.shop.settle().await;
    let list = all.own.get("/v1/proposals").await;
    assert_eq!(list.text("/items/0/id"), id);
    assert_eq!(all.other.get("/v1/proposals").await.body["items"], json!([]));
    // A product that another merchant keeps is nobody else's business.
    let product = json!({"merchant": all.alma, "title": "Own", "variants": [{}]});
    let product = at(&all.shop.done("/v1/products", &product).await, "/id").to_owned();
    let says = json!({"says": {"values": {"care": [{"data": "cold"}]}}});
    let answer = all.other.post(&format!("/v1/products/{product}/proposals"), &says, "k").await;
    assert_problem(&answer, 404, "not_found");
}

#[tokio::test]
async fn what_is_proposed_must_be_right_and_a_repeat_is_one_proposal() {
    let all = Shared::open().await;
    let path = format!("/v1/products/{}/proposals", all.product);
    let before = all.shop.contents().await;
    for (says, field) in [
        (json!({"values": {"ghost": [{"data": 1}], "title": [{"data": ""}]}}), "values/ghost"),
        (json!({}), "says"),
        (json!({"reason": "", "family": "shirt"}), "says.reason"),
    ] {
        let refused = all.own.post(&path, &json!({"says": says}), &all.shop.fresh()).await;
        assert_problem(&refused, 422, "invalid_value");
        assert_eq!(refused.text("/errors/0/field"), field);
    }
    let nobodys = all.shop.post(&path, &json!({"says": {"family": null}})).await;
    assert_problem(&nobodys, 422, "invalid_value");
    assert_eq!(nobodys.text("/errors/0/field"), "merchant");
    assert!(all.shop.contents().await == before, "what was refused wrote something");
    let body = json!({"says": {"values": {"title": [{"data": "Hemd"}], "care": [{"data": "cold"}]}}});
    let first = all.own.post(&path, &body, "one").await;
    let again = all.own.post(&path, &body, "one").await;
    assert_eq!((first.status.as_u16(), again.status.as_u16()), (201, 200));
    assert_eq!(again.body, first.body);
    assert_eq!((all.pending().await.len(), all.sheet().await["version"].clone()), (1, json!(2)));
    assert_problem(
        &all.own.post(&path, &json!({"says": {"family": null}}), "one").await,
        422,
        "idempotency_key_reused",
    );
}

/// Between proposal and confirmation the words may change; what no longer can be said is not, and waits on.
#[tokio::test]
async fn what_can_no_longer_be_said_stays_pending() {
    let all = Shared::open().await;
    let id = all.title("A title of thirty characters..").await;
    let shorter = json!({"kind": {"is": "text", "max": 10}});
    all.shop.done("/v1/attributes/title/set", &shorter).await;
    let refused = all.resolve(&all.shop.api, &id, "confirm").await;
    assert_problem(&refused, 422, "invalid_value");
    assert_eq!(refused.text("/errors/0/field"), "values/title");
    assert_eq!(all.pending().await, [id]);
    assert_eq!(all.sheet().await["version"], 1);
}

fn novelty() -> Value {
    json!({
        "new_product": {"title": "Linen shirt", "external_id": "L-1", "variants": [{"gtin": "4006381333931"}]},
        "says": {"reason": "from our new mill", "family": "shirt", "values": {"brand": [{"data": "Lein"}]}},
    })
}

#[tokio::test]
async fn a_product_that_a_merchant_proposes_is_the_marketplaces_once_a_person_has_agreed() {
    let all = Shared::open().await;
    let made = all.own.post("/v1/proposals", &novelty(), "a").await;
    assert_eq!((made.status.as_u16(), made.text("/status")), (201, "pending"), "{}", made.body);
    assert_eq!(made.text("/new_product/title"), "Linen shirt");
    let (id, product) = (made.text("/id").to_owned(), made.text("/product").to_owned());
    let path = format!("/v1/products/{product}");
    assert_problem(&all.shop.api.get(&path).await, 404, "not_found");
    let again = all.own.post("/v1/proposals", &novelty(), "a").await;
    assert_eq!((again.status.as_u16(), again.text("/id")), (200, id.as_str()));
    assert_problem(&all.other.get(&format!("/v1/proposals/{id}")).await, 404, "not_found");
    let confirmed = all.resolve(&all.shop.api, &id, "confirm").await;
    assert_eq!(confirmed.text("/status"), "confirmed", "{}", confirmed.body);
    let kept = all.shop.get(&path).await;
    assert_eq!((at(&kept, "/status"), kept.get("merchant")), ("active", None));
    let sheet = all.shop.get(&format!("{path}/sheet")).await;
    assert_eq!((at(&sheet, "/family"), at(&sheet, "/values/brand/0/data")), ("shirt", "Lein"));
    let told = all.shop.events(&product).await;
    assert!(told.iter().any(|event| event.name == "product.created.v1"));
    // Once: it is resolved, and there is one of that name.
    let declined = all.resolve(&all.shop.api, &id, "decline").await;
    assert_problem(&declined, 409, "proposal_resolved");
    let twice = all.own.post("/v1/proposals", &novelty(), "b").await;
    assert_problem(&twice, 409, "external_id_taken");
}

#[tokio::test]
async fn a_proposed_product_that_says_too_little_is_kept_as_a_draft_and_one_that_is_declined_not_at_all() {
    let all = Shared::open().await;
    let web = json!({"locales": ["en"], "currency": "EUR"});
    all.shop.done("/v1/sales-channels/web/set", &web).await;
    let attributes = json!({"title": {"required": ["web"]}, "brand": {}, "care": {}});
    all.shop.done("/v1/families/shirt/set", &json!({"label": "title", "attributes": attributes})).await;
    let policy = json!({"product": "automatic", "price": "automatic", "title": "review", "family": "review",
        "assets": "automatic", "attributes": {}, "otherwise": "automatic"});
    let first = all.own.post("/v1/proposals", &novelty(), "a").await;
    all.resolve(&all.shop.api, first.text("/id"), "decline").await.ok().unwrap();
    let path = format!("/v1/products/{}", first.text("/product"));
    assert_problem(&all.shop.api.get(&path).await, 404, "not_found");
    all.shop.done("/v1/proposals/set-policy", &policy).await;
    let made = all.own.post("/v1/proposals", &novelty(), "b").await;
    assert_eq!((made.text("/status"), made.text("/resolved_by")), ("confirmed", "policy"));
    assert_eq!(at(&all.shop.get(&path).await, "/status"), "draft");
}

#[tokio::test]
async fn a_proposed_product_must_be_right_in_every_part() {
    let all = Shared::open().await;
    let mut own = novelty();
    own["new_product"]["merchant"] = json!(all.alma);
    let mut bare = novelty();
    bare["new_product"]["title"] = json!("");
    let mut ghost = novelty();
    ghost["new_product"]["categories"] = json!(["nowhere"]);
    let mut says = novelty();
    says["says"]["values"] = json!({"ghost": [{"data": "x"}]});
    for (body, field) in [
        (own, "new_product.merchant"),
        (bare, "new_product.title"),
        (ghost, "categories[0]"),
        (says, "values/ghost"),
    ] {
        let refused = all.own.post("/v1/proposals", &body, &all.shop.fresh()).await;
        assert_problem(&refused, 422, "invalid_value");
        assert_eq!(refused.text("/errors/0/field"), field, "{body}");
    }
}
