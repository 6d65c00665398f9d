//! The laws of a subscription, over random lives: what is charged is what was used, whatever came between.

use super::*;
use crate::invoice::Stage as Paid;
use crate::ledger::Account;
use crate::period::Zone;
use crate::tax::id::TaxId;
use proptest::prelude::*;
use rust_decimal::Decimal;

#[derive(Debug, Clone)]
enum Doing {
    Wait { seconds: u32 },
    Change { plan: usize, quantity: u32, at_end: bool },
    Pause { days: Option<u16> },
    Resume,
    Cancel { at_end: bool },
    Uncancel,
}

#[derive(Debug, Clone, Copy)]
enum Tax {
    None,
    Included,
    Added,
    ReverseCharge,
}

#[derive(Debug, Clone)]
struct World {
    code: &'static str,
    modes: [Proration; 2],
    zone: &'static str,
    tax: Tax,
    begun: i64,
    trial: bool,
    doing: Vec<Doing>,
}

fn any_doing() -> impl Strategy<Value = Doing> {
    let seconds = prop_oneof![1_u32..200_000, 1_u32..4_000_000, 1_u32..12_000_000];
    prop_oneof![
        8 => seconds.prop_map(|seconds| Doing::Wait { seconds }),
        8 => (0_usize..5, 1_u32..6, prop::bool::weighted(0.3))
            .prop_map(|(plan, quantity, at_end)| Doing::Change { plan, quantity, at_end }),
        3 => prop::option::of(1_u16..90).prop_map(|days| Doing::Pause { days }),
        3 => Just(Doing::Resume),
        1 => prop::bool::weighted(0.8).prop_map(|at_end| Doing::Cancel { at_end }),
        2 => Just(Doing::Uncancel),
    ]
}

fn any_world() -> impl Strategy<Value = World> {
    let zones = vec![
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "America/St_Johns",
        "Asia/Kathmandu",
    ];
    let taxes = vec![Tax::None, Tax::Included, Tax::Added, Tax::ReverseCharge];
    // Some begin in the hours when Berlin's clocks change.
    let begun = prop_oneof![
        4 => 1_767_225_600_000_i64..1_830_297_600_000,
        1 => 1_806_192_000_000_i64..1_806_206_400_000,
        1 => 1_824_940_800_000_i64..1_824_955_200_000,
    ];
    let code = prop::sample::select(vec!["EUR", "JPY", "KWD"]);
    let (second, day, none) = (Proration::Second, Proration::Day, Proration::None);
    let modes = vec![[second, second], [day, day], [second, none], [none, day]];
    let head = (code, prop::sample::select(modes), prop::sample::select(zones), prop::sample::select(taxes));
    (head, begun, prop::bool::weighted(0.3), prop::collection::vec(any_doing(), 0..40)).prop_map(
        |((code, modes, zone, tax), begun, trial, doing)| World {
            code,
            modes,
            zone,
            tax,
            begun,
            trial,
            doing,
        },
    )
}

/// Months, weeks and a year, and one that is free.
fn plans(world: &World) -> Vec<Terms> {
    let terms = |number: u32, minor, count, unit| {
        let price = Money::new(minor, id(world.code));
        let proration = if number % 2 == 1 { world.modes[0] } else { world.modes[1] };
        let interval = Interval { every: unit, count };
        Terms { proration, interval, ..priced(&format!("pln_{number:08}"), price) }
    };
    vec![
        terms(1, 10_01, 1, Unit::Month),
        terms(2, 20_03, 1, Unit::Month),
        terms(3, 3_33, 2, Unit::Week),
        terms(4, 11_999, 1, Unit::Year),
        terms(5, 0, 1, Unit::Month),
    ]
}

/// A time in which one price holds, as it is kept here beside the subscription.
#[derive(Debug, Clone, Copy)]
struct Running {
    since: Timestamp,
    period: Period,
    price: Money,
}

struct Watched {
    life: Life,
    world: World,
    now: Timestamp,
    /// None while nothing is given.
    running: Option<Running>,
    /// What was used so far, as priced, in minor units.
    used: Decimal,
    /// Up to when time is accounted for.
    end: Timestamp,
    /// The last charge, if nothing of it was credited, and up to when time is charged.
    charged: Option<Money>,
    paid: Timestamp,
}

