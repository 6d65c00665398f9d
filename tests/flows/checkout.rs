//! Checkouts: through the gate, paid, placed once, split, and the same whichever way the outcome comes.

use serde_json::json;
use tests::storefront::*;
use tests::*;

#[tokio::test]
async fn a_guest_pays_once_and_the_order_is_placed_split_and_open() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let held = market.checkout(&cart, "hold", &json!({})).await;
    assert_eq!((held.status.as_u16(), held.text("/held_until")), (200, "2026-03-02T09:10:00Z"));
    // A hundred came in; two are held for this cart and for nobody else.
    assert_eq!(market.shop.stock(&market.mug).await, (100, 0, 98));
    let paid = market.pay(&cart, "57.15", "tok_approved").await;
    assert_eq!((paid.status.as_u16(), paid.text("/status")), (201, "completed"));
    assert_eq!(paid.text("/payments/0/status"), "authorized");
    market.shop.settle().await;
    let order = market.shop.order(paid.text("/order/id")).await;
    assert_eq!((at(&order, "/status"), at(&order, "/channel")), ("paid", "storefront"));
    let totals =
        ["/totals/items", "/totals/delivery", "/totals/total"].map(|pointer| eur_at(&order, pointer));
    assert_eq!(totals, ["47.35", "9.80", "57.15"]);
    // The tax is on the order: 3.19 in two mugs, 0.78 in each delivery, prices with tax in them, rounded per line.
    let taxes = ["/lines/0/tax/amount", "/bought/deliveries/1/taxes/0/amount"].map(|at| eur_at(&order, at));
    assert_eq!(taxes, ["3.19", "0.78"]);
    assert_eq!((at(&order, "/bought/prices"), at(&order, "/bought/rounding")), ("included", "line"));
    let parts: Vec<&str> =
        order["merchant_orders"].as_array().unwrap().iter().map(|part| at(part, "/status")).collect();
    assert_eq!(parts, ["open", "open"]);
    assert_eq!(market.shop.stock(&market.mug).await, (100, 2, 98));
    // The cart has become the order and can be looked at, not changed.
    let shown = market.show(&cart).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/order")), ("completed", paid.text("/order/id")));
    assert_problem(&market.try_edit(&cart, &json!({"add": market.goods()})).await, 409, "cart_completed");
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a8_1_completing_twice_gives_one_order() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let (one, two) =
        tokio::join!(market.pay(&cart, "57.15", "tok_approved"), market.pay(&cart, "57.15", "tok_approved"));
    // Two tabs: one places it; the other hears that it is placed, or that payment is on its way.
    let mut statuses = [one.status.as_u16(), two.status.as_u16()];
    statuses.sort_unstable();
    assert!(matches!(statuses, [200, 201] | [201, 409]), "{statuses:?}: {} {}", one.body, two.body);
    // Back button: the same order, for good.
    let again = market.pay(&cart, "1.00", "tok_declined_stolen_card").await;
    assert_eq!((again.status.as_u16(), again.text("/status")), (200, "completed"));
    market.shop.settle().await;
    let orders = market.shop.get("/v1/orders?from=2026-03-02&to=2026-03-02").await;
    assert_eq!(orders["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a8_2_another_total_is_a_409_with_the_current_one() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let changed = json!({"price": eur("11.00")}).to_string();
    let path = format!("/v1/offers/{}", market.mug);
    market.shop.api.send_with(http::Method::PATCH, &path, &changed, &[("if-match", "*")]).await.ok().unwrap();
    let refused = market.pay(&cart, "57.15", "tok_approved").await;
    assert_problem(&refused, 409, "cart_changed");
    assert_eq!(eur_at(&refused.body, "/total"), "59.15");
    assert_eq!(market.pay(&cart, "59.15", "tok_approved").await.status, 201);
}

#[tokio::test]
async fn the_gate_lists_what_is_missing_with_its_steps() {
    let market = Storefront::open().await;
    let cart = market.cart().await;
    market.edit(&cart, &json!({"add": market.goods()})).await;
    let refused = market.checkout(&cart, "pay", &json!({"expected_total": eur("47.35")})).await;
    assert_problem(&refused, 409, "checkout_incomplete");
    let unmet = refused.body["unmet"].as_array().unwrap();
    let unmet: Vec<_> = unmet.iter().map(|one| (at(one, "/code"), at(one, "/step"))).collect();
    let want = [
        ("contact_missing", "contact"),
        ("address_missing", "address"),
        ("delivery_missing", "delivery"),
        ("payment_missing", "payment"),
    ];
    assert_eq!(unmet, want);
}

#[tokio::test]
async fn a_declined_card_leaves_the_cart_free_and_another_one_pays() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let declined = market.pay(&cart, "57.15", "tok_declined_insufficient_funds").await;
    assert_problem(&declined, 402, "payment_declined");
    assert_eq!(declined.body["decline"], json!({"code": "insufficient_funds", "class": "soft"}));
    assert_eq!(market.show(&cart).await["status"], "open");
    market.edit(&cart, &json!({"set": [{"line": 1, "quantity": 1}]})).await;
    let paid = market.pay(&cart, "47.15", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    market.shop.settle().await;
    assert_eq!(market.shop.stock(&market.mug).await, (100, 1, 99));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a9_1_an_unknown_outcome_blocks_a_second_charge_and_the_customer_who_comes_back_gets_the_order() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let waits = market.pay(&cart, "57.15", "tok_timeout_approved").await;
    assert_eq!((waits.status.as_u16(), waits.text("/status")), (202, "processing"));
    assert_problem(&market.pay(&cart, "57.15", "tok_approved").await, 409, "payment_in_flight");
    assert_problem(&market.try_edit(&cart, &json!({"set": []})).await, 409, "payment_in_flight");
    let confirmed = market.checkout(&cart, "confirm", &json!({})).await;
    assert_eq!((confirmed.status.as_u16(), confirmed.text("/status")), (200, "completed"));
    market.shop.settle().await;
    assert_eq!(market.shop.stock(&market.mug).await, (100, 2, 98));
    // One that never arrived frees the cart.
    let cart = market.ready().await;
    assert_eq!(market.pay(&cart, "57.15", "tok_timeout_lost").await.status, 202);
    assert_problem(&market.checkout(&cart, "confirm", &json!({})).await, 402, "payment_declined");
    assert_eq!(market.show(&cart).await["status"], "open");
    assert_eq!(market.pay(&cart, "57.15", "tok_approved").await.status, 201);
}

#[tokio::test]
async fn a7_1_two_shoppers_and_one_unit_give_one_order() {
    let market = Storefront::stocked(2).await;
    let (one, two) = (market.ready().await, market.ready().await);
    let (first, second) =
        tokio::join!(market.pay(&one, "57.15", "tok_approved"), market.pay(&two, "57.15", "tok_approved"));
    let mut statuses = [first.status.as_u16(), second.status.as_u16()];
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409], "{} {}", first.body, second.body);
    market.shop.settle().await;
    assert_eq!(market.shop.stock(&market.mug).await, (2, 2, 0));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn an_expired_hold_that_nobody_took_still_completes_and_one_that_was_taken_does_not_charge() {
    let market = Storefront::stocked(2).await;
    let (slow, quick) = (market.ready().await, market.ready().await);
    assert_eq!(market.checkout(&slow, "hold", &json!({})).await.status, 200);
    // Ten minutes later the units are anybody's.
    let refused = market.checkout(&quick, "hold", &json!({})).await;
    assert_eq!(at(&refused.body, "/unmet/0/code"), "lines_unavailable");
    market.shop.wait_until("2026-03-02T09:11:00Z").await;
    assert_eq!(market.pay(&quick, "57.15", "tok_approved").await.status, 201);
    let late = market.pay(&slow, "57.15", "tok_approved").await;
    assert_problem(&late, 409, "checkout_incomplete");
    assert_eq!(at(&late.body, "/unmet/0/code"), "lines_unavailable");
    market.shop.settle().await;
    assert_eq!(market.shop.stock(&market.mug).await, (2, 2, 0));
}

