//! How an order is shown, alone and in lists.

use axum::extract::{Path, State};
use domain::MoneyError;
use domain::delivery::Service;
use domain::id::{CustomerId, MarketplaceId, MerchantId, OrderId};
use domain::merchant_order::MerchantOrder;
use domain::order::{Bought, Delivery, Exception, ExceptionKind, Line, Order, Stage};
use domain::text::{Channel, ExternalId};
use edge::query::{None as NoParameters, Paging};
use edge::shopping::TaxView;
use edge::{Check, Listing, Problem, Query, Reply, World};
use events::Amount;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use table::order::{OrderSummary, merchant_order_status, order_status};
use table::{Cursor, Key, Page, Record};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Order"))]
pub(crate) struct OrderView {
    id: String,
    channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// The same for every order of the customer in this channel.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// `awaiting_payment`, `paid` or `canceled`.
    status: &'static str,
    placed_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    paid_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    canceled_at: Option<String>,
    lines: Vec<LineView>,
    /// Delivery cost of the order as a whole, beside that of its lines and of the merchants' parts.
    delivery: Amount,
    /// What a checkout has fixed; none of an order that a channel has sold.
    #[serde(skip_serializing_if = "Option::is_none")]
    bought: Option<BoughtView>,
    payments: Vec<PaymentView>,
    totals: TotalsView,
    /// Where payments and lines differ.
    #[serde(skip_serializing_if = "Option::is_none")]
    exception: Option<ExceptionView>,
    /// Empty until the split, a moment after placement.
    merchant_orders: Vec<PartView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderLine"))]
struct LineView {
    line: u16,
    merchant: String,
    sku: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    offer: Option<String>,
    quantity: u32,
    /// Units that no stock was there for when the order came in.
    short: u32,
    unit_price: Amount,
    /// What the customer pays for it: as the checkout has priced it, else quantity times unit price.
    items: Amount,
    /// Discounts that are taken off already, and the tax; none of a line that a channel has sold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[cfg_attr(feature = "schema", schemars(default))]
    discounts: Vec<Amount>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tax: Option<TaxView>,
    delivery: Amount,
    /// What the marketplace keeps, frozen at placement.
    fees: Vec<FeeView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderBought"))]
struct BoughtView {
    /// Whether the tax is `included` in prices or `added` to them.
    prices: &'static str,
    /// Whether it is rounded once per `line` or on each `unit`.
    rounding: &'static str,
    /// The country that it goes to.
    country: String,
    /// The buyer's tax id, as it was.
    #[serde(skip_serializing_if = "Option::is_none")]
    tax_id: Option<String>,
    /// One per merchant that brings something.
    deliveries: Vec<DeliveryView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderDelivery"))]
struct DeliveryView {
    merchant: String,
    service: Service,
    total: Amount,
    /// One for each category that it is taxed as.
    taxes: Vec<TaxView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Fee"))]
struct FeeView {
    fee: String,
    amount: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Payment"))]
struct PaymentView {
    method: String,
    amount: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderTotals"))]
struct TotalsView {
    items: Amount,
    delivery: Amount,
    /// Items and delivery.
    total: Amount,
    paid: Amount,
    refunded: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderException"))]
struct ExceptionView {
    /// `open` or `resolved`.
    state: &'static str,
    kind: ExceptionKind,
    /// Paid − bought, as it stands on the suspense account.
    difference: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderPart"))]
struct PartView {
    id: String,
    merchant: String,
    /// `awaiting_payment`, `open`, `delivered` or `canceled`.
    status: &'static str,
}

impl OrderView {
    pub(crate) fn of(order: &Order, parts: &[MerchantOrder]) -> Result<Self, MoneyError> {
        let text = |text: &dyn std::fmt::Display| text.to_string();
        let lines: Result<Vec<_>, _> = order.lines.iter().map(line).collect();
        let (paid_at, canceled_at) = match &order.stage {
            Stage::AwaitingPayment => (None, None),
            Stage::Paid { since } => (Some(text(since)), None),
            Stage::Canceled { since, .. } => (None, Some(text(since))),
        };
        let part = |part: &MerchantOrder| PartView {
            id: text(&part.id),
            merchant: text(&part.merchant),
            status: merchant_order_status(&part.stage),
        };
        Ok(Self {
            id: text(&order.id),
            channel: text(&order.channel),
            external_id: order.external_id.as_ref().map(|id| text(id)),
            customer: order.customer.as_ref().map(|id| text(id)),
            status: order_status(&order.stage),
            placed_at: text(&order.placed_at),
            paid_at,
            canceled_at,
            lines: lines?,
            delivery: order.delivery.into(),
            bought: order.bought.as_ref().map(bought),
            payments: order.payments.iter().map(payment).collect(),
            totals: TotalsView {
                items: order.items()?.into(),
                delivery: order.delivery_total()?.into(),
                total: order.total()?.into(),
                paid: order.paid()?.into(),
                refunded: order.refunded.into(),
            },
            exception: exception(order),
            merchant_orders: parts.iter().map(part).collect(),
        })
    }
}

fn bought(bought: &Bought) -> BoughtView {
    let delivery = |delivery: &Delivery| DeliveryView {
        merchant: delivery.merchant.to_string(),
        service: delivery.service,
        total: delivery.total.into(),
        taxes: delivery.taxes.iter().map(TaxView::from).collect(),
    };
    BoughtView {
        prices: bought.mode.prices.word(),
        rounding: bought.mode.rounding.word(),
        country: bought.to.country.to_string(),
        tax_id: bought.tax_id.as_ref().map(ToString::to_string),
        deliveries: bought.deliveries.iter().map(delivery).collect(),
    }
}

fn line(line: &Line) -> Result<LineView, MoneyError> {
    let fee = |fee: &domain::commission::Fee| FeeView { fee: fee.fee.to_string(), amount: fee.amount.into() };
    Ok(LineView {
        line: line.number,
        merchant: line.merchant.to_string(),
        sku: line.sku.to_string(),
        title: line.title.as_ref().map(ToString::to_string),
        category: line.category.as_ref().map(ToString::to_string),
        offer: line.offer.as_ref().map(ToString::to_string),
        quantity: line.quantity,
        short: line.short(),
        unit_price: line.unit_price.into(),
        items: line.items()?.into(),
        discounts: line.priced.iter().flat_map(|of| &of.discounts).map(|share| share.amount.into()).collect(),
        tax: line.priced.as_ref().map(|priced| TaxView::from(&priced.tax)),
        delivery: line.delivery.into(),
        fees: line.fees.iter().map(fee).collect(),
    })
}

fn payment(payment: &domain::order::Payment) -> PaymentView {
    PaymentView {
        method: payment.method.to_string(),
        amount: payment.amount.into(),
        reference: payment.reference.as_ref().map(ToString::to_string),
    }
}

fn exception(order: &Order) -> Option<ExceptionView> {
    let (state, kind) = match order.exception.as_ref()? {
        Exception::Open { kind } => ("open", *kind),
        Exception::Resolved { kind, .. } => ("resolved", *kind),
    };
    Some(ExceptionView { state, kind, difference: order.difference.into() })
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OrderRow {
    id: String,
    channel: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    external_id: Option<String>,
    /// `awaiting_payment`, `paid` or `canceled`.
    status: String,
    placed_at: String,
    total: Amount,
    /// Whether one is open.
    exception: bool,
}

fn row(summary: OrderSummary) -> OrderRow {
    OrderRow {
        id: summary.id.to_string(),
        channel: summary.channel.to_string(),
        external_id: summary.external_id.map(|id| id.to_string()),
        status: summary.status,
        placed_at: summary.placed_at.to_string(),
        total: summary.total.into(),
        exception: summary.exception,
    }
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<OrderView>, Problem> {
    let id: OrderId = id.parse().map_err(|_| Problem::not_found("order"))?;
    let whole = world.table.whole_order(&query.caller.marketplace, &id).await?;
    let whole = whole.ok_or_else(|| Problem::not_found("order"))?;
    let parts: Vec<_> = whole.parts.iter().map(|part| part.value.clone()).collect();
    Ok(Reply::ok(OrderView::of(&whole.order.value, &parts)?).revision(whole.order.revision()))
}

/// Which orders: one of external id, customer, merchant, exception or days says where to look, no two of them; `status`
/// picks from what is found.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Where an `external_id` belongs.
    #[cfg_attr(feature = "schema", schemars(with = "Option<Channel>"))]
    channel: Option<String>,
    /// With `channel`: the one order of that name.
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExternalId>"))]
    external_id: Option<String>,
    /// Orders of this customer.
    #[cfg_attr(feature = "schema", schemars(with = "Option<CustomerId>"))]
    customer: Option<String>,
    /// Orders with a part of this merchant.
    #[cfg_attr(feature = "schema", schemars(with = "Option<MerchantId>"))]
    merchant: Option<String>,
    /// `open`: orders whose payments and lines differ and that nobody has resolved.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^open$")))]
    exception: Option<String>,
    /// Days of placement in UTC, both inclusive; the last 62 days if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Day>"))]
    from: Option<String>,
    /// Today, if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Day>"))]
    to: Option<String>,
    /// Only those that are `awaiting_payment`, `paid` or `canceled`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^(awaiting_payment|paid|canceled)$")))]
    status: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

/// Orders are looked up in one way at a time: a second one would be read over.
fn one_way(check: &mut Check, ways: &[(&'static str, bool)]) {
    let mut named = ways.iter().filter(|(_, given)| *given).map(|(name, _)| *name);
    if let (Some(first), Some(second)) = (named.next(), named.next()) {
        check.wrong(second, "conflict", format!("the list goes by `{first}` already: name one of them"));
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<OrderRow>>, Problem> {
    let m = &query.caller.marketplace;
    let which = &query.parameters;
    let mut check = Check::new();
    let Paging { limit, after } = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let today = domain::payout::day(world.now());
    let to = check.maybe::<Date>("to", which.to.as_deref()).unwrap_or(today);
    let from = check.maybe::<Date>("from", which.from.as_deref());
    let from = from.unwrap_or(to.saturating_sub(jiff::ToSpan::days(61)));
    let channel = check.maybe::<Channel>("channel", which.channel.as_deref());
    let external_id = check.maybe::<ExternalId>("external_id", which.external_id.as_deref());
    let customer = check.maybe::<CustomerId>("customer", which.customer.as_deref());
    let merchant = check.maybe::<MerchantId>("merchant", which.merchant.as_deref());
    let exceptions = matches!(which.exception.as_deref(), Some("open"));
    if !exceptions && which.exception.is_some() {
        check.wrong("exception", "format", "want `open`");
    }
    if let Some(odd) =
        which.status.as_deref().filter(|s| !["awaiting_payment", "paid", "canceled"].contains(s))
    {
        let message = format!("`{odd:.20}` is not awaiting_payment, paid or canceled");
        check.wrong("status", "format", message);
    }
    if external_id.is_some() != channel.is_some() {
        let missing = if channel.is_none() { "channel" } else { "external_id" };
        check.wrong(missing, "required", "an external id belongs to a channel: name both");
    }
    let ways = [
        ("external_id", external_id.is_some()),
        ("customer", customer.is_some()),
        ("merchant", merchant.is_some()),
        ("exception", exceptions),
        ("from", which.from.is_some() || which.to.is_some()),
    ];
    one_way(&mut check, &ways);
    check.done()?;

    let way = match (channel, external_id, customer, merchant) {
        (Some(channel), Some(name), _, _) => {
            Way::Name(OrderId::of_channel(m, channel.as_str(), name.as_str()))
        }
        (_, _, Some(customer), _) => Way::Customer(customer),
        (_, _, None, Some(merchant)) => Way::Merchant(merchant),
        _ if exceptions => Way::Exceptions,
        _ => Way::Days(from, to),
    };
    let picked = |order: &OrderSummary| which.status.as_ref().is_none_or(|status| order.status == *status);
    let mut found = Page { items: Vec::new(), next: after };
    // A rare status may be thinly spread: some pages are looked through for one.
    for _ in 0..PAGES_MAX {
        let left = limit.saturating_sub(u16::try_from(found.items.len()).unwrap_or(u16::MAX));
        let Page { items, next } = way.page(&world, m, left, found.next.as_ref()).await?;
        found.items.extend(items.into_iter().filter(picked));
        found.next = next;
        let full = found.items.len() >= usize::from(limit);
        if full || found.next.is_none() || which.status.is_none() {
            break;
        }
    }
    Ok(Reply::ok(Listing::of(found, row)))
}

/// Pages that one request looks through for orders of a status.
const PAGES_MAX: usize = 10;

/// Where orders are looked up.
enum Way {
    Name(OrderId),
    Customer(CustomerId),
    Merchant(MerchantId),
    Exceptions,
    Days(Date, Date),
}

impl Way {
    async fn page(
        &self,
        world: &World,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<OrderSummary>, Problem> {
        let table = &world.table;
        Ok(match self {
            Self::Name(id) => {
                let held = table.load::<Order>(&Key::order(m, id)).await?;
                Page { items: held.and_then(|held| held.value.summary()).into_iter().collect(), next: None }
            }
            Self::Customer(customer) => table.orders_of_customer(m, customer, limit, after).await?,
            Self::Merchant(merchant) => {
                let page = table.merchant_orders(m, merchant, false, limit, after).await?;
                let ids = page.items.iter().filter_map(|part| part.id.place());
                let keys: Vec<Key> = ids.map(|(order, _)| Key::order(m, &order)).collect();
                let orders = table.load_all::<Order>(&keys).await?;
                Page {
                    items: orders.iter().filter_map(|held| held.value.summary()).collect(),
                    next: page.next,
                }
            }
            Self::Exceptions => table.open_exceptions(m, limit, after).await?,
            Self::Days(from, to) => table.orders_of_days(m, (*from, *to), limit, after).await?,
        })
    }
}
