//! What does not make sense is refused with a problem document that says why, and nothing of it is written.

use http::Method;
use serde_json::{Value, json};
use std::collections::BTreeSet;
use tests::*;

/// An order that would be taken.
fn good(merchant: &str) -> Value {
    order_body("A-1", json!([line(merchant, "mug", 2, "10.00")]), json!({}))
}

/// The same with another value at a place.
fn with(merchant: &str, pointer: &str, value: Value) -> Value {
    let mut body = good(merchant);
    *body.pointer_mut(pointer).unwrap() = value;
    body
}

/// Fields and the codes of what is wrong with them.
type Errors<'a> = &'a [(&'a str, &'a str)];

/// The fields and codes of a 422.
fn errors(body: &Value) -> Vec<(&str, &str)> {
    let errors = body["errors"].as_array().map_or(&[][..], Vec::as_slice);
    errors.iter().map(|error| (at(error, "/field"), at(error, "/code"))).collect()
}

#[tokio::test]
async fn what_cannot_be_read_is_a_400() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let good = good(&alma).to_string();
    let with = |pointer: &str, value: Value| with(&alma, pointer, value).to_string();
    let bodies = [
        "{".to_owned(),
        "no JSON".to_owned(),
        "[]".to_owned(),
        "null".to_owned(),
        "\"text\"".to_owned(),
        "{}".to_owned(),
        format!("{good} x"),
        good.replace("\"channel\"", "\"chanel\""),
        good.replace("\"sku\"", "\"discount\":1,\"sku\""),
        good.replace("\"currency\"", "\"unit\":1,\"currency\""),
        good.replace("\"web\"", "\"we\nb\""),
        good.replace("\"channel\":\"web\"", "\"channel\":\"web\",\"channel\":\"web\""),
        with("/channel", json!(1)),
        with("/channel", json!(null)),
        with("/lines", json!({})),
        with("/lines/0/quantity", json!("2")),
        with("/lines/0/quantity", json!(1.5)),
        with("/lines/0/quantity", json!(1e30)),
        with("/lines/0/unit_price", json!(10)),
        with("/lines/0/unit_price", json!("10.00")),
        with("/lines/0/unit_price/amount", json!(10.00)),
    ];
    let before = shop.contents().await;
    for body in bodies {
        let answer = send_text(&shop, Method::POST, "/v1/orders", &body).await;
        assert_eq!((answer.status.as_u16(), body.as_str()), (400, body.as_str()), "{}", answer.body);
        assert_problem(&answer, 400, "malformed_request");
    }
    assert!(shop.contents().await == before);
}

#[tokio::test]
async fn a_bad_value_is_a_422_that_names_its_field() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let price = "/lines/0/unit_price/amount";
    let amount = [("lines[0].unit_price", "amount")];
    let cases: Vec<(&str, Value, Errors<'_>)> = vec![
        ("/lines/0/unit_price/currency", json!("USD"), &amount),
        ("/lines/0/unit_price/currency", json!("eur"), &amount),
        (price, json!("-0.01"), &amount),
        (price, json!("123456789012345678901234567890"), &amount),
        (price, json!("10000000000000.01"), &amount),
        (price, json!("9.999"), &amount),
        (price, json!(""), &amount),
        (price, json!("1e3"), &amount),
        (price, json!("1,50"), &amount),
        (price, json!(".5"), &amount),
        (price, json!("+1"), &amount),
        (price, json!("NaN"), &amount),
        (price, json!("１"), &amount),
        ("/lines/0/quantity", json!(0), &[("lines[0].quantity", "range")]),
        ("/lines/0/quantity", json!(-1), &[("lines[0].quantity", "range")]),
        ("/lines/0/quantity", json!(1_000_001), &[("lines[0].quantity", "range")]),
        ("/lines/0/quantity", json!(1_000_000_000), &[("lines[0].quantity", "range")]),
        ("/lines/0/merchant", json!("mer_00000000000000000000000000"), &[("lines[0].merchant", "unknown")]),
        ("/lines/0/merchant", json!("alma"), &[("lines[0].merchant", "unknown")]),
        ("/lines/0/merchant", json!(""), &[("lines[0].merchant", "unknown")]),
        ("/lines/0/merchant", json!(null), &[("lines[0].merchant", "required")]),
        ("/lines/0/sku", json!(""), &[("lines[0].sku", "format")]),
        ("/lines/0/sku", json!("a\u{0}b"), &[("lines[0].sku", "format")]),
        ("/lines/0/sku", json!("a\nb"), &[("lines[0].sku", "format")]),
        ("/lines/0/sku", json!(" a"), &[("lines[0].sku", "format")]),
        ("/lines/0/sku", json!("x".repeat(65)), &[("lines[0].sku", "format")]),
        ("/channel", json!("Web"), &[("channel", "format")]),
        ("/channel", json!("a#b"), &[("channel", "format")]),
        ("/external_id", json!("\u{7f}"), &[("external_id", "format")]),
        ("/external_id", json!(""), &[("external_id", "format")]),
    ];
    for (pointer, value, expected) in cases {
        let answer =
            shop.refused("/v1/orders", &with(&alma, pointer, value.clone()), 422, "invalid_value").await;
        assert_eq!(errors(&answer.body), expected, "{pointer} = {value}");
    }
}

