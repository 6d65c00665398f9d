//! The specification of subscriptions. [`Life`] is one subscription, told what happens to it; what a step tells,
//! charges and credits is one line of text.

mod changes;
mod ends;
mod goods;
mod laws;
mod pauses;
mod renewals;
mod taxes;
mod trials;

use super::*;
use crate::Decision;
use crate::invoice::{Invoice, Kind, What};
use crate::order::tests::{eur, id};
use crate::period::{Interval, Proration, Unit};
use crate::plan::{Gives, Terms, Tier};
use crate::tax::table::{Rules, Sheet};
use crate::tax::{Mode, Policy, Prices, Rate, Treatment};
use std::sync::LazyLock;

/// Ten a month, 20, or by the seat; without tax.
pub(crate) fn terms(plan: &str, price: i64) -> Terms {
    priced(plan, eur(price))
}

fn priced(plan: &str, price: Money) -> Terms {
    Terms {
        plan: id(plan),
        version: 1,
        published_at: Timestamp::UNIX_EPOCH,
        interval: Interval::MONTH,
        price,
        included: 1,
        tiers: vec![Tier { up_to: None, unit_price: price }],
        trial_days: 14,
        setup_fee: None,
        proration: Proration::Second,
        category: None,
        gives: Gives { features: vec![id("seats")], ..Gives::default() },
        dunning: crate::dunning::Policy::default(),
    }
}

/// Three plans of one currency.
fn ten() -> Terms {
    terms("pln_00000010", 10_00)
}

fn twenty() -> Terms {
    terms("pln_00000020", 20_00)
}

fn thirty() -> Terms {
    terms("pln_00000030", 30_00)
}

/// Tea every month, at its price of the day.
fn tea() -> Terms {
    let goods = vec![crate::plan::Goods { merchant: id("mer_00000001"), sku: id("tea"), quantity: 1 }];
    let gives = Gives { goods, ..Gives::default() };
    Terms { plan: id("pln_000000ea"), price: eur(0), tiers: Vec::new(), gives, ..ten() }
}

/// Tea, and features for 10 a month.
fn club() -> Terms {
    let gives = Gives { features: vec![id("club")], ..tea().gives };
    Terms { plan: id("pln_000000cb"), gives, ..ten() }
}

fn without_proration(terms: Terms) -> Terms {
    Terms { proration: Proration::None, ..terms }
}

fn every(count: u16, every: Unit, terms: Terms) -> Terms {
    Terms { interval: Interval { every, count }, ..terms }
}

static UNTAXED: LazyLock<Policy> = LazyLock::new(|| Rules::first().with([]));
static INCLUDED: LazyLock<Policy> = LazyLock::new(|| germany(Prices::Included));
static ADDED: LazyLock<Policy> = LazyLock::new(|| germany(Prices::Added));

/// 19 % in Germany.
fn germany(prices: Prices) -> Policy {
    let treatment = Treatment::Standard(rust_decimal::Decimal::from(19));
    let area = crate::place::Area::Country(id("DE"));
    let rate = Rate { area, category: None, from: id("2007-01-01"), treatment };
    let first = Rules::first();
    let rules = Rules { mode: Mode { prices, ..first.mode }, ..first };
    rules.with([Sheet { country: Some(id("DE")), rates: vec![rate] }])
}

