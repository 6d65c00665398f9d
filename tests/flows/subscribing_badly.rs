//! Subscriptions that are asked for too early, too late, twice or wrongly, and payments that nobody can tell the end
//! of: refused or waited for, and never charged twice.

use domain::gateway::{Method, Outcome};
use domain::id::{AttemptId, OrderId, PaymentId};
use domain::payment::{Call, Payment};
use edge::Clock;
use gateway::{Notice, Sandbox};
use http::Method as Verb;
use serde_json::{Value, json};
use souk::api::Answer;
use souk::market::SANDBOX_SECRET;
use table::outbox::Entry;
use table::{Held, Key};
use tests::subscribing::*;
use tests::*;

/// The customer has confirmed: the sandbox tells that the last invoice is paid with `token`.
async fn confirms(market: &Subscriptions, id: &str, token: &str) {
    let invoice = market.documents(id).await.pop().unwrap();
    let payment = PaymentId::of(&OrderId::of_invoice(&invoice.id), 1);
    let attempt = AttemptId::of(&payment, 1);
    let reference = Sandbox::reference(&attempt, Method::Card, Some(&token.parse().unwrap())).unwrap();
    let outcome = Outcome::Captured { reference, amount: invoice.due().unwrap() };
    let notice = Notice { marketplace: marketplace_id(), attempt, outcome };
    for _ in 0..2 {
        let heard = market.shop.notify(&notice, SANDBOX_SECRET, Clock::System.now()).await;
        assert_eq!(heard.status, 200, "{}", heard.body);
    }
    market.shop.settle().await;
}

async fn begin(market: &Subscriptions, token: &str, key: &str) -> Answer {
    market.ines.post("/v1/subscriptions", &market.body("ten", token), key).await
}

/// Tokens that say nothing at first.
async fn begun_with(token: &str) -> (Subscriptions, String) {
    let market = Subscriptions::open().await;
    let answer = begin(&market, token, "").await;
    assert_eq!((answer.status.as_u16(), answer.text("/status")), (202, "incomplete"), "{}", answer.body);
    market.shop.settle().await;
    (market, answer.text("/id").to_owned())
}

/// A subscription whose renewal of 2 April was tried with this token.
async fn renewed(token: &str) -> (Subscriptions, String) {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", token).await;
    market.shop.wait_until("2026-04-02T09:01:00Z").await;
    (market, id)
}

async fn status(market: &Subscriptions, id: &str) -> String {
    at(&market.show(id).await, "/status").to_owned()
}

async fn steps(market: &Subscriptions) -> Vec<String> {
    let list = market.shop.get("/v1/dunning").await;
    list["items"].as_array().unwrap().iter().map(|case| at(case, "/step").to_owned()).collect()
}

/// How many authorizations the last invoice was tried with.
async fn tries(market: &Subscriptions, id: &str) -> usize {
    let invoice = market.documents(id).await.pop().unwrap();
    let m = marketplace_id();
    let payments = market.shop.market.world.table.payments(&m, &OrderId::of_invoice(&invoice.id)).await;
    let of =
        |held: &Held<Payment>| held.value.attempts.iter().filter(|one| one.call == Call::Authorize).count();
    payments.unwrap().iter().map(of).sum()
}

/// What was told of a subscription, by its words.
async fn changes(market: &Subscriptions, id: &str) -> Vec<String> {
    let key = Key::subscription(&marketplace_id(), &id.parse().unwrap());
    let story = market.shop.market.world.table.story(&key, 500, None).await.unwrap();
    let told = story.items.iter().flat_map(Entry::envelopes);
    let told = told.filter(|event| event.name == "subscription.changed.v1");
    told.map(|event| at(&event.data, "/change").to_owned()).collect()
}

fn wallet() -> Value {
    json!({"payment": {"method": "wallet", "token": "tok_wallet"}})
}

async fn nothing_else_can_be_asked_for(market: &Subscriptions, id: &str) {
    let twenty = market.plan("twenty");
    for (verb, body) in [
        ("change", json!({"plan": twenty})),
        ("change", json!({"quantity": 2, "at": "period_end"})),
        ("pause", json!({})),
    ] {
        assert_problem(&market.try_act(id, verb, body).await, 409, "subscription_incomplete");
    }
    assert_problem(&begin(market, "tok_approved", "").await, 409, "already_subscribed");
}

