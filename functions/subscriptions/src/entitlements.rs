//! What a customer's subscriptions give at this moment, for whoever gives it.

use axum::extract::State;
use domain::plan::{Kind, Terms};
use domain::subscription::Subscription;
use edge::query::Paging;
use edge::{Check, Listing, Problem, Query, Reply, World};
use serde::{Deserialize, Serialize};
use table::Key;

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Whose; a customer who has signed in may leave it out.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::id::CustomerId>"))]
    customer: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Entitlement {
    subscription: String,
    plan: String,
    kind: Kind,
    quantity: u32,
    /// Whether it may be used now.
    active: bool,
    /// Up to when it is paid, or free. A renewal that is late takes nothing away: `active` decides.
    #[serde(skip_serializing_if = "Option::is_none")]
    valid_until: Option<String>,
    features: Vec<String>,
    media: Vec<String>,
}

/// Strongly consistent for every subscription that the list knows; one that began this moment may be missing from it.
pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<Entitlement>>, Problem> {
    let (m, which) = (&query.caller.marketplace, &query.parameters);
    let mut check = Check::new();
    let paging = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let customer = query.whose(&mut check, which.customer.as_deref())?;
    if customer.is_none() {
        check.wrong("customer", "required", "say whose");
    }
    check.done()?;
    let Some(customer) = customer else { return Err(Problem::internal()) };
    let page =
        world.table.subscriptions_of_customer(m, &customer, paging.limit, paging.after.as_ref()).await?;
    let keys: Vec<Key> = page.items.iter().map(|row| Key::subscription(m, &row.id)).collect();
    let mut read = world.table.read(&keys).await?;
    let mut held = Vec::with_capacity(keys.len());
    for key in &keys {
        held.extend(read.take::<Subscription>(key)?.map(|held| held.value));
    }
    let mut keys: Vec<Key> = held.iter().map(|one| Key::terms(m, &one.plan, one.version)).collect();
    keys.sort();
    keys.dedup();
    let mut read = world.table.read(&keys).await?;
    let mut terms = Vec::with_capacity(keys.len());
    for key in &keys {
        terms.extend(read.take::<Terms>(key)?.map(|held| held.value));
    }
    let now = world.now();
    let shown = held.iter().filter_map(|one| {
        let of = terms.iter().find(|terms| terms.plan == one.plan && terms.version == one.version)?;
        let words = |words: &[domain::text::Word]| words.iter().map(ToString::to_string).collect();
        Some(Entitlement {
            subscription: one.id.to_string(),
            plan: one.plan.to_string(),
            kind: of.gives.kind(),
            quantity: one.quantity,
            active: one.gives(now),
            valid_until: one.valid_until().map(|at| at.to_string()),
            features: words(&of.gives.features),
            media: words(&of.gives.media),
        })
    });
    let items = shown.collect();
    Ok(Reply::ok(Listing { items, next: page.next.map(|next| next.to_string()) }))
}
