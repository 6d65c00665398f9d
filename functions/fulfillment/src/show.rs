//! How a merchant order is shown, alone and in lists.

use axum::extract::{Path, State};
use domain::Money;
use domain::id::MerchantOrderId;
use domain::merchant_order::{Earned, Line, MerchantOrder, Shipment, Units};
use edge::query::{None as NoParameters, Paging};
use edge::shopping::RateView;
use edge::{Check, Listing, Problem, Query, Reply, World};
use events::Amount;
use serde::{Deserialize, Serialize};
use table::Key;
use table::order::{MerchantOrderSummary, merchant_order_status};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MerchantOrder"))]
pub(crate) struct MerchantOrderView {
    id: String,
    order: String,
    merchant: String,
    /// `awaiting_payment`, `open`, `delivered` or `canceled`.
    status: &'static str,
    placed_at: String,
    lines: Vec<LineView>,
    /// This part's share of the order's own delivery cost.
    delivery: Amount,
    totals: TotalsView,
    /// The totals in the merchant's own currency, where that is another, at the rate of the day of the order.
    #[serde(skip_serializing_if = "Option::is_none")]
    settlement: Option<SettlementView>,
    shipments: Vec<ShipmentView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MerchantOrderLine"))]
struct LineView {
    /// The number that it has in the order.
    line: u16,
    sku: String,
    quantity: u32,
    /// Units to ship that no stock is promised to.
    short: u32,
    accepted: bool,
    /// Units that are on their way or there.
    shipped: u32,
    delivered: u32,
    canceled: u32,
    refunded: u32,
    /// What the quantity costs.
    items: Amount,
    delivery: Amount,
    /// What the marketplace keeps.
    fees: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MerchantOrderTotals"))]
struct TotalsView {
    items: Amount,
    delivery: Amount,
    fees: Amount,
    /// Tax that the marketplace owes in the merchant's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<Amount>,
    /// What the marketplace bears of the customer's discounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    supported: Option<Amount>,
    /// What the merchant earns when the part is complete.
    net: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Settlement"))]
struct SettlementView {
    #[serde(flatten)]
    rate: RateView,
    totals: TotalsView,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Shipment"))]
struct ShipmentView {
    id: String,
    carrier: String,
    tracking_number: String,
    lines: Vec<Units>,
    shipped_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<String>,
    /// It will not arrive; its units are canceled.
    #[serde(skip_serializing_if = "Option::is_none")]
    lost_at: Option<String>,
}

impl MerchantOrderView {
    pub(crate) fn of(part: &MerchantOrder) -> Self {
        // The amounts were summed when the part was made; one that cannot be summed was never stored.
        let earned = part.earned().unwrap_or(Earned::zero(part.currency));
        Self {
            id: part.id.to_string(),
            order: part.id.place().map(|(order, _)| order.to_string()).unwrap_or_default(),
            merchant: part.merchant.to_string(),
            status: merchant_order_status(&part.stage),
            placed_at: part.placed_at.to_string(),
            lines: part.lines.iter().map(line).collect(),
            delivery: part.delivery.into(),
            totals: TotalsView::of(earned),
            settlement: part.rate.as_ref().map(|rate| SettlementView {
                rate: RateView::from(rate),
                totals: TotalsView::of(earned.own(Some(rate)).unwrap_or(Earned::zero(rate.base))),
            }),
            shipments: part.shipments.iter().map(shipment).collect(),
        }
    }
}

impl TotalsView {
    fn of(earned: Earned) -> Self {
        let some = |amount: Money| (amount.minor != 0).then(|| amount.into());
        let Earned { items, delivery, fees, withheld, supported, net, .. } = earned;
        Self {
            items: items.into(),
            delivery: delivery.into(),
            fees: fees.into(),
            withheld: some(withheld),
            supported: some(supported),
            net: net.into(),
        }
    }
}

fn line(line: &Line) -> LineView {
    LineView {
        line: line.number,
        sku: line.sku.to_string(),
        quantity: line.quantity,
        short: line.short(),
        accepted: line.progress.accepted,
        shipped: line.progress.shipped,
        delivered: line.progress.delivered,
        canceled: line.progress.canceled,
        refunded: line.progress.refunded,
        items: line.items.into(),
        delivery: line.delivery.into(),
        fees: line.fees.into(),
    }
}

fn shipment(shipment: &Shipment) -> ShipmentView {
    ShipmentView {
        id: shipment.id.to_string(),
        carrier: shipment.carrier.to_string(),
        tracking_number: shipment.tracking_number.to_string(),
        lines: shipment.lines.clone(),
        shipped_at: shipment.shipped_at.to_string(),
        delivered_at: shipment.delivered_at.map(|at| at.to_string()),
        lost_at: shipment.lost_at.map(|at| at.to_string()),
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct MerchantOrderRow {
    id: String,
    merchant: String,
    /// `awaiting_payment`, `open`, `delivered` or `canceled`.
    status: String,
    placed_at: String,
    total: Amount,
}

fn row(summary: MerchantOrderSummary) -> MerchantOrderRow {
    MerchantOrderRow {
        id: summary.id.to_string(),
        merchant: summary.merchant.to_string(),
        status: summary.status,
        placed_at: summary.placed_at.to_string(),
        total: summary.total.into(),
    }
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<MerchantOrderView>, Problem> {
    let reach = &query.reach;
    let id: MerchantOrderId = id.parse().map_err(|_| Problem::not_found("merchant order"))?;
    let key = Key::merchant_order(&query.caller.marketplace, &id);
    let key = key.ok_or_else(|| Problem::not_found("merchant order"))?;
    let held = world.table.load::<MerchantOrder>(&key).await?;
    let held = held.filter(|held| reach.covers(&held.value.merchant));
    let held = held.ok_or_else(|| Problem::not_found("merchant order"))?;
    Ok(Reply::ok(MerchantOrderView::of(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Whose; a member of one merchant may leave it out.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::MerchantId>"))]
    merchant: Option<String>,
    /// `open`: only those that are not at their end.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = "^open$")))]
    status: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<MerchantOrderRow>>, Problem> {
    let reach = &query.reach;
    let Which { merchant, status, limit, cursor } = &query.parameters;
    let mut check = Check::new();
    let paging = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
    let merchant = reach.whose(&mut check, merchant.as_deref())?;
    let open = match status.as_deref() {
        None => false,
        Some("open") => true,
        Some(other) => {
            check.wrong(
                "status",
                "format",
                format!("`{other:.20}` cannot be asked for: want `open` or nothing"),
            );
            false
        }
    };
    check.done()?;
    let Some(merchant) = merchant else { return Err(Problem::internal()) };
    let m = &query.caller.marketplace;
    let page = world.table.merchant_orders(m, &merchant, open, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}
