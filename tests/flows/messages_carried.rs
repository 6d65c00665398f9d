//! A carrier that takes nothing or refuses, consent that is withdrawn on the way, names that would be more, and what an
//! operator sees of it all.

use serde_json::{Value, json};
use souk::cloud::{Fate, Mail};
use tests::storefront::*;
use tests::*;

fn mails(shop: &Shop) -> Vec<Mail> {
    shop.market.cloud.mails().unwrap()
}

async fn messages(shop: &Shop, query: &str) -> Vec<Value> {
    shop.get(&format!("/v1/messages?limit=100{query}")).await["items"].as_array().unwrap().clone()
}

async fn status(shop: &Shop) -> String {
    at(&messages(shop, "").await[0], "/status").to_owned()
}

/// An order that is confirmed by mail, or would be: whatever fails waits.
async fn ordered(store: &Storefront) -> String {
    let cart = store.ready().await;
    let paid = store.pay(&cart, "57.15", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    store.shop.market.cloud.settle().await.unwrap();
    paid.text("/order/id").to_owned()
}

async fn minutes(shop: &Shop, minutes: i64) {
    shop.market.cloud.advance(jiff::SignedDuration::from_mins(minutes)).await.unwrap();
}

#[tokio::test]
async fn a_carrier_that_takes_nothing_is_asked_again_and_gets_the_message_once_under_its_own_name() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    shop.market.cloud.trouble_mail([Fate::Throttled, Fate::Throttled, Fate::Throttled]);
    ordered(&store).await;
    assert_eq!((status(shop).await.as_str(), mails(shop).len()), ("waiting", 0));
    minutes(shop, 7).await;
    assert_eq!((status(shop).await.as_str(), mails(shop).len()), ("waiting", 0));
    minutes(shop, 60).await;
    let [mail] = mails(shop).try_into().unwrap();
    let sent = messages(shop, "").await[0].clone();
    let own = format!("<{}@souk.example>", at(&sent, "/id"));
    assert_eq!((at(&sent, "/status"), mail.header("Message-ID")), ("sent", own));
    shop.wait_days(1).await;
    assert_eq!(mails(shop).len(), 1);
}

#[tokio::test]
async fn a_carrier_that_takes_nothing_for_long_leaves_a_dead_letter_that_an_operator_sends_back() {
    for fate in [Fate::Throttled, Fate::NotAllowed, Fate::Paused] {
        let store = Storefront::open().await;
        let shop = &store.shop;
        shop.market.cloud.trouble_mail([fate; 5]);
        ordered(&store).await;
        minutes(shop, 120).await;
        let dead = shop.market.cloud.dead_letters().unwrap();
        assert_eq!((dead.len(), mails(shop).len()), (1, 0), "{fate:?}");
        assert_eq!(status(shop).await, "waiting");
        assert_eq!(shop.market.cloud.replay_dead_letters(&dead[0].queue).unwrap(), 1);
        shop.settle().await;
        assert_eq!((status(shop).await.as_str(), mails(shop).len()), ("sent", 1));
    }
}

#[tokio::test]
async fn a_carrier_that_refuses_is_not_asked_again() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    shop.market.cloud.trouble_mail([Fate::Refused]);
    ordered(&store).await;
    shop.wait_days(2).await;
    let [one] = messages(shop, "").await.try_into().unwrap();
    assert_eq!((at(&one, "/status"), at(&one, "/not_sent_because")), ("not_sent", "refused"));
    assert_eq!(mails(shop).len(), 0);
}

#[tokio::test]
async fn a_carrier_that_fails_twice_gets_service_twice_at_most_and_then_nobody_knows() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    shop.market.cloud.trouble_mail([Fate::Failed, Fate::NotHeard]);
    ordered(&store).await;
    minutes(shop, 120).await;
    let [one] = messages(shop, "").await.try_into().unwrap();
    assert_eq!((at(&one, "/status"), at(&one, "/not_sent_because")), ("not_sent", "unknown"));
    assert_eq!(mails(shop).len(), 1, "the second went, and was not heard of");
    shop.wait_days(1).await;
    assert_eq!(mails(shop).len(), 1);
}

/// The next is written, and the carrier takes nothing.
async fn reminder_that_waits(shop: &Shop) -> Value {
    shop.market.cloud.trouble_mail([Fate::Throttled]);
    for _ in 0..100 {
        if let Some(one) = messages(shop, "").await.first().filter(|one| at(one, "/status") == "waiting") {
            assert_eq!(at(one, "/kind"), "cart_reminder");
            return one.clone();
        }
        minutes(shop, 3).await;
    }
    panic!("no reminder waits")
}

