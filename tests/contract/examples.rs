//! A story in which the operations of the API are called: its requests and answers are the examples of the contract,
//! and every answer is held against what the contract says.
//!
//! Ids that chance gives are replaced by counted ones, so that the examples stay the same.

mod assets;
mod carts;
mod describing;
mod importing;
mod joining;
mod listening;
mod proving;
mod reviews;

use crate::files::none;
use crate::openapi::{document, operations};
use crate::schema;
use crate::wiring::open;
use edge::routes::{Audience, Operation};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use tests::paying::{card, payment_id};
use tests::{Shop, at, eur, line, order_body, part};

/// What was sent and what was answered, by the name of the operation.
pub(crate) type Examples = BTreeMap<String, Example>;

#[derive(Debug, Clone)]
pub(crate) struct Example {
    pub(crate) body: Option<Value>,
    pub(crate) status: u16,
    pub(crate) answer: Value,
}

pub(crate) struct Story {
    pub(crate) shop: Shop,
    operations: Vec<(&'static str, Operation)>,
    told: Examples,
}

impl Story {
    /// Calls an operation: `variables` fill its path in their order, `query` follows it. It must go well.
    async fn call(&mut self, name: &str, variables: &[&str], query: &str, body: Option<Value>) -> Value {
        let found = self.operations.iter().find(|(_, operation)| operation.name == name);
        let operation = &found.unwrap_or_else(|| panic!("there is no operation {name}")).1;
        let mut path = operation.path.to_owned();
        for variable in variables {
            let (before, rest) = path.split_once('{').expect("the path has a variable more");
            let (_, after) = rest.split_once('}').expect("a variable ends");
            path = format!("{before}{variable}{after}");
        }
        let (method, text) = (operation.method.clone(), body.as_ref().map(ToString::to_string));
        let (key, path) = (self.shop.fresh(), format!("{path}{query}"));
        let seen = [("idempotency-key", key.as_str()), ("if-match", "*")];
        let caller = match operation.audience {
            Audience::Shoppers => self.shop.guest(),
            Audience::Persons => self.shop.person("ines"),
            Audience::Operators
            | Audience::Owners
            | Audience::Merchants
            | Audience::Everyone
            | Audience::Founder
            | Audience::Signed => self.shop.api.clone(),
        };
        let answer = caller.send_with(method, &path, &text.unwrap_or_default(), &seen).await;
        assert!(answer.status.is_success(), "{name}: {} {}", answer.status, answer.body);
        self.shop.settle().await;
        let example = Example { body, status: answer.status.as_u16(), answer: answer.body.clone() };
        self.told.insert(name.to_owned(), example);
        answer.body
    }

    async fn show(&mut self, name: &str, variables: &[&str], query: &str) -> Value {
        self.call(name, variables, query, None).await
    }

    async fn tell(&mut self, name: &str, variables: &[&str], body: Value) -> Value {
        self.call(name, variables, "", Some(body)).await
    }

    /// An address is signed in real time; the contract shows one that stays as it is.
    fn signed_for_ever(&mut self, name: &str) {
        let answer = &mut self.told.get_mut(name).expect("it was told").answer;
        for file in ["/upload", "/file", "/left_out", ""] {
            let file = match answer.pointer_mut(file) {
                Some(file) if file.get("url").is_some() => file,
                Some(_) | None => continue,
            };
            let (place, _) = at(file, "/url").split_once('?').expect("a signed address");
            let url = json!(format!("{place}?X-Amz-Expires=600&X-Amz-Signature=a1b2c3"));
            (file["url"], file["expires_at"]) = (url, json!("2026-03-09T09:10:00Z"));
        }
    }