#[tokio::test]
async fn all_bad_values_are_told_in_one_answer() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let birch = shop.merchant("birch", json!({"every": "day"})).await;
    shop.done(&format!("/v1/merchants/{birch}/suspend"), &json!({"reason": "late"})).await;
    let body = json!({
        "channel": "Web",
        "external_id": "A-1",
        "occurred_at": "2026-03-02T09:05:00.001Z",
        "lines": [line(&alma, "mug", 0, "1.005"), line(&birch, "novel", 1, "1.00")],
        "payments": [{"method": "", "amount": eur("-1")}],
    });
    let answer = shop.refused("/v1/orders", &body, 422, "invalid_value").await;
    let expected = [
        ("channel", "format"),
        ("occurred_at", "future"),
        ("lines[0].quantity", "range"),
        ("lines[0].unit_price", "amount"),
        ("lines[1].merchant", "not_open"),
        ("payments[0].method", "format"),
        ("payments[0].amount", "amount"),
    ];
    assert_eq!(errors(&answer.body), expected);
    for text in ["yesterday", "2026-03-02", "2026-02-30T00:00:00Z", "", "9999999999"] {
        let body = order_body("A-1", json!([line(&alma, "mug", 1, "1.00")]), json!({"occurred_at": text}));
        let answer = shop.refused("/v1/orders", &body, 422, "invalid_value").await;
        assert_eq!(errors(&answer.body), [("occurred_at", "format")], "{text}");
    }
}

