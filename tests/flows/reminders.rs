//! Carts that were left: who is reminded when, what stops it, what a link opens, and what came of it.

use domain::id::FollowUpId;
use edge::links::Purpose;
use events::Envelope;
use futures::future::join_all;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tests::storefront::*;
use tests::*;

const OMAR: &str = "omar@post.example";

/// What was told of a person's carts, in its order.
async fn told(shop: &Shop, email: &str) -> Vec<Envelope> {
    let m = marketplace_id();
    let id = FollowUpId::of(&m, &email.parse().unwrap());
    let story = shop.market.world.table.story(&table::Key::follow_up(&m, &id), 100, None).await.unwrap();
    story.items.iter().flat_map(table::outbox::Entry::envelopes).collect()
}

/// The numbers of the reminders that were written.
async fn reminders(shop: &Shop, email: &str) -> Vec<u64> {
    let told = told(shop, email).await;
    let written = told.iter().filter(|event| event.name == "cart.reminded.v1");
    written.map(|event| event.data["number"].as_u64().unwrap()).collect()
}

async fn left(market: &Storefront) -> String {
    market.shop.left_cart(&market.alma, OMAR).await
}

fn policy(steps: Value) -> Value {
    json!({"steps": steps, "max_messages": 4, "max_messages_days": 7, "attribution_days": 7})
}

async fn set(shop: &Shop, policy: &Value) {
    shop.done("/v1/abandoned-carts/policy", policy).await;
}

async fn restore(market: &Storefront, token: &str) -> souk::api::Answer {
    market.guest.post(&format!("/v1/cart-links/{token}"), &json!({}), "").await
}

/// A look at the newest cart of whoever reads this mailbox.
fn due(email: &str) -> String {
    let id = FollowUpId::of(&marketplace_id(), &email.parse().unwrap());
    let event = json!({
        "id": format!("due:{id}"), "name": "cart.reminder_due.v1", "marketplace": marketplace_id(), "at": START,
        "subject": format!("due:{id}"), "step": 0, "actor": "system:reminder", "cause": "due",
        "correlation": "due", "data": {"follow_up": id},
    });
    event.to_string()
}

async fn hears(shop: &Shop, bodies: &[String]) {
    let answer = shop.market.cloud.invoke("abandoned-cart", batch(bodies)).await.unwrap();
    assert_eq!(answer["batchItemFailures"], json!([]));
}

#[tokio::test]
async fn a_left_cart_is_reminded_of_after_an_hour_a_day_and_three_days_and_the_last_brings_a_code() {
    let market = Storefront::open().await;
    let cart = left(&market).await;
    market.shop.wait_minutes(55).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [0_u64; 0]);
    market.shop.wait_minutes(10).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1]);
    market.shop.wait_days(1).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1, 2]);
    market.shop.wait_days(3).await;
    let told = told(&market.shop, OMAR).await;
    let at: Vec<String> = told.iter().map(|event| event.at.to_string()).collect();
    assert_eq!(at, ["2026-03-02T10:00:00Z", "2026-03-03T09:00:00Z", "2026-03-05T09:00:00Z"]);
    let last = &told[2].data;
    assert_eq!((last["number"].as_u64(), last["of"].as_u64()), (Some(3), Some(3)));
    assert_eq!(last["code_until"], "2026-03-08T09:00:00Z");
    // No event names the cart: its id is its owner's key.
    assert!(!serde_json::to_string(&told).unwrap().contains("crt_"));

    // Five percent of ten, for this cart and no other.
    let code = at_text(last, "/code");
    let link = market.shop.cart_link(&cart).await;
    let opened = restore(&market, &link).await;
    assert_eq!((opened.status.as_u16(), opened.text("/id")), (200, cart.as_str()));
    assert_eq!(eur_at(&opened.body, "/codes/0/amount"), "0.50");
    let again = restore(&market, &link).await;
    assert_eq!(
        (&again.body, &again.headers["idempotent-replayed"]),
        (&opened.body, &"true".parse().unwrap())
    );
    let other = market.cart().await;
    let typed = json!({"add": market.goods(), "codes": {"add": [code]}});
    assert_eq!(market.edit(&other, &typed).await["codes"][0]["reason"], "unknown");
    // And it is in no list of codes.
    assert_eq!(market.shop.get("/v1/promotions/codes").await["items"], json!([]));
}

