//! Where orders and merchant orders lie, and the lists that show them.

use crate::due::{Work, night};
use crate::key::{Key, Place};
use crate::list::List;
use crate::record::from_item;
use crate::{Commit, Cursor, Fault, Held, Page, Record, Table};
use domain::Money;
use domain::id::{CustomerId, MarketplaceId, MerchantId, MerchantOrderId, OrderId};
use domain::marketplace::Settings;
use domain::merchant_order::{self, MerchantOrder};
use domain::order::{Exception, Order, Stage};
use domain::payout::day;
use domain::text::{Channel, ExternalId};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// What lists show of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderSummary {
    pub id: OrderId,
    pub channel: Channel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    pub status: String,
    pub placed_at: Timestamp,
    pub total: Money,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub exception: bool,
}

/// The word for an order's stage in API, lists and filters.
pub fn order_status(stage: &Stage) -> &'static str {
    match stage {
        Stage::AwaitingPayment => "awaiting_payment",
        Stage::Paid { .. } => "paid",
        Stage::Canceled { .. } => "canceled",
    }
}

/// The word for a merchant order's stage in API, lists and filters.
pub fn merchant_order_status(stage: &merchant_order::Stage) -> &'static str {
    match stage {
        merchant_order::Stage::AwaitingPayment => "awaiting_payment",
        merchant_order::Stage::Open { .. } => "open",
        merchant_order::Stage::Delivered { .. } => "delivered",
        merchant_order::Stage::Canceled { .. } => "canceled",
    }
}

impl Record for Order {
    const KIND: &'static str = "order.1";
    type Summary = OrderSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::order(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let mut places = vec![Place::order_of_day(m, self.placed_at, &self.id)];
        if let Some(customer) = &self.customer {
            places.push(Place::order_of_customer(m, customer, self.placed_at, &self.id));
        }
        if let Some(Exception::Open { .. }) = self.exception {
            places.push(Place::open_exception(m, self.placed_at, &self.id));
        }
        places
    }

    fn summary(&self) -> Option<OrderSummary> {
        Some(OrderSummary {
            id: self.id.clone(),
            channel: self.channel.clone(),
            external_id: self.external_id.clone(),
            status: order_status(&self.stage).to_owned(),
            placed_at: self.placed_at,
            total: self.total().ok()?,
            exception: matches!(self.exception, Some(Exception::Open { .. })),
        })
    }
}

/// What lists show of a merchant order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantOrderSummary {
    pub id: MerchantOrderId,
    pub merchant: MerchantId,
    pub status: String,
    pub placed_at: Timestamp,
    pub total: Money,
}

impl Record for MerchantOrder {
    const KIND: &'static str = "merchant_order.1";
    type Summary = MerchantOrderSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        // The id of a part is made from its order, so the form always fits.
        Key::merchant_order(m, &self.id).unwrap_or_else(|| Key::merchant(m, &self.merchant))
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let mut places = vec![Place::merchant_order(m, &self.merchant, self.placed_at, self.id.as_str())];
        if let merchant_order::Stage::AwaitingPayment | merchant_order::Stage::Open { .. } = self.stage {
            places.push(Place::open_merchant_order(m, &self.merchant, self.placed_at, self.id.as_str()));
        }
        places
    }

    fn summary(&self) -> Option<MerchantOrderSummary> {
        Some(MerchantOrderSummary {
            id: self.id.clone(),
            merchant: self.merchant.clone(),
            status: merchant_order_status(&self.stage).to_owned(),
            placed_at: self.placed_at,
            total: self.worth().ok()?,
        })
    }
}

/// An order with its parts, as one query reads them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeOrder {
    pub order: Held<Order>,
    /// In the order of their numbers; empty before the split.
    pub parts: Vec<Held<MerchantOrder>>,
}

impl<C: Debug> Commit<'_, C> {
    /// With the night in which an order is looked at, if it may be canceled then.
    pub fn due_if_unpaid(self, order: &Order, settings: &Settings, now: Timestamp) -> Self {
        match order.stage {
            Stage::AwaitingPayment if order.payments.is_empty() && settings.unpaid_days > 0 => {
                // The day itself is over first: nobody waits shorter than was said.
                let days = i64::from(settings.unpaid_days).saturating_add(1);
                self.due(Work::Unpaid, order.id.as_str(), night(day(now).saturating_add(days.days())))
            }
            Stage::AwaitingPayment | Stage::Paid { .. } | Stage::Canceled { .. } => self,
        }
    }
}

impl Table {
    /// The order and its merchant orders, strongly consistent; one query, where they fit a page.
    pub async fn whole_order(&self, m: &MarketplaceId, id: &OrderId) -> Result<Option<WholeOrder>, Fault> {
        let pk = Key::order(m, id).pk;
        let (mut order, mut parts, mut after) = (None, Vec::new(), None);
        loop {
            // A page also ends at 1 MB, before the order where its parts are large.
            let (items, next) = self.range(&pk, ("MOR#", "ORD"), 100, after.as_ref(), true).await?;
            for item in items {
                match item.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str) {
                    Some(Order::KIND) => order = Some(from_item::<Order>(item)?),
                    _ => parts.push(from_item::<MerchantOrder>(item)?),
                }
            }
            if next.is_none() {
                return Ok(order.map(|order| WholeOrder { order, parts }));
            }
            after = next;
        }
    }

    /// Orders placed from one day to another, newest first.
    pub async fn orders_of_days(
        &self,
        m: &MarketplaceId,
        days: (Date, Date),
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<OrderSummary>, Fault> {
        self.list_days::<Order>(m, "ORDDAY", days, limit, after).await
    }

    /// A customer's orders, newest first.
    pub async fn orders_of_customer(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<OrderSummary>, Fault> {
        let list =
            List::of(Place::order_of_customer(m, customer, Timestamp::UNIX_EPOCH, &OrderId::from_bits(0)));
        self.list::<Order>(&list, limit, after).await
    }

    /// All open exceptions, newest first.
    pub async fn open_exceptions(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<OrderSummary>, Fault> {
        let list = List::of(Place::open_exception(m, Timestamp::UNIX_EPOCH, &OrderId::from_bits(0)));
        self.list::<Order>(&list, limit, after).await
    }

    /// A merchant's orders, newest first; `open`: only those that are not at their end.
    pub async fn merchant_orders(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        open: bool,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<MerchantOrderSummary>, Fault> {
        let place = if open { Place::open_merchant_order } else { Place::merchant_order };
        let list = List::of(place(m, merchant, Timestamp::UNIX_EPOCH, ""));
        self.list::<MerchantOrder>(&list, limit, after).await
    }
}
