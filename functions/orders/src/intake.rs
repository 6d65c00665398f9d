//! `POST /v1/orders`: an order from a channel, or one that an operator takes on the phone.
//!
//! Never refused for stock: what is there is allocated in the order's own transaction, the rest is a shortage.

use crate::show::OrderView;
use axum::extract::State;
use domain::catalog::Offer;
use domain::commission::freeze;
use domain::fx::{self, FxRate};
use domain::id::{CustomerId, MarketplaceId, MerchantId, OfferId, OrderId, derive, sha256_hex};
use domain::marketplace::Marketplace;
use domain::merchant::{Merchant, NoOrders};
use domain::order::{Intake, Line, Order, Payment};
use domain::overrides::Override;
use domain::payout::day;
use domain::stock::Shelves;
use domain::text::{Category, Channel, ExternalId, Name, Sku, Word};
use domain::{Currency, Money, MoneyError};
use edge::{Check, Command, Problem, Reply, World};
use events::{Amount, order::placed, overrides::used};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::merchant::MerchantName;
use table::{Commit, Key, Story, Uncommitted};

/// An order as a channel knows it: its own prices, freight and payments, taken as they are.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlaceOrder {
    /// Where it comes from, a word in lower case: `web`, `phone`.
    #[cfg_attr(feature = "schema", schemars(with = "Channel"))]
    channel: String,
    /// With the channel the order's name for ever; a manual order may leave it out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExternalId>"))]
    external_id: Option<String>,
    /// What the channel calls the customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExternalId>"))]
    customer_external_id: Option<String>,
    /// When it was placed; now, if not said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    occurred_at: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::order::LINES_MAX)))]
    lines: Vec<PlaceLine>,
    /// Delivery cost of the order as a whole, beside that of its lines.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<Amount>,
    /// What was paid; none is a promise of the total.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::order::PAYMENTS_MAX)))]
    payments: Vec<PlacePayment>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PlaceLine {
    /// The merchant by its id or by its external id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<MerchantId>"))]
    merchant: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExternalId>"))]
    merchant_external_id: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Sku"))]
    sku: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Name>"))]
    title: Option<String>,
    /// Fee rules may be about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    category: Option<String>,
    /// 1 to a million.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Quantity"))]
    quantity: i64,
    /// Of one unit.
    unit_price: Amount,
    /// Delivery cost of this line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<Amount>,
}

#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PlacePayment {
    /// A word of yours: `card`, `voucher`.
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    method: String,
    amount: Amount,
    /// What it is called where it was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Word>"))]
    reference: Option<String>,
}

impl PlaceOrder {
    /// The id that its name gives it, if it has one.
    fn named(&self, m: &MarketplaceId) -> Option<OrderId> {
        let channel: Channel = self.channel.parse().ok()?;
        let external_id: ExternalId = self.external_id.as_deref()?.parse().ok()?;
        Some(OrderId::of_channel(m, channel.as_str(), external_id.as_str()))
    }

    /// What tells a repeat from another order of the same name: what was said, whatever the order of fields and blanks.
    /// What is not said leaves no trace, so that a field more changes no order of before.
    fn fingerprint(&self) -> Result<String, Problem> {
        let content = serde_json::to_vec(self).map_err(|error| Problem::fault(&error))?;
        Ok(sha256_hex(&content).chars().take(16).collect())
    }
}

/// An order of this name is there already.
#[derive(Debug)]
struct PlacedBefore;

pub(crate) async fn place(
    State(world): State<World>,
    command: Command<PlaceOrder>,
) -> Result<Reply<OrderView>, Problem> {
    // Before anything is read: each line costs a read.
    let count = command.body.lines.len();
    if count > domain::order::LINES_MAX {
        return Err(domain::order::Refused::LineCount(count).into());
    }
    world.until_free(|| attempt(&world, &command)).await
}

