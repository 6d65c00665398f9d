//! A cart: what a shopper has chosen from many merchants, and what is known of them so far.
//!
//! Any field in any order: lines, contact, address, delivery; the gate before the payment is [`crate::checkout`]. A
//! cart keeps what was chosen and computes nothing that it keeps: what it costs is asked of the offers as they are
//! ([`Cart::quote`]), so a price can never be a cent off, only changed in the open.
//!
//! Invariants: a line's number is never given again; one offer has one line; an edit is refused while payment is on
//! its way (A8(3)); the last requests are known by their keys, so that an edit that is sent twice happens once.

mod buy;
mod merge;
mod pay;
mod quote;
pub use buy::{Buy, NotBought};
pub use merge::{Merged, MergedLine, Reason, Strategy, merge};
pub use pay::{HELD, PAYMENTS_MAX, PINNED, Verdict, verdict};
pub use quote::{NotSold, Offered, Quote, Wares};

use crate::address::Address;
use crate::catalog::Offer;
use crate::checkout::{self, Gate, Given, Stage};
use crate::currency::Currency;
use crate::delivery::Service;
use crate::discount::{CODES_MAX, Spelling};
use crate::id::{CartId, CustomerId, FollowUpId, MarketplaceId, MerchantId, OfferId, PlanId, SubscriptionId};
use crate::money::Money;
use crate::order::{LINES_MAX, MERCHANTS_MAX, Order, QUANTITY_MAX};
use crate::period::Zone;
use crate::place::Place;
use crate::plan::Goods;
use crate::stock::Hold;
use crate::subscription::Subscription;
use crate::tax::id::TaxId;
use crate::text::{Email, Word};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Requests that a cart knows by their keys.
const ASKED_KEPT: usize = 8;
/// An abandoned cart is forgotten so long after its last edit.
pub const KEPT: SignedDuration = SignedDuration::from_hours(30 * 24);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cart {
    pub id: CartId,
    /// Everything in it is shown and paid in this.
    pub currency: Currency,
    /// Whose it is; a guest's is whose who knows its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub lines: Vec<Line>,
    /// Numbers of lines go on from here.
    #[serde(default)]
    pub last_line: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<Contact>,
    /// Where it goes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<Address>,
    /// Where it would go, as long as there is no address.
    pub estimate: Place,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tax_id: Option<TaxId>,
    /// How each merchant's part is to be brought.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub services: Vec<Chosen>,
    /// As they were typed, each once; also those that do not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Word>,
    /// Stock that is held for it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holds: Vec<Hold>,
    /// Until then nobody else takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_until: Option<Timestamp>,
    pub stage: Stage,
    /// The order that payment is on its way for, with every price as it was at the gate.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub draft: Option<Box<Order>>,
    /// The subscription whose goods it orders, and of which period; no shopper's cart is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<(SubscriptionId, u32)>,
    /// The plan that its customer subscribes to with this order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subscribes: Option<Subscribing>,
    /// Payments that were tried so far; the next one has the next number.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub payments: u8,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    /// Whose it is as far as reminders go; there is one as soon as there is a mailbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow_up: Option<FollowUpId>,
    /// When it is looked at next, for a reminder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look_at: Option<Timestamp>,
    /// The cart that it has become a part of; then it is empty, for good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged: Option<Box<Merged>>,
    /// Whose clock counts in quiet hours.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<Zone>,
    pub edited_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub number: u16,
    pub offer: OfferId,
    pub merchant: MerchantId,
    pub quantity: u32,
    /// What the unit cost in the cart's currency when it came in.
    pub added_at: Money,
}

/// A plan that sends goods, begun with the order that brings the first of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subscribing {
    pub plan: PlanId,
    pub version: u32,
    pub quantity: u32,
    pub zone: Zone,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    pub merchant: MerchantId,
    pub service: Service,
}

/// How to reach the shopper; at least one is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<Email>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<Word>,
    /// When the shopper agreed to be reminded and told of offers by mail; none is a no (A16(1)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agreed_at: Option<Timestamp>,
}

/// A request that has had its effect: digests of its key and of its body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    pub key: String,
    pub body: String,
}

/// What one request changes; what is not named stays.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edit {
    pub add: Vec<Add>,
    /// Quantities of lines; 0 takes a line out.
    pub set: Vec<(u16, u32)>,
    pub contact: Option<Contact>,
    pub zone: Option<Zone>,
    pub address: Option<Address>,
    pub estimate: Option<Place>,
    /// The inner none takes it out.
    pub tax_id: Option<Option<TaxId>>,
    pub services: Vec<Chosen>,
    /// Codes are taken out first, then put in.
    pub codes_out: Vec<Word>,
    pub codes_in: Vec<Word>,
}

