//! Customers: they sign up, agree and take it back, keep addresses, take guests' orders along, and are forgotten.

use http::Method;
use serde_json::{Value, json};
use souk::api::{Answer, Api};
use tests::storefront::*;
use tests::*;

const ME: &str = "/v1/customers/me";

fn sign_up() -> Value {
    json!({"name": "Ines Groß", "email": "ines@post.example"})
}

/// The account of a person who signs up.
async fn signed_up(shop: &Shop, sub: &str) -> (Api, Value) {
    let person = shop.person(sub);
    let answer = person.post(ME, &sign_up(), "").await;
    assert_eq!((answer.status.as_u16(), answer.text("/status")), (201, "registered"), "{}", answer.body);
    (person, answer.body)
}

async fn patch(person: &Api, body: &Value, seen: &str) -> Answer {
    let headers = [("if-match", seen)];
    let headers = if seen.is_empty() { &headers[..0] } else { &headers[..] };
    person.send_with(Method::PATCH, ME, &body.to_string(), headers).await
}

async fn add(person: &Api, line: &str) -> Answer {
    let mut home = address();
    home["lines"] = json!([line]);
    person.post(&format!("{ME}/addresses"), &json!({"address": home}), "").await
}

/// Nothing in the table tells a word: no item, no event, no trail, no record of a request.
async fn nothing_tells(shop: &Shop, words: &[&str]) {
    for ((pk, sk), item) in shop.contents().await {
        let text = format!("{item:?}");
        for word in words {
            assert!(!text.contains(word), "{pk} {sk} tells {word}");
        }
    }
}

