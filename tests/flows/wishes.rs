//! Wish lists: kept, shown to others, moved to a cart and back; and who hears that goods are there again.

use domain::id::CustomerId;
use futures::future::join_all;
use serde_json::{Value, json};
use souk::api::{Answer, Api};
use table::wish_list::Waiting;
use tests::storefront::*;
use tests::*;

async fn open(api: &Api, name: &str) -> String {
    let answer = api.post("/v1/wish-lists", &json!({"name": name}), "").await;
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.text("/id").to_owned()
}

async fn call(api: &Api, list: &str, word: &str, body: &Value) -> Answer {
    api.post(&format!("/v1/wish-lists/{list}/{word}"), body, "").await
}

async fn wish(api: &Api, list: &str, offer: &str, quantity: u32) -> Value {
    call(api, list, "edit", &json!({"add": [{"offer": offer, "quantity": quantity}]})).await.ok().unwrap()
}

fn notices(list: &Value, item: usize) -> &Value {
    &list["items"][item]["notices"]
}

#[tokio::test]
async fn a_list_tells_on_return_what_has_changed_since_a_thing_came_in() {
    let market = Storefront::stocked(3).await;
    let guest = &market.guest;
    let list = open(guest, "Kitchen").await;
    wish(guest, &list, &market.mug, 2).await;
    wish(guest, &list, &market.bowl, 5).await;
    let shown = wish(guest, &list, &market.scarf, 1).await;
    assert_eq!((notices(&shown, 0), notices(&shown, 1)), (&json!([]), &json!(["insufficient_stock"])));
    assert_eq!(shown["items"][1]["available"], 3);
    for (offer, price) in [(&market.mug, "9.00"), (&market.bowl, "8.00")] {
        let (path, body) = (format!("/v1/offers/{offer}"), json!({"price": eur(price)}).to_string());
        let patch = http::Method::PATCH;
        market.shop.api.send_with(patch, &path, &body, &[("if-match", "*")]).await.ok().unwrap();
    }
    market.shop.done(&format!("/v1/merchants/{}/suspend", market.birch), &json!({"reason": "a trial"})).await;
    let shown = guest.get(&format!("/v1/wish-lists/{list}")).await.ok().unwrap();
    assert_eq!(notices(&shown, 0), &json!(["cheaper_now"]));
    assert_eq!(
        (eur_at(&shown, "/items/0/price"), eur_at(&shown, "/items/0/price_then")),
        ("9.00".into(), "10.00".into())
    );
    assert_eq!(notices(&shown, 1), &json!(["insufficient_stock", "dearer_now"]));
    assert_eq!(notices(&shown, 2), &json!(["unavailable"]));
}

#[tokio::test]
async fn a_thing_moves_between_list_and_cart_and_is_in_exactly_one_of_them() {
    let market = Storefront::open().await;
    let guest = &market.guest;
    let (list, cart) = (open(guest, "Later").await, market.cart().await);
    wish(guest, &list, &market.mug, 2).await;
    wish(guest, &list, &market.scarf, 1).await;
    let moved = call(guest, &list, "to-cart", &json!({"cart": cart, "items": [1]})).await.ok().unwrap();
    assert_eq!(moved["items"].as_array().unwrap().len(), 1);
    let shown = market.show(&cart).await;
    assert_eq!(
        (at(&shown, "/lines/0/offer"), &shown["lines"][0]["quantity"]),
        (market.mug.as_str(), &json!(2))
    );
    // What is gone from the list cannot go again; what nobody sells stays.
    assert_problem(
        &call(guest, &list, "to-cart", &json!({"cart": cart, "items": [1]})).await,
        422,
        "unknown_item",
    );
    market.shop.done(&format!("/v1/merchants/{}/suspend", market.birch), &json!({"reason": "a trial"})).await;
    let refused = call(guest, &list, "to-cart", &json!({"cart": cart, "items": [2]})).await;
    assert_problem(&refused, 422, "invalid_value");
    assert_eq!(guest.get(&format!("/v1/wish-lists/{list}")).await.body["items"].as_array().unwrap().len(), 1);

    let back = call(guest, &list, "from-cart", &json!({"cart": cart, "lines": [1]})).await.ok().unwrap();
    assert_eq!(
        (at(&back, "/items/1/offer"), &back["items"][1]["quantity"]),
        (market.mug.as_str(), &json!(2))
    );
    assert_eq!(market.show(&cart).await["lines"], json!([]));
    let refused = call(guest, &list, "from-cart", &json!({"cart": cart, "lines": [9]})).await;
    assert_problem(&refused, 422, "unknown_line");
}

