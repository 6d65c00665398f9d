//! How cases are shown, and what came of a month's.

use axum::extract::{Path, State};
use domain::dunning::{Duty, Step};
use domain::id::InvoiceId;
use domain::{Currency, Money};
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Listing, Problem, Query, Reply, World};
use events::Amount;
use serde::{Deserialize, Serialize};
use table::dunning::{CaseSummary, Figures, case_summary};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DunningCase"))]
pub(crate) struct CaseView {
    invoice: String,
    subscription: String,
    customer: String,
    plan: String,
    due: Amount,
    opened_at: String,
    step: Step,
    /// The try that comes next by itself, counted from 1 …
    #[serde(skip_serializing_if = "Option::is_none")]
    attempt: Option<u16>,
    /// … of so many; none where nothing is tried by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    attempts: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_at: Option<String>,
    /// What comes then.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<Duty>,
}

fn view(case: CaseSummary) -> CaseView {
    CaseView {
        invoice: case.invoice.to_string(),
        subscription: case.subscription.to_string(),
        customer: case.customer.to_string(),
        plan: case.plan.to_string(),
        due: case.due.into(),
        opened_at: case.opened_at.to_string(),
        step: case.step,
        attempt: case.attempt.map(|(next, _)| next),
        attempts: case.attempt.and_then(|(_, of)| u16::try_from(of).ok()),
        next_at: case.next.map(|(at, _)| at.to_string()),
        next: case.next.map(|(_, duty)| duty),
    }
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(invoice): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<CaseView>, Problem> {
    let unknown = || Problem::not_found("dunning case");
    let invoice: InvoiceId = invoice.parse().map_err(|_| unknown())?;
    let held = world.table.dunning_case(&query.caller.marketplace, &invoice).await?;
    let held = held.ok_or_else(unknown)?;
    Ok(Reply::ok(view(case_summary(&held.value))).revision(held.revision()))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// `2026-11`: cases that ended in this month; those that are open, if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Month>"))]
    ended_in: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<CaseView>>, Problem> {
    let (m, which) = (&query.caller.marketplace, &query.parameters);
    let mut check = Check::new();
    let paging = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let ended = check.month("ended_in", which.ended_in.as_deref());
    check.done()?;
    let (limit, after) = (paging.limit, paging.after.as_ref());
    let page = match ended {
        Some(at) => world.table.ended_cases(m, at, limit, after).await?,
        None => world.table.open_cases(m, limit, after).await?,
    };
    Ok(Reply::ok(Listing::of(page, view)))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Month {
    /// `2026-11`, in UTC; the running month if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Month>"))]
    month: Option<String>,
}

/// Failed payments of a month, by currency.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DunningFigures"))]
pub(crate) struct FiguresView {
    month: String,
    currencies: Vec<CurrencyFigures>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CurrencyDunningFigures"))]
struct CurrencyFigures {
    /// Invoices whose payment failed for the first time in the month, and what they come to.
    opened: i64,
    opened_amount: Amount,
    /// Cases that were recovered in the month, whenever they had begun.
    recovered: i64,
    recovered_amount: Amount,
    /// Cases that ended without the money.
    lost: i64,
    lost_amount: Amount,
}

fn figures_of((currency, figures): (Currency, Figures)) -> CurrencyFigures {
    let amount = |minor: i64| Amount::from(Money::new(minor, currency));
    CurrencyFigures {
        opened: figures.opened.0,
        opened_amount: amount(figures.opened.1),
        recovered: figures.recovered.0,
        recovered_amount: amount(figures.recovered.1),
        lost: figures.lost.0,
        lost_amount: amount(figures.lost.1),
    }
}

pub(crate) async fn figures(
    State(world): State<World>,
    query: Query<Month>,
) -> Result<Reply<FiguresView>, Problem> {
    let mut check = Check::new();
    let asked = check.month("month", query.parameters.month.as_deref());
    check.done()?;
    let at = asked.unwrap_or_else(|| world.now());
    let figures = world.table.dunning_figures(&query.caller.marketplace, at).await?;
    let currencies = figures.into_iter().map(figures_of).collect();
    Ok(Reply::ok(FiguresView { month: at.strftime("%Y-%m").to_string(), currencies }))
}