/// Of a seller at home where its customer is.
fn taxes(policy: &'static LazyLock<Policy>) -> Taxes<'static> {
    Taxes { policy, seller: id("DE") }
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// A midnight in UTC.
fn on(day: &str) -> Timestamp {
    at(&format!("{day}T00:00:00Z"))
}

fn asked(zone: &str) -> Start {
    Start {
        id: id("sub_00000001"),
        customer: id("cus_00000001"),
        quantity: 1,
        zone: zone.parse().unwrap(),
        place: Place { country: id("DE"), region: None, postal: None },
        tax_id: None,
        bill_to: None,
        means: Means { gateway: id("sandbox"), method: Method::Card, token: Some(id("tok_approved")) },
        trial: false,
    }
}

struct Life {
    held: Subscription,
    plans: Vec<Terms>,
    taxes: Taxes<'static>,
    documents: Vec<Invoice>,
    /// Periods that something was sent for.
    sent: Vec<Period>,
}

/// Begun on 1 April 2027 at midnight UTC, untaxed, paid.
fn running(terms: &Terms) -> Life {
    Life::begin(terms, asked("UTC"), taxes(&UNTAXED), on("2027-04-01"))
}

impl Life {
    fn begin(terms: &Terms, asked: Start, taxes: Taxes<'static>, now: Timestamp) -> Self {
        let step = super::start(asked, terms, &taxes, now).unwrap();
        let (held, plans) = (step.next.clone(), vec![terms.clone()]);
        let mut life = Self { held, plans, taxes, documents: Vec::new(), sent: Vec::new() };
        life.take(step);
        if let Decision::New(step) = activate(&life.held) {
            life.take(step);
        }
        life
    }

    fn terms(&self, target: &Target) -> Terms {
        let of = |one: &&Terms| one.plan == target.plan && one.version == target.version;
        self.plans.iter().find(of).expect("it was named before").clone()
    }

    fn own_terms(&self) -> Terms {
        self.terms(&self.held.target())
    }

    fn take(&mut self, step: Step) -> String {
        let shown = shown(&step);
        self.held = step.next;
        self.documents.extend(step.document);
        self.sent.extend(step.goods);
        // Whoever orders has ordered.
        if let (Some(_), Decision::New(step)) = (step.goods, sent(&self.held, self.held.number)) {
            self.held = step.next;
        }
        shown
    }

    fn decided(&mut self, decision: Decision<Step>) -> String {
        match decision {
            Decision::New(step) => self.take(step),
            Decision::Already => "already".to_owned(),
        }
    }

    fn change_when(&mut self, to: (&Terms, u32), when: When, now: Timestamp) -> String {
        self.plans.push(to.0.clone());
        let decision = change(&self.held, to, when, &self.taxes, now).unwrap();
        self.decided(decision)
    }

    fn change(&mut self, terms: &Terms, quantity: u32, now: Timestamp) -> String {
        self.change_when((terms, quantity), When::Now(None), now)
    }

    fn change_at_end(&mut self, terms: &Terms, quantity: u32, now: Timestamp) -> String {
        self.change_when((terms, quantity), When::PeriodEnd, now)
    }

    fn pause(&mut self, until: Option<Timestamp>, now: Timestamp) -> String {
        let decision = pause(&self.held, until, None, now).unwrap();
        self.decided(decision)
    }

    fn resume(&mut self, now: Timestamp) -> String {
        let step = resume(&self.held, &self.own_terms(), &self.taxes, (now, now)).unwrap();
        self.take(step)
    }

    fn cancel(&mut self, when: When, now: Timestamp) -> String {
        let decision = cancel(&self.held, None, when, now).unwrap();
        self.decided(decision)
    }

    /// What time has brought: one step.
    fn renew(&mut self, now: Timestamp) -> String {
        let terms = self.terms(&self.held.renews_as());
        match renew(&self.held, &terms, &self.taxes, now).unwrap() {
            Renewal::NotDue => "not due".to_owned(),
            Renewal::Due(step) => self.take(*step),
        }
    }

    /// What a refused change says.
    fn refused(&self, to: (&Terms, u32), when: When, now: Timestamp) -> Refused {
        change(&self.held, to, when, &self.taxes, now).expect_err("refused")
    }

    /// What the charges of a document are for, as the customer's wall shows it.
    fn covers(&self, document: &Invoice) -> String {
        let wall = |at| self.held.cycle.zone.wall(at).to_string();
        let shown = |period: Period| format!("{} – {}", wall(period.from), wall(period.until));
        let charges = document.lines.iter().filter(|line| line.what == What::Charge);
        charges.map(|line| shown(line.period)).collect::<Vec<_>>().join(", ")
    }

    /// What the last charge is for.
    fn covered(&self) -> String {
        self.covers(self.documents.last().unwrap())
    }
}

/// `Changed: credit -5.00, charge 10.00; due 5.00`, with taxes as `8.40+1.60`.
fn shown(step: &Step) -> String {
    match &step.document {
        Some(document) => format!("{:?}: {}", step.change, written(document)),
        None => format!("{:?}", step.change),
    }
}

fn written(document: &Invoice) -> String {
    let amount = |money: Money| money.decimal().to_string();
    let tax = |money: Money| if money.minor == 0 { String::new() } else { format!("+{}", amount(money)) };
    let lines = document.lines.iter().map(|line| {
        let what = match line.what {
            What::Charge => "charge",
            What::Credit => "credit",
            What::SetupFee => "setup",
        };
        format!("{what} {}{}", amount(line.base), tax(line.tax))
    });
    let lines = lines.collect::<Vec<_>>().join(", ");
    let due = amount(document.due().unwrap());
    match document.kind {
        Kind::CreditNote => format!("{lines}; given {}", amount(document.credit.negated())),
        Kind::Invoice if document.credit.minor == 0 => format!("{lines}; due {due}"),
        Kind::Invoice => format!("{lines}; taken {}, due {due}", amount(document.credit)),
    }
}
