//! Who may what: every operation of the tables of routes, asked by nobody, by strangers, by neighbors and by owners.
//!
//! The requests are made of the contract: paths with things that are there, bodies with the least that a schema takes.
//! So a new operation is proven by itself; one about a new kind of thing needs a line in `Things::of`. What is of
//! customers stands in `customers`.

use crate::examples::Examples;
use crate::files::none;
use crate::openapi::{document, operations};
use edge::identity::SCOPES;
use edge::routes::{Audience, Operation};
use http::{Method, Request};
use jiff::SignedDuration;
use serde_json::{Value, json};
use souk::api::Api;
use std::collections::BTreeSet;
use tests::paying::{card, payment_id};
use tests::{Shop, at, line, part};

mod customers;

/// A shop with one of everything, all of one merchant, and the requests that the contract allows.
struct Bazaar {
    shop: Shop,
    operations: Vec<Operation>,
    contract: Value,
    things: Things,
}

/// What the requests are about.
#[derive(Clone)]
struct Things {
    merchant: String,
    order: String,
    shipment: String,
    payout: String,
    api_key: String,
    product: String,
    offer: String,
    granted: String,
    cart: String,
    /// That a reminder would bring.
    link: String,
    wish_list: String,
    /// A link to it.
    shared: String,
    /// That was sent about an order.
    message: String,
    /// The link of a message that nobody wants more of, forged.
    way_out: String,
    payment: String,
    review: String,
    /// Of the merchant's.
    proposal: String,
    /// That a message would bring.
    review_link: String,
    customer: String,
    /// A customer that nobody erases.
    agreed: String,
    /// A part that goes to somebody.
    addressed: String,
    plan: String,
    subscription: String,
    /// A renewal that could not be collected.
    unpaid: String,
    /// A merchant's, with a message.
    endpoint: String,
    delivery: String,
    /// Of alma's product.
    scheduled: String,
    /// Of alma's offers.
    export: String,
    /// Of two products.
    duplicate: String,
    /// A merchant's, whose file is waited for.
    asset: String,
    /// The same of a catalog.
    import: String,
    /// A merchant that somebody is invited to.
    inviting: String,
    /// What is said beside the least, in the query or the body, by operation.
    said: Value,
}

impl Things {
    /// What stands for a variable of a path.
    fn of(&self, path: &str, variable: &str) -> String {
        let noun = path.split('/').nth(2).unwrap_or_default();
        match (noun, variable) {
            (_, "shipment") => self.shipment.clone(),
            ("merchants", "id") if path.ends_with("/accept-invitation") => self.inviting.clone(),
            (_, "merchant") | ("merchants", "id") => self.merchant.clone(),
            ("orders" | "audit", "id") => self.order.clone(),
            ("merchant-orders", "id") if path.ends_with("/recipient") => self.addressed.clone(),
            ("customers", "id") if path.contains("/me/") => self.order.clone(),
            ("promotions", "customer") => self.agreed.clone(),
            ("customers", "id") => self.customer.clone(),
            ("customers", "address") => "1".to_owned(),
            ("merchant-orders", "id") => part(&self.order, 1),
            ("payments", "id") => self.payment.clone(),
            ("gateways", "gateway") => "sandbox".to_owned(),
            ("payouts", "id") => self.payout.clone(),
            ("dead-letters", "queue") => "orders".to_owned(),
            ("wish-lists", "id") => self.wish_list.clone(),
            ("shared-wish-lists", "token") => self.shared.clone(),
            ("stock-alerts", "offer") => self.offer.clone(),
            ("messages", "message") => self.message.clone(),
            ("message-templates", "kind") => "order_confirmed".to_owned(),
            ("message-templates", "locale") => "en".to_owned(),
            ("unsubscribe", "token") => self.way_out.clone(),
            ("cart-links", "token") => self.link.clone(),
            ("carts", "id") | ("checkouts", "cart") => self.cart.clone(),
            ("reviews", "id") => self.review.clone(),
            ("review-links", "token") => self.review_link.clone(),
            ("ratings", "id") if path.contains("/products/") => self.product.clone(),
            ("ratings", "id") => self.merchant.clone(),
            ("order-pages", "order") => self.order.clone(),
            ("overrides", "id") => self.granted.clone(),
            ("categories", "handle") => "mugs".to_owned(),
            ("proposals", "id") => self.proposal.clone(),
            ("attributes", "code") => "color".to_owned(),
            ("scheduled-changes", "id") => self.scheduled.clone(),
            ("exports", "id") => self.export.clone(),
            ("duplicates", "id") => self.duplicate.clone(),
            ("families", "code") => "mug".to_owned(),
            ("collections" | "shop", "code") => "spring".to_owned(),
            ("sales-channels", "code") => "web".to_owned(),
            ("tax" | "addresses", "country") => "DE".to_owned(),
            ("products" | "shop", "id") => self.product.clone(),
            ("offers", "id") | ("stock", "offer") => self.offer.clone(),
            ("api-keys", "id") => self.api_key.clone(),
            ("assets", "id") => self.asset.clone(),
            ("imports", "id") => self.import.clone(),
            ("import-profiles", "code") => "shop_export".to_owned(),
            ("webhook-endpoints", "id") => self.endpoint.clone(),
            ("webhook-deliveries", "id") => self.delivery.clone(),
            ("plans", "id") => self.plan.clone(),
            ("subscriptions", "id") => self.subscription.clone(),
            ("dunning", "invoice") | ("invoices", "id") => self.unpaid.clone(),
            _ => panic!("{path}: tests/contract/permissions.rs has no thing for {{{variable}}}"),
        }
    }
}

