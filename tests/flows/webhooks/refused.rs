//! What is no endpoint: addresses that nobody may call, patterns that mean nothing, one endpoint too many.

use super::*;
use jiff::SignedDuration;
use souk::Market;
use souk::cloud::Pace;

/// A deployment whose receivers are those of the public net.
async fn strict() -> Shop {
    let parameters = [("WebhookReceivers", "public")];
    let market = Market::in_memory_with(moment(START), Pace::Ordered, &parameters).await.unwrap();
    Shop::open_in(market, HOLD_DAYS).await
}

fn codes(answer: &souk::api::Answer) -> Vec<(&str, &str)> {
    let errors = answer.body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().map(|error| (at(error, "/field"), at(error, "/code"))).collect()
}

#[tokio::test]
async fn an_address_of_no_public_host_is_a_422() {
    let shop = strict().await;
    for (address, code) in [
        ("", "format"),
        ("hooks.example", "format"),
        ("https://user:secret@hooks.example/", "format"),
        ("https://hooks.example/#a", "format"),
        ("http://hooks.example/", "https"),
        ("ftp://hooks.example/", "https"),
        ("https://hooks.example:25/", "port"),
        ("https://localhost/", "not_public"),
        ("https://127.0.0.1/", "not_public"),
        ("https://2130706433/", "not_public"),
        ("https://10.1.2.3/", "not_public"),
        ("https://172.31.0.1/", "not_public"),
        ("https://192.168.0.1:8443/", "not_public"),
        ("https://100.64.0.1/", "not_public"),
        ("https://169.254.169.254/latest/meta-data/", "not_public"),
        ("https://[::1]/", "not_public"),
        ("https://[::ffff:169.254.169.254]/", "not_public"),
        ("https://[fd00:ec2::254]/", "not_public"),
        ("https://[fe80::1]/", "not_public"),
        ("https://[2001:db8::1]/", "not_public"),
        ("https://239.0.0.1/", "not_public"),
        ("https://198.51.100.7/", "not_public"),
        ("https://metadata.google.internal/", "not_public"),
    ] {
        let body = json!({"address": address, "events": ["*"]});
        let answer = shop.refused(ENDPOINTS, &body, 422, "invalid_value").await;
        assert_eq!(codes(&answer), [("address", code)], "{address}");
    }
    let good = json!({"address": "https://hooks.example/in?a=b", "events": ["*"]});
    assert_eq!(at(&shop.done(ENDPOINTS, &good).await, "/address"), "https://hooks.example/in?a=b");
}

#[tokio::test]
async fn a_redirection_leads_nowhere() {
    let (shop, receiver, inner) = (Shop::open().await, Receiver::open().await, Receiver::open().await);
    let (id, _) = endpoint(&shop, &receiver, &["category.*"], json!({})).await;
    receiver.answers_with(307, ("location", &inner.address), "");
    happens(&shop, "mugs").await;
    assert_eq!((receiver.take().len(), inner.take().len()), (1, 0));
    let log = log(&shop, &id, "").await;
    assert_eq!((at(&log[0], "/status"), &log[0]["code"]), ("pending", &json!(307)));
}

#[tokio::test]
async fn patterns_that_mean_nothing_and_too_many_words_are_a_422() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let body = |events: Value| json!({"address": receiver.address, "events": events});
    for events in [json!([""]), json!(["order"]), json!(["or*"]), json!(["*.paid.v1"]), json!(["Order.*"])] {
        let answer = shop.refused(ENDPOINTS, &body(events.clone()), 422, "invalid_value").await;
        assert_eq!(codes(&answer), [("events[0]", "format")], "{events}");
    }
    for events in [json!([]), json!(vec!["*"; 51])] {
        let answer = shop.refused(ENDPOINTS, &body(events), 422, "invalid_value").await;
        assert_eq!(codes(&answer), [("events", "range")]);
    }
    let odd = json!({"address": receiver.address, "events": ["*"], "description": "x".repeat(501)});
    assert_eq!(
        codes(&shop.refused(ENDPOINTS, &odd, 422, "invalid_value").await),
        [("description", "format")]
    );
    let odd =
        json!({"address": receiver.address, "events": ["*"], "merchant": "mer_00000000000000000000000000"});
    assert_eq!(codes(&shop.refused(ENDPOINTS, &odd, 422, "invalid_value").await), [("merchant", "unknown")]);
    let (id, _) = endpoint(&shop, &receiver, &["*"], json!({})).await;
    let replay = format!("{ENDPOINTS}/{id}/replay");
    for since in ["", "yesterday", "2026-03-02"] {
        let answer = shop.refused(&replay, &json!({"since": since}), 422, "invalid_value").await;
        assert_eq!(codes(&answer), [("since", "format")], "{since}");
    }
    let answer = shop.api.get(&format!("{ENDPOINTS}/{id}/deliveries?status=pending")).await;
    assert_problem(&answer, 422, "invalid_value");
    for path in [format!("{ENDPOINTS}/whe_00000000000000000000000000"), format!("{ENDPOINTS}/x")] {
        assert_problem(&shop.api.get(&path).await, 404, "not_found");
    }
    assert_problem(
        &shop.api.get("/v1/webhook-deliveries/whd_00000000000000000000000000").await,
        404,
        "not_found",
    );
}

#[tokio::test]
async fn an_owner_has_ten_endpoints_that_listen_at_the_most() {
    let (shop, receiver) = (Shop::open().await, Receiver::open().await);
    let body = json!({"address": receiver.address, "events": ["payout.*"]});
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(at(&shop.done(ENDPOINTS, &body).await, "/id").to_owned());
        shop.market.advance(SignedDuration::from_secs(1)).await.unwrap();
    }
    shop.refused(ENDPOINTS, &body, 409, "too_many_webhook_endpoints").await;
    let mut listed = Vec::new();
    let mut path = format!("{ENDPOINTS}?limit=4");
    loop {
        let page = shop.get(&path).await;
        listed.extend(page["items"].as_array().unwrap().iter().map(|one| at(one, "/id").to_owned()));
        let Some(next) = page["next"].as_str() else { break };
        path = format!("{ENDPOINTS}?limit=4&cursor={next}");
    }
    listed.reverse();
    assert_eq!(listed, ids);
    act(&shop, &ids[0], "remove").await;
    shop.done(ENDPOINTS, &body).await;
    shop.refused(ENDPOINTS, &body, 409, "too_many_webhook_endpoints").await;
    for what in ["pause", "resume", "rotate", "remove", "test"] {
        shop.refused(&format!("{ENDPOINTS}/{}/{what}", ids[0]), &json!({}), 404, "not_found").await;
    }
}
