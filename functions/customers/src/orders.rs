//! A customer's orders. What an order looks like is its page, which `checkout` shows; here is the way to it.

use axum::extract::{Path, State};
use domain::id::OrderId;
use domain::order::Order;
use edge::query::None as NoParameters;
use edge::sealed::order_page;
use edge::{Listing, PageOf, Problem, Query, Reply, World};
use events::Amount;
use serde::Serialize;
use table::Key;
use table::order::{OrderSummary, order_status};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CustomerOrderRow {
    id: String,
    /// `awaiting_payment`, `paid` or `canceled`.
    status: String,
    placed_at: String,
    total: Amount,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CustomerOrder"))]
pub(crate) struct CustomerOrderView {
    id: String,
    /// `awaiting_payment`, `paid` or `canceled`.
    status: &'static str,
    placed_at: String,
    total: Amount,
    refunded: Amount,
    /// The path of its page, with everything that is to be seen of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
}

impl CustomerOrderView {
    pub(crate) fn of(order: &Order) -> Result<Self, Problem> {
        Ok(Self {
            id: order.id.to_string(),
            status: order_status(&order.stage),
            placed_at: order.placed_at.to_string(),
            total: order.total()?.into(),
            refunded: order.refunded.into(),
            page: order.bought.as_ref().map(|bought| order_page(&order.id, &bought.cart)),
        })
    }
}

fn row(summary: OrderSummary) -> CustomerOrderRow {
    CustomerOrderRow {
        id: summary.id.to_string(),
        status: summary.status,
        placed_at: summary.placed_at.to_string(),
        total: summary.total.into(),
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<CustomerOrderRow>>, Problem> {
    let (m, customer) = (&query.caller.marketplace, query.caller.customer()?);
    let paging = query.parameters.read()?;
    let page = world.table.orders_of_customer(m, &customer, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, row)))
}

/// Another customer's order is not there.
pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<CustomerOrderView>, Problem> {
    let (m, customer) = (&query.caller.marketplace, query.caller.customer()?);
    let none = || Problem::not_found("order");
    let id: OrderId = id.parse().map_err(|_| none())?;
    let held = world.table.load::<Order>(&Key::order(m, &id)).await?;
    let held = held.filter(|held| held.value.customer.as_ref() == Some(&customer)).ok_or_else(none)?;
    Ok(Reply::ok(CustomerOrderView::of(&held.value)?).revision(held.revision()))
}
