//! Where dunning cases lie: with their subscription, listed while they are open, and by the month in which they ended.

use crate::due::Work;
use crate::key::{Key, Place, shard};
use crate::list::List;
use crate::{Commit, Cursor, Fault, Held, Page, Record, Story, Table};
use domain::dunning::{Case, Duty, Stage, Step};
use domain::id::{CustomerId, InvoiceId, MarketplaceId, PlanId, SubscriptionId};
use domain::{Currency, Money};
use events::subscription::dunned;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The kind of a month's counters.
const FIGURES: &str = "dunning_figures.1";
/// Nobody sells in more currencies.
const CURRENCIES: u16 = 100;

/// What lists show of a case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CaseSummary {
    pub invoice: InvoiceId,
    pub subscription: SubscriptionId,
    pub customer: CustomerId,
    pub plan: PlanId,
    pub due: Money,
    pub opened_at: Timestamp,
    pub step: Step,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub attempt: Option<(u16, usize)>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<(Timestamp, Duty)>,
}

/// As lists show it.
pub fn case_summary(case: &Case) -> CaseSummary {
    CaseSummary {
        invoice: case.invoice.clone(),
        subscription: case.subscription.clone(),
        customer: case.customer.clone(),
        plan: case.plan.clone(),
        due: case.due,
        opened_at: case.opened_at,
        step: case.step(),
        attempt: case.attempt(),
        next: case.next(),
    }
}

impl Record for Case {
    const KIND: &'static str = "dunning.1";
    type Summary = CaseSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        // A case is named by its invoice, whose id has a form that always fits.
        Key::dunning(m, &self.invoice).unwrap_or_else(|| Key::subscription(m, &self.subscription))
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let id = self.invoice.as_str();
        vec![match self.stage {
            Stage::Open => Place::open_case(m, self.opened_at, id),
            Stage::Recovered { since } | Stage::Exhausted { since } => Place::ended_case(m, since, id),
        }]
    }

    fn summary(&self) -> Option<CaseSummary> {
        Some(case_summary(self))
    }
}

/// What came of failed payments in a month, in one currency: how many, and minor units.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub opened: (i64, i64),
    pub recovered: (i64, i64),
    pub lost: (i64, i64),
}

/// Counters of a month spread over this many items.
const FIGURE_SHARDS: u8 = 4;

impl<C: Debug> Commit<'_, C> {
    /// A case that is new or has changed, what is told of it, and the month's figures where it begins or ends.
    pub fn case(self, held: Option<&Held<Case>>, next: &Case, taken: C) -> Self {
        let (story, subject) = (Story::new([dunned(next)]), format!("dunning-{}", next.invoice));
        let shard = shard(next.invoice.as_str(), FIGURE_SHARDS);
        let counts = |at: Timestamp, many: &'static str, amount: &'static str| {
            (at, vec![(many, 1), (amount, i128::from(next.due.minor))])
        };
        let figures = match (held, &next.stage) {
            (None, _) => Some(counts(next.opened_at, "opened", "opened_amount")),
            (Some(_), Stage::Recovered { since }) => Some(counts(*since, "recovered", "recovered_amount")),
            (Some(_), Stage::Exhausted { since }) => Some(counts(*since, "lost", "lost_amount")),
            (Some(_), Stage::Open) => None,
        };
        let marketplace = self.marketplace();
        let commit = match figures {
            Some((at, amounts)) => {
                let key = Key::dunning_figures(marketplace, at, shard, next.due.currency);
                self.count(key, FIGURES, amounts)
            }
            None => self,
        };
        match held {
            Some(held) => commit.change(held, next, &subject, story),
            None => commit.begin(next, &subject, story, taken),
        }
    }
}

impl Table {
    /// What came of failed payments in the month of `at`, by currency.
    pub async fn dunning_figures(
        &self,
        m: &MarketplaceId,
        at: Timestamp,
    ) -> Result<BTreeMap<Currency, Figures>, Fault> {
        let mut figures: BTreeMap<Currency, Figures> = BTreeMap::new();
        for shard in 0..FIGURE_SHARDS {
            let pk = Key::dunning_month(m, at, shard);
            let (items, _) = self.range(&pk, (" ", "~"), CURRENCIES, None, true).await?;
            for item in items {
                let Ok(currency) = Key::of_item(&item).sk.parse::<Currency>() else { continue };
                let number = |name: &str| {
                    item.get(name)
                        .and_then(|v| v.as_n().ok())
                        .and_then(|n| n.parse::<i64>().ok())
                        .unwrap_or(0)
                };
                let sum = |have: (i64, i64), many: &str, amount: &str| {
                    (have.0.saturating_add(number(many)), have.1.saturating_add(number(amount)))
                };
                let one = figures.entry(currency).or_default();
                one.opened = sum(one.opened, "opened", "opened_amount");
                one.recovered = sum(one.recovered, "recovered", "recovered_amount");
                one.lost = sum(one.lost, "lost", "lost_amount");
            }
        }
        Ok(figures)
    }

    pub async fn dunning_case(
        &self,
        m: &MarketplaceId,
        invoice: &InvoiceId,
    ) -> Result<Option<Held<Case>>, Fault> {
        match Key::dunning(m, invoice) {
            Some(key) => self.load(&key).await,
            None => Ok(None),
        }
    }

    /// Open cases, the youngest first.
    pub async fn open_cases(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<CaseSummary>, Fault> {
        let list = List::of(Place::open_case(m, Timestamp::UNIX_EPOCH, ""));
        self.list::<Case>(&list, limit, after).await
    }

    /// Cases that ended in the month of `at`, the last first.
    pub async fn ended_cases(
        &self,
        m: &MarketplaceId,
        at: Timestamp,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<CaseSummary>, Fault> {
        self.list::<Case>(&List::of(Place::ended_case(m, at, "")), limit, after).await
    }

    /// Puts what comes next of a case on the list of due work, before the commit that causes it.
    pub async fn dunning_will_be_due(
        &self,
        m: &MarketplaceId,
        before: Option<&Case>,
        after: &Case,
    ) -> Result<(), Fault> {
        let next = |case: &Case| case.next().map(|(at, _)| at);
        match next(after) {
            Some(at) if before.and_then(next) != Some(at) => self.dunning_is_due(m, &after.invoice, at).await,
            Some(_) | None => Ok(()),
        }
    }

    /// Puts a look at a case on the list of due work.
    pub async fn dunning_is_due(
        &self,
        m: &MarketplaceId,
        invoice: &InvoiceId,
        at: Timestamp,
    ) -> Result<(), Fault> {
        self.put_due(&Key::due(m, Work::Dunning, invoice.as_str(), at)).await
    }
}