    /// The marketplace, its keys and people.
    async fn opening(&mut self, merchant: &str) {
        self.show("marketplace.show", &[], "").await;
        let rules = json!([{"fee": "commission", "percent": "15"}]);
        let settings = json!({"hold_days": 3, "commission": rules, "critical_balance": eur("50.00")});
        self.tell("marketplace.set_settings", &[], settings).await;
        self.show("members.list", &[], &format!("?merchant={merchant}")).await;
        let override_ = json!({
            "policy": "merchant_not_open",
            "subject": merchant,
            "reason": "sold before the merchant closed",
            "evidence": "the channel's export of Monday",
            "expires_at": "2026-04-01T00:00:00Z",
        });
        let granted = self.tell("overrides.grant", &[], override_).await;
        self.show("overrides.list", &[], "").await;
        self.tell("overrides.revoke", &[at(&granted, "/id")], json!({})).await;
        self.show("dead_letters.queues", &[], "").await;
        self.show("dead_letters.list", &["orders"], "").await;
        self.tell("dead_letters.replay", &["orders"], json!({})).await;
        self.show("api_keys.list", &[], "").await;
        let scopes = ["orders:read", "fulfillment:write"];
        let key = self.tell("api_keys.issue", &[], json!({"name": "warehouse", "scopes": scopes})).await;
        self.tell("api_keys.revoke", &[at(&key, "/id")], json!({})).await;
        let person = json!({"issuer": "https://login.example", "subject": "ann", "scopes": ["orders:write"]});
        self.tell("operators.set", &[], person.clone()).await;
        let mut member = person;
        member["scopes"] = json!(["fulfillment:write"]);
        member["merchant"] = json!(merchant);
        self.tell("members.set", &[], member).await;
    }

    /// A merchant comes, sells, and may be paid; answers its id.
    async fn merchant(&mut self, name: &str) -> String {
        let invitation = json!({"name": name, "external_id": name, "schedule": {"every": "day"}});
        let id = at(&self.tell("merchants.invite", &[], invitation).await, "/id").to_owned();
        self.tell("merchants.approve", &[&id], json!({})).await;
        let account = json!({"holder": name, "iban": tests::iban(name)});
        self.tell("merchants.set_payout_account", &[&id], account).await;
        self.tell("merchants.activate_payout_account", &[&id], json!({})).await;
        id
    }

    /// A merchant's ways out of selling and back.
    async fn leaving(&mut self, merchant: &str) {
        let because = || json!({"reason": "parcels come late"});
        let conditions = json!({
            "schedule": {"every": "week", "weekday": 5},
            "commission": [{"fee": "commission", "category": "books", "percent": "12.5"}],
        });
        self.tell("merchants.set_conditions", &[merchant], conditions).await;
        self.tell("merchants.suspend", &[merchant], because()).await;
        self.tell("merchants.reopen", &[merchant], because()).await;
        self.tell("merchants.block_payout_account", &[merchant], because()).await;
        self.tell("merchants.close", &[merchant], because()).await;
    }

    /// An address as somebody types it.
    async fn addressing(&mut self) {
        self.show("addresses.format", &["NL"], "").await;
        let typed = json!({
            "country": "nl", "name": "M. Visser", "lines": ["Keizersgracht  1"], "city": "Amsterdam",
            "postal_code": "1015cj",
        });
        self.tell("addresses.check", &[], typed).await;
    }

    /// What Germany takes of a sale.
    async fn taxing(&mut self) {
        let rules = json!({
            "prices": "included", "rounding": "line", "delivery_category": "delivery", "reverse_charge": true,
            "deemed_supplier": [{"area": {"country": "DE"}, "sellers": "abroad"}],
        });
        self.tell("tax.set_rules", &[], rules).await;
        self.show("tax.rules", &[], "").await;
        let rates = json!({"rates": [
            {"from": "2021-01-01", "treatment": "standard", "percent": "19"},
            {"from": "2021-01-01", "treatment": "reduced", "percent": "7", "category": "books"},
            {"from": "2021-01-01", "treatment": "outside_scope", "postal": "27498"},
        ]});
        self.tell("tax.set_sheet", &["DE"], rates).await;
        self.show("tax.sheet", &["DE"], "").await;
        self.show("tax.sheets", &[], "").await;
        self.show("tax.quote", &[], "?country=DE&amount=11.90").await;
    }

    /// What shoppers who pay in dollars pay for what is priced in euros.
    async fn exchanging(&mut self) {
        let (rate, margin, as_of) = ("1.0871", "2", "2026-03-02");
        let rate =
            json!({"base": "EUR", "quote": "USD", "rate": rate, "margin_percent": margin, "as_of": as_of});
        self.tell("fx.set_rates", &[], json!({"rates": [rate]})).await;
        self.show("fx.rates", &[], "").await;
    }