async fn attempt(world: &World, command: &Command<PlaceOrder>) -> Result<Reply<OrderView>, Problem> {
    let m = &command.caller.marketplace;
    let now = world.now();
    let (named, id) = (command.body.external_id.is_some(), command.body.named(m));
    if !named && let Some(asked) = command.asked_before(world).await? {
        let id = asked.resource.parse().unwrap_or_else(|_| OrderId::from_bits(0));
        return repeat(world, command, &id, None).await;
    }

    let known = load(world, command, id.as_ref(), now).await?;
    // A repeat is one whatever has become of merchants and offers since.
    let known = match (known, &id) {
        (Some(known), _) => known,
        (None, Some(id)) => return repeat(world, command, id, Some(&command.body.fingerprint()?)).await,
        (None, None) => return Err(Problem::internal()),
    };
    let intake = read(world, command, &known, now)?;
    let order = Order::place(intake)?.allocate(known.shelves);

    let context = command.context(now);
    let mut facts = placed(&order)?;
    for told in known.sellers.iter().filter_map(|seller| seller.overridden.as_ref()).map(used) {
        // A merchant may be named in two ways.
        if !facts.contains(&told) {
            facts.push(told);
        }
    }
    let story = Story::new(facts).posting(order.sale()?).moving(order.movements());
    let mut commit = Commit::new(m, &context).begin(&order, order.id.as_str(), story, PlacedBefore);
    commit = commit.due_if_unpaid(&order, &known.marketplace.settings, now);
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

/// What an intake is decided on: the marketplace, every merchant that a line names, the offers that have the lines'
/// SKUs and what is on their shelves.
struct Known {
    marketplace: Marketplace,
    sellers: Vec<Seller>,
    offers: Vec<Offer>,
    shelves: Shelves,
    /// Rates of exchange, where a merchant settles in another currency.
    fx: Vec<FxRate>,
}

/// A merchant by the name that a line uses, and whether it takes the order.
#[derive(Debug, Clone)]
struct Seller {
    name: String,
    merchant: Merchant,
    takes: Result<(), NoOrders>,
    /// The manager's word without which it would not.
    overridden: Option<Override>,
}

/// The merchant with the override that lets an order in nevertheless, if it needs one and there is one.
async fn seller(
    world: &World,
    m: &MarketplaceId,
    name: &str,
    merchant: Merchant,
    now: Timestamp,
) -> Result<Seller, Problem> {
    let takes = merchant.takes_orders(now);
    let mut seller = Seller { name: name.to_owned(), takes, merchant, overridden: None };
    if let Some(policy) = seller.takes.as_ref().err().and_then(NoOrders::policy) {
        seller.overridden = world.table.override_for(m, policy, seller.merchant.id.as_str(), now).await?;
        if seller.overridden.is_some() {
            seller.takes = Ok(());
        }
    }
    Ok(seller)
}

/// In two or three batch reads, strongly consistent, however many lines there are.
/// None where an order of this name is there already.
async fn load(
    world: &World,
    command: &Command<PlaceOrder>,
    id: Option<&OrderId>,
    now: Timestamp,
) -> Result<Option<Known>, Problem> {
    let m = &command.caller.marketplace;
    let lines = &command.body.lines;
    let names: Vec<ExternalId> =
        lines.iter().filter_map(|line| line.merchant_external_id.as_ref()?.parse().ok()).collect();
    let mut ids: Vec<(String, MerchantId)> = lines
        .iter()
        .filter_map(|line| Some((line.merchant.clone()?, line.merchant.as_ref()?.parse().ok()?)))
        .collect();
    let by_name = names.iter().map(|name| Key::merchant_by_external_id(m, name.as_str()));
    let by_name: Vec<Key> = by_name.collect();
    let before = id.map(|id| Key::order(m, id));
    let keys = by_name.iter().cloned().chain([Key::marketplace(m)]).chain(before.clone());
    let mut read = world.table.read(&keys.collect::<Vec<Key>>()).await?;
    if let Some(before) = before
        && read.take::<Order>(&before)?.is_some()
    {
        return Ok(None);
    }
    let marketplace = read.take::<Marketplace>(&Key::marketplace(m))?;
    let marketplace = marketplace.ok_or_else(|| Problem::not_found("marketplace"))?.value;
    for key in &by_name {
        if let Some(name) = read.take::<MerchantName>(key)? {
            ids.push((name.value.external_id.as_str().to_owned(), name.value.merchant));
        }
    }

    let merchant_of = |line: &PlaceLine| {
        let name = line.merchant.as_ref().or(line.merchant_external_id.as_ref())?;
        ids.iter().find(|(known, _)| known == name).map(|(_, id)| id)
    };
    let offers = lines.iter().filter_map(|line| Some(OfferId::of(m, merchant_of(line)?, &line.sku)));
    let offers: Vec<Key> = offers.map(|id| Key::offer(m, &id)).collect();
    let keys: Vec<Key> = ids.iter().map(|(_, id)| Key::merchant(m, id)).chain(offers.clone()).collect();
    let mut read = world.table.read(&keys).await?;
    let mut sellers: Vec<Seller> = Vec::new();
    for (name, id) in &ids {
        if let Some(held) = read.take::<Merchant>(&Key::merchant(m, id))? {
            sellers.push(seller(world, m, name, held.value, now).await?);
        } else if let Some(known) = sellers.iter().find(|seller| seller.merchant.id == *id) {
            sellers.push(Seller { name: name.clone(), ..known.clone() });
        }
    }
    let mut found = Vec::new();
    for key in &offers {
        found.extend(read.take::<Offer>(key)?.map(|held| held.value));
    }
    let shelves = world.table.shelves(m, &found, now).await?;
    let own = marketplace.currency;
    let foreign = sellers.iter().any(|seller| seller.merchant.settles_in(own) != own);
    let sheet = if foreign { world.table.load::<fx::Sheet>(&Key::fx_rates(m)).await? } else { None };
    let fx = sheet.map(|held| held.value.rates).unwrap_or_default();
    Ok(Some(Known { marketplace, sellers, offers: found, shelves, fx }))
}

/// From words to an intake: every bad value is told at once.
fn read(
    world: &World,
    command: &Command<PlaceOrder>,
    known: &Known,
    now: Timestamp,
) -> Result<Intake, Problem> {
    let body = &command.body;
    let currency = known.marketplace.currency;
    let mut check = Check::new();
    let channel = check.parse::<Channel>("channel", &body.channel);
    let external_id = check.maybe::<ExternalId>("external_id", body.external_id.as_deref());
    let customer = check.maybe::<ExternalId>("customer_external_id", body.customer_external_id.as_deref());
    let placed_at = check.occurred_at("occurred_at", body.occurred_at.as_deref(), now);
    let delivery = body.delivery.as_ref().and_then(|amount| check.money("delivery", amount, currency));
    let mut lines = Vec::new();
    for (number, given) in (1_u16..).zip(&body.lines) {
        lines.extend(line(&mut check, number, given, known)?);
    }
    let payments = payments(&mut check, &body.payments, currency);
    let rates = rates(&mut check, known, &lines, now);
    check.done()?;
    let Some(channel) = channel else { return Err(Problem::internal()) };

    let m = &command.caller.marketplace;
    let id = body.named(m).unwrap_or_else(|| OrderId::from_bits(world.fresh()));
    let customer = customer.map(|name| {
        CustomerId::from_bits(derive(&["customer", m.as_str(), channel.as_str(), name.as_str()]))
    });
    let fingerprint = body.fingerprint()?;
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
        bought: None,
        rates,
    })
}

