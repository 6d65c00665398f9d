//! Operators' texts, who gets which message by which way, what merchants and operators read, and the list of it all.

use serde_json::{Value, json};
use souk::cloud::Mail;
use tests::storefront::Storefront;
use tests::*;

fn mails(shop: &Shop) -> Vec<Mail> {
    shop.market.cloud.mails().unwrap()
}

/// What was sent to an address: the subjects, the first first.
fn subjects(shop: &Shop, to: &str) -> Vec<String> {
    let mails = mails(shop).into_iter().filter(|mail| mail.to == [to]);
    mails.map(|mail| mail.header("Subject")).collect()
}

async fn messages(shop: &Shop, query: &str) -> Vec<Value> {
    shop.get(&format!("/v1/messages?limit=100{query}")).await["items"].as_array().unwrap().clone()
}

/// The newest message of a kind.
async fn message(shop: &Shop, kind: &str) -> Value {
    let all = messages(shop, "").await;
    all.into_iter().find(|one| at(one, "/kind") == kind).unwrap_or_else(|| panic!("no {kind}"))
}

/// A text of an operator's own: what it says is what a reader finds.
fn own(words: &str) -> Value {
    json!({
        "subject": format!("{words}: {{{{ number }}}}"),
        "mjml": format!(
            "<mjml><mj-body><mj-section><mj-column><mj-text>{words} for {{{{ name }}}}</mj-text></mj-column>\
             </mj-section></mj-body></mjml>"
        ),
        "text": format!("{words}, {{{{ name }}}}: {{% for sum in sums %}}{{{{ sum.amount }}}};{{% endfor %}}"),
    })
}

async fn save(shop: &Shop, place: &str, words: &str) -> Value {
    shop.done(&format!("/v1/message-templates/{place}/save"), &own(words)).await
}

/// Where a merchant reads, and in which language.
async fn contact_of(shop: &Shop, merchant: &str, email: &str, locale: &str, rules: Value) {
    let contact = json!({"emails": [email], "locale": locale, "rules": rules});
    shop.done(&format!("/v1/messages/contacts/{merchant}"), &contact).await;
}

#[tokio::test]
async fn an_operators_text_is_in_force_at_once_and_the_platforms_again_after_a_reset() {
    let store = Storefront::open().await;
    let (shop, path) = (&store.shop, "/v1/message-templates/order_confirmed/en");
    assert_eq!(shop.get(path).await["version"], json!(0));
    assert_eq!(save(shop, "order_confirmed/en", "Thanks").await["version"], json!(1));
    let order = store.order().await;
    let mail = mails(shop).pop().unwrap();
    assert_eq!(mail.header("Subject"), format!("Thanks: {order}"));
    assert_eq!(mail.text().trim_end(), "Thanks, Ines Groß: €9.80;€57.15;");
    assert!(mail.html().contains("Thanks for Ines Groß"), "{}", mail.html());
    let id = at(&message(shop, "order_confirmed").await, "/id").to_owned();
    assert_eq!(shop.get(&format!("/v1/messages/{id}")).await["template"], json!(1));
    // What is saved again as it is makes no version.
    assert_eq!(save(shop, "order_confirmed/en", "Thanks").await["version"], json!(1));
    shop.done(&format!("{path}/reset"), &json!({})).await;
    let order = store.order().await;
    assert_eq!(mails(shop).pop().unwrap().header("Subject"), format!("Your order {order}"));
    // An older version comes back as a new one.
    let restored = shop.done(&format!("{path}/restore"), &json!({"version": 1})).await;
    assert_eq!(restored["version"], json!(3));
    let order = store.order().await;
    assert_eq!(mails(shop).pop().unwrap().header("Subject"), format!("Thanks: {order}"));
    shop.refused(&format!("{path}/restore"), &json!({"version": 9}), 404, "not_found").await;
    let list = shop.get(&format!("{path}/versions")).await;
    let list: Vec<(u64, bool, bool)> = list["items"].as_array().unwrap().iter().map(version).collect();
    assert_eq!(list, [(3, false, true), (2, true, true), (1, false, true)]);
    let first = shop.get(&format!("{path}/versions?limit=1")).await;
    let rest = shop.get(&format!("{path}/versions?limit=1&cursor={}", at(&first, "/next"))).await;
    assert_eq!((&first["items"][0]["version"], &rest["items"][0]["version"]), (&json!(3), &json!(2)));
    let other = shop.get("/v1/message-templates/order_confirmed/de/versions").await;
    assert_eq!(other["items"], json!([]), "each language has its own");
}

/// Its number, whether it was the platform's, whether its author is known.
fn version(one: &Value) -> (u64, bool, bool) {
    let (author, moment) = (at(one, "/saved_by"), at(one, "/saved_at"));
    let known = author.starts_with("key:") && moment == "2026-03-02T09:00:00Z";
    (one["version"].as_u64().unwrap(), one["builtin"] == true, known)
}

