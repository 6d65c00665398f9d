//! Where subscriptions lie, and how a step of one is committed with the document that it has made.
//!
//! A subscription, its invoices, dunning cases and stories share a partition. A step that only goes on to the next
//! period is told by its invoice and has no story of its own: a renewal writes four items, the subscription, the
//! invoice and its story, and the payment.

use crate::due::Work;
use crate::invoice::Issuer;
use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::tax::policy_keys;
use crate::{Commit, Cursor, Fault, Held, Page, Record, Story, Table};
use domain::id::{CustomerId, MarketplaceId, PlanId, SubscriptionId};
use domain::invoice::Invoice;
use domain::place::Country;
use domain::plan::Terms;
use domain::subscription::{Change, Stage, Step, Subscription, Target, Taxes, forgo_change};
use domain::tax::Policy;
use events::Announced;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

/// What lists show of a subscription. Nothing of it changes with a renewal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SubscriptionSummary {
    pub id: SubscriptionId,
    pub customer: CustomerId,
    pub plan: PlanId,
    pub quantity: u32,
    pub status: String,
}

impl Record for Subscription {
    const KIND: &'static str = "subscription.1";
    type Summary = SubscriptionSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::subscription(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let of_customer = Place::subscription_of_customer(m, &self.customer, &self.id);
        vec![of_customer, Place::subscription_of_plan(m, &self.plan, &self.id)]
    }

    fn summary(&self) -> Option<SubscriptionSummary> {
        let (id, customer, plan) = (self.id.clone(), self.customer.clone(), self.plan.clone());
        let (quantity, status) = (self.quantity, self.status().to_owned());
        Some(SubscriptionSummary { id, customer, plan, quantity, status })
    }
}

/// While it is there, the customer has a subscription to the plan that has not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HasPlan {
    pub customer: CustomerId,
    pub plan: PlanId,
    pub subscription: SubscriptionId,
}

/// The customer has had the plan's trial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HadTrial {
    pub customer: CustomerId,
    pub plan: PlanId,
}

impl Record for HasPlan {
    const KIND: &'static str = "has_plan.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::has_plan(m, &self.customer, &self.plan)
    }
}

impl Record for HadTrial {
    const KIND: &'static str = "had_trial.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::had_trial(m, &self.customer, &self.plan)
    }
}

/// What it takes to bill a subscription.
#[derive(Debug, Clone, PartialEq)]
pub struct Billing {
    /// Its last document.
    pub last: Option<Held<Invoice>>,
    pub terms: Terms,
    pub policy: Policy,
    /// Where who sells is at home; where nobody has said so it is where the customer is.
    pub seller: Country,
    /// The customer's other subscription to a plan that this one would go over to: it must not, for there is one of a
    /// plan.
    pub other: Option<SubscriptionId>,
}

impl Billing {
    pub fn taxes(&self) -> Taxes<'_> {
        Taxes { policy: &self.policy, seller: self.seller }
    }

    /// The last document, where it waits for its money.
    pub fn owed(&self) -> Option<&Invoice> {
        let open = |invoice: &&Invoice| invoice.stage == domain::invoice::Stage::Open;
        self.last.as_ref().map(|last| &last.value).filter(open)
    }

    pub fn owes(&self) -> bool {
        self.owed().is_some()
    }
}

impl Table {
    /// What a step of a subscription takes, on the terms of `target`, in one batch read.
    pub async fn billing(
        &self,
        m: &MarketplaceId,
        subscription: &Subscription,
        target: &Target,
    ) -> Result<Billing, Fault> {
        let last = subscription.last_document().and_then(|id| Key::invoice(m, &id));
        let goes_over = subscription.plan != target.plan;
        let has = goes_over.then(|| Key::has_plan(m, &subscription.customer, &target.plan));
        self.billing_of(m, (last, has, subscription.place.country), target).await
    }

    /// What the next renewal takes, and the subscription that renews so: as it is, where the plan that it would go over
    /// to has come otherwise since.
    pub async fn renewing(
        &self,
        m: &MarketplaceId,
        held: &Subscription,
    ) -> Result<(Subscription, Billing), Fault> {
        let billing = self.billing(m, held, &held.renews_as()).await?;
        if billing.other.is_none() {
            return Ok((held.clone(), billing));
        }
        let renews = forgo_change(held).next;
        let billing = self.billing(m, &renews, &renews.target()).await?;
        Ok((renews, billing))
    }

    /// The same for one that does not exist yet.
    pub async fn first_billing(
        &self,
        m: &MarketplaceId,
        country: Country,
        target: &Target,
    ) -> Result<Billing, Fault> {
        self.billing_of(m, (None, None, country), target).await
    }

    async fn billing_of(
        &self,
        m: &MarketplaceId,
        (last, has, country): (Option<Key>, Option<Key>, Country),
        target: &Target,
    ) -> Result<Billing, Fault> {
        let (terms, issuer) = (Key::terms(m, &target.plan, target.version), Key::issuer_of_invoices(m));
        let keys = policy_keys(m, country).into_iter().chain([terms.clone(), issuer.clone()]);
        let keys: Vec<Key> = keys.chain(last.clone()).chain(has.clone()).collect();
        let mut read = self.read(&keys).await?;
        let none = || Fault::Kind { want: Terms::KIND, found: "nothing".to_owned() };
        Ok(Billing {
            last: last.map(|key| read.take::<Invoice>(&key)).transpose()?.flatten(),
            terms: read.take::<Terms>(&terms)?.ok_or_else(none)?.value,
            seller: read.take::<Issuer>(&issuer)?.map_or(country, |held| held.value.country),
            policy: read.policy(m, country)?,
            other: has
                .map(|key| read.take::<HasPlan>(&key))
                .transpose()?
                .flatten()
                .map(|held| held.value.subscription),
        })
    }

