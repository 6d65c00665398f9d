//! The world of the tests: a marketplace whose clock stands still, and short words for what happens in it.
//!
//! The real functions, the real SDK clients, the embedded engine; nothing is stubbed and nothing sleeps.
//! A helper that expects success says what came instead.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its cause"
)]

pub mod paying;
pub mod picturing;
pub mod refusing;
pub mod reviewing;
pub mod storefront;
pub mod subscribing;

pub use refusing::assert_problem;

use admin::{Opening, open_marketplace};
use aws_sdk_dynamodb::types::AttributeValue;
use domain::Money;
use domain::commission::{Charge, Rule};
use domain::id::{
    ApiKeyId, AssetId, ImportId, MarketplaceId, MerchantId, OfferId, OrderId, ProductId, derive, sha256_hex,
};
use domain::marketplace::{Marketplace, Settings};
use domain::merchant::Iban;
use edge::links::{Link, Purpose};
use events::{Context, Envelope};
use http::Method;
use jiff::{SignedDuration, Timestamp};
use refusing::in_contract;
use rust_decimal::Decimal;
use serde_json::{Value, json};
use souk::Market;
use souk::api::{Answer, Api};
use souk::books::Books;
use souk::cloud::{Lags, Pace, Settled};
use souk::issuer::{AUDIENCE, ISSUER};
use souk::replay::Progress;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use table::access::{ApiKey, Issuer, Member};
use table::outbox::Entry;
use table::{Commit, Key, Record};

/// A Monday.
pub const START: &str = "2026-03-02T09:00:00Z";
/// The operator's API key.
pub const SECRET: &str = "sk_operator";
/// The storefront's publishable key: calls with it are a guest's.
pub const STOREFRONT: &str = "pk_shop";
/// The operator as a person: the subject of a development token.
pub const OPERATOR: &str = "operator";
/// Writes that an index does not show until all is quiet: no journey may rest on one.
const INDEX_LAG: usize = 1_000;
/// Days between delivery and the day an earning is payable.
pub const HOLD_DAYS: u16 = 3;

/// Functions that follow what happens beside its own way: the ledger's projection, messages to people and systems, what
/// becomes of carts and reviews. The bounds of an order's way do not count them; each has bounds of its own.
pub const BESIDE: [&str; 5] = ["abandoned-cart", "ledger", "notifications", "review-collection", "webhooks"];

/// Nobody watches a long run.
#[derive(Debug)]
pub struct Unwatched;

impl Progress for Unwatched {
    fn step(&self, _name: &str, _done: usize, _of: usize) {}
}

/// A marketplace in EUR that keeps 15 %, with an operator who has a key.
#[derive(Debug)]
pub struct Shop {
    pub market: Market,
    /// Calls with the operator's key.
    pub api: Api,
    asked: AtomicU64,
}

/// Everything in the table, by key.
pub type Contents = BTreeMap<(String, String), HashMap<String, AttributeValue>>;

/// A link's token with another letter in what is sealed.
pub fn forged(token: &str) -> String {
    let (words, sealed) = token.rsplit_once('.').expect("a token has dots");
    let other = if sealed.starts_with('A') { "B" } else { "A" };
    format!("{words}.{other}{}", &sealed[1..])
}

impl Shop {
    /// Opened, without merchants.
    pub async fn open() -> Self {
        let market = Market::in_memory(moment(START), Pace::Ordered).await.expect("the market opens");
        Self::open_in(market, HOLD_DAYS).await
    }