fn at_text(value: &Value, pointer: &str) -> String {
    at(value, pointer).to_owned()
}

#[tokio::test]
async fn a16_2_a_reminder_never_follows_an_order_and_the_order_is_counted_as_recovered() {
    let market = Storefront::open().await;
    let cart = left(&market).await;
    market.shop.wait_minutes(65).await;
    let order = market.shop.pay_left(&cart, &market.alma).await;
    market.shop.wait_days(5).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1]);
    let list = market.shop.get("/v1/abandoned-carts?month=2026-03").await;
    assert_eq!((at(&list, "/items/0/status"), at(&list, "/items/0/order")), ("recovered", order.as_str()));
    let recovered = market.shop.get("/v1/abandoned-carts/recovered").await;
    assert_eq!(recovered["items"].as_array().unwrap().len(), 1);
    assert_eq!(recovered["items"][0]["reminders"], 1);
    // A mug for 10.00, brought for 4.90.
    assert_eq!(eur_at(&recovered, "/items/0/total"), "14.90");
    let figures = market.shop.get("/v1/abandoned-carts/figures").await;
    let reminded = &figures["currencies"][0]["reminded"];
    assert_eq!((reminded["began"].as_i64(), reminded["recovered"].as_i64()), (Some(1), Some(1)));
    assert_eq!(eur_at(reminded, "/revenue"), "14.90");
    let link = market.shop.cart_link(&cart).await;
    assert_problem(&restore(&market, &link).await, 410, "cart_completed");
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a16_2_an_order_by_a_second_cart_that_nobody_may_remind_of_ends_what_was_left_in_the_first() {
    let market = Storefront::open().await;
    let first = left(&market).await;
    market.shop.wait_minutes(65).await;
    let second = market.cart().await;
    let edit =
        json!({"add": [{"merchant": market.alma, "sku": "bowl", "quantity": 1}], "contact": {"email": OMAR}});
    market.edit(&second, &edit).await;
    market.shop.pay_left(&second, &market.alma).await;
    market.shop.wait_days(5).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1]);
    // Touched again, it counts as left again.
    market.edit(&first, &json!({"set": [{"line": 1, "quantity": 2}]})).await;
    market.shop.wait_days(2).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1, 2]);
}

#[tokio::test]
async fn what_comes_from_a_wish_list_or_is_claimed_by_an_account_that_has_agreed_is_reminded_of_too() {
    let market = Storefront::open().await;
    let cart = market.cart().await;
    market.edit(&cart, &json!({"contact": {"email": OMAR, "marketing": true}})).await;
    let list = market.guest.post("/v1/wish-lists", &json!({"name": "Later"}), "").await;
    let list = format!("/v1/wish-lists/{}", list.text("/id"));
    let add = json!({"add": [{"offer": market.mug, "quantity": 1}]});
    market.guest.post(&format!("{list}/edit"), &add, "").await.ok().unwrap();
    let moved = json!({"cart": cart, "items": [1]});
    market.guest.post(&format!("{list}/to-cart"), &moved, "").await.ok().unwrap();

    let ines = market.shop.person("ines");
    let agreed =
        json!({"name": "Ines Groß", "email": "ines@post.example", "consents": {"marketing_email": true}});
    ines.post("/v1/customers/me", &agreed, "").await.ok().unwrap();
    let silent = market.cart().await;
    market.edit(&silent, &json!({"add": market.goods(), "contact": contact()})).await;
    ines.post(&format!("/v1/carts/{silent}/claim"), &json!({}), "").await.ok().unwrap();

    market.shop.wait_minutes(65).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1]);
    assert_eq!(reminders(&market.shop, "ines@post.example").await, [1]);
}