#[tokio::test]
async fn a_text_that_is_of_no_use_is_refused_with_what_is_wrong_and_where() {
    let store = Storefront::open().await;
    let (shop, path) = (&store.shop, "/v1/message-templates/order_confirmed/en");
    let endless = "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}";
    let long = "{% for a in range(9000) %}0123456789012345678901234567890123456789{% endfor %}";
    let broken = "<mjml>\n<mj-body>\n<mj-section></mj-body></mjml>";
    let include = "<mjml><mj-body><mj-include path=\"/etc/passwd\" /></mj-body></mjml>";
    for (part, text, says) in [
        ("subject", "{{ number", "line 1"),
        ("subject", "", "1 to 60000 bytes"),
        ("text", "one\ntwo\n{% if %}", "line 3"),
        ("text", endless, "a loop without an end?"),
        ("text", long, "longer than 300000 bytes"),
        ("mjml", broken, "line 3"),
        ("mjml", include, "line 1"),
        ("mjml", "no markup", "line 1"),
    ] {
        let mut body = own("Thanks");
        body[part] = json!(text);
        for word in ["save", "check"] {
            let refused = shop.refused(&format!("{path}/{word}"), &body, 422, "invalid_value").await;
            assert_eq!(refused.text("/errors/0/field"), part, "{}", refused.body);
            let said = refused.body["errors"][0].to_string();
            assert!(said.contains(says), "{part}: {text}\n{said}");
        }
    }
    assert_eq!(shop.get(path).await["version"], json!(0), "nothing was saved");
    assert_eq!(shop.get(&format!("{path}/versions")).await["items"], json!([]));
    for nowhere in ["order_lost/en", "order_confirmed/xx", "order_confirmed/../en"] {
        let answer = shop.api.get(&format!("/v1/message-templates/{nowhere}")).await;
        assert_eq!(answer.status, 404, "{nowhere}: {}", answer.body);
    }
}

#[tokio::test]
async fn a_reader_gets_the_nearest_language_that_there_is_a_text_of() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    contact_of(shop, &store.alma, "hello@alma.example", "de-AT", json!([])).await;
    contact_of(shop, &store.birch, "hello@birch.example", "fr-CA", json!([])).await;
    let alma = || subjects(shop, "hello@alma.example").pop().unwrap();
    store.order().await;
    assert!(alma().starts_with("Neue Bestellung"), "the platform's German: {}", alma());
    let birch = subjects(shop, "hello@birch.example").pop().unwrap();
    assert!(birch.starts_with("New order"), "the marketplace's language: {birch}");
    save(shop, "merchant_order/de", "Hallo").await;
    store.order().await;
    assert!(alma().starts_with("Hallo: "), "{}", alma());
    save(shop, "merchant_order/de-AT", "Servus").await;
    store.order().await;
    assert!(alma().starts_with("Servus: "), "{}", alma());
    save(shop, "merchant_order/fr", "Bonjour").await;
    store.order().await;
    let birch = subjects(shop, "hello@birch.example").pop().unwrap();
    assert!(birch.starts_with("Bonjour: "), "{birch}");
    shop.done("/v1/message-templates/merchant_order/de-AT/reset", &json!({})).await;
    store.order().await;
    assert!(alma().starts_with("Hallo: "), "after the reset the wider one: {}", alma());
    // In neither language has the platform words of its own: a reset, and a look, answer the nearest that it has.
    for (locale, word) in [("de-AT", "Neue Bestellung"), ("fr", "New order")] {
        let path = format!("/v1/message-templates/merchant_order/{locale}");
        let reset = shop.done(&format!("{path}/reset"), &json!({})).await;
        assert_eq!((&reset["version"], &reset["locale"]), (&json!(0), &json!(locale)));
        assert!(at(&reset, "/subject").starts_with(word), "{reset}");
        assert_eq!(shop.get(&path).await, reset);
    }
}