fn minor(money: Money) -> Decimal {
    Decimal::from(money.minor)
}

/// How much of a period's price a part of it is worth: exact.
fn worth(running: Running, until: Timestamp, zone: &Zone, by_day: bool) -> Decimal {
    let Running { since, period, price } = running;
    let days = |from: Timestamp, to: Timestamp| {
        let (from, to) = (zone.wall(from).date(), zone.wall(to).date());
        from.until(to).unwrap().get_days().into()
    };
    let nanos =
        |from: Timestamp, to: Timestamp| Decimal::from_i128_with_scale(to.duration_since(from).as_nanos(), 0);
    let between = |from, to| if by_day { days(from, to) } else { nanos(from, to) };
    minor(price) * between(since, until) / between(period.from, period.until)
}

/// What is covered and left at a moment is prorated, and less than half of a minor unit.
fn left_is_nothing(held: &Subscription, at: Timestamp) -> bool {
    let Some(covered) = held.covered.as_ref().filter(|covered| covered.proration != Proration::None) else {
        return false;
    };
    let running = Running { since: at, period: covered.period, price: covered.price };
    let by_day = covered.proration == Proration::Day;
    worth(running, covered.period.until, &held.cycle.zone, by_day) <= Decimal::new(5, 1)
}

impl Watched {
    fn begin(world: World) -> Self {
        let now = Timestamp::from_millisecond(world.begun).unwrap();
        let policy = match world.tax {
            Tax::None => &UNTAXED,
            Tax::Included | Tax::ReverseCharge => &INCLUDED,
            Tax::Added => &ADDED,
        };
        let foreign = matches!(world.tax, Tax::ReverseCharge);
        let tax_id = foreign.then(|| TaxId::parse(id("DE"), "734470346").unwrap());
        let seller = if foreign { id("FR") } else { id("DE") };
        let taxes = Taxes { seller, ..taxes(policy) };
        let asked = Start { tax_id, trial: world.trial, ..asked(world.zone) };
        let plans = plans(&world);
        let life = Life::begin(&plans[0], asked, taxes, now);
        let life = Life { plans, ..life };
        let price = life.documents.first().map(|one| one.lines[0].total().unwrap());
        let end = life.held.period().unwrap();
        let end = if world.trial { end.from } else { end.until };
        let mut one =
            Self { life, world, now, running: None, used: Decimal::ZERO, end, charged: price, paid: end };
        one.runs(now);
        one
    }

    /// What holds from `since` on.
    fn runs(&mut self, since: Timestamp) {
        self.running = match self.life.held.stage {
            Stage::Active => {
                let (held, period) = (&self.life.held, self.life.held.period().unwrap());
                let price = self.life.own_terms().price_of(held.quantity).unwrap();
                Some(Running { since, period, price })
            }
            Stage::Incomplete { .. }
            | Stage::Trialing { .. }
            | Stage::Paused { .. }
            | Stage::Ended { .. } => None,
        };
    }

    /// One step that holds from `since` on, and every law that it has to keep.
    fn take(&mut self, step: Step, since: Timestamp) -> Result<(), TestCaseError> {
        let (before, next) = (self.life.held.clone(), step.next.clone());
        let renewed = matches!(step.change, Change::Renewed | Change::Skipped);
        let zone = &before.cycle.zone;
        if let Some(running) = self.running {
            self.used += worth(running, since, zone, self.world.modes[0] == Proration::Day);
        }
        if next.covered != before.covered && left_is_nothing(&before, since) {
            self.paid = self.paid.min(since);
        }
        match &step.document {
            Some(document) => self.documented(&before, &next, document)?,
            None => {
                prop_assert_eq!((next.documents, next.credit), (before.documents, before.credit));
            }
        }
        prop_assert!(next.credit.minor >= 0, "credit is never negative");
        prop_assert!(next.number >= before.number, "numbers only rise");
        if renewed && matches!(before.stage, Stage::Active) {
            prop_assert_eq!(next.number, before.number + 1, "one period at a time");
        }
        self.touches(&before, &next, step.document.as_ref(), since)?;
        self.life.take(step);
        self.runs(since);
        Ok(())
    }

