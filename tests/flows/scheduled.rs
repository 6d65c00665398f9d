//! Changes of what products say that wait for their time: made once, in nobody's way, whatever goes wrong.

use crate::recurring::cuts::{CUTS, Cuts};
use crate::sheets::{Described, first_shirt};
use serde_json::{Value, json};
use table::due::Work;
use tests::*;

const DUE: &str = "2026-03-05T08:00:00Z";

fn height(height: &str) -> Value {
    json!({"values": {"height": [{"data": height}]}})
}

impl Described {
    fn product(&self) -> &str {
        self.path.rsplit('/').next().unwrap()
    }

    async fn plan(&self, due: &str, mut says: Value) -> Value {
        says["reason"] = json!("the new cut");
        self.shop
            .done("/v1/scheduled-changes", &json!({"product": self.product(), "due": due, "says": says}))
            .await
    }

    async fn change(&self, id: &str) -> Value {
        self.shop.get(&format!("/v1/scheduled-changes/{id}")).await
    }

    async fn is(&self) -> String {
        at(&self.sheet().await, "/values/height/0/data/amount").to_owned()
    }
}

#[tokio::test]
async fn it_is_said_from_its_time_on_and_the_history_has_who_planned_it() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    let planned = all.plan(DUE, height("68")).await;
    let id = at(&planned, "/id");
    assert_eq!((at(&planned, "/status"), &planned["conflicts"]), ("waiting", &json!([])));
    assert_eq!(
        planned["diff"],
        json!([{"path": "values/height", "before": {"amount": "70.5", "unit": "cm"},
        "after": {"amount": "68", "unit": "cm"}}])
    );
    all.shop.settle().await;
    let rows = all.shop.get("/v1/scheduled-changes").await;
    assert_eq!((at(&rows, "/items/0/id"), at(&rows, "/items/0/due")), (id, DUE));
    all.shop.wait_until("2026-03-05T07:59:00Z").await;
    assert_eq!(all.is().await, "70.5");
    all.shop.wait_until("2026-03-05T08:05:00Z").await;
    assert_eq!(all.is().await, "68");
    let done = all.change(id).await;
    assert_eq!((at(&done, "/status"), &done["version"]), ("done", &json!(2)));
    let history = all.history().await;
    assert_eq!(
        (at(&history[0], "/reason"), at(&history[0], "/by")),
        ("the new cut", at(&planned, "/planned_by"))
    );
    assert_eq!(all.shop.get("/v1/scheduled-changes").await["items"], json!([]));
    let of_product = all.shop.get(&format!("/v1/scheduled-changes?product={}", all.product())).await;
    assert_eq!(at(&of_product, "/items/0/status"), "done");
    let cancel = format!("/v1/scheduled-changes/{id}/cancel");
    all.shop.refused(&cancel, &json!({}), 409, "scheduled_change_settled").await;
}

#[tokio::test]
async fn what_somebody_has_said_meanwhile_is_not_overwritten() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    let id = at(&all.plan(DUE, height("68")).await, "/id").to_owned();
    all.says(height("90")).await;
    let waiting = all.change(&id).await;
    assert_eq!(
        waiting["conflicts"],
        json!([{"path": "values/height", "expected": {"amount": "70.5", "unit": "cm"},
        "found": {"amount": "90", "unit": "cm"}}])
    );
    all.shop.wait_until("2026-03-05T08:05:00Z").await;
    let failed = all.change(&id).await;
    assert_eq!(
        (at(&failed, "/status"), at(&failed, "/why")),
        ("failed", "1 of what it was to replace has changed meanwhile, first: values/height")
    );
    assert_eq!(all.is().await, "90");
}

#[tokio::test]
async fn what_is_canceled_is_not_made_and_what_cannot_be_planned_is_refused() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    let id = at(&all.plan(DUE, height("68")).await, "/id").to_owned();
    let canceled = all.shop.done(&format!("/v1/scheduled-changes/{id}/cancel"), &json!({})).await;
    assert_eq!(at(&canceled, "/status"), "canceled");
    all.shop.wait_until("2026-03-06T08:00:00Z").await;
    assert_eq!((all.is().await, at(&all.change(&id).await, "/status")), ("70.5".to_owned(), "canceled"));
    let (product, ghost) = (all.product(), "prd_00000000000000000000000000");
    for (body, status, field) in [
        (json!({"product": product, "due": "2026-03-06T08:00:00Z", "says": height("1")}), 422, "due"),
        (json!({"product": product, "due": "2029-03-06T08:00:00Z", "says": height("1")}), 422, "due"),
        (json!({"product": product, "due": "tomorrow", "says": height("1")}), 422, "due"),
        (json!({"product": "x", "due": "2026-04-01T00:00:00Z", "says": height("1")}), 422, "product"),
        (json!({"product": product, "due": "2026-04-01T00:00:00Z", "says": height("70.5")}), 422, "says"),
        (
            json!({"product": product, "due": "2026-04-01T00:00:00Z", "says": {"values": {"ghost": []}}}),
            422,
            "says",
        ),
        (json!({"product": ghost, "due": "2026-04-01T00:00:00Z", "says": height("1")}), 404, ""),
    ] {
        let code = if status == 404 { "not_found" } else { "invalid_value" };
        let refused = all.shop.refused("/v1/scheduled-changes", &body, status, code).await;
        if status == 422 {
            assert_eq!(at(&refused.body, "/errors/0/field"), field, "{body}");
        }
    }
}