#[tokio::test]
async fn rules_say_who_gets_what_by_which_way_and_a_merchants_come_before_the_marketplaces() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    contact_of(shop, &store.alma, "hello@alma.example", "en", json!([])).await;
    let off = json!([{"kind": "merchant_order", "reader": "merchant", "channels": []}]);
    contact_of(shop, &store.birch, "hello@birch.example", "en", off).await;
    let rule =
        |kind: &str, reader: &str, ways: &[&str]| json!({"kind": kind, "reader": reader, "channels": ways});
    let routing = json!({
        "rules": [
            rule("order_confirmed", "customer", &[]),
            rule("shipped", "customer", &["sms"]),
            rule("delivered", "customer", &["push", "email"]),
            rule("merchant_order", "operators", &["email"]),
        ],
        "operators": ["ops@shop.example", "more@shop.example"], "reply_to": "help@shop.example",
    });
    shop.done("/v1/messages/routing", &routing).await;
    let order = store.order().await;
    assert_eq!(subjects(shop, "ines@post.example"), Vec::<String>::new(), "the kind is off");
    assert_eq!(subjects(shop, "hello@alma.example").len(), 1);
    assert_eq!(subjects(shop, "hello@birch.example").len(), 0, "it wants none");
    // Two parts, and both operators hear of each.
    assert_eq!((subjects(shop, "ops@shop.example").len(), subjects(shop, "more@shop.example").len()), (2, 2));
    assert!(mails(shop).iter().all(|mail| mail.header("Reply-To") == "<help@shop.example>"));
    let because: Vec<(String, String)> = messages(shop, "")
        .await
        .iter()
        .map(|one| (at(one, "/recipient").to_owned(), at(one, "/because").to_owned()))
        .collect();
    let count = |who: &str, why: &str| because.iter().filter(|(w, y)| w == who && y == why).count();
    assert_eq!((count("operators", "marketplace"), count("merchant", "default"), because.len()), (4, 1, 5));
    shop.fulfill(&part(&order, 1)).await;
    shop.settle().await;
    // There is no number to send to, and push goes by the port that only logs.
    assert_eq!(subjects(shop, "ines@post.example").len(), 1, "delivered, by mail");
    let delivered: Vec<String> = messages(shop, "")
        .await
        .iter()
        .filter(|one| at(one, "/kind") == "delivered")
        .map(|one| format!("{} {}", at(one, "/channel"), at(one, "/status")))
        .collect();
    assert_eq!(delivered.len(), 2, "{delivered:?}");
    assert!(delivered.contains(&"push sent".to_owned()) && delivered.contains(&"email sent".to_owned()));
    for (rules, field) in [
        (json!([rule("order_confirmed", "merchant", &["email"])]), "rules[0].reader"),
        (json!(vec![rule("payout", "merchant", &[]); 61]), "rules"),
    ] {
        let refused =
            shop.refused("/v1/messages/routing", &json!({"rules": rules}), 422, "invalid_value").await;
        assert_eq!(refused.text("/errors/0/field"), field, "{}", refused.body);
    }
}

#[tokio::test]
async fn a_merchant_reads_of_its_invitation_its_orders_and_its_money() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    contact_of(shop, &store.alma, "hello@alma.example", "en", json!([])).await;
    let order = store.order().await;
    let (alma, birch) = (part(&order, 1), part(&order, 2));
    shop.fulfill(&alma).await;
    shop.fulfill(&birch).await;
    shop.wait_days(21).await;
    let read = subjects(shop, "hello@alma.example");
    assert_eq!(read.len(), 2, "{read:?}");
    assert!(read[0].starts_with(&format!("New order {alma}")), "{read:?}");
    let of_alma = messages(shop, &format!("&merchant={}", store.alma)).await;
    let payout = of_alma.into_iter().find(|one| at(one, "/kind") == "payout").unwrap();
    assert_eq!((at(&payout, "/of"), at(&payout, "/merchant")), ("payout.sent.v1", store.alma.as_str()));
    let text = at(&shop.get(&format!("/v1/messages/{}", at(&payout, "/id"))).await, "/text").to_owned();
    // 27.35 of goods less 15 %, and 4.90 of delivery.
    let paid = at(&shop.payouts(&store.alma).await[0], "/amount/amount").to_owned();
    assert!(text.contains(&format!("€{paid}")), "{paid}\n{text}");
    assert_eq!(subjects(shop, "hello@birch.example").len(), 0, "who has no contact reads nothing");
    // Who is invited before it says where it reads hears of it when it does: once, and without the secret.
    let invited = shop.done("/v1/merchants", &json!({"name": "Cedar", "schedule": {"every": "day"}})).await;
    let secret = at(&invited, "/invitation/secret").to_owned();
    assert!(!secret.is_empty(), "{invited}");
    shop.settle().await;
    for locale in ["en", "en", "de"] {
        contact_of(shop, at(&invited, "/id"), "hello@cedar.example", locale, json!([])).await;
        shop.settle().await;
    }
    assert_eq!(subjects(shop, "hello@cedar.example").len(), 1);
    assert!(!mails(shop).iter().any(|mail| mail.raw.contains(&secret)));
}

#[tokio::test]
async fn a_balance_that_is_critical_is_told_to_the_merchant_and_to_operators() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    contact_of(&shop, &alma, "hello@alma.example", "de", json!([])).await;
    shop.done("/v1/messages/routing", &json!({"operators": ["ops@shop.example"]})).await;
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 2, "100.00")])).await;
    shop.wait_until("2026-03-06T01:00:00Z").await;
    let lines = json!([{"line": 1, "quantity": 1}]);
    let refund = json!({"merchant_order": part(&order, 1), "lines": lines, "reason": "broken"});
    shop.done(&format!("/v1/orders/{order}/refund"), &refund).await;
    shop.wait_until("2026-03-08T02:00:00Z").await;
    let critical: Vec<Value> = messages(&shop, "")
        .await
        .into_iter()
        .filter(|one| at(one, "/of") == "merchant.balance_critical.v1")
        .collect();
    let readers: std::collections::BTreeSet<&str> =
        critical.iter().map(|one| at(one, "/recipient")).collect();
    assert_eq!((critical.len(), Vec::from_iter(readers)), (2, vec!["merchant", "operators"]));
    for (to, balance) in [("hello@alma.example", "−85,00\u{a0}€"), ("ops@shop.example", "−€85.00")] {
        let mail = mails(&shop).into_iter().rfind(|mail| mail.to == [to]).unwrap();
        assert!(mail.text().contains(balance), "{}", mail.text());
    }
}
