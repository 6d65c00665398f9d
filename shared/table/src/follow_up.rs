//! Where reminders of carts lie: a person's sequence, the newest cart beside it, how a marketplace reminds, and what
//! came of it.
//!
//! The newest cart is put blindly by whoever edits a cart, so that an edit reads nothing of the sequence; the last one
//! counts. A sequence stays when it is over, without an end: the same person's next one goes on in its place, or the
//! steps of its story would begin anew, and events of before would be told again in the name of others.

use crate::due::Work;
use crate::key::{Key, Place};
use crate::list::List;
use crate::{Commit, Cursor, Fault, Held, Page, Record, Story, Table};
use domain::cart::{Cart, KEPT};
use domain::id::{CustomerId, FollowUpId, MarketplaceId, OrderId};
use domain::reminder::{Arm, FollowUp, Newest, Policy, Stage};
use domain::text::Word;
use domain::{Currency, Money};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt::Debug;

/// The kind of a month's counters.
const FIGURES: &str = "reminder_figures.1";
/// Counters of a month spread over this many items.
const FIGURE_SHARDS: u8 = 8;
/// Arms times currencies.
const ROWS: u16 = 200;

/// How a marketplace reminds, in its own place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReminderPolicy {
    pub policy: Policy,
}

/// An order of a cart that was left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recovered {
    pub order: OrderId,
    pub follow_up: FollowUpId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    pub arm: Arm,
    /// Reminders that were written before it.
    pub reminders: u8,
    /// The code that the last one brought.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<Word>,
    pub total: Money,
    pub began_at: Timestamp,
    pub at: Timestamp,
}

/// What lists show of a sequence. Not its cart: a guest's cart id is the guest's key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FollowUpSummary {
    pub id: FollowUpId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    pub arm: Arm,
    pub began_at: Timestamp,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub written: Vec<Timestamp>,
    pub stage: Stage,
}

impl Record for FollowUp {
    const KIND: &'static str = "follow_up.1";
    type Summary = FollowUpSummary;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::follow_up(m, &self.id)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::follow_up(m, self.began_at, &self.id)]
    }

    fn summary(&self) -> Option<FollowUpSummary> {
        let Self { id, customer, arm, began_at, stage, written, .. } = self.clone();
        let written = written.into_iter().map(|written| written.at).collect();
        Some(FollowUpSummary { id, customer, arm, began_at, written, stage })
    }
}

impl Record for Newest {
    const KIND: &'static str = "newest_cart.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::newest_cart(m, &self.follow_up)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.at.checked_add(KEPT).ok()
    }
}

impl Record for ReminderPolicy {
    const KIND: &'static str = "reminder_policy.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::reminder_policy(m)
    }
}

impl Record for Recovered {
    const KIND: &'static str = "recovered.1";
    type Summary = Self;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::recovered(m, &self.order)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::recovered(m, self.at, &self.order)]
    }

    fn summary(&self) -> Option<Self> {
        Some(self.clone())
    }
}

/// What came of the sequences that began in a month: how many, and what the recovered ones were paid.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Figures {
    pub began: i64,
    pub recovered: i64,
    /// Minor units.
    pub revenue: i64,
}

impl<C: Debug> Commit<'_, C> {
    /// A sequence that begins with a cart, in the place of the one of the cart before; it is counted.
    pub fn follow_up_begins(
        self,
        held: Option<&Held<FollowUp>>,
        next: &FollowUp,
        currency: Currency,
        story: Story,
        taken: C,
    ) -> Self {
        let key = figures_of(self.marketplace(), next, currency);
        let commit = self.count(key, FIGURES, vec![("began", 1)]);
        match (held, story.facts.is_empty()) {
            (Some(held), true) => commit.replace(held, next),
            (Some(held), false) => commit.change(held, next, next.id.as_str(), story),
            (None, true) => commit.add(next, taken),
            (None, false) => commit.begin(next, next.id.as_str(), story, taken),
        }
    }

    /// The order of a cart that was left, once.
    pub fn recovered(
        self,
        held: &Held<FollowUp>,
        next: &FollowUp,
        of: &Recovered,
        story: Story,
        taken: C,
    ) -> Self {
        let key = figures_of(self.marketplace(), next, of.total.currency);
        let amounts = vec![("recovered", 1), ("revenue", i128::from(of.total.minor))];
        self.add(of, taken).count(key, FIGURES, amounts).change(held, next, next.id.as_str(), story)
    }
}