#[tokio::test]
async fn a_thing_that_is_moved_twice_at_once_moves_once() {
    let market = Storefront::open().await;
    let guest = &market.guest;
    let (list, cart) = (open(guest, "Later").await, market.cart().await);
    wish(guest, &list, &market.mug, 1).await;
    let body = json!({"cart": cart, "items": [1]});
    let answers = join_all((0..4).map(|_| call(guest, &list, "to-cart", &body))).await;
    let went = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((went, &market.show(&cart).await["lines"][0]["quantity"]), (1, &json!(1)));
    // The same request, by its key, is answered as it was.
    wish(guest, &list, &market.bowl, 1).await;
    let (path, body) = (format!("/v1/wish-lists/{list}/to-cart"), json!({"cart": cart, "items": [2]}));
    let ines = market.shop.person("ines");
    assert_problem(
        &ines.post(&path, &json!({"cart": market.cart().await, "items": [9]}), "k").await,
        422,
        "unknown_item",
    );
    let first = guest.post(&path, &body, "tap").await;
    let again = guest.post(&path, &body, "tap").await;
    assert_eq!((first.status, &first.body), (again.status, &again.body));
    assert_eq!(again.headers["idempotent-replayed"], "true");
}

#[tokio::test]
async fn the_link_of_a_guests_list_does_not_say_its_id_which_is_all_that_its_guest_has() {
    let market = Storefront::open().await;
    let list = open(&market.guest, "Wedding").await;
    let link = call(&market.guest, &list, "share", &json!({})).await.ok().unwrap();
    assert!(!link.to_string().contains(&list), "{link}");
}

#[tokio::test]
async fn a_list_is_shown_by_a_link_that_its_owner_closes() {
    let market = Storefront::open().await;
    let (ines, omar) = (market.shop.person("ines"), market.shop.person("omar"));
    let list = open(&ines, "Wedding").await;
    wish(&ines, &list, &market.mug, 6).await;
    let shared = async |token: &str| market.guest.get(&format!("/v1/shared-wish-lists/{token}")).await;
    let link = call(&ines, &list, "share", &json!({})).await.ok().unwrap();
    let first = at(&link, "/token").to_owned();
    let seen = shared(&first).await;
    assert_eq!(
        (seen.status.as_u16(), at(&seen.body, "/name"), &seen.body["id"]),
        (200, "Wedding", &Value::Null)
    );
    assert_eq!(seen.body["items"][0]["quantity"], 6);
    // Who sees it cannot change it.
    for other in [&omar, &market.guest] {
        assert_problem(&other.get(&format!("/v1/wish-lists/{list}")).await, 404, "not_found");
        assert_problem(&call(other, &list, "edit", &json!({"remove": [1]})).await, 404, "not_found");
    }
    // A new link ends the old one, and closing ends all.
    let second = at(&call(&ines, &list, "share", &json!({})).await.ok().unwrap(), "/token").to_owned();
    assert_problem(&shared(&first).await, 404, "not_found");
    assert_eq!(shared(&second).await.status, 200);
    call(&ines, &list, "unshare", &json!({})).await.ok().unwrap();
    assert_problem(&shared(&second).await, 404, "not_found");
    for token in [format!("{second}A"), forged(&second), "x".to_owned()] {
        assert_problem(&shared(&token).await, 404, "not_found");
    }
    market.shop.settle().await;
    let own = ines.get("/v1/wish-lists").await.ok().unwrap();
    assert_eq!((at(&own, "/items/0/name"), &own["items"][0]["shared"]), ("Wedding", &json!(false)));
    assert_eq!(omar.get("/v1/wish-lists").await.body["items"], json!([]));
}

