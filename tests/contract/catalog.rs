//! The catalog: one sample of every public event, all from the life of one order.
//!
//! Ids and times are fixed, so that a sample changes only when its type does.

mod assets;
mod carts;
mod customers;
mod describing;
mod imports;
mod payments;
mod reviews;
mod subscriptions;
mod webhooks;

use crate::schema;
use domain::catalog::{OfferStatus, ProductStatus};
use domain::id::{
    ApiKeyId, CustomerId, MarketplaceId, MerchantId, MerchantOrderId, MovementId, OfferId, OrderId,
    OverrideId, PayoutId, ProductId, ShipmentId,
};
use domain::merchant_order::Units;
use domain::order::ExceptionKind;
use domain::overrides::Policy;
use domain::text::Location;
use events::access::{
    ApiKeyIssuedV1, ApiKeyRevokedV1, MarketplaceMerchantTermsSetV1, MarketplaceSettingsChangedV1,
    MemberChangedV1, OperatorChangedV1,
};
use events::catalog::{
    CategoryChangedV1, OfferChangedV1, OfferCreatedV1, ProductChangedV1, ProductCreatedV1,
};
use events::delivery::DeliveryRatesChangedV1;
use events::discount::{DiscountAgreementsChangedV1, DiscountCodeChangedV1};
use events::fx::FxRatesChangedV1;
use events::merchant::{
    Days, MarketplaceOpenedV1, MerchantAppliedV1, MerchantClosuresChangedV1, MerchantConditionsChangedV1,
    MerchantContactChangedV1, MerchantInvitationAcceptedV1, MerchantInvitedV1,
    MerchantPayoutAccountChangedV1, MerchantStatusChangedV1, MerchantTermsAcceptedV1,
};
use events::merchant_order::{
    MerchantOrderAcceptedV1, MerchantOrderCanceledV1, MerchantOrderCreatedV1, MerchantOrderDeliveredV1,
    MerchantOrderOpenedV1, MerchantOrderRefundedV1, MerchantOrderRejectedV1, MerchantOrderShippedV1,
    ShipmentDeliveredV1, ShipmentLostV1,
};
use events::message::{AddressSuppressedV1, MessageRoutingChangedV1, MessageTemplateSavedV1};
use events::order::{
    Instant, OrderCanceledV1, OrderClaimedV1, OrderExceptionRaisedV1, OrderExceptionResolvedV1, OrderPaidV1,
    OrderPlacedV1, OrderRefundedV1, OrderShortageRaisedV1, OrderUnpaidV1, ShortLine,
};
use events::overrides::{OverrideGrantedV1, OverrideRevokedV1, OverrideUsedV1};
use events::payout::{
    MerchantBalanceCriticalV1, PayoutBlockedV1, PayoutCreatedV1, PayoutDueV1, PayoutFailedV1, PayoutPaidV1,
    PayoutSentV1,
};
use events::stock::{StockAdjustedV1, StockReceivedV1, StockReleasedV1, StockUnits};
use events::tax::{TaxRatesChangedV1, TaxRulesChangedV1};
use events::{Amount, Announced, Change, Context, Envelope, Payload};
use jiff::{SignedDuration, Timestamp};
use schemars::JsonSchema;
use serde_json::Value;

/// One event as `events/` shows it.
pub(crate) struct Entry {
    pub(crate) name: &'static str,
    /// The kind of its subject: the id's prefix without the underscore.
    pub(crate) subject: String,
    /// The whole envelope, pretty.
    pub(crate) sample: String,
    pub(crate) schema: Value,
    /// Parses an envelope into its type and writes it again.
    pub(crate) again: fn(&str) -> Result<Value, serde_json::Error>,
}

/// When, by whom, and which of the facts of its change.
struct Told {
    subject: String,
    step: u64,
    nth: usize,
    minutes: i64,
    actor: String,
    cause: String,
}