#[tokio::test]
async fn whoever_leaves_a_cart_again_after_months_is_reminded_again_and_each_reminder_is_sent() {
    let market = Storefront::open().await;
    left(&market).await;
    market.shop.wait_days(5).await;
    market.shop.wait_days(101).await;
    market.shop.forgets().await;
    left(&market).await;
    market.shop.wait_days(5).await;
    let told = told(&market.shop, OMAR).await;
    let ids: std::collections::BTreeSet<_> = told.iter().map(|event| &event.id).collect();
    assert_eq!(ids.len(), 6);
    assert_eq!(reminders(&market.shop, OMAR).await, [1, 2, 3, 1, 2, 3]);
    assert_eq!(market.shop.market.cloud.mails().unwrap().len(), 6);
}

#[tokio::test]
async fn an_order_of_a_cart_that_nobody_left_is_not_counted() {
    let market = Storefront::open().await;
    let cart = left(&market).await;
    market.shop.pay_left(&cart, &market.alma).await;
    market.order().await;
    market.shop.wait_days(4).await;
    assert_eq!(told(&market.shop, OMAR).await, []);
    assert_eq!(market.shop.get("/v1/abandoned-carts/figures").await["currencies"], json!([]));
}

#[tokio::test]
async fn an_emptied_cart_a_newer_one_and_a_missing_consent_stop_reminders_at_once() {
    let market = Storefront::open().await;
    let (empty, old) = (left(&market).await, market.shop.left_cart(&market.alma, "nora@post.example").await);
    let silent = market.cart().await;
    let no = json!({"add": market.goods(), "contact": {"email": "sami@post.example"}});
    market.edit(&silent, &no).await;
    market.shop.wait_minutes(65).await;
    market.edit(&empty, &json!({"set": [{"line": 1, "quantity": 0}]})).await;
    market.shop.wait_minutes(60).await;
    market.shop.left_cart(&market.alma, "nora@post.example").await;
    market.shop.wait_days(6).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1]);
    // The first cart's once, then all of the newer one's: four, as many as the cap allows.
    assert_eq!(reminders(&market.shop, "nora@post.example").await, [1, 1, 2, 3]);
    assert_eq!(reminders(&market.shop, "sami@post.example").await, [0_u64; 0]);
    let list = market.shop.get("/v1/abandoned-carts").await;
    let stopped: Vec<_> = list["items"].as_array().unwrap().iter().map(|one| &one["stopped_by"]).collect();
    assert!(stopped.contains(&&json!("empty")), "{list}");
    assert_eq!(market.show(&old).await["lines"][0]["quantity"], 1);
}

#[tokio::test]
async fn a16_1_a_consent_that_is_taken_back_between_scheduling_and_sending_counts() {
    let market = Storefront::open().await;
    let ines = market.shop.person("ines");
    let sign_up =
        json!({"name": "Ines Groß", "email": "ines@post.example", "consents": {"marketing_email": true}});
    ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
    let cart = ines.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
    let edit = json!({"add": market.goods(), "contact": contact()});
    ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
    market.shop.wait_minutes(65).await;
    assert_eq!(reminders(&market.shop, "ines@post.example").await, [1]);
    let ines = market.shop.person("ines");
    let no = json!({"consents": {"marketing_email": false}});
    let taken_back = [("if-match", "*")];
    let patch = ines.send_with(http::Method::PATCH, "/v1/customers/me", &no.to_string(), &taken_back).await;
    assert_eq!(patch.status, 200, "{}", patch.body);
    market.shop.wait_days(5).await;
    assert_eq!(reminders(&market.shop, "ines@post.example").await, [1]);
}