#[tokio::test]
async fn a9_4_a_first_payment_that_the_customer_confirms_begins_the_subscription_once() {
    let (market, id) = begun_with("tok_action").await;
    nothing_else_can_be_asked_for(&market, &id).await;
    let asked = market.try_act(&id, "pay", json!({})).await;
    assert_eq!((asked.status.as_u16(), asked.text("/payment/status")), (202, "requires_action"));
    assert!(asked.text("/payment/action_url").starts_with("https://sandbox.example/confirm/"));
    confirms(&market, &id, "tok_action").await;
    assert_eq!(status(&market, &id).await, "active");
    assert_eq!(market.bills(&id).await, [("paid", "10.00".to_owned())]);
    assert_eq!(tries(&market, &id).await, 1);
    market.books_are_right().await;
}

#[tokio::test]
async fn a_first_payment_that_nobody_confirms_is_given_up_after_half_an_hour() {
    let (market, id) = begun_with("tok_action").await;
    market.shop.wait_minutes(29).await;
    assert_eq!(status(&market, &id).await, "incomplete");
    market.shop.wait_minutes(6).await;
    let shown = market.show(&id).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/end")), ("ended", "never_paid"));
    assert_eq!(market.bills(&id).await, [("void", "10.00".to_owned())]);
    market.subscribe("ten", "tok_approved").await;
    market.books_are_right().await;
}

#[tokio::test]
async fn a9_1_a_first_payment_that_nobody_knows_of_is_asked_about_and_not_made_again() {
    for (token, becomes, bill) in [
        ("tok_timeout_approved", "active", "paid"),
        ("tok_timeout_declined", "ended", "void"),
        ("tok_timeout_lost", "ended", "void"),
    ] {
        let (market, id) = begun_with(token).await;
        nothing_else_can_be_asked_for(&market, &id).await;
        assert_eq!(market.try_act(&id, "pay", json!({})).await.status, 202);
        assert_eq!(tries(&market, &id).await, 1, "{token}");
        market.shop.wait_minutes(6).await;
        assert_eq!(status(&market, &id).await, becomes, "{token}");
        assert_eq!(market.bills(&id).await, [(bill, "10.00".to_owned())], "{token}");
        market.books_are_right().await;
    }
}

#[tokio::test]
async fn a9_1_a_renewal_that_nobody_knows_of_is_not_charged_otherwise_until_it_is_known() {
    let (market, id) = renewed("tok_away_unknown").await;
    assert_eq!((status(&market, &id).await.as_str(), steps(&market).await.len()), ("active", 0));
    let change = market.try_act(&id, "change", json!({"quantity": 2})).await;
    assert_problem(&change, 409, "invoice_open");
    // Neither who pays nor who brings another card, or something else, is charged.
    let pays = market.try_act(&id, "pay", json!({})).await;
    assert_eq!((pays.status.as_u16(), pays.text("/payment/status")), (202, "unknown"), "{}", pays.body);
    for payment in [card("tok_approved"), json!({"method": "wallet", "token": "tok_wallet"})] {
        let set = market.act(&id, "set-payment-method", json!({"payment": payment})).await;
        assert_eq!((at(&set, "/document/status"), at(&set, "/payment/status")), ("open", "unknown"));
    }
    market.shop.wait_days(2).await;
    assert_eq!(tries(&market, &id).await, 1);
    confirms(&market, &id, "tok_away_unknown").await;
    let paid = ("paid", "10.00".to_owned());
    assert_eq!(market.bills(&id).await, [paid.clone(), paid]);
    market.books_are_right().await;
}

#[tokio::test]
async fn a_renewal_whose_answer_is_late_is_paid_or_tried_again_without_a_second_charge() {
    for (token, after) in [
        ("tok_away_timeout_approved", &["paid", "paid"][..]),
        ("tok_away_timeout_declined", &["paid", "open"]),
        ("tok_away_timeout_lost", &["paid", "open"]),
    ] {
        let (market, id) = renewed(token).await;
        market.shop.wait_minutes(6).await;
        let bills: Vec<&str> = market.bills(&id).await.iter().map(|(status, _)| *status).collect();
        assert_eq!(bills, after, "{token}");
        let open = usize::from(after[1] == "open");
        assert_eq!(steps(&market).await, vec!["retry_scheduled"; open], "{token}");
        market.act(&id, "set-payment-method", json!({"payment": card("tok_approved")})).await;
        assert_eq!(market.bills(&id).await[1], ("paid", "10.00".to_owned()), "{token}");
        assert_eq!(steps(&market).await.len(), 0, "{token}");
        market.books_are_right().await;
    }
}

