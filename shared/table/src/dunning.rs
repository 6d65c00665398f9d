//! Where dunning cases lie: with their subscription, listed while they are open, and by the month in which they ended.

use crate::due::Work;
use crate::key::{Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Held, Page, Record, Table};
use domain::Money;
use domain::dunning::{Case, Duty, Stage, Step};
use domain::id::{CustomerId, InvoiceId, MarketplaceId, PlanId, SubscriptionId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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

impl Table {
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
            Some(at) if before.and_then(next) != Some(at) => {
                self.put_due(&Key::due(m, Work::Dunning, after.invoice.as_str(), at)).await
            }
            Some(_) | None => Ok(()),
        }
    }
}