impl Told {
    fn new(subject: impl ToString, step: u64, minutes: i64, actor: impl ToString) -> Self {
        let (subject, actor) = (subject.to_string(), actor.to_string());
        let cause = if actor.starts_with("system:") { format!("{}.1", order()) } else { request(step) };
        Self { subject, step, nth: 0, minutes, actor, cause }
    }

    /// The second fact of its change.
    fn second(mut self) -> Self {
        self.nth = 1;
        self
    }

    /// The third fact of its change.
    fn third(mut self) -> Self {
        self.nth = 2;
        self
    }

    fn because(mut self, cause: impl ToString) -> Self {
        self.cause = cause.to_string();
        self
    }
}

pub(crate) fn marketplace() -> MarketplaceId {
    MarketplaceId::from_bits(1)
}

fn merchant() -> MerchantId {
    MerchantId::from_bits(2)
}

pub(crate) fn order() -> OrderId {
    OrderId::from_bits(5)
}

fn part(number: u8) -> MerchantOrderId {
    MerchantOrderId::of(&order(), number)
}

fn payout() -> PayoutId {
    PayoutId::of(&merchant(), jiff::civil::date(2026, 1, 20))
}

/// Monday morning, plus so many minutes.
pub(crate) fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-01-05T09:00:00Z".parse().expect("a time");
    start + SignedDuration::from_mins(minutes)
}

fn instant(minutes: i64) -> Instant {
    at(minutes).into()
}

fn request(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012}")
}

fn eur(amount: &str) -> Amount {
    Amount { amount: amount.to_owned(), currency: "EUR".to_owned() }
}

fn units(line: u16, quantity: u32) -> Vec<Units> {
    vec![Units { line, quantity }]
}

fn entry<P: Payload + JsonSchema>(told: Told, data: P) -> Entry {
    let fact = Announced::of(&data);
    let context = Context {
        at: at(told.minutes),
        actor: told.actor,
        cause: told.cause.clone(),
        correlation: request(1),
    };
    let facts = vec![fact; told.nth + 1];
    let marketplace = marketplace();
    let change = Change {
        marketplace: &marketplace,
        subject: &told.subject,
        step: told.step,
        context: &context,
        facts: &facts,
    };
    let event = change.envelopes().pop().expect("a fact makes an event");
    let Envelope { id, name, marketplace, at, subject, step, actor, cause, correlation, .. } = event;
    let kind = subject.split(['_', ':', '-']).next().unwrap_or_default().to_owned();
    let typed = Envelope { id, name, marketplace, at, subject, step, actor, cause, correlation, data };
    let mut sample = serde_json::to_string_pretty(&typed).expect("an event is JSON");
    sample.push('\n');
    Entry { name: P::NAME, subject: kind, sample, schema: schema::of::<P>(), again: again::<P> }
}

fn again<P: Payload>(text: &str) -> Result<Value, serde_json::Error> {
    serde_json::from_str::<Envelope<P>>(text).and_then(serde_json::to_value)
}

/// Every public event. One that is missing here fails `every_declared_event_is_in_the_catalog`.
pub(crate) fn catalog() -> Vec<Entry> {
    let (customers, payments) = (customers::customers(), payments::payments());
    let kinds =
        [access(), overrides(), merchants(), goods(), customers, orders(), parts(), payments, payouts()];
    let recurring = [subscriptions::subscriptions(), subscriptions::invoices(), subscriptions::dunning()];
    let after = [
        assets::assets(),
        carts::carts(),
        webhooks::webhooks(),
        imports::imports(),
        reviews::reviews(),
        describing::sheets(),
        describing::proposals(),
        describing::duplicates(),
        describing::scheduled(),
        describing::exports(),
    ];
    kinds.into_iter().chain(recurring).chain(after).flatten().collect()
}

/// The entry of one event.
pub(crate) fn named(name: &str) -> Entry {
    catalog().into_iter().find(|entry| entry.name == name).unwrap_or_else(|| panic!("no sample of {name}"))
}

fn person() -> String {
    "person:operator".to_owned()
}

