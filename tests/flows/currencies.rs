//! Several currencies: a cart has one, a merchant has one, and what lies between is said and frozen.

use domain::Money;
use domain::ledger::{Account, Posting};
use events::Context;
use serde_json::{Value, json};
use souk::api::Answer;
use std::collections::{BTreeMap, BTreeSet};
use table::outbox::Entry;
use tests::storefront::*;
use tests::*;

fn rate(base: &str, quote: &str, rate: &str, margin: &str, as_of: &str) -> Value {
    json!({"base": base, "quote": quote, "rate": rate, "margin_percent": margin, "as_of": as_of})
}

fn usd(amount: &str) -> Value {
    json!({"amount": amount, "currency": "USD"})
}

/// A dollar is 0.92 EUR, and 2 % are added; a euro is 1.10 USD.
async fn exchange(shop: &Shop) {
    let rates =
        [rate("USD", "EUR", "0.92", "2", "2026-03-02"), rate("EUR", "USD", "1.10", "0", "2026-03-02")];
    shop.done("/v1/fx/set-rates", &json!({"rates": rates})).await;
}

/// Cedar sells a lamp for 10.00 USD and delivers it for 5.00 USD; answers merchant and offer.
async fn cedar(shop: &Shop) -> (String, String) {
    let body =
        json!({"name": "cedar", "external_id": "cedar", "currency": "USD", "schedule": {"every": "day"}});
    let cedar = at(&shop.done("/v1/merchants", &body).await, "/id").to_owned();
    shop.done(&format!("/v1/merchants/{cedar}/approve"), &json!({})).await;
    shop.give_account(&cedar, "cedar").await;
    let mut rates = delivery_rates();
    rates["zones"] = json!([{
        "name": "germany", "areas": [{"country": "DE"}],
        "rates": [{"service": "standard", "price": {"flat": usd("5.00")}, "transit_days": [1, 3]}],
    }]);
    shop.done(&format!("/v1/delivery/{cedar}/set"), &rates).await;
    let product = json!({"merchant": cedar, "title": "lamp", "variants": [{}]});
    let product = at(&shop.done("/v1/products", &product).await, "/id").to_owned();
    let euros = json!({"merchant": cedar, "product": product, "sku": "lamp", "price": eur("10.00")});
    shop.refused("/v1/offers", &euros, 422, "invalid_value").await;
    let offer = json!({"merchant": cedar, "product": product, "sku": "lamp", "price": usd("10.00")});
    let offer = at(&shop.done("/v1/offers", &offer).await, "/id").to_owned();
    shop.done(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": 10})).await;
    shop.settle().await;
    (cedar, offer)
}

/// Two lamps in a euro cart, ready to be paid.
async fn lamps(market: &Storefront, cedar: &str, lamp: &str) -> Value {
    let cart = market.cart().await;
    let delivery = json!([{"merchant": cedar, "service": "standard"}]);
    market.edit(&cart, &json!({"add": [{"offer": lamp, "quantity": 2}]})).await;
    market.edit(&cart, &json!({"contact": contact(), "address": address(), "delivery": delivery})).await
}

/// Balances by account and currency.
async fn accounts(shop: &Shop) -> BTreeMap<(String, String), String> {
    let list = shop.get("/v1/ledger/accounts").await;
    let items = list["items"].as_array().unwrap().iter();
    let read =
        |item: &Value| ["/account", "/currency", "/balance"].map(|pointer| at(item, pointer).to_owned());
    let named = items.map(read).map(|[account, currency, balance]| ((account, currency), balance));
    named.filter(|(_, balance)| balance != "0.00").collect()
}

fn balances(wanted: &[(&str, &str, &str)]) -> BTreeMap<(String, String), String> {
    let owned = |(account, currency, balance): &(&str, &str, &str)| {
        (((*account).to_owned(), (*currency).to_owned()), (*balance).to_owned())
    };
    wanted.iter().map(owned).collect()
}

#[tokio::test]
async fn a_price_of_another_currency_is_converted_in_the_open_and_settled_at_the_frozen_rate() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    exchange(shop).await;
    let (cedar, lamp) = cedar(shop).await;
    let cart = lamps(&market, &cedar, &lamp).await;
    // 10.00 USD × 0.92 × 1.02 = 9.384 EUR; 5.00 USD = 4.692 EUR. The margin in them: 2 × 0.18 and 0.09.
    assert_eq!(eur_at(&cart, "/lines/0/unit_price"), "9.38");
    assert_eq!(cart["lines"][0]["original_unit_price"], usd("10.00"));
    assert_eq!(eur_at(&cart, "/parts/0/options/0/price"), "4.69");
    assert_eq!(eur_at(&cart, "/totals/total"), "23.45");
    let told =
        json!({"base": "USD", "quote": "EUR", "rate": "0.92", "margin_percent": "2", "as_of": "2026-03-02"});
    assert_eq!(cart["parts"][0]["rate"], told);
    let explained = cart["explanation"].as_array().unwrap();
    let conversion = explained.iter().find(|piece| piece["code"] == "conversion").unwrap();
    assert_eq!(eur_at(conversion, "/amount"), "0.45");

    let paid = market.pay(at(&cart, "/id"), "23.45", "tok_approved").await.ok().unwrap();
    shop.settle().await;
    let order = at(&paid, "/order/id");
    // Another rate from now on is none of this order's.
    let rates = json!({"rates": [rate("USD", "EUR", "0.50", "0", "2026-03-02")]});
    shop.done("/v1/fx/set-rates", &rates).await;
    let part = part(order, 1);
    let shown = shop.merchant_order(&part).await;
    // 15 % of 18.76 are 2.81 (2.814). Each piece at 0.9384: 19.99 and 5.00 less 2.99 (2.9945).
    assert_eq!(
        ["/totals/items", "/totals/fees", "/totals/net"].map(|at| eur_at(&shown, at)),
        ["18.76", "2.81", "20.64"]
    );
    let own = ["/items", "/delivery", "/fees", "/net"]
        .map(|field| shown.pointer(&format!("/settlement/totals{field}")));
    assert_eq!(own.map(|amount| amount.unwrap().clone()), ["19.99", "5.00", "2.99", "22.00"].map(usd));
    assert_eq!(at(&shown, "/settlement/rate"), "0.92");

    let shipment = shop.ship(&part, "T-1", json!([])).await;
    shop.deliver(&part, &shipment).await;
    shop.settle().await;
    // 20.64 EUR are 21.99 USD (21.9949); that the pieces come to a cent more is the rounding's.
    let earned = balances(&[
        ("gateway_clearing", "EUR", "23.45"),
        ("commission", "EUR", "-2.81"),
        ("fx", "EUR", "-20.64"),
        ("fx", "USD", "21.99"),
        ("fx_rounding", "USD", "0.01"),
        ("payable", "USD", "-22.00"),
    ]);
    assert_eq!(accounts(shop).await, earned);

    // Everything comes back, unit by unit: at the same rate nothing is left but what was rounded.
    for delivery in [false, true] {
        let lamp = json!([{"line": 1, "quantity": 1}]);
        let refund = json!({"merchant_order": part, "lines": lamp, "delivery": delivery, "reason": "broken"});
        shop.done(&format!("/v1/orders/{order}/refund"), &refund).await;
        shop.settle().await;
    }
    let balance = shop.get(&format!("/v1/balances/{cedar}")).await;
    assert_eq!(balance["balance"], usd("0.00"));
    let left = accounts(shop).await;
    assert!(left.keys().all(|(account, _)| account.starts_with("fx")), "{left:?}");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_merchant_is_paid_out_in_its_own_currency() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    exchange(shop).await;
    let (cedar, _) = cedar(shop).await;
    // A channel's order is in the marketplace's currency, and its merchant's rate is frozen with it.
    let order = shop.delivered_order("A-1", json!([line(&cedar, "lamp", 1, "9.38")])).await;
    let shown = shop.merchant_order(&part(&order, 1)).await;
    // 9.38 less 1.41 of fees (1.407): 10.00 and 1.50 USD.
    assert_eq!(shown["settlement"]["totals"]["net"], usd("8.50"));
    assert_eq!(shop.get(&format!("/v1/balances/{cedar}")).await["balance"], usd("8.50"));
    shop.wait_days(6).await;
    let payouts = shop.payouts(&cedar).await;
    assert_eq!(payouts[0]["amount"], usd("8.50"));
    assert_eq!(at(&shop.get(&format!("/v1/merchants/{cedar}")).await, "/currency"), "USD");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_cart_in_dollars_pays_dollars_and_its_merchants_earn_euros() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    exchange(shop).await;
    let opened = json!({"country": "DE", "currency": "USD"});
    let cart = market.guest.post("/v1/carts", &opened, "").await.ok().unwrap();
    let cart = at(&cart, "/id").to_owned();
    market.edit(&cart, &json!({"add": [{"offer": market.mug, "quantity": 1}]})).await;
    let delivery = json!([{"merchant": market.alma, "service": "standard"}]);
    let cart =
        market.edit(&cart, &json!({"contact": contact(), "address": address(), "delivery": delivery})).await;
    // 10.00 and 4.90 EUR at 1.10.
    assert_eq!(cart["totals"]["total"], usd("16.39"));
    let card = json!([{"method": "card", "token": "tok_approved"}]);
    let body = json!({"expected_total": usd("16.39"), "payments": card});
    let paid = market.checkout(at(&cart, "/id"), "pay", &body).await.ok().unwrap();
    shop.settle().await;
    let order = at(&paid, "/order/id");
    let part = part(order, 1);
    let shipment = shop.ship(&part, "T-1", json!([])).await;
    shop.deliver(&part, &shipment).await;
    shop.settle().await;
    // 15 % of 11.00 USD; 14.74 USD are 13.40 EUR, as are 10.00 and 4.90 less 1.50.
    let earned = balances(&[
        ("gateway_clearing", "USD", "16.39"),
        ("commission", "USD", "-1.65"),
        ("fx", "USD", "-14.74"),
        ("fx", "EUR", "13.40"),
        ("payable", "EUR", "-13.40"),
    ]);
    assert_eq!(accounts(shop).await, earned);
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_fixed_fee_is_converted_as_a_sum_and_without_its_rate_nothing_is_ordered() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let fee = json!([{"fee": "handling", "per_item": eur("0.25")}]);
    let settings = json!({"hold_days": 3, "commission": fee, "critical_balance": eur("50.00")});
    shop.done("/v1/marketplace/set-settings", &settings).await;
    exchange(shop).await;
    let (cedar, lamp) = cedar(shop).await;
    let opened = json!({"country": "DE", "currency": "USD"});
    let cart = market.guest.post("/v1/carts", &opened, "").await.ok().unwrap();
    let cart = at(&cart, "/id").to_owned();
    market.edit(&cart, &json!({"add": [{"offer": lamp, "quantity": 3}]})).await;
    let delivery = json!([{"merchant": cedar, "service": "standard"}]);
    market.edit(&cart, &json!({"contact": contact(), "address": address(), "delivery": delivery})).await;
    let card = json!([{"method": "card", "token": "tok_approved"}]);
    let body = json!({"expected_total": usd("35.00"), "payments": card});
    // Nothing in the cart needs a rate but the fee.
    let rates = json!({"rates": [rate("USD", "EUR", "0.92", "2", "2026-03-02")]});
    shop.done("/v1/fx/set-rates", &rates).await;
    assert_problem(&market.checkout(&cart, "pay", &body).await, 409, "no_exchange_rate");
    exchange(shop).await;
    let paid = market.checkout(&cart, "pay", &body).await.ok().unwrap();
    shop.settle().await;
    // 3 × 0.25 EUR are 0.825 USD; each by itself would be 0.28.
    let shown = shop.merchant_order(&part(at(&paid, "/order/id"), 1)).await;
    assert_eq!(shown["totals"]["fees"], usd("0.83"));
}

