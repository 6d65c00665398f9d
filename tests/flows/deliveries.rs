//! Subscriptions that send goods: each period is one order, its stock held first, then paid, then placed.

use serde_json::{Value, json};
use tests::storefront::*;
use tests::subscribing::{self, Subscriptions, publish};
use tests::*;

/// A shop with goods, and a plan that sends a mug and two scarves by the month.
struct Deliveries {
    market: Subscriptions,
    alma: String,
    birch: String,
    mug: String,
    scarf: String,
}

impl Deliveries {
    async fn open() -> Self {
        Self::stocked(100).await
    }

    async fn stocked(units: i64) -> Self {
        let Storefront { shop, alma, birch, mug, scarf, .. } = Storefront::stocked(units).await;
        let market = Subscriptions::open_in(shop).await;
        let this = Self { market, alma, birch, mug, scarf };
        publish(&this.market.shop, "box", this.terms()).await;
        this
    }

    fn terms(&self) -> Value {
        let (alma, birch) = (&self.alma, &self.birch);
        json!({
            "interval": {"every": "month"}, "price": eur("0.00"), "proration": "none",
            "goods": [
                {"merchant": alma, "sku": "mug", "quantity": 1},
                {"merchant": birch, "sku": "scarf", "quantity": 2},
            ],
        })
    }

    /// Ines subscribes to the box, and her first one is ordered.
    async fn subscribe(&self, token: &str) -> String {
        self.subscribe_to("box", token).await
    }

    /// The same by a plan that waits 60 days for another card.
    async fn subscribe_patiently(&self, token: &str) -> String {
        let mut patient = self.terms();
        patient["dunning"] = json!({
            "retry_days": [1, 3, 7], "fault_minutes": [], "restrict_after_days": 10, "cancel_after_days": 60,
        });
        publish(&self.market.shop, "patient", patient).await;
        self.subscribe_to("patient", token).await
    }

    async fn subscribe_to(&self, plan: &str, token: &str) -> String {
        let answer = self.market.ines.post("/v1/subscriptions", &self.market.body(plan, token), "").await;
        assert_eq!((answer.status.as_u16(), answer.text("/status")), (202, "incomplete"), "{}", answer.body);
        self.market.shop.settle().await;
        answer.text("/id").to_owned()
    }

    /// The totals of her orders, the first first.
    async fn orders(&self) -> Vec<String> {
        let listed = self.market.ines.get("/v1/customers/me/orders").await;
        assert_eq!(listed.status, 200, "{}", listed.body);
        let mut totals = Vec::new();
        for one in listed.body["items"].as_array().unwrap().iter().rev() {
            totals.push(eur_at(&self.market.shop.order(at(one, "/id")).await, "/totals/total"));
        }
        totals
    }

    async fn stock(&self) -> (i64, i64, i64) {
        self.market.shop.stock(&self.scarf).await
    }

    async fn delivery(&self, id: &str) -> Value {
        self.market.show(id).await["delivery"].clone()
    }
}

#[tokio::test]
async fn each_period_is_ordered_once_at_the_prices_of_its_day() {
    let all = Deliveries::open().await;
    let id = all.subscribe("tok_approved").await;
    let shown = all.market.show(&id).await;
    assert_eq!((at(&shown, "/status"), &shown["delivery"]), ("active", &Value::Null));
    // 10.00 and twice 20.00, with 4.90 of delivery from each.
    assert_eq!(all.orders().await, ["59.80"]);
    assert_eq!(all.stock().await, (100, 2, 98));
    let changed = json!({"price": eur("11.00")}).to_string();
    let path = format!("/v1/offers/{}", all.mug);
    all.market
        .shop
        .api
        .send_with(http::Method::PATCH, &path, &changed, &[("if-match", "*")])
        .await
        .ok()
        .unwrap();
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    assert_eq!(all.orders().await, ["59.80", "60.80"]);
    assert_eq!(at(&all.market.show(&id).await, "/period_end"), "2026-05-02T09:00:00Z");
    assert!(all.market.documents(&id).await.is_empty(), "goods have no invoice of the marketplace's");
    all.market.books_are_right().await;
}

