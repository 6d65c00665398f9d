//! Where plans lie, and the versions of their terms, which never change.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Held, Page, Record, Table};
use domain::id::{MarketplaceId, PlanId};
use domain::plan::{Plan, Terms};
use domain::subscription::Target;

impl Record for Plan {
    const KIND: &'static str = "plan.1";
    type Summary = Self;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::plan(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::plan(m, &self.id)]
    }

    fn summary(&self) -> Option<Self> {
        Some(self.clone())
    }
}

impl Record for Terms {
    const KIND: &'static str = "plan_terms.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::terms(m, &self.plan, self.version)
    }
}

impl Table {
    /// The version of a plan that a subscription has, or is to have.
    pub async fn terms(&self, m: &MarketplaceId, target: &Target) -> Result<Option<Terms>, Fault> {
        let held = self.load::<Terms>(&Key::terms(m, &target.plan, target.version)).await?;
        Ok(held.map(|held| held.value))
    }

    pub async fn plans(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Plan>, Fault> {
        self.list::<Plan>(&List::new(Index::Gsi2, Place::plans(m)), limit, after).await
    }

    /// The versions of a plan, newest first.
    pub async fn versions(
        &self,
        m: &MarketplaceId,
        plan: &PlanId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Held<Terms>>, Fault> {
        self.records(&Key::plan(m, plan).pk, Key::TERMS, limit, after, false).await
    }
}