/// A guest's paid order: its id, its cart, and the signature of its page.
async fn bought(market: &Storefront) -> (String, String, String) {
    let cart = market.ready().await;
    let paid = market.pay(&cart, "57.15", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    market.shop.settle().await;
    let signature = paid.text("/order/page").split_once('=').unwrap().1.to_owned();
    (paid.text("/order/id").to_owned(), cart, signature)
}

/// Whom the first part of an order goes to, as the operator sees it.
async fn recipient(market: &Storefront, order: &str) -> Answer {
    market.shop.api.get(&format!("/v1/merchant-orders/{}/recipient", part(order, 1))).await
}

#[tokio::test]
async fn a_person_signs_up_once_and_changes_what_was_seen() {
    let shop = Shop::open().await;
    let ines = shop.person("ines");
    assert_problem(&ines.get(ME).await, 404, "not_registered");
    assert_problem(&patch(&ines, &json!({}), "*").await, 404, "not_registered");
    let (ines, view) = signed_up(&shop, "ines").await;
    assert_eq!(at(&view, "/since"), START);
    // A second click finds the account; another one is not made.
    let again = ines.post(ME, &sign_up(), "").await;
    assert_eq!((again.status.as_u16(), &again.body), (200, &view));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    let other = json!({"name": "Ines Klein", "email": "ines@post.example"});
    assert_problem(&ines.post(ME, &other, "").await, 409, "already_registered");

    assert_problem(&patch(&ines, &other, "").await, 428, "precondition_required");
    let more = json!({"name": "Ines Klein", "phone": "+49 (30) 123-456", "locale": "de-AT"});
    let changed = patch(&ines, &more, "\"1\"").await;
    assert_eq!((changed.status.as_u16(), changed.text("/name")), (200, "Ines Klein"));
    let kept = ["/email", "/phone", "/locale"].map(|pointer| changed.text(pointer).to_owned());
    assert_eq!(kept, ["ines@post.example", "+4930123456", "de-AT"]);
    assert_problem(&patch(&ines, &json!({"locale": "de"}), "\"1\"").await, 409, "stale");
    let changed = patch(&ines, &json!({"phone": null}), "\"2\"").await;
    assert_eq!(changed.body.get("phone"), None);
    assert_eq!(
        (ines.get(ME).await.body, &changed.headers["etag"]),
        (changed.body, &"\"3\"".parse().unwrap())
    );
    // Systems and guests are nobody's account.
    for other in [&shop.api, &shop.guest()] {
        assert_problem(&other.get(ME).await, 403, "forbidden");
    }
    shop.settle().await;
    nothing_tells(&shop, &["Ines", "Klein", "post.example", "123456"]).await;
}

#[tokio::test]
async fn a16_1_the_moment_of_every_yes_and_no_is_kept() {
    let shop = Shop::open().await;
    let ines = shop.person("ines");
    let mut body = sign_up();
    body["consents"] = json!({"marketing_email": true, "marketing_phone": false});
    let view = ines.post(ME, &body, "").await.body;
    let said = |view: &Value| view["consents"].clone();
    let no = json!({"purpose": "marketing_phone", "given": false, "at": START, "before": []});
    let yes = json!({"purpose": "marketing_email", "given": true, "at": START, "before": []});
    assert_eq!(said(&view), json!([yes, no]));
    shop.wait_until("2026-03-02T10:00:00Z").await;
    // The same again moves no moment and tells nothing.
    let same = patch(&ines, &json!({"consents": {"marketing_email": true}}), "*").await;
    assert_eq!((same.status.as_u16(), said(&same.body)), (200, said(&view)));
    let changed = patch(&ines, &json!({"consents": {"marketing_email": false}}), "\"1\"").await;
    let before = [json!({"given": true, "at": START})];
    let taken_back =
        json!({"purpose": "marketing_email", "given": false, "at": "2026-03-02T10:00:00Z", "before": before});
    assert_eq!(said(&changed.body), json!([taken_back, no]));
    shop.settle().await;
    let id = at(&view, "/id");
    let trail = shop.get(&format!("/v1/audit/{id}")).await;
    let facts = trail["items"].as_array().unwrap().iter();
    let facts: Vec<&Value> = facts.flat_map(|change| change["facts"].as_array().unwrap()).collect();
    let names: Vec<&str> = facts.iter().map(|fact| at(fact, "/name")).collect();
    assert_eq!(
        names,
        ["customer.registered.v1", "customer.consent_changed.v1", "customer.consent_changed.v1"]
    );
    let told = json!([{"purpose": "marketing_email", "given": false, "at": "2026-03-02T10:00:00Z"}]);
    assert_eq!(facts[2]["data"], json!({"customer": id, "consents": told}));
}

#[tokio::test]
async fn addresses_are_kept_in_the_spelling_of_their_country_and_at_most_twenty() {
    let shop = Shop::open().await;
    let (ines, _) = signed_up(&shop, "ines").await;
    let typed = json!({"address": {
        "country": "nl", "name": "M.  Visser", "lines": ["Keizersgracht 1"], "city": "Amsterdam",
        "postal_code": "1015cj",
    }});
    let path = format!("{ME}/addresses");
    let added = ines.post(&path, &typed, "once").await;
    let first = ["/items/0/address/postal_code", "/items/0/address/name", "/items/0/address/country"];
    assert_eq!(first.map(|pointer| added.text(pointer).to_owned()), ["1015 CJ", "M. Visser", "NL"]);
    assert_eq!((added.status.as_u16(), &added.body["items"][0]["default"]), (201, &json!(true)));
    // Sent twice, with its key or without, it is there once.
    for key in ["once", ""] {
        let again = ines.post(&path, &typed, key).await;
        assert_eq!((again.status.as_u16(), &again.body), (200, &added.body));
    }
    for n in 2..=20 {
        assert_eq!(add(&ines, &format!("Lindenweg {n}")).await.status, 201);
    }
    assert_problem(&add(&ines, "Lindenweg 21").await, 409, "address_count");
    ines.post(&format!("{path}/3/prefer"), &json!({}), "").await.ok().unwrap();
    let removed = ines.post(&format!("{path}/3/remove"), &json!({}), "").await.ok().unwrap();
    assert_eq!(removed["items"][0]["default"], true, "the oldest that is left");
    assert_eq!(add(&ines, "Lindenweg 21").await.body["items"][19]["number"], 21);
    let mut moved = address();
    moved["lines"] = json!(["Am Hafen 2"]);
    let set = ines.post(&format!("{path}/21/set"), &json!({"address": moved}), "").await;
    assert_eq!(set.text("/items/19/address/lines/0"), "Am Hafen 2");
    for gone in ["3/remove", "3/prefer", "22/prefer", "x/remove", "+4/remove", "70000/remove"] {
        let answer = ines.post(&format!("{path}/{gone}"), &json!({}), "").await;
        assert_problem(&answer, 404, "not_found");
    }
    let shown = ines.get(&path).await;
    assert_eq!((shown.status.as_u16(), &shown.body), (200, &set.body));
    assert_eq!(ines.get(ME).await.body["addresses"], shown.body["items"]);
    nothing_tells(&shop, &["Visser", "Keizersgracht", "Lindenweg", "Hafen"]).await;
}

#[tokio::test]
async fn what_people_are_called_is_kept_as_given_and_what_would_deceive_is_refused() {
    let shop = Shop::open().await;
    let ines = shop.person("ines");
    let before = shop.contents().await;
    let body = json!({
        "name": "Ines \u{202e}ßorG", "email": "ines\u{2066}@post.example", "phone": "call me", "locale": "de_DE",
    });
    let refused = ines.post(ME, &body, "").await;
    assert_problem(&refused, 422, "invalid_value");
    let fields: Vec<&str> =
        refused.body["errors"].as_array().unwrap().iter().map(|error| at(error, "/field")).collect();
    assert_eq!(fields, ["name", "email", "phone", "locale"]);
    for name in ["", " Ines", "Ines\u{0}", "Ines\nGroß", &"x".repeat(201)] {
        let body = json!({"name": name, "email": "ines@post.example"});
        assert_problem(&ines.post(ME, &body, "").await, 422, "invalid_value");
    }
    for body in [json!({"name": "Ines"}), json!({"name": 1, "email": "a@b.example"}), json!([])] {
        assert_problem(&ines.post(ME, &body, "").await, 400, "malformed_request");
    }
    let mut odd = sign_up();
    odd["consents"] = json!({"everything": true});
    assert_problem(&ines.post(ME, &odd, "").await, 400, "malformed_request");
    assert!(shop.contents().await == before, "what was refused wrote something");
    let name = "Zoë <script>alert(1)</script> 王 \u{200f}עדי";
    let kept = ines.post(ME, &json!({"name": name, "email": "zoë@post.example"}), "").await;
    assert_eq!((kept.status.as_u16(), kept.text("/name")), (201, name), "{}", kept.body);
    let mut there = address();
    there["name"] = json!(name);
    let added = ines.post(&format!("{ME}/addresses"), &json!({"address": there}), "").await;
    assert_eq!(added.text("/items/0/address/name"), name);
    there["lines"] = json!(["Lindenweg \u{202e}5"]);
    let refused = ines.post(&format!("{ME}/addresses"), &json!({"address": there}), "").await;
    assert_problem(&refused, 422, "invalid_value");
    assert_eq!(refused.text("/errors/0/field"), "address.lines");
}

#[tokio::test]
async fn what_was_bought_as_a_guest_goes_along_to_the_account() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let (order, cart, signature) = bought(&market).await;
    let (ines, view) = signed_up(shop, "ines").await;
    let guest = at(&shop.order(&order).await, "/customer").to_owned();
    let before = recipient(&market, &order).await;
    assert_eq!(before.text("/address/name"), "Ines Groß");
    let path = format!("{ME}/claim-order");
    let link = json!({"order": order, "signature": signature});
    let claimed = ines.post(&path, &link, "").await;
    assert_eq!((claimed.status.as_u16(), claimed.text("/id")), (200, order.as_str()), "{}", claimed.body);
    shop.settle().await;
    // Asked again, by the link or by the cart, it is so already.
    for again in [&link, &json!({"cart": cart})] {
        let answer = ines.post(&path, again, "").await;
        assert_eq!((answer.status.as_u16(), &answer.body), (200, &claimed.body));
        assert_eq!(answer.headers["idempotent-replayed"], "true");
    }
    assert_eq!(shop.told(&order).await.iter().filter(|name| *name == "order.claimed.v1").count(), 1);
    assert_eq!(at(&shop.order(&order).await, "/customer"), at(&view, "/id"));
    let list = ines.get(&format!("{ME}/orders")).await;
    let row = json!([{"id": order, "status": "paid", "placed_at": START, "total": eur("57.15")}]);
    assert_eq!(list.body["items"], row);
    let shown = ines.get(&format!("{ME}/orders/{order}")).await;
    assert_eq!(shown.body, claimed.body);
    assert_eq!(ines.get(shown.text("/page")).await.text("/id"), order);
    // The merchant still knows where it goes; the guest that the order had is nobody any more.
    assert_eq!(recipient(&market, &order).await.body, before.body);
    assert_problem(&shop.api.get(&format!("/v1/customers/{guest}")).await, 404, "not_found");
    nothing_tells(shop, &["Ines", "Lindenweg", "post.example"]).await;
}