#[tokio::test]
async fn a16_1_a_stop_by_link_is_a_no_in_the_account_and_a_yes_of_later_lifts_it() {
    let market = Storefront::open().await;
    let (ines, me) = (market.shop.person("ines"), "/v1/customers/me");
    let yes = json!({"marketing_email": true});
    let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example", "consents": yes});
    ines.post(me, &sign_up, "").await.ok().unwrap();
    let cart = ines.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
    let edit = json!({"add": market.goods(), "contact": contact()});
    ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
    market.shop.wait_minutes(65).await;
    let [mail] = market.shop.market.cloud.mails().unwrap().try_into().unwrap();
    let out = mail.header("List-Unsubscribe");
    let out = out.trim_matches(['<', '>']).trim_start_matches("http://127.0.0.1:8080");
    assert_eq!(market.shop.calls_as("").post(out, &json!({}), "").await.status, 200);
    let ines = market.shop.person("ines");
    let said = |view: &Value| {
        let said = &view["consents"][0];
        assert_eq!(said["before"][0], json!({"given": true, "at": START}), "{view}");
        (said["given"].as_bool().unwrap(), at_text(said, "/at"))
    };
    let no = (false, "2026-03-02T10:05:00Z".to_owned());
    assert_eq!(said(&ines.get(me).await.ok().unwrap()), no);
    // What is changed besides takes nothing back.
    let seen = [("if-match", "*")];
    let change = json!({"name": "Ines Klein"}).to_string();
    let changed = ines.send_with(http::Method::PATCH, me, &change, &seen).await;
    assert_eq!((changed.status.as_u16(), said(&changed.body)), (200, no));
    market.shop.wait_minutes(5).await;
    let again = json!({"consents": yes}).to_string();
    let again = ines.send_with(http::Method::PATCH, me, &again, &seen).await;
    assert_eq!((again.status.as_u16(), said(&again.body)), (200, (true, "2026-03-02T10:10:00Z".to_owned())));
    market.shop.wait_days(1).await;
    assert_eq!(reminders(&market.shop, "ines@post.example").await, [1, 2]);
    assert_eq!(market.shop.market.cloud.mails().unwrap().len(), 2);
}

#[tokio::test]
async fn a16_3_whoever_is_erased_is_reminded_of_nothing_whatever_was_said_in_the_cart() {
    for minutes in [0, 65] {
        let market = Storefront::open().await;
        let ines = market.shop.person("ines");
        let sign_up = json!({"name": "Ines Groß", "email": "ines@post.example"});
        ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
        let cart = ines.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
        let edit =
            json!({"add": market.goods(), "contact": {"email": "ines@post.example", "marketing": true}});
        ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
        market.shop.wait_minutes(minutes).await;
        let before = market.shop.market.cloud.mails().unwrap().len();
        ines.post("/v1/customers/me/erase", &json!({}), "").await.ok().unwrap();
        market.shop.wait_days(5).await;
        let seen = (
            reminders(&market.shop, "ines@post.example").await.len(),
            market.shop.market.cloud.mails().unwrap().len(),
        );
        assert_eq!((seen, before), if minutes == 0 { ((0, 0), 0) } else { ((1, 1), 1) });
    }
}

#[tokio::test]
async fn a_message_that_comes_again_late_or_twice_at_once_writes_nothing_twice() {
    let market = Storefront::open().await;
    let cart = left(&market).await;
    market.shop.wait_minutes(65).await;
    let before = told(&market.shop, OMAR).await;
    hears(&market.shop, &[due(OMAR), due(OMAR), due("nobody@post.example")]).await;
    let again = [due(OMAR)];
    join_all((0..4).map(|_| hears(&market.shop, &again))).await;
    assert_eq!(told(&market.shop, OMAR).await, before);
    market.shop.market.clock.advance(SignedDuration::from_hours(24));
    join_all((0..4).map(|_| hears(&market.shop, &again))).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1, 2]);
    // The order's event once more.
    let order = market.shop.pay_left(&cart, &market.alma).await;
    let placed = market.shop.events(&order).await;
    let placed = placed.iter().find(|event| event.name == "order.placed.v1").unwrap();
    let placed = serde_json::to_string(placed).unwrap();
    hears(&market.shop, &[placed.clone(), due(OMAR), placed]).await;
    let figures = market.shop.get("/v1/abandoned-carts/figures").await;
    assert_eq!(figures["currencies"][0]["reminded"]["recovered"], 1);
}