    /// What alma sells, and how much of it is there.
    async fn stocking(&mut self, alma: &str) {
        let category = json!({"handle": "mugs", "name": "Mug"});
        self.tell("categories.create", &[], category).await;
        self.tell("categories.change", &["mugs"], json!({"name": "Mugs"})).await;
        let product = json!({
            "merchant": alma,
            "title": "Stoneware Mug",
            "categories": ["mugs"],
            "axes": ["color"],
            "variants": [{"values": ["sand"], "weight": 380}, {"values": ["slate"], "weight": 380}],
        });
        let product = at(&self.tell("products.create", &[], product).await, "/id").to_owned();
        self.tell("products.change", &[&product], json!({"description": "Fired twice."})).await;
        self.describing(&product).await;
        self.translating(&product).await;
        self.scheduling(&product).await;
        self.proposing(alma, &product).await;
        let offer = json!({
            "merchant": alma, "product": product, "variant": 2, "sku": "mug", "price": eur("15.00"),
        });
        let offer = at(&self.tell("offers.create", &[], offer).await, "/id").to_owned();
        self.tell("offers.change", &[&offer], json!({"price": eur("14.50")})).await;
        self.gathering().await;
        self.exporting().await;
        self.doubling(&product).await;
        self.tell("stock.receive", &[&offer], json!({"quantity": 25})).await;
        self.show("stock.movements", &[&offer], "").await;
        self.tell("stock.adjust", &[&offer], json!({"by": -1, "reason": "one was broken"})).await;
        self.show("stock.show", &[&offer], "").await;
        self.show("categories.list", &[], "").await;
        self.show("categories.show", &["mugs"], "").await;
        self.show("products.list", &[], "?category=mugs").await;
        self.show("products.show", &[&product], "").await;
        self.show("shop.categories", &[], "").await;
        self.show("shop.products", &[], "?category=mugs").await;
        self.show("shop.product", &[&product], "").await;
        self.show("offers.list", &[], &format!("?merchant={alma}")).await;
        self.show("offers.show", &[&offer], "").await;
    }

    /// Where alma delivers, and what that is for one parcel.
    async fn delivering(&mut self, alma: &str) {
        self.tell("delivery.set", &[alma], tests::delivery_rates()).await;
        self.show("delivery.show", &[alma], "").await;
        self.show("delivery.options", &[alma], "?country=DE&postal=10115&grams=2500&value=59.00").await;
    }

    /// A code of the marketplace's, and one of alma's that is over again.
    async fn discounting(&mut self, alma: &str) {
        let free =
            json!({"name": "ALMAFREE", "free_delivery": true, "merchant": alma, "borne_by": "merchant"});
        self.tell("promotions.set_code", &[], free).await;
        self.tell("promotions.close_code", &[], json!({"name": "almafree"})).await;
        let summer = json!({
            "name": "SUMMER10", "percent": "10", "minimum": eur("20.00"),
            "starts_at": "2026-03-01T00:00:00Z", "ends_at": "2026-09-01T00:00:00Z",
        });
        self.tell("promotions.set_code", &[], summer).await;
        self.show("promotions.code", &[], "?name=summer10").await;
        self.show("promotions.codes", &[], "").await;
    }

    /// A guest with a cart, and one who signs in.
    async fn shopping(&mut self, alma: &str) -> String {
        let cart = self.tell("carts.open", &[], json!({"country": "DE", "postal": "10"})).await;
        let cart = at(&cart, "/id").to_owned();
        let edit = json!({
            "add": [{"merchant": alma, "sku": "mug", "quantity": 2}],
            "contact": tests::storefront::contact(),
            "address": tests::storefront::address(),
            "delivery": [],
            "codes": {"add": ["summer10", "almafree"]},
        });
        self.tell("carts.edit", &[&cart], edit).await;
        let delivery = json!({"delivery": [{"merchant": alma, "service": "standard"}]});
        self.tell("carts.edit", &[&cart], delivery).await;
        self.show("carts.show", &[&cart], "").await;
        let held = self.tell("checkouts.hold", &[&cart], json!({})).await;
        let pay = json!({
            "expected_total": held["total"],
            "payments": [{"method": "card", "token": "tok_timeout_approved"}],
        });
        self.tell("checkouts.pay", &[&cart], pay).await;
        self.tell("checkouts.confirm", &[&cart], json!({})).await;
        let done = self.show("checkouts.show", &[&cart], "").await;
        let (path, signature) = at(&done, "/order/page").split_once('?').expect("the link is signed");
        let order = path.rsplit('/').next().unwrap_or_default();
        self.show("order_pages.show", &[order], &format!("?{signature}")).await;
        let signature = signature.split('=').nth(1).unwrap_or_default();
        self.belonging(order, signature).await;
        let cart = self.tell("carts.open", &[], json!({"country": "DE"})).await;
        self.tell("carts.claim", &[at(&cart, "/id")], json!({})).await;
        self.show("carts.current", &[], "").await;
        order.to_owned()
    }