/// The rates of merchants who settle in another currency, as they are now.
fn rates(check: &mut Check, known: &Known, lines: &[Line], now: Timestamp) -> Vec<(MerchantId, FxRate)> {
    let to = known.marketplace.currency;
    let mut rates: Vec<(MerchantId, FxRate)> = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let seller = known.sellers.iter().find(|seller| seller.merchant.id == line.merchant);
        let from = seller.map_or(to, |seller| seller.merchant.settles_in(to));
        if from == to || rates.iter().any(|(of, _)| *of == line.merchant) {
            continue;
        }
        match fx::find(&known.fx, from, to, day(now)) {
            Ok(rate) => rates.push((line.merchant.clone(), rate.clone())),
            Err(error) => check.wrong(format!("lines[{at}].merchant"), "no_exchange_rate", error),
        }
    }
    rates
}

fn line(check: &mut Check, number: u16, given: &PlaceLine, known: &Known) -> Result<Option<Line>, Problem> {
    let at = |field: &str| format!("lines[{}].{field}", number.saturating_sub(1));
    let Known { marketplace, sellers, offers, .. } = known;
    let currency = marketplace.currency;
    let merchant = match (&given.merchant, &given.merchant_external_id) {
        (Some(name), None) | (None, Some(name)) => {
            let found = sellers.iter().find(|seller| seller.name == *name);
            match found.map(|seller| (&seller.merchant, &seller.takes)) {
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
    let offer = offers.iter().find(|offer| offer.merchant == merchant.id && offer.sku == sku);
    let title = title.or_else(|| offer.map(|offer| offer.title.clone()));
    let category = category.or_else(|| offer.and_then(|offer| offer.category.clone()));
    let allocations = offer.filter(|offer| offer.keeps_stock).map(|_| Vec::new());
    let rules = merchant.commission.iter().chain(&marketplace.settings.commission);
    let fees = freeze(rules, category.as_ref(), unit_price.times(quantity)?, quantity, Ok::<_, MoneyError>)?;
    Ok(Some(Line {
        number,
        merchant: merchant.id.clone(),
        sku,
        offer: offer.map(|offer| offer.id.clone()),
        title,
        category,
        quantity,
        allocations,
        unit_price,
        delivery,
        fees,
        priced: None,
    }))
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