#[tokio::test]
async fn a1_2_what_is_another_customers_is_not_there() {
    let market = Storefront::open().await;
    let (ines, _) = signed_up(&market.shop, "ines").await;
    let (omar, _) = signed_up(&market.shop, "omar").await;
    let (order, cart, signature) = bought(&market).await;
    let path = format!("{ME}/claim-order");
    let link = json!({"order": order, "signature": signature});
    for wrong in [
        json!({"order": order, "signature": "x"}),
        json!({"order": "ord_00000000000000000000000000", "signature": signature}),
        json!({"cart": "crt_00000000000000000000000000"}),
        json!({"cart": market.ready().await}),
    ] {
        assert_problem(&ines.post(&path, &wrong, "").await, 404, "not_found");
    }
    for unsaid in
        [json!({}), json!({"order": order}), json!({"order": order, "signature": "x", "cart": cart})]
    {
        assert_problem(&ines.post(&path, &unsaid, "").await, 422, "invalid_value");
    }
    ines.post(&path, &link, "").await.ok().unwrap();
    market.shop.settle().await;
    let before = market.shop.contents().await;
    // The link alone does not take it from her.
    for proof in [&link, &json!({"cart": cart})] {
        assert_problem(&omar.post(&path, proof, "").await, 404, "not_found");
    }
    assert_problem(&omar.get(&format!("{ME}/orders/{order}")).await, 404, "not_found");
    assert_eq!(omar.get(&format!("{ME}/orders")).await.body["items"], json!([]));
    for id in [order.as_str(), "x", "ord_", "%FF"] {
        assert_problem(&omar.get(&format!("{ME}/orders/{id}")).await, 404, "not_found");
    }
    assert!(market.shop.contents().await == before, "what was refused wrote something");
}