#[tokio::test]
async fn free_delivery_counts_what_the_merchant_asks_for_not_what_it_comes_to_there_and_back() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    exchange(shop).await;
    let (cedar, lamp) = cedar(shop).await;
    let mut rates = delivery_rates();
    rates["zones"] = json!([{
        "name": "germany", "areas": [{"country": "DE"}],
        "rates": [{
            "service": "standard", "price": {"flat": usd("5.00")}, "free_from": usd("20.00"),
            "transit_days": [1, 3],
        }],
    }]);
    shop.done(&format!("/v1/delivery/{cedar}/set"), &rates).await;
    // Twice 10.00 USD; 2 × 9.38 EUR would be 19.99.
    let cart = lamps(&market, &cedar, &lamp).await;
    assert_eq!(eur_at(&cart, "/parts/0/options/0/price"), "0.00");
    assert_eq!(eur_at(&cart, "/totals/total"), "18.76");
}

#[tokio::test]
async fn without_a_rate_of_these_days_nothing_is_converted_and_nothing_is_sold_silently() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let open = async |currency: &str| -> Answer {
        market.guest.post("/v1/carts", &json!({"country": "DE", "currency": currency}), "").await
    };
    assert_problem(&open("USD").await, 422, "invalid_value");
    assert_problem(&open("dollars").await, 422, "invalid_value");
    exchange(shop).await;
    let (cedar, lamp) = cedar(shop).await;
    let cart = lamps(&market, &cedar, &lamp).await;
    assert_eq!(open("USD").await.status, 201);
    assert_problem(&open("JPY").await, 422, "invalid_value");
    // Eight days later the rate is too old: what is in the cart is not for sale, at the price that was seen.
    shop.wait_days(8).await;
    let shown = market.show(at(&cart, "/id")).await;
    assert_eq!(at(&shown, "/lines/0/problems/0/code"), "unavailable");
    assert_eq!(eur_at(&shown, "/lines/0/unit_price"), "9.38");
    let fresh = market.cart().await;
    let added = market.try_edit(&fresh, &json!({"add": [{"offer": lamp, "quantity": 1}]})).await;
    assert_problem(&added, 422, "invalid_value");
    assert!(added.body.to_string().contains("no_exchange_rate"), "{}", added.body);
    let refused = market.pay(at(&cart, "/id"), "23.45", "tok_approved").await;
    assert!([409, 422].contains(&refused.status.as_u16()), "{}", refused.body);
    let order = json!({"channel": "web", "lines": [line(&cedar, "lamp", 1, "9.38")]});
    shop.refused("/v1/orders", &order, 422, "invalid_value").await;
}