struct Asked {
    status: u16,
    body: Value,
}

/// A cart of whoever calls, in which nothing is missing but the payment of 14.90.
async fn filled(shopper: &Api, merchant: &str, offer: &str) -> String {
    let cart = shopper.post("/v1/carts", &json!({"country": "DE"}), "").await.text("/id").to_owned();
    let edit = json!({
        "add": [{"offer": offer, "quantity": 1}],
        "contact": tests::storefront::contact(),
        "address": tests::storefront::address(),
    });
    shopper.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
    let edit = json!({"delivery": [{"merchant": merchant, "service": "standard"}]});
    shopper.post(&format!("/v1/carts/{cart}/edit"), &edit, "").await.ok().unwrap();
    cart
}

/// The order that it becomes.
async fn ordered(shop: &Shop, shopper: &Api, cart: &str) -> String {
    let paid = tests::storefront::by_card("14.90", "tok_approved");
    let paid = shopper.post(&format!("/v1/checkouts/{cart}/pay"), &paid, "").await.ok().unwrap();
    shop.settle().await;
    at(&paid, "/order/id").to_owned()
}

/// What somebody says of himself who signs up.
fn sign_up(sub: &str) -> Value {
    json!({"name": format!("{sub} Groß"), "email": format!("{sub}@post.example")})
}

/// The account of a person.
async fn signed_up(shop: &Shop, sub: &str) -> String {
    shop.person(sub).post("/v1/customers/me", &sign_up(sub), "").await.text("/id").to_owned()
}

/// Who proves nothing is nobody; a link that is forged leads nowhere.
fn unproven(operation: &Operation) -> u16 {
    if operation.name == "messages.unsubscribe" { 404 } else { 401 }
}

/// A plan, who has subscribed to it without anything to pay with, and the renewal that failed for that.
async fn subscribed(shop: &Shop, customer: &str) -> (String, String, String) {
    let mut terms = tests::subscribing::terms("10.00");
    terms["trial_days"] = json!(1);
    let plan = at(&tests::subscribing::publish(shop, "ten", terms).await, "/id").to_owned();
    let start = json!({"customer": customer, "plan": plan, "address": tests::subscribing::address()});
    let subscription = at(&shop.done("/v1/subscriptions", &start).await, "/id").to_owned();
    shop.wait_days(2).await;
    let invoice = at(&shop.get("/v1/dunning").await, "/items/0/invoice").to_owned();
    let issuer = json!({"name": "Corner", "lines": ["Uferstraße 12"], "country": "DE"});
    shop.done("/v1/invoices/set-issuer", &issuer).await;
    (plan, subscription, invoice)
}

