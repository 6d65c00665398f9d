use super::*;
use axum::Router;
use axum::http::StatusCode;
use domain::id::{OrderId, PaymentId};
use serde_json::json;
use std::sync::{Arc, Mutex};

/// What was asked: method, path with its query, idempotency key, body.
type Asked = Arc<Mutex<Vec<(String, String, Option<String>, String)>>>;

/// Something on this machine that answers every request so, and Stripe's client for it.
async fn answering(status: u16, body: &str) -> (Stripe, Asked) {
    let body = body.to_owned();
    answering_each(move |_| (status, body.clone())).await
}

/// As [`answering`], by the path.
async fn answering_each(
    by_path: impl Fn(&str) -> (u16, String) + Clone + Send + Sync + 'static,
) -> (Stripe, Asked) {
    let asked = Asked::default();
    let heard = Arc::clone(&asked);
    let answer = move |request: axum::extract::Request| {
        let (heard, by_path) = (Arc::clone(&heard), by_path.clone());
        async move {
            let (parts, sent) = request.into_parts();
            let sent = axum::body::to_bytes(sent, 10_000).await.unwrap();
            let key = parts.headers.get("idempotency-key").map(|key| key.to_str().unwrap().to_owned());
            let sent = String::from_utf8(sent.to_vec()).unwrap();
            let path = parts.uri.path_and_query().unwrap().to_string();
            let (status, body) = by_path(&path);
            heard.lock().unwrap().push((parts.method.to_string(), path, key, sent));
            (StatusCode::from_u16(status).unwrap(), body)
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move { axum::serve(listener, Router::new().fallback(answer)).await });
    (client(&address, PATIENCE), asked)
}

fn client(address: &str, patience: Duration) -> Stripe {
    let secret = |text| Secret::new(text, &aws_types::SdkConfig::builder().build());
    Stripe::at(address, secret("sk_test_1"), secret("whsec_1"), patience)
}

fn market() -> MarketplaceId {
    MarketplaceId::from_bits(1)
}

fn key(number: u16) -> AttemptId {
    AttemptId::of(&PaymentId::of(&OrderId::from_bits(7), 1), number)
}

fn eur(minor: i64) -> Money {
    Money::new(minor, "EUR".parse().unwrap())
}

fn authorize(amount: Money) -> Request {
    let (order, token) = (OrderId::from_bits(7), Some("pm_card_visa".parse().unwrap()));
    Request::Authorize {
        key: key(1),
        order,
        method: Method::Card,
        token,
        amount,
        off_session: false,
        capture: false,
    }
}

fn capture() -> Request {
    Request::Capture { key: key(2), authorization: "pi_1".parse().unwrap(), amount: eur(4_00), last: true }
}

fn refund() -> Request {
    Request::Refund { key: key(3), authorization: "pi_1".parse().unwrap(), amount: eur(1_50) }
}

fn ask(reference: Option<&str>, about: Request) -> Request {
    let reference = reference.map(|text| text.parse().unwrap());
    Request::Ask { reference, about: Box::new(about), called: "2026-11-25T21:00:00Z".parse().unwrap() }
}

/// Short, for tables.
fn said(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Unknown => "unknown".to_owned(),
        Outcome::RequiresAction { reference, url } => format!("{reference}: {}", url.as_str()),
        Outcome::Promised { reference } => format!("{reference} promised"),
        Outcome::Approved { reference, expires_at: Some(ends) } => format!("{reference} until {ends}"),
        Outcome::Approved { reference, .. } => format!("{reference} approved"),
        Outcome::Captured { reference, amount } => format!("{reference} captured {amount}"),
        Outcome::Declined { decline } => format!("declined {}", decline.code),
        Outcome::Lapsed => "lapsed".to_owned(),
    }
}