#[tokio::test]
async fn nothing_is_charged_for_goods_that_are_sold_out_and_a_first_one_was_no_subscription() {
    let all = Deliveries::stocked(1).await;
    let id = all.subscribe("tok_approved").await;
    let shown = all.market.show(&id).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/end")), ("ended", "never_paid"));
    assert!(all.orders().await.is_empty());
    assert_eq!(all.stock().await, (1, 0, 1));
    all.market.shop.done(&format!("/v1/stock/{}/receive", all.scarf), &json!({"quantity": 9})).await;
    let again = all.subscribe("tok_approved").await;
    assert_eq!(at(&all.market.show(&again).await, "/status"), "active");
    all.market.books_are_right().await;
}

#[tokio::test]
async fn a_renewal_of_what_is_sold_out_waits_for_its_stock_and_is_left_out_in_the_end() {
    let all = Deliveries::stocked(2).await;
    let id = all.subscribe("tok_approved").await;
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    let delivery = all.delivery(&id).await;
    assert_eq!((&delivery["tries"], at(&delivery, "/retry_at")), (&json!(1), "2026-04-03T09:00:00Z"));
    let refused = all.market.try_act(&id, "skip", json!({})).await;
    assert_problem(&refused, 409, "goods_on_their_way");
    all.market.shop.done(&format!("/v1/stock/{}/receive", all.scarf), &json!({"quantity": 2})).await;
    all.market.shop.wait_until("2026-04-03T09:10:00Z").await;
    assert_eq!(all.orders().await.len(), 2);
    assert_eq!((all.stock().await, all.delivery(&id).await), ((4, 4, 0), Value::Null));
    // In May they never come: tried on the days 1, 3 and 7, then the period goes by without.
    all.market.shop.wait_until("2026-05-09T10:00:00Z").await;
    let shown = all.market.show(&id).await;
    assert_eq!((at(&shown, "/status"), &shown["delivery"]), ("active", &Value::Null));
    assert_eq!(at(&shown, "/period_end"), "2026-06-02T09:00:00Z");
    assert_eq!(all.orders().await.len(), 2);
    all.market.books_are_right().await;
}

#[tokio::test]
async fn goods_that_are_not_paid_are_tried_again_on_the_days_of_the_policy() {
    let all = Deliveries::open().await;
    let id = all.subscribe("tok_away_fails_1_insufficient_funds").await;
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    assert_eq!(at(&all.delivery(&id).await, "/retry_at"), "2026-04-03T09:00:00Z");
    assert_eq!(all.orders().await.len(), 1);
    all.market.shop.wait_until("2026-04-03T09:10:00Z").await;
    assert_eq!((all.orders().await.len(), all.delivery(&id).await), (2, Value::Null));
    all.market.books_are_right().await;
}

#[tokio::test]
async fn goods_that_nobody_pays_end_the_subscription_and_another_card_saves_it() {
    let all = Deliveries::open().await;
    let id = all.subscribe("tok_away_declined_stolen_card").await;
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    // For good: another means of payment is asked for until the end.
    assert_eq!(at(&all.delivery(&id).await, "/retry_at"), "2026-04-23T09:00:00Z");
    let body = json!({"payment": subscribing::card("tok_approved")});
    all.market.act(&id, "set-payment-method", body).await;
    assert_eq!((all.orders().await.len(), all.delivery(&id).await), (2, Value::Null));
    let body = json!({"payment": subscribing::card("tok_away_declined_lost_card")});
    all.market.act(&id, "set-payment-method", body).await;
    all.market.shop.wait_until("2026-05-23T10:00:00Z").await;
    let shown = all.market.show(&id).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/end")), ("ended", "unpaid"));
    assert_eq!(all.orders().await.len(), 2);
    assert_eq!(all.stock().await, (100, 4, 96));
    all.market.books_are_right().await;
}