    /// A subscription whose goods are being ordered, and its terms.
    pub async fn sending(
        &self,
        m: &MarketplaceId,
        id: &SubscriptionId,
    ) -> Result<Option<(Held<Subscription>, Terms)>, Fault> {
        let held = self.load::<Subscription>(&Key::subscription(m, id)).await?;
        let Some(held) = held.filter(|held| held.value.sending.is_some()) else { return Ok(None) };
        let terms = self.load::<Terms>(&Key::terms(m, &held.value.plan, held.value.version)).await?;
        Ok(terms.map(|terms| (held, terms.value)))
    }

    pub async fn subscriptions_of_customer(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<SubscriptionSummary>, Fault> {
        let list = List::new(Index::Gsi1, Place::subscriptions_of_customer(m, customer));
        self.list::<Subscription>(&list, limit, after).await
    }

    /// The plans that a customer has, with their subscriptions that live; strongly consistent.
    pub async fn plans_of_customer(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Held<HasPlan>>, Fault> {
        let pk = Key::customer(m, customer).pk;
        self.records(&pk, Key::HAS_PLANS, limit, after, true).await
    }

    pub async fn subscriptions_of_plan(
        &self,
        m: &MarketplaceId,
        plan: &PlanId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<SubscriptionSummary>, Fault> {
        let list = List::new(Index::Gsi2, Place::subscriptions_of_plan(m, plan));
        self.list::<Subscription>(&list, limit, after).await
    }

    /// Puts the moments at which time brings something, or something is to be told, on the list of due work, before the
    /// commit that causes it; nothing where they are the same as before.
    pub async fn subscription_will_be_due(
        &self,
        m: &MarketplaceId,
        before: Option<&Subscription>,
        after: &Subscription,
    ) -> Result<(), Fault> {
        let due = |one: &Subscription| one.due_at().ok().flatten();
        let (brings, warns) = (before.and_then(due), before.and_then(Subscription::warns_at));
        for (was, is) in [(brings, due(after)), (warns, after.warns_at())] {
            if let Some(at) = is.filter(|_| is != was) {
                self.subscription_is_due(m, &after.id, at).await?;
            }
        }
        Ok(())
    }

    /// Puts a look at a subscription on the list of due work.
    pub async fn subscription_is_due(
        &self,
        m: &MarketplaceId,
        id: &SubscriptionId,
        at: Timestamp,
    ) -> Result<(), Fault> {
        self.put_due(&Key::due(m, Work::Subscription, id.as_str(), at)).await
    }
}

fn lives(subscription: &Subscription) -> bool {
    !matches!(subscription.stage, Stage::Ended { .. })
}

impl<C: Debug + Clone> Commit<'_, C> {
    /// A step of a subscription with its document; `held` is none where it begins. `refusal`: what was decided on is
    /// stale, or the customer has the plan already.
    pub fn subscription(
        self,
        m: &MarketplaceId,
        held: Option<&Held<Subscription>>,
        step: &Step,
        refusal: C,
    ) -> Result<Self, Fault> {
        let after = &step.next;
        let (subject, before) = (after.id.as_str(), held.map(|held| &held.value));
        let goods = step.goods.map(|_| events::subscription::goods_due(after));
        let told = || {
            Story::new([events::subscription::announce(after, step.change)].into_iter().chain(goods.clone()))
        };
        let same = before.is_some_and(|before| before.target() == after.target());
        // Its invoice tells it.
        let quiet = step.change == Change::Renewed && step.document.is_some() && same && goods.is_none();
        let mut commit = match held {
            None => self.begin(after, subject, told(), refusal.clone()),
            Some(held) if quiet => self.replace(held, after),
            Some(held) => self.change(held, after, subject, told()),
        };
        let has = |one: &Subscription| HasPlan {
            customer: one.customer.clone(),
            plan: one.plan.clone(),
            subscription: one.id.clone(),
        };
        let (had, holds) = (before.filter(|one| lives(one)), Some(after).filter(|one| lives(one)));
        if had.map(|one| &one.plan) != holds.map(|one| &one.plan) {
            commit = match had {
                Some(had) => commit.delete(has(had).key(m)),
                None => commit,
            };
            commit = match holds {
                Some(holds) => commit.add(&has(holds), refusal.clone()),
                None => commit,
            };
        }
        let Some(document) = &step.document else { return Ok(commit) };
        let story = Story::new([events::invoice::opened(document)?]).posting(document.posting()?);
        Ok(commit.begin(document, document.id.as_str(), story, refusal))
    }

    /// The customer's trial of a plan has begun.
    pub fn trial(self, subscription: &Subscription, had: C) -> Self {
        let (customer, plan) = (subscription.customer.clone(), subscription.plan.clone());
        self.add(&HadTrial { customer, plan }, had)
    }

    /// Facts of an invoice that change its stage: what is told and moved.
    pub fn invoice(
        self,
        held: &Held<Invoice>,
        next: &Invoice,
        told: Announced,
        posting: domain::ledger::Posting,
    ) -> Self {
        self.change(held, next, next.id.as_str(), Story::new([told]).posting(posting))
    }
}