    /// A mug comes back, and its price becomes credit.
    async fn credited(&mut self, order: &str) {
        self.shop.fulfill(&part(order, 1)).await;
        let lines = json!([{"line": 1, "quantity": 1}]);
        let back = json!({"merchant_order": part(order, 1), "lines": lines, "reason": "broken", "to": "store_credit"});
        self.shop.done(&format!("/v1/orders/{order}/refund"), &back).await;
        self.shop.settle().await;
        self.show("customers.store_credit", &[], "").await;
    }

    /// A person signs up, is forgotten, comes back, and takes along what was bought as a guest.
    async fn belonging(&mut self, order: &str, signature: &str) {
        let sign_up = json!({
            "name": "Ines Groß", "email": "ines@post.example", "locale": "de-DE",
            "consents": {"marketing_email": true},
        });
        let customer = at(&self.tell("customers.register", &[], sign_up.clone()).await, "/id").to_owned();
        self.tell("customers.erase_me", &[], json!({})).await;
        self.tell("customers.erase", &[&customer], json!({})).await;
        self.tell("customers.register", &[], sign_up).await;
        let change = json!({"phone": "+49 30 1234567", "consents": {"marketing_email": false}});
        self.tell("customers.change", &[], change).await;
        let home = tests::storefront::address();
        self.tell("customer_addresses.add", &[], json!({"address": home})).await;
        let mut work = home.clone();
        work["company"] = json!("Groß & Söhne");
        self.tell("customer_addresses.add", &[], json!({"address": work, "default": true})).await;
        work["lines"] = json!(["Am Hafen 2"]);
        self.tell("customer_addresses.set", &["2"], json!({"address": work})).await;
        self.tell("customer_addresses.prefer", &["1"], json!({})).await;
        self.tell("customer_addresses.remove", &["2"], json!({})).await;
        self.show("customer_addresses.list", &[], "").await;
        let claim = json!({"order": order, "signature": signature});
        self.tell("customer_orders.claim", &[], claim).await;
        self.show("customer_orders.list", &[], "").await;
        self.show("customer_orders.show", &[order], "").await;
        self.credited(order).await;
        self.show("merchant_orders.recipient", &[&part(order, 1)], "").await;
        self.show("customers.me", &[], "").await;
        self.show("customers.show", &[&customer], "").await;
        let staff = json!({"agreements": [{"name": "staff", "percent": "20", "category": "mugs"}]});
        self.tell("promotions.set_agreements", &[&customer], staff).await;
        self.show("promotions.agreements", &[&customer], "").await;
    }