#[tokio::test]
async fn a_renewal_that_wants_a_confirmation_waits_for_days_for_a_customer_who_was_not_there() {
    let (market, id) = renewed("tok_away_action").await;
    assert_eq!(steps(&market).await, ["new_method_needed"]);
    market.shop.wait_days(2).await;
    confirms(&market, &id, "tok_away_action").await;
    assert_eq!(steps(&market).await.len(), 0);
    assert_eq!(market.bills(&id).await[1], ("paid", "10.00".to_owned()));
    // Nobody comes this time: it is given up after three days, and who comes then pays in person.
    market.shop.wait_until("2026-05-05T09:10:00Z").await;
    let pays = market.try_act(&id, "pay", json!({})).await;
    assert_eq!((pays.status.as_u16(), pays.text("/document/status")), (200, "paid"), "{}", pays.body);
    market.shop.settle().await;
    assert_eq!((steps(&market).await.len(), tries(&market, &id).await), (0, 2));
    market.books_are_right().await;
}

#[tokio::test]
async fn who_brings_another_card_does_not_confirm_the_first_one() {
    let (market, id) = renewed("tok_away_action").await;
    let set = market.act(&id, "set-payment-method", json!({"payment": card("tok_approved")})).await;
    assert_eq!(at(&set, "/document/status"), "paid");
    assert_eq!(steps(&market).await.len(), 0);
    market.shop.wait_days(4).await;
    assert_eq!(tries(&market, &id).await, 2);
    market.books_are_right().await;
}

#[tokio::test]
async fn who_brings_another_kind_of_payment_does_not_confirm_the_card_whether_that_waits_or_is_given_up() {
    for days in [1, 4] {
        let (market, id) = renewed("tok_away_action").await;
        market.shop.wait_days(days).await;
        let set = market.act(&id, "set-payment-method", wallet()).await;
        assert_eq!((at(&set, "/document/status"), tries(&market, &id).await), ("paid", 2), "{days}");
        assert_eq!(steps(&market).await.len(), 0);
        market.shop.wait_days(8).await;
        assert_eq!(tries(&market, &id).await, 2, "{days}");
        market.books_are_right().await;
    }
}

#[tokio::test]
async fn an_invoice_is_paid_otherwise_however_many_confirmations_did_not_come() {
    for other in [json!({"payment": card("tok_approved")}), wallet()] {
        let (market, id) = renewed("tok_away_action").await;
        market.shop.wait_days(4).await;
        let set = market.act(&id, "set-payment-method", json!({"payment": card("tok_action")})).await;
        assert_eq!(at(&set, "/payment/status"), "requires_action");
        let set = market.act(&id, "set-payment-method", other).await;
        assert_eq!((at(&set, "/document/status"), tries(&market, &id).await), ("paid", 3));
        market.shop.wait_days(8).await;
        assert_eq!((tries(&market, &id).await, steps(&market).await.len()), (3, 0));
        market.books_are_right().await;
    }
}

#[tokio::test]
async fn a9_1_what_could_not_be_voided_is_charged_no_other_way() {
    let (market, id) = renewed("tok_away_action_void_unknown").await;
    let set = market.act(&id, "set-payment-method", wallet()).await;
    assert_eq!((at(&set, "/document/status"), tries(&market, &id).await), ("open", 1));
    confirms(&market, &id, "tok_away_action_void_unknown").await;
    assert_eq!((market.bills(&id).await[1].0, tries(&market, &id).await), ("paid", 1));
    market.books_are_right().await;
}

#[tokio::test]
async fn an_invoice_can_be_paid_after_more_tries_than_one_payment_takes() {
    let (market, id) = renewed("tok_away_declined_insufficient_funds").await;
    let soft = json!({"payment": card("tok_declined_insufficient_funds")});
    market.act(&id, "set-payment-method", soft).await;
    for _ in 0..12 {
        let declined = market.try_act(&id, "pay", json!({})).await;
        assert_problem(&declined, 402, "payment_declined");
        market.shop.settle().await;
    }
    assert_eq!(tries(&market, &id).await, 14);
    let set = market.act(&id, "set-payment-method", json!({"payment": card("tok_approved")})).await;
    assert_eq!(at(&set, "/document/status"), "paid");
    assert_eq!((tries(&market, &id).await, steps(&market).await.len()), (15, 0));
    market.books_are_right().await;
}