#[tokio::test]
async fn a_look_by_a_clock_that_is_behind_comes_again_and_stays_on_the_list() {
    let market = Storefront::open().await;
    left(&market).await;
    market.shop.wait_minutes(59).await;
    let ahead = due(OMAR).replace(START, "2026-03-02T10:00:00Z");
    let answer = market.shop.market.cloud.invoke("abandoned-cart", batch(&[ahead])).await.unwrap();
    assert_eq!(answer["batchItemFailures"].as_array().unwrap().len(), 1);
    market.shop.wait_minutes(6).await;
    assert_eq!(reminders(&market.shop, OMAR).await, [1]);
}

#[tokio::test]
async fn what_reminders_bring_is_the_difference_to_those_who_got_none() {
    let market = Storefront::open().await;
    let steps = json!([{"after_minutes": 30}]);
    let held_out = json!({"hold_out_percent": 100, "steps": steps,
        "max_messages": 4, "max_messages_days": 7, "attribution_days": 7});
    set(&market.shop, &held_out).await;
    let mut carts = Vec::new();
    for email in ["a@post.example", "b@post.example", "c@post.example"] {
        carts.push(market.shop.left_cart(&market.alma, email).await);
    }
    market.shop.wait_minutes(35).await;
    market.shop.pay_left(&carts[0], &market.alma).await;
    set(&market.shop, &policy(steps)).await;
    for email in ["d@post.example", "e@post.example"] {
        carts.push(market.shop.left_cart(&market.alma, email).await);
    }
    market.shop.wait_minutes(35).await;
    market.shop.pay_left(&carts[3], &market.alma).await;
    assert_eq!(told(&market.shop, "b@post.example").await, []);
    assert_eq!(reminders(&market.shop, "e@post.example").await, [1]);
    let figures = market.shop.get("/v1/abandoned-carts/figures?month=2026-03").await;
    let of = &figures["currencies"][0];
    assert_eq!(
        (&of["held_out"]["began"], &of["held_out"]["recovered_percent"]),
        (&json!(3), &json!("33.33"))
    );
    assert_eq!(
        (&of["reminded"]["began"], &of["reminded"]["recovered_percent"]),
        (&json!(2), &json!("50.00"))
    );
    // 50 − 33.33…, rounded once.
    assert_eq!(of["uplift_points"], "16.67");
}

#[tokio::test]
async fn a_forged_an_expired_and_a_replayed_link_open_nothing_that_is_not_theirs() {
    let market = Storefront::open().await;
    let cart = left(&market).await;
    let link = market.shop.cart_link(&cart).await;
    assert!(!link.contains(&cart), "whoever knows the cart's id has more than the link gives");
    let words = link.rsplit_once('.').unwrap().0;
    let review = market.shop.link(Purpose::Review, &cart, moment("2026-04-01T00:00:00Z")).await;
    for token in [
        format!("{words}."),
        format!("{words}.AAAA"),
        forged(&link),
        link.replace(".17", ".18"),
        link.replace("mkt_", "mkt_0"),
        review,
        "x".to_owned(),
        "..".to_owned(),
        "%00".to_owned(),
        "a".repeat(2_000),
    ] {
        assert_problem(&restore(&market, &token).await, 404, "not_found");
    }
    let nobody = market.shop.calls_as("").post(&format!("/v1/cart-links/{link}"), &json!({}), "").await;
    assert_problem(&nobody, 401, "unauthenticated");
    let once = restore(&market, &link).await;
    assert_eq!(once.status, 200, "{}", once.body);
    market.shop.wait_days(29).await;
    let token = market.shop.cart_link(&cart).await;
    assert_ne!(token, link);
    market.shop.wait_days(2).await;
    assert_problem(&restore(&market, &link).await, 410, "link_expired");
    // The cart was forgotten thirty days after its last edit, whatever the link says.
    assert_problem(&restore(&market, &token).await, 404, "not_found");
}

