//! One cart for all devices of a person: what a guest chose joins it, and every line is accounted for.

use crate::races::{at_once, open as polite_shop};
use futures::future::{BoxFuture, join_all};
use serde_json::{Value, json};
use tests::storefront::*;
use tests::*;

async fn claim(api: &souk::api::Api, cart: &str, body: &Value) -> souk::api::Answer {
    api.post(&format!("/v1/carts/{cart}/claim"), body, "").await
}

/// Ines's cart on another device: two mugs and a bowl.
async fn elsewhere(market: &Storefront, ines: &souk::api::Api) -> String {
    let cart = ines.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
    let add = json!([{"offer": market.mug, "quantity": 2}, {"offer": market.bowl, "quantity": 1}]);
    ines.post(&format!("/v1/carts/{cart}/edit"), &json!({"add": add}), "").await.ok().unwrap();
    cart
}

#[tokio::test]
async fn a_guests_cart_joins_that_of_another_device_and_every_line_is_accounted_for() {
    let market = Storefront::open().await;
    let ines = market.shop.person("ines");
    assert_problem(&ines.get("/v1/carts/current").await, 404, "not_found");
    let cart = elsewhere(&market, &ines).await;
    let guests = market.cart().await;
    let add = json!([{"offer": market.bowl, "quantity": 3}, {"offer": market.scarf, "quantity": 1}]);
    market.edit(&guests, &json!({"add": add, "contact": contact(), "codes": {"add": ["ten"]}})).await;
    let joined = claim(&ines, &guests, &json!({})).await;
    assert_eq!((joined.status.as_u16(), joined.text("/id")), (200, cart.as_str()), "{}", joined.body);
    let line = |offer: &str, outcome: &str, guest: u32, account: u32, quantity: u32| {
        json!({"offer": offer, "outcome": outcome, "guest_quantity": guest, "account_quantity": account,
            "quantity": quantity})
    };
    let lines = [
        line(&market.mug, "kept", 0, 2, 2),
        line(&market.bowl, "changed", 3, 1, 3),
        line(&market.scarf, "added", 1, 0, 1),
    ];
    let merge = json!({"strategy": "larger", "lines": lines, "dropped_codes": []});
    assert_eq!(joined.body["merge"], merge);
    // 2 × 10.00 + 3 × 7.35 + 20.00.
    assert_eq!(eur_at(&joined.body, "/totals/items"), "62.05");
    assert_eq!(
        (at(&joined.body, "/contact/email"), at(&joined.body, "/codes/0/name")),
        ("ines@post.example", "ten")
    );

    // Once, however often it is asked; and the guest's is gone for good.
    let again = claim(&ines, &guests, &json!({})).await;
    assert_eq!(
        (&again.body["merge"], &again.headers["idempotent-replayed"]),
        (&merge, &"true".parse().unwrap())
    );
    assert_eq!(again.body["totals"], joined.body["totals"]);
    for path in ["carts", "checkouts"] {
        let gone = market.guest.get(&format!("/v1/{path}/{guests}")).await;
        assert_problem(&gone, 410, "cart_merged");
    }
    assert_problem(&market.try_edit(&guests, &json!({"add": market.goods()})).await, 410, "cart_merged");
    assert_problem(&claim(&market.shop.person("omar"), &guests, &json!({})).await, 404, "not_found");
    let current = ines.get("/v1/carts/current").await;
    assert_eq!((current.status.as_u16(), current.text("/id")), (200, cart.as_str()));
}

#[tokio::test]
async fn a_code_for_the_guests_cart_alone_goes_along_and_is_good_for_no_other() {
    let market = Storefront::open().await;
    let incentive = json!({"amount": eur("2.00"), "valid_hours": 48});
    let steps = json!([{"after_minutes": 60, "incentive": incentive}]);
    let policy = json!({"steps": steps, "max_messages": 4, "max_messages_days": 7, "attribution_days": 7});
    market.shop.done("/v1/abandoned-carts/policy", &policy).await;
    let guests = market.shop.left_cart(&market.alma, "ines@post.example").await;
    market.shop.wait_minutes(65).await;
    let link = market.shop.cart_link(&guests).await;
    let opened = market.guest.post(&format!("/v1/cart-links/{link}"), &json!({}), "").await.ok().unwrap();
    let code = at(&opened, "/codes/0/name").to_owned();
    let ines = market.shop.person("ines");
    let cart = elsewhere(&market, &ines).await;
    let joined = claim(&ines, &guests, &json!({})).await.ok().unwrap();
    for shown in [&joined, &ines.get(&format!("/v1/carts/{cart}")).await.ok().unwrap()] {
        assert_eq!(at(shown, "/codes/0/name"), code);
        assert_eq!(eur_at(shown, "/codes/0/amount"), "2.00");
    }
    let other = market.cart().await;
    let typed = json!({"add": market.goods(), "codes": {"add": [code]}});
    assert_eq!(market.edit(&other, &typed).await["codes"][0]["reason"], "unknown");
}