#[tokio::test]
async fn a16_3_erasure_keeps_the_order_and_removes_who_it_was() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let (ines, view) = signed_up(shop, "ines").await;
    let id = at(&view, "/id").to_owned();
    add(&ines, "Lindenweg 5").await;
    let (order, cart, _) = bought(&market).await;
    ines.post(&format!("{ME}/claim-order"), &json!({"cart": cart}), "").await.ok().unwrap();
    shop.settle().await;
    let whole = shop.order(&order).await;
    let erased = ines.post(&format!("{ME}/erase"), &json!({}), "").await;
    assert_eq!((erased.status.as_u16(), erased.text("/status")), (200, "erased"));
    shop.settle().await;
    // The order is what it was, with its amounts; nobody can tell whose it is.
    assert_eq!(shop.order(&order).await, whole);
    assert_problem(&recipient(&market, &order).await, 404, "recipient_erased");
    assert_problem(&ines.get(ME).await, 404, "not_registered");
    let seen = shop.get(&format!("/v1/customers/{id}")).await;
    let bare = json!({"id": id, "status": "erased", "since": START, "consents": [], "addresses": []});
    assert_eq!(seen, bare);
    let keys = shop.contents().await.into_iter().filter(|((pk, sk), _)| sk == "KEY" && pk.contains("#CUS#"));
    assert_eq!(keys.count(), 0, "no key is left");
    // Asked again, by whomever, it is so already.
    assert_eq!(ines.post(&format!("{ME}/erase"), &json!({}), "").await.body, bare);
    assert_eq!(shop.done(&format!("/v1/customers/{id}/erase"), &json!({})).await, bare);
    // Whoever comes back begins anew: the order is listed, and who it went to stays unknown.
    let back = ines.post(ME, &sign_up(), "").await;
    assert_eq!((back.status.as_u16(), &back.body["addresses"]), (201, &json!([])));
    assert_eq!(ines.get(&format!("{ME}/orders")).await.text("/items/0/id"), order);
    assert_problem(&recipient(&market, &order).await, 404, "recipient_erased");
    shop.settle().await;
    let trail = shop.get(&format!("/v1/audit/{id}")).await;
    let names = trail["items"].as_array().unwrap().iter().map(|change| at(change, "/facts/0/name"));
    let names: Vec<&str> = names.collect();
    assert_eq!(names, ["customer.registered.v1", "customer.erased.v1", "customer.registered.v1"]);
    nothing_tells(shop, &["Ines", "Lindenweg", "post.example"]).await;
}

#[tokio::test]
async fn operators_see_an_account_and_can_forget_even_a_guest() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let (_, view) = signed_up(shop, "ines").await;
    let seen = shop.get(&format!("/v1/customers/{}", at(&view, "/id"))).await;
    assert_eq!(seen, view);
    let (order, ..) = bought(&market).await;
    let guest = at(&shop.order(&order).await, "/customer").to_owned();
    let seen = shop.get(&format!("/v1/customers/{guest}")).await;
    assert_eq!(seen, json!({"id": guest, "status": "no_account", "consents": [], "addresses": []}));
    shop.key("sk_reader", &["customers:read"], None).await;
    let reader = shop.calls_as("sk_reader");
    assert_eq!(reader.get(&format!("/v1/customers/{guest}")).await.status, 200);
    let erase = format!("/v1/customers/{guest}/erase");
    assert_problem(&reader.post(&erase, &json!({}), "k").await, 403, "forbidden");
    assert_eq!(at(&shop.done(&erase, &json!({})).await, "/status"), "erased");
    assert_problem(&recipient(&market, &order).await, 404, "recipient_erased");
    for nobody in ["cus_00000000000000000000000000", "x", "%FF"] {
        assert_problem(&shop.api.get(&format!("/v1/customers/{nobody}")).await, 404, "not_found");
        shop.refused(&format!("/v1/customers/{nobody}/erase"), &json!({}), 404, "not_found").await;
    }
    // Who has neither an account nor an order is nobody.
    let omar = shop.person("omar");
    assert_problem(&omar.post(&format!("{ME}/erase"), &json!({}), "").await, 404, "not_registered");
    // A neighbor's operator does not know her.
    let neighbor = shop.neighbor().await;
    let ines = format!("/v1/customers/{}", at(&view, "/id"));
    assert_problem(&neighbor.get(&ines).await, 404, "not_found");
}

