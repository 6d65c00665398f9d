//! From a cart to settled money: captured as goods ship, earned as they arrive, paid out, and the books at zero.

use serde_json::json;
use std::collections::BTreeMap;
use tests::storefront::*;
use tests::*;

/// Ships and delivers both parts of an order.
async fn deliver(market: &Storefront, order: &str) {
    for number in [1, 2] {
        let part = part(order, number);
        let shipment = market.shop.ship(&part, &format!("T-{number}"), json!([])).await;
        market.shop.deliver(&part, &shipment).await;
    }
    market.shop.settle().await;
}

fn accounts(balances: &[(&str, &str)]) -> BTreeMap<String, String> {
    balances.iter().map(|(account, balance)| ((*account).to_owned(), (*balance).to_owned())).collect()
}

#[tokio::test]
async fn a_carts_money_is_captured_earned_and_paid_out_and_a_marketplace_pays_the_tax_that_it_owes() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    // The marketplace is the supplier of everything that is sold into Germany.
    let rules = json!({
        "prices": "included", "rounding": "line", "reverse_charge": true,
        "deemed_supplier": [{"area": {"country": "DE"}, "sellers": "all"}],
    });
    shop.done("/v1/tax/set-rules", &rules).await;
    let order = market.order().await;
    deliver(&market, &order).await;
    // Alma earns 23.01: 32.25 less fees of 3.00 and 1.10 (1.1025) and tax of 3.19, 1.17 and 0.78; Birch 17.93: 24.90
    // less 3.00 and tax of 3.19 and 0.78.
    let earned = [
        ("gateway_clearing", "57.15"),
        ("payable", "-40.94"),
        ("commission", "-7.10"),
        ("tax_payable", "-9.11"),
    ];
    assert_eq!(shop.accounts().await, accounts(&earned));
    // One of the two mugs comes back: 10.00 less a fee of 1.50 and tax of 1.60, the larger half of 3.19.
    let mug = json!([{"line": 1, "quantity": 1}]);
    let refund = json!({"merchant_order": part(&order, 1), "lines": mug, "reason": "a crack"});
    shop.done(&format!("/v1/orders/{order}/refund"), &refund).await;
    shop.settle().await;
    let refunded = [
        ("gateway_clearing", "47.15"),
        ("payable", "-34.04"),
        ("commission", "-5.60"),
        ("tax_payable", "-7.51"),
    ];
    assert_eq!(shop.accounts().await, accounts(&refunded));
    shop.wait_days(6).await;
    let payouts = [shop.payouts(&market.alma).await, shop.payouts(&market.birch).await].concat();
    let mut paid: Vec<String> = payouts.iter().map(|payout| eur_at(payout, "/amount")).collect();
    paid.sort_unstable();
    assert_eq!(paid, ["16.11", "17.93"]);
    let of_alma = shop.get(&format!("/v1/payouts/{}", at(&payouts[0], "/id"))).await;
    assert_eq!(eur_at(&of_alma, "/withheld"), "3.54");
    shop.books_are_right().await;
}