/// A product says something, so that there is a sheet to be seen before it changes.
/// Answers a proposal that waits for a person.
async fn described(shop: &Shop, merchant: &str, product: &str) -> String {
    let channel = json!({"locales": ["en"], "currency": "EUR"});
    shop.done("/v1/sales-channels/web/set", &channel).await;
    let color = json!({"kind": {"is": "text", "max": 40}});
    shop.done("/v1/attributes/color/set", &color).await;
    shop.done("/v1/families/mug/set", &json!({"attributes": {"color": {}}})).await;
    let says = json!({"values": {"color": [{"data": "sand"}]}}).to_string();
    let path = format!("/v1/products/{product}/sheet");
    let said = shop.api.send_with(Method::PATCH, &path, &says, &[("if-match", "*")]).await;
    assert_eq!(said.status, 200, "{}", said.body);
    let spring = json!({"members": {"by": "hand", "products": [product]}, "order": "chosen"});
    shop.done("/v1/collections/spring/set", &spring).await;
    let proposal = json!({"merchant": merchant, "says": {"family": "mug"}});
    at(&shop.done(&format!("/v1/products/{product}/proposals"), &proposal).await, "/id").to_owned()
}

/// A merchant's endpoint, at which nobody is, and a message to it.
async fn listening(shop: &Shop, merchant: &str) -> (String, String) {
    let endpoint = json!({"merchant": merchant, "address": "http://127.0.0.1:1/", "events": ["payout.*"]});
    let endpoint = at(&shop.done("/v1/webhook-endpoints", &endpoint).await, "/id").to_owned();
    let trial = shop.done(&format!("/v1/webhook-endpoints/{endpoint}/test"), &json!({})).await;
    shop.settle().await;
    (endpoint, at(&trial, "/id").to_owned())
}