#[tokio::test]
async fn a_link_to_an_account_s_cart_opens_what_was_chosen_and_nothing_of_the_person() {
    let market = Storefront::open().await;
    set(
        &market.shop,
        &policy(json!([{"after_minutes": 60,
        "incentive": {"amount": eur("2.00"), "valid_hours": 48}}])),
    )
    .await;
    let ines = market.shop.person("ines");
    let sign_up =
        json!({"name": "Ines Groß", "email": "ines@post.example", "consents": {"marketing_email": true}});
    ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
    let cart = ines.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
    let edit = json!({"add": market.goods(), "contact": contact(), "address": address()});
    ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
    market.shop.wait_minutes(65).await;
    let link = market.shop.cart_link(&cart).await;
    let ines = market.shop.person("ines");
    let copy = restore(&market, &link).await;
    assert_eq!(copy.status, 200, "{}", copy.body);
    let copied = copy.text("/id").to_owned();
    assert_ne!(copied, cart);
    assert_eq!((&copy.body["contact"], &copy.body["address"]), (&Value::Null, &Value::Null));
    assert_eq!(copy.body["lines"].as_array().unwrap().len(), 3);
    assert_eq!(eur_at(&copy.body, "/codes/0/amount"), "2.00");
    assert_eq!(restore(&market, &link).await.text("/id"), copied, "a replay opens the same");
    // The code went along; its first cart does not have it any more.
    let code = at(&copy.body, "/codes/0/name").to_owned();
    let edit = json!({"codes": {"add": [code]}});
    let own = ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
    assert_eq!(own["codes"][0]["reason"], "unknown");
    // Its owner gets the cart itself.
    let own = ines.post(&format!("/v1/cart-links/{link}"), &json!({}), "").await;
    assert_eq!((own.status.as_u16(), own.text("/id")), (200, cart.as_str()));
    // What is ordered of the copy is recovered all the same.
    let contact = json!({"contact": {"email": "ines@post.example"}, "delivery":
        [{"merchant": market.birch, "service": "standard"}]});
    market.edit(&copied, &contact).await;
    market.shop.pay_left(&copied, &market.alma).await;
    let recovered = market.shop.get("/v1/abandoned-carts/recovered").await;
    assert_eq!(at(&recovered, "/items/0/code"), code);
}

/// Ines's cart with the code that its reminder brought, ready to be paid; answers its link, its id and its total.
async fn reminded(market: &Storefront) -> (String, String, String) {
    let incentive = json!({"amount": eur("2.00"), "valid_hours": 48});
    set(&market.shop, &policy(json!([{"after_minutes": 60, "incentive": incentive}]))).await;
    let ines = market.shop.person("ines");
    let sign_up =
        json!({"name": "Ines Groß", "email": "ines@post.example", "consents": {"marketing_email": true}});
    ines.post("/v1/customers/me", &sign_up, "").await.ok().unwrap();
    let cart = ines.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
    let delivery = [&market.alma, &market.birch].map(|of| json!({"merchant": of, "service": "standard"}));
    let edit =
        json!({"add": market.goods(), "contact": contact(), "address": address(), "delivery": delivery});
    ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
    market.shop.wait_minutes(65).await;
    let link = market.shop.cart_link(&cart).await;
    let ines = market.shop.person("ines");
    let own = ines.post(&format!("/v1/cart-links/{link}"), &json!({}), "").await.ok().unwrap();
    assert_eq!(eur_at(&own, "/codes/0/amount"), "2.00");
    (link, cart, eur_at(&own, "/totals/total"))
}