#[tokio::test]
async fn one_idempotency_key_is_one_effect_and_binds_its_body() {
    let market = Subscriptions::open().await;
    let first = begin(&market, "tok_approved", "begin").await;
    assert_eq!(first.status, 201);
    let again = begin(&market, "tok_approved", "begin").await;
    assert_eq!((again.status.as_u16(), again.text("/id")), (200, first.text("/id")));
    assert_eq!(again.headers["idempotent-replayed"], "true");
    assert_problem(&begin(&market, "tok_visa", "begin").await, 422, "idempotency_key_reused");
    market.shop.settle().await;
    let id = first.text("/id");
    let until = |day: u8| json!({"until": format!("2026-03-{day}T09:00:00Z")});
    for (verb, body, other) in [
        ("change", json!({"quantity": 2}), json!({"quantity": 3})),
        ("pause", until(20), until(21)),
        ("resume", json!({}), json!({ "x": 1 })),
        ("set-payment-method", json!({"payment": card("tok_visa")}), json!({"payment": card("tok_wallet")})),
        ("cancel", json!({"at": "period_end"}), json!({"at": "now"})),
    ] {
        let path = format!("/v1/subscriptions/{id}/{verb}");
        let post = async |body: &Value| market.ines.post(&path, body, verb).await;
        let (done, bills) = (post(&body).await, market.bills(id).await);
        assert_eq!(done.status, 200, "{verb}: {}", done.body);
        let again = post(&body).await;
        assert_eq!((again.status.as_u16(), again.text("/status")), (200, done.text("/status")), "{verb}");
        assert_eq!(again.headers["idempotent-replayed"], "true", "{verb}");
        if other.get("x").is_none() {
            assert_problem(&post(&other).await, 422, "idempotency_key_reused");
        }
        assert_eq!(market.bills(id).await, bills, "{verb}");
        market.shop.settle().await;
    }
    market.books_are_right().await;
}

#[tokio::test]
async fn a_request_to_pay_that_is_repeated_is_one_try() {
    let (market, id) = renewed("tok_away_declined_insufficient_funds").await;
    let soft = json!({"payment": card("tok_declined_insufficient_funds")});
    market.act(&id, "set-payment-method", soft).await;
    let path = format!("/v1/subscriptions/{id}/pay");
    let before = tries(&market, &id).await;
    assert_problem(&market.ines.post(&path, &json!({}), "pays").await, 402, "payment_declined");
    let again = market.ines.post(&path, &json!({}), "pays").await;
    let stands = (again.text("/document/status"), again.text("/payment/status"));
    assert_eq!((again.status.as_u16(), stands), (200, ("open", "declined")));
    assert_eq!(tries(&market, &id).await, before + 1);
    // A system says which request it is.
    assert_problem(&market.shop.api.post(&path, &json!({}), "").await, 400, "idempotency_key_missing");
}

#[tokio::test]
async fn a_start_that_was_declined_is_declined_to_who_repeats_it() {
    let market = Subscriptions::open().await;
    for _ in 0..2 {
        let declined = begin(&market, "tok_declined_insufficient_funds", "begin").await;
        assert_problem(&declined, 402, "payment_declined");
        assert_eq!(declined.text("/decline/code"), "insufficient_funds");
        market.shop.settle().await;
    }
    assert_eq!(begin(&market, "tok_approved", "anew").await.status, 201);
    market.shop.settle().await;
    market.books_are_right().await;
}

#[tokio::test]
async fn whoever_has_seen_another_revision_changes_and_pays_nothing() {
    let (market, id) = renewed("tok_away_declined_stolen_card").await;
    let path = format!("/v1/subscriptions/{id}");
    let seen = market.ines.get(&path).await.headers["etag"].to_str().unwrap().to_owned();
    let post = async |verb: &str, body: &Value, seen: &str| {
        let headers = [("if-match", seen)];
        market.ines.send_with(Verb::POST, &format!("{path}/{verb}"), &body.to_string(), &headers).await
    };
    let means = json!({"payment": card("tok_approved")});
    let before = market.shop.contents().await;
    for (verb, body) in
        [("set-payment-method", &means), ("pay", &json!({})), ("cancel", &json!({"at": "now"}))]
    {
        assert_problem(&post(verb, body, "\"99\"").await, 409, "stale");
    }
    assert!(market.shop.contents().await == before);
    let set = post("set-payment-method", &means, &seen).await;
    assert_eq!((set.status.as_u16(), set.text("/document/status")), (200, "paid"), "{}", set.body);
    assert_problem(&post("pay", &json!({}), &seen).await, 409, "stale");
    market.shop.settle().await;
    market.books_are_right().await;
}

