//! `invoice.opened.v1`: the document gets the next number of its legal entity and year, without gaps.
//!
//! Reads: documents, series. Writes: the series with the names of those that its last numbers belong to, in one
//! conditional write; then each of them gets its own, by itself. Who finds numbers that are given and not yet written
//! writes them first, so a crash leaves no gap; the series is read before the documents, so that who has a number is
//! seen to have it, and gets no second one. Emits: nothing. Delivered at least once, in any order.

use domain::id::{InvoiceId, MarketplaceId};
use domain::invoice::{Invoice, Series};
use domain::text::Word;
use edge::{Again, World};
use events::Envelope;
use events::invoice::InvoiceOpenedV1;
use std::collections::{BTreeMap, BTreeSet};
use table::invoice::ENTITY;
use table::{Fault, Held, Key};

/// Numbers that are given in one write: their names have to fit into the series.
const AT_ONCE: usize = 90;

pub(crate) async fn give(world: World, events: Vec<Envelope<InvoiceOpenedV1>>) -> Vec<usize> {
    let mut asked: BTreeMap<MarketplaceId, BTreeMap<InvoiceId, Vec<usize>>> = BTreeMap::new();
    for (at, event) in events.into_iter().enumerate() {
        let of_marketplace = asked.entry(event.marketplace).or_default();
        of_marketplace.entry(event.data.invoice).or_default().push(at);
    }
    let mut failed = Vec::new();
    for (m, places) in asked {
        let ids: Vec<InvoiceId> = places.keys().cloned().collect();
        for some in ids.chunks(AT_ONCE) {
            let missing = match world.until_free(|| number(&world, &m, some)).await {
                Ok(missing) => missing,
                Err(again) => {
                    tracing::warn!(error = edge::chain(&again), "numbers could not be given");
                    some.to_vec()
                }
            };
            failed.extend(missing.iter().filter_map(|id| places.get(id)).flatten());
        }
    }
    failed
}

/// Answers those that have no number after it.
async fn number(world: &World, m: &MarketplaceId, ids: &[InvoiceId]) -> Result<Vec<InvoiceId>, Again> {
    let found = documents(world, m, ids).await?;
    let there: BTreeSet<&InvoiceId> = found.iter().map(|held| &held.value.id).collect();
    let mut without: Vec<InvoiceId> = ids.iter().filter(|id| !there.contains(id)).cloned().collect();
    let mut years: BTreeMap<i16, BTreeSet<InvoiceId>> = BTreeMap::new();
    for held in found.iter().filter(|held| held.value.number.is_none()) {
        years.entry(held.value.year()).or_default().insert(held.value.id.clone());
    }
    for (year, of_year) in years {
        without.extend(number_in(world, m, year, &of_year).await?);
    }
    Ok(without)
}

async fn number_in(
    world: &World,
    m: &MarketplaceId,
    year: i16,
    ids: &BTreeSet<InvoiceId>,
) -> Result<Vec<InvoiceId>, Again> {
    let before = world.table.load::<Series>(&Key::series(m, ENTITY, year)).await?;
    let series = match &before {
        Some(held) => held.value.clone(),
        None => Series::new(entity()?, year),
    };
    let all: Vec<InvoiceId> = ids.iter().chain(&series.giving).cloned().collect();
    let mut open = documents(world, m, &all).await?;
    open.retain(|held| held.value.number.is_none());
    if let Some((_, fault)) = write(world, m, &series, &open).await.into_iter().next() {
        return Err(fault.into());
    }
    open.retain(|held| !series.giving.contains(&held.value.id));
    if open.is_empty() {
        return Ok(Vec::new());
    }
    open.sort_by(|a, b| (a.value.opened_at, &a.value.id).cmp(&(b.value.opened_at, &b.value.id)));
    let next = series.give(open.iter().map(|held| held.value.id.clone()).collect());
    world.table.put(m, before.as_ref(), &next).await?;
    // They are given now: who comes next writes what could not be written here.
    let failed = write(world, m, &next, &open).await;
    if failed.iter().any(|(_, fault)| matches!(fault, Fault::Busy)) {
        // Something else about it has changed, or somebody else has written it: look again.
        return Err(Again::Busy);
    }
    let failed = failed.into_iter().map(|(id, fault)| {
        tracing::warn!(error = edge::chain(&fault), invoice = %id, "its number is given and not written");
        id
    });
    Ok(failed.collect())
}

/// Writes the numbers that the series is giving to those of these that it names; answers what could not be written.
async fn write(
    world: &World,
    m: &MarketplaceId,
    series: &Series,
    open: &[Held<Invoice>],
) -> Vec<(InvoiceId, Fault)> {
    let numbers: BTreeMap<_, _> = series.given().collect();
    let numbered = |held: &Held<Invoice>| {
        let number = numbers.get(&held.value.id)?;
        Some((held.clone(), held.value.numbered(*number)?))
    };
    let changes: Vec<_> = open.iter().filter_map(numbered).collect();
    let done = world.table.put_each(m, &changes).await;
    let failed = |((held, _), done): (&(Held<Invoice>, Invoice), Result<u64, Fault>)| {
        Some((held.value.id.clone(), done.err()?))
    };
    changes.iter().zip(done).filter_map(failed).collect()
}

async fn documents(world: &World, m: &MarketplaceId, ids: &[InvoiceId]) -> Result<Vec<Held<Invoice>>, Again> {
    let keys: Vec<Key> = ids.iter().filter_map(|id| Key::invoice(m, id)).collect();
    Ok(world.table.load_all(&keys).await?)
}

fn entity() -> Result<Word, Again> {
    ENTITY.parse().map_err(|error| Again::call("name the legal entity", error))
}