    /// The same in a market that is there already.
    pub async fn open_in(market: Market, hold_days: u16) -> Self {
        market.cloud.lag(Lags::Indexes, INDEX_LAG).expect("the tables can be read");
        let currency = "EUR".parse().unwrap();
        let charge = Charge::Percent(Decimal::from(15));
        let commission = vec![Rule { fee: "commission".parse().unwrap(), category: None, charge }];
        let settings = Settings {
            hold_days,
            commission,
            unpaid_days: 7,
            critical_balance: Money::new(50_00, currency),
            requirements: Vec::new(),
            storefront: None,
        };
        let (id, name) = (marketplace_id(), "Shop".parse().unwrap());
        let issuer = Issuer {
            issuer: ISSUER.to_owned(),
            audience: AUDIENCE.to_owned(),
            marketplace: id.clone(),
            jwks_uri: market.issuer.jwks_uri(),
        };
        let opening = Opening {
            marketplace: Marketplace {
                id,
                name,
                currency,
                locale: "en".to_owned(),
                settings,
                merchant_terms: Vec::new(),
            },
            issuer: Some(issuer),
            operators: vec![edge::identity::subject(ISSUER, OPERATOR)],
            keys: vec![
                ("operator".to_owned(), SECRET.to_owned()),
                ("storefront".to_owned(), STOREFRONT.to_owned()),
            ],
        };
        open_marketplace(&market.world, opening).await.expect("the marketplace opens");
        let shop = Self::in_market(market);
        shop.settle().await;
        shop
    }

    /// A market in which the marketplace is open.
    pub fn in_market(market: Market) -> Self {
        let api = Api::new(&market.cloud, SECRET);
        Self { market, api, asked: AtomicU64::new(0) }
    }

    /// What a reminder's link to a cart ends with, good for thirty days.
    pub async fn cart_link(&self, cart: &str) -> String {
        let until = self.market.world.now() + SignedDuration::from_hours(30 * 24);
        self.link(Purpose::Cart, cart, until).await
    }

    /// What a link of a message ends with.
    pub async fn link(&self, purpose: Purpose, about: &str, until: Timestamp) -> String {
        let link = Link { purpose, about: about.to_owned(), until };
        link.sign(&self.market.world, &marketplace_id()).await.expect("a link is signed")
    }

    pub fn calls_as(&self, bearer: impl Into<String>) -> Api {
        Api::new(&self.market.cloud, bearer)
    }

    /// An idempotency key that no other call has.
    pub fn fresh(&self) -> String {
        format!("test-{:032}", self.asked.fetch_add(1, Ordering::SeqCst))
    }

    /// Opens another marketplace beside this one; answers calls with its operator's key.
    pub async fn neighbor(&self) -> Api {
        let currency = "EUR".parse().unwrap();
        let (hold_days, commission) = (HOLD_DAYS, Vec::new());
        let settings = Settings { hold_days, commission, ..Settings::first(currency) };
        let (id, name) = (MarketplaceId::from_bits(derive(&["neighbor"])), "Neighbor".parse().unwrap());
        let marketplace =
            Marketplace { id, name, currency, locale: "en".to_owned(), settings, merchant_terms: Vec::new() };
        let keys = vec![("operator".to_owned(), "sk_neighbor".to_owned())];
        let opening = Opening { marketplace, issuer: None, operators: Vec::new(), keys };
        open_marketplace(&self.market.world, opening).await.expect("the neighbor opens");
        self.calls_as("sk_neighbor")
    }

    /// Calls as a guest of the storefront.
    pub fn guest(&self) -> Api {
        self.calls_as(STOREFRONT)
    }

    // Calls.

    /// What a path shows.
    pub async fn get(&self, path: &str) -> Value {
        let answer = self.api.get(path).await;
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.body
    }

    /// A request with a key of its own.
    pub async fn post(&self, path: &str, body: &Value) -> Answer {
        self.api.post(path, body, &self.fresh()).await
    }

    /// A request that goes well.
    pub async fn done(&self, path: &str, body: &Value) -> Value {
        let answer = self.post(path, body).await;
        assert!(answer.status.is_success(), "POST {path} {body}: {} {}", answer.status, answer.body);
        assert!(in_contract(&answer.asked, answer.status.as_u16()), "POST {path}: {}", answer.status);
        answer.body
    }

    /// A request that is refused, and writes nothing but the record of that.
    pub async fn refused(&self, path: &str, body: &Value, status: u16, code: &str) -> Answer {
        let before = self.contents().await;
        let answer = self.post(path, body).await;
        assert_problem(&answer, status, code);
        let mut after = self.contents().await;
        let kept = AttributeValue::S(table::audit::KIND.to_owned());
        after.retain(|key, item| before.contains_key(key) || item["kind"] != kept);
        assert!(after == before, "POST {path} {body} was refused and wrote something");
        answer
    }