#[tokio::test]
async fn amounts_that_fit_alone_and_not_together_are_refused() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    for quantity in [9_000, 1_000_000] {
        let lines = json!([line(&alma, "mug", quantity, "10000000000000.00")]);
        shop.refused("/v1/orders", &order_body("A-1", lines, json!({})), 422, "amount_out_of_range").await;
    }
    let rich = shop.place("A-2", json!([line(&alma, "mug", 1, "10000000000000.00")]), json!({})).await;
    assert_eq!(eur_at(&rich, "/totals/total"), "10000000000000.00");
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_has_at_most_80_lines_and_40_payments() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let lines = |count: usize| json!(vec![line(&alma, "mug", 1, "1.00"); count]);
    let payments =
        |count: usize| json!({"payments": vec![json!({"method": "card", "amount": eur("2.00")}); count]});
    let too_many = order_body("A-1", lines(81), json!({}));
    shop.refused("/v1/orders", &too_many, 422, "order_line_count").await;
    // Counted before anything is looked up.
    let too_many = order_body("A-1", json!(vec![line("nobody", "mug", 1, "1.00"); 81]), json!({}));
    shop.refused("/v1/orders", &too_many, 422, "order_line_count").await;
    let too_many = order_body("A-1", lines(80), payments(41));
    shop.refused("/v1/orders", &too_many, 422, "order_payment_count").await;
    shop.refused("/v1/orders", &order_body("A-1", json!([]), json!({})), 422, "order_empty").await;
    let order = at(&shop.place("A-1", lines(80), payments(40)).await, "/id").to_owned();
    shop.settle().await;
    shop.pay(&order).await;
    shop.fulfill(&part(&order, 1)).await;
    assert_eq!(shop.balance(&alma).await.1, "68.00");
    shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_has_at_most_32_merchants_and_one_of_32_is_split_and_canceled_whole() {
    let shop = Shop::open().await;
    let mut lines = Vec::new();
    for n in 0..33 {
        let merchant = shop.merchant_without_account(&format!("m{n}"), json!({"every": "day"})).await;
        lines.push(line(&merchant, "mug", 1, "1.00"));
    }
    let too_many = order_body("A-1", json!(lines), json!({}));
    shop.refused("/v1/orders", &too_many, 422, "order_merchant_count").await;
    let order = shop.paid_order("A-1", json!(lines[..32])).await;
    assert_eq!(shop.order(&order).await["merchant_orders"].as_array().unwrap().len(), 32);
    shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed mind"})).await;
    shop.settle().await;
    let view = shop.order(&order).await;
    assert_eq!((at(&view, "/status"), eur_at(&view, "/totals/refunded")), ("canceled", "32.00".into()));
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_body_of_more_than_a_megabyte_is_a_413() {
    let shop = Shop::open().await;
    let before = shop.contents().await;
    for size in [1_000_001, 10 * 1_024 * 1_024 + 1] {
        let body = format!("{{\"channel\":\"{}\"}}", "x".repeat(size));
        let answer = send_text(&shop, Method::POST, "/v1/orders", &body).await;
        assert_problem(&answer, 413, "body_too_large");
    }
    assert!(shop.contents().await == before);
}

#[tokio::test]
async fn ids_that_are_foreign_invented_or_malformed_are_a_404() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.wait_days(5).await;
    let payout = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    let neighbor = shop.neighbor().await;
    let before = shop.contents().await;
    for path in [
        format!("/v1/orders/{order}"),
        format!("/v1/merchant-orders/{}", part(&order, 1)),
        format!("/v1/merchants/{alma}"),
        format!("/v1/payouts/{payout}"),
        format!("/v1/payouts/{payout}/lines"),
        format!("/v1/balances/{alma}"),
    ] {
        assert_eq!(shop.api.get(&path).await.status, 200, "{path}");
        assert_problem(&neighbor.get(&path).await, 404, "not_found");
    }
    let because = json!({"reason": "x"});
    for (path, body) in [
        (format!("/v1/orders/{order}/cancel"), &because),
        (format!("/v1/merchants/{alma}/suspend"), &because),
        (format!("/v1/payouts/{payout}/fail"), &because),
        (format!("/v1/merchant-orders/{}/accept", part(&order, 1)), &json!({})),
        (
            format!("/v1/merchants/{alma}/set-conditions"),
            &json!({"schedule": {"every": "day"}, "commission": []}),
        ),
        (format!("/v1/merchants/{alma}/activate-payout-account"), &json!({})),
    ] {
        assert_problem(&neighbor.post(&path, body, "k").await, 404, "not_found");
    }
    let ids = [
        "ord_00000000000000000000000000",
        "mor_0000000000000000000000000001",
        "mer_00000000000000000000000000",
        "pyo_0000000000000000000000000020260305",
        "x",
        "ord_",
        "ord_%00000000",
        "%2e%2e",
        "ORD_00000000",
        "a%20b",
        "%E2%82%AC",
        "%FF",
        "ord_0000000000000000000000000000000000000000000000000",
    ];
    for id in ids {
        for list in ["orders", "merchant-orders", "merchants", "payouts", "balances", "audit"] {
            let path = format!("/v1/{list}/{id}");
            let story = ["ord_0", "mer_0", "mor_0", "pyo_0"].iter().any(|kind| id.starts_with(kind));
            if list == "audit" && story && id.len() < 45 {
                continue; // An empty story, not a refusal.
            }
            assert_problem(&shop.api.get(&path).await, 404, "not_found");
        }
        for path in
            ["orders/{}/pay", "merchant-orders/{}/accept", "merchants/{}/approve", "payouts/{}/confirm"]
        {
            let path = format!("/v1/{}", path.replace("{}", id));
            assert_problem(&shop.post(&path, &json!({})).await, 404, "not_found");
        }
    }
    assert!(shop.contents().await == before, "a request for nothing wrote something");
}

