//! The requests that change a merchant order: read, load, decide, commit, answer.

use crate::show::MerchantOrderView;
use axum::extract::{Path, State};
use domain::catalog::Offer;
use domain::id::{MarketplaceId, MerchantOrderId, ShipmentId};
use domain::merchant_order::{Fact, MerchantOrder, Refused, Tracking, Units, movements};
use domain::stock::Shelves;
use domain::text::{Reason, Word};
use domain::{Decision, merchant_order};
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use events::merchant_order::announce;
use serde::Deserialize;
use table::{Commit, Held, Key, Story};

type Answer = Result<Reply<MerchantOrderView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "AcceptLines"))]
pub(crate) struct Accept {
    /// Numbers of the lines; none means all.
    #[serde(default)]
    lines: Vec<u16>,
}

pub(crate) async fn accept(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Accept>,
) -> Answer {
    let lines = &command.body.lines;
    change(&world, &id, &command, Name::Key, |part, _| merchant_order::accept(part, lines)).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RejectLines"))]
pub(crate) struct Reject {
    /// Units that cannot be delivered.
    lines: Vec<Units>,
    /// For people, and for the audit trail.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
    /// When it happened; now, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    occurred_at: Option<String>,
}

pub(crate) async fn reject(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Reject>,
) -> Answer {
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    let at = check.occurred_at("occurred_at", command.body.occurred_at.as_deref(), world.now());
    check.done()?;
    let Some(reason) = reason else { return Err(Problem::internal()) };
    let lines = &command.body.lines;
    change(&world, &id, &command, Name::Key, |part, _| {
        Ok(Decision::New(merchant_order::reject(part, lines.clone(), reason.clone(), at)?))
    })
    .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ShipParcel"))]
pub(crate) struct Ship {
    /// With the tracking number the parcel's name for ever.
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    carrier: String,
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    tracking_number: String,
    /// Units per line; none means all that is left.
    #[serde(default)]
    lines: Vec<Units>,
    /// When it happened; now, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    occurred_at: Option<String>,
}

pub(crate) async fn ship(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Ship>,
) -> Answer {
    let body = &command.body;
    let mut check = Check::new();
    let carrier = check.parse::<Word>("carrier", &body.carrier);
    let tracking = check.parse::<Word>("tracking_number", &body.tracking_number);
    let at = check.occurred_at("occurred_at", body.occurred_at.as_deref(), world.now());
    check.done()?;
    let (Some(carrier), Some(tracking)) = (carrier, tracking) else { return Err(Problem::internal()) };
    change(&world, &id, &command, Name::Own, |part, shelves| {
        merchant_order::ship(part, carrier.clone(), tracking.clone(), body.lines.clone(), shelves, at)
    })
    .await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "TrackParcel"))]
pub(crate) struct Track {
    status: Status,
    /// When it happened; now, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    occurred_at: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ParcelStatus"))]
enum Status {
    InTransit,
    /// It will not arrive: the customer is paid back, and a later word changes nothing.
    Lost,
    Delivered,
}

pub(crate) async fn track(
    State(world): State<World>,
    Path((id, shipment)): Path<(String, String)>,
    command: Command<Track>,
) -> Answer {
    let mut check = Check::new();
    let at = check.occurred_at("occurred_at", command.body.occurred_at.as_deref(), world.now());
    check.done()?;
    let shipment: ShipmentId = shipment.parse().map_err(|_| Problem::not_found("shipment"))?;
    let status = match command.body.status {
        Status::InTransit => Tracking::InTransit,
        Status::Lost => Tracking::Lost,
        Status::Delivered => Tracking::Delivered,
    };
    change(&world, &id, &command, Name::Own, |part, _| merchant_order::track(part, &shipment, status, at))
        .await
}

/// What tells a repeat: the idempotency key, or the effect's own name (a shipment is its carrier and tracking number).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Name {
    Key,
    Own,
}

/// One change of one merchant order, tried again while others write it. Natural repeats (the same shipment, the same
/// tracking) are no news; for the rest the idempotency key tells.
async fn change<T>(
    world: &World,
    id: &str,
    command: &Command<T>,
    name: Name,
    decide: impl Fn(&MerchantOrder, Shelves) -> Result<Decision<Fact>, Refused>,
) -> Answer {
    let reach = &command.reach;
    let id: MerchantOrderId = id.parse().map_err(|_| Problem::not_found("merchant order"))?;
    let m = &command.caller.marketplace;
    let key = Key::merchant_order(m, &id);
    let key = key.ok_or_else(|| Problem::not_found("merchant order"))?;
    world
        .until_free(|| async {
            let held = world.table.load::<MerchantOrder>(&key).await?;
            let held = held.filter(|held| reach.covers(&held.value.merchant));
            let held = held.ok_or_else(|| Problem::not_found("merchant order"))?;
            let as_it_is =
                || Ok(Reply::ok(MerchantOrderView::of(&held.value)).revision(held.revision()).replayed());
            let shelves = shelves_of(world, m, &held.value).await?;
            let decided = decide(&held.value, shelves);
            let ahead = matches!(decided, Ok(Decision::New(_)));
            if name == Name::Key && command.repeats(world, held.revision(), ahead).await? {
                return as_it_is();
            }
            let Decision::New(fact) = command.audited(world, &key, id.as_str(), decided).await? else {
                return as_it_is();
            };
            // Where the effect has its own name, only the decision tells a repeat, whatever it has seen.
            command.if_match(held.revision())?;
            let next = held.value.clone().apply(&fact);
            commit(world, command, name, &held, &next, &fact).await?;
            Ok(Reply::ok(MerchantOrderView::of(&next)).revision(held.next_step()))
        })
        .await
}

/// What may have come in for lines that are short; nothing is read where none is.
async fn shelves_of(world: &World, m: &MarketplaceId, part: &MerchantOrder) -> Result<Shelves, Problem> {
    let short = part.lines.iter().filter(|line| line.short() > 0);
    let keys: Vec<Key> = short.filter_map(|line| Some(Key::offer(m, line.offer.as_ref()?))).collect();
    if keys.is_empty() {
        return Ok(Shelves::default());
    }
    let offers: Vec<Offer> =
        world.table.load_all::<Offer>(&keys).await?.into_iter().map(|held| held.value).collect();
    Ok(world.table.shelves(m, &offers, world.now()).await?)
}

/// The change, its story and, where it completes the part, the merchant's earning: one transaction.
async fn commit<T>(
    world: &World,
    command: &Command<T>,
    name: Name,
    held: &Held<MerchantOrder>,
    next: &MerchantOrder,
    fact: &Fact,
) -> Result<(), Problem> {
    let now = world.now();
    let m = &command.caller.marketplace;
    let context = command.context(now);
    let mut story = Story::new(announce(&held.value, next, fact)?);
    // Released stock is given back by `inventory`, which hears of it: a canceled order may have more than fits here.
    if let Fact::Shipped { .. } = fact {
        story = story.moving(movements(&held.value, fact));
    }
    let mut commit = Commit::new(m, &context);
    if let Some((entry, postings)) = world.table.booked(m, (&held.value, next), Some(fact), now).await? {
        story = postings.into_iter().fold(story, Story::posting);
        commit = commit.add(&entry, Overtaken);
    }
    let mut commit = commit.change(held, next, next.id.as_str(), story);
    if name == Name::Key {
        commit = command.remember(commit, now, 200, next.id.as_str(), Overtaken);
    }
    commit.send(&world.table).await?;
    Ok(())
}