#[tokio::test]
async fn a13_1_a_change_as_of_its_preview_costs_the_preview_to_the_cent_for_a_quarter_of_an_hour() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    market.shop.wait_minutes(7 * 24 * 60 + 7).await;
    let twenty = market.plan("twenty");
    let asked = market.try_act(&id, "check", json!({"change": {"plan": twenty}})).await;
    let as_of = asked.text("/as_of").to_owned();
    // 31 days have 44,640 minutes, 34,553 are left: 10.00 × 34,553 / 44,640 = 7.7404.
    assert_eq!(
        Subscriptions::lines(&asked.body["document"]),
        [("credit".to_owned(), "-7.74".to_owned()), ("charge".to_owned(), "15.48".to_owned())]
    );
    market.shop.wait_minutes(14).await;
    let future = json!({"plan": twenty, "as_of": "2026-03-09T09:22:00Z"});
    assert_problem(&market.try_act(&id, "change", future).await, 422, "as_of_out_of_range");
    let old = json!({"plan": twenty, "as_of": "2026-03-09T09:05:00Z"});
    assert_problem(&market.try_act(&id, "change", old).await, 422, "as_of_out_of_range");
    let changed = market.act(&id, "change", json!({"plan": twenty, "as_of": as_of})).await;
    for field in ["lines", "subtotal", "tax", "total", "credit", "due"] {
        assert_eq!(changed["document"][field], asked.body["document"][field], "{field}");
    }
    market.books_are_right().await;
}

#[tokio::test]
async fn a13_4_what_is_less_leaves_credit_and_no_more_than_was_charged() {
    let market = Subscriptions::open().await;
    let mut body = market.body("ten", "tok_approved");
    body["quantity"] = json!(3);
    let begun = market.ines.post("/v1/subscriptions", &body, "").await;
    let id = begun.text("/id").to_owned();
    market.shop.settle().await;
    market.shop.wait_minutes(31 * 12 * 60).await;
    let less = market.act(&id, "change", json!({"quantity": 1})).await;
    assert_eq!((at(&less, "/document/kind"), eur_at(&less, "/credit").as_str()), ("credit_note", "10.00"));
    // 30.00 were charged and half of it was used; of 15.00 that could go back, 10.00 did.
    let ended = market.act(&id, "cancel", json!({"at": "now"})).await;
    assert_eq!(eur_at(&ended, "/document/total"), "-5.00");
    assert_eq!(eur_at(&market.show(&id).await, "/credit"), "15.00");
    let again = market.act(&id, "cancel", json!({"at": "now"})).await;
    assert_eq!(eur_at(&again, "/credit"), "15.00");
    assert_eq!(market.bills(&id).await.len(), 3);
    market.books_are_right().await;
}

#[tokio::test]
async fn a_subscription_keeps_its_currency_and_its_pause_its_rules() {
    let market = Subscriptions::open().await;
    let usd = |amount: &str| json!({"amount": amount, "currency": "USD"});
    let mut dollars = terms("10.00");
    dollars["price"] = usd("10.00");
    dollars["tiers"] = json!([{"unit_price": usd("10.00")}]);
    let plan = json!({"external_id": "usd", "name": "usd", "currency": "USD", "terms": dollars});
    let plan = at(&market.shop.done("/v1/plans/publish", &plan).await, "/id").to_owned();
    let id = market.subscribe("ten", "tok_approved").await;
    let refused = market.try_act(&id, "change", json!({"plan": plan})).await;
    assert_problem(&refused, 422, "subscription_currency");
    market.act(&id, "pause", json!({})).await;
    let bills = market.bills(&id).await;
    market.act(&id, "pause", json!({})).await;
    market.act(&id, "pause", json!({"until": "2026-05-01T00:00:00Z"})).await;
    assert_eq!(at(&market.show(&id).await, "/paused_until"), "2026-05-01T00:00:00Z");
    let past = market.try_act(&id, "pause", json!({"until": "2026-03-01T00:00:00Z"})).await;
    assert_problem(&past, 422, "pause_end");
    let change = market.try_act(&id, "change", json!({"quantity": 2})).await;
    assert_problem(&change, 409, "subscription_paused");
    assert_eq!(market.bills(&id).await, bills);
    market.act(&id, "resume", json!({})).await;
    let bills = market.bills(&id).await;
    market.act(&id, "resume", json!({})).await;
    assert_eq!(market.bills(&id).await, bills, "who is there already does not come again");
    market.books_are_right().await;
}