#[tokio::test]
async fn what_never_ships_is_never_captured() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let order = market.order().await;
    let shipment = shop.ship(&part(&order, 2), "T-2", json!([])).await;
    shop.deliver(&part(&order, 2), &shipment).await;
    shop.done(&format!("/v1/orders/{order}/cancel"), &json!({"reason": "changed mind"})).await;
    shop.settle().await;
    // Birch's 24.90 alone; 32.25 of the authorization are released.
    let left = [("gateway_clearing", "24.90"), ("payable", "-21.90"), ("commission", "-3.00")];
    assert_eq!(shop.accounts().await, accounts(&left));
    assert_eq!(shop.stock(&market.mug).await, (100, 0, 100));
    let payments = shop.get(&format!("/v1/payments?order={order}")).await;
    assert_eq!(at(&payments, "/items/0/status"), "captured");
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_refund_becomes_store_credit_where_the_customer_takes_it_so() {
    let mut market = Storefront::open().await;
    market.guest = market.shop.person("ines");
    let shop = &market.shop;
    let order = market.order().await;
    deliver(&market, &order).await;
    let before = shop.accounts().await;
    let mug = json!([{"line": 1, "quantity": 1}]);
    let refund = json!({
        "merchant_order": part(&order, 1), "lines": mug, "to": "store_credit", "reason": "a crack",
    });
    shop.done(&format!("/v1/orders/{order}/refund"), &refund).await;
    shop.settle().await;
    let after = shop.accounts().await;
    // 10.00 stay with us as credit: nothing goes to the card.
    assert_eq!(after["store_credit"], "-10.00");
    assert_eq!(after["gateway_clearing"], before["gateway_clearing"]);
    let payments = shop.get(&format!("/v1/payments?order={order}")).await;
    let payment = shop.get(&format!("/v1/payments/{}", at(&payments, "/items/0/id"))).await;
    assert_eq!(
        (at(&payment, "/refunds/0/to"), eur_at(&payment, "/refunds/0/amount")),
        ("store_credit", "10.00".into())
    );
    // What a channel has sold is paid back there.
    let sold = shop.delivered_order("A-1", json!([line(&market.alma, "mug", 1, "10.00")])).await;
    let refund = json!({
        "merchant_order": part(&sold, 1), "lines": mug, "to": "store_credit", "reason": "a crack",
    });
    shop.refused(&format!("/v1/orders/{sold}/refund"), &refund, 409, "no_store_credit").await;
    shop.books_are_right().await;
}

#[tokio::test]
async fn a_discount_lessens_the_earning_of_whoever_bears_it() {
    let market = Storefront::open().await;
    let shop = &market.shop;
    let spring = json!({"name": "SPRING", "percent": "10"});
    shop.done("/v1/promotions/set-code", &spring).await;
    let of_birch =
        json!({"name": "BIRCH", "percent": "10", "merchant": market.birch, "borne_by": "merchant"});
    shop.done("/v1/promotions/set-code", &of_birch).await;
    let buy = async |code: &str, total: &str| {
        let cart = market.ready().await;
        market.edit(&cart, &json!({"codes": {"add": [code]}})).await;
        let paid = market.pay(&cart, total, "tok_approved").await;
        assert_eq!(paid.status, 201, "{}", paid.body);
        shop.settle().await;
        deliver(&market, paid.text("/order/id")).await;
        paid.text("/order/id").to_owned()
    };
    // 4.74 off 47.35 are 2.00, 0.74 and 2.00; the merchants are paid as if nothing were off, and charged so: 28.15 and
    // 21.90 of 57.15 less fees of 4.10 and 3.00.
    let order = buy("spring", "52.41").await;
    let earned = [
        ("gateway_clearing", "52.41"),
        ("discounts", "4.74"),
        ("payable", "-50.05"),
        ("commission", "-7.10"),
    ];
    assert_eq!(shop.accounts().await, accounts(&earned));
    let of_alma = shop.merchant_order(&part(&order, 1)).await;
    let totals = ["/totals/items", "/totals/supported", "/totals/net"].map(|at| eur_at(&of_alma, at));
    assert_eq!(totals, ["24.61", "2.74", "28.15"]);
    // The bowl comes back: 6.61 to the customer, 0.74 to the marketplace, 1.10 to the merchant.
    let bowl = json!([{"line": 2, "quantity": 1}]);
    let refund = json!({"merchant_order": part(&order, 1), "lines": bowl, "reason": "a crack"});
    shop.done(&format!("/v1/orders/{order}/refund"), &refund).await;
    shop.settle().await;
    let refunded = [
        ("gateway_clearing", "45.80"),
        ("discounts", "4.00"),
        ("payable", "-43.80"),
        ("commission", "-6.00"),
    ];
    assert_eq!(shop.accounts().await, accounts(&refunded));
    // Birch bears its own: 20.20 of 22.90 less 2.70 of fees, beside Alma's 28.15.
    let _birchs = buy("birch", "55.15").await;
    let both = [
        ("gateway_clearing", "100.95"),
        ("discounts", "4.00"),
        ("payable", "-92.15"),
        ("commission", "-12.80"),
    ];
    assert_eq!(shop.accounts().await, accounts(&both));
    shop.books_are_right().await;
}