impl Bazaar {
    async fn open() -> Self {
        let shop = Shop::open().await;
        let operations = operations(&shop.market);
        let contract = document(&operations, &Examples::new());
        let operations = operations.into_iter().map(|(_, operation)| operation).collect();
        let merchant = shop.merchant("alma", json!({"every": "day"})).await;
        let order = shop.delivered_order("A-1", json!([line(&merchant, "mug", 2, "10.00")])).await;
        shop.wait_days(5).await;
        let payout = at(&shop.payouts(&merchant).await[0], "/id").to_owned();
        let shipment = at(&shop.merchant_order(&part(&order, 1)).await, "/shipments/0/id").to_owned();
        let api_key = shop.done("/v1/api-keys", &json!({"name": "spare", "scopes": []})).await;
        let api_key = at(&api_key, "/id").to_owned();
        shop.done("/v1/categories", &json!({"handle": "mugs", "name": "Mugs"})).await;
        shop.done("/v1/tax/rates/DE/set", &json!({"rates": []})).await;
        // Named like the least text that a body takes.
        shop.done("/v1/promotions/set-code", &json!({"name": "x", "percent": "10"})).await;
        let offer = shop.stocked(&merchant, "mug", 5).await;
        shop.done(&format!("/v1/delivery/{merchant}/set"), &tests::delivery_rates()).await;
        let product = at(&shop.get(&format!("/v1/offers/{offer}")).await, "/product").to_owned();
        let proposal = described(&shop, &merchant, &product).await;
        let granted = json!({"policy": "merchant_not_open", "subject": merchant, "reason": "a trial",
            "evidence": "by telephone", "expires_at": "2026-04-01T00:00:00Z"});
        let granted = at(&shop.done("/v1/overrides", &granted).await, "/id").to_owned();
        let cart = shop.guest().post("/v1/carts", &json!({"country": "DE"}), "").await;
        let cart = cart.text("/id").to_owned();
        let link = shop.cart_link(&cart).await;
        let guest = shop.guest();
        let wish_list =
            guest.post("/v1/wish-lists", &json!({"name": "Wishes"}), "").await.text("/id").to_owned();
        let shared = guest.post(&format!("/v1/wish-lists/{wish_list}/share"), &json!({}), "").await;
        let shared = shared.text("/token").to_owned();
        let (digest, until) = (domain::id::sha256_hex(b"omar@post.example"), shop.market.world.now());
        let until = until + SignedDuration::from_hours(24 * 365);
        let way_out = shop.link(edge::links::Purpose::WishList, &digest, until).await;
        let bought = shop.bought("c1", &[(&merchant, 1, 10_00)], &[card("tok_approved", 10_00)]).await;
        let payment = payment_id(&bought, 1);
        let customer = signed_up(&shop, "ines").await;
        let agreed = signed_up(&shop, "omar").await;
        let guests = filled(&guest, &merchant, &offer).await;
        let addressed = part(&ordered(&shop, &guest, &guests).await, 1);
        let review = tests::reviewing::review_id(&order, 1);
        assert_eq!(shop.review(&review, 4, "").await.status, 201);
        let review_link = shop.review_link(&review).await;
        let message = at(&shop.get("/v1/messages").await, "/items/0/id").to_owned();
        let (plan, subscription, unpaid) = subscribed(&shop, &agreed).await;
        let (endpoint, delivery) = listening(&shop, &merchant).await;
        let asset =
            json!({"merchant": merchant, "name": "mug.png", "content_type": "image/png", "length": 9});
        let asset = at(&shop.done("/v1/assets", &asset).await, "/id").to_owned();
        for title in ["Mug", "Cup"] {
            let gtin = json!({"merchant": merchant, "title": title, "variants": [{"gtin": "4006381333931"}]});
            shop.done("/v1/products", &gtin).await;
        }
        shop.settle().await;
        let duplicate = at(&shop.get("/v1/duplicates").await, "/items/0/id").to_owned();
        let change = json!({"values": {"color": [{"data": "slate"}]}});
        let due = (shop.market.world.now() + SignedDuration::from_hours(24 * 365)).to_string();
        let change = json!({"product": product, "due": due, "says": change});
        let scheduled = at(&shop.done("/v1/scheduled-changes", &change).await, "/id").to_owned();
        let import = json!({
            "merchant": merchant, "name": "mugs.csv", "profile": "shop_export", "format": "csv", "bytes": 9,
        });
        let profile = json!({"mappings": [{"from": {"column": "id"}, "to": {"field": "external_id"}}]});
        shop.done("/v1/import-profiles/shop_export/set", &profile).await;
        let import = at(&shop.done("/v1/imports", &import).await, "/id").to_owned();
        let export = json!({"merchant": merchant, "channel": "web", "locale": "en", "format": "csv"});
        let export = at(&shop.done("/v1/exports", &export).await, "/id").to_owned();
        let things = Things {
            inviting: merchant.clone(),
            said: json!({}),
            merchant,
            order,
            shipment,
            payout,
            api_key,
            product,
            offer,
            granted,
            cart,
            link,
            wish_list,
            shared,
            message,
            way_out,
            payment,
            review,
            proposal,
            scheduled,
            export,
            duplicate,
            review_link,
            customer,
            agreed,
            addressed,
            plan,
            subscription,
            unpaid,
            endpoint,
            delivery,
            asset,
            import,
        };
        Self { shop, operations, contract, things }
    }

    fn told(&self, operation: &Operation) -> &Value {
        &self.contract["paths"][operation.path][operation.method.as_str().to_lowercase()]
    }

    /// The operation's path, about the things; with `merchant` in the query where the operation asks whose, and
    /// `country` where it asks where to.
    fn path(&self, operation: &Operation) -> String {
        let mut path = operation.path.to_owned();
        while let Some((before, rest)) = path.split_once('{') {
            let (variable, after) = rest.split_once('}').expect("a variable ends");
            path = format!("{before}{}{after}", self.things.of(operation.path, variable));
        }
        let parameters = self.told(operation)["parameters"].as_array().expect("there are parameters");
        let asks = |name: &str| parameters.iter().any(|one| one["in"] == "query" && one["name"] == name);
        let given = [("merchant", self.things.merchant.as_str()), ("country", "DE")].into_iter();
        let given = given.filter(|(name, _)| asks(name));
        let said = self.things.said[operation.name].as_object().into_iter().flatten();
        let said = said.filter(|(name, _)| asks(name));
        let given =
            given.chain(said.map(|(name, value)| (name.as_str(), value.as_str().unwrap_or_default())));
        match given.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().as_slice() {
            [] => path,
            given => format!("{path}?{}", given.join("&")),
        }
    }