    // Merchants.

    /// A merchant that sells and is paid by `schedule`; answers its id.
    pub async fn merchant(&self, name: &str, schedule: Value) -> String {
        let id = self.merchant_without_account(name, schedule).await;
        self.give_account(&id, name).await;
        id
    }

    /// The same without a payout account.
    pub async fn merchant_without_account(&self, name: &str, schedule: Value) -> String {
        let body = json!({"name": name, "external_id": name, "schedule": schedule});
        let id = at(&self.done("/v1/merchants", &body).await, "/id").to_owned();
        self.done(&format!("/v1/merchants/{id}/approve"), &json!({})).await;
        id
    }

    /// Gives a merchant an active account.
    pub async fn give_account(&self, id: &str, holder: &str) {
        let account = json!({"holder": holder, "iban": iban(holder)});
        self.done(&format!("/v1/merchants/{id}/set-payout-account"), &account).await;
        self.done(&format!("/v1/merchants/{id}/activate-payout-account"), &json!({})).await;
    }

    // Goods.

    /// A merchant's offer of a product of its own; answers the offer's id.
    pub async fn offer(&self, merchant: &str, sku: &str, price: &str) -> String {
        let product = json!({"merchant": merchant, "title": sku, "variants": [{}]});
        let product = at(&self.done("/v1/products", &product).await, "/id").to_owned();
        let price = json!({"amount": price, "currency": "EUR"});
        let offer = json!({"merchant": merchant, "product": product, "sku": sku, "price": price});
        at(&self.done("/v1/offers", &offer).await, "/id").to_owned()
    }

    /// The same with so many units at `main`.
    pub async fn stocked(&self, merchant: &str, sku: &str, quantity: i64) -> String {
        let offer = self.offer(merchant, sku, "10.00").await;
        self.done(&format!("/v1/stock/{offer}/receive"), &json!({"quantity": quantity})).await;
        self.settle().await;
        offer
    }

    /// On hand, allocated and available units of an offer, over all locations.
    pub async fn stock(&self, offer: &str) -> (i64, i64, i64) {
        let view = self.get(&format!("/v1/stock/{offer}")).await;
        let locations = view["locations"].as_array().unwrap();
        let sum = |name: &str| locations.iter().map(|place| place[name].as_i64().unwrap()).sum();
        (sum("on_hand"), sum("allocated"), sum("available"))
    }

    // Orders.

    /// Places an order of the channel `web`; nothing has followed from it yet.
    pub async fn place(&self, external_id: &str, lines: Value, more: Value) -> Value {
        self.done("/v1/orders", &order_body(external_id, lines, more)).await
    }

    /// An order that is placed, split and paid as it should; answers its id.
    pub async fn paid_order(&self, external_id: &str, lines: Value) -> String {
        let order = at(&self.place(external_id, lines, json!({})).await, "/id").to_owned();
        self.settle().await;
        self.pay(&order).await;
        order
    }

    /// Confirms the promised payments.
    pub async fn pay(&self, order: &str) {
        self.done(&format!("/v1/orders/{order}/pay"), &json!({})).await;
        self.settle().await;
    }

    pub async fn order(&self, order: &str) -> Value {
        self.get(&format!("/v1/orders/{order}")).await
    }

    pub async fn merchant_order(&self, part: &str) -> Value {
        self.get(&format!("/v1/merchant-orders/{part}")).await
    }

    /// Ships units (an empty list: all that are left) and answers the shipment's id.
    pub async fn ship(&self, part: &str, tracking: &str, lines: Value) -> String {
        let body = json!({"carrier": "dhl", "tracking_number": tracking, "lines": lines});
        let view = self.done(&format!("/v1/merchant-orders/{part}/ship"), &body).await;
        let shipments = view["shipments"].as_array().unwrap();
        let shipment = shipments.iter().find(|shipment| shipment["tracking_number"] == tracking).unwrap();
        self.settle().await;
        at(shipment, "/id").to_owned()
    }

