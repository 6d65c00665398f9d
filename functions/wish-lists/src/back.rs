//! Who waits for an offer, and the word that it can be had again: once each. Until it is for sale and there, everybody
//! goes on waiting.

use crate::show::Sold;
use axum::extract::{Path, State};
use domain::catalog::Offer;
use domain::id::{MarketplaceId, MerchantId, OfferId, WaitId, derive};
use domain::merchant::Merchant;
use edge::{Again, Check, Command, Listing, Overtaken, PageOf, Problem, Query, Reply, World};
use events::cart::OfferBackInStockV1;
use events::catalog::OfferChangedV1;
use events::merchant::{MerchantClosuresChangedV1, MerchantStatusChangedV1};
use events::stock::{StockAdjustedV1, StockReceivedV1, StockReleasedV1};
use events::{Announced, Context, Envelope};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use table::wish_list::Waiting;
use table::{Commit, Fault, Held, Key, Story, Uncommitted};

/// So many are told before the list is looked at again.
const AT_ONCE: u16 = 100;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WaitForOffer"))]
pub(crate) struct Wait {
    #[cfg_attr(feature = "schema", schemars(with = "OfferId"))]
    offer: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "WaitNoMore"))]
pub(crate) struct Cancel {}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "StockAlert"))]
pub(crate) struct WaitView {
    offer: String,
    since: String,
    /// `waiting` or `canceled`.
    status: &'static str,
}

fn view(waiting: &Waiting, status: &'static str) -> WaitView {
    WaitView { offer: waiting.offer.to_string(), since: waiting.since.to_string(), status }
}

/// Whoever waits already goes on waiting; what can be had now needs no waiting.
pub(crate) async fn wait(
    State(world): State<World>,
    command: Command<Wait>,
) -> Result<Reply<WaitView>, Problem> {
    let (m, customer) = (&command.caller.marketplace, command.caller.customer()?);
    let mut check = Check::new();
    let offer = check.parse::<OfferId>("offer", &command.body.offer);
    check.done()?;
    let Some(offer) = offer else { return Err(Problem::internal()) };
    let context = command.context(world.now());
    let kept = world
        .until_free(|| async {
            let key = Key::waiting(m, &offer, &customer);
            if let Some(held) = world.table.load::<Waiting>(&key).await? {
                return Ok(Reply::ok(view(&held.value, "waiting")).replayed());
            }
            let held = world.table.load::<Offer>(&Key::offer(m, &offer)).await?;
            let mut check = Check::new();
            if held.is_none() {
                check.wrong("offer", "unknown", format!("there is no offer {offer}"));
            } else if Sold::of(&world, m, std::slice::from_ref(&offer)).await?.to_be_had(&offer).is_some() {
                check.wrong("offer", "available", format!("{offer} can be had now"));
            }
            check.done()?;
            let (now, merchant) = (world.now(), held.map(|held| held.value.merchant));
            let waiting = Waiting { customer: customer.clone(), offer: offer.clone(), merchant, since: now };
            Commit::new(m, &context).add(&waiting, Overtaken).send(&world.table).await?;
            Ok::<_, Problem>(Reply::created(view(&waiting, "waiting")))
        })
        .await?;
    // What came to be had between the look and the commit has found nobody who waits.
    world.until_free(async || Ok::<_, Problem>(tell(&world, m, &offer, &context).await?)).await?;
    Ok(kept)
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<WaitView>>, Problem> {
    let (m, customer) = (&query.caller.marketplace, query.caller.customer()?);
    let paging = query.parameters.read()?;
    let page = world.table.waits_of(m, &customer, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |waiting| view(&waiting, "waiting"))))
}

pub(crate) async fn cancel(
    State(world): State<World>,
    Path(offer): Path<String>,
    command: Command<Cancel>,
) -> Result<Reply<WaitView>, Problem> {
    let (m, customer) = (&command.caller.marketplace, command.caller.customer()?);
    let offer: OfferId = offer.parse().map_err(|_| Problem::not_found("offer"))?;
    let key = Key::waiting(m, &offer, &customer);
    let held = world.table.load::<Waiting>(&key).await?.map(|held| held.value);
    let none = Waiting { customer, offer, merchant: None, since: world.now() };
    let context = command.context(world.now());
    let commit: Commit<'_, Overtaken> = Commit::new(m, &context).delete(key);
    commit.send(&world.table).await?;
    Ok(Reply::ok(view(&held.unwrap_or(none), "canceled")))
}

