//! Whom a merchant ships to: shown while it is needed, read with the customer's data key, kept nowhere else.

use axum::extract::{Path, State};
use domain::customer::Person;
use domain::id::{MerchantOrderId, OrderId};
use domain::merchant_order::{MerchantOrder, RECIPIENT_SHOWN};
use domain::order::Order;
use edge::address::AddressBody;
use edge::query::None as NoParameters;
use edge::sealed::unseal;
use edge::{Problem, Query, Reply, World};
use serde::Serialize;
use table::Key;

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Recipient"))]
pub(crate) struct RecipientView {
    merchant_order: String,
    /// With the name; absent where nothing is brought.
    #[serde(skip_serializing_if = "Option::is_none")]
    address: Option<AddressBody>,
    /// For questions about the delivery, and for nothing else.
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    phone: Option<String>,
}

fn withheld() -> Problem {
    let days = RECIPIENT_SHOWN.as_hours() / 24;
    Problem::new(404, "recipient_withheld", "The recipient is not shown")
        .with(format!("it is shown from payment until {days} days after the delivery of the part"))
}

fn unknown() -> Problem {
    Problem::new(404, "recipient_unknown", "The recipient is not known here")
        .with("the order was sold by a channel: ask there where it goes")
}

fn erased() -> Problem {
    Problem::new(404, "recipient_erased", "The recipient is erased")
        .with("the customer has been forgotten; reject what you have not shipped")
}

pub(crate) async fn show(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<RecipientView>, Problem> {
    let m = &query.caller.marketplace;
    let none = || Problem::not_found("merchant order");
    let id: MerchantOrderId = id.parse().map_err(|_| none())?;
    let (order, _): (OrderId, _) = id.place().ok_or_else(none)?;
    let part = Key::merchant_order(m, &id).ok_or_else(none)?;
    let whole = Key::order(m, &order);
    let mut read = world.table.read(&[part.clone(), whole.clone()]).await?;
    let held = read.take::<MerchantOrder>(&part)?.filter(|held| query.reach.covers(&held.value.merchant));
    let held = held.ok_or_else(none)?;
    if !held.value.shows_recipient(world.now()) {
        return Err(withheld());
    }
    let whole = read.take::<Order>(&whole)?.ok_or_else(none)?.value;
    let (Some(customer), Some(_)) = (&whole.customer, &whole.bought) else { return Err(unknown()) };
    let (person, key) = world.table.order_person(m, &order, customer).await?.ok_or_else(erased)?;
    let person = unseal::<Person>(&key, order.as_str(), &person.sealed).ok_or_else(erased)?;
    let contact = person.contact.as_ref();
    Ok(Reply::ok(RecipientView {
        merchant_order: id.to_string(),
        email: contact.and_then(|contact| contact.email.as_ref()).map(ToString::to_string),
        phone: contact.and_then(|contact| contact.phone.as_ref()).map(ToString::to_string),
        address: person.address.map(AddressBody::of),
    }))
}