    pub async fn deliver(&self, part: &str, shipment: &str) {
        let path = format!("/v1/merchant-orders/{part}/shipments/{shipment}/track");
        self.done(&path, &json!({"status": "delivered"})).await;
        self.settle().await;
    }

    /// Ships and delivers all that is left of a merchant order.
    pub async fn fulfill(&self, part: &str) {
        let shipment = self.ship(part, &format!("all-{part}"), json!([])).await;
        self.deliver(part, &shipment).await;
    }

    /// A paid order whose every part is delivered.
    pub async fn delivered_order(&self, external_id: &str, lines: Value) -> String {
        let order = self.paid_order(external_id, lines).await;
        let view = self.order(&order).await;
        for part in view["merchant_orders"].as_array().unwrap() {
            self.fulfill(at(part, "/id")).await;
        }
        order
    }

    // Money.

    /// A merchant's payouts, newest first.
    pub async fn payouts(&self, merchant: &str) -> Vec<Value> {
        let list = self.get(&format!("/v1/payouts?merchant={merchant}")).await;
        list["items"].as_array().unwrap().clone()
    }

    /// What a merchant may be paid with the next run, and what is still held.
    pub async fn balance(&self, merchant: &str) -> (String, String) {
        let balance = self.get(&format!("/v1/balances/{merchant}")).await;
        (eur_at(&balance, "/payable"), eur_at(&balance, "/pending"))
    }

    /// The marketplace's accounts that do not stand at zero: debits − credits.
    pub async fn accounts(&self) -> BTreeMap<String, String> {
        let list = self.get("/v1/ledger/accounts").await;
        let items = list["items"].as_array().unwrap().iter();
        let named = items.map(|item| (at(item, "/account").to_owned(), at(item, "/balance").to_owned()));
        named.filter(|(_, balance)| balance != "0.00").collect()
    }

    /// The ledger agrees with its sources.
    pub async fn books_are_right(&self) {
        let books = Books::check(&self.market).await.expect("the books can be read");
        assert_eq!(books.faults, Vec::<String>::new());
        assert!(books.outbox_items > 0);
    }

    // Time.

    /// Delivers everything, and nothing fails.
    pub async fn settle(&self) {
        let settled = self.market.cloud.settle().await.expect("the cloud settles");
        assert_quiet(settled);
    }

    /// Moves the clock on through every schedule, and nothing fails.
    pub async fn wait_until(&self, at: &str) {
        let missing = moment(at).duration_since(self.market.clock.now());
        assert!(!missing.is_negative(), "{at} is past");
        assert_quiet(self.market.cloud.advance(missing).await.expect("the clock moves"));
    }

    /// The same by so many days.
    pub async fn wait_days(&self, days: i64) {
        let by = SignedDuration::from_hours(24 * days);
        assert_quiet(self.market.cloud.advance(by).await.expect("the clock moves"));
    }

    /// The same by so many minutes.
    pub async fn wait_minutes(&self, minutes: i64) {
        let by = SignedDuration::from_mins(minutes);
        assert_quiet(self.market.cloud.advance(by).await.expect("the clock moves"));
    }

    // What was told and kept.

    /// The story of an order with its parts, of a product with its sheet, of an asset with its name, of an offer, of an
    /// import, or of a merchant with payouts.
    pub async fn story(&self, id: &str) -> Vec<Entry> {
        let m = marketplace_id();
        let order = |id: OrderId| Key::order(&m, &id);
        let product = |id: ProductId| Key::product(&m, &id);
        let asset = |id: AssetId| Key::asset(&m, &id);
        let import = |id: ImportId| Key::import(&m, &id);
        let offer = |id: OfferId| Key::offer(&m, &id);
        let known = id.parse().map(order).or_else(|_| id.parse().map(product));
        let known = known.or_else(|_| id.parse().map(asset)).or_else(|_| id.parse().map(offer));
        let key = known.or_else(|_| id.parse().map(import)).unwrap_or_else(|_| {
            let merchant: MerchantId = id.parse().expect("an id of something that has a story");
            Key::merchant(&m, &merchant)
        });
        let page = self.market.world.table.story(&key, 500, None).await.expect("the story can be read");
        assert_eq!(page.next, None, "a story fits a page");
        page.items
    }