#[tokio::test]
async fn a_sheet_of_rates_is_refused_with_the_row_and_what_is_wrong_with_it() {
    let shop = Shop::open().await;
    let good = rate("USD", "EUR", "0.92", "2", "2026-03-02");
    let change = |field: &str, value: &str| {
        let mut bad = good.clone();
        bad[field] = json!(value);
        bad
    };
    for bad in [
        change("base", "EUR"),
        change("base", "XXL"),
        change("rate", "0"),
        change("rate", "-1"),
        change("rate", "NaN"),
        change("rate", "1e400"),
        change("margin_percent", "101"),
        change("margin_percent", "-0.1"),
        change("as_of", "2026-02-30"),
        good.clone(),
    ] {
        let answer =
            shop.refused("/v1/fx/set-rates", &json!({"rates": [good, bad]}), 422, "invalid_value").await;
        assert!(at(&answer.body, "/errors/0/field").starts_with("rates[1]"), "{}", answer.body);
    }
    shop.refused("/v1/fx/set-rates", &json!({"rates": vec![good.clone(); 401]}), 422, "invalid_value").await;
    assert_eq!(shop.get("/v1/fx/rates").await, json!({"rates": []}));
    shop.done("/v1/fx/set-rates", &json!({"rates": [good]})).await;
    assert_eq!(shop.get("/v1/fx/rates").await["rates"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn totals_of_more_currencies_than_a_transaction_takes_are_summed_one_by_one() {
    let shop = Shop::open().await;
    let codes = [
        "AED", "AUD", "BRL", "CAD", "CHF", "CZK", "DKK", "GBP", "HKD", "ILS", "INR", "MXN", "NOK", "NZD",
        "PLN", "RON", "SEK", "SGD", "THB", "ZAR",
    ];
    let entries = codes.map(|code| {
        let currency = code.parse().unwrap();
        let money = |minor| Money::new(minor, currency);
        let posting = Posting::draft(currency).debit(Account::Receivable, money(10_00));
        let posting = posting.credit(Account::Unearned, money(4_00)).credit(Account::Commission, money(3_00));
        let posting =
            posting.credit(Account::TaxPayable, money(2_00)).credit(Account::Exceptions, money(1_00));
        let (at, actor) = (moment("2026-03-02T09:00:00Z"), "test".to_owned());
        Entry {
            marketplace: marketplace_id(),
            subject: format!("ord_{code}"),
            step: 1,
            context: Context { at, cause: code.to_owned(), correlation: code.to_owned(), actor },
            facts: Vec::new(),
            postings: vec![posting.close().unwrap()],
            movements: Vec::new(),
        }
    });
    // 20 marks and 100 totals; and the same once more, which changes nothing.
    let table = &shop.market.world.table;
    for _ in 0..2 {
        table.project_postings(&entries).await.unwrap();
    }
    let summed = async |account| {
        let balances = table.account(&marketplace_id(), &account).await.unwrap();
        assert_eq!(balances.keys().collect::<Vec<_>>(), codes.iter().collect::<Vec<_>>());
        let sums = balances.values().map(|balance| (balance.debits, balance.credits));
        sums.collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>()
    };
    assert_eq!(summed(Account::Receivable).await, [(10_00, 0)]);
    assert_eq!(summed(Account::TaxPayable).await, [(0, 2_00)]);
}