fn access() -> Vec<Entry> {
    let key = ApiKeyId::from_bits(7);
    let scopes = vec!["orders:write".to_owned()];
    let [anna, ben] = ["anna", "ben"].map(|sub| edge::identity::subject("https://login.example", sub));
    vec![
        entry(
            Told::new(&key, 1, 0, person()),
            ApiKeyIssuedV1 {
                api_key: key.clone(),
                name: "shop".to_owned(),
                scopes: scopes.clone(),
                merchant: Some(merchant()),
            },
        ),
        entry(Told::new(&key, 2, 60, person()), ApiKeyRevokedV1 { api_key: key.clone() }),
        entry(
            Told::new(format!("operator-{anna}"), 1, 1, person()),
            OperatorChangedV1 { subject: anna, scopes: scopes.clone() },
        ),
        entry(
            Told::new(format!("member-{ben}-{}", merchant()), 1, 2, person()),
            MemberChangedV1 { subject: ben, merchant: merchant(), scopes },
        ),
        entry(Told::new(marketplace(), 2, 3, person()), MarketplaceSettingsChangedV1 { hold_days: 14 }),
        entry(
            Told::new(marketplace(), 3, 4, person()),
            MarketplaceMerchantTermsSetV1 {
                url: "https://shop.example/terms.pdf".to_owned(),
                sha256: hash(),
                effective_at: instant(10_000),
            },
        ),
    ]
}

/// Of a document.
fn hash() -> String {
    domain::id::sha256_hex(b"terms")
}