    /// The events of that story: parts first, each subject's in order.
    pub async fn events(&self, id: &str) -> Vec<Envelope> {
        self.story(id).await.iter().flat_map(Entry::envelopes).collect()
    }

    /// The names of those events.
    pub async fn told(&self, id: &str) -> Vec<String> {
        self.events(id).await.into_iter().map(|event| event.name).collect()
    }

    /// Every item of the table.
    pub async fn contents(&self) -> Contents {
        let client = aws_sdk_dynamodb::Client::new(&self.market.cloud.sdk_config("test"));
        let name = self.market.world.variable("TABLE").unwrap();
        let mut contents = Contents::new();
        let mut start = None;
        loop {
            let page = client.scan().table_name(name).set_exclusive_start_key(start).send().await.unwrap();
            for item in page.items.unwrap_or_default() {
                let key = |name: &str| item[name].as_s().unwrap().clone();
                contents.insert((key("PK"), key("SK")), item);
            }
            start = page.last_evaluated_key;
            if start.is_none() {
                return contents;
            }
        }
    }

    /// What may be forgotten by now is gone, as the table's TTL has it.
    pub async fn forgets(&self) {
        let client = aws_sdk_dynamodb::Client::new(&self.market.cloud.sdk_config("test"));
        let name = self.market.world.variable("TABLE").unwrap();
        let now = self.market.clock.now().as_second();
        for ((pk, sk), item) in self.contents().await {
            let expires = item.get("expires").map(|at| at.as_n().unwrap().parse::<i64>().unwrap());
            if expires.is_some_and(|at| at < now) {
                let key = |name: &str| item[name].clone();
                let delete = client.delete_item().table_name(name).key("PK", key("PK")).key("SK", key("SK"));
                delete.send().await.unwrap_or_else(|error| panic!("{pk} {sk} stays: {error}"));
            }
        }
    }

    /// Puts a record into the table as an operator's command would.
    pub async fn keep<R: Record>(&self, record: &R) {
        let at = self.market.clock.now();
        let word = || "test".to_owned();
        let context = Context { at, actor: word(), cause: word(), correlation: word() };
        let m = marketplace_id();
        let commit = Commit::new(&m, &context).add(record, "it is there already");
        commit.send(&self.market.world.table).await.expect("the record is kept");
    }

    // People and systems.

    /// A person's role in a merchant; the person may have several.
    pub async fn member(&self, sub: &str, merchant: &str, scopes: &[&str]) {
        let (subject, merchant) = (edge::identity::subject(ISSUER, sub), merchant.parse().unwrap());
        self.keep(&Member { subject, merchant, scopes: owned(scopes) }).await;
    }

    /// A system's key.
    pub async fn key(&self, secret: &str, scopes: &[&str], merchant: Option<&str>) -> ApiKey {
        let key = ApiKey {
            id: ApiKeyId::from_bits(derive(&["key", secret])),
            digest: sha256_hex(secret.as_bytes()),
            marketplace: marketplace_id(),
            name: secret.to_owned(),
            scopes: owned(scopes),
            merchant: merchant.map(|id| id.parse().unwrap()),
            publishable: secret.starts_with("pk_"),
            revoked_at: None,
        };
        self.keep(&key).await;
        key
    }

