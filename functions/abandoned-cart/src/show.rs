//! What an operator sees: sequences, recovered orders, and what reminders bring.

use axum::extract::State;
use domain::reminder::{Arm, Stage, Stop};
use domain::{Currency, Money};
use edge::query::Paging;
use edge::{Check, Listing, Problem, Query, Reply, World};
use events::Amount;
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use table::follow_up::{Figures, FollowUpSummary, Recovered};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AbandonedCart"))]
pub(crate) struct FollowUpView {
    /// Of the person, not of the cart.
    id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    arm: Arm,
    began_at: String,
    /// When reminders were written.
    written: Vec<String>,
    /// `open`, `stopped` or `recovered`.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_by: Option<Stop>,
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
}

fn view(follow_up: FollowUpSummary) -> FollowUpView {
    let FollowUpSummary { id, customer, arm, began_at, written, stage } = follow_up;
    let (status, stopped_by, order) = match stage {
        Stage::Open => ("open", None, None),
        Stage::Stopped { why, .. } => ("stopped", Some(why), None),
        Stage::Recovered { order, .. } => ("recovered", None, Some(order.to_string())),
    };
    FollowUpView {
        id: id.to_string(),
        customer: customer.map(|customer| customer.to_string()),
        arm,
        began_at: began_at.to_string(),
        written: written.iter().map(ToString::to_string).collect(),
        status,
        stopped_by,
        order,
    }
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RecoveredCart"))]
pub(crate) struct RecoveredView {
    order: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    arm: Arm,
    /// Reminders that were written before.
    reminders: u8,
    /// That the last reminder brought, whether it was used or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    total: Amount,
    began_at: String,
    placed_at: String,
}

fn recovered_view(of: Recovered) -> RecoveredView {
    RecoveredView {
        order: of.order.to_string(),
        customer: of.customer.map(|customer| customer.to_string()),
        arm: of.arm,
        reminders: of.reminders,
        code: of.code.map(|code| code.to_string()),
        total: of.total.into(),
        began_at: of.began_at.to_string(),
        placed_at: of.at.to_string(),
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct MonthPage {
    /// `2026-11`, in UTC; the running month if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Month>"))]
    month: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

impl MonthPage {
    fn read(&self, world: &World) -> Result<(Timestamp, Paging), Problem> {
        let mut check = Check::new();
        let paging = Paging::read(&mut check, self.limit.as_deref(), self.cursor.as_deref());
        let month = check.month("month", self.month.as_deref());
        check.done()?;
        Ok((month.unwrap_or_else(|| world.now()), paging))
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<MonthPage>,
) -> Result<Reply<Listing<FollowUpView>>, Problem> {
    let (at, paging) = query.parameters.read(&world)?;
    let m = &query.caller.marketplace;
    let page = world.table.follow_ups(m, at, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, view)))
}

pub(crate) async fn recovered(
    State(world): State<World>,
    query: Query<MonthPage>,
) -> Result<Reply<Listing<RecoveredView>>, Problem> {
    let (at, paging) = query.parameters.read(&world)?;
    let m = &query.caller.marketplace;
    let page = world.table.recovered_orders(m, at, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, recovered_view)))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Month {
    /// `2026-11`, in UTC; the running month if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Month>"))]
    month: Option<String>,
}

/// Of the sequences that began in a month, by currency.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AbandonedCartFigures"))]
pub(crate) struct FiguresView {
    month: String,
    currencies: Vec<CurrencyFigures>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(rename = "CurrencyAbandonedCartFigures")
)]
struct CurrencyFigures {
    currency: String,
    reminded: ArmFigures,
    held_out: ArmFigures,
    /// Percentage points by which the recovered share of the reminded is above that of the held out: what reminders
    /// bring. None where one of the two is empty. With few carts it is chance.
    #[serde(skip_serializing_if = "Option::is_none")]
    uplift_points: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReminderArmFigures"))]
struct ArmFigures {
    /// Carts that were left.
    began: i64,
    /// Those that became an order in time.
    recovered: i64,
    /// Of a hundred, rounded half away from zero to two decimals; none of none.
    #[serde(skip_serializing_if = "Option::is_none")]
    recovered_percent: Option<String>,
    revenue: Amount,
}

fn percent(figures: Figures) -> Option<Decimal> {
    Decimal::from(figures.recovered).checked_mul(Decimal::ONE_HUNDRED)?.checked_div(figures.began.into())
}

fn two(percent: Decimal) -> String {
    format!("{:.2}", percent.round_dp_with_strategy(2, rust_decimal::RoundingStrategy::MidpointAwayFromZero))
}

fn arm(figures: Figures, currency: Currency) -> ArmFigures {
    ArmFigures {
        began: figures.began,
        recovered: figures.recovered,
        recovered_percent: percent(figures).map(two),
        revenue: Money::new(figures.revenue, currency).into(),
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
    let figures = world.table.reminder_figures(&query.caller.marketplace, at).await?;
    let currencies: BTreeSet<Currency> = figures.keys().map(|(_, currency)| *currency).collect();
    let of = |currency: Currency| {
        let [reminded, held_out] = [Arm::Reminded, Arm::HeldOut]
            .map(|arm| figures.get(&(arm, currency)).copied().unwrap_or_default());
        let uplift = percent(reminded).zip(percent(held_out)).map(|(with, without)| with - without);
        CurrencyFigures {
            currency: currency.to_string(),
            reminded: arm(reminded, currency),
            held_out: arm(held_out, currency),
            uplift_points: uplift.map(two),
        }
    };
    let currencies = currencies.into_iter().map(of).collect();
    Ok(Reply::ok(FiguresView { month: at.strftime("%Y-%m").to_string(), currencies }))
}