#[tokio::test]
async fn a_reminder_that_waits_while_its_cart_is_emptied_or_ordered_ends_unsent() {
    for how in ["emptied", "ordered"] {
        let store = Storefront::open().await;
        let shop = &store.shop;
        let cart = shop.left_cart(&store.alma, "omar@post.example").await;
        let waiting = reminder_that_waits(shop).await;
        if how == "emptied" {
            store.edit(&cart, &json!({"set": [{"line": 1, "quantity": 0}]})).await;
        } else {
            let delivery = json!([{"merchant": store.alma, "service": "standard"}]);
            let ready = store.edit(&cart, &json!({"address": address(), "delivery": delivery})).await;
            let paid = store.pay(&cart, &eur_at(&ready, "/totals/total"), "tok_approved").await;
            assert_eq!(paid.status, 201, "{}", paid.body);
        }
        minutes(shop, 60).await;
        let ended = shop.get(&format!("/v1/messages/{}", at(&waiting, "/id"))).await;
        assert_eq!((at(&ended, "/status"), at(&ended, "/not_sent_because")), ("not_sent", "over"), "{how}");
        let reminders =
            messages(shop, "").await.into_iter().filter(|one| at(one, "/kind") == "cart_reminder");
        assert_eq!(reminders.count(), 1, "{how}");
    }
}

#[tokio::test]
async fn a16_1_a_consent_that_is_withdrawn_on_the_way_holds_the_message_back() {
    for how in ["cart", "link"] {
        let store = Storefront::open().await;
        let shop = &store.shop;
        // One that went, for its way out.
        let cart = shop.left_cart(&store.alma, "omar@post.example").await;
        minutes(shop, 70).await;
        let out = mails(shop).pop().unwrap().header("List-Unsubscribe");
        let out = out.trim_matches(['<', '>']).trim_start_matches("http://127.0.0.1:8080").to_owned();
        minutes(shop, 22 * 60).await;
        let waiting = reminder_that_waits(shop).await;
        match how {
            "link" => {
                let stopped = shop.calls_as("").post(&out, &json!({}), "").await;
                assert_eq!(stopped.status, 200, "{}", stopped.body);
            }
            _ => {
                let no = json!({"contact": {"email": "omar@post.example", "marketing": false}});
                shop.guest().post(&format!("/v1/carts/{cart}/edit"), &no, "").await.ok().unwrap();
            }
        }
        minutes(shop, 60).await;
        let held = shop.get(&format!("/v1/messages/{}", at(&waiting, "/id"))).await;
        let why = if how == "link" { "unsubscribed" } else { "no_consent" };
        assert_eq!((at(&held, "/status"), at(&held, "/not_sent_because")), ("not_sent", why), "{how}");
        assert_eq!(mails(shop).len(), 1, "{how}");
    }
}

/// The names of a mail's head, in their order, and the lines that go on.
fn head(mail: &Mail) -> (Vec<String>, usize) {
    let head = mail.raw.split("\r\n\r\n").next().unwrap();
    let (folded, named): (Vec<&str>, Vec<&str>) =
        head.split("\r\n").partition(|line| line.starts_with([' ', '\t']));
    let name = |line: &&str| line.split(':').next().unwrap().to_owned();
    assert!(!head.replace("\r\n", "").contains(['\r', '\n']), "a line end of its own: {head}");
    (named.iter().map(name).collect(), folded.len())
}

#[tokio::test]
async fn what_people_write_never_becomes_a_line_of_a_mails_head() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    ordered(&store).await;
    let usual = head(&mails(shop)[0]).0;
    assert_eq!(
        usual,
        ["Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version", "Content-Type"]
            .map(str::to_owned),
    );
    // An operator's subject and a buyer's name that would be more.
    let source = json!({
        "subject": "{{ name }}\r\nBcc: all@evil.example\r\n\r\nHello\u{2028}X: y",
        "mjml": "<mjml><mj-body><mj-section><mj-column><mj-text>{{ name }}</mj-text></mj-column></mj-section>\
                 </mj-body></mjml>",
        "text": "{{ name }}",
    });
    shop.done("/v1/message-templates/order_confirmed/en/save", &source).await;
    let mut routing = json!({"reply_to": "help@shop.example\r\nBcc: all@evil.example"});
    shop.refused("/v1/messages/routing", &routing, 422, "invalid_value").await;
    routing["reply_to"] = json!("help@shop.example");
    shop.done("/v1/messages/routing", &routing).await;
    for (name, shown) in [
        ("Ines \"Bcc: x\" <all@evil.example>, Omar", "Ines \"Bcc: x\" <all@evil.example>, Omar"),
        ("=?utf-8?Q?=0D=0ABcc:_all@evil.example?=", "=\u{200b}?utf-8?Q?=0D=0ABcc:_all@evil.example?="),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        (
            "Großmutter 🧶 de la Cruz y Fernández-Übermäßig, sehr lang und noch länger, damit gefaltet wird",
            "",
        ),
    ] {
        let cart = store.cart().await;
        store.edit(&cart, &json!({"add": store.goods()})).await;
        let delivery = [&store.alma, &store.birch].map(|of| json!({"merchant": of, "service": "standard"}));
        let mut to = address();
        to["name"] = json!(name);
        store.edit(&cart, &json!({"contact": contact(), "address": to, "delivery": delivery})).await;
        assert_eq!(store.pay(&cart, "57.15", "tok_approved").await.status, 201);
        shop.settle().await;
        let mail = mails(shop).pop().unwrap();
        let (names, _) = head(&mail);
        let sorted = |mut names: Vec<String>| {
            names.retain(|name| name != "Reply-To");
            names.sort();
            names
        };
        assert_eq!(sorted(names), sorted(usual.clone()), "{}", mail.raw);
        assert_eq!(mail.to, ["ines@post.example"]);
        let subject = mail.header("Subject");
        assert!(subject.starts_with(if shown.is_empty() { name } else { shown }), "{subject}\n{}", mail.raw);
        assert!(subject.ends_with("Bcc: all@evil.example Hello X: y") || subject.len() >= 190, "{subject}");
        assert!(!mail.html().contains("<script>"), "{}", mail.html());
    }
    for odd in ["ines@post.example\r\nBcc: all@evil.example", "a@b.example,c@d.example", "a@b.example>"] {
        let cart = store.cart().await;
        let refused = store.try_edit(&cart, &json!({"contact": {"email": odd}})).await;
        assert_problem(&refused, 422, "invalid_value");
        shop.refused("/v1/suppressions/add", &json!({"email": odd}), 422, "invalid_value").await;
        let contact = json!({"emails": [odd]});
        let path = format!("/v1/messages/contacts/{}", store.alma);
        shop.refused(&path, &contact, 422, "invalid_value").await;
    }
    let mut to = address();
    to["name"] = json!("Ines\r\nBcc: all@evil.example");
    let cart = store.cart().await;
    assert_problem(&store.try_edit(&cart, &json!({"address": to})).await, 422, "invalid_value");
}