    /// Calls as a person with a good token.
    pub fn person(&self, sub: &str) -> Api {
        let token = self.market.issuer.token(sub, SignedDuration::from_hours(1)).unwrap();
        self.calls_as(token)
    }
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub fn marketplace_id() -> MarketplaceId {
    MarketplaceId::from_bits(derive(&["shop"]))
}

pub fn moment(text: &str) -> Timestamp {
    text.parse().expect("a moment")
}

/// An account number that follows from a name.
pub fn iban(name: &str) -> Iban {
    let digits = derive(&["iban", name]) % 10_u128.pow(18);
    Iban::of("DE", &format!("{digits:018}")).unwrap()
}

pub fn eur(amount: &str) -> Value {
    json!({"amount": amount, "currency": "EUR"})
}

/// A line of an order.
pub fn line(merchant: &str, sku: &str, quantity: u32, unit_price: &str) -> Value {
    json!({"merchant": merchant, "sku": sku, "quantity": quantity, "unit_price": eur(unit_price)})
}

/// The body of an order of the channel `web`; `more` adds fields.
pub fn order_body(external_id: &str, lines: Value, more: Value) -> Value {
    let mut body = json!({"channel": "web", "external_id": external_id, "lines": lines});
    let more = more.as_object().cloned().unwrap_or_default();
    body.as_object_mut().unwrap().extend(more);
    body
}

/// What a merchant in Berlin may set for delivery: by weight at home, flat by express, nothing to California, by value
/// to the rest of the world. Closed on the first Friday of the tests.
pub fn delivery_rates() -> Value {
    let by_weight = |bands: &[(u64, &str)]| -> Value {
        let band = |(grams, price): &(u64, &str)| json!({"up_to_grams": grams, "price": eur(price)});
        json!({"by_weight": bands.iter().map(band).collect::<Vec<_>>()})
    };
    let by_value = json!([
        {"up_to": eur("100.00"), "price": eur("25.00")},
        {"up_to": eur("1000.00"), "price": eur("60.00")},
    ]);
    json!({
        "calendar": {
            "time_zone": "Europe/Berlin",
            "working_days": [1, 2, 3, 4, 5],
            "closed": ["2026-03-06"],
            "cut_off_hour": 14,
            "handling_days": 1,
        },
        "zones": [
            {
                "name": "germany",
                "areas": [{"country": "DE"}],
                "rates": [
                    {
                        "service": "standard",
                        "price": by_weight(&[(2_000, "4.90"), (10_000, "9.90")]),
                        "free_from": eur("50.00"),
                        "transit_days": [1, 3],
                    },
                    {"service": "express", "price": {"flat": eur("12.00")}, "transit_days": [1, 1]},
                ],
            },
            {
                "name": "islands",
                "areas": [{"country": "DE", "postal": "25938"}, {"country": "DE", "postal": "26548"}],
                "rates": [
                    {"service": "standard", "price": by_weight(&[(2_000, "14.90")]), "transit_days": [3, 6]},
                ],
            },
            {"name": "california", "areas": [{"country": "US", "region": "CA"}], "rates": []},
            {
                "name": "world",
                "areas": [{}],
                "rates": [{"service": "standard", "price": {"by_value": by_value}, "transit_days": [5, 15]}],
            },
        ],
    })
}

/// The id that a part of an order has.
pub fn part(order: &str, number: u8) -> String {
    domain::id::MerchantOrderId::of(&order.parse().unwrap(), number).to_string()
}

/// A text in a body, by JSON pointer.
pub fn at<'a>(body: &'a Value, pointer: &str) -> &'a str {
    let found = body.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("no text at {pointer} in {body}"))
}

/// An amount in a body; it is in EUR.
pub fn eur_at(body: &Value, pointer: &str) -> String {
    assert_eq!(at(body, &format!("{pointer}/currency")), "EUR");
    at(body, &format!("{pointer}/amount")).to_owned()
}

/// An SQS batch as Lambda hands it over; the bodies are the messages' texts.
pub fn batch(bodies: &[String]) -> Value {
    let record = |(n, body): (usize, &String)| {
        json!({
            "messageId": format!("message-{n}"),
            "receiptHandle": format!("receipt-{n}"),
            "body": body,
            "attributes": {},
            "messageAttributes": {},
            "eventSource": "aws:sqs",
            "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:test",
            "awsRegion": "us-east-1",
        })
    };
    json!({"Records": bodies.iter().enumerate().map(record).collect::<Vec<_>>()})
}

/// Sends a text as it is, with the operator's key and a fresh idempotency key.
pub async fn send_text(shop: &Shop, method: Method, path: &str, body: &str) -> Answer {
    shop.api.send(method, path, Some(body.to_owned()), &shop.fresh()).await
}

fn assert_quiet(settled: Settled) {
    let Settled { failures, waiting, dead, stuck_streams, .. } = settled;
    assert_eq!((failures, waiting, dead, stuck_streams), (0, 0, 0, 0), "{settled:?}");
}