/// Units of an offer, at its price in the cart's currency now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Add {
    pub offer: OfferId,
    pub merchant: MerchantId,
    pub price: Money,
    pub quantity: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a cart has at most {LINES_MAX} lines: one transaction must place them all")]
    LineCount,
    #[error("a cart has lines of at most {MERCHANTS_MAX} merchants: one transaction must cancel them all")]
    MerchantCount,
    #[error("{0} units of one offer: want 1 to {QUANTITY_MAX}")]
    Quantity(u64),
    #[error("the cart has no line {0}")]
    NoLine(u16),
    #[error("a cart has at most {CODES_MAX} codes")]
    CodeCount,
    #[error("the cart has no line of {0}")]
    NoMerchant(MerchantId),
    #[error(transparent)]
    Checkout(#[from] checkout::Refused),
}

impl Cart {
    pub fn open(
        id: CartId,
        currency: Currency,
        customer: Option<CustomerId>,
        estimate: Place,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            currency,
            customer,
            lines: Vec::new(),
            last_line: 0,
            contact: None,
            address: None,
            estimate,
            tax_id: None,
            services: Vec::new(),
            codes: Vec::new(),
            holds: Vec::new(),
            held_until: None,
            stage: Stage::Open,
            draft: None,
            renews: None,
            subscribes: None,
            payments: 0,
            asked: Vec::new(),
            follow_up: None,
            look_at: None,
            merged: None,
            zone: None,
            edited_at: now,
        }
    }

    /// What a link opens again for whoever has it: what was chosen, and nothing of the person.
    #[must_use]
    pub fn restored(&self, id: CartId, customer: Option<CustomerId>, now: Timestamp) -> Self {
        let place = Place { region: None, postal: None, ..self.estimate.clone() };
        let bare = Self::open(id, self.currency, customer, place, now);
        let (lines, codes, follow_up) = (self.lines.clone(), self.codes.clone(), self.follow_up.clone());
        Self { lines, codes, follow_up, last_line: self.last_line, zone: self.zone.clone(), ..bare }
    }

    /// Empty, for what a subscription sends for its period, with so many payments tried; `before`: as an earlier try
    /// has left it, if that is not forgotten.
    pub fn renewing(of: &Subscription, (before, payments): (Option<&Self>, u8), now: Timestamp) -> Self {
        let id = CartId::of_renewal(&of.id, of.number);
        let bare = Self::open(id, of.currency(), Some(of.customer.clone()), of.place.clone(), now);
        let held = |before: &Self| (before.holds.clone(), before.held_until);
        let (holds, held_until) = before.map(held).unwrap_or_default();
        Self { renews: Some((of.id.clone(), of.number)), holds, held_until, payments, ..bare }
    }

    /// Whether there is enough in it of what a plan sends for so many units.
    pub fn brings(&self, goods: &[Goods], quantity: u32, offer: impl Fn(&Goods) -> OfferId) -> bool {
        goods.iter().all(|one| {
            let offer = offer(one);
            let wanted = one.quantity.saturating_mul(quantity);
            self.lines.iter().any(|line| line.offer == offer && line.quantity >= wanted)
        })
    }

    /// Where it goes, as far as that is known.
    pub fn place(&self) -> Place {
        self.address.as_ref().map_or_else(|| self.estimate.clone(), Address::place)
    }

    /// Merchants in the order of their first line.
    pub fn merchants(&self) -> Vec<&MerchantId> {
        let mut merchants: Vec<&MerchantId> = Vec::new();
        for line in &self.lines {
            if !merchants.contains(&&line.merchant) {
                merchants.push(&line.merchant);
            }
        }
        merchants
    }

    /// What each offer is wanted of, summed (A7(2)).
    pub fn wanted<'a>(&self, offers: &'a [Offer]) -> Vec<(&'a Offer, u32)> {
        let of = |offer: &'a Offer| {
            let lines = self.lines.iter().filter(|line| line.offer == offer.id);
            let units = lines.fold(0_u32, |sum, line| sum.saturating_add(line.quantity));
            (units > 0 && offer.keeps_stock).then_some((offer, units))
        };
        offers.iter().filter_map(of).collect()
    }

    /// The same, known to be of whoever reads the mailbox, if there is one.
    #[must_use]
    pub fn followed(self, m: &MarketplaceId) -> Self {
        let email = self.contact.as_ref().and_then(|contact| contact.email.as_ref());
        let follow_up = email.map(|email| FollowUpId::of(m, email)).or(self.follow_up.clone());
        // Another person's look is not this one's.
        let look_at = self.look_at.filter(|_| follow_up == self.follow_up);
        Self { follow_up, look_at, ..self }
    }

    /// Whether its shopper might be reminded of it. Of who has an account the account says so, when it comes to that.
    pub fn may_be_followed(&self) -> bool {
        let agreed = self.contact.as_ref().is_some_and(|contact| contact.agreed_at.is_some());
        let known = self.follow_up.is_some() && (agreed || self.customer.is_some());
        known && !self.lines.is_empty() && self.renews.is_none() && self.stage == Stage::Open
    }

    /// When it may be forgotten: never with payment on its way (A8(6)).
    pub fn forgotten_at(&self) -> Option<Timestamp> {
        match &self.stage {
            Stage::Open | Stage::Completed { .. } => {
                Some(self.edited_at.saturating_add(KEPT).unwrap_or(Timestamp::MAX))
            }
            Stage::Locked { .. } => None,
        }
    }

    /// What became of a request that carries this key; none where it has had no effect yet.
    pub fn asked_before(&self, key: &str) -> Option<&Asked> {
        self.asked.iter().find(|asked| asked.key == key)
    }

    /// Remembers a request, and forgets the oldest.
    pub fn remember(&mut self, asked: Asked) {
        self.asked.push(asked);
        let over = self.asked.len().saturating_sub(ASKED_KEPT);
        self.asked.drain(..over);
    }

    /// The cart after an edit. All of it holds, or nothing.
    pub fn edit(&self, edit: Edit, now: Timestamp) -> Result<Self, Refused> {
        self.stage.must_be_open()?;
        let mut next = Self { edited_at: now, stage: Stage::Open, draft: None, ..self.clone() };
        for (number, quantity) in edit.set {
            let line = next.lines.iter_mut().find(|line| line.number == number);
            line.ok_or(Refused::NoLine(number))?.quantity = limited(u64::from(quantity))?;
        }
        next.lines.retain(|line| line.quantity > 0);
        for add in edit.add {
            next.add(add)?;
        }
        if next.lines.len() > LINES_MAX {
            return Err(Refused::LineCount);
        }
        if next.merchants().len() > MERCHANTS_MAX {
            return Err(Refused::MerchantCount);
        }
        next.contact = edit.contact.or(next.contact);
        next.zone = edit.zone.or(next.zone);
        next.address = edit.address.or(next.address);
        next.estimate = edit.estimate.unwrap_or(next.estimate);
        next.tax_id = edit.tax_id.unwrap_or(next.tax_id);
        for chosen in edit.services {
            if !next.merchants().contains(&&chosen.merchant) {
                return Err(Refused::NoMerchant(chosen.merchant));
            }
            next.services.retain(|before| before.merchant != chosen.merchant);
            next.services.push(chosen);
        }
        next.change_codes(&edit.codes_out, edit.codes_in)?;
        // Who sells nothing any more brings nothing.
        let left: Vec<MerchantId> = next.merchants().into_iter().cloned().collect();
        next.services.retain(|chosen| left.contains(&chosen.merchant));
        Ok(next)
    }

    /// One that is there stays in its place; whether it holds is asked when the cart is priced.
    fn change_codes(&mut self, out: &[Word], r#in: Vec<Word>) -> Result<(), Refused> {
        let same = |one: &Word, other: &Word| Spelling::of(one) == Spelling::of(other);
        self.codes.retain(|code| !out.iter().any(|gone| same(gone, code)));
        for code in r#in {
            if !self.codes.iter().any(|there| same(there, &code)) {
                self.codes.push(code);
            }
        }
        if self.codes.len() > CODES_MAX { Err(Refused::CodeCount) } else { Ok(()) }
    }

    fn add(&mut self, add: Add) -> Result<(), Refused> {
        let Add { offer, merchant, price, quantity } = add;
        if let Some(line) = self.lines.iter_mut().find(|line| line.offer == offer) {
            line.quantity = limited(u64::from(line.quantity).saturating_add(u64::from(quantity)))?;
            return Ok(());
        }
        self.last_line = self.last_line.checked_add(1).ok_or(Refused::LineCount)?;
        let (number, quantity) = (self.last_line, limited(u64::from(quantity))?);
        self.lines.push(Line { number, offer, merchant, quantity, added_at: price });
        Ok(())
    }

    /// The cart as the gate sees it. `covered` is what the chosen means of payment cover.
    pub fn gate(&self, quote: &Quote, covered: Money) -> Gate {
        let given = Given {
            contact: self.contact.is_some(),
            ships: !self.lines.is_empty(),
            address: self.address.is_some(),
            delivery: quote.delivery,
            problems: quote.problems(),
            lines: self.lines.len(),
            covered,
        };
        Gate { total: quote.priced.totals.total, given }
    }
}

fn is_zero(count: &u8) -> bool {
    *count == 0
}

fn limited(quantity: u64) -> Result<u32, Refused> {
    let fits = u32::try_from(quantity).ok().filter(|quantity| *quantity <= QUANTITY_MAX);
    fits.ok_or(Refused::Quantity(quantity))
}

#[cfg(test)]
mod tests;