fn overrides() -> Vec<Entry> {
    let r#override = OverrideId::from_bits(8);
    let (policy, subject) = (Policy::MerchantNotOpen, merchant().to_string());
    let told = |step, minutes| Told::new(OverrideId::from_bits(8), step, minutes, person());
    vec![
        entry(
            told(1, 8),
            OverrideGrantedV1 {
                r#override: r#override.clone(),
                policy,
                subject: subject.clone(),
                reason: "the channel has sold it already".to_owned(),
                expires_at: instant(1_500),
            },
        ),
        entry(
            told(2, 60),
            OverrideRevokedV1 { r#override: r#override.clone(), policy, subject: subject.clone() },
        ),
        entry(
            Told::new(order(), 1, 10, format!("key:{}", ApiKeyId::from_bits(7))).second(),
            OverrideUsedV1 { r#override, policy, subject },
        ),
    ]
}

fn product() -> ProductId {
    ProductId::from_bits(8)
}

fn offer() -> OfferId {
    OfferId::of(&marketplace(), &merchant(), "mug")
}

fn main_location() -> Location {
    "main".parse().expect("a location")
}

fn released(quantity: u32) -> Vec<StockUnits> {
    vec![StockUnits { offer: offer(), location: main_location(), bin: 0, quantity }]
}

fn goods() -> Vec<Entry> {
    let (status, price, sku) = (OfferStatus::Active, eur("14.50"), "mug".to_owned());
    let [receipt, count, release] = [9, 10, 11].map(MovementId::from_bits);
    let member = format!("person:{}", edge::identity::subject("https://login.example", "ben"));
    vec![
        entry(Told::new("fx-rates", 1, 3, person()), FxRatesChangedV1 {}),
        entry(Told::new("tax-rules", 1, 3, person()), TaxRulesChangedV1 {}),
        entry(Told::new("tax-DE", 1, 4, person()), TaxRatesChangedV1 { country: Some("DE".to_owned()) }),
        entry(
            Told::new("category-kitchen", 1, 5, person()),
            CategoryChangedV1 { category: "kitchen".to_owned(), parent: Some("home".to_owned()) },
        ),
        entry(
            Told::new(product(), 1, 6, &member),
            ProductCreatedV1 { product: product(), merchant: Some(merchant()), status: ProductStatus::Draft },
        ),
        entry(
            Told::new(product(), 2, 7, &member),
            ProductChangedV1 { product: product(), status: ProductStatus::Active },
        ),
        entry(
            Told::new(offer(), 1, 8, &member),
            OfferCreatedV1 {
                offer: offer(),
                merchant: merchant(),
                product: product(),
                variant: 1,
                sku,
                price: eur("15.00"),
                status,
            },
        ),
        entry(
            Told::new(offer(), 2, 9, &member),
            OfferChangedV1 { offer: offer(), merchant: merchant(), product: product(), price, status },
        ),
        entry(
            Told::new(format!("{}-delivery", merchant()), 1, 9, &member),
            DeliveryRatesChangedV1 { merchant: merchant() },
        ),
        entry(
            Told::new("discount-code-summer10", 1, 9, person()),
            DiscountCodeChangedV1 { code: "SUMMER10".to_owned(), open: true },
        ),
        entry(
            Told::new(format!("discount-agreements-{}", CustomerId::from_bits(4)), 1, 9, person()),
            DiscountAgreementsChangedV1 { customer: CustomerId::from_bits(4) },
        ),
        entry(
            Told::new(&receipt, 1, 10, &member),
            StockReceivedV1 {
                movement: receipt.clone(),
                merchant: merchant(),
                offer: offer(),
                location: main_location(),
                quantity: 3,
            },
        ),
        entry(
            Told::new(&count, 1, 11, &member),
            StockAdjustedV1 {
                movement: count.clone(),
                merchant: merchant(),
                offer: offer(),
                location: main_location(),
                by: -1,
                reason: "one was broken".to_owned(),
            },
        ),
        entry(
            Told::new(&release, 1, 12, "system:inventory"),
            StockReleasedV1 { movement: release.clone(), merchant: merchant(), units: released(2) },
        ),
    ]
}

fn merchants() -> Vec<Entry> {
    let member = edge::identity::subject("https://login.example", "ben");
    vec![
        entry(
            Told::new(marketplace(), 1, -60, "system:admin").because(format!("open:{}", marketplace())),
            MarketplaceOpenedV1 { marketplace: marketplace(), currency: "EUR".to_owned() },
        ),
        entry(
            Told::new(merchant(), 1, 4, person()),
            MerchantInvitedV1 { merchant: merchant(), external_id: Some("alma".to_owned()) },
        ),
        entry(
            Told::new(merchant(), 1, 4, format!("person:{member}")),
            MerchantAppliedV1 {
                merchant: merchant(),
                external_id: Some("alma".to_owned()),
                member: member.clone(),
            },
        ),
        entry(
            Told::new(merchant(), 2, 4, format!("person:{member}")),
            MerchantInvitationAcceptedV1 { merchant: merchant(), member: member.clone() },
        ),
        entry(
            Told::new(merchant(), 3, 4, format!("person:{member}")),
            MerchantTermsAcceptedV1 {
                merchant: merchant(),
                sha256: hash(),
                effective_at: instant(0),
                by: member.clone(),
            },
        ),
        entry(
            Told::new(merchant(), 5, 8, format!("person:{member}")),
            MerchantClosuresChangedV1 {
                merchant: merchant(),
                closures: vec![Days { from: "2026-12-24".to_owned(), to: "2026-12-26".to_owned() }],
            },
        ),
        entry(
            Told::new(merchant(), 2, 5, person()),
            MerchantStatusChangedV1 {
                merchant: merchant(),
                from: "open".to_owned(),
                to: "suspended".to_owned(),
                reason: Some("papers are missing".to_owned()),
            },
        ),
        entry(
            Told::new(merchant(), 3, 6, person()),
            MerchantPayoutAccountChangedV1 { merchant: merchant(), state: "active".to_owned(), reason: None },
        ),
        entry(Told::new(merchant(), 4, 7, person()), MerchantConditionsChangedV1 { merchant: merchant() }),
        entry(
            Told::new(format!("{}-contact", merchant()), 1, 8, person()),
            MerchantContactChangedV1 { merchant: merchant() },
        ),
        entry(Told::new("message-routing", 1, 8, person()), MessageRoutingChangedV1 { rules: 2 }),
        entry(
            Told::new("message-template", 1, 9, person()),
            MessageTemplateSavedV1 {
                kind: domain::message::Kind::Shipped,
                locale: "de-AT".to_owned(),
                version: 1,
                builtin: false,
            },
        ),
        entry(
            Told::new(format!("sup_{}", "5e".repeat(32)), 1, 10, "system:notifications"),
            AddressSuppressedV1 { digest: "5e".repeat(32), why: domain::message::Suppressed::Complained },
        ),
    ]
}

fn orders() -> Vec<Entry> {
    let key = format!("key:{}", ApiKeyId::from_bits(7));
    vec![
        entry(
            Told::new(order(), 1, 10, &key),
            OrderPlacedV1 {
                order: order(),
                channel: "web".to_owned(),
                external_id: Some("1001".to_owned()),
                customer: Some(CustomerId::from_bits(4)),
                placed_at: instant(9),
                total: eur("43.90"),
                paid: eur("43.90"),
                lines: 2,
                merchant_orders: vec![part(1), part(2)],
            },
        ),
        entry(
            Told::new(order(), 2, 12, &key),
            OrderPaidV1 { order: order(), paid_at: instant(11), merchant_orders: vec![part(1), part(2)] },
        ),
        entry(
            Told::new(order(), 3, 30, &key),
            OrderCanceledV1 {
                order: order(),
                canceled_at: instant(30),
                reason: "the customer asked".to_owned(),
                whole: false,
                refund: eur("14.90"),
            },
        ),
        entry(
            Told::new(order(), 4, 20_000, person()),
            OrderRefundedV1 {
                order: order(),
                merchant: merchant(),
                amount: eur("29.00"),
                reason: "damaged".to_owned(),
            },
        ),
        entry(
            Told::new(order(), 2, 60, "person:carla"),
            OrderClaimedV1 {
                order: order(),
                customer: CustomerId::from_bits(4),
                from: Some(CustomerId::from_bits(8)),
            },
        ),
        entry(
            Told::new(order(), 1, 10, &key).second(),
            OrderExceptionRaisedV1 {
                order: order(),
                kind: ExceptionKind::PaymentDiffers,
                difference: eur("-0.10"),
            },
        ),
        entry(
            Told::new(order(), 1, 10, &key).third(),
            OrderShortageRaisedV1 {
                order: order(),
                lines: vec![ShortLine { line: 1, merchant: merchant(), offer: offer(), missing: 1 }],
            },
        ),
        entry(
            Told::new(order(), 5, 20_001, person()),
            OrderExceptionResolvedV1 {
                order: order(),
                reason: "a rounding of the channel".to_owned(),
                by: person(),
            },
        ),
    ]
}

fn parts() -> Vec<Entry> {
    let (merchant_order, key) = (part(1), "person:ben");
    let told = |step, minutes| Told::new(part(1), step, minutes, key);
    let (shipment, lost) = (ShipmentId::from_bits(6), ShipmentId::from_bits(7));
    vec![
        entry(
            Told::new(part(1), 1, 11, "system:order-split"),
            MerchantOrderCreatedV1 {
                merchant_order: merchant_order.clone(),
                order: order(),
                merchant: merchant(),
                items: eur("29.00"),
                delivery: eur("4.90"),
                lines: 1,
            },
        ),
        entry(
            Told::new(part(1), 2, 13, "system:fulfillment").because(format!("{}.2", order())),
            MerchantOrderOpenedV1 { merchant_order: merchant_order.clone(), merchant: merchant() },
        ),
        entry(
            told(3, 40),
            MerchantOrderAcceptedV1 {
                merchant_order: merchant_order.clone(),
                merchant: merchant(),
                lines: vec![1],
            },
        ),
        entry(
            told(4, 41),
            MerchantOrderRejectedV1 {
                merchant_order: merchant_order.clone(),
                merchant: merchant(),
                rejected_at: instant(41),
                lines: units(1, 1),
                reason: "sold out".to_owned(),
                value: eur("14.50"),
                released: released(1),
            },
        ),
        entry(
            told(5, 42),
            MerchantOrderCanceledV1 {
                merchant_order: merchant_order.clone(),
                merchant: merchant(),
                lines: units(1, 1),
                reason: "the customer asked".to_owned(),
                released: released(1),
            },
        ),
        entry(
            told(6, 300),
            MerchantOrderShippedV1 {
                merchant_order: merchant_order.clone(),
                merchant: merchant(),
                shipment: shipment.clone(),
                carrier: "dhl".to_owned(),
                tracking_number: "00340434292135100186".to_owned(),
                lines: units(1, 2),
                shipped_at: instant(290),
            },
        ),
        entry(
            told(7, 3_000),
            ShipmentDeliveredV1 {
                shipment,
                merchant_order: merchant_order.clone(),
                merchant: merchant(),
                delivered_at: instant(2_990),
            },
        ),
        entry(
            told(7, 3_000).second(),
            MerchantOrderDeliveredV1 {
                merchant_order: merchant_order.clone(),
                merchant: merchant(),
                delivered_at: instant(2_990),
                items: eur("29.00"),
                delivery: eur("4.90"),
                fees: eur("3.48"),
                withheld: None,
                supported: None,
                settles: None,
                net: eur("30.42"),
            },
        ),
        entry(
            told(8, 3_100),
            ShipmentLostV1 {
                shipment: lost,
                merchant_order: merchant_order.clone(),
                merchant: merchant(),
                lost_at: instant(3_100),
                lines: units(1, 1),
                value: eur("14.50"),
            },
        ),
        entry(
            Told::new(part(1), 9, 20_000, person()),
            MerchantOrderRefundedV1 {
                merchant_order,
                merchant: merchant(),
                lines: units(1, 2),
                items: eur("29.00"),
                delivery: eur("0.00"),
                fees: eur("3.48"),
                withheld: None,
                supported: None,
            },
        ),
    ]
}

fn payouts() -> Vec<Entry> {
    let due = format!("due:{}:2026-01-21T01:00", merchant());
    let unpaid = format!("due:{}:2026-01-21T01:00", order());
    let told = |subject: String, step, minutes| {
        let event = format!("{due}.0");
        Told::new(subject, step, minutes, "system:payout").because(event)
    };
    let by_operator = |step, minutes| Told::new(payout(), step, minutes, person());
    let amount = || eur("30.42");
    let account = format!("{}-account", merchant());
    vec![
        entry(
            Told::new(unpaid.clone(), 0, 22_560, "system:unpaid").because(&unpaid),
            OrderUnpaidV1 { order: order() },
        ),
        entry(told(due.clone(), 0, 22_560).because(&due), PayoutDueV1 { merchant: merchant() }),
        entry(
            told(payout().to_string(), 1, 22_561),
            PayoutCreatedV1 {
                payout: payout(),
                merchant: merchant(),
                through: "2026-01-20".to_owned(),
                amount: amount(),
                orders: 1,
            },
        ),
        entry(
            told(payout().to_string(), 2, 22_561),
            PayoutSentV1 {
                payout: payout(),
                merchant: merchant(),
                amount: amount(),
                reference: payout().tail().to_owned(),
            },
        ),
        entry(
            by_operator(3, 24_000),
            PayoutPaidV1 {
                payout: payout(),
                merchant: merchant(),
                amount: amount(),
                paid_at: instant(23_900),
            },
        ),
        entry(
            by_operator(4, 25_000),
            PayoutFailedV1 {
                payout: payout(),
                merchant: merchant(),
                amount: amount(),
                reason: "the account is closed".to_owned(),
                after_success: true,
            },
        ),
        entry(told(account.clone(), 2, 22_561), PayoutBlockedV1 { merchant: merchant(), balance: amount() }),
        entry(
            told(account.clone(), 3, 32_640),
            MerchantBalanceCriticalV1 { merchant: merchant(), balance: eur("-512.00") },
        ),
    ]
}