pub(crate) async fn received(world: World, event: Envelope<StockReceivedV1>) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "wish-lists");
    Ok(tell(&world, &event.marketplace, &event.data.offer, &context).await?)
}

pub(crate) async fn adjusted(world: World, event: Envelope<StockAdjustedV1>) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "wish-lists");
    Ok(tell(&world, &event.marketplace, &event.data.offer, &context).await?)
}

/// What a canceled or rejected part of an order had.
pub(crate) async fn released(world: World, event: Envelope<StockReleasedV1>) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "wish-lists");
    let offers: BTreeSet<&OfferId> = event.data.units.iter().map(|units| &units.offer).collect();
    for offer in offers {
        tell(&world, &event.marketplace, offer, &context).await?;
    }
    Ok(())
}

pub(crate) async fn changed(world: World, event: Envelope<OfferChangedV1>) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "wish-lists");
    Ok(tell(&world, &event.marketplace, &event.data.offer, &context).await?)
}

pub(crate) async fn status_changed(
    world: World,
    event: Envelope<MerchantStatusChangedV1>,
) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "wish-lists");
    opened(&world, &event.marketplace, &event.data.merchant, &context).await
}

pub(crate) async fn closures_changed(
    world: World,
    event: Envelope<MerchantClosuresChangedV1>,
) -> Result<(), Again> {
    let context = Context::follows(&event, world.now(), "wish-lists");
    opened(&world, &event.marketplace, &event.data.merchant, &context).await
}

/// A merchant that takes orders again may have what somebody waits for.
async fn opened(
    world: &World,
    m: &MarketplaceId,
    merchant: &MerchantId,
    context: &Context,
) -> Result<(), Again> {
    let held = world.table.load::<Merchant>(&Key::merchant(m, merchant)).await?;
    if held.is_none_or(|held| held.value.takes_orders(world.now()).is_err()) {
        return Ok(());
    }
    let mut after = None;
    loop {
        let page = world.table.waits_at(m, merchant, AT_ONCE, after.as_ref()).await?;
        let offers: BTreeSet<OfferId> = page.items.into_iter().map(|waiting| waiting.offer).collect();
        for offer in offers {
            tell(world, m, &offer, context).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}

/// The story is named by who has waited for what since when: whoever hears of the goods twice tells it once.
async fn tell(world: &World, m: &MarketplaceId, offer: &OfferId, context: &Context) -> Result<(), Fault> {
    loop {
        let waiting = world.table.waiting_for(m, offer, AT_ONCE).await?;
        if waiting.is_empty() {
            return Ok(());
        }
        let sold = Sold::of(world, m, std::slice::from_ref(offer)).await?;
        let Some(offer) = sold.to_be_had(offer) else { return Ok(()) };
        for held in waiting {
            one(world, m, offer, held, context).await?;
        }
    }
}

/// It was told before.
#[derive(Debug)]
struct Told;

async fn one(
    world: &World,
    m: &MarketplaceId,
    offer: &Offer,
    Held { value, .. }: Held<Waiting>,
    context: &Context,
) -> Result<(), Fault> {
    let Waiting { customer, offer: id, merchant: _, since } = value;
    let bits = derive(&["waiting", m.as_str(), id.as_str(), customer.as_str(), &since.to_string()]);
    let key = Key::waiting(m, &id, &customer);
    let subject = WaitId::from_bits(bits);
    let place = Key::wait(m, &id, &subject);
    let told = OfferBackInStockV1 { offer: id, product: offer.product.clone(), customer };
    let story = Story::new([Announced::of(&told)]);
    let commit = Commit::new(m, context).document(&place, subject.as_str(), story, Told).delete(key.clone());
    let sent = match commit.send(&world.table).await {
        // Still on the list, though it was told before: crossed out, or the list would have no end.
        Err(Uncommitted::Refused(Told)) => Commit::new(m, context).delete(key).send(&world.table).await,
        sent => sent,
    };
    match sent {
        Ok(()) | Err(Uncommitted::Refused(Told)) => Ok(()),
        Err(Uncommitted::Busy) => Err(Fault::Busy),
        Err(Uncommitted::Fault(fault)) => Err(fault),
    }
}