    /// The least that a schema takes.
    fn least(&self, schema: &Value) -> Value {
        if let Some(name) = schema["$ref"].as_str() {
            let found = self.contract.pointer(name.trim_start_matches('#'));
            return self.least(found.expect("a reference leads somewhere"));
        }
        let first = |name: &str| schema[name].as_array().and_then(|all| all.first());
        if let Some(one) = first("oneOf").or_else(|| first("anyOf")) {
            return self.least(one);
        }
        if let Some(value) = schema.get("const").or_else(|| first("enum")) {
            return value.clone();
        }
        match schema["type"].as_str() {
            Some("object") => {
                let required = schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str);
                // Whose it is, where a body may say so.
                let whose = schema["properties"].get("merchant").map(|_| "merchant");
                let required = required.filter(|name| *name != "merchant").chain(whose);
                let member = |name: &str| match name {
                    "merchant" => json!(self.things.merchant),
                    "product" => json!(self.things.product),
                    // Asks for nothing more in an address.
                    "country" => json!("AQ"),
                    "merchant_order" => json!(part(&self.things.order, 1)),
                    "payment" => json!(self.things.payment),
                    _ => self.least(&schema["properties"][name]),
                };
                Value::Object(required.map(|name| (name.to_owned(), member(name))).collect())
            }
            Some("array") if schema["minItems"].as_u64() > Some(0) => json!([self.least(&schema["items"])]),
            Some("array") => json!([]),
            Some("integer") => json!(1),
            Some("boolean") => json!(false),
            Some("string") => json!("x"),
            // Takes anything.
            None if schema["type"].is_array() => Value::Null,
            other => panic!("{other:?} has no least value: {schema}"),
        }
    }

    /// The least that the operation takes, and what else is said.
    fn body(&self, operation: &Operation) -> String {
        let body = &self.told(operation)["requestBody"]["content"]["application/json"]["schema"];
        if body.is_null() {
            return String::new();
        }
        let mut least = self.least(body);
        if let (Some(least), Some(said)) =
            (least.as_object_mut(), self.things.said[operation.name].as_object())
        {
            least.extend(said.clone());
        }
        least.to_string()
    }

    async fn ask(&self, bearer: &str, operation: &Operation, condition: Option<&str>) -> Asked {
        let mut request = Request::builder().method(&operation.method).uri(self.path(operation));
        if bearer.starts_with("pk_") {
            request = request.header("souk-key", bearer);
        } else if !bearer.is_empty() {
            request = request.header("authorization", format!("Bearer {bearer}"));
        }
        if let Some(condition) = condition {
            request = request.header("if-match", condition);
        }
        let body = self.body(operation).into();
        let request = request.header("idempotency-key", self.shop.fresh()).body(body).unwrap();
        let (parts, body) = self.shop.market.cloud.http(request).await.into_parts();
        let body = serde_json::from_slice(&body).unwrap_or_default();
        Asked { status: parts.status.as_u16(), body }
    }

    /// Asks for every operation; complains where the answer is another.
    async fn all(&self, bearer: &str, want: impl Fn(&Operation) -> u16) {
        let mut complaints = Vec::new();
        for operation in &self.operations {
            let (want, asked) = (want(operation), self.ask(bearer, operation, Some("*")).await);
            if asked.status != want {
                complaints
                    .push(format!("{}: {} and not {want}: {}", operation.name, asked.status, asked.body));
            }
        }
        none(complaints, "see how `edge::routes` admits, and what the handler does with its `reach`");
    }
}