    /// Orders on their way; answers one whose parts are delivered.
    async fn selling(&mut self, alma: &str, birch: &str) -> String {
        let lines = json!([line(alma, "mug", 3, "14.50"), line(birch, "novel", 1, "9.00")]);
        let promised = || order_body("A-1", lines.clone(), json!({"delivery": eur("4.90")}));
        let wrong = json!([{"method": "card", "amount": eur("1.00")}]);
        let odd = order_body("A-2", json!([line(alma, "mug", 1, "14.50")]), json!({"payments": wrong}));
        let odd = at(&self.tell("orders.place", &[], odd).await, "/id").to_owned();
        let why = json!({"reason": "the rest was paid in the shop"});
        self.tell("orders.resolve_exception", &[&odd], why).await;
        let gone = order_body("A-3", lines.clone(), json!({}));
        let gone = at(&self.tell("orders.place", &[], gone).await, "/id").to_owned();
        self.tell("orders.cancel", &[&gone], json!({"reason": "changed mind"})).await;

        let order = at(&self.tell("orders.place", &[], promised()).await, "/id").to_owned();
        self.tell("orders.pay", &[&order], json!({})).await;
        let (first, second) = (part(&order, 1), part(&order, 2));
        self.tell("merchant_orders.accept", &[&first], json!({"lines": [1]})).await;
        let units = json!([{"line": 1, "quantity": 1}]);
        let broken = json!({"lines": units, "reason": "one is broken"});
        self.tell("merchant_orders.reject", &[&first], broken).await;
        for (part, tracking) in [(&second, "T-2"), (&first, "T-1")] {
            let parcel = json!({"carrier": "dhl", "tracking_number": tracking});
            let view = self.tell("merchant_orders.ship", &[part], parcel).await;
            let shipment = at(&view, "/shipments/0/id").to_owned();
            self.tell("merchant_orders.track", &[part, &shipment], json!({"status": "delivered"})).await;
        }
        let refund = json!({"merchant_order": first, "lines": units, "reason": "a crack"});
        self.tell("orders.refund", &[&order], refund).await;
        self.show("orders.list", &[], "?channel=web&external_id=A-1").await;
        self.show("orders.show", &[&order], "").await;
        self.show("merchant_orders.list", &[], &format!("?merchant={alma}&limit=1")).await;
        self.show("merchant_orders.show", &[&first], "").await;
        order
    }

    /// What the bank does.
    async fn paying(&mut self, alma: &str, birch: &str) {
        self.show("balances.show", &[alma], "").await;
        self.shop.wait_days(5).await;
        let of_birch = self.show("payouts.list", &[], &format!("?merchant={birch}")).await;
        let failed = at(&of_birch, "/items/0/id").to_owned();
        self.tell("payouts.fail", &[&failed], json!({"reason": "the account is closed"})).await;
        let of_alma = self.show("payouts.list", &[], &format!("?merchant={alma}")).await;
        let paid = at(&of_alma, "/items/0/id").to_owned();
        self.show("payouts.show", &[&paid], "").await;
        self.show("payouts.lines", &[&paid], "").await;
        self.tell("payouts.confirm", &[&paid], json!({})).await;
        self.show("ledger.accounts", &[], "").await;
    }

    /// What can be subscribed to: seats by the month, and a mug every two weeks.
    async fn offering(&mut self, alma: &str) -> (String, String) {
        let studio = json!({
            "external_id": "studio", "name": "Studio", "currency": "EUR",
            "terms": {
                "interval": {"every": "month"}, "price": eur("19.00"), "included": 1,
                "tiers": [{"up_to": 4, "unit_price": eur("9.00")}, {"unit_price": eur("7.50")}],
                "trial_days": 7, "setup_fee": eur("5.00"), "proration": "second", "features": ["seats"],
            },
        });
        let studio = at(&self.tell("plans.publish", &[], studio).await, "/id").to_owned();
        self.show("plans.list", &[], "").await;
        self.show("plans.show", &[&studio], "").await;
        self.show("plans.versions", &[&studio], "").await;
        self.show("plans.offered", &[], "").await;
        let mugs = json!({
            "external_id": "mugs", "name": "A mug every two weeks", "currency": "EUR",
            "terms": {
                "interval": {"every": "week", "count": 2}, "price": eur("0.00"), "proration": "none",
                "goods": [{"merchant": alma, "sku": "mug", "quantity": 1}],
            },
        });
        let mugs = at(&self.shop.done("/v1/plans/publish", &mugs).await, "/id").to_owned();
        (studio, mugs)
    }

