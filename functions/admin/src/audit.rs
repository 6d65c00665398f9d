//! `GET /v1/audit/{id}`: the story of any object, told with that of its whole (a part with its order, a payout with its
//! merchant, a key with the marketplace), and what was refused.

use axum::extract::{Path, State};
use domain::id::{ApiKeyId, MarketplaceId, MerchantOrderId, PayoutId};
use edge::{Listing, PageOf, Problem, Query, Reply, World};
use serde::Serialize;
use serde_json::Value;
use table::Key;
use table::audit::{Line, Refusal};
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

/// What was asked and refused by the state of the thing (A1(3)).
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct RefusalView {
    subject: String,
    at: String,
    actor: String,
    cause: String,
    /// Method and path of the request.
    refused: String,
    code: String,
    detail: String,
}

#[derive(Debug, Clone, Serialize)]
#[serde(untagged)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) enum LineView {
    Refusal(RefusalView),
    Change(ChangeView),
}

fn line(line: Line) -> LineView {
    match line {
        Line::Changed(entry) => LineView::Change(change(entry)),
        Line::Refused(Refusal { subject, at, actor, request: cause, action: refused, code, why: detail }) => {
            let at = at.to_string();
            LineView::Refusal(RefusalView { subject, at, actor, cause, refused, code, detail })
        }
    }
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

/// Where the trail of a thing lies.
fn partition(m: &MarketplaceId, id: &str) -> Option<Key> {
    let (prefix, _) = id.split_once('_')?;
    match prefix {
        "mkt" => id.parse::<MarketplaceId>().ok().filter(|asked| asked == m).map(|m| Key::marketplace(&m)),
        "key" => id.parse::<ApiKeyId>().ok().map(|_| Key::marketplace(m)),
        "mer" => id.parse().ok().map(|id| Key::merchant(m, &id)),
        "pyo" => id.parse::<PayoutId>().ok()?.place().map(|(merchant, _)| Key::merchant(m, &merchant)),
        "ord" => id.parse().ok().map(|id| Key::order(m, &id)),
        "mor" => id.parse::<MerchantOrderId>().ok()?.place().map(|(order, _)| Key::order(m, &order)),
        "prd" => id.parse().ok().map(|id| Key::product(m, &id)),
        "prp" => id.parse().ok().map(|id| Key::proposal(m, &id)),
        "off" => id.parse().ok().map(|id| Key::offer(m, &id)),
        "cus" => id.parse().ok().map(|id| Key::customer(m, &id)),
        "ovr" => id.parse().ok().map(|id| Key::override_(m, &id)),
        "sup" => id.split_once('_')?.1.parse().ok().map(|digest| Key::suppression(m, &digest)),
        "ast" => id.parse().ok().map(|id| Key::asset(m, &id)),
        "whe" => id.parse().ok().map(|id| Key::webhook_endpoint(m, &id)),
        _ => None,
    }
}

/// What was refused, then the oldest changes of each subject first.
pub(crate) async fn trail(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<LineView>>, Problem> {
    let m = &query.caller.marketplace;
    let paging = query.parameters.read()?;
    let key = partition(m, &id).ok_or_else(|| Problem::not_found("thing with a trail"))?;
    let page = world.table.trail(&key, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, line)))
}