#[tokio::test]
async fn a_plan_that_is_published_unchanged_has_no_new_version_and_one_without_units_is_none() {
    let market = Subscriptions::open().await;
    let body = json!({"external_id": "ten", "name": "ten", "currency": "EUR", "terms": terms("10.00")});
    let again = market.shop.post("/v1/plans/publish", &body).await;
    assert_eq!((again.status.as_u16(), &again.body["version"]), (200, &json!(1)));
    let id = market.subscribe("ten", "tok_approved").await;
    let newer = publish(&market.shop, "ten", terms("12.00")).await;
    assert_eq!(newer["version"], json!(2));
    market.shop.wait_until("2026-04-02T09:01:00Z").await;
    assert_eq!(market.bills(&id).await[1].1, "10.00", "running subscriptions keep their terms");
    market.act(&id, "change", json!({"newest_terms": true, "at": "period_end"})).await;
    market.shop.wait_until("2026-05-02T09:01:00Z").await;
    assert_eq!(market.bills(&id).await[2].1, "12.00");
    let mut nothing = terms("10.00");
    nothing["included"] = json!(0);
    nothing["tiers"] = json!([]);
    let body = json!({"external_id": "none", "name": "none", "currency": "EUR", "terms": nothing});
    let refused = market.shop.refused("/v1/plans/publish", &body, 422, "invalid_value").await;
    assert_eq!(refused.text("/errors/0/field"), "terms.tiers");
    market.books_are_right().await;
}

/// What the only subscription gives: whether now, and up to when.
async fn entitled(market: &Subscriptions) -> (bool, Option<String>) {
    let list = market.ines.get("/v1/entitlements").await;
    let one = &list.body["items"][0];
    (one["active"].as_bool().unwrap(), one["valid_until"].as_str().map(str::to_owned))
}

fn given(until: &str) -> (bool, Option<String>) {
    (true, Some(until.to_owned()))
}

#[tokio::test]
async fn a_service_is_given_while_it_is_paid_or_free_and_never_else() {
    let market = Subscriptions::open().await;
    let mut trial = terms("10.00");
    trial["trial_days"] = json!(14);
    publish(&market.shop, "trial", trial).await;
    let answer = market
        .ines
        .post("/v1/subscriptions", &market.body("trial", "tok_away_fails_9_do_not_honor"), "")
        .await;
    let id = answer.text("/id").to_owned();
    market.shop.settle().await;
    assert_eq!(entitled(&market).await, given("2026-03-16T09:00:00Z"), "in its trial");
    // Declined on the day, and given all the same until it is restricted.
    market.shop.wait_until("2026-03-17T08:00:00Z").await;
    assert!(entitled(&market).await.0);
    market.shop.wait_until("2026-03-26T09:05:00Z").await;
    assert!(!entitled(&market).await.0, "restricted");
    market.act(&id, "set-payment-method", json!({"payment": card("tok_approved")})).await;
    assert_eq!(entitled(&market).await, given("2026-04-16T09:00:00Z"));
    market.act(&id, "pause", json!({})).await;
    assert!(!entitled(&market).await.0, "paused");
    market.act(&id, "resume", json!({})).await;
    assert_eq!(entitled(&market).await, given("2026-04-16T09:00:00Z"));
    market.act(&id, "cancel", json!({"at": "period_end"})).await;
    market.shop.wait_until("2026-04-16T08:59:00Z").await;
    assert_eq!(entitled(&market).await, given("2026-04-16T09:00:00Z"), "until its end");
    market.shop.wait_until("2026-04-16T09:01:00Z").await;
    assert!(!entitled(&market).await.0, "ended");
    market.books_are_right().await;
    let (market, _) = begun_with("tok_action").await;
    assert!(!entitled(&market).await.0, "not paid yet");
}