#[tokio::test]
async fn a_list_is_refused_what_it_cannot_hold() {
    let market = Storefront::open().await;
    let guest = &market.guest;
    let list = open(guest, "x").await;
    for (edit, code) in [
        (json!({"add": [{"offer": "off_00000001", "quantity": 1}]}), "invalid_value"),
        (json!({"add": [{"offer": market.mug, "quantity": 0}]}), "invalid_value"),
        (json!({"add": [{"offer": "nonsense"}]}), "invalid_value"),
        (json!({"name": ""}), "invalid_value"),
        (json!({"remove": [7]}), "unknown_item"),
        (json!({"remove": (0..201).collect::<Vec<_>>()}), "wish_list_item_count"),
    ] {
        assert_problem(&call(guest, &list, "edit", &edit).await, 422, code);
    }
    let million = json!({"add": [{"offer": market.mug, "quantity": 1_000_000}]});
    call(guest, &list, "edit", &million).await.ok().unwrap();
    assert_problem(&call(guest, &list, "edit", &million).await, 422, "wish_list_quantity");
    assert_problem(&guest.get("/v1/wish-lists").await, 403, "forbidden");
    assert_problem(&market.shop.api.get(&format!("/v1/wish-lists/{list}")).await, 403, "forbidden");
    assert_problem(&guest.get("/v1/wish-lists/wsh_00000001").await, 404, "not_found");
    // A guest's list is forgotten in the end, a customer's is not.
    let ines = market.shop.person("ines");
    let kept = open(&ines, "Kept").await;
    market.shop.wait_days(181).await;
    assert_problem(&guest.get(&format!("/v1/wish-lists/{list}")).await, 404, "not_found");
    let ines = market.shop.person("ines");
    assert_eq!(ines.get(&format!("/v1/wish-lists/{kept}")).await.status, 200);
}

/// Who was told that the offer is there again.
async fn told(shop: &Shop, offer: &str) -> Vec<String> {
    let key = table::Key::offer(&marketplace_id(), &offer.parse().unwrap());
    let story = shop.market.world.table.story(&key, 500, None).await.unwrap();
    let events = story.items.iter().flat_map(table::outbox::Entry::envelopes);
    let back = events.filter(|event| event.name == "offer.back_in_stock.v1");
    back.map(|event| at(&event.data, "/customer").to_owned()).collect()
}