    fn documented(
        &mut self,
        before: &Subscription,
        next: &Subscription,
        document: &Invoice,
    ) -> Result<(), TestCaseError> {
        prop_assert_eq!(next.documents, before.documents + 1);
        prop_assert_eq!(&document.id, &InvoiceId::of(&next.id, next.documents));
        let (total, due) = (document.total().unwrap(), document.due().unwrap());
        prop_assert_eq!(document.subtotal().unwrap().plus(document.tax().unwrap()).unwrap(), total);
        prop_assert_eq!(document.kind == Kind::CreditNote, total.minor < 0);
        prop_assert_eq!(document.stage == Paid::Open, due.minor > 0);
        prop_assert!(due.minor >= 0, "nobody is owed money by an invoice");
        prop_assert_eq!(next.credit, before.credit.minus(document.credit).unwrap());
        prop_assert!(due.minor == 0 || next.credit.minor == 0, "credit pays first");
        let posting = document.posting().unwrap();
        let credit = posting.entries().find(|(account, _)| **account == Account::SubscriptionCredit);
        prop_assert_eq!(credit.map_or(0, |(_, amount)| amount.minor), document.credit.minor);
        for line in &document.lines {
            let total = line.total().unwrap();
            let sign = if line.what == What::Credit { -1 } else { 1 };
            prop_assert!(line.base.minor * sign >= 0 && line.tax.minor * sign >= 0);
            prop_assert!(line.period.from < line.period.until);
            if line.what == What::Credit {
                let of = self.charged.take();
                let fits = of.is_some_and(|charged| total.negated().minor <= charged.minor);
                prop_assert!(fits, "{total} is credited of {of:?}");
                self.paid = line.period.from;
            } else {
                let (from, paid) = (line.period.from, self.paid);
                prop_assert!(from >= paid, "what is paid up to {paid} is charged again from {from} on");
                self.paid = line.period.until;
                self.charged = Some(total);
            }
        }
        Ok(())
    }

    /// What is accounted for next begins where the last ended, or where a pause did.
    fn touches(
        &mut self,
        before: &Subscription,
        next: &Subscription,
        document: Option<&Invoice>,
        since: Timestamp,
    ) -> Result<(), TestCaseError> {
        let paused = matches!(before.stage, Stage::Paused { .. });
        prop_assert!(since <= self.end || paused, "a gap before {since}: it ended at {}", self.end);
        let period = next.period().unwrap();
        match next.stage {
            Stage::Active if before.target() == next.target() && !paused && document.is_none() => {
                // Only noted, or a renewal of what is free.
                prop_assert!(next.number == before.number || period.from == self.end);
                self.end = period.until;
            }
            Stage::Active => {
                let from = if next.number > before.number && !paused { period.from } else { since };
                prop_assert!(from == since, "it begins at {from}, not {since}");
                let charges = document.into_iter().flat_map(|one| &one.lines);
                for line in charges.filter(|line| line.what == What::Charge) {
                    prop_assert_eq!(line.period, Period { from: since, until: period.until });
                }
                self.end = period.until;
            }
            Stage::Incomplete { .. } | Stage::Trialing { .. } => {}
            Stage::Paused { .. } | Stage::Ended { .. } => self.end = since,
        }
        Ok(())
    }

    /// What time has brought by now, however much; and then nothing more.
    fn catch_up(&mut self) -> Result<(), TestCaseError> {
        loop {
            let due = self.life.held.due_at().unwrap();
            let terms = self.life.terms(&self.life.held.renews_as());
            let renewed = || renew(&self.life.held, &terms, &self.life.taxes, self.now).unwrap();
            let first = renewed();
            prop_assert_eq!(&first, &renewed(), "a preview is what follows");
            let Renewal::Due(step) = first else {
                prop_assert!(due.is_none_or(|due| due > self.now));
                return Ok(());
            };
            self.take(*step, due.unwrap())?;
        }
    }