#[tokio::test]
async fn a_merchant_sees_whom_it_ships_to_while_it_ships() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let (order, ..) = bought(&market).await;
    let [own, other] = [part(&order, 1), part(&order, 2)];
    let path = |part: &str| format!("/v1/merchant-orders/{part}/recipient");
    shop.key("sk_alma", &["fulfillment:read"], Some(&market.alma)).await;
    shop.key("sk_clerk", &["orders:read"], Some(&market.alma)).await;
    let alma = shop.calls_as("sk_alma");
    let shown = alma.get(&path(&own)).await;
    let want = json!({"merchant_order": own, "address": address(), "email": "ines@post.example"});
    assert_eq!((shown.status.as_u16(), shown.body), (200, want));
    assert_problem(&alma.get(&path(&other)).await, 404, "not_found");
    assert_problem(&shop.calls_as("sk_clerk").get(&path(&own)).await, 403, "forbidden");
    assert_problem(&market.guest.get(&path(&own)).await, 403, "forbidden");
    for nothing in ["mor_0000000000000000000000000001", "x", "%FF"] {
        assert_problem(&alma.get(&path(nothing)).await, 404, "not_found");
    }
    // On its way and two weeks after its arrival; then nobody needs it any more.
    shop.fulfill(&own).await;
    shop.wait_until("2026-03-16T08:59:59Z").await;
    assert_eq!(alma.get(&path(&own)).await.status, 200);
    shop.wait_until("2026-03-16T09:00:00Z").await;
    assert_problem(&alma.get(&path(&own)).await, 404, "recipient_withheld");
    // Where a channel has sold it, only the channel knows; what is not paid or canceled goes nowhere.
    let sold = shop.paid_order("A-1", json!([line(&market.alma, "mug", 1, "10.00")])).await;
    assert_problem(&alma.get(&path(&part(&sold, 1))).await, 404, "recipient_unknown");
    shop.done(&format!("/v1/orders/{sold}/cancel"), &json!({"reason": "changed mind"})).await;
    shop.settle().await;
    assert_problem(&alma.get(&path(&part(&sold, 1))).await, 404, "recipient_withheld");
    let unpaid = shop.place("A-2", json!([line(&market.alma, "mug", 1, "10.00")]), json!({})).await;
    shop.settle().await;
    let unpaid = part(at(&unpaid, "/id"), 1);
    assert_problem(&alma.get(&path(&unpaid)).await, 404, "recipient_withheld");
}

#[tokio::test]
async fn a_signed_in_shopper_has_one_key_whether_the_account_or_the_order_came_first() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let ines = shop.person("ines");
    // Bought while signed in, without an account: the checkout makes the key, and the sign-up finds it.
    let cart = market.ready().await;
    ines.post(&format!("/v1/carts/{cart}/claim"), &json!({}), "").await.ok().unwrap();
    let pay = format!("/v1/checkouts/{cart}/pay");
    let paid = ines.post(&pay, &by_card("57.15", "tok_approved"), "").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    shop.settle().await;
    let order = paid.text("/order/id").to_owned();
    signed_up(shop, "ines").await;
    assert_eq!(recipient(&market, &order).await.text("/email"), "ines@post.example");
    assert_eq!(ines.get(&format!("{ME}/orders")).await.text("/items/0/id"), order);
    let keys = shop.contents().await.into_keys().filter(|(pk, sk)| sk == "KEY" && pk.contains("#CUS#"));
    assert_eq!(keys.count(), 1);
    // Two windows sign up at once: there is one account.
    let omar = shop.person("omar");
    let body = sign_up();
    let (one, two) = tokio::join!(omar.post(ME, &body, ""), omar.post(ME, &body, ""));
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!((statuses, one.body), ([200, 201], two.body));
}
