//! The plans of the demonstration, from `plans.json`: published through the API, found again by what they are.

use super::NoDemonstration;
use crate::api::Api;
use domain::Currency;
use domain::id::{MarketplaceId, PlanId};
use serde::Deserialize;
use serde_json::{Value, json};

/// The file, as it was when this was built.
const FILE: &str = include_str!("plans.json");

#[derive(Debug, Clone, Deserialize)]
pub(super) struct Plans {
    currency: String,
    feature: String,
    trial_days: u16,
    retry_days: Vec<u16>,
    proration: String,
    plans: Vec<Tier>,
}

/// A plan with its two intervals.
#[derive(Debug, Clone, Deserialize)]
struct Tier {
    name: String,
    products: u32,
    month: String,
    year: String,
}

/// One of the plans: which of them, counted from the smallest, and whether it is the annual one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Which {
    pub(super) tier: usize,
    pub(super) annual: bool,
}

impl Plans {
    pub(super) fn read() -> Result<Self, NoDemonstration> {
        Ok(serde_json::from_str(FILE)?)
    }

    pub(super) fn currency(&self) -> Result<Currency, NoDemonstration> {
        self.currency.parse().map_err(|_| NoDemonstration::Currency(self.currency.clone()))
    }

    fn all(&self) -> impl Iterator<Item = (Which, &Tier)> {
        let both = |(tier, of)| [false, true].map(|annual| (Which { tier, annual }, of));
        self.plans.iter().enumerate().flat_map(both)
    }

    fn external_id(&self, which: Which) -> String {
        let name = self.plans.get(which.tier).map(|tier| tier.name.to_lowercase()).unwrap_or_default();
        if which.annual { format!("{name}-annual") } else { name }
    }

    pub(super) fn id(&self, m: &MarketplaceId, which: Which) -> String {
        PlanId::named(m, &self.external_id(which)).to_string()
    }

    /// Which plan has this id.
    pub(super) fn find(&self, m: &MarketplaceId, id: &str) -> Option<Which> {
        self.all().map(|(which, _)| which).find(|which| self.id(m, *which) == id)
    }

    pub(super) fn bigger(&self, which: Which) -> Option<Which> {
        let tier = which.tier.saturating_add(1);
        (tier < self.plans.len()).then_some(Which { tier, ..which })
    }

    /// The most products that the plan has.
    pub(super) fn most(&self, which: Which) -> u32 {
        self.plans.get(which.tier).map_or(1, |tier| tier.products)
    }

    pub(super) async fn publish(&self, api: &Api) -> Result<(), NoDemonstration> {
        for (which, tier) in self.all() {
            let (every, price) = if which.annual { ("year", &tier.year) } else { ("month", &tier.month) };
            let name = if which.annual { format!("{} annual", tier.name) } else { tier.name.clone() };
            let id = self.external_id(which);
            let body = json!({"external_id": id, "name": name, "currency": self.currency, "terms": {
                "interval": {"every": every},
                "price": {"amount": price, "currency": self.currency},
                "included": tier.products,
                "trial_days": self.trial_days,
                "proration": self.proration,
                "features": [self.feature],
                "dunning": self.dunning(),
            }});
            api.post("/v1/plans/publish", &body, &format!("demo-plan-{id}")).await.ok()?;
        }
        Ok(())
    }

    /// Tries on the file's days; the rest is what policies are where nothing is said.
    fn dunning(&self) -> Value {
        let usual = domain::dunning::Policy::default();
        json!({
            "retry_days": self.retry_days,
            "fault_minutes": usual.fault_minutes,
            "restrict_after_days": usual.restrict_after_days,
            "cancel_after_days": usual.cancel_after_days,
        })
    }
}