    /// A trial whose renewal fails once, and all that can be done to it after that.
    async fn subscribing(&mut self, alma: &str, customer: &str) {
        let (studio, mugs) = self.offering(alma).await;
        let start = |plan: &str, token: &str| {
            json!({
                "customer": customer, "plan": plan, "quantity": 2, "time_zone": "Europe/Berlin",
                "address": tests::storefront::address(), "payment": {"method": "card", "token": token},
            })
        };
        let issuer = json!({
            "name": "Souk Sample GmbH", "lines": ["Marktplatz 1", "10178 Berlin"], "country": "DE",
            "tax_id": "DE136695976",
        });
        self.tell("invoices.set_issuer", &[], issuer).await;
        self.show("invoices.issuer", &[], "").await;
        let started = start(&studio, "tok_away_fails_1_insufficient_funds");
        let id = at(&self.tell("subscriptions.start", &[], started).await, "/id").to_owned();
        self.show("subscriptions.list", &[], &format!("?customer={customer}")).await;
        self.show("subscriptions.upcoming", &[&id], "").await;
        self.shop.wait_days(7).await;
        let cases = self.show("dunning.list", &[], "").await;
        let invoice = at(&cases, "/items/0/invoice").to_owned();
        self.show("dunning.show", &[&invoice], "").await;
        self.tell("subscriptions.pay", &[&id], json!({})).await;
        self.show("dunning.figures", &[], "").await;
        self.show("subscriptions.show", &[&id], "").await;
        self.show("invoices.list", &[], &format!("?subscription={id}")).await;
        self.show("invoices.show", &[&invoice], "").await;
        self.show("invoices.pdf", &[&invoice], "").await;
        self.signed_for_ever("invoices.pdf");
        let days = format!("?customer={customer}&from_day=2026-03-01&to_day=2026-04-30");
        self.show("invoices.statement", &[], &days).await;
        let more = json!({"quantity": 5});
        let shown = self.tell("subscriptions.check", &[&id], json!({"change": more})).await;
        let change = json!({"quantity": 5, "as_of": shown["as_of"]});
        self.tell("subscriptions.change", &[&id], change).await;
        let mut office = tests::storefront::address();
        office["company"] = json!("Groß & Söhne");
        self.tell("subscriptions.set_address", &[&id], json!({"address": office})).await;
        let means = json!({"payment": {"method": "card", "token": "tok_approved"}});
        self.tell("subscriptions.set_payment_method", &[&id], means).await;
        self.tell("subscriptions.pause", &[&id], json!({"until": "2026-06-01T08:00:00Z"})).await;
        self.tell("subscriptions.resume", &[&id], json!({})).await;
        self.tell("subscriptions.cancel", &[&id], json!({"at": "period_end"})).await;
        self.show("entitlements.list", &[], &format!("?customer={customer}")).await;
        self.tell("subscriptions.uncancel", &[&id], json!({})).await;
        self.tell("plans.migrate", &[&studio], json!({})).await;
        let delivered = self.shop.done("/v1/subscriptions", &start(&mugs, "tok_approved")).await;
        let id = at(&delivered, "/id").to_owned();
        self.shop.settle().await;
        self.tell("subscriptions.skip", &[&id], json!({})).await;
        let day = at(&self.shop.get(&format!("/v1/subscriptions/{id}")).await, "/next_at").to_owned();
        let day: Timestamp = day.parse().expect("a moment");
        let later = json!({"at": (day + SignedDuration::from_hours(48)).to_string()});
        self.tell("subscriptions.deliver_on", &[&id], later).await;
        self.tell("plans.close", &[&mugs], json!({})).await;
    }

