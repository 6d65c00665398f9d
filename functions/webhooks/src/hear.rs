//! Events, as many as come at once, and messages that are to be tried again.

use crate::call::Receivers;
use crate::deliver::Round;
use domain::id::{MarketplaceId, MerchantId, WebhookEndpointId};
use domain::webhook::{Delivery, Endpoint};
use edge::{Again, World};
use events::audience::merchant_of;
use events::webhook::WebhookDueV1;
use events::{Context, Envelope};
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use table::webhook::Listeners;
use table::{Fault, Key};

/// Who acts.
const FUNCTION: &str = "webhooks";

/// The listeners of owners: of marketplaces themselves, and of their merchants.
type Heard = BTreeMap<(MarketplaceId, Option<MerchantId>), Listeners>;

/// Tells every endpoint that wants one of the events; answers the positions of those that must come again.
pub(crate) async fn every(world: World, receivers: Receivers, events: Vec<Envelope>) -> Vec<usize> {
    let all = || (0..events.len()).collect();
    let wanted = match world.until_free(async || Ok::<_, Again>(wanted(&world, &events).await?)).await {
        Ok(wanted) if wanted.is_empty() => return Vec::new(),
        Ok(wanted) => wanted,
        Err(again) => {
            tracing::warn!(error = edge::chain(&again), "who listens cannot be read");
            return all();
        }
    };
    let one = async |(at, event, endpoint): &(usize, &Envelope, Endpoint)| {
        let round = round(&world, &receivers, event);
        let told = world.until_free(|| round.tell(event, endpoint)).await;
        told.err().map(|again| {
            tracing::warn!(error = edge::chain(&again), event = event.id, "a message will be tried again");
            *at
        })
    };
    let failed = join_all(wanted.iter().map(one)).await;
    let failed: BTreeSet<usize> = failed.into_iter().flatten().collect();
    failed.into_iter().collect()
}

/// Messages whose next try has come.
pub(crate) async fn due(world: World, receivers: Receivers, due: Vec<Envelope<WebhookDueV1>>) -> Vec<usize> {
    let one = async |event: &Envelope<WebhookDueV1>| {
        let round = round(&world, &receivers, event);
        world.until_free(|| again(&round, event)).await
    };
    let done = join_all(due.iter().map(one)).await;
    let failed = done.into_iter().enumerate().filter_map(|(at, done)| {
        let error = edge::chain(&done.err()?);
        tracing::warn!(error, "a message will be tried again");
        Some(at)
    });
    failed.collect()
}

fn round<'a, T>(world: &'a World, receivers: &'a Receivers, event: &'a Envelope<T>) -> Round<'a> {
    let context = Context::follows(event, world.now(), FUNCTION);
    Round { world, receivers, m: &event.marketplace, context }
}

async fn again(round: &Round<'_>, event: &Envelope<WebhookDueV1>) -> Result<(), Again> {
    let (table, m) = (&round.world.table, round.m);
    let key = Key::webhook_delivery(m, &event.data.delivery);
    // Put on the list for a write that failed, or forgotten.
    let Some(held) = table.load_live::<Delivery>(&key, round.world.now()).await? else { return Ok(()) };
    let endpoint = table.load::<Endpoint>(&Key::webhook_endpoint(m, &held.value.endpoint)).await?;
    round.attend(held, endpoint.as_ref().map(|endpoint| &endpoint.value), event.at).await
}

/// The events with the endpoints that want them. One read where nobody listens.
async fn wanted<'a>(
    world: &World,
    events: &'a [Envelope],
) -> Result<Vec<(usize, &'a Envelope, Endpoint)>, Fault> {
    let marketplaces: BTreeSet<(MarketplaceId, Option<MerchantId>)> =
        events.iter().map(|event| (event.marketplace.clone(), None)).collect();
    let mut heard = listeners(world, marketplaces).await?;
    let merchants: BTreeSet<_> = events
        .iter()
        .filter(|event| heard.get(&(event.marketplace.clone(), None)).is_some_and(|own| own.merchants_too))
        .filter_map(|event| Some((event.marketplace.clone(), Some(merchant_of(&event.name, &event.data)?))))
        .collect();
    heard.append(&mut listeners(world, merchants).await?);
    let mut wanting: Vec<(usize, &Envelope, WebhookEndpointId)> = Vec::new();
    for (at, event) in events.iter().enumerate() {
        let own = merchant_of(&event.name, &event.data);
        let owners = [None].into_iter().chain(own.map(Some));
        for owner in owners {
            if let Some(listeners) = heard.get(&(event.marketplace.clone(), owner)) {
                wanting.extend(listeners.wanting(&event.name).map(|id| (at, event, id.clone())));
            }
        }
    }
    let keys: Vec<Key> =
        wanting.iter().map(|(_, event, id)| Key::webhook_endpoint(&event.marketplace, id)).collect();
    let endpoints = world.table.load_all::<Endpoint>(&unique(keys)).await?;
    let endpoints: BTreeMap<WebhookEndpointId, Endpoint> =
        endpoints.into_iter().map(|held| (held.value.id.clone(), held.value)).collect();
    let with = |(at, event, id): (usize, &'a Envelope, WebhookEndpointId)| {
        // Suspended or removed a moment ago: it hears no more.
        let endpoint = endpoints.get(&id).filter(|endpoint| endpoint.listens())?;
        Some((at, event, endpoint.clone()))
    };
    Ok(wanting.into_iter().filter_map(with).collect())
}

fn unique(keys: Vec<Key>) -> Vec<Key> {
    keys.into_iter().collect::<BTreeSet<Key>>().into_iter().collect()
}

async fn listeners(world: &World, of: BTreeSet<(MarketplaceId, Option<MerchantId>)>) -> Result<Heard, Fault> {
    let keys: Vec<(_, Key)> = of
        .into_iter()
        .map(|owner| {
            let key = Key::webhook_listeners(&owner.0, owner.1.as_ref());
            (owner, key)
        })
        .collect();
    if keys.is_empty() {
        return Ok(Heard::new());
    }
    let asked: Vec<Key> = keys.iter().map(|(_, key)| key.clone()).collect();
    let mut read = world.table.read(&asked).await?;
    let mut heard = Heard::new();
    for (owner, key) in keys {
        if let Some(held) = read.take::<Listeners>(&key)? {
            heard.insert(owner, held.value);
        }
    }
    Ok(heard)
}