#[tokio::test]
async fn an_authorization_is_a_payment_intent_that_is_confirmed_and_captured_later() {
    let intent = json!({"id": "pi_1", "status": "requires_capture", "latest_charge":
        {"payment_method_details": {"card": {"capture_before": 1_800_000_000}}}});
    let (stripe, asked) = answering(200, &intent.to_string()).await;
    let outcome = stripe.call(&market(), &authorize(eur(43_90))).await;
    assert_eq!(said(&outcome), "pi_1 until 2027-01-15T08:00:00Z");
    let asked = asked.lock().unwrap();
    let [.., (method, path, idempotency, body)] = asked.as_slice() else { panic!("{asked:?}") };
    assert_eq!((method.as_str(), path.as_str()), ("POST", "/v1/payment_intents"));
    assert_eq!(idempotency.as_deref(), Some(key(1).as_str()));
    let form: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        form,
        [
            ("amount", "4390"),
            ("currency", "eur"),
            ("payment_method", "pm_card_visa"),
            ("payment_method_types[]", "card"),
            ("capture_method", "manual"),
            ("confirm", "true"),
            ("expand[]", "latest_charge"),
            ("metadata[marketplace]", market().as_str()),
            ("metadata[payment]", "pay_0000000000000000000000000701"),
            ("metadata[attempt]", key(1).as_str()),
            ("customer", "pi_1"),
            ("setup_future_usage", "off_session"),
        ]
    );
}

fn renewal() -> Request {
    let (order, token) = (OrderId::from_bits(7), Some("pm_card_visa".parse().unwrap()));
    let amount = eur(43_90);
    Request::Authorize {
        key: key(5),
        order,
        method: Method::Card,
        token,
        amount,
        off_session: true,
        capture: false,
    }
}

#[tokio::test]
async fn a_payment_method_is_made_somebodys_for_its_first_payment_and_is_good_for_others_then() {
    let intent = json!({"id": "pi_2", "status": "requires_capture"}).to_string();
    for (owner, customers) in [(json!(null), 1), (json!("cus_1"), 0)] {
        let (intent, method) = (intent.clone(), json!({"id": "pm_card_visa", "customer": owner}).to_string());
        let (stripe, asked) = answering_each(move |path| match path {
            "/v1/payment_methods/pm_card_visa" => (200, method.clone()),
            "/v1/customers" => (200, json!({"id": "cus_1"}).to_string()),
            _ => (200, intent.clone()),
        })
        .await;
        for request in [authorize(eur(43_90)), renewal()] {
            asked.lock().unwrap().clear();
            assert_eq!(said(&stripe.call(&market(), &request).await), "pi_2 approved");
            let asked = asked.lock().unwrap();
            let body = &asked.last().unwrap().3;
            assert!(body.contains("&customer=cus_1&"), "{body}");
        }
        let asked = asked.lock().unwrap();
        let made: Vec<_> = asked.iter().filter(|(_, path, ..)| path == "/v1/customers").collect();
        assert_eq!(made.len(), customers);
        for (_, _, idempotency, body) in made {
            assert_eq!(idempotency.as_deref(), Some("pm_card_visa-customer"));
            let of = format!("payment_method=pm_card_visa&metadata%5Bmarketplace%5D={}", market());
            assert_eq!(*body, of, "for every attempt the same");
        }
        let (_, path, idempotency, body) = asked.last().unwrap();
        assert_eq!((path.as_str(), idempotency.as_deref()), ("/v1/payment_intents", Some(key(5).as_str())));
        assert!(body.ends_with("&customer=cus_1&off_session=true"), "{body}");
    }
}

#[tokio::test]
async fn payments_side_by_side_have_one_customer() {
    let intent = json!({"id": "pi_2", "status": "requires_capture"}).to_string();
    let (made, conflict) =
        (Arc::new(Mutex::new(false)), json!({"error": {"code": "idempotency_key_in_use"}}));
    // Another one makes the customer at this moment.
    let (stripe, asked) = answering_each(move |path| match path {
        "/v1/customers" => {
            *made.lock().unwrap() = true;
            (409, conflict.to_string())
        }
        "/v1/payment_methods/pm_card_visa" => {
            let customer = made.lock().unwrap().then_some("cus_2");
            (200, json!({"id": "pm_card_visa", "customer": customer}).to_string())
        }
        _ => (200, intent.clone()),
    })
    .await;
    assert_eq!(said(&stripe.call(&market(), &authorize(eur(43_90))).await), "pi_2 approved");
    let asked = asked.lock().unwrap();
    assert!(asked.last().unwrap().3.contains("&customer=cus_2&"), "{asked:?}");
}