#[tokio::test]
async fn an_operator_pages_through_what_was_sent_to_whom_and_why() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    let contact = json!({"emails": ["hello@alma.example", "more@alma.example"]});
    shop.done(&format!("/v1/messages/contacts/{}", store.alma), &contact).await;
    let mut customers = Vec::new();
    for _ in 0..3 {
        let order = store.order().await;
        customers.push(at(&shop.order(&order).await, "/customer").to_owned());
    }
    let all = messages(shop, "").await;
    assert_eq!(all.len(), 9, "a confirmation and two letters to the merchant, of each");
    let (mut paged, mut path) = (Vec::new(), "/v1/messages?limit=2".to_owned());
    loop {
        let page = shop.get(&path).await;
        paged.extend(page["items"].as_array().unwrap().clone());
        assert!(page["items"].as_array().unwrap().len() <= 2);
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/v1/messages?limit=2&cursor={next}");
    }
    let ids = |of: &[Value]| {
        let mut ids: Vec<String> = of.iter().map(|one| at(one, "/id").to_owned()).collect();
        ids.sort();
        ids
    };
    assert_eq!(ids(&paged), ids(&all));
    let of_alma = messages(shop, &format!("&merchant={}", store.alma)).await;
    assert_eq!(of_alma.len(), 6);
    assert!(of_alma.iter().all(|one| at(one, "/of") == "merchant_order.opened.v1"));
    let to_first = messages(shop, &format!("&customer={}", customers[0])).await;
    assert_eq!(to_first.len(), 1);
    assert_eq!((at(&to_first[0], "/kind"), at(&to_first[0], "/because")), ("order_confirmed", "default"));
    assert_eq!(messages(shop, "&from=2026-03-02&to=2026-03-02").await.len(), 9);
    assert_eq!(messages(shop, "&from=2026-02-20&to=2026-03-01").await.len(), 0);
    let both = format!("/v1/messages?merchant={}&customer={}", store.alma, customers[0]);
    assert_problem(&shop.api.get(&both).await, 422, "invalid_value");
    assert!(!all.iter().any(|one| one.to_string().contains('@')), "an address stands in no list");
}

#[tokio::test]
async fn whoever_is_left_alone_by_hand_has_a_story_that_names_who_did_it_and_not_whom() {
    let store = Storefront::open().await;
    let shop = &store.shop;
    let body = json!({"email": "Nobody@Post.example"});
    let added = shop.api.post("/v1/suppressions/add", &body, "once").await;
    let again = shop.api.post("/v1/suppressions/add", &body, "once").await;
    let other = shop.done("/v1/suppressions/add", &json!({"email": "nobody@post.example"})).await;
    assert_eq!((&added.body, &added.body), (&again.body, &other), "one address in all its spellings");
    let reused = shop.api.post("/v1/suppressions/add", &json!({"email": "a@b.example"}), "once").await;
    assert_problem(&reused, 422, "idempotency_key_reused");
    let digest = added.text("/digest");
    let story = shop.get(&format!("/v1/audit/sup_{digest}")).await;
    let [line] = story["items"].as_array().unwrap().as_slice() else { panic!("{story}") };
    assert_eq!(line["facts"][0]["data"], json!({"digest": digest, "why": "by_hand"}));
    assert!(at(line, "/actor").starts_with("key:"), "{line}");
    assert!(!story.to_string().to_lowercase().contains("nobody"), "{story}");
    for nobody in ["sup_", "sup_00", "sup_../..", &format!("sup_{}", "0".repeat(64))] {
        let found = shop.api.get(&format!("/v1/audit/{nobody}")).await;
        assert!(found.status == 404 || found.body["items"] == json!([]), "{nobody}: {}", found.body);
    }
}