#[tokio::test]
async fn whoever_waits_for_an_offer_is_told_once_that_it_is_there_again() {
    let market = Storefront::stocked(1).await;
    let shop = &market.shop;
    let waits = async |who: &str, offer: &str| {
        shop.person(who).post("/v1/stock-alerts", &json!({"offer": offer}), "").await
    };
    let refused = waits("ines", &market.mug).await;
    assert_problem(&refused, 422, "invalid_value");
    assert_eq!(at(&refused.body, "/errors/0/code"), "available");
    shop.done(&format!("/v1/stock/{}/adjust", market.mug), &json!({"by": -1, "reason": "broken"})).await;
    for who in ["ines", "omar", "nora"] {
        assert_eq!(waits(who, &market.mug).await.status, 201, "{who}");
        assert_eq!(waits(who, &market.mug).await.status, 200, "{who} waits already");
    }
    assert_problem(&waits("ines", "off_00000001").await, 422, "invalid_value");
    let path = format!("/v1/stock-alerts/{}/cancel", market.mug);
    shop.person("nora").post(&path, &json!({}), "").await.ok().unwrap();
    assert_eq!(shop.person("nora").get("/v1/stock-alerts").await.body["items"], json!([]));
    // A count that finds none tells nobody.
    shop.settle().await;
    assert_eq!(told(shop, &market.mug).await, [""; 0]);
    shop.done(&format!("/v1/stock/{}/receive", market.mug), &json!({"quantity": 5})).await;
    shop.settle().await;
    let mut told_now = told(shop, &market.mug).await;
    told_now.sort();
    let mut want = Vec::new();
    for who in ["ines", "omar"] {
        want.push(
            CustomerId::of(&marketplace_id(), &edge::identity::subject(souk::issuer::ISSUER, who))
                .to_string(),
        );
    }
    want.sort();
    assert_eq!(told_now, want);
    shop.done(&format!("/v1/stock/{}/receive", market.mug), &json!({"quantity": 5})).await;
    shop.settle().await;
    assert_eq!(told(shop, &market.mug).await.len(), 2, "nobody waits any more");
    // Goods came in between the look at the shelf and the note of who waits: nobody has heard of them yet.
    let subject = edge::identity::subject(souk::issuer::ISSUER, "lena");
    let (customer, since) = (CustomerId::of(&marketplace_id(), &subject), shop.market.clock.now());
    let between = Waiting { customer, offer: market.mug.parse().unwrap(), merchant: None, since };
    shop.keep(&between).await;
    waits("lena", &market.mug).await.ok().unwrap();
    shop.settle().await;
    assert_eq!(told(shop, &market.mug).await.len(), 3, "who asks is told");
    // The same wait once more: it was told, and is crossed out.
    shop.keep(&between).await;
    waits("lena", &market.mug).await.ok().unwrap();
    shop.settle().await;
    assert_eq!(told(shop, &market.mug).await.len(), 3, "once");
    assert_eq!(shop.person("lena").get("/v1/stock-alerts").await.body["items"], json!([]));
    // Who waits again is told again.
    shop.done(&format!("/v1/stock/{}/adjust", market.mug), &json!({"by": -10, "reason": "broken"})).await;
    shop.wait_minutes(1).await;
    assert_eq!(waits("ines", &market.mug).await.status, 201);
    shop.done(&format!("/v1/stock/{}/adjust", market.mug), &json!({"by": 2, "reason": "found"})).await;
    shop.settle().await;
    assert_eq!(told(shop, &market.mug).await.len(), 4);
}

#[tokio::test]
async fn whoever_waits_is_told_when_an_order_that_had_the_last_units_is_canceled() {
    let market = Storefront::stocked(2).await;
    let shop = &market.shop;
    let order = market.order().await;
    let waits = async |offer: &str| {
        shop.person("ines").post("/v1/stock-alerts", &json!({"offer": offer}), "").await.status.as_u16()
    };
    // Both mugs are promised; bowl and scarf can be had.
    assert_eq!((waits(&market.mug).await, waits(&market.bowl).await), (201, 422));
    let because = json!({"reason": "changed mind"});
    shop.done(&format!("/v1/orders/{order}/cancel"), &because).await;
    shop.settle().await;
    assert_eq!((told(shop, &market.mug).await.len(), told(shop, &market.bowl).await.len()), (1, 0));
    assert_eq!(shop.person("ines").get("/v1/stock-alerts").await.body["items"], json!([]));
}