#[tokio::test]
async fn an_unknown_path_is_a_404_and_another_method_a_405_and_both_are_problems() {
    let shop = Shop::open().await;
    for path in
        ["/", "/v1", "/v2/orders", "/v1/nothing", "/v1/orders/x/y/z", "/v1/merchants/x/fly", "/v1/orders/"]
    {
        assert_problem(&shop.api.get(path).await, 404, "not_found");
    }
    for (method, path) in [
        (Method::DELETE, "/v1/orders"),
        (Method::PUT, "/v1/orders/ord_00000000000000000000000000"),
        (Method::GET, "/v1/orders/ord_00000000000000000000000000/cancel"),
        (Method::POST, "/v1/payouts"),
        (Method::PATCH, "/v1/merchants/mer_00000000000000000000000000"),
        (Method::POST, "/v1/ledger/accounts"),
    ] {
        assert_problem(&send_text(&shop, method, path, "{}").await, 405, "method_not_allowed");
    }
}

#[tokio::test]
async fn a_page_is_of_1_to_100_items_after_a_cursor_that_was_given() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let offer = shop.stocked(&alma, "bowl", 1).await;
    let product = at(&shop.get(&format!("/v1/offers/{offer}")).await, "/product").to_owned();
    let order = shop.delivered_order("A-1", json!([line(&alma, "mug", 1, "10.00")])).await;
    shop.wait_days(5).await;
    let payout = at(&shop.payouts(&alma).await[0], "/id").to_owned();
    let (_, customer) = tests::subscribing::sign_up(&shop, "ines").await;
    let plan = tests::subscribing::publish(&shop, "ten", tests::subscribing::terms("10.00")).await;
    let plan = at(&plan, "/id");
    let start = json!({
        "customer": customer, "plan": plan, "address": tests::subscribing::address(),
        "payment": tests::subscribing::card("tok_approved"),
    });
    let subscription = at(&shop.done("/v1/subscriptions", &start).await, "/id").to_owned();
    let endpoint = json!({"address": "https://127.0.0.1:1/", "events": ["payout.*"]});
    let endpoint = at(&shop.done("/v1/webhook-endpoints", &endpoint).await, "/id").to_owned();
    let spring = json!({"members": {"by": "hand", "products": [product]}, "order": "chosen"});
    shop.done("/v1/collections/spring/set", &spring).await;
    let asset = json!({"name": "mug", "content_type": "image/png", "length": 9});
    let asset = at(&shop.done("/v1/assets", &asset).await, "/id").to_owned();
    let profile = json!({"mappings": [{"from": {"column": "id"}, "to": {"field": "external_id"}}]});
    shop.done("/v1/import-profiles/shop/set", &profile).await;
    let import = json!({"name": "mugs.csv", "profile": "shop", "format": "csv", "bytes": 9});
    let import = at(&shop.done("/v1/imports", &import).await, "/id").to_owned();
    // A list in the order of time or of a range knows a foreign cursor; one in the order of names goes on after it.
    let (foreign, named) = (true, false);
    let lists = [
        ("/v1/orders?".to_owned(), foreign),
        ("/v1/orders?exception=open&".to_owned(), foreign),
        (format!("/v1/orders?merchant={alma}&"), foreign),
        ("/v1/orders?customer=cus_00000000000000000000000000&".to_owned(), foreign),
        (format!("/v1/merchant-orders?merchant={alma}&"), foreign),
        (format!("/v1/merchant-orders?merchant={alma}&status=open&"), foreign),
        ("/v1/payments?".to_owned(), foreign),
        ("/v1/payouts?".to_owned(), foreign),
        (format!("/v1/payouts?merchant={alma}&"), foreign),
        (format!("/v1/payouts/{payout}/lines?"), foreign),
        (format!("/v1/audit/{order}?"), foreign),
        (format!("/v1/audit/{alma}?"), foreign),
        (format!("/v1/stock/{offer}/movements?"), foreign),
        ("/v1/tax/rates?".to_owned(), foreign),
        ("/v1/promotions/codes?".to_owned(), named),
        ("/v1/merchants?".to_owned(), named),
        (format!("/v1/members?merchant={alma}&"), named),
        ("/v1/api-keys?".to_owned(), named),
        ("/v1/overrides?".to_owned(), named),
        ("/v1/categories?".to_owned(), named),
        ("/v1/products?".to_owned(), named),
        (format!("/v1/products/{product}/sheet/history?"), foreign),
        ("/v1/proposals?".to_owned(), foreign),
        ("/v1/attributes?".to_owned(), named),
        ("/v1/families?".to_owned(), named),
        ("/v1/sales-channels?".to_owned(), foreign),
        (format!("/v1/offers?merchant={alma}&"), named),
        ("/v1/customers/me/orders?".to_owned(), foreign),
        ("/v1/shop/categories?".to_owned(), named),
        ("/v1/shop/products?".to_owned(), named),
        ("/v1/plans?".to_owned(), named),
        (format!("/v1/plans/{plan}/versions?"), foreign),
        ("/v1/subscriptions/plans?".to_owned(), named),
        (format!("/v1/subscriptions?plan={plan}&"), named),
        (format!("/v1/subscriptions?customer={customer}&"), named),
        (format!("/v1/entitlements?customer={customer}&"), named),
        ("/v1/dunning?".to_owned(), foreign),
        (format!("/v1/reviews?merchant={alma}&"), foreign),
        ("/v1/reviews/pending?".to_owned(), foreign),
        ("/v1/reviews/reports?".to_owned(), foreign),
        ("/v1/reviews/own?".to_owned(), foreign),
        (format!("/v1/invoices?customer={customer}&"), foreign),
        (format!("/v1/invoices?subscription={subscription}&"), foreign),
        ("/v1/dunning?ended_in=2026-03&".to_owned(), foreign),
        ("/v1/assets?".to_owned(), foreign),
        ("/v1/exports?".to_owned(), foreign),
        ("/v1/duplicates?".to_owned(), foreign),
        ("/v1/scheduled-changes?".to_owned(), foreign),
        ("/v1/collections?".to_owned(), foreign),
        ("/v1/collections/spring/products?".to_owned(), named),
        ("/v1/shop/collections?".to_owned(), foreign),
        ("/v1/shop/collections/spring/products?".to_owned(), named),
        ("/v1/imports?".to_owned(), foreign),
        (format!("/v1/imports/{import}/errors?"), foreign),
        ("/v1/import-profiles?".to_owned(), foreign),
        (format!("/v1/assets/{asset}/usages?"), foreign),
        ("/v1/messages?".to_owned(), foreign),
        ("/v1/suppressions?".to_owned(), foreign),
        ("/v1/message-templates/shipped/en/versions?".to_owned(), foreign),
        ("/v1/wish-lists?".to_owned(), named),
        ("/v1/stock-alerts?".to_owned(), foreign),
        ("/v1/abandoned-carts?".to_owned(), foreign),
        ("/v1/abandoned-carts/recovered?".to_owned(), foreign),
        ("/v1/webhook-endpoints?".to_owned(), foreign),
        (format!("/v1/webhook-endpoints/{endpoint}/deliveries?"), foreign),
        (format!("/v1/webhook-endpoints/{endpoint}/deliveries?status=failed&"), foreign),
    ];
    let (ines, guest) = (shop.person("ines"), shop.guest());
    let caller = |list: &str| match list.split(['/', '?']).nth(2) {
        Some("customers" | "wish-lists" | "stock-alerts") => &ines,
        Some("shop") => &guest,
        Some("reviews") if list.contains("/own?") => &ines,
        Some("reviews") if list.starts_with("/v1/reviews?") => &guest,
        Some(_) if list.starts_with("/v1/subscriptions/plans") => &guest,
        Some(_) | None => &shop.api,
    };
    let paged = include_str!("../../infra/openapi.json").matches("\"name\": \"cursor\"").count();
    let paths: BTreeSet<&str> = lists.iter().filter_map(|(list, _)| list.split('?').next()).collect();
    assert_eq!(paths.len(), paged + 1, "every list is here, and two stories: {paths:?}");
    for (list, own) in lists {
        for wrong in
            ["limit=0", "limit=101", "limit=abc", "limit=-1", "limit=1.5", "limit=", "limit=99999999999"]
        {
            let answer = caller(&list).get(&format!("{list}{wrong}")).await;
            assert_problem(&answer, 422, "invalid_value");
            assert_eq!(errors(&answer.body), [("limit", "range")], "{list}{wrong}");
        }
        for wrong in ["cursor=x", "cursor=zz", "cursor=", "cursor=1", "cursor=%C3%A9"] {
            let answer = caller(&list).get(&format!("{list}{wrong}")).await;
            assert_problem(&answer, 422, "invalid_value");
            assert_eq!(errors(&answer.body), [("cursor", "format")], "{list}{wrong}");
        }
        for cursor in ["30", "414141", "5a", "7e7e", "4c454423"] {
            let answer = caller(&list).get(&format!("{list}limit=100&cursor={cursor}")).await;
            if own == foreign {
                assert_problem(&answer, 422, "invalid_value");
                assert_eq!(errors(&answer.body), [("cursor", "foreign")], "{list}{cursor}");
            } else {
                assert_eq!(answer.status, 200, "{list}{cursor} {}", answer.body);
            }
        }
        assert_problem(&caller(&list).get(&format!("{list}size=3")).await, 400, "malformed_request");
        assert_problem(&caller(&list).get(&format!("{list}limit=1&limit=2")).await, 400, "malformed_request");
    }
    for (query, field) in [("from=yesterday", "from"), ("customer=x", "customer"), ("status=lost", "status")]
    {
        let answer = shop.api.get(&format!("/v1/orders?{query}")).await;
        assert_problem(&answer, 422, "invalid_value");
        assert_eq!(errors(&answer.body)[0].0, field);
    }
    let nobody = "customer=cus_00000000000000000000000000";
    for (list, field) in [
        ("orders?channel=web".to_owned(), ("external_id", "required")),
        (format!("orders?{nobody}&exception=open"), ("exception", "conflict")),
        (format!("orders?{nobody}&from=2026-01-01"), ("from", "conflict")),
        (format!("orders?{nobody}&merchant={alma}"), ("merchant", "conflict")),
        (format!("payouts?merchant={alma}&to=2026-01-01"), ("from", "conflict")),
    ] {
        let answer = shop.api.get(&format!("/v1/{list}")).await;
        assert_problem(&answer, 422, "invalid_value");
        assert_eq!(errors(&answer.body), [field], "{list}");
    }
}

