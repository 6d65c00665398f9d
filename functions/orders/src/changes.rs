//! The requests that change an order: read, load, decide, commit, answer.

use crate::intake::{PlacePayment, payments};
use crate::show::OrderView;
use axum::extract::{Path, State};
use domain::id::{MerchantOrderId, OrderId};
use domain::merchant_order::{MerchantOrder, RefundLines, Units};
use domain::order::{Cancellation, Decided, Order};
use domain::payment::To;
use domain::text::Reason;
use domain::{Decision, MoneyError, order};
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use events::{Context, merchant_order, order::announce};
use serde::Deserialize;
use table::order::WholeOrder;
use table::{Commit, Held, Key, Story};

type Answer = Result<Reply<OrderView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "PayOrder"))]
pub(crate) struct Pay {
    /// What came in, where the order only promised; none confirms what it brought.
    #[serde(default)]
    payments: Vec<PlacePayment>,
    /// When it happened; now, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    occurred_at: Option<String>,
}

pub(crate) async fn pay(State(world): State<World>, Path(id): Path<String>, command: Command<Pay>) -> Answer {
    let now = world.now();
    change(&world, &id, &command, |whole| {
        let held = &whole.order.value;
        let mut check = Check::new();
        let at = check.occurred_at("occurred_at", command.body.occurred_at.as_deref(), now);
        let payments = payments(&mut check, &command.body.payments, held.currency);
        check.done()?;
        // Nobody's word stands for the gateways'.
        if held.bought.is_some() {
            return Err(order::Refused::PaidByGateway.into());
        }
        Ok(match order::pay(held, payments, at)? {
            Decision::New(decided) => Decision::New(Changed { order: decided, parts: Vec::new() }),
            Decision::Already => Decision::Already,
        })
    })
    .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CancelOrder"))]
pub(crate) struct Cancel {
    /// For people, and for the audit trail.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
    /// When it happened; now, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    occurred_at: Option<String>,
}

pub(crate) async fn cancel(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Cancel>,
) -> Answer {
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    let at = check.occurred_at("occurred_at", command.body.occurred_at.as_deref(), world.now());
    check.done()?;
    let Some(reason) = reason else { return Err(Problem::internal()) };
    change(&world, &id, &command, |whole| {
        let held = &whole.order.value;
        let parts = parts_of(whole)?;
        let Decision::New(Cancellation { order, parts: facts }) =
            order::cancel(held, &parts, reason.clone(), at)?
        else {
            return Ok(Decision::Already);
        };
        let changed = parts.into_iter().enumerate().map(|(position, part)| {
            let fact = facts.iter().find(|(of, _)| *of == position).map(|(_, fact)| fact.clone());
            (position, part, fact)
        });
        Ok(Decision::New(Changed { order, parts: changed.collect() }))
    })
    .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RefundOrder"))]
pub(crate) struct Refund {
    /// Whose lines they are, a part of this order.
    #[cfg_attr(feature = "schema", schemars(with = "MerchantOrderId"))]
    merchant_order: String,
    /// Delivered units.
    lines: Vec<Units>,
    /// The delivery cost of the lines too.
    #[serde(default)]
    delivery: bool,
    /// To the means of payment if not said. Store credit is only for what was bought in a checkout of this marketplace.
    #[serde(default)]
    to: Option<To>,
    /// For people, and for the audit trail.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
}

pub(crate) async fn refund(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Refund>,
) -> Answer {
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    let of = check.parse::<MerchantOrderId>("merchant_order", &command.body.merchant_order);
    check.done()?;
    let (Some(reason), Some(of)) = (reason, of) else { return Err(Problem::internal()) };
    let now = world.now();
    change(&world, &id, &command, |whole| {
        let found = whole.parts.iter().position(|part| part.value.id == of);
        let Some((position, part)) = found.and_then(|at| Some((at, whole.parts.get(at)?))) else {
            return Err(Problem::not_found("merchant order of this order"));
        };
        let Refund { lines, delivery, to, .. } = command.body.clone();
        let to = to.unwrap_or(To::Original);
        let request = RefundLines { lines, delivery, to, reason: reason.clone() };
        let (order, fact) = order::refund(&whole.order.value, &part.value, request, now)?;
        Ok(Decision::New(Changed { order, parts: vec![(position, part.value.clone(), Some(fact))] }))
    })
    .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ResolveException"))]
pub(crate) struct Resolve {
    /// Why payments and lines differ, and what became of it.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
}

pub(crate) async fn resolve_exception(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Resolve>,
) -> Answer {
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    check.done()?;
    let Some(reason) = reason else { return Err(Problem::internal()) };
    let (by, now) = (command.caller.actor.clone(), world.now());
    change(&world, &id, &command, |whole| {
        Ok(match order::resolve_exception(&whole.order.value, reason.clone(), by.clone(), now)? {
            Decision::New(decided) => Decision::New(Changed { order: decided, parts: Vec::new() }),
            Decision::Already => Decision::Already,
        })
    })
    .await
}

/// Before the split the parts are what the split would make: whoever writes them first, they are the same.
pub(crate) fn parts_of(whole: &WholeOrder) -> Result<Vec<MerchantOrder>, MoneyError> {
    match whole.parts.as_slice() {
        [] => order::split(&whole.order.value),
        parts => Ok(parts.iter().map(|part| part.value.clone()).collect()),
    }
}

/// What a request comes to: the order's fact, and parts with their place, state and fact. A part without a fact is
/// only written where it is not there yet.
struct Changed {
    order: Decided,
    parts: Vec<(usize, MerchantOrder, Option<domain::merchant_order::Fact>)>,
}

async fn change<T>(
    world: &World,
    id: &str,
    command: &Command<T>,
    decide: impl Fn(&WholeOrder) -> Result<Decision<Changed>, Problem>,
) -> Answer {
    let id: OrderId = id.parse().map_err(|_| Problem::not_found("order"))?;
    let key = Key::order(&command.caller.marketplace, &id);
    world
        .until_free(|| async {
            let whole = world.table.whole_order(&command.caller.marketplace, &id).await?;
            let whole = whole.ok_or_else(|| Problem::not_found("order"))?;
            let held_parts: Vec<_> = whole.parts.iter().map(|part| part.value.clone()).collect();
            let as_it_is = || -> Answer {
                let view = OrderView::of(&whole.order.value, &held_parts)?;
                Ok(Reply::ok(view).revision(whole.order.revision()).replayed())
            };
            let decided = decide(&whole);
            let ahead = matches!(decided, Ok(Decision::New(_)));
            if command.repeats(world, whole.order.revision(), ahead).await? {
                return as_it_is();
            }
            let decided = command.audited(world, &key, id.as_str(), decided).await?;
            let Decision::New(changed) = decided else { return as_it_is() };
            let (next, parts) = commit(world, command, &whole, changed).await?;
            Ok(Reply::ok(OrderView::of(&next, &parts)?).revision(whole.order.next_step()))
        })
        .await
}

/// The order and all parts that change with it, in one transaction.
async fn commit<T>(
    world: &World,
    command: &Command<T>,
    whole: &WholeOrder,
    changed: Changed,
) -> Result<(Order, Vec<MerchantOrder>), Problem> {
    let now = world.now();
    let m = &command.caller.marketplace;
    let context = command.context(now);
    let held = &whole.order;
    let next = held.value.clone().apply(&changed.order.fact);
    let story =
        Story::new(announce(&held.value, &next, &changed.order)).posting(changed.order.posting.clone());
    let mut commit = Commit::new(m, &context).change_order(held, &next, story);
    let mut parts: Vec<MerchantOrder> = whole.parts.iter().map(|part| part.value.clone()).collect();
    for (position, before, fact) in changed.parts {
        let after = fact.as_ref().map_or_else(|| before.clone(), |fact| before.clone().apply(fact));
        let part = PartChange { held: whole.parts.get(position), before, after: after.clone(), fact };
        commit = write_part(world, commit, &context, m, &next.id, part).await?;
        match parts.get_mut(position) {
            Some(part) => *part = after,
            None => parts.push(after),
        }
    }
    command.remember(commit, now, 200, next.id.as_str(), Overtaken).send(&world.table).await?;
    Ok((next, parts))
}

struct PartChange<'a> {
    held: Option<&'a Held<MerchantOrder>>,
    before: MerchantOrder,
    after: MerchantOrder,
    fact: Option<domain::merchant_order::Fact>,
}

async fn write_part<'a>(
    world: &World,
    commit: Commit<'a, Overtaken>,
    context: &Context,
    m: &domain::id::MarketplaceId,
    order: &OrderId,
    part: PartChange<'_>,
) -> Result<Commit<'a, Overtaken>, Problem> {
    let PartChange { held, before, after, fact } = part;
    let mut story = Story::default();
    if held.is_none() {
        story.facts.extend(merchant_order::created(order, &before)?);
    }
    if let Some(fact) = &fact {
        story.facts.extend(merchant_order::announce(&before, &after, fact)?);
    }
    let booked = world.table.booked(m, (&before, &after), fact.as_ref(), context.at).await?;
    let (entry, postings) = booked.unzip();
    let story = postings.into_iter().flatten().fold(story, Story::posting);
    let mut commit = match held {
        Some(held) if fact.is_some() => commit.change(held, &after, after.id.as_str(), story),
        Some(_) => commit,
        None => commit.begin(&after, after.id.as_str(), story, Overtaken),
    };
    if let Some(entry) = entry {
        commit = commit.add(&entry, Overtaken);
    }
    Ok(commit)
}