#[tokio::test]
async fn a_renewal_whose_payment_method_is_not_there_asks_for_no_money() {
    let missing = json!({"error": {"type": "invalid_request_error", "code": "resource_missing"}});
    let (stripe, asked) = answering(404, &missing.to_string()).await;
    assert_eq!(said(&stripe.call(&market(), &renewal()).await), "declined resource_missing");
    assert_eq!(asked.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn each_call_goes_to_its_address_with_its_own_key() {
    let (void, number) = (Request::Void { key: key(4), authorization: "pi_1".parse().unwrap() }, |number| {
        Some(key(number).to_string())
    });
    let capture_form = format!("amount_to_capture=400&metadata%5Bcapture%5D={}", key(2));
    for (request, answer, want, method, path, idempotency, form) in [
        (
            capture(),
            json!({"id": "pi_1", "status": "succeeded"}),
            format!("{} approved", key(2)),
            "POST",
            "/v1/payment_intents/pi_1/capture",
            number(2),
            capture_form.as_str(),
        ),
        (
            void.clone(),
            json!({"id": "pi_1", "status": "canceled"}),
            format!("{} approved", key(4)),
            "POST",
            "/v1/payment_intents/pi_1/cancel",
            number(4),
            "",
        ),
        (
            refund(),
            json!({"id": "re_1", "status": "succeeded"}),
            "re_1 approved".to_owned(),
            "POST",
            "/v1/refunds",
            number(3),
            "payment_intent=pi_1&amount=150",
        ),
        (
            refund(),
            json!({"id": "re_1", "status": "pending"}),
            "re_1 promised".to_owned(),
            "POST",
            "/v1/refunds",
            number(3),
            "payment_intent=pi_1",
        ),
        (
            ask(Some("pi_1"), authorize(eur(1))),
            json!({"id": "pi_1", "status": "requires_capture"}),
            "pi_1 approved".to_owned(),
            "GET",
            "/v1/payment_intents/pi_1?expand[]=latest_charge",
            None,
            "",
        ),
        (
            ask(None, authorize(eur(1))),
            json!({"data": [{"id": "pi_2", "status": "requires_capture", "metadata": {"attempt": key(9)}}]}),
            "declined not_received".to_owned(),
            "GET",
            "/v1/payment_intents?created[gte]=1795640370&created[lte]=1795640490&limit=100&expand",
            None,
            "",
        ),
        (
            ask(None, capture()),
            json!({"id": "pi_1", "status": "requires_capture"}),
            "declined not_received".to_owned(),
            "GET",
            "/v1/payment_intents/pi_1",
            None,
            "",
        ),
        (
            ask(None, capture()),
            json!({"id": "pi_1", "status": "succeeded", "metadata": {"capture": key(2)}}),
            format!("{} approved", key(2)),
            "GET",
            "/v1/payment_intents/pi_1",
            None,
            "",
        ),
        (
            ask(None, capture()),
            json!({"id": "pi_1", "status": "succeeded", "metadata": {"capture": key(9)}}),
            "declined payment_intent_unexpected_state".to_owned(),
            "GET",
            "/v1/payment_intents/pi_1",
            None,
            "",
        ),
        (
            ask(None, refund()),
            json!({"data": [{"id": "re_2", "status": "succeeded", "metadata": {"attempt": key(9)}}]}),
            "declined not_received".to_owned(),
            "GET",
            "/v1/refunds?payment_intent=pi_1&limit=100",
            None,
            "",
        ),
        (
            ask(None, refund()),
            json!({"data": [{"id": "re_1", "status": "succeeded", "metadata": {"attempt": key(3)}}]}),
            "re_1 approved".to_owned(),
            "GET",
            "/v1/refunds",
            None,
            "",
        ),
        (
            ask(None, void),
            json!({"id": "pi_1", "status": "canceled"}),
            format!("{} approved", key(4)),
            "GET",
            "/v1/payment_intents/pi_1",
            None,
            "",
        ),
    ] {
        let (stripe, asked) = answering(200, &answer.to_string()).await;
        assert_eq!(said(&stripe.call(&market(), &request).await), want, "{request:?}");
        let asked = asked.lock().unwrap();
        let [one] = asked.as_slice() else { panic!("{asked:?}") };
        assert_eq!((one.0.as_str(), &one.2), (method, &idempotency), "{request:?}");
        assert!(one.1.starts_with(path) && one.3.starts_with(form), "{one:?}");
    }
}

#[tokio::test]
async fn an_intent_that_is_not_named_yet_is_looked_for_on_every_page_of_what_was_made_then() {
    let page = |number: u16, attempt: u16, more: bool| {
        let intent = json!({"id": format!("pi_{number}"), "status": "requires_capture",
            "metadata": {"attempt": key(attempt)}});
        json!({"data": [intent], "has_more": more}).to_string()
    };
    for (attempt, more, want, pages) in [
        (1, false, "pi_2 approved", 2),
        (8, false, "declined not_received", 2),
        // What was not looked through says nothing.
        (8, true, "unknown", 10),
    ] {
        let (stripe, asked) = answering_each(move |path| match path.contains("&starting_after=pi_") {
            false => (200, page(1, 9, true)),
            true => (200, page(2, attempt, more)),
        })
        .await;
        assert_eq!(said(&stripe.call(&market(), &ask(None, authorize(eur(1)))).await), want);
        let asked = asked.lock().unwrap();
        let paths: Vec<&str> = asked.iter().map(|(_, path, ..)| path.as_str()).collect();
        assert_eq!(paths.len(), pages, "{paths:?}");
        assert!(paths[1].ends_with("&starting_after=pi_1"), "{paths:?}");
    }
}

#[tokio::test]
async fn what_is_no_clear_answer_is_unknown_and_what_was_not_taken_is_declined() {
    let card =
        json!({"error": {"type": "card_error", "code": "card_declined", "decline_code": "stolen_card"}});
    let missing = json!({"error": {"type": "invalid_request_error", "code": "resource_missing"}});
    let reused = json!({"error": {"type": "idempotency_error"}});
    let intent = |status: &str| json!({"id": "pi_1", "status": status}).to_string();
    let next = json!({"redirect_to_url": {"url": "https://hooks.example/3ds"}});
    let confirm = json!({"id": "pi_1", "status": "requires_action", "next_action": next});
    let along = json!({"id": "pi_1", "status": "succeeded", "amount_received": 4390, "currency": "eur"});
    let captured = json!({"id": "pi_1", "status": "succeeded", "metadata": {"capture": key(2)}});
    for (status, body, want) in [
        (500, "{}".to_owned(), "unknown"),
        (502, "<html>bad gateway</html>".to_owned(), "unknown"),
        (200, "gar{bage".to_owned(), "unknown"),
        (200, "{}".to_owned(), "unknown"),
        (409, json!({"error": {"code": "lock_timeout"}}).to_string(), "unknown"),
        (400, reused.to_string(), "unknown"),
        (429, "{}".to_owned(), "declined try_again_later"),
        (401, "{}".to_owned(), "declined processing_error"),
        (402, card.to_string(), "declined stolen_card"),
        (404, missing.to_string(), "declined resource_missing"),
        (200, intent("processing"), "unknown"),
        (200, intent("canceled"), "lapsed"),
        (200, intent("requires_action"), "declined authentication_required"),
        (200, intent("requires_payment_method"), "declined generic_decline"),
        (200, confirm.to_string(), "pi_1: https://hooks.example/3ds"),
        (200, along.to_string(), "pi_1 captured 43.90 EUR"),
        (200, captured.to_string(), "pi_1 approved"),
    ] {
        let (stripe, _) = answering(status, &body).await;
        assert_eq!(said(&stripe.call(&market(), &authorize(eur(43_90))).await), want, "{status} {body}");
    }
    // A question that is refused says nothing of what was asked about.
    let void = Request::Void { key: key(4), authorization: "pi_1".parse().unwrap() };
    for status in [401, 404, 429] {
        let (stripe, _) = answering(status, "{}").await;
        let named = ask(Some("pi_1"), authorize(eur(1)));
        for question in [named, ask(None, authorize(eur(1))), ask(None, refund())] {
            assert_eq!(said(&stripe.call(&market(), &question).await), "unknown", "{status} {question:?}");
        }
        for about in [capture(), void.clone()] {
            assert_eq!(said(&stripe.call(&market(), &ask(Some("pi_1"), about)).await), "unknown", "{status}");
        }
    }
}

#[tokio::test]
async fn who_does_not_answer_in_time_or_at_all_leaves_the_outcome_unknown() {
    // Takes the connection, and never says a word.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let silent = client(&format!("http://{}", listener.local_addr().unwrap()), Duration::from_millis(50));
    assert_eq!(said(&silent.call(&market(), &authorize(eur(43_90))).await), "unknown");
    let nobody = client("http://127.0.0.1:1", PATIENCE);
    assert_eq!(said(&nobody.call(&market(), &capture()).await), "unknown");
}

#[tokio::test]
async fn what_stripe_does_not_take_is_not_sent() {
    let (stripe, asked) = answering(200, "{}").await;
    // 5,000.00 ariary are 500000 by ISO and 5000 by Stripe.
    for (minor, currency) in [(1_000, "KWD"), (500, "ISK"), (500_000, "MGA")] {
        let amount = Money::new(minor, currency.parse().unwrap());
        let outcome = stripe.call(&market(), &authorize(amount)).await;
        assert_eq!(said(&outcome), "declined currency_not_supported", "{currency}");
    }
    assert!(asked.lock().unwrap().is_empty());
}

fn event(kind: &str, object: Value) -> Value {
    json!({"id": "evt_1", "type": kind, "data": {"object": object}})
}

#[tokio::test]
async fn a_notice_tells_the_attempt_that_it_is_about() {
    let stripe = client("http://127.0.0.1:1", PATIENCE);
    let metadata = json!({"marketplace": market(), "attempt": key(1)});
    let captured = json!({"marketplace": market(), "attempt": key(1), "capture": key(2)});
    let refunded = json!({"marketplace": market(), "attempt": key(3)});
    let now: Timestamp = "2026-11-25T21:00:00Z".parse().unwrap();
    for (event, want) in [
        (
            event(
                "payment_intent.amount_capturable_updated",
                json!({"id": "pi_1", "status": "requires_capture", "metadata": metadata}),
            ),
            Some((1, "pi_1 approved".to_owned())),
        ),
        (
            event(
                "payment_intent.succeeded",
                json!({"id": "pi_1", "status": "succeeded", "metadata": captured}),
            ),
            Some((2, format!("{} approved", key(2)))),
        ),
        (
            event(
                "payment_intent.succeeded",
                json!({"id": "pi_1", "status": "succeeded", "amount_received": 100, "currency": "eur",
                    "metadata": metadata}),
            ),
            Some((1, "pi_1 captured 1.00 EUR".to_owned())),
        ),
        (
            event(
                "payment_intent.canceled",
                json!({"id": "pi_1", "status": "canceled", "metadata": metadata}),
            ),
            Some((1, "lapsed".to_owned())),
        ),
        (
            event(
                "refund.updated",
                json!({"id": "re_1", "status": "failed", "failure_reason": "lost_or_stolen_card",
                    "metadata": refunded}),
            ),
            Some((3, "declined lost_or_stolen_card".to_owned())),
        ),
        (event("customer.created", json!({"metadata": metadata})), None),
        (
            event("payment_intent.succeeded", json!({"id": "pi_9", "status": "succeeded", "metadata": {}})),
            None,
        ),
    ] {
        let body = event.to_string();
        let signature = signature::stripe("whsec_1", now, body.as_bytes());
        let headers: HeaderMap =
            [("stripe-signature".parse().unwrap(), signature.parse().unwrap())].into_iter().collect();
        let read = stripe.read_notice(&headers, body.as_bytes(), now).await.unwrap();
        let told = read.first().map(|notice| (notice.attempt.place().unwrap().1, said(&notice.outcome)));
        assert_eq!(told, want, "{body}");
        assert!(read.iter().all(|notice| notice.marketplace == market()));
        assert!(stripe.read_notice(&headers, b"{}", now).await.is_err());
    }
}