#[tokio::test]
async fn a_merchant_plans_for_its_own_products_and_sees_no_others() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    all.shop.member("ben", &all.alma, &["*"]).await;
    let ben = all.shop.person("ben");
    let body = json!({"product": all.product(), "due": DUE, "says": height("68")});
    let planned = ben.post("/v1/scheduled-changes", &body, "a").await;
    assert_eq!(planned.status, 201, "{}", planned.body);
    let again = ben.post("/v1/scheduled-changes", &body, "a").await;
    assert_eq!((again.status.as_u16(), again.text("/id")), (200, planned.text("/id")));
    let birch = all.shop.merchant("birch", json!({"every": "day"})).await;
    all.shop.member("mia", &birch, &["*"]).await;
    let mia = all.shop.person("mia");
    assert_problem(&mia.post("/v1/scheduled-changes", &body, "b").await, 404, "not_found");
    let path = format!("/v1/scheduled-changes/{}", planned.text("/id"));
    assert_problem(&mia.get(&path).await, 404, "not_found");
    assert_problem(&mia.post(&format!("{path}/cancel"), &json!({}), "c").await, 404, "not_found");
    all.shop.settle().await;
    assert_eq!(mia.get("/v1/scheduled-changes").await.body["items"], json!([]));
    assert_eq!(ben.get("/v1/scheduled-changes").await.text("/items/0/id"), planned.text("/id"));
    let of_product = format!("/v1/scheduled-changes?product={}", all.product());
    assert_problem(&mia.get(&of_product).await, 404, "not_found");
    assert_eq!(ben.get(&of_product).await.body["items"].as_array().unwrap().len(), 1);
}

/// The message of a due change comes three times, and every write of the function goes wrong once in every way.
#[tokio::test]
async fn a18_1_whatever_write_goes_wrong_a_change_is_made_once() {
    let all = Described::open().await;
    all.says(first_shirt()).await;
    let cuts = Cuts::in_the_way_of(&all.shop, &[("scheduled-changes", Some(Work::SheetChange))]);
    let mut writes = 1;
    for round in 0.. {
        let case = (round > 0).then(|| ((round - 1) / 4 + 1, CUTS[(round - 1) % 4]));
        if case.is_some_and(|(nth, _)| nth > writes) {
            break;
        }
        let now = all.shop.market.clock.now();
        let due = (now + jiff::SignedDuration::from_hours(1)).to_string();
        let id = at(&all.plan(&due, height(&(round + 1).to_string())).await, "/id").to_owned();
        let before = all.history().await.len();
        match case {
            None => cuts.none(),
            Some((nth, cut)) => cuts.cut(nth, cut),
        }
        all.shop.market.cloud.advance(jiff::SignedDuration::from_hours(2)).await.unwrap();
        if case.is_none() {
            writes = cuts.writes();
            assert!(writes >= 2, "{writes}");
        }
        cuts.none();
        all.shop.market.cloud.advance(jiff::SignedDuration::from_hours(1)).await.unwrap();
        assert_eq!(at(&all.change(&id).await, "/status"), "done", "{case:?}");
        assert_eq!(all.is().await, (round + 1).to_string());
        assert_eq!(all.history().await.len(), before + 1, "{case:?}");
        let told = json!({"id": "x", "name": "scheduled_change.due.v1", "marketplace": marketplace_id(),
            "at": now, "subject": "x", "step": 0, "actor": "x", "cause": "x", "correlation": "x",
            "data": {"change": id}});
        let answer =
            all.shop.market.cloud.invoke("scheduled-changes", batch(&vec![told.to_string(); 3])).await;
        assert_eq!(answer.unwrap()["batchItemFailures"], json!([]));
        assert_eq!(all.history().await.len(), before + 1, "{case:?}");
    }
}