#[tokio::test]
async fn a16_3_what_an_erased_customer_has_ends_whatever_state_it_is_in_and_is_never_charged_again() {
    for (token, days, bills) in [
        ("tok_approved", 3, &["paid"][..]),
        ("tok_away_declined_stolen_card", 32, &["paid", "uncollectible"]),
        ("tok_away_unknown", 32, &["paid", "uncollectible"]),
    ] {
        let market = Subscriptions::open().await;
        let id = market.subscribe("ten", token).await;
        market.shop.wait_days(days).await;
        let erased = market.ines.post("/v1/customers/me/erase", &json!({}), "").await;
        assert!(erased.status.is_success(), "{}", erased.body);
        market.shop.settle().await;
        let shown = market.shop.get(&format!("/v1/subscriptions/{id}")).await;
        assert_eq!((at(&shown, "/status"), at(&shown, "/end")), ("ended", "erased"), "{token}");
        market.shop.wait_days(70).await;
        let stand: Vec<&str> = market.bills(&id).await.iter().map(|(status, _)| *status).collect();
        assert_eq!(stand, bills, "{token}: invoices are kept");
        assert_eq!(steps(&market).await.len(), 0);
        market.books_are_right().await;
    }
    let (market, id) = begun_with("tok_action").await;
    market.ines.post("/v1/customers/me/erase", &json!({}), "").await;
    market.shop.settle().await;
    assert_eq!(market.kept(&id).await.status(), "ended");
    market.books_are_right().await;
}

/// How many addresses are kept of a subscription.
async fn recipients(market: &Subscriptions, id: &str) -> usize {
    let tail = id.split_once('_').unwrap().1;
    let of = |(pk, sk): &(String, String)| pk.contains(tail) && sk.starts_with("RCP#");
    market.shop.contents().await.keys().filter(|key| of(key)).count()
}

#[tokio::test]
async fn a16_3_an_erasure_leaves_no_address_but_those_that_a_document_names() {
    let market = Subscriptions::open().await;
    let mut trial = terms("10.00");
    trial["trial_days"] = json!(14);
    publish(&market.shop, "trial", trial).await;
    let tried = market.subscribe("trial", "tok_approved").await;
    market.act(&tried, "cancel", json!({"at": "now"})).await;
    let [charged, free] = ["ten", "trial"].map(|plan| market.body(plan, "tok_approved"));
    let (omar, _) = sign_up(&market.shop, "omar").await;
    let mut ids = vec![tried];
    for (api, body) in [(&market.ines, &charged), (&omar, &free)] {
        let answer = api.post("/v1/subscriptions", body, "").await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        ids.push(answer.text("/id").to_owned());
        let mut moved = address();
        moved["lines"] = json!(["Am Hafen 2"]);
        let path = format!("/v1/subscriptions/{}/set-address", answer.text("/id"));
        assert_eq!(api.post(&path, &json!({"address": moved}), "").await.status, 200);
        market.shop.settle().await;
    }
    let kept = async || {
        let mut kept = Vec::new();
        for id in &ids {
            kept.push(recipients(&market, id).await);
        }
        kept
    };
    assert_eq!(kept().await, [1, 2, 2]);
    market.ines.post("/v1/customers/me/erase", &json!({}), "").await.ok().unwrap();
    market.shop.settle().await;
    assert_eq!(kept().await, [0, 1, 2], "what another customer has stays");
    let invoice = &market.documents(&ids[1]).await[0];
    let digest = invoice.bill_to.as_ref().unwrap().as_str();
    let named = Key::recipient(&marketplace_id(), &invoice.subscription, digest);
    let table = &market.shop.market.world.table;
    assert!(table.load::<table::invoice::Recipient>(&named).await.unwrap().is_some());
    omar.post("/v1/customers/me/erase", &json!({}), "").await.ok().unwrap();
    market.shop.settle().await;
    assert_eq!(kept().await, [0, 1, 0]);
    market.books_are_right().await;
}

