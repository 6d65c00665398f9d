//! An order's page: whoever has its link sees what was bought and where it is, and nobody's name.
//!
//! How the link is signed stands in `edge::sealed`.

use axum::extract::{Path, State};
use domain::delivery::Service;
use domain::id::OrderId;
use domain::merchant_order::MerchantOrder;
use domain::order::Order;
use edge::sealed::is_order_page;
use edge::{Problem, Query, Reply, World};
use events::Amount;
use serde::{Deserialize, Serialize};
use table::order::{merchant_order_status, order_status};
use table::payment::payment_status;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Signed {
    /// From the link.
    signature: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "OrderPage"))]
pub(crate) struct PageView {
    id: String,
    /// `awaiting_payment`, `paid` or `canceled`.
    status: &'static str,
    placed_at: String,
    total: Amount,
    refunded: Amount,
    lines: Vec<PageLine>,
    /// One per merchant; its status is `awaiting_payment` until a moment after placement.
    parts: Vec<PagePart>,
    payments: Vec<PagePayment>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PageLine {
    line: u16,
    merchant: String,
    title: String,
    quantity: u32,
    total: Amount,
    tax: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PagePart {
    merchant: String,
    /// `awaiting_payment`, `open`, `delivered` or `canceled`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    service: Option<Service>,
    delivery: Amount,
    parcels: Vec<Parcel>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PageParcel"))]
struct Parcel {
    carrier: String,
    tracking_number: String,
    shipped_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered_at: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct PagePayment {
    method: domain::gateway::Method,
    amount: Amount,
    status: &'static str,
}

/// A wrong signature finds nothing, as a wrong id does.
pub(crate) async fn show(
    State(world): State<World>,
    Path(order): Path<String>,
    query: Query<Signed>,
) -> Result<Reply<PageView>, Problem> {
    let none = || Problem::not_found("order");
    let id: OrderId = order.parse().map_err(|_| none())?;
    let found = world.table.paid_order(&query.caller.marketplace, &id).await?.ok_or_else(none)?;
    let order = &found.whole.order.value;
    let bought = order.bought.as_ref().ok_or_else(none)?;
    if !is_order_page(&id, &bought.cart, &query.parameters.signature) {
        return Err(none());
    }
    let payments = found.payments.iter().map(|held| &held.value).filter(|payment| payment.finalized);
    let payments = payments.map(|payment| PagePayment {
        method: payment.method,
        amount: payment.amount.into(),
        status: payment_status(&payment.stage()),
    });
    let kept: Vec<&MerchantOrder> = found.whole.parts.iter().map(|held| &held.value).collect();
    let made = if kept.is_empty() { domain::order::split(order)? } else { Vec::new() };
    let parts = kept.into_iter().chain(&made).map(|shown| part(order, shown));
    Ok(Reply::ok(PageView {
        id: id.to_string(),
        status: order_status(&order.stage),
        placed_at: order.placed_at.to_string(),
        total: order.total()?.into(),
        refunded: order.refunded.into(),
        lines: order.lines.iter().map(line).collect::<Result<_, _>>()?,
        parts: parts.collect(),
        payments: payments.collect(),
    })
    .revision(found.whole.order.revision()))
}

fn line(line: &domain::order::Line) -> Result<PageLine, Problem> {
    let total = line.items()?;
    let tax = line.priced.as_ref().map_or(domain::Money::zero(total.currency), |priced| priced.tax.amount);
    Ok(PageLine {
        line: line.number,
        merchant: line.merchant.to_string(),
        title: line.title.as_ref().map_or_else(|| line.sku.to_string(), ToString::to_string),
        quantity: line.quantity,
        total: total.into(),
        tax: tax.into(),
    })
}

fn part(order: &Order, part: &MerchantOrder) -> PagePart {
    let bought = order.bought.as_ref();
    let delivery =
        bought.and_then(|bought| bought.deliveries.iter().find(|one| one.merchant == part.merchant));
    let parcel = |shipment: &domain::merchant_order::Shipment| Parcel {
        carrier: shipment.carrier.to_string(),
        tracking_number: shipment.tracking_number.to_string(),
        shipped_at: shipment.shipped_at.to_string(),
        delivered_at: shipment.delivered_at.map(|at| at.to_string()),
    };
    PagePart {
        merchant: part.merchant.to_string(),
        status: merchant_order_status(&part.stage),
        service: delivery.map(|delivery| delivery.service),
        delivery: part.delivery.into(),
        parcels: part.shipments.iter().map(parcel).collect(),
    }
}