/// A cart whose card is approved while nobody hears of it, and whose stock somebody gives away meanwhile.
async fn approved_unheard(market: &Storefront) -> String {
    let cart = market.ready().await;
    assert_eq!(market.pay(&cart, "57.15", "tok_timeout_approved").await.status, 202);
    give_away(market, &cart).await;
    cart
}

/// What a cart holds is anybody's again, though the cart does not know.
async fn give_away(market: &Storefront, cart: &str) {
    let world = &market.shop.market.world;
    let id: domain::id::CartId = cart.parse().unwrap();
    let held = world.table.load::<domain::cart::Cart>(&table::Key::cart(&marketplace_id(), &id)).await;
    let holds = held.unwrap().unwrap().value.holds;
    assert_eq!(holds.len(), 3);
    world.table.release(&marketplace_id(), &id, &holds).await.unwrap();
}

#[tokio::test]
async fn a_hold_that_is_gone_when_the_money_is_there_is_taken_again_if_the_stock_is() {
    let market = Storefront::stocked(2).await;
    let cart = approved_unheard(&market).await;
    assert_eq!(market.shop.stock(&market.mug).await, (2, 0, 2));
    let confirmed = market.checkout(&cart, "confirm", &json!({})).await;
    assert_eq!((confirmed.status.as_u16(), confirmed.text("/status")), (200, "completed"));
    market.shop.settle().await;
    assert_eq!(market.shop.stock(&market.mug).await, (2, 2, 0));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn an_order_for_nothing_whose_hold_is_gone_takes_it_again_or_leaves_the_cart_free() {
    let market = Storefront::stocked(2).await;
    for code in [json!({"name": "ALL", "percent": "100"}), json!({"name": "BRING", "free_delivery": true})] {
        market.shop.done("/v1/promotions/set-code", &code).await;
    }
    let free = json!({"expected_total": eur("0.00")});
    let held = async || {
        let cart = market.ready().await;
        market.edit(&cart, &json!({"codes": {"add": ["ALL", "BRING"]}})).await;
        assert_eq!(market.checkout(&cart, "hold", &json!({})).await.status, 200);
        give_away(&market, &cart).await;
        cart
    };
    let (late, quick) = (held().await, held().await);
    assert_eq!(market.checkout(&quick, "pay", &free).await.status, 201);
    assert_problem(&market.checkout(&late, "pay", &free).await, 409, "sold_out");
    let shown = market.show(&late).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/unmet/0/code")), ("open", "lines_unavailable"));
    market.shop.settle().await;
    assert_eq!(market.shop.stock(&market.mug).await, (2, 2, 0));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn money_that_comes_when_the_stock_is_sold_is_released_and_nobody_is_oversold() {
    let market = Storefront::stocked(2).await;
    let slow = approved_unheard(&market).await;
    let quick = market.ready().await;
    assert_eq!(market.pay(&quick, "57.15", "tok_approved").await.status, 201);
    assert_problem(&market.checkout(&slow, "confirm", &json!({})).await, 409, "sold_out");
    market.shop.settle().await;
    // The cart is free, says what is left, and its authorization is given back at the next look.
    let shown = market.show(&slow).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/unmet/0/code")), ("open", "lines_unavailable"));
    market.shop.wait_until("2026-03-02T09:30:00Z").await;
    let payment = market.guest.get(&format!("/v1/checkouts/{slow}")).await;
    assert_eq!(payment.text("/payments/0/status"), "released");
    assert_eq!(market.shop.stock(&market.mug).await, (2, 2, 0));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a9_5_money_that_was_taken_when_the_stock_is_sold_awaits_approval_to_go_back() {
    let market = Storefront::stocked(2).await;
    let slow = market.ready().await;
    assert_eq!(market.pay(&slow, "57.15", "tok_action").await.status, 202);
    give_away(&market, &slow).await;
    let quick = market.ready().await;
    assert_eq!(market.pay(&quick, "57.15", "tok_approved").await.status, 201);
    // The customer's bank takes the money at once: there is no order for it.
    let shown = market.guest.get(&format!("/v1/checkouts/{slow}")).await;
    let payment = shown.text("/payments/0/id").to_owned();
    let told = json!({"payment": payment, "said": "arrive"});
    market.shop.done("/v1/gateways/sandbox/tell", &told).await;
    market.shop.settle().await;
    assert_eq!(market.show(&slow).await["status"], "open");
    let view = market.shop.get(&format!("/v1/payments/{payment}")).await;
    assert_eq!((at(&view, "/status"), eur_at(&view, "/awaits_approval")), ("captured", "57.15".to_owned()));
    market.shop.books_are_right().await;
}

#[tokio::test]
async fn a_voucher_is_taken_first_and_the_card_pays_the_rest() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let pay = |card: &str, voucher: &str| {
        json!({"expected_total": eur("57.15"), "payments": [
            {"method": "card", "token": card},
            {"method": "voucher", "token": voucher},
        ]})
    };
    let paid = market.checkout(&cart, "pay", &pay("tok_approved", "tok_voucher_2000")).await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    let payments = paid.body["payments"].as_array().unwrap();
    let paid: Vec<_> = payments.iter().map(|one| (at(one, "/method"), eur_at(one, "/amount"))).collect();
    assert_eq!(paid, [("voucher", "20.00".to_owned()), ("card", "37.15".to_owned())]);
    // A voucher of more than the total pays alone; what is left stays on it.
    let cart = market.ready().await;
    let paid = market.checkout(&cart, "pay", &pay("tok_approved", "tok_voucher_9000")).await;
    assert_eq!(paid.body["payments"].as_array().unwrap().len(), 1, "{}", paid.body);
    // One of the two declined: the other is given back, and the cart is free.
    let cart = market.ready().await;
    let refused = market.checkout(&cart, "pay", &pay("tok_declined_stolen_card", "tok_voucher_2000")).await;
    assert_problem(&refused, 402, "payment_declined");
    // A voucher alone that does not reach is told in the gate.
    let voucher = json!({"method": "voucher", "token": "tok_voucher_100"});
    let short = json!({"expected_total": eur("57.15"), "payments": [voucher]});
    let refused = market.checkout(&cart, "pay", &short).await;
    assert_problem(&refused, 409, "checkout_incomplete");
    assert_eq!(at(&refused.body, "/unmet/0/missing"), "56.15");
}

#[tokio::test]
async fn an_order_has_a_page_by_its_signed_link_and_by_no_other() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let paid = market.pay(&cart, "57.15", "tok_approved").await;
    market.shop.settle().await;
    let link = paid.text("/order/page").to_owned();
    let page = market.guest.get(&link).await;
    assert_eq!((page.status.as_u16(), eur_at(&page.body, "/total")), (200, "57.15".to_owned()));
    assert_eq!(page.body["parts"][0]["status"], "open");
    assert!(!page.body.to_string().contains("Ines"), "nobody's name is on it");
    let (path, _) = link.split_once('?').unwrap();
    for signature in ["", "x", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"] {
        let answer = market.guest.get(&format!("{path}?signature={signature}")).await;
        assert_problem(&answer, 404, "not_found");
    }
    // Names and addresses lie sealed, apart from the order.
    for ((pk, sk), item) in market.shop.contents().await {
        assert!(!format!("{item:?}").contains("Ines"), "{pk} {sk} tells a name");
    }
}

#[tokio::test]
async fn card_numbers_are_refused_wherever_they_stand_and_never_shown() {
    let market = Storefront::open().await;
    let cart = market.ready().await;
    let card = "4242 4242 4242 4242";
    // Half of it, which no digest has by chance.
    let tells = |text: &str| text.replace(' ', "").contains("42424242");
    let with = |token: serde_json::Value| {
        let payment = json!({"method": "card", "token": token});
        json!({"expected_total": eur("57.15"), "payments": [payment]})
    };
    let bodies = [
        with(json!(card)),
        with(json!(4_242_424_242_424_242_u64)),
        with(json!([card])),
        json!({"expected_total": {"amount": "4242424242424242", "currency": "EUR"}}),
        json!({"expected_total": eur("57.15"), "card_number": card}),
        json!({"expected_total": eur("57.15"), "payments": [{"method": card}]}),
        json!({"expected_total": eur("57.15"), card: 1}),
    ];
    for body in bodies {
        let refused = market.checkout(&cart, "pay", &body).await;
        assert_problem(&refused, 400, "malformed_request");
        assert!(!tells(&refused.body.to_string()), "{body}: {}", refused.body);
    }
    for ((pk, sk), item) in market.shop.contents().await {
        assert!(!tells(&format!("{item:?}")), "{pk} {sk} keeps it");
    }
}

/// Calls and write units (in hundredths) of the table since the last look, on the order's own way.
fn metered(market: &Storefront) -> (u64, u64) {
    let lines = market.shop.market.cloud.meter().take();
    let lines = lines.iter().filter(|line| !BESIDE.contains(&line.label.as_str()));
    lines.fold((0, 0), |(calls, units), line| (calls + line.calls, units + line.write_units))
}

#[tokio::test]
async fn the_placing_takes_six_calls_and_the_chain_seventy_write_units_at_most() {
    let market = Storefront::open().await;
    let _opening = metered(&market);
    // Three lines of two merchants.
    let cart = market.ready().await;
    let edits = metered(&market);
    market.checkout(&cart, "hold", &json!({})).await.ok().unwrap();
    let hold = metered(&market);
    let paid = market.pay(&cart, "57.15", "tok_approved").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    let placing = metered(&market);
    market.shop.settle().await;
    let split = metered(&market);
    let units = [edits, hold, placing, split].map(|(_, units)| units);
    assert!(placing.0 <= 6, "{} calls", placing.0);
    assert!(units.iter().sum::<u64>() <= 70_00, "{units:?} hundredths of write units");
}