#[tokio::test]
async fn another_customers_subscription_is_not_there_whatever_is_asked_of_it() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    let omar = sign_up(&market.shop, "omar").await.0;
    let before = market.shop.contents().await;
    let path = format!("/v1/subscriptions/{id}");
    for read in [path.clone(), format!("{path}/upcoming")] {
        assert_problem(&omar.get(&read).await, 404, "not_found");
    }
    for (verb, body) in [
        ("check", json!({"resume": {}})),
        ("change", json!({"quantity": 2})),
        ("pause", json!({})),
        ("resume", json!({})),
        ("cancel", json!({"at": "now"})),
        ("uncancel", json!({})),
        ("skip", json!({})),
        ("deliver-on", json!({"at": "2026-03-09T09:00:00Z"})),
        ("set-address", json!({"address": address()})),
        ("set-payment-method", json!({"payment": card("tok_approved")})),
        ("pay", json!({})),
    ] {
        assert_problem(&omar.post(&format!("{path}/{verb}"), &body, "").await, 404, "not_found");
    }
    let named = omar.get(&format!("/v1/entitlements?customer={}", market.customer)).await;
    assert_problem(&named, 404, "not_found");
    assert!(market.shop.contents().await == before);
}

#[tokio::test]
async fn nobody_changes_over_to_a_plan_that_another_subscription_of_theirs_has() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    let other = market.subscribe("twenty", "tok_approved").await;
    let to = |when: &str| json!({"plan": market.plan("twenty"), "at": when});
    for when in ["now", "period_end"] {
        for (verb, body) in [("check", json!({"change": to(when)})), ("change", to(when))] {
            let refused = market.try_act(&id, verb, body).await;
            assert_problem(&refused, 409, "already_subscribed");
            assert_eq!(refused.text("/detail"), format!("change {other} instead"));
        }
    }
    market.act(&other, "cancel", json!({"at": "now"})).await;
    market.act(&id, "change", to("now")).await;
    assert_eq!(at(&market.show(&id).await, "/plan"), market.plan("twenty"));
    market.books_are_right().await;
}

#[tokio::test]
async fn a_change_to_a_plan_that_has_come_otherwise_since_is_not_made_and_the_renewal_is_charged_as_it_was() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    market.act(&id, "change", json!({"plan": market.plan("twenty"), "at": "period_end"})).await;
    let upcoming = async || {
        let shown = market.ines.get(&format!("/v1/subscriptions/{id}/upcoming")).await;
        eur_at(&shown.body, "/document/total")
    };
    assert_eq!(upcoming().await, "20.00");
    let other = market.subscribe("twenty", "tok_approved").await;
    assert_eq!(upcoming().await, "10.00");
    market.shop.wait_until("2026-04-02T09:06:00Z").await;
    let [ten, twenty] = ["10.00", "20.00"].map(|amount| ("paid", amount.to_owned()));
    assert_eq!(market.bills(&id).await, [ten.clone(), ten]);
    assert_eq!(market.bills(&other).await, [twenty.clone(), twenty]);
    let shown = market.show(&id).await;
    assert_eq!((at(&shown, "/plan"), shown.get("next")), (market.plan("ten").as_str(), None));
    assert_eq!(changes(&market, &id).await, ["started", "activated", "change_scheduled", "change_withdrawn"]);
    market.shop.wait_until("2026-05-02T09:06:00Z").await;
    assert_eq!(market.bills(&id).await.len(), 3);
    market.books_are_right().await;
}

#[tokio::test]
async fn a_card_number_is_taken_for_no_token_and_kept_nowhere() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    for number in ["4242424242424242", "4242 4242 4242 4242", "4242-4242-4242-4242"] {
        let payment = json!({"payment": {"method": "card", "token": number}});
        assert_problem(&market.try_act(&id, "set-payment-method", payment).await, 400, "malformed_request");
        let body = market.body("twenty", number);
        assert_problem(&market.ines.post("/v1/subscriptions", &body, "").await, 400, "malformed_request");
    }
    let kept = format!("{:?}", market.shop.contents().await);
    assert!(!kept.contains("4242"));
}

#[tokio::test]
async fn nobody_owes_a_cent_that_no_invoice_says() {
    let market = Subscriptions::open().await;
    let id = market.subscribe("ten", "tok_approved").await;
    for quantity in [4, 2, 7, 1, 3] {
        market.shop.wait_minutes(6 * 24 * 60 + 13).await;
        market.act(&id, "change", json!({"quantity": quantity})).await;
    }
    let documents = market.documents(&id).await;
    let total: i64 = documents.iter().map(|one| one.total().unwrap().minor).sum();
    let paid: i64 = documents.iter().map(|one| one.due().unwrap().minor).sum();
    let credit = market.kept(&id).await.credit.minor;
    assert_eq!(total, paid - credit, "what was charged is what was paid, but for what is left as credit");
    market.books_are_right().await;
}