#[tokio::test]
async fn goods_are_ordered_and_paid_also_when_the_cart_of_the_last_try_is_forgotten() {
    let all = Deliveries::open().await;
    let id = all.subscribe_patiently("tok_away_declined_stolen_card").await;
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    assert_eq!(at(&all.delivery(&id).await, "/retry_at"), "2026-06-01T09:00:00Z");
    all.market.shop.wait_until("2026-05-17T09:10:00Z").await;
    all.market.shop.forgets().await;
    let body = json!({"payment": subscribing::card("tok_approved")});
    all.market.act(&id, "set-payment-method", body).await;
    // The period after it, which had waited, is ordered too.
    all.market.shop.wait_minutes(20).await;
    assert_eq!(all.orders().await, ["59.80", "59.80", "59.80"]);
    let shown = all.market.show(&id).await;
    assert_eq!((at(&shown, "/period_end"), &shown["delivery"]), ("2026-06-02T09:00:00Z", &Value::Null));
    assert_eq!(all.stock().await, (100, 6, 94));
    all.market.books_are_right().await;
}

#[tokio::test]
async fn who_leaves_with_the_period_is_sent_and_charged_nothing_after_it() {
    let all = Deliveries::open().await;
    let id = all.subscribe_patiently("tok_away_declined_stolen_card").await;
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    assert_eq!(at(&all.delivery(&id).await, "/retry_at"), "2026-06-01T09:00:00Z");
    all.market.act(&id, "cancel", json!({"at": "period_end"})).await;
    all.market.shop.wait_until("2026-05-02T09:10:00Z").await;
    let shown = all.market.show(&id).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/end")), ("ended", "canceled"));
    assert_eq!((at(&shown, "/ended_at"), &shown["delivery"]), ("2026-05-02T09:00:00Z", &Value::Null));
    all.market.shop.wait_until("2026-06-02T09:10:00Z").await;
    assert_eq!((all.orders().await.len(), all.stock().await), (1, (100, 2, 98)));
    all.market.books_are_right().await;
}

#[tokio::test]
async fn a_first_payment_that_is_declined_leaves_no_subscription() {
    let all = Deliveries::open().await;
    let id = all.subscribe("tok_declined_insufficient_funds").await;
    let shown = all.market.show(&id).await;
    assert_eq!((at(&shown, "/status"), at(&shown, "/end")), ("ended", "never_paid"));
    all.subscribe("tok_approved").await;
    assert_eq!(all.orders().await.len(), 1);
    all.market.books_are_right().await;
}

#[tokio::test]
async fn a_first_payment_that_its_customer_has_to_confirm_is_confirmed_at_the_checkout() {
    let all = Deliveries::open().await;
    let id = all.subscribe("tok_action").await;
    let cart = at(&all.delivery(&id).await, "/cart").to_owned();
    let ines = &all.market.ines;
    let shown = ines.get(&format!("/v1/checkouts/{cart}")).await;
    assert_eq!(shown.text("/status"), "requires_action", "{}", shown.body);
    let other = subscribing::sign_up(&all.market.shop, "theo").await.0;
    assert_problem(&other.get(&format!("/v1/checkouts/{cart}")).await, 404, "not_found");
    // Nobody changes what a subscription orders.
    let edit = json!({"add": [{"offer": all.mug, "quantity": 1}]});
    assert_problem(&ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await, 404, "not_found");
    let pay = by_card("59.80", "tok_approved");
    assert_problem(&ines.post(&format!("/v1/checkouts/{cart}/pay"), &pay, "").await, 404, "not_found");
    let payment = shown.text("/payments/0/id").to_owned();
    all.market.shop.done("/v1/gateways/sandbox/tell", &json!({"payment": payment, "said": "arrive"})).await;
    let confirmed = ines.post(&format!("/v1/checkouts/{cart}/confirm"), &json!({}), "").await;
    assert_eq!((confirmed.status.as_u16(), confirmed.text("/status")), (200, "completed"));
    all.market.shop.settle().await;
    assert_eq!(at(&all.market.show(&id).await, "/status"), "active");
    all.market.books_are_right().await;
}