    /// Money that comes through a gateway: captured, and given back in three ways.
    async fn collecting(&mut self, alma: &str) {
        let tenders = [card("tok_refund_declined", 20_00)];
        let order = self.shop.bought("story", &[(alma, 2, 10_00)], &tenders).await;
        let payment = payment_id(&order, 1);
        self.shop.ship(&part(&order, 1), "story", json!([])).await;
        let back = json!({"amount": eur("5.00"), "reason": "a scratch", "cause": "claim-1"});
        self.tell("payments.refund", &[&payment], back).await;
        self.tell("payments.redirect_refund", &[&payment], json!({"refund": 1})).await;
        let arrived = json!({"payment": payment, "said": "arrive", "attempt": 1, "amount": eur("7.00")});
        self.tell("gateways.tell", &["sandbox"], arrived).await;
        let stray =
            json!({"amount": eur("7.00"), "reason": "paid twice", "to": "store_credit", "cause": "stray-1"});
        self.tell("payments.approve_refund", &[&payment], stray).await;
        self.show("payments.show", &[&payment], "").await;
        self.show("payments.list", &[], &format!("?order={order}")).await;
        let lost = [card("tok_unknown", 20_00)];
        let order = self.shop.cart_order("lost", &[(alma, 2, 10_00)]);
        let payment = payment_id(order.id.as_str(), 1);
        self.shop.begin_payments(&order.id, &lost).await;
        self.shop.wait_days(7).await;
        self.tell("payments.give_up", &[&payment], json!({"attempt": 1, "reason": "it never says"})).await;
    }
}

/// The story, told to its end.
pub(crate) async fn told() -> Story {
    let shop = Shop::open().await;
    let operations = operations(&shop.market);
    let mut story = Story { shop, operations, told: Examples::new() };
    let cedar = story.merchant("cedar").await;
    story.leaving(&cedar).await;
    let birch = story.merchant("birch").await;
    let alma = story.merchant("alma").await;
    story.show("merchants.list", &[], "?external_id=alma").await;
    story.show("merchants.show", &[&alma], "").await;
    story.opening(&alma).await;
    story.addressing().await;
    story.taxing().await;
    story.exchanging().await;
    story.stocking(&alma).await;
    story.delivering(&alma).await;
    story.discounting(&alma).await;
    let own = story.shopping(&alma).await;
    let guests = story.left_behind(&alma).await;
    story.wishing(&alma).await;
    let order = story.selling(&alma, &birch).await;
    story.show("audit.trail", &[&order], "?limit=2").await;
    story.paying(&alma, &birch).await;
    story.collecting(&alma).await;
    let ines = at(&story.shop.person("ines").get("/v1/customers/me").await.body, "/id").to_owned();
    story.subscribing(&alma, &ines).await;
    story.listening(&alma).await;
    story.showing(&alma).await;
    story.importing(&alma).await;
    story.reviewing(&alma, &guests).await;
    story.reviewing_own(&own).await;
    story.applying().await;
    story.joining().await;
    story.proving(&alma).await;
    story.tell("merchants.terminate", &[&cedar], json!({"reason": "parcels come late"})).await;
    story
}

/// What the story's requests and answers show.
pub(crate) async fn examples() -> Examples {
    counted(told().await.told)
}

/// How long a receiver took is not the same twice.
fn steady(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let one = |(name, value): (String, Value)| {
                let value = if name == "milliseconds" && value.is_u64() { json!(12) } else { steady(value) };
                (name, value)
            };
            Value::Object(members.into_iter().map(one).collect())
        }
        Value::Array(items) => items.into_iter().map(steady).collect(),
        other @ (Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_)) => other,
    }
}