#[tokio::test]
async fn a1_1_a_key_with_no_scope_gets_403_everywhere() {
    let bazaar = Bazaar::open().await;
    bazaar.shop.key("sk_nothing", &[], None).await;
    let before = bazaar.shop.contents().await;
    let signed = |operation: &Operation| operation.audience == Audience::Signed;
    bazaar.all("sk_nothing", |operation| if signed(operation) { unproven(operation) } else { 403 }).await;
    bazaar.all("", unproven).await;
    // The founder is a person: a key is not even looked at.
    let founder = |operation: &Operation| operation.audience == Audience::Founder;
    bazaar.all("sk_unknown", |operation| if founder(operation) { 403 } else { unproven(operation) }).await;
    assert!(bazaar.shop.contents().await == before, "a request that was refused wrote something");
}

#[tokio::test]
async fn every_operation_opens_to_its_own_scope_and_to_no_other() {
    let bazaar = Bazaar::open().await;
    let scopes = bazaar.operations.iter().map(|operation| operation.scope);
    let scopes: BTreeSet<&str> = scopes.filter(|scope| !scope.is_empty()).collect();
    let all = SCOPES.iter().flat_map(|thing| [format!("{thing}:read"), format!("{thing}:write")]);
    let all: Vec<String> = all.collect();
    let mut complaints = Vec::new();
    for scope in scopes {
        // Who may write may read.
        let write = scope.replace(":read", ":write");
        let others: Vec<&str> =
            all.iter().map(String::as_str).filter(|other| *other != scope && *other != write).collect();
        let (exact, other) = (format!("sk_{scope}"), format!("sk_not_{scope}"));
        bazaar.shop.key(&exact, &[scope], None).await;
        bazaar.shop.key(&other, &others, None).await;
        for operation in bazaar.operations.iter().filter(|operation| operation.scope == scope) {
            let asked = bazaar.ask(&other, operation, Some("*")).await;
            if asked.status != 403 {
                complaints
                    .push(format!("{}: {} without {scope}: {}", operation.name, asked.status, asked.body));
            }
            let asked = bazaar.ask(&exact, operation, Some("*")).await;
            if [401, 403, 404, 405].contains(&asked.status) || asked.status >= 500 {
                complaints.push(format!("{}: {} with {scope}: {}", operation.name, asked.status, asked.body));
            }
        }
    }
    none(complaints, "the scope in the table of routes is the only one that an operation asks for");
}

#[tokio::test]
async fn a1_2_another_merchants_object_is_not_there_and_what_is_the_operators_is_forbidden() {
    let bazaar = Bazaar::open().await;
    let birch = bazaar.shop.merchant("birch", json!({"every": "day"})).await;
    let every = SCOPES.map(|thing| format!("{thing}:write"));
    let every: Vec<&str> = every.iter().map(String::as_str).collect();
    bazaar.shop.key("sk_birch", &every, Some(&birch)).await;
    bazaar.shop.key("sk_alma", &every, Some(&bazaar.things.merchant)).await;
    let before = bazaar.shop.contents().await;
    bazaar
        .all("sk_birch", |operation| match operation.audience {
            Audience::Operators | Audience::Owners => 403,
            Audience::Merchants => 404,
            Audience::Everyone => 200,
            Audience::Persons | Audience::Shoppers | Audience::Founder => 403,
            Audience::Signed => unproven(operation),
        })
        .await;
    assert!(bazaar.shop.contents().await == before, "a request that was refused wrote something");
    // The very same requests of the owner find it.
    let mut complaints = Vec::new();
    for operation in bazaar.operations.iter().filter(|one| one.audience == Audience::Merchants) {
        let asked = bazaar.ask("sk_alma", operation, Some("*")).await;
        if [401, 403, 404, 405].contains(&asked.status) || asked.status >= 500 {
            complaints.push(format!("{}: {} to its owner: {}", operation.name, asked.status, asked.body));
        }
    }
    none(complaints, "a merchant reaches its own objects with the scope of the operation");
}

