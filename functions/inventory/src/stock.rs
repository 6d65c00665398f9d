//! Levels of an offer's stock, receipts and adjustments.

use axum::extract::{Path, State};
use domain::catalog::Offer;
use domain::id::{MovementId, OfferId};
use domain::stock::{self, Bin, Change, Levels, Movement, Stock};
use domain::text::{Location, Reason};
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, Overtaken, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::stock::{StockAdjustedV1, StockReceivedV1};
use serde::{Deserialize, Serialize};
use table::outbox::Entry;
use table::{Commit, Held, Key, Story};

/// Where stock lies that no location is named for.
const MAIN: &str = "main";

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct StockView {
    offer: String,
    sku: String,
    keeps_stock: bool,
    /// On hand − allocated − held by carts, over all locations.
    available: i64,
    locations: Vec<LocationView>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
struct LocationView {
    location: String,
    on_hand: i64,
    allocated: i64,
    held: i64,
    available: i64,
}

fn view(offer: &Offer, stock: &[Stock]) -> StockView {
    let location = |stock: &Stock| {
        let Levels { on_hand, allocated, available } = stock.levels;
        LocationView { location: stock.location.to_string(), on_hand, allocated, held: stock.held, available }
    };
    StockView {
        offer: offer.id.to_string(),
        sku: offer.sku.to_string(),
        keeps_stock: offer.keeps_stock,
        available: stock.iter().map(|stock| stock.levels.available).sum(),
        locations: stock.iter().map(location).collect(),
    }
}

pub(crate) async fn show(
    State(world): State<World>,
    Path(offer): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<StockView>, Problem> {
    let reach = query.reach.clone();
    let m = &query.caller.marketplace;
    let id: OfferId = offer.parse().map_err(|_| Problem::not_found("offer"))?;
    let held = world.table.load::<Offer>(&Key::offer(m, &id)).await?;
    let held = held.filter(|held| reach.covers(&held.value.merchant));
    let held = held.ok_or_else(|| Problem::not_found("offer"))?;
    let stock = world.table.stock(m, &id, world.now()).await?;
    Ok(Reply::ok(view(&held.value, &stock)))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Receive {
    /// Units that have come in.
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Quantity"))]
    quantity: i64,
    /// Where they lie; `main` if not said. A new location is known from its first receipt on.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Location>"))]
    location: Option<String>,
}

pub(crate) async fn receive(
    State(world): State<World>,
    Path(offer): Path<String>,
    command: Command<Receive>,
) -> Result<Reply<StockView>, Problem> {
    let mut check = Check::new();
    let quantity = check.quantity("quantity", command.body.quantity);
    let location = check.parse::<Location>("location", command.body.location.as_deref().unwrap_or(MAIN));
    check.done()?;
    let (Some(quantity), Some(location)) = (quantity, location) else { return Err(Problem::internal()) };
    let decide = |bins: &[Bin]| Ok(stock::bin::receive(bins, quantity));
    let told = |movement: MovementId, offer: &Offer, location: Location| {
        let (merchant, offer) = (offer.merchant.clone(), offer.id.clone());
        Announced::of(&StockReceivedV1 { movement, merchant, offer, location, quantity })
    };
    move_stock(&world, &offer, &command, &location, decide, told).await
}

/// Units that one count may find.
const MOST: i32 = domain::order::QUANTITY_MAX.cast_signed();

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Adjust {
    /// Units that a count found more; below zero: less. A million at most, either way.
    #[cfg_attr(feature = "schema", schemars(range(min = -MOST, max = MOST)))]
    by: i32,
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Location>"))]
    location: Option<String>,
}

pub(crate) async fn adjust(
    State(world): State<World>,
    Path(offer): Path<String>,
    command: Command<Adjust>,
) -> Result<Reply<StockView>, Problem> {
    let mut check = Check::new();
    let by = command.body.by;
    if !(-MOST..=MOST).contains(&by) {
        check.wrong("by", "range", format!("{by} is not between -{MOST} and {MOST}"));
    }
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    let location = check.parse::<Location>("location", command.body.location.as_deref().unwrap_or(MAIN));
    check.done()?;
    let (Some(reason), Some(location)) = (reason, location) else { return Err(Problem::internal()) };
    let decide = |bins: &[Bin]| Ok(stock::adjust(bins, by, &reason)?);
    let told = |movement: MovementId, offer: &Offer, location: Location| {
        let (merchant, offer, reason) = (offer.merchant.clone(), offer.id.clone(), reason.to_string());
        Announced::of(&StockAdjustedV1 { movement, merchant, offer, location, by, reason })
    };
    move_stock(&world, &offer, &command, &location, decide, told).await
}

/// Movements at one location with a document of their own, and the offer's new location if it is one: one transaction.
async fn move_stock<T>(
    world: &World,
    offer: &str,
    command: &Command<T>,
    location: &Location,
    decide: impl Fn(&[Bin]) -> Result<Vec<(u8, Change)>, Problem>,
    told: impl Fn(MovementId, &Offer, Location) -> Announced,
) -> Result<Reply<StockView>, Problem> {
    let reach = command.reach.clone();
    let m = &command.caller.marketplace;
    let id: OfferId = offer.parse().map_err(|_| Problem::not_found("offer"))?;
    world
        .until_free(|| async {
            let held = world.table.load::<Offer>(&Key::offer(m, &id)).await?;
            let held = held.filter(|held| reach.covers(&held.value.merchant));
            let held: Held<Offer> = held.ok_or_else(|| Problem::not_found("offer"))?;
            let (mut bins, now) = (world.table.bins(m, &id).await?, world.now());
            if command.asked_before(world).await?.is_some() {
                let stock = stock::bin::by_location(&bins, now);
                return Ok(Reply::ok(view(&held.value, &stock)).replayed());
            }
            if !held.value.keeps_stock {
                let title = "No stock is kept of this offer";
                return Err(Problem::new(409, "no_stock_kept", title).with("`keeps_stock` is false"));
            }
            bins.retain(|bin| bin.location == *location);
            let moves = decide(&bins)?.into_iter().map(|(bin, change)| {
                let (offer, location) = (id.clone(), location.clone());
                Movement { offer, location, bin, held_by: None, change }
            });
            let movement = MovementId::from_bits(world.fresh());
            let story = Story::new([told(movement.clone(), &held.value, location.clone())]);
            let story = story.moving(moves.collect());
            let context = command.context(now);
            let place = Key::movement(m, Some(&id), &movement);
            let mut commit = Commit::new(m, &context).document(&place, movement.as_str(), story, Overtaken);
            if let Some(next) = held.value.with_location(location)? {
                commit = commit.replace(&held, &next);
            }
            command.remember(commit, now, 200, movement.as_str(), Overtaken).send(&world.table).await?;
            Ok(Reply::ok(view(&held.value, &world.table.stock(m, &id, now).await?)))
        })
        .await
}

/// A receipt or an adjustment.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct MovementView {
    id: String,
    at: String,
    actor: String,
    location: String,
    #[serde(flatten)]
    change: Change,
}

/// What a document moved at a location; how it lies in bins there is nobody's concern.
fn movement(entry: Entry) -> Vec<MovementView> {
    let Entry { subject, context, movements, .. } = entry;
    let mut views: Vec<MovementView> = Vec::new();
    for Movement { location, change, .. } in movements {
        let location = location.to_string();
        let mut known = views.iter_mut().filter(|view| view.location == location);
        if known.any(|view| view.change.absorb(&change)) {
            continue;
        }
        let (id, at, actor) = (subject.clone(), context.at.to_string(), context.actor.clone());
        views.push(MovementView { id, at, actor, location, change });
    }
    views
}

/// Receipts and adjustments, oldest first. What orders took and gave back stands in their own trails.
pub(crate) async fn movements(
    State(world): State<World>,
    Path(offer): Path<String>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<MovementView>>, Problem> {
    let reach = query.reach.clone();
    let m = &query.caller.marketplace;
    let paging = query.parameters.read()?;
    let id: OfferId = offer.parse().map_err(|_| Problem::not_found("offer"))?;
    let held = world.table.load::<Offer>(&Key::offer(m, &id)).await?;
    held.filter(|held| reach.covers(&held.value.merchant)).ok_or_else(|| Problem::not_found("offer"))?;
    let page = world.table.offer_story(m, &id, paging.limit, paging.after.as_ref()).await?;
    let next = page.next.map(|cursor| cursor.to_string());
    Ok(Reply::ok(Listing { items: page.items.into_iter().flat_map(movement).collect(), next }))
}
