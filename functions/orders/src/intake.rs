//! `POST /v1/orders`: an order from a channel, or one that an operator takes on the phone.

use crate::show::OrderView;
use axum::extract::State;
use domain::commission::freeze;
use domain::id::{CustomerId, MarketplaceId, MerchantId, OrderId, derive, sha256_hex};
use domain::marketplace::Marketplace;
use domain::merchant::{Merchant, NoOrders};
use domain::order::{Intake, Line, Order, Payment};
use domain::overrides::Override;
use domain::text::{Category, Channel, ExternalId, Name, Sku, Word};
use domain::{Currency, Money};
use edge::{Check, Command, Problem, Reply, World};
use events::{Amount, order::placed, overrides::used};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::{Commit, Held, Key, Story, Uncommitted};

/// An order as a channel knows it: its own prices, freight and payments, taken as they are.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlaceOrder {
    channel: String,
    /// With the channel the order's name for ever; a manual order may leave it out.
    #[serde(default)]
    external_id: Option<String>,
    /// What the channel calls the customer.
    #[serde(default)]
    customer_external_id: Option<String>,
    /// When it was placed; now, if not said.
    #[serde(default)]
    occurred_at: Option<String>,
    #[serde(default)]
    lines: Vec<PlaceLine>,
    /// Delivery cost of the order as a whole, beside that of its lines.
    #[serde(default)]
    delivery: Option<Amount>,
    /// What was paid; none is a promise of the total.
    #[serde(default)]
    payments: Vec<PlacePayment>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct PlaceLine {
    /// The merchant by its id or by its external id.
    #[serde(default)]
    merchant: Option<String>,
    #[serde(default)]
    merchant_external_id: Option<String>,
    sku: String,
    #[serde(default)]
    title: Option<String>,
    #[serde(default)]
    category: Option<String>,
    quantity: i64,
    unit_price: Amount,
    #[serde(default)]
    delivery: Option<Amount>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PlacePayment {
    method: String,
    amount: Amount,
    #[serde(default)]
    reference: Option<String>,
}

/// An order of this name is there already.
#[derive(Debug)]
struct PlacedBefore;

pub(crate) async fn place(
    State(world): State<World>,
    command: Command<PlaceOrder>,
) -> Result<Reply<OrderView>, Problem> {
    command.caller.operates("orders:write")?;
    world.until_free(|| attempt(&world, &command)).await
}

async fn attempt(world: &World, command: &Command<PlaceOrder>) -> Result<Reply<OrderView>, Problem> {
    let m = &command.caller.marketplace;
    let now = world.now();
    let named = command.body.external_id.is_some();
    if !named && let Some(asked) = command.asked_before(world).await? {
        let id = asked.resource.parse().unwrap_or_else(|_| OrderId::from_bits(0));
        return repeat(world, command, &id, None).await;
    }

    let (marketplace, merchants) = load(world, command, now).await?;
    let intake = read(world, command, &marketplace, &merchants, now)?;
    let order = Order::place(intake)?;

    let context = command.context(now);
    let mut facts = placed(&order)?;
    for told in merchants.iter().filter_map(|known| known.overridden.as_ref()).map(used) {
        // A merchant may be named in two ways.
        if !facts.contains(&told) {
            facts.push(told);
        }
    }
    let story = Story::new(facts).posting(order.sale()?);
    let mut commit = Commit::new(m, &context).begin(&order, order.id.as_str(), story, PlacedBefore);
    if !named {
        commit = command.remember(commit, now, 201, order.id.as_str(), PlacedBefore);
    }
    match commit.send(&world.table).await {
        Ok(()) => Ok(Reply::created(OrderView::of(&order, &[])?).revision(1)),
        Err(Uncommitted::Refused(PlacedBefore)) => {
            repeat(world, command, &order.id, Some(&order.fingerprint)).await
        }
        Err(Uncommitted::Busy) => Err(Problem::busy()),
        Err(Uncommitted::Fault(fault)) => Err(fault.into()),
    }
}

/// The name is taken: by this very order, then it is a repeat; or by another.
async fn repeat(
    world: &World,
    command: &Command<PlaceOrder>,
    id: &OrderId,
    fingerprint: Option<&str>,
) -> Result<Reply<OrderView>, Problem> {
    let whole = world.table.whole_order(&command.caller.marketplace, id).await?;
    let whole = whole.ok_or_else(Problem::busy)?;
    let order = &whole.order.value;
    if fingerprint.is_some_and(|fingerprint| fingerprint != order.fingerprint) {
        let title = "Another order has this external id in its channel";
        return Err(
            Problem::new(409, "external_id_taken", title).with(format!("it is {id}, with another content"))
        );
    }
    let parts: Vec<_> = whole.parts.iter().map(|held| held.value.clone()).collect();
    Ok(Reply::ok(OrderView::of(order, &parts)?).revision(whole.order.revision()).replayed())
}

/// A merchant that a line names, and whether it takes the order.
struct Known {
    name: String,
    merchant: Merchant,
    takes: Result<(), NoOrders>,
    /// The manager's word without which it would not.
    overridden: Option<Override>,
}

/// The merchant with the override that lets an order in nevertheless, if it needs one and there is one.
async fn known(
    world: &World,
    m: &MarketplaceId,
    name: &str,
    merchant: Merchant,
    now: Timestamp,
) -> Result<Known, Problem> {
    let mut known =
        Known { name: name.to_owned(), takes: merchant.takes_orders(now), merchant, overridden: None };
    if let Some(policy) = known.takes.as_ref().err().and_then(NoOrders::policy) {
        known.overridden = world.table.override_for(m, policy, known.merchant.id.as_str(), now).await?;
        if known.overridden.is_some() {
            known.takes = Ok(());
        }
    }
    Ok(known)
}

/// The marketplace and every merchant that a line names, strongly consistent.
async fn load(
    world: &World,
    command: &Command<PlaceOrder>,
    now: Timestamp,
) -> Result<(Marketplace, Vec<Known>), Problem> {
    let m = &command.caller.marketplace;
    let lines = &command.body.lines;
    let marketplace = world.table.marketplace(m).await?.ok_or_else(|| Problem::not_found("marketplace"))?;
    let names: Vec<ExternalId> =
        lines.iter().filter_map(|line| line.merchant_external_id.as_ref()?.parse().ok()).collect();
    let keys: Vec<Key> = lines
        .iter()
        .filter_map(|line| line.merchant.as_ref()?.parse::<MerchantId>().ok())
        .map(|id| Key::merchant(m, &id))
        .collect();
    let mut merchants: Vec<Known> = Vec::new();
    for (name, held) in world.table.merchants_named(m, &names).await? {
        merchants.push(known(world, m, name.as_str(), held.value, now).await?);
    }
    for Held { value, .. } in world.table.load_all::<Merchant>(&keys).await? {
        let name = value.id.as_str().to_owned();
        merchants.push(known(world, m, &name, value, now).await?);
    }
    Ok((marketplace.value, merchants))
}

/// From words to an intake: every bad value is told at once.
fn read(
    world: &World,
    command: &Command<PlaceOrder>,
    marketplace: &Marketplace,
    merchants: &[Known],
    now: Timestamp,
) -> Result<Intake, Problem> {
    let body = &command.body;
    let currency = marketplace.currency;
    let mut check = Check::new();
    let channel = check.parse::<Channel>("channel", &body.channel);
    let external_id = check.maybe::<ExternalId>("external_id", body.external_id.as_deref());
    let customer = check.maybe::<ExternalId>("customer_external_id", body.customer_external_id.as_deref());
    let placed_at = check.occurred_at("occurred_at", body.occurred_at.as_deref(), now);
    let delivery = body.delivery.as_ref().and_then(|amount| check.money("delivery", amount, currency));
    let mut lines = Vec::new();
    for (number, given) in (1_u16..).zip(&body.lines) {
        lines.extend(line(&mut check, number, given, marketplace, merchants)?);
    }
    let payments = payments(&mut check, &body.payments, currency);
    check.done()?;
    let Some(channel) = channel else { return Err(Problem::internal()) };

    let m = &command.caller.marketplace;
    let id = match &external_id {
        Some(external) => OrderId::of_channel(m, channel.as_str(), external.as_str()),
        None => OrderId::from_bits(world.fresh()),
    };
    let customer = customer.map(|name| {
        CustomerId::from_bits(derive(&["customer", m.as_str(), channel.as_str(), name.as_str()]))
    });
    // Of the content as it was understood, so that blanks and the order of fields do not matter.
    let content = serde_json::to_vec(body).map_err(|error| Problem::fault(&error))?;
    let fingerprint = sha256_hex(&content).chars().take(16).collect();
    let delivery = delivery.unwrap_or(Money::zero(currency));
    Ok(Intake {
        id,
        channel,
        external_id,
        customer,
        currency,
        placed_at,
        lines,
        delivery,
        payments,
        fingerprint,
    })
}

fn line(
    check: &mut Check,
    number: u16,
    given: &PlaceLine,
    marketplace: &Marketplace,
    merchants: &[Known],
) -> Result<Option<Line>, Problem> {
    let at = |field: &str| format!("lines[{}].{field}", number.saturating_sub(1));
    let currency = marketplace.currency;
    let merchant = match (&given.merchant, &given.merchant_external_id) {
        (Some(name), None) | (None, Some(name)) => {
            let found = merchants.iter().find(|known| known.name == *name);
            match found.map(|known| (&known.merchant, &known.takes)) {
                Some((merchant, Ok(()))) => Some(merchant),
                Some((_, Err(why))) => {
                    let message = format!("`{name:.64}` takes no orders at the moment: {why}");
                    check.wrong(at("merchant"), "not_open", message);
                    None
                }
                None => {
                    check.wrong(at("merchant"), "unknown", format!("there is no merchant `{name:.64}`"));
                    None
                }
            }
        }
        (None, None) | (Some(_), Some(_)) => {
            check.wrong(at("merchant"), "required", "name either `merchant` or `merchant_external_id`");
            None
        }
    };
    let sku = check.parse::<Sku>(at("sku"), &given.sku);
    let title = check.maybe::<Name>(at("title"), given.title.as_deref());
    let category = check.maybe::<Category>(at("category"), given.category.as_deref());
    let quantity = check.quantity(at("quantity"), given.quantity);
    let unit_price = check.money(at("unit_price"), &given.unit_price, currency);
    let delivery = match &given.delivery {
        Some(amount) => check.money(at("delivery"), amount, currency),
        None => Some(Money::zero(currency)),
    };
    let (Some(merchant), Some(sku), Some(quantity), Some(unit_price), Some(delivery)) =
        (merchant, sku, quantity, unit_price, delivery)
    else {
        return Ok(None);
    };
    let rules = merchant.commission.iter().chain(&marketplace.settings.commission);
    let fees = freeze(rules, category.as_ref(), unit_price.times(quantity)?, quantity)?;
    let (merchant, offer) = (merchant.id.clone(), None);
    Ok(Some(Line { number, merchant, sku, offer, title, category, quantity, unit_price, delivery, fees }))
}

/// Payments as they stand in a body.
pub(crate) fn payments(check: &mut Check, given: &[PlacePayment], currency: Currency) -> Vec<Payment> {
    let mut payments = Vec::with_capacity(given.len());
    for (position, payment) in given.iter().enumerate() {
        let method = check.parse::<Word>(format!("payments[{position}].method"), &payment.method);
        let amount = check.money(format!("payments[{position}].amount"), &payment.amount, currency);
        let reference = payment.reference.as_deref();
        let reference = check.maybe::<Word>(format!("payments[{position}].reference"), reference);
        if let (Some(method), Some(amount)) = (method, amount) {
            payments.push(Payment { method, amount, reference });
        }
    }
    payments
}