#[tokio::test]
async fn a_payment_of_which_nobody_knows_is_asked_for_and_charged_once() {
    for (token, status, orders) in
        [("tok_timeout_approved", "active", 1), ("tok_timeout_declined", "ended", 0)]
    {
        let all = Deliveries::open().await;
        let id = all.subscribe(token).await;
        assert_eq!(at(&all.market.show(&id).await, "/status"), "incomplete");
        all.market.shop.wait_minutes(20).await;
        assert_eq!(at(&all.market.show(&id).await, "/status"), status, "{token}");
        assert_eq!(all.orders().await.len(), orders, "{token}");
        all.market.books_are_right().await;
    }
}

#[tokio::test]
async fn a_delivery_is_skipped_or_comes_on_another_day() {
    let all = Deliveries::open().await;
    let id = all.subscribe("tok_approved").await;
    all.market.act(&id, "skip", json!({})).await;
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    assert_eq!(all.orders().await.len(), 1, "April goes by without");
    all.market.act(&id, "deliver-on", json!({"at": "2026-04-20T08:00:00Z"})).await;
    all.market.shop.wait_until("2026-04-20T08:10:00Z").await;
    assert_eq!(all.orders().await.len(), 2);
    // Those after it are counted from there.
    assert_eq!(at(&all.market.show(&id).await, "/period_end"), "2026-05-20T08:00:00Z");
    let ten = all.market.subscribe("ten", "tok_approved").await;
    assert_problem(&all.market.try_act(&ten, "skip", json!({})).await, 409, "no_delivery");
    let past = json!({"at": "2026-04-01T08:00:00Z"});
    assert_problem(&all.market.try_act(&id, "deliver-on", past).await, 422, "delivery_day");
}

#[tokio::test]
async fn what_is_given_beside_goods_is_invoiced_and_the_goods_are_ordered() {
    let all = Deliveries::open().await;
    let mut club = all.terms();
    (club["price"], club["features"], club["included"]) = (eur("5.00"), json!(["club"]), json!(1));
    publish(&all.market.shop, "club", club).await;
    let id = all.market.subscribe("club", "tok_approved").await;
    assert_eq!(all.market.bills(&id).await, [("paid", "5.00".to_owned())]);
    assert_eq!(all.orders().await, ["59.80"]);
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    assert_eq!((all.market.bills(&id).await.len(), all.orders().await.len()), (2, 2));
    // A first payment that does not come sends nothing.
    let (theo, _) = subscribing::sign_up(&all.market.shop, "theo").await;
    let body = all.market.body("club", "tok_declined_insufficient_funds");
    assert_problem(&theo.post("/v1/subscriptions", &body, "").await, 402, "payment_declined");
    all.market.shop.settle().await;
    assert_eq!(all.stock().await, (100, 4, 96));
    all.market.books_are_right().await;
}

#[tokio::test]
async fn what_is_published_or_subscribed_to_makes_sense() {
    let all = Deliveries::open().await;
    let publish = |terms: Value| json!({"external_id": "x", "name": "x", "currency": "EUR", "terms": terms});
    let mut unknown = all.terms();
    unknown["goods"][0]["sku"] = json!("nothing");
    let refused = all.market.shop.refused("/v1/plans/publish", &publish(unknown), 422, "invalid_value").await;
    assert_eq!(at(&refused.body, "/errors/0/field"), "terms.goods[0].sku");
    let mut dear = all.terms();
    dear["price"] = eur("5.00");
    let refused = all.market.shop.refused("/v1/plans/publish", &publish(dear), 422, "invalid_value").await;
    assert_eq!(at(&refused.body, "/errors/0/field"), "terms.goods");
    let mut none = all.terms();
    none["goods"][0]["quantity"] = json!(0);
    all.market.shop.refused("/v1/plans/publish", &publish(none), 422, "invalid_value").await;
    let mut body = all.market.body("box", "tok_approved");
    body.as_object_mut().unwrap().remove("payment");
    let refused = all.market.ines.post("/v1/subscriptions", &body, "").await;
    assert_eq!(at(&refused.body, "/errors/0/field"), "payment", "{}", refused.body);
}

