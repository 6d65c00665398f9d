//! Discounts from codes and agreements: what they come to to the cent, why one does not hold, and orders for nothing.

use serde_json::{Value, json};
use souk::api::{Answer, Api};
use tests::storefront::*;
use tests::*;

/// A code that is set as the operator wants it.
async fn code(market: &Storefront, body: Value) {
    market.shop.done("/v1/promotions/set-code", &body).await;
}

async fn type_in(market: &Storefront, cart: &str, codes: &[&str]) -> Value {
    market.edit(cart, &json!({"codes": {"add": codes}})).await
}

/// What each line has of each discount.
fn shares(cart: &Value) -> Vec<Vec<(String, String)>> {
    let of = |line: &Value| {
        let shares = line["discounts"].as_array().unwrap().iter();
        shares.map(|share| (at(share, "/source").to_owned(), eur_at(share, "/amount"))).collect()
    };
    cart["lines"].as_array().unwrap().iter().map(of).collect()
}

fn owned(shares: &[&[(&str, &str)]]) -> Vec<Vec<(String, String)>> {
    let pair = |(name, amount): &(&str, &str)| ((*name).to_owned(), (*amount).to_owned());
    shares.iter().map(|of| of.iter().map(pair).collect()).collect()
}

/// Each code with what it takes off, or why it does not.
fn states(cart: &Value) -> Vec<(String, String)> {
    let state = |one: &Value| {
        let state = one["reason"].as_str().map_or_else(|| eur_at(one, "/amount"), ToOwned::to_owned);
        (at(one, "/name").to_owned(), state)
    };
    cart["codes"].as_array().unwrap().iter().map(state).collect()
}

fn told(states: &[(&str, &str)]) -> Vec<(String, String)> {
    states.iter().map(|(name, state)| ((*name).to_owned(), (*state).to_owned())).collect()
}

/// Discount, tax and total.
fn sums(of: &Value) -> [String; 3] {
    ["/totals/discount", "/totals/tax", "/totals/total"].map(|pointer| eur_at(of, pointer))
}

#[tokio::test]
async fn a6_1_five_euros_off_the_order_are_split_to_the_cent_and_the_first_line_wins_ties() {
    let market = Storefront::open().await;
    code(&market, json!({"name": "FIVE", "amount": eur("5.00")})).await;
    code(&market, json!({"name": "CENT", "amount": eur("0.01")})).await;
    let cart = market.ready().await;
    // Of 20.00, 7.35 and 20.00: 2.1119…, 0.7761… and 2.1119…; the cent that is left goes to the largest remainder.
    let shown = type_in(&market, &cart, &["five"]).await;
    let five = [("FIVE", "2.11")];
    assert_eq!(shares(&shown), owned(&[&five, &[("FIVE", "0.78")], &five]));
    assert_eq!(states(&shown), told(&[("FIVE", "5.00")]));
    assert_eq!(at(&shown, "/explanation/1/detail"), "code FIVE: 5.00 EUR off 47.35 EUR");
    // 57.15 − 5.00.
    assert_eq!(eur_at(&shown, "/totals/total"), "52.15");
    let swapped = json!({"codes": {"add": ["cent"], "remove": ["Five"]}});
    let shown = market.edit(&cart, &swapped).await;
    assert_eq!(shares(&shown), owned(&[&[("CENT", "0.01")], &[], &[]]));
}

