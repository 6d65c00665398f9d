//! Marketplaces that live through bad days, each as its seed says; every law holds at the end of each.
//!
//! A failure says its seed, the shortest history found that fails, what was told of its orders, and the law. `SEED=17
//! COUNT=1 cargo test --workspace --test sim` lives that one again; `cargo souk simulate` lives as many as wished.
#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop with its cause"
)]

use souk::sim::{PLANTED, Plan, Planted, faults, live, shrink, stage};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// As in `cargo souk`: what is simulated allocates and frees small texts all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A history has so many rounds at most, and each of them fewer acts.
const SIZE: (u64, usize) = (2, 12);
/// How many are lived through, twice.
const SEEDS: u64 = 100;
/// Runs that are spent on a shorter history.
const TRIES: usize = 60;

fn number(name: &str, otherwise: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

fn plan(seed: u64) -> Plan {
    let rounds = usize::try_from(1 + seed % SIZE.0).unwrap();
    Plan::of(seed, rounds, SIZE.1)
}

/// Every law, over seeds from one on; answers what has gone wrong meanwhile.
fn laws_hold(from: u64, count: u64) -> BTreeSet<&'static str> {
    let stage = stage().expect("the stage is made");
    let mut happened = BTreeSet::new();
    for seed in from..from + count {
        let plan = plan(seed);
        let run = live(&stage, &plan).expect("the local cloud works");
        if !run.broken.is_empty() {
            let (plan, run) = shrink(&stage, plan, run, TRIES).expect("the local cloud works");
            panic!("seed {seed}: {:#?}\n{:#?}\n{:#?}", plan.history, run.story, run.broken);
        }
        happened.extend(run.faults.into_keys());
    }
    happened
}

#[test]
fn every_law_holds_at_the_end_of_any_day() {
    let happened = laws_hold(number("SEED", 1), number("COUNT", SEEDS));
    if std::env::var("COUNT").is_err() {
        let never: Vec<_> = faults().filter(|fault| !happened.contains(fault)).collect();
        assert_eq!(never, [""; 0], "what never goes wrong proves nothing");
    }
}

#[test]
fn every_law_holds_on_other_days_too() {
    if std::env::var("SEED").is_err() {
        let _happened = laws_hold(1_001, number("COUNT", SEEDS));
    }
}

#[test]
fn the_same_seed_is_the_same_run_to_the_byte() {
    let (stage, again) =
        (stage().expect("the stage is made"), souk::sim::stage().expect("the stage is made"));
    for seed in 1..=3 {
        let plan = Plan { traced: true, ..plan(seed) };
        let first = live(&stage, &plan).expect("the local cloud works");
        assert_eq!(live(&again, &plan).expect("the local cloud works"), first, "seed {seed}");
    }
}

#[test]
fn every_planted_mistake_is_found_within_a_thousand_seeds() {
    let stage = stage().expect("the stage is made");
    let found = |planted: Planted| {
        let finds = |seed| {
            let plan = Plan { planted: Some(planted), ..plan(seed) };
            !live(&stage, &plan).expect("the local cloud works").broken.is_empty()
        };
        (1..=1_000).any(finds)
    };
    // Two at a time, and who is done takes the next: it is what takes longest of all tests.
    let next = AtomicUsize::new(0);
    let missed = || {
        let turns = std::iter::from_fn(|| PLANTED.get(next.fetch_add(1, Ordering::Relaxed)));
        turns.copied().filter(|planted| !found(*planted)).collect::<Vec<_>>()
    };
    let all = std::thread::scope(|threads| {
        let beside = threads.spawn(missed);
        [missed(), beside.join().unwrap()].concat()
    });
    assert_eq!(all, [], "nobody notices");
}
