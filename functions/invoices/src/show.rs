//! How documents are shown: one, and lists: of a subscription, of a customer, and of all numbers.

use axum::extract::{Path, State};
use domain::id::{InvoiceId, SubscriptionId};
use domain::invoice::{Invoice, Number};
use domain::subscription::Subscription;
use edge::billing::DocumentView;
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Listing, Problem, Query, Reply, World};
use serde::Deserialize;
use table::{Held, Key, Page};

/// A document that the caller may see; another's is not there.
pub(crate) async fn load<T>(world: &World, query: &Query<T>, id: &str) -> Result<Held<Invoice>, Problem> {
    let unknown = || Problem::not_found("invoice");
    let id: InvoiceId = id.parse().map_err(|_| unknown())?;
    let held = world.table.invoice(&query.caller.marketplace, &id).await?.ok_or_else(unknown)?;
    if query.caller.owns(&query.reach, &held.value.customer) { Ok(held) } else { Err(unknown()) }
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<DocumentView>, Problem> {
    let held = load(&world, &query, &id).await?;
    Ok(Reply::ok(DocumentView::of(&held.value)?).revision(held.revision()))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Whose; a customer who has signed in may leave it out.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::CustomerId>"))]
    customer: Option<String>,
    /// Only of this subscription.
    #[cfg_attr(feature = "schema", schemars(with = "Option<SubscriptionId>"))]
    subscription: Option<String>,
    /// Only the one with this number: `2026-000017`.
    #[cfg_attr(feature = "schema", schemars(regex(pattern = r"^[1-9][0-9]{3}-[0-9]{6}$")))]
    number: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<DocumentView>>, Problem> {
    let (m, which) = (&query.caller.marketplace, &query.parameters);
    let mut check = Check::new();
    let paging = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let subscription = check.maybe::<SubscriptionId>("subscription", which.subscription.as_deref());
    let number = check.maybe::<Number>("number", which.number.as_deref());
    let customer = query.whose(&mut check, which.customer.as_deref())?;
    if [&which.customer, &which.subscription, &which.number].iter().filter(|one| one.is_some()).count() > 1 {
        check.wrong("customer", "conflict", "want one of `customer`, `subscription` and `number`");
    }
    check.done()?;
    let (limit, after) = (paging.limit, paging.after.as_ref());
    let page = match (number, subscription, customer) {
        (Some(number), ..) => {
            let held = world.table.invoice_of_number(m, number).await?;
            let own = held.filter(|held| query.caller.owns(&query.reach, &held.value.customer));
            Page { items: own.into_iter().collect(), next: None }
        }
        (None, Some(id), _) => {
            let owner = world.table.load::<Subscription>(&Key::subscription(m, &id)).await?;
            let own = owner.filter(|held| query.caller.owns(&query.reach, &held.value.customer));
            own.ok_or_else(|| Problem::not_found("subscription"))?;
            world.table.invoices_of(m, &id, limit, after).await?
        }
        (None, None, Some(customer)) => world.table.invoices_of_customer(m, &customer, limit, after).await?,
        (None, None, None) => world.table.invoices_by_number(m, limit, after).await?,
    };
    let views: Result<Vec<_>, _> = page.items.iter().map(|held| DocumentView::of(&held.value)).collect();
    Ok(Reply::ok(Listing::of(Page { items: views?, next: page.next }, |view| view)))
}