#[tokio::test]
async fn a6_4_discounts_of_lines_come_first_then_those_of_the_order_then_tax() {
    let market = Storefront::open().await;
    code(&market, json!({"name": "TEN", "percent": "10"})).await;
    let alma = json!({"name": "ALMA", "percent": "20", "merchant": market.alma, "borne_by": "merchant"});
    code(&market, alma).await;
    let cart = market.ready().await;
    let shown = type_in(&market, &cart, &["TEN", "ALMA"]).await;
    // 20 % of 27.35 are 5.47: 4.00 and 1.47. Of the 41.88 that are left 10 % are 4.188, so 4.19: by 16.00, 5.88 and
    // 20.00 that is 1.60, 0.588… and 2.00.
    let mugs = [("ALMA", "4.00"), ("TEN", "1.60")];
    assert_eq!(shares(&shown), owned(&[&mugs, &[("ALMA", "1.47"), ("TEN", "0.59")], &[("TEN", "2.00")]]));
    assert_eq!(states(&shown), told(&[("TEN", "4.19"), ("ALMA", "5.47")]));
    // 19 % stand in 14.40, 5.29 and 18.00: 2.30, 0.84 and 2.87; and in each 4.90: 0.78.
    let line = |n: usize| {
        let line = &shown["lines"][n];
        (eur_at(line, "/total"), eur_at(line, "/tax/amount"))
    };
    let want = [("14.40", "2.30"), ("5.29", "0.84"), ("18.00", "2.87")];
    assert_eq!([line(0), line(1), line(2)], want.map(|(total, tax)| (total.into(), tax.into())));
    assert_eq!(sums(&shown), ["9.66", "7.57", "47.49"]);

    // The order is what was shown, and keeps its discounts whatever becomes of the codes (A5(5)).
    let paid = market.pay(&cart, "47.49", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    market.shop.done("/v1/promotions/close-code", &json!({"name": "ten"})).await;
    market.shop.settle().await;
    let order = market.shop.order(paid.text("/order/id")).await;
    assert_eq!(eur_at(&order, "/totals/total"), "47.49");
    let of = |line: &Value| line["discounts"].as_array().unwrap().iter().map(|one| eur_at(one, "")).collect();
    let kept: Vec<Vec<String>> = order["lines"].as_array().unwrap().iter().map(of).collect();
    assert_eq!(kept, [vec!["4.00", "1.60"], vec!["1.47", "0.59"], vec!["2.00"]]);
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a6_6_all_off_and_free_delivery_is_an_order_without_a_payment() {
    let market = Storefront::open().await;
    code(&market, json!({"name": "ALL", "percent": "100"})).await;
    code(&market, json!({"name": "MORE", "amount": eur("5.00")})).await;
    code(&market, json!({"name": "BRING", "free_delivery": true})).await;
    for payments in [json!([]), json!([{"method": "card", "token": "tok_approved"}])] {
        let cart = market.ready().await;
        let shown = type_in(&market, &cart, &["ALL", "MORE", "BRING"]).await;
        assert_eq!(states(&shown), told(&[("ALL", "47.35"), ("MORE", "0.00"), ("BRING", "9.80")]));
        assert_eq!(sums(&shown), ["57.15", "0.00", "0.00"]);
        let brought = [0, 1].map(|n| shown["parts"][n]["discounts"].clone());
        let free = json!([{"kind": "code", "source": "BRING", "amount": eur("4.90")}]);
        assert_eq!(brought, [free.clone(), free]);
        assert_eq!(shown["unmet"], json!([]));
        assert_eq!(market.checkout(&cart, "hold", &json!({})).await.status, 200);
        let pay = json!({"expected_total": eur("0.00"), "payments": payments});
        let placed = market.checkout(&cart, "pay", &pay).await;
        assert_eq!((placed.status.as_u16(), &placed.body["payments"]), (201, &json!([])), "{}", placed.body);
        let again = market.checkout(&cart, "pay", &pay).await;
        assert_eq!((again.status.as_u16(), &again.body["order"]), (200, &placed.body["order"]));
        market.shop.settle().await;
        let id = placed.text("/order/id").to_owned();
        let order = market.shop.order(&id).await;
        assert_eq!((at(&order, "/status"), eur_at(&order, "/totals/total")), ("paid", "0.00".into()));
        for number in [1, 2] {
            assert_eq!(at(&market.shop.merchant_order(&part(&id, number)).await, "/status"), "open");
            market.shop.fulfill(&part(&id, number)).await;
        }
        assert_eq!(at(&market.shop.merchant_order(&part(&id, 1)).await, "/status"), "delivered");
    }
    assert_eq!(market.shop.stock(&market.mug).await, (96, 0, 96));
    // What the customers did not pay, the marketplace bears. Of each order alma has 27.35 and 4.90 of delivery, less
    // 15 % of 20.00 and of 7.35: 32.25 − 3.00 − 1.10.
    assert_eq!(market.shop.balance(&market.alma).await.1, "56.30");
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_for_nothing_is_canceled_like_any_other() {
    let market = Storefront::open().await;
    code(&market, json!({"name": "ALL", "percent": "100"})).await;
    code(&market, json!({"name": "BRING", "free_delivery": true})).await;
    let cart = market.ready().await;
    type_in(&market, &cart, &["ALL", "BRING"]).await;
    let placed = market.checkout(&cart, "pay", &json!({"expected_total": eur("0.00")})).await;
    market.shop.settle().await;
    let order = placed.text("/order/id").to_owned();
    let canceled = json!({"reason": "changed mind"});
    market.shop.done(&format!("/v1/orders/{order}/cancel"), &canceled).await;
    market.shop.settle().await;
    let shown = market.shop.order(&order).await;
    assert_eq!((at(&shown, "/status"), eur_at(&shown, "/totals/refunded")), ("canceled", "0.00".into()));
    assert_eq!(market.shop.stock(&market.mug).await, (100, 0, 100));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a_code_that_does_not_hold_stays_in_the_cart_and_says_why() {
    let market = Storefront::open().await;
    let percent = |name: &str, more: Value| {
        let mut body = json!({"name": name, "percent": "50"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    code(&market, percent("GONE", json!({}))).await;
    market.shop.done("/v1/promotions/close-code", &json!({"name": "gone"})).await;
    code(&market, percent("LATER", json!({"starts_at": "2026-03-02T09:00:00.001Z"}))).await;
    code(&market, percent("OVER", json!({"ends_at": "2026-03-02T09:00:00Z"}))).await;
    code(&market, json!({"name": "YEN", "amount": {"amount": "500", "currency": "JPY"}})).await;
    code(&market, percent("BOOKS", json!({"category": "books"}))).await;
    code(&market, percent("BIG", json!({"minimum": eur("47.36")}))).await;
    let cart = market.ready().await;
    let typed = ["gone", "Later", "over", "yen", "books", "big", "<script>", "夏のセール"];
    let shown = type_in(&market, &cart, &typed).await;
    let want = [
        ("GONE", "closed"),
        ("LATER", "not_yet"),
        ("OVER", "over"),
        ("YEN", "other_currency"),
        ("BOOKS", "nothing_in_scope"),
        ("BIG", "too_little"),
        ("<script>", "unknown"),
        ("夏のセール", "unknown"),
    ];
    assert_eq!(states(&shown), told(&want));
    assert_eq!(eur_at(&shown, "/codes/5/missing"), "0.01");
    assert_eq!(
        at(&shown, "/codes/5/detail"),
        "it is for goods of 47.36 EUR or more, and there are 47.35 EUR"
    );
    // Nothing is taken off, nothing stands in the way.
    assert_eq!(eur_at(&shown, "/totals/total"), "57.15");
    assert_eq!(at(&shown, "/unmet/0/code"), "payment_missing");
    // Whatever is missing comes: goods, and the day.
    let more = market.edit(&cart, &json!({"set": [{"line": 3, "quantity": 2}]})).await;
    assert_eq!(states(&more)[5], ("BIG".to_owned(), "33.68".to_owned()));
    market.shop.wait_days(1).await;
    assert_eq!(states(&market.show(&cart).await)[1], ("LATER".to_owned(), "33.68".to_owned()));
    // One that was typed before it was made, is known as soon as it is.
    code(&market, percent("夏のセール", json!({}))).await;
    let shown = market.show(&cart).await;
    assert_eq!(states(&shown)[7].0, "夏のセール");
    assert!(shown["codes"][7]["reason"].is_null());
    // Typed again in another case it is the same; taken out it is gone.
    let same = type_in(&market, &cart, &["BIG", "Big"]).await;
    assert_eq!(same["codes"].as_array().unwrap().len(), 8);
    let out = market.edit(&cart, &json!({"codes": {"remove": ["gone", "<SCRIPT>", "never there"]}})).await;
    let left: Vec<String> = states(&out).into_iter().map(|(name, _)| name).collect();
    assert_eq!(left, ["LATER", "OVER", "YEN", "BOOKS", "BIG", "夏のセール"]);
}

#[tokio::test]
async fn a_code_that_changes_between_cart_and_payment_is_a_409_with_the_total_of_now() {
    let market = Storefront::open().await;
    let half = |percent: &str| json!({"name": "HALF", "percent": percent, "ends_at": "2026-03-02T10:00:00Z"});
    let refused = |answer: Answer, total: &str| {
        assert_problem(&answer, 409, "cart_changed");
        assert_eq!(eur_at(&answer.body, "/total"), total);
    };
    code(&market, half("50")).await;
    let cart = market.ready().await;
    // 50 % of 47.35 are 23.675: 23.68. What is left is 23.67, and 9.80 of delivery.
    assert_eq!(eur_at(&type_in(&market, &cart, &["half"]).await, "/totals/total"), "33.47");
    assert_eq!(eur_at(&market.checkout(&cart, "hold", &json!({})).await.body, "/total"), "33.47");
    code(&market, half("10")).await;
    // 10 % are 4.735: 4.74.
    refused(market.pay(&cart, "33.47", "tok_approved").await, "52.41");
    market.shop.done("/v1/promotions/close-code", &json!({"name": "HALF"})).await;
    refused(market.pay(&cart, "52.41", "tok_approved").await, "57.15");
    // Set anew it is open.
    code(&market, half("50")).await;
    market.shop.wait_until("2026-03-02T10:00:00Z").await;
    refused(market.pay(&cart, "33.47", "tok_approved").await, "57.15");
    assert_eq!(states(&market.show(&cart).await), told(&[("HALF", "over")]));
    assert_eq!(market.pay(&cart, "57.15", "tok_approved").await.status, 201);
}

/// A customer who has signed up; answers the id.
async fn sign_up(person: &Api) -> String {
    let body = json!({"name": "Ines Groß", "email": "ines@post.example"});
    person.post("/v1/customers/me", &body, "").await.ok().unwrap()["id"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_agreement_is_one_customers_and_no_guests_and_comes_before_all_codes() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let (ines, omar) = (shop.person("ines"), shop.person("omar"));
    let customer = sign_up(&ines).await;
    let path = format!("/v1/promotions/agreements/{customer}");
    assert_eq!(shop.get(&path).await, json!({"customer": customer, "agreements": []}));
    let agreed = json!({"agreements": [{"name": "staff", "percent": "10"}]});
    shop.done(&format!("{path}/set"), &agreed).await;
    code(&market, json!({"name": "TEN", "percent": "10"})).await;
    // Its name is no code.
    let cart = market.ready().await;
    let guests = type_in(&market, &cart, &["TEN", "staff"]).await;
    assert_eq!(states(&guests), told(&[("TEN", "4.74"), ("staff", "unknown")]));
    assert_eq!(guests["agreements"], json!([]));
    // Ines takes the cart along: 10 % of 47.35 are 4.74, and of the 42.61 that are left 4.26.
    let own = ines.post(&format!("/v1/carts/{cart}/claim"), &json!({}), "").await.ok().unwrap();
    assert_eq!(own["agreements"], json!([{"name": "staff", "amount": eur("4.74")}]));
    assert_eq!(states(&own), told(&[("TEN", "4.26"), ("staff", "unknown")]));
    assert_eq!(at(&own, "/explanation/1/detail"), "agreement staff: 4.74 EUR off 47.35 EUR");
    let first = &own["lines"][0]["discounts"];
    assert_eq!((at(first, "/0/kind"), at(first, "/1/kind")), ("agreement", "code"));
    let others = omar.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
    let others = omar.post(&format!("/v1/carts/{others}/edit"), &json!({"add": market.goods()}), "").await;
    assert_eq!(eur_at(&others.body, "/totals/total"), "47.35");
    // 57.15 − 9.00.
    let pay = by_card("48.15", "tok_approved");
    let paid = ines.post(&format!("/v1/checkouts/{cart}/pay"), &pay, "").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    // Who is forgotten has no agreement; who comes back starts anew.
    ines.post("/v1/customers/me/erase", &json!({}), "").await.ok().unwrap();
    assert_problem(&shop.api.get(&path).await, 404, "not_found");
    assert_problem(&shop.post(&format!("{path}/set"), &agreed).await, 404, "not_found");
    assert_eq!(sign_up(&ines).await, customer);
    assert_eq!(shop.get(&path).await["agreements"], json!([]));
    shop.settle().await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn what_a_shopper_types_wrong_is_refused_and_changes_nothing() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    type_in(&market, &cart, &["one"]).await;
    let before = market.show(&cart).await;
    let many = |count: usize| (0..count).map(|n| format!("code-{n}")).collect::<Vec<_>>();
    for edit in [many(21), many(11), many(10)] {
        let refused = market.try_edit(&cart, &json!({"codes": {"add": edit}})).await;
        assert_problem(&refused, 422, "cart_code_count");
    }
    for odd in ["", " ten", "a\u{0}b", "a\nb", &"x".repeat(65), &"x".repeat(10_000)] {
        let refused = market.try_edit(&cart, &json!({"codes": {"add": ["ten", odd]}})).await;
        assert_problem(&refused, 422, "invalid_value");
        assert_eq!(at(&refused.body, "/errors/0/field"), "codes.add[1]");
        assert!(refused.body.to_string().len() < 1_000, "what was typed is not sent back whole");
    }
    for odd in [json!("ten"), json!(["ten"]), json!({"add": "ten"}), json!({"add": [10]}), json!({"set": []})]
    {
        let refused = market.try_edit(&cart, &json!({"codes": odd})).await;
        assert_problem(&refused, 400, "malformed_request");
    }
    assert_eq!(market.show(&cart).await, before);
    // Nine more are ten.
    let names = many(9);
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    assert_eq!(type_in(&market, &cart, &names).await["codes"].as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn what_an_operator_sets_wrong_is_refused_with_its_field() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let customer = sign_up(&shop.person("ines")).await;
    let set = format!("/v1/promotions/agreements/{customer}/set");
    let jpy = |amount: &str| json!({"amount": amount, "currency": "JPY"});
    let ten = |more: Value| {
        let mut body = json!({"name": "TEN", "percent": "10"});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        body
    };
    let nobody = "mer_00000000000000000000000000";
    for (body, field, code) in [
        (ten(json!({"name": ""})), "name", "format"),
        (ten(json!({"name": "x".repeat(65)})), "name", "format"),
        (ten(json!({"percent": "0"})), "percent", "range"),
        (ten(json!({"percent": "-1"})), "percent", "range"),
        (ten(json!({"percent": "101"})), "percent", "range"),
        (ten(json!({"percent": "NaN"})), "percent", "format"),
        (ten(json!({"percent": "ten"})), "percent", "format"),
        (ten(json!({"percent": null})), "percent", "required"),
        (ten(json!({"amount": eur("1.00")})), "percent", "required"),
        (ten(json!({"free_delivery": true})), "percent", "required"),
        (json!({"name": "YEN", "amount": jpy("10.5")}), "amount", "amount"),
        (json!({"name": "NONE", "amount": eur("0.00")}), "amount", "range"),
        (json!({"name": "LESS", "amount": eur("-1.00")}), "amount", "amount"),
        (json!({"name": "X", "amount": {"amount": "1", "currency": "XXX"}}), "amount.currency", "format"),
        (json!({"name": "X", "amount": eur("1.00"), "minimum": jpy("100")}), "minimum", "currency"),
        (ten(json!({"minimum": eur("0.00")})), "minimum", "range"),
        (ten(json!({"starts_at": "soon"})), "starts_at", "format"),
        (ten(json!({"ends_at": "2026-02-30T00:00:00Z"})), "ends_at", "format"),
        (
            ten(json!({"starts_at": "2026-03-02T00:00:00Z", "ends_at": "2026-03-01T00:00:00Z"})),
            "ends_at",
            "range",
        ),
        (ten(json!({"category": "No Handle"})), "category", "format"),
        (ten(json!({"category": "mugs", "merchant": market.alma})), "category", "conflict"),
        (ten(json!({"merchant": "alma"})), "merchant", "format"),
        (ten(json!({"merchant": nobody})), "merchant", "unknown"),
        (ten(json!({"borne_by": "merchant"})), "borne_by", "conflict"),
        (ten(json!({"category": "mugs", "borne_by": "merchant"})), "borne_by", "conflict"),
    ] {
        let answer = shop.refused("/v1/promotions/set-code", &body, 422, "invalid_value").await;
        assert_eq!((answer.text("/errors/0/field"), answer.text("/errors/0/code")), (field, code), "{body}");
        let answer = shop
            .refused(&set, &json!({"agreements": [ten(json!({"name": "a"})), body]}), 422, "invalid_value")
            .await;
        assert_eq!(answer.text("/errors/0/field"), format!("agreements[1].{field}"), "{body}");
    }
    let named = |count: usize| (0..count).map(|n| ten(json!({"name": format!("a{n}")}))).collect::<Vec<_>>();
    let answer = shop.refused(&set, &json!({"agreements": named(11)}), 422, "invalid_value").await;
    assert_eq!(answer.text("/errors/0/field"), "agreements");
    let twice = json!({"agreements": [ten(json!({})), ten(json!({"name": "ten"}))]});
    let answer = shop.refused(&set, &twice, 422, "invalid_value").await;
    assert_eq!(answer.text("/errors/0/field"), "agreements[1].name");
    shop.refused("/v1/promotions/set-code", &ten(json!({"percent": 10})), 400, "malformed_request").await;
    shop.refused("/v1/promotions/set-code", &ten(json!({"borne_by": "us"})), 400, "malformed_request").await;
    shop.refused("/v1/promotions/close-code", &json!({"name": "nothing"}), 404, "not_found").await;
    for customer in ["ines", "cus_00000000000000000000000000"] {
        let path = format!("/v1/promotions/agreements/{customer}");
        assert_problem(&shop.api.get(&path).await, 404, "not_found");
        shop.refused(&format!("{path}/set"), &json!({"agreements": []}), 404, "not_found").await;
    }
    assert_problem(&shop.api.get("/v1/promotions/code").await, 422, "invalid_value");
    assert_problem(&shop.api.get("/v1/promotions/code?name=ten").await, 404, "not_found");
}

#[tokio::test]
async fn a_code_is_set_whole_closed_once_and_is_the_same_in_any_case() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let ten = json!({"name": "Größe 10", "percent": "10", "minimum": eur("20.00")});
    let first = shop.post("/v1/promotions/set-code", &ten).await;
    assert_eq!((first.status.as_u16(), first.headers["etag"].as_bytes()), (200, b"\"1\"".as_slice()));
    assert_eq!((first.text("/status"), first.text("/borne_by")), ("open", "marketplace"));
    let again = shop.post("/v1/promotions/set-code", &ten).await;
    assert_eq!(
        (again.headers["idempotent-replayed"].as_bytes(), &again.body),
        (b"true".as_slice(), &first.body)
    );
    let free = json!({"name": "GRÖSSE 10", "free_delivery": true});
    assert_eq!(shop.done("/v1/promotions/set-code", &free).await["name"], "GRÖSSE 10");
    let close = json!({"name": "größe 10"});
    let closed = shop.post("/v1/promotions/close-code", &close).await;
    assert_eq!((closed.text("/status"), closed.headers["etag"].as_bytes()), ("closed", b"\"3\"".as_slice()));
    let again = shop.post("/v1/promotions/close-code", &close).await;
    assert_eq!(again.headers["etag"].as_bytes(), b"\"3\"");
    shop.settle().await;
    let listed = shop.get("/v1/promotions/codes").await;
    assert_eq!(listed["items"], json!([closed.body]));
    assert_eq!(shop.get("/v1/promotions/code?name=gr%C3%B6sse+10").await, closed.body);
    // Three changes, three stories.
    let keys = shop.contents().await.into_keys();
    assert_eq!(keys.filter(|(pk, sk)| pk.contains("#DSC#") && sk.starts_with("EVT#")).count(), 3);
    // Another marketplace has codes of its own.
    let neighbor = shop.neighbor().await;
    assert_problem(&neighbor.get("/v1/promotions/code?name=gr%C3%B6sse+10").await, 404, "not_found");
}