#[tokio::test]
async fn who_cancels_while_goods_are_waited_for_gets_and_pays_nothing() {
    let all = Deliveries::stocked(2).await;
    let id = all.subscribe("tok_approved").await;
    all.market.shop.wait_until("2026-04-02T09:10:00Z").await;
    all.market.act(&id, "cancel", json!({"at": "now"})).await;
    all.market.shop.done(&format!("/v1/stock/{}/receive", all.scarf), &json!({"quantity": 9})).await;
    all.market.shop.wait_days(60).await;
    assert_eq!((all.orders().await.len(), all.stock().await), (1, (11, 2, 9)));
    all.market.books_are_right().await;
}

/// With its order split to the merchants, on the order's own way.
#[tokio::test]
async fn who_cancels_while_nobody_knows_of_the_payment_gets_no_goods_and_has_the_money_back() {
    let all = Deliveries::open().await;
    let id = all.subscribe("tok_approved").await;
    let (before, stock) = (all.orders().await, all.stock().await);
    let card = json!({"payment": {"method": "card", "token": "tok_timeout_approved"}});
    all.market.act(&id, "set-payment-method", card).await;
    let due = all.market.kept(&id).await.due_at().unwrap().unwrap();
    all.market.shop.wait_until(&due.to_string()).await;
    assert!(all.market.kept(&id).await.sending.is_some(), "the gateway is still asked");
    all.market.act(&id, "cancel", json!({"at": "now"})).await;
    all.market.shop.wait_days(2).await;
    assert_eq!((all.orders().await, all.stock().await), (before, stock));
    let accounts = all.market.shop.accounts().await;
    assert!(!accounts.contains_key("refunds_payable"), "what was authorized is released: {accounts:?}");
    all.market.books_are_right().await;
}

#[tokio::test]
async fn a_renewal_of_two_lines_of_two_merchants_takes_62_write_units_at_most() {
    let all = Deliveries::open().await;
    all.subscribe("tok_approved").await;
    all.market.shop.wait_until("2026-04-02T08:59:00Z").await;
    let _before = all.market.shop.market.cloud.meter().take();
    all.market.shop.wait_until("2026-04-02T09:04:00Z").await;
    assert_eq!(all.orders().await.len(), 2);
    let lines = all.market.shop.market.cloud.meter().take();
    let counted = lines.iter().filter(|line| !BESIDE.contains(&line.label.as_str()));
    let units: u64 = counted.map(|line| line.write_units).sum();
    assert!(units <= 62_00, "{lines:?} hundredths of write units");
}

/// Ines's cart with the goods of a box, and a word beside them.
async fn cart_with_a_box(all: &Deliveries) -> String {
    let ines = &all.market.ines;
    let opened = ines.post("/v1/carts", &json!({"country": "DE"}), "").await;
    let cart = opened.text("/id").to_owned();
    let add = json!([{"offer": all.mug, "quantity": 2}, {"offer": all.scarf, "quantity": 2}]);
    let delivery = [&all.alma, &all.birch].map(|of| json!({"merchant": of, "service": "standard"}));
    for edit in
        [json!({"add": add}), json!({"contact": contact(), "address": address(), "delivery": delivery})]
    {
        let edited = ines.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await;
        assert_eq!(edited.status, 200, "{}", edited.body);
    }
    cart
}

fn subscribing_with(all: &Deliveries, total: &str, token: &str) -> Value {
    let mut pay = by_card(total, token);
    pay["subscribe"] = json!({"plan": all.market.plan("box"), "time_zone": "Europe/Berlin"});
    pay
}

