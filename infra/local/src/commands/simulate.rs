//! `cargo souk simulate`: marketplaces that live through bad days, as many as wished.

use super::bar::Bar;
use super::shares::{rate, seconds, write_figures};
use super::{Done, Failed, say};
use clap::Args;
use serde_json::json;
use souk::replay::Progress;
use souk::sim::{PLANTED, Plan, Planted, Run, Stage, Troubled, live, shrink, stage};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Runs that are spent on a shorter history.
const TRIES: usize = 300;

#[derive(Debug, Args)]
#[command(after_help = "Examples:
  cargo souk simulate --seeds 1000
  cargo souk simulate --seed 17 --seeds 1                 one that failed, again
  cargo souk simulate --minutes 30 --rounds 12            as many as there is time for
  cargo souk simulate --planted no-mark --seeds 1000      a mistake that has to be found")]
pub(crate) struct Simulate {
    /// How many; without a number until the time is over, or 100.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    seeds: Option<u64>,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Stop after so many minutes.
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    minutes: Option<u64>,
    /// Rounds of each history: some three orders in each of them, tens in every fourth history.
    #[arg(long, default_value_t = 12, value_parser = clap::value_parser!(u16).range(1..))]
    rounds: u16,
    /// Where people do as they like, a round has fewer acts; a quarter of them are carts.
    #[arg(long, default_value_t = 60)]
    acts: usize,
    /// A mistake that is planted between functions and table.
    #[arg(long, value_parser = planted)]
    planted: Option<Planted>,
    /// Write the figures to this file too.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
}

fn planted(word: &str) -> Result<Planted, String> {
    let names = || PLANTED.map(Planted::name).join(", ");
    PLANTED.into_iter().find(|one| one.name() == word).ok_or_else(|| format!("want one of {}", names()))
}

/// What all runs came to.
#[derive(Debug, Default)]
struct All {
    runs: u64,
    orders: usize,
    faults: BTreeMap<&'static str, u64>,
    failed: Option<(Plan, Run)>,
    troubled: Option<Troubled>,
}

impl Simulate {
    pub(crate) async fn run(self) -> Done {
        self.json.as_deref().map_or(Ok(()), super::must_be_writable)?;
        // Each run has a runtime of its own, in a thread of its own.
        tokio::task::spawn_blocking(move || self.live()).await?
    }

    fn live(self) -> Done {
        let (stage, bar) = (stage()?, Bar::default());
        let (next, stop, all) = (AtomicU64::new(0), AtomicBool::new(false), Mutex::new(All::default()));
        let count = self.seeds.unwrap_or(if self.minutes.is_some() { u64::MAX } else { 100 });
        let until = self.minutes.map(|minutes| Duration::from_secs(minutes.saturating_mul(60)));
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let began = Instant::now();
        let worker = || {
            while !stop.load(Ordering::Relaxed) && until.is_none_or(|until| began.elapsed() < until) {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= count {
                    break;
                }
                let planted = self.planted;
                let plan =
                    Plan { planted, ..Plan::of(self.seed.saturating_add(n), self.rounds.into(), self.acts) };
                let lived = live(&stage, &plan);
                let mut all = all.lock().unwrap_or_else(PoisonError::into_inner);
                all.note(plan, lived);
                stop.store(all.failed.is_some() || all.troubled.is_some(), Ordering::Relaxed);
                // Where only time ends it, the bar counts seconds.
                let (done, of) = match until.filter(|_| self.seeds.is_none()) {
                    Some(until) => (began.elapsed().min(until).as_secs(), until.as_secs()),
                    None => (all.runs, count),
                };
                let [done, of] = [done, of].map(|n| usize::try_from(n).unwrap_or(usize::MAX));
                bar.step("simulated", done, of);
                bar.note(format!("{} orders, {} a second", all.orders, rate(all.orders, &began.elapsed())));
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(worker);
            }
        });
        bar.done();
        let all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        self.tell(all, &stage, began.elapsed(), threads)
    }

    fn tell(self, all: All, stage: &Stage, took: Duration, threads: usize) -> Done {
        if let Some(troubled) = all.troubled {
            return Err(troubled.into());
        }
        let worked = souk::bench::worked().unwrap_or(took);
        let (by_clock, by_processor) = (rate(all.orders, &took), rate(all.orders, &worked));
        let (runs, orders, took_text) = (all.runs, all.orders, seconds(&took));
        say(format!("{runs} histories, {orders} orders in {took_text} on {threads} threads"));
        say(format!("{by_clock} orders a second, {by_processor} in a second of processor time"));
        for (fault, count) in &all.faults {
            say(format!("{count:>12}  {fault}"));
        }
        let figures = json!({
            "histories": all.runs, "orders": all.orders, "milliseconds": took.as_millis(), "threads": threads,
            "processor_milliseconds": worked.as_millis(), "orders_per_processor_second": by_processor,
            "rounds": self.rounds, "acts": self.acts, "first_seed": self.seed, "faults": all.faults,
        });
        write_figures(self.json.as_deref(), &figures)?;
        if let Some(planted) = self.planted {
            let Some((plan, run)) = all.failed else {
                return Err(Failed::new(format!("nobody has noticed {}", planted.name())));
            };
            say(format!("{} is found by seed {}: {}", planted.name(), plan.seed, run.broken.join("\n  ")));
            return Ok(());
        }
        let Some((plan, run)) = all.failed else { return Ok(()) };
        say(format!("\nseed {} breaks a law; looking for a shorter history:", plan.seed));
        run.broken.iter().for_each(|wrong| say(format!("  {wrong}")));
        let (plan, run) = shrink(stage, plan, run, TRIES)?;
        for round in &plan.history {
            say(format!("{round:?}"));
        }
        for line in &run.story {
            say(format!("  {line}"));
        }
        let reason = format!("seed {}: {}", plan.seed, run.broken.join("\n"));
        let (seed, rounds, acts) = (plan.seed, self.rounds, self.acts);
        let again = format!("cargo souk simulate --seeds 1 --seed {seed} --rounds {rounds} --acts {acts}");
        Err(Failed::new(reason).hint(format!("the same again: {again}")))
    }
}

impl All {
    fn note(&mut self, plan: Plan, lived: Result<Run, Troubled>) {
        match lived {
            Err(troubled) => self.troubled = self.troubled.take().or(Some(troubled)),
            Ok(run) => {
                self.runs = self.runs.saturating_add(1);
                self.orders = self.orders.saturating_add(run.orders);
                for (fault, count) in &run.faults {
                    let sum = self.faults.entry(fault).or_default();
                    *sum = sum.saturating_add(*count);
                }
                if !run.broken.is_empty() && self.failed.is_none() {
                    self.failed = Some((plan, run));
                }
            }
        }
    }
}