#[tokio::test]
async fn a_strategy_that_is_asked_for_decides_and_one_that_does_not_exist_is_refused() {
    let market = Storefront::open().await;
    for (who, strategy, quantities) in [
        ("ines", "sum", vec![(market.mug.clone(), 3), (market.bowl.clone(), 1)]),
        ("omar", "guest", vec![(market.mug.clone(), 1)]),
        ("nora", "account", vec![(market.mug.clone(), 2), (market.bowl.clone(), 1)]),
    ] {
        let person = market.shop.person(who);
        elsewhere(&market, &person).await;
        let guests = market.cart().await;
        market.edit(&guests, &json!({"add": [{"offer": market.mug, "quantity": 1}]})).await;
        let refused = claim(&person, &guests, &json!({"strategy": "newest"})).await;
        assert_eq!(refused.status, 400, "{}", refused.body);
        let joined = claim(&person, &guests, &json!({"strategy": strategy})).await.ok().unwrap();
        let lines = joined["lines"].as_array().unwrap();
        let there: Vec<(String, u64)> = lines
            .iter()
            .map(|line| (at(line, "/offer").to_owned(), line["quantity"].as_u64().unwrap()))
            .collect();
        assert_eq!(there, quantities, "{strategy}");
    }
}

#[tokio::test]
async fn what_is_not_for_sale_any_more_is_dropped_in_the_open() {
    let market = Storefront::open().await;
    let ines = market.shop.person("ines");
    elsewhere(&market, &ines).await;
    let guests = market.cart().await;
    market.edit(&guests, &json!({"add": [{"offer": market.scarf, "quantity": 1}]})).await;
    market.shop.done(&format!("/v1/merchants/{}/suspend", market.birch), &json!({"reason": "a trial"})).await;
    let joined = claim(&ines, &guests, &json!({})).await.ok().unwrap();
    let last = &joined["merge"]["lines"][2];
    assert_eq!((at(last, "/outcome"), at(last, "/reason")), ("dropped", "unavailable"));
    assert_eq!(joined["lines"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn two_devices_that_sign_in_at_once_lose_no_line() {
    let market = Storefront::open().await;
    let ines = market.shop.person("ines");
    let cart = elsewhere(&market, &ines).await;
    let mut guests = Vec::new();
    for offer in [&market.scarf, &market.bowl, &market.mug] {
        let guest = market.cart().await;
        market.edit(&guest, &json!({"add": [{"offer": offer, "quantity": 7}]})).await;
        guests.push(guest);
    }
    let body = json!({});
    let answers = join_all(guests.iter().map(|guest| claim(&ines, guest, &body))).await;
    assert!(answers.iter().all(|answer| answer.status == 200));
    let current = ines.get("/v1/carts/current").await;
    assert_eq!(current.text("/id"), cart);
    let quantities: Vec<_> = current.body["lines"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line["quantity"].as_u64().unwrap())
        .collect();
    assert_eq!(quantities, [7, 7, 7]);
}

#[tokio::test]
async fn two_devices_that_sign_in_at_once_without_a_cart_there_end_with_one() {
    for head_start in 0..6 {
        let market = Storefront::open_in(polite_shop().await, 100).await;
        let ines = market.shop.person("ines");
        let mut guests = Vec::new();
        for offer in [&market.scarf, &market.bowl] {
            let guest = market.cart().await;
            market.edit(&guest, &json!({"add": [{"offer": offer, "quantity": 7}]})).await;
            guests.push(guest);
        }
        let body = json!({});
        let racers = guests.iter().map(|guest| -> BoxFuture<'_, souk::api::Answer> {
            let (ines, body) = (&ines, &body);
            Box::pin(async move { claim(ines, guest, body).await })
        });
        let answers = at_once(racers.collect(), head_start).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{head_start}");
        let current = ines.get("/v1/carts/current").await.ok().unwrap();
        assert!(guests.iter().any(|guest| guest == at(&current, "/id")), "{head_start}");
        let mut lines: Vec<_> = current["lines"].as_array().unwrap().iter().collect();
        lines.sort_by(|a, b| at(a, "/sku").cmp(at(b, "/sku")));
        let lines: Vec<_> = lines.iter().map(|line| (at(line, "/sku"), &line["quantity"])).collect();
        assert_eq!(lines, [("bowl", &json!(7)), ("scarf", &json!(7))], "{head_start}");
    }
}

#[tokio::test]
async fn an_empty_cart_is_not_given_up_with_what_is_put_into_it_meanwhile() {
    for head_start in 0..6 {
        let market = Storefront::open_in(polite_shop().await, 100).await;
        let ines = market.shop.person("ines");
        let cart = ines.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
        let guest = market.cart().await;
        market.edit(&guest, &json!({"add": [{"offer": market.bowl, "quantity": 7}]})).await;
        let (add, edit) =
            (json!({"add": [{"offer": market.scarf, "quantity": 7}]}), format!("/v1/carts/{cart}/edit"));
        let none = json!({});
        let racers: Vec<BoxFuture<'_, souk::api::Answer>> =
            vec![Box::pin(claim(&ines, &guest, &none)), Box::pin(ines.post(&edit, &add, ""))];
        let answers = at_once(racers, head_start).await;
        assert!(answers.iter().all(|answer| answer.status == 200), "{head_start}");
        let [current, former] =
            [ines.get("/v1/carts/current").await, ines.get(&format!("/v1/carts/{cart}")).await];
        // Either the guest's cart joins what was put in before, or it had come first.
        let lines = |answer: &souk::api::Answer| answer.body["lines"].as_array().unwrap().len();
        let first = current.text("/id") == cart;
        assert_eq!((lines(&current), lines(&former)), if first { (2, 2) } else { (1, 1) }, "{head_start}");
    }
}

#[tokio::test]
async fn what_a_guests_cart_holds_is_free_for_the_cart_that_it_joins() {
    let market = Storefront::stocked(3).await;
    let ines = market.shop.person("ines");
    let cart = elsewhere(&market, &ines).await;
    let guests = market.cart().await;
    market.edit(&guests, &json!({"add": [{"offer": market.mug, "quantity": 3}]})).await;
    let held = market.checkout(&guests, "hold", &json!({})).await;
    assert_eq!((held.status.as_u16(), held.text("/held_until")), (200, "2026-03-02T09:10:00Z"));
    let joined = claim(&ines, &guests, &json!({})).await.ok().unwrap();
    let mugs = &joined["lines"][0];
    assert_eq!((&mugs["quantity"], &mugs["problems"]), (&json!(3), &json!([])));
    let held = ines.post(&format!("/v1/checkouts/{cart}/hold"), &json!({}), "").await;
    assert_eq!((held.status.as_u16(), held.text("/held_until")), (200, "2026-03-02T09:10:00Z"));
    // Asked again, it takes nothing from the cart that goes on.
    claim(&ines, &guests, &json!({})).await.ok().unwrap();
    let other = market.cart().await;
    market.edit(&other, &json!({"add": [{"offer": market.mug, "quantity": 1}]})).await;
    let line = &market.show(&other).await["lines"][0];
    assert_eq!(
        (at(line, "/problems/0/code"), &line["problems"][0]["available"]),
        ("insufficient_stock", &json!(0))
    );
}

#[tokio::test]
async fn a8_3_a_cart_that_is_being_paid_joins_nothing() {
    let market = Storefront::open().await;
    let ines = market.shop.person("ines");
    elsewhere(&market, &ines).await;
    let guests = market.ready().await;
    let waits = market.pay(&guests, "57.15", "tok_timeout_approved").await;
    assert_eq!(waits.status, 202, "{}", waits.body);
    let refused = claim(&ines, &guests, &json!({})).await;
    assert_eq!(refused.status, 409, "{}", refused.body);
}

#[tokio::test]
async fn the_first_cart_of_a_person_is_the_guests_own() {
    let market = Storefront::open().await;
    let ines = market.shop.person("ines");
    let guests = market.ready().await;
    let claimed = claim(&ines, &guests, &json!({})).await.ok().unwrap();
    assert_eq!((at(&claimed, "/id"), &claimed["merge"]), (guests.as_str(), &Value::Null));
    assert_eq!(ines.get("/v1/carts/current").await.text("/id"), guests);
    // A cart that was ordered is nobody's current one.
    let pay = by_card("57.15", "tok_approved");
    let paid = ines.post(&format!("/v1/checkouts/{guests}/pay"), &pay, "").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    assert_problem(&ines.get("/v1/carts/current").await, 404, "not_found");
    market.shop.settle().await;
}