#[tokio::test]
async fn a_subscription_begins_with_the_order_that_brings_its_first_goods() {
    let all = Deliveries::open().await;
    let cart = cart_with_a_box(&all).await;
    let ines = &all.market.ines;
    // Two mugs, one of them beside the plan's, and two scarves: 60.00; Birch brings nothing for nothing, nor Alma.
    let pay = format!("/v1/checkouts/{cart}/pay");
    let paid = ines.post(&pay, &subscribing_with(&all, "69.80", "tok_approved"), "").await;
    assert_eq!(paid.status, 201, "{}", paid.body);
    all.market.shop.settle().await;
    let id = paid.text("/order/subscription").to_owned();
    let shown = all.market.show(&id).await;
    assert_eq!((at(&shown, "/status"), &shown["delivery"]), ("active", &Value::Null));
    assert_eq!(
        (at(&shown, "/period_end"), at(&shown, "/time_zone")),
        ("2026-04-02T08:00:00Z", "Europe/Berlin")
    );
    assert_eq!(all.orders().await, ["69.80"]);
    let again = ines.post(&pay, &subscribing_with(&all, "69.80", "tok_approved"), "").await;
    assert_eq!((again.status.as_u16(), again.text("/order/subscription")), (200, id.as_str()));
    all.market.shop.wait_until("2026-04-02T08:10:00Z").await;
    assert_eq!(all.orders().await, ["69.80", "59.80"], "what the plan sends, and no more");
    all.market.books_are_right().await;
}

#[tokio::test]
async fn no_subscription_begins_with_an_order_that_is_not_placed() {
    let all = Deliveries::open().await;
    let cart = cart_with_a_box(&all).await;
    let pay = format!("/v1/checkouts/{cart}/pay");
    let declined = subscribing_with(&all, "69.80", "tok_declined_insufficient_funds");
    assert_problem(&all.market.ines.post(&pay, &declined, "").await, 402, "payment_declined");
    let paid = all.market.ines.post(&pay, &by_card("69.80", "tok_approved"), "").await;
    assert_eq!((paid.status.as_u16(), &paid.body["order"]["subscription"]), (201, &Value::Null));
    all.market.shop.settle().await;
    let listed = all.market.ines.get("/v1/subscriptions").await;
    assert_eq!(listed.body["items"], json!([]), "what was meant with another try is not meant with this one");
}

#[tokio::test]
async fn what_cannot_begin_with_an_order_is_told_before_anything_is_paid() {
    let all = Deliveries::open().await;
    let cart = cart_with_a_box(&all).await;
    let (ines, pay) = (&all.market.ines, format!("/v1/checkouts/{cart}/pay"));
    let wrong = |field: &str, value: Value| {
        let mut body = subscribing_with(&all, "69.80", "tok_approved");
        body["subscribe"][field] = value;
        body
    };
    for (body, field, code) in [
        (wrong("plan", json!("x")), "subscribe.plan", "format"),
        (wrong("time_zone", json!("Mars/Base")), "subscribe.time_zone", "format"),
        (wrong("quantity", json!(3)), "subscribe.plan", "goods_missing"),
        (wrong("plan", json!(all.market.plan("ten"))), "subscribe.plan", "kind"),
    ] {
        let refused = ines.post(&pay, &body, "").await;
        assert_problem(&refused, 422, "invalid_value");
        assert_eq!((refused.text("/errors/0/field"), refused.text("/errors/0/code")), (field, code));
    }
    let mut transfer = subscribing_with(&all, "69.80", "tok_transfer");
    transfer["payments"][0]["method"] = json!("bank_transfer");
    assert_eq!(ines.post(&pay, &transfer, "").await.text("/errors/0/field"), "payments");
    let nobody = wrong("plan", json!(all.market.plan("nothing")));
    assert_problem(&ines.post(&pay, &nobody, "").await, 404, "not_found");
    assert_problem(&ines.post(&pay, &wrong("quantity", json!(0)), "").await, 422, "plan_quantity");
    all.subscribe("tok_approved").await;
    let body = subscribing_with(&all, "69.80", "tok_approved");
    assert_problem(&ines.post(&pay, &body, "").await, 409, "already_subscribed");
    all.market.shop.done(&format!("/v1/plans/{}/close", all.market.plan("box")), &json!({})).await;
    assert_problem(&ines.post(&pay, &body, "").await, 409, "plan_closed");
    // A guest has no account to subscribe with.
    let guest = all.market.shop.guest();
    let opened = guest.post("/v1/carts", &json!({"country": "DE"}), "").await;
    let refused = guest.post(&format!("/v1/checkouts/{}/pay", opened.text("/id")), &body, "").await;
    assert_eq!(refused.text("/errors/0/field"), "subscribe", "{}", refused.body);
}