#[tokio::test]
async fn a_system_repeats_a_request_safely_with_its_idempotency_key() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 3, "10.00")])).await;
    let path = format!("/v1/merchant-orders/{}/reject", part(&order, 1));
    let body = json!({"lines": [{"line": 1, "quantity": 1}], "reason": "out of stock"});
    let before = shop.contents().await;
    assert_problem(&shop.api.post(&path, &body, "").await, 400, "idempotency_key_missing");
    for key in ["k".repeat(256), "k\tk".to_owned()] {
        assert_problem(&shop.api.post(&path, &body, &key).await, 400, "idempotency_key_malformed");
    }
    assert!(shop.contents().await == before);

    let first = shop.api.post(&path, &body, "once").await;
    assert_eq!((first.status.as_u16(), first.headers.get("idempotent-replayed")), (200, None));
    shop.settle().await;
    let after = shop.contents().await;
    let again = shop.api.post(&path, &body, "once").await;
    assert_eq!((again.status.as_u16(), again.body), (200, first.body));
    assert_eq!(
        (&again.headers["idempotent-replayed"], &again.headers["etag"]),
        (&"true".parse().unwrap(), &first.headers["etag"])
    );
    let other = json!({"lines": [{"line": 1, "quantity": 2}], "reason": "out of stock"});
    assert_problem(&shop.api.post(&path, &other, "once").await, 422, "idempotency_key_reused");
    shop.settle().await;
    assert!(shop.contents().await == after, "a repeat wrote something");
    // The same key for another path is another request.
    let parcel = json!({"carrier": "dhl", "tracking_number": "T-1"});
    let ship = format!("/v1/merchant-orders/{}/ship", part(&order, 1));
    assert_eq!(shop.api.post(&ship, &parcel, "once").await.status, 200);
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_manual_order_without_a_name_is_made_once_per_idempotency_key() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let body = json!({"channel": "phone", "lines": [line(&alma, "mug", 1, "10.00")]});
    assert_problem(&shop.api.post("/v1/orders", &body, "").await, 400, "idempotency_key_missing");
    let first = shop.api.post("/v1/orders", &body, "call-1").await;
    let again = shop.api.post("/v1/orders", &body, "call-1").await;
    let other = shop.api.post("/v1/orders", &body, "call-2").await;
    assert_eq!((first.status.as_u16(), again.status.as_u16(), other.status.as_u16()), (201, 200, 201));
    assert_eq!(first.text("/id"), again.text("/id"));
    assert_ne!(first.text("/id"), other.text("/id"));
    let changed = json!({"channel": "phone", "lines": [line(&alma, "mug", 2, "10.00")]});
    assert_problem(&shop.api.post("/v1/orders", &changed, "call-1").await, 422, "idempotency_key_reused");
    shop.settle().await;
    assert_eq!(shop.get("/v1/orders").await["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn an_order_of_a_channel_is_its_name_for_ever() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let first = shop.api.post("/v1/orders", &good(&alma), "").await;
    assert_eq!(first.status, 201, "the name is its idempotency key");
    shop.settle().await;
    shop.pay(first.text("/id")).await;
    let before = shop.contents().await;
    let again = shop.api.post("/v1/orders", &good(&alma), "").await;
    assert_eq!(
        (again.status.as_u16(), &again.headers["idempotent-replayed"]),
        (200, &"true".parse().unwrap())
    );
    assert_eq!((again.text("/id"), again.text("/status")), (first.text("/id"), "paid"), "as it is now");
    shop.refused("/v1/orders", &with(&alma, "/lines/0/quantity", json!(3)), 409, "external_id_taken").await;
    assert!(shop.contents().await == before);
    // The name belongs to its channel.
    let other = shop.post("/v1/orders", &with(&alma, "/channel", json!("phone"))).await;
    assert_eq!(other.status, 201);
}

#[tokio::test]
async fn parcels_and_units_that_do_not_fit_are_refused() {
    let shop = Shop::open().await;
    let alma = shop.merchant("alma", json!({"every": "day"})).await;
    let order = shop.paid_order("A-1", json!([line(&alma, "mug", 2, "10.00")])).await;
    let path = format!("/v1/merchant-orders/{}", part(&order, 1));
    let ship = |lines: Value| json!({"carrier": "dhl", "tracking_number": "T-1", "lines": lines});
    for (lines, status, code) in [
        (json!([{"line": 1, "quantity": 0}]), 409, "line_units"),
        (json!([{"line": 1, "quantity": 3}]), 409, "line_units"),
        (json!([{"line": 2, "quantity": 1}]), 422, "unknown_line"),
        (json!([{"line": 1, "quantity": 1}, {"line": 1, "quantity": 1}]), 422, "line_twice"),
        (json!([{"line": 1, "quantity": -1}]), 400, "malformed_request"),
        (json!([{"line": 1, "quantity": 1.5}]), 400, "malformed_request"),
        (json!([{"line": 70_000, "quantity": 1}]), 400, "malformed_request"),
        (json!([{"line": 1}]), 400, "malformed_request"),
        (json!({}), 400, "malformed_request"),
    ] {
        shop.refused(&format!("{path}/ship"), &ship(lines), status, code).await;
    }
    let nameless = json!({"carrier": "", "tracking_number": "a\tb"});
    let answer = shop.refused(&format!("{path}/ship"), &nameless, 422, "invalid_value").await;
    assert_eq!(errors(&answer.body), [("carrier", "format"), ("tracking_number", "format")]);
    shop.refused(&format!("{path}/reject"), &json!({"lines": [], "reason": "x"}), 422, "no_line").await;
    let shipment = shop.ship(&part(&order, 1), "T-1", json!([{"line": 1, "quantity": 1}])).await;
    let other = ship(json!([{"line": 1, "quantity": 2}]));
    shop.refused(&format!("{path}/ship"), &other, 409, "shipment_differs").await;
    let delivered = json!({"status": "delivered"});
    for wrong in ["x", "shp_00000000000000000000000000", "%FF"] {
        shop.refused(&format!("{path}/shipments/{wrong}/track"), &delivered, 404, "not_found").await;
    }
    let track = format!("{path}/shipments/{shipment}/track");
    shop.refused(&track, &json!({"status": "vanished"}), 400, "malformed_request").await;
    let future = json!({"status": "delivered", "occurred_at": "2026-03-02T09:05:01Z"});
    let answer = shop.refused(&track, &future, 422, "invalid_value").await;
    assert_eq!(errors(&answer.body), [("occurred_at", "future")]);
}

#[tokio::test]
async fn terms_and_accounts_that_cannot_be_kept_are_refused() {
    let shop = Shop::open().await;
    let alma = shop.merchant_without_account("alma", json!({"every": "day"})).await;
    let taken = json!({"name": "Other", "external_id": "alma"});
    shop.refused("/v1/merchants", &taken, 409, "external_id_taken").await;
    let conditions =
        |schedule: Value, commission: Value| json!({"schedule": schedule, "commission": commission});
    let day = || json!({"every": "day"});
    let path = format!("/v1/merchants/{alma}");
    for (body, field) in [
        (conditions(json!({"every": "week", "weekday": 8}), json!([])), "schedule"),
        (conditions(json!({"every": "month", "day": 0}), json!([])), "schedule"),
        (conditions(json!({"every": "days", "days": []}), json!([])), "schedule"),
        (conditions(json!({"every": "days", "days": vec![1; 32]}), json!([])), "schedule"),
        (conditions(day(), json!([{"fee": "commission", "percent": "100.1"}])), "commission"),
        (conditions(day(), json!([{"fee": "commission", "percent": "-1"}])), "commission"),
        (conditions(day(), json!([{"fee": "commission", "percent": "x"}])), "commission[0].percent"),
        (conditions(day(), json!([{"fee": "commission"}])), "commission[0].percent"),
        (
            conditions(day(), json!([{"fee": "h", "per_item": {"amount": "1", "currency": "USD"}}])),
            "commission[0].per_item",
        ),
    ] {
        let answer = shop.refused(&format!("{path}/set-conditions"), &body, 422, "invalid_value").await;
        assert_eq!(errors(&answer.body)[0].0, field, "{body}");
    }
    let never = conditions(json!({"every": "never"}), json!([]));
    shop.refused(&format!("{path}/set-conditions"), &never, 400, "malformed_request").await;
    let account = json!({"holder": "alma", "iban": "DE00370400440532013000"});
    let answer = shop.refused(&format!("{path}/set-payout-account"), &account, 422, "invalid_value").await;
    assert_eq!(errors(&answer.body), [("iban", "format")]);
    shop.refused(&format!("{path}/activate-payout-account"), &json!({}), 409, "no_payout_account").await;
    shop.refused(&format!("{path}/block-payout-account"), &json!({}), 422, "invalid_value").await;
    shop.refused(&format!("{path}/terminate"), &json!({}), 409, "merchant_transition").await;
    let nobody = "/v1/merchants/mer_00000000000000000000000000";
    let conditions = conditions(day(), json!([]));
    shop.refused(&format!("{nobody}/set-conditions"), &conditions, 404, "not_found").await;
    shop.refused(&format!("{nobody}/activate-payout-account"), &json!({}), 404, "not_found").await;
}