#[tokio::test]
async fn whoever_waits_is_told_only_once_it_can_be_bought_whatever_was_in_the_way() {
    let market = Storefront::stocked(1).await;
    let (shop, offer) = (&market.shop, &market.mug);
    let waits =
        async |who: &str| shop.person(who).post("/v1/stock-alerts", &json!({"offer": offer}), "").await;
    let status = async |status: &str| {
        let (path, body) = (format!("/v1/offers/{offer}"), json!({"status": status}).to_string());
        shop.api.send_with(http::Method::PATCH, &path, &body, &[("if-match", "*")]).await.ok().unwrap();
    };
    let merchant = async |word: &str, body: Value| {
        shop.done(&format!("/v1/merchants/{}/{word}", market.alma), &body).await;
    };
    let receive = async || shop.done(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": 5})).await;
    let heard = async || {
        shop.settle().await;
        told(shop, offer).await.len()
    };
    let waiting = async |who: &str| {
        shop.person(who).get("/v1/stock-alerts").await.body["items"].as_array().unwrap().len()
    };

    // There, and not for sale: nothing is told of it, whatever comes in, until it is.
    status("paused").await;
    assert_eq!(waits("ines").await.status, 201);
    receive().await;
    assert_eq!((heard().await, waiting("ines").await), (0, 1));
    status("active").await;
    assert_eq!((heard().await, waiting("ines").await), (1, 0));

    // Its merchant is suspended, of whom somebody waits for another thing too.
    merchant("suspend", json!({"reason": "a trial"})).await;
    let bowl = json!({"offer": market.bowl});
    assert_eq!(shop.person("nora").post("/v1/stock-alerts", &bowl, "").await.status, 201);
    assert_eq!(waits("omar").await.status, 201);
    receive().await;
    assert_eq!((heard().await, waiting("omar").await), (1, 1));
    merchant("reopen", json!({})).await;
    assert_eq!((heard().await, waiting("omar").await), (2, 0));
    assert_eq!((told(shop, &market.bowl).await.len(), waiting("nora").await), (1, 0));

    // Its merchant is on holiday.
    merchant("set-closures", json!({"closures": [{"from": "2026-03-02", "to": "2026-03-20"}]})).await;
    assert_eq!(waits("lena").await.status, 201);
    receive().await;
    assert_eq!((heard().await, waiting("lena").await), (2, 1));
    merchant("set-closures", json!({"closures": []})).await;
    assert_eq!((heard().await, waiting("lena").await), (3, 0));
}

#[tokio::test]
async fn a16_3_what_an_erased_person_wished_for_is_forgotten_and_what_comes_later_stays() {
    let market = Storefront::stocked(1).await;
    let sold = json!({"by": -1, "reason": "broken"});
    market.shop.done(&format!("/v1/stock/{}/adjust", market.mug), &sold).await;
    let ines = market.shop.person("ines");
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example"});
    let id = ines.post("/v1/customers/me", &sign_up, "").await.text("/id").to_owned();
    let list = open(&ines, "Ines's wedding").await;
    let link = call(&ines, &list, "share", &json!({})).await.ok().unwrap();
    let shared = format!("/v1/shared-wish-lists/{}", at(&link, "/token"));
    ines.post("/v1/stock-alerts", &json!({"offer": market.mug}), "").await.ok().unwrap();
    assert_eq!(market.guest.get(&shared).await.status, 200);
    market.shop.settle().await;
    ines.post("/v1/customers/me/erase", &json!({}), "").await.ok().unwrap();
    market.shop.settle().await;
    let key = table::Key::customer(&marketplace_id(), &id.parse().unwrap());
    let story = market.shop.market.world.table.story(&key, 100, None).await.unwrap();
    let events: Vec<_> = story.items.iter().flat_map(table::outbox::Entry::envelopes).collect();
    let erased = events.iter().find(|event| event.name == "customer.erased.v1").unwrap();
    assert_problem(&market.guest.get(&shared).await, 404, "not_found");
    ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
    for path in ["/v1/wish-lists", "/v1/stock-alerts"] {
        assert_eq!(ines.get(path).await.ok().unwrap()["items"], json!([]), "{path}");
    }
    // Told late and twice, the erasure takes nothing that came after it.
    market.shop.wait_minutes(1).await;
    open(&ines, "Garden").await;
    market.shop.settle().await;
    let erased = [serde_json::to_string(erased).unwrap()];
    let answer = market.shop.market.cloud.invoke("wish-lists", batch(&erased)).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
    assert_eq!(ines.get("/v1/wish-lists").await.ok().unwrap()["items"].as_array().unwrap().len(), 1);
}