    fn change_to(&mut self, (plan, quantity): (usize, u32), at_end: bool) -> Result<(), TestCaseError> {
        let terms = self.life.plans[plan].clone();
        let changed = |when, now| change(&self.life.held, (&terms, quantity), when, &self.life.taxes, now);
        if at_end {
            return match changed(When::PeriodEnd, self.now) {
                Ok(Decision::New(step)) => self.take(step, self.now),
                Ok(Decision::Already) | Err(_) => Ok(()),
            };
        }
        let seen = changed(When::Now(None), self.now);
        // Committed a minute later it is what was seen, unless its period is over by then.
        let later = self.now.checked_add(SignedDuration::from_mins(1)).unwrap();
        match (&seen, changed(When::Now(Some(self.now)), later)) {
            (Ok(Decision::New(seen)), Ok(Decision::New(done))) => {
                prop_assert_eq!(shown(seen), shown(&done));
                prop_assert_eq!(&seen.next, &done.next);
            }
            (Ok(Decision::Already), Ok(Decision::Already)) | (_, Err(_)) => {}
            (seen, done) => prop_assert!(false, "{seen:?} was seen, {done:?} was done"),
        }
        match seen {
            Ok(Decision::New(step)) => self.take(step, self.now),
            Ok(Decision::Already) => Ok(()),
            Err(refused) => {
                let known = [Refused::EndsSoon, Refused::Paused, Refused::Ended];
                let unprorated =
                    refused == Refused::NoProration && self.world.modes.contains(&Proration::None);
                prop_assert!(known.contains(&refused) || unprorated, "{refused}");
                Ok(())
            }
        }
    }

    fn go(&mut self, doing: Doing) -> Result<(), TestCaseError> {
        let now = self.now;
        let later = |days: u16| now.checked_add(SignedDuration::from_hours(24 * i64::from(days))).unwrap();
        let decision = match doing {
            Doing::Wait { seconds } => {
                let millis = SignedDuration::from_millis(i64::from(seconds) * 997);
                self.now = now.checked_add(millis).unwrap();
                return self.catch_up();
            }
            Doing::Change { plan, quantity, at_end } => return self.change_to((plan, quantity), at_end),
            Doing::Pause { days } => pause(&self.life.held, days.map(later), None, now),
            Doing::Resume => {
                let terms = self.life.own_terms();
                resume(&self.life.held, &terms, &self.life.taxes, (now, now)).map(Decision::New)
            }
            Doing::Cancel { at_end } => {
                cancel(&self.life.held, None, if at_end { When::PeriodEnd } else { When::Now(None) }, now)
            }
            Doing::Uncancel => uncancel(&self.life.held, now).map(Decision::New),
        };
        match decision {
            Ok(Decision::New(step)) => self.take(step, now),
            Ok(Decision::Already) | Err(_) => Ok(()),
        }
    }

    /// Σ invoices − Σ credit notes is what was used, within one minor unit for each line.
    fn settles(&self) -> Result<(), TestCaseError> {
        let lines: Vec<_> = self.life.documents.iter().flat_map(|one| &one.lines).collect();
        let (hundred, rate) = (Decimal::ONE_HUNDRED, Decimal::from(119));
        let worth = match self.world.tax {
            Tax::None | Tax::Included => self.used,
            Tax::Added => self.used * rate / hundred,
            Tax::ReverseCharge => self.used * hundred / rate,
        };
        let total = lines.iter().map(|line| minor(line.total().unwrap())).sum::<Decimal>();
        let off = (total - worth).abs();
        let prorated = !self.world.modes.contains(&Proration::None);
        prop_assert!(!prorated || off <= Decimal::from(lines.len()), "{total} for {worth}: {off}");
        // What comes in as money, less what is still credit, is that sum too.
        let due = self.life.documents.iter().map(|one| minor(one.due().unwrap())).sum::<Decimal>();
        prop_assert_eq!(due - minor(self.life.held.credit), total);
        let credit = self.life.documents.iter().map(|one| one.credit.minor).sum::<i64>();
        prop_assert_eq!(-credit, self.life.held.credit.minor, "Σ postings of credit are the credit there is");
        Ok(())
    }
}

proptest! {
    #[test]
    fn what_is_charged_is_what_was_used_and_every_step_keeps_the_laws(world in any_world()) {
        let mut watched = Watched::begin(world.clone());
        for doing in world.doing {
            watched.go(doing)?;
        }
        watched.catch_up()?;
        watched.go(Doing::Cancel { at_end: false })?;
        prop_assert_eq!(watched.life.held.status(), "ended");
        watched.settles()?;
    }
}
