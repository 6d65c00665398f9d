//! `GET /v1/audit/{id}`: the story of an order with its parts, or of a merchant with its payouts.

use axum::extract::{Path, State};
use domain::id::{MerchantId, OrderId};
use edge::{Listing, PageOf, Problem, Query, Reply, World};
use serde::Serialize;
use serde_json::Value;
use table::Key;
use table::outbox::Entry;

/// One change: who made it, why, and what is told of it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Change"))]
pub(crate) struct ChangeView {
    subject: String,
    /// The revision that it made of its subject.
    step: u64,
    at: String,
    /// `person:<subject>`, `key:<id>` or `system:<function>`.
    actor: String,
    /// The request or event that led here.
    cause: String,
    /// The first request of the chain.
    correlation: String,
    facts: Vec<FactView>,
    /// What it moved in the ledger.
    postings: Vec<PostingView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Fact"))]
struct FactView {
    name: String,
    data: Value,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Posting"))]
struct PostingView {
    currency: String,
    /// Account and amount, debit positive, as decimal text of the currency.
    entries: Vec<(String, String)>,
}

fn change(entry: Entry) -> ChangeView {
    let postings = entry.postings.iter().map(|posting| PostingView {
        currency: posting.currency().to_string(),
        entries: posting
            .entries()
            .map(|(account, amount)| (account.to_string(), amount.decimal().to_string()))
            .collect(),
    });
    ChangeView {
        postings: postings.collect(),
        subject: entry.subject,
        step: entry.step,
        at: entry.context.at.to_string(),
        actor: entry.context.actor,
        cause: entry.context.cause,
        correlation: entry.context.correlation,
        facts: entry.facts.into_iter().map(|fact| FactView { name: fact.name, data: fact.data }).collect(),
    }
}

/// Oldest changes of each subject first.
pub(crate) async fn trail(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<ChangeView>>, Problem> {
    let m = &query.caller.marketplace;
    let paging = query.parameters.read()?;
    let key = match (id.parse::<OrderId>(), id.parse::<MerchantId>()) {
        (Ok(order), _) => Key::order(m, &order),
        (_, Ok(merchant)) => Key::merchant(m, &merchant),
        (Err(_), Err(_)) => return Err(Problem::not_found("order or merchant")),
    };
    let page = world.table.story(&key, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, change)))
}
