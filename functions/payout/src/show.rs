//! How payouts, statement lines and balances are shown.

use axum::extract::{Path, State};
use domain::id::{MerchantId, PayoutId};
use domain::ledger::MerchantEntry;
use domain::payout::{Claimed, Payout, Stage, claimable_through};
use edge::identity::Reach;
use edge::query::{None as NoParameters, Paging};
use edge::{Check, Listing, PageOf, Problem, Query, Reply, World};
use events::Amount;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use table::payout::{PayoutSummary, payout_status};
use table::{Held, Key};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Payout"))]
pub(crate) struct PayoutView {
    id: String,
    merchant: String,
    /// `created`, `sent`, `paid` or `failed`.
    status: &'static str,
    /// The payable days it claims, both inclusive; the first payout has no `from`.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    through: String,
    amount: Amount,
    /// How many merchant orders are in it.
    orders: u64,
    /// How many lines the statement has.
    entries: u64,
    /// Goods, before fees.
    items: Amount,
    delivery: Amount,
    /// What the marketplace has kept.
    fees: Amount,
    /// Tax that the marketplace owes in the merchant's place.
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<Amount>,
    /// What the marketplace bears of the customers' discounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    supported: Option<Amount>,
    /// Where it goes, masked.
    iban: String,
    created_at: String,
    /// What the file for the bank is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    /// Why the bank could not pay.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

impl PayoutView {
    pub(crate) fn of(payout: &Payout) -> Self {
        let (reference, reason) = match &payout.stage {
            Stage::Created | Stage::Paid { .. } => (None, None),
            Stage::Sent { reference, .. } => (Some(reference.to_string()), None),
            Stage::Failed { reason, .. } => (None, Some(reason.to_string())),
        };
        let first = payout.after.saturating_add(jiff::ToSpan::days(1));
        Self {
            id: payout.id.to_string(),
            merchant: payout.merchant.to_string(),
            status: payout_status(&payout.stage),
            from: (payout.after != Date::ZERO).then(|| first.to_string()),
            through: payout.through.to_string(),
            amount: payout.amount.into(),
            orders: payout.totals.orders,
            entries: payout.totals.entries,
            items: payout.totals.items.into(),
            delivery: payout.totals.delivery.into(),
            fees: payout.totals.fees.into(),
            withheld: payout.totals.withheld.map(Amount::from),
            supported: payout.totals.supported.map(Amount::from),
            iban: payout.iban.masked(),
            created_at: payout.created_at.to_string(),
            reference,
            reason,
        }
    }
}

/// A payout that the caller may see; another merchant's is not there.
async fn load<T>(world: &World, query: &Query<T>, id: &str) -> Result<Held<Payout>, Problem> {
    let reach = &query.reach;
    let id: PayoutId = id.parse().map_err(|_| Problem::not_found("payout"))?;
    let key = Key::payout(&query.caller.marketplace, &id).ok_or_else(|| Problem::not_found("payout"))?;
    let held = world.table.load::<Payout>(&key).await?.filter(|held| reach.covers(&held.value.merchant));
    held.ok_or_else(|| Problem::not_found("payout"))
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<PayoutView>, Problem> {
    let held = load(&world, &query, &id).await?;
    Ok(Reply::ok(PayoutView::of(&held.value)).revision(held.revision()))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StatementLine"))]
pub(crate) struct LineView {
    /// `earning`, `refund` or `payout_returned`.
    kind: &'static str,
    /// The merchant order, refund or payout behind the line.
    cause: String,
    payable_day: String,
    amount: Amount,
    items: Amount,
    delivery: Amount,
    fees: Amount,
    #[serde(skip_serializing_if = "Option::is_none")]
    withheld: Option<Amount>,
    /// What the marketplace bears of the customers' discounts.
    #[serde(skip_serializing_if = "Option::is_none")]
    supported: Option<Amount>,
}

fn line(entry: Held<MerchantEntry>) -> LineView {
    let entry = entry.value;
    LineView {
        kind: entry.kind.word(),
        cause: entry.cause,
        payable_day: entry.payable_day.to_string(),
        amount: entry.amount.into(),
        items: entry.items.into(),
        delivery: entry.delivery.into(),
        fees: entry.fees.into(),
        withheld: entry.withheld.map(Amount::from),
        supported: entry.supported.map(Amount::from),
    }
}

/// The statement's lines: the entries of the claimed range, which never change.
pub(crate) async fn lines(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<LineView>>, Problem> {
    let payout = load(&world, &query, &id).await?.value;
    let paging = query.parameters.read()?;
    let (m, days) = (&query.caller.marketplace, (payout.after, payout.through));
    let after = paging.after.as_ref();
    let page = world.table.merchant_entries(m, &payout.merchant, days, paging.limit, after).await?;
    Ok(Reply::ok(Listing::of(page, line)))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Which {
    /// Whose; an operator may leave it out and ask by days instead.
    #[cfg_attr(feature = "schema", schemars(with = "Option<MerchantId>"))]
    merchant: Option<String>,
    /// Days of the payouts, both inclusive; the last 62 if not said.
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Day>"))]
    from: Option<String>,
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Day>"))]
    to: Option<String>,
    /// Items of a page, 1 to 100; 20 if not said.
    limit: Option<String>,
    /// The `next` of an earlier page.
    cursor: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct PayoutRow {
    id: String,
    merchant: String,
    /// `created`, `sent`, `paid` or `failed`.
    status: String,
    through: String,
    amount: Amount,
    created_at: String,
}

fn row(summary: PayoutSummary) -> PayoutRow {
    PayoutRow {
        id: summary.id.to_string(),
        merchant: summary.merchant.to_string(),
        status: summary.status,
        through: summary.through.to_string(),
        amount: summary.amount.into(),
        created_at: summary.created_at.to_string(),
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<Which>,
) -> Result<Reply<Listing<PayoutRow>>, Problem> {
    let reach = &query.reach;
    let m = &query.caller.marketplace;
    let which = &query.parameters;
    let mut check = Check::new();
    let paging = Paging::read(&mut check, which.limit.as_deref(), which.cursor.as_deref());
    let merchant = check.maybe::<MerchantId>("merchant", which.merchant.as_deref());
    let to = check.maybe::<Date>("to", which.to.as_deref()).unwrap_or(domain::payout::day(world.now()));
    let from = check.maybe::<Date>("from", which.from.as_deref());
    let from = from.unwrap_or(to.saturating_sub(jiff::ToSpan::days(61)));
    let by_merchant = merchant.is_some() || *reach != Reach::All;
    if by_merchant && (which.from.is_some() || which.to.is_some()) {
        check.wrong("from", "conflict", "a merchant's payouts are listed newest first: leave out the days");
    }
    check.done()?;
    let (limit, after) = (paging.limit, paging.after.as_ref());
    let page = match (merchant, &reach) {
        (Some(merchant), reach) if reach.covers(&merchant) => {
            world.table.payouts_of_merchant(m, &merchant, limit, after).await?
        }
        (None, Reach::All) => world.table.payouts_of_days(m, (from, to), limit, after).await?,
        (None, Reach::Merchants(own)) => match own.as_slice() {
            [merchant] => world.table.payouts_of_merchant(m, merchant, limit, after).await?,
            _ => return Err(Problem::not_found("merchant").with("say which of your merchants")),
        },
        (Some(_), Reach::All | Reach::Merchants(_)) => return Err(Problem::not_found("merchant")),
    };
    Ok(Reply::ok(Listing::of(page, row)))
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Balance"))]
pub(crate) struct BalanceView {
    merchant: String,
    /// May be paid out with the next run.
    payable: Amount,
    /// Earned, and still within the hold.
    pending: Amount,
    /// Both together; negative where refunds exceed earnings.
    balance: Amount,
}

/// What a merchant has earned and no payout has claimed.
pub(crate) async fn balance(
    State(world): State<World>,
    Path(id): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<BalanceView>, Problem> {
    let reach = &query.reach;
    let m = &query.caller.marketplace;
    let merchant: MerchantId = id.parse().map_err(|_| Problem::not_found("merchant"))?;
    let marketplace = world.table.marketplace(m).await?;
    let known = world.table.load::<domain::merchant::Merchant>(&Key::merchant(m, &merchant)).await?;
    let (Some(marketplace), Some(known), true) = (marketplace, known, reach.covers(&merchant)) else {
        return Err(Problem::not_found("merchant"));
    };
    let claimed = world.table.load::<Claimed>(&Key::claimed(m, &merchant)).await?;
    let after = claimed.map_or(Date::ZERO, |held| held.value.through);
    let through = claimable_through(world.now()).max(after);
    let currency = known.value.settles_in(marketplace.value.currency);
    let payable = world.table.earned(m, &merchant, currency, (after, through)).await?.net;
    let pending = world.table.earned(m, &merchant, currency, (through, Date::MAX)).await?.net;
    let (merchant, balance) = (merchant.to_string(), payable.plus(pending)?);
    let view =
        BalanceView { merchant, payable: payable.into(), pending: pending.into(), balance: balance.into() };
    Ok(Reply::ok(view))
}