fn figures_of(m: &MarketplaceId, of: &FollowUp, currency: Currency) -> Key {
    Key::reminder_figures(m, of.began_at, (&of.id, FIGURE_SHARDS), (of.arm.word(), currency))
}

impl Table {
    /// How the marketplace reminds; as one begins, where nothing was said.
    pub async fn reminder_policy(&self, m: &MarketplaceId) -> Result<Policy, Fault> {
        let held = self.load::<ReminderPolicy>(&Key::reminder_policy(m)).await?;
        Ok(held.map_or_else(Policy::first, |held| held.value.policy))
    }

    /// A changed cart as it is to be kept. It is put on the list of due work once its shopper can be written to, and
    /// again only after a look; what becomes of it then is `abandoned-cart`'s. What is due lies there before the cart,
    /// so that a crash between the two leads to a look that finds nothing.
    pub async fn followed(&self, m: &MarketplaceId, cart: Cart, now: Timestamp) -> Result<Cart, Fault> {
        let cart = cart.followed(m);
        let pending = cart.look_at.is_some_and(|at| now < at);
        let newest = Newest::of(&cart, now).filter(|_| cart.may_be_followed() && !pending);
        let Some(newest) = newest else { return Ok(cart) };
        let Some(at) = self.reminder_policy(m).await?.first_look(now) else { return Ok(cart) };
        self.cart_is_followed(m, &newest, at).await?;
        Ok(Cart { look_at: Some(at), ..cart })
    }

    /// Puts a look at a cart on the list of due work, and says that it is its person's newest.
    pub async fn cart_is_followed(
        &self,
        m: &MarketplaceId,
        newest: &Newest,
        at: Timestamp,
    ) -> Result<(), Fault> {
        self.look_at_cart(m, &newest.follow_up, at).await?;
        self.cart_is_newest(m, newest).await
    }

    /// The cart that is looked at from now on is this one.
    pub async fn cart_is_newest(&self, m: &MarketplaceId, newest: &Newest) -> Result<(), Fault> {
        self.put_blindly(m, newest).await
    }

    /// Puts a look at a person's newest cart on the list of due work.
    pub async fn look_at_cart(&self, m: &MarketplaceId, id: &FollowUpId, at: Timestamp) -> Result<(), Fault> {
        self.put_due(&Key::due(m, Work::Reminder, id.as_str(), at)).await
    }

    /// Sequences that began in the month of `at`, the last first.
    pub async fn follow_ups(
        &self,
        m: &MarketplaceId,
        at: Timestamp,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<FollowUpSummary>, Fault> {
        let list = List::of(Place::follow_up(m, at, &FollowUpId::from_bits(0)));
        self.list::<FollowUp>(&list, limit, after).await
    }

    /// Orders of the month of `at` whose carts had been left, the last first.
    pub async fn recovered_orders(
        &self,
        m: &MarketplaceId,
        at: Timestamp,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Recovered>, Fault> {
        let list = List::of(Place::recovered(m, at, &OrderId::from_bits(0)));
        self.list::<Recovered>(&list, limit, after).await
    }

    /// What came of the sequences that began in the month of `at`, by arm and currency.
    pub async fn reminder_figures(
        &self,
        m: &MarketplaceId,
        at: Timestamp,
    ) -> Result<BTreeMap<(Arm, Currency), Figures>, Fault> {
        let mut figures: BTreeMap<(Arm, Currency), Figures> = BTreeMap::new();
        for shard in 0..FIGURE_SHARDS {
            let pk = Key::reminder_month(m, at, shard);
            let (items, _) = self.range(&pk, (" ", "~"), ROWS, None, true).await?;
            for item in items {
                let key = Key::of_item(&item);
                let Some((arm, currency)) = key.sk.split_once('#') else { continue };
                let arm = [Arm::Reminded, Arm::HeldOut].into_iter().find(|known| known.word() == arm);
                let (Some(arm), Ok(currency)) = (arm, currency.parse::<Currency>()) else { continue };
                let number = |name: &str| {
                    let number = item.get(name).and_then(|v| v.as_n().ok());
                    number.and_then(|n| n.parse::<i64>().ok()).unwrap_or(0)
                };
                let one = figures.entry((arm, currency)).or_default();
                one.began = one.began.saturating_add(number("began"));
                one.recovered = one.recovered.saturating_add(number("recovered"));
                one.revenue = one.revenue.saturating_add(number("revenue"));
            }
        }
        Ok(figures)
    }
}