#[tokio::test]
async fn a_code_for_one_cart_is_in_one_order_whoever_opens_the_link_while_that_is_paid() {
    let market = Storefront::open().await;
    let (link, cart, total) = reminded(&market).await;
    let ines = market.shop.person("ines");
    let pay = by_card(&total, "tok_timeout_approved");
    let paid = ines.post(&format!("/v1/checkouts/{cart}/pay"), &pay, "").await;
    assert_eq!(paid.status, 202, "{}", paid.body);
    assert_problem(&restore(&market, &link).await, 409, "payment_in_flight");
    market.shop.wait_minutes(30).await;
    assert_problem(&restore(&market, &link).await, 410, "cart_completed");
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a_link_that_is_opened_in_the_moment_of_payment_gets_the_code_or_the_order_has_it() {
    let market = Storefront::open().await;
    let (link, cart, total) = reminded(&market).await;
    let (ines, path) = (market.shop.person("ines"), format!("/v1/checkouts/{cart}/pay"));
    let pay = by_card(&total, "tok_approved");
    let (paid, opened) = futures::future::join(ines.post(&path, &pay, ""), restore(&market, &link)).await;
    let has_code = opened.status == 200;
    assert_ne!(paid.status.is_success(), has_code, "{} {}", paid.body, opened.body);
    market.shop.settle().await;
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a_look_at_a_cart_reads_three_units_at_most_and_an_edit_pays_for_it_once() {
    let market = Storefront::open().await;
    let cart = market.cart().await;
    let edit = json!({"add": [{"merchant": market.alma, "sku": "mug", "quantity": 1}],
        "contact": {"email": OMAR, "marketing": true}});
    let written = |lines: Vec<souk::cloud::MeterLine>| lines.iter().map(|line| line.write_units).sum::<u64>();
    let _before = market.shop.market.cloud.meter().take();
    market.edit(&cart, &edit).await;
    assert_eq!(written(market.shop.market.cloud.meter().take()), 3_00, "cart, due work, newest cart");
    market.edit(&cart, &json!({"set": [{"line": 1, "quantity": 2}]})).await;
    assert_eq!(written(market.shop.market.cloud.meter().take()), 1_00, "the cart alone");
    market.shop.market.clock.advance(SignedDuration::from_mins(61));
    let _before = market.shop.market.cloud.meter().take();
    hears(&market.shop, &[due(OMAR)]).await;
    let read: u64 = market.shop.market.cloud.meter().take().iter().map(|line| line.read_units).sum();
    assert!(read <= 3_00, "{read} hundredths of read units");
    assert_eq!(reminders(&market.shop, OMAR).await, [1]);
}

#[tokio::test]
async fn a_policy_is_refused_with_what_is_wrong_and_shown_as_it_is() {
    let shop = Shop::open().await;
    let first = shop.get("/v1/abandoned-carts/policy").await;
    let delays: Vec<_> =
        first["steps"].as_array().unwrap().iter().map(|step| &step["after_minutes"]).collect();
    assert_eq!(delays, [60, 1440, 4320]);
    assert_eq!(first["quiet_hours"], json!({"start": "21:00", "end": "08:00"}));
    let wrong = json!({
        "steps": [{"after_minutes": 60, "incentive": {"valid_hours": 5}}],
        "quiet_hours": {"start": "9", "end": "08:00"}, "time_zone": "Mars/Olympus",
        "max_messages": 1, "max_messages_days": 1, "attribution_days": 1,
    });
    let refused = shop.api.post("/v1/abandoned-carts/policy", &wrong, "a").await;
    assert_problem(&refused, 422, "invalid_value");
    let errors = refused.body["errors"].as_array().unwrap().clone();
    let fields: Vec<&str> = errors.iter().map(|error| at(error, "/field")).collect();
    assert_eq!(fields, ["steps[0].incentive.percent", "quiet_hours.start", "time_zone"]);
    let none = policy(json!([]));
    let set = shop.done("/v1/abandoned-carts/policy", &none).await;
    assert_eq!(set["steps"], json!([]));
    assert_eq!(shop.get("/v1/abandoned-carts/policy").await, set);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_reads_three_units_at_most_of_each_cart_that_is_due_and_nothing_of_those_that_are_not() {
    let mut looks = Vec::new();
    for open in [120, 480] {
        let seen = souk::reminders::reminders(open, 120, &tests::Unwatched).await.unwrap();
        assert_eq!(seen.wrong(), Vec::<String>::new());
        assert_eq!((seen.reminded, seen.mailed), (120, 120));
        assert_eq!((seen.shards.len(), seen.shards.iter().sum::<usize>()), (16, 120));
        looks.push(seen.run());
    }
    // Twelve runs of the schedule look at sixteen shards each, whatever lies behind the hour.
    assert_eq!(looks[0].read, looks[1].read);
}