/// The examples with counted ids in the place of those that chance gave or that count the calls of the SDK, and a
/// secret that opens nothing.
fn counted(mut told: Examples) -> Examples {
    // What is of one moment, or of one day, is listed in the order of chance.
    for (operation, field) in [("api_keys.list", "name"), ("payouts.lines", "items")] {
        if let Some(Value::Array(items)) =
            told.get_mut(operation).and_then(|list| list.answer.pointer_mut("/items"))
        {
            items.sort_by_cached_key(|item| item[field].to_string());
        }
    }
    let bodies = told.values().map(|example| json!([example.body, example.answer]).to_string());
    let text = bodies.collect::<String>();
    let replaced = |value: &Value| -> Value {
        let mut shown = value.to_string();
        let prefixes = [
            "mer_", "key_", "prd_", "off_", "mov_", "ovr_", "crt_", "ord_", "sub_", "wsh_", "whe_", "whd_",
            "ast_", "imp_", "rpt_", "prp_", "dup_", "sch_", "exp_", "test-", "msg_", "cus_",
        ];
        for (tail, number) in given(&text, &prefixes).iter().zip(1_u128..) {
            shown = shown.replace(tail, domain::id::MerchantId::from_bits(number).tail());
        }
        // The cloud's own ports have four digits and stay.
        for port in given(&text, &["http://127.0.0.1:"]).iter().filter(|port| port.len() == 5) {
            shown = shown.replace(&format!("http://127.0.0.1:{port}"), "https://hooks.example");
        }
        for code in given(&text, &["BACK-"]) {
            shown = shown.replace(&code, "0F3A5C7E9B1D");
        }
        let requests = given(&text, &["\"correlation\":\""]);
        for (request, number) in requests.iter().filter(|id| id.contains('-')).zip(1_u64..) {
            shown = shown.replace(request, &format!("00000000-0000-4000-8000-{number:012x}"));
        }
        steady(serde_json::from_str(&shown).expect("it is JSON still"))
    };
    let one = |(name, example): (String, Example)| {
        let mut answer = replaced(&example.answer);
        for (pointer, prefix) in [("/secret", "sk_"), ("/invitation/secret", "inv_")] {
            if let Some(secret) = answer.pointer_mut(pointer) {
                *secret = match secret.as_str() {
                    Some(text) if text.starts_with("whsec_") => format!("whsec_{}=", "A".repeat(43)).into(),
                    Some(_) | None => format!("{prefix}{}", "0".repeat(64)).into(),
                };
            }
        }
        if let Some(token) = answer.pointer_mut("/token") {
            let words = token.as_str().and_then(|token| token.rsplit_once('.')).unwrap_or_default().0;
            *token = format!("{words}.{}", "A".repeat(43)).into();
        }
        if let Some(time) = answer.pointer_mut("/tries/0/milliseconds") {
            *time = json!(12);
        }
        // A signature follows from an id that chance gave.
        for pointer in ["/order/page", "/page"] {
            if let Some(page) = answer.pointer_mut(pointer) {
                let link = page.as_str().unwrap_or_default();
                *page = format!("{}={}", link.split('=').next().unwrap_or_default(), "A".repeat(43)).into();
            }
        }
        let mut body = example.body.as_ref().map(replaced);
        for (pointer, shown) in
            [("/signature", "A".repeat(43)), ("/secret", format!("inv_{}", "0".repeat(64)))]
        {
            if let Some(secret) = body.as_mut().and_then(|body| body.pointer_mut(pointer)) {
                *secret = shown.into();
            }
        }
        (name, Example { body, answer, ..example })
    };
    told.into_iter().map(one).collect()
}

/// What follows the prefixes in a text, in the order of its first appearance.
fn given(text: &str, prefixes: &[&str]) -> Vec<String> {
    let mut given: Vec<String> = Vec::new();
    for prefix in prefixes {
        for (at, _) in text.match_indices(prefix) {
            // The end of another word, like that of `cut_off_hour`, is no prefix.
            if text[..at].ends_with(|c: char| c.is_ascii_alphanumeric() || c == '_') {
                continue;
            }
            let part = |c: &char| c.is_ascii_alphanumeric() || *c == '-';
            let tail: String = text[at + prefix.len()..].chars().take_while(part).collect();
            // A shorter one, like that of `off_topic`, is a word; a number is a port.
            let counts = tail.len() >= 8 || tail.bytes().all(|byte| byte.is_ascii_digit());
            if counts && !tail.is_empty() && !given.contains(&tail) {
                given.push(tail);
            }
        }
    }
    given
}

#[tokio::test]
async fn every_answer_is_one_that_the_contract_has() {
    let examples = examples().await;
    let operations = operations(&open().await);
    let contract = document(&operations, &Examples::new());
    let mut complaints = Vec::new();
    for (_, operation) in &operations {
        let Some(Example { body, status, answer }) = examples.get(operation.name) else { continue };
        let told = &contract["paths"][operation.path][operation.method.as_str().to_lowercase()];
        let named = |place: &Value| place["content"]["application/json"]["schema"].clone();
        let mut hold = |what: String, schema: Value, value: &Value| {
            let found = if schema.is_null() {
                vec!["the contract does not have it".to_owned()]
            } else {
                schema::complaints_within(&contract, &schema, value)
            };
            complaints.extend(found.into_iter().map(|found| format!("{} {what}: {found}", operation.name)));
        };
        hold(status.to_string(), named(&told["responses"][status.to_string()]), answer);
        if let Some(body) = body {
            hold("body".to_owned(), named(&told["requestBody"]), body);
        }
    }
    none(complaints, "the types of the handler say more or less than it answers: correct their schema");
    let untold = operations.iter().filter(|(_, operation)| !examples.contains_key(operation.name));
    none(untold.map(|(_, one)| format!("{} has no example", one.name)), "let the story ask for it");
}