#[tokio::test]
async fn nothing_of_operators_and_merchants_is_there_next_door() {
    let bazaar = Bazaar::open().await;
    customers::open_next_door(&bazaar.shop).await;
    let before = bazaar.shop.contents().await;
    let mut complaints = Vec::new();
    let theirs = |one: &&Operation| matches!(one.audience, Audience::Operators | Audience::Merchants);
    for operation in bazaar.operations.iter().filter(theirs) {
        let variables = operation.path.split('{').skip(1).filter_map(|rest| rest.split_once('}'));
        let ids =
            variables.map(|(variable, _)| bazaar.things.of(operation.path, variable)).filter(|id| is_id(id));
        let Asked { status, body } = bazaar.ask("sk_next_door", operation, Some("*")).await;
        // What a path names is not there, unless the body is refused before; a trail may be empty. What it does not
        // name is their own, and looks like it.
        let fits = match (ids.count(), operation.name) {
            (0, _) | (_, "audit.trail") => ![401, 403].contains(&status) && status < 500,
            (_, _) => status == 404 || status == 422,
        };
        let told = body.to_string();
        let ours = [&bazaar.things.merchant, &bazaar.things.product, &bazaar.things.order];
        let named = (200..300).contains(&status) && ours.into_iter().any(|id| told.contains(id.as_str()));
        if !fits || named {
            complaints.push(format!("{}: {status} to an operator of next door: {told}", operation.name));
        }
    }
    let after = bazaar.shop.contents().await;
    let changed = before.iter().filter(|(key, item)| after.get(*key) != Some(*item));
    complaints.extend(changed.map(|(key, _)| format!("{key:?} is not as it was")));
    none(complaints, "begin every key with `caller.marketplace`");
}

/// Whether a word is the id of a thing, and no name that every marketplace may have.
fn is_id(word: &str) -> bool {
    word.as_bytes().get(3) == Some(&b'_') && word.len() > 20 && !word.contains(' ')
}

#[tokio::test]
async fn what_is_for_everyone_is_the_same_for_all_merchants_and_names_nothing_that_is_only_for_some() {
    let bazaar = Bazaar::open().await;
    let birch = bazaar.shop.merchant("birch", json!({"every": "day"})).await;
    let every = SCOPES.map(|thing| format!("{thing}:read"));
    let every: Vec<&str> = every.iter().map(String::as_str).collect();
    bazaar.shop.key("sk_birch", &every, Some(&birch)).await;
    bazaar.shop.key("sk_alma", &every, Some(&bazaar.things.merchant)).await;
    // Ids say of what they are.
    let shared = |word: &str| word.starts_with("mer_") || word.starts_with("prd_");
    let mut complaints = Vec::new();
    for operation in bazaar.operations.iter().filter(|one| one.audience == Audience::Everyone) {
        let own = bazaar.ask("sk_alma", operation, None).await.body;
        let told = bazaar.ask("sk_birch", operation, None).await.body;
        if told != own {
            complaints.push(format!("{}: {told}, and to its merchant {own}", operation.name));
        }
        let told = told.to_string();
        let named =
            told.split('"').filter(|word| is_id(word) && !shared(word) || word.ends_with("@post.example"));
        complaints.extend(named.map(|word| format!("{}: it names {word}", operation.name)));
    }
    none(complaints, "what is only for some is for `.merchants` or `.operators`");
}

#[tokio::test]
async fn every_patch_says_what_it_has_seen() {
    let bazaar = Bazaar::open().await;
    let ines = bazaar.shop.market.issuer.token("ines", SignedDuration::from_hours(1)).unwrap();
    let mut complaints = Vec::new();
    for operation in bazaar.operations.iter().filter(|operation| operation.method == Method::PATCH) {
        let bearer = if operation.audience == Audience::Persons { &ines } else { tests::SECRET };
        for (condition, want) in [(None, 428), (Some("\"0\""), 409)] {
            let asked = bazaar.ask(bearer, operation, condition).await;
            if asked.status != want {
                complaints
                    .push(format!("{}: {} and not {want}: {}", operation.name, asked.status, asked.body));
            }
        }
    }
    none(complaints, "call `command.if_match(held.revision())?` after `asked_before`, before deciding");
}
