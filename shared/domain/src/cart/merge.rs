//! Two carts become one: what a guest chose joins what the account has from elsewhere.
//!
//! The account's cart goes on, since other devices have its id; what becomes of every line is told. Nothing is lost
//! in silence: a line that has no place is dropped with its reason.

use super::{Cart, Line, Refused};
use crate::checkout::Stage;
use crate::discount::{CODES_MAX, Spelling};
use crate::id::{CartId, MerchantId, OfferId};
use crate::money::Money;
use crate::order::{LINES_MAX, MERCHANTS_MAX, QUANTITY_MAX};
use crate::text::Word;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// What becomes of the lines of two carts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MergeStrategy"))]
pub enum Strategy {
    /// All offers; of one that both have, the larger quantity. Whoever put the same thing in twice wants it once.
    #[default]
    Larger,
    /// All offers; quantities are added.
    Sum,
    /// The guest's lines take the place of the account's.
    Guest,
    /// The account's lines stay, the guest's are left out.
    Account,
}

/// What became of an offer that was in either cart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MergedLine {
    pub offer: OfferId,
    /// What the guest and the account had of it.
    pub guest: u32,
    pub account: u32,
    /// What there is now.
    pub quantity: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
}

/// Why there is less than the strategy alone would leave, or none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "MergeReason"))]
pub enum Reason {
    /// The strategy leaves it out.
    LeftOut,
    /// More than one may have of an offer.
    QuantityLimit,
    TooManyLines,
    TooManyMerchants,
    /// It is not for sale any more.
    Unavailable,
    /// Its price cannot be shown in the cart's currency today.
    NoExchangeRate,
}

/// Where a guest's cart has gone, and what became of it; it stays behind with this and its holds alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merged {
    pub into: CartId,
    pub strategy: Strategy,
    pub lines: Vec<MergedLine>,
    /// Codes for which there was no room.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub dropped_codes: Vec<Word>,
}

/// The account's cart with what was chosen in `guest`, and what is left of that one, with what it holds until that is
/// released. `price` is what a unit costs in the account cart's currency now.
pub fn merge(
    account: &Cart,
    guest: &Cart,
    strategy: Strategy,
    price: impl Fn(&Line) -> Result<Money, Reason>,
    now: Timestamp,
) -> Result<(Cart, Cart), Refused> {
    account.stage.must_be_open()?;
    guest.stage.must_be_open()?;
    let mut next = Cart { edited_at: now, stage: Stage::Open, draft: None, ..account.clone() };
    let mut told = Vec::new();
    for line in &account.lines {
        let other = guest.lines.iter().find(|other| other.offer == line.offer);
        let guests = other.map_or(0, |other| other.quantity);
        let (wanted, left_out) = match strategy {
            Strategy::Larger => (line.quantity.max(guests), None),
            Strategy::Sum => (line.quantity.saturating_add(guests), None),
            Strategy::Account => (line.quantity, (guests > line.quantity).then_some(Reason::LeftOut)),
            Strategy::Guest => (guests, (guests == 0).then_some(Reason::LeftOut)),
        };
        let quantity = wanted.min(QUANTITY_MAX);
        let reason = left_out.or((quantity < wanted).then_some(Reason::QuantityLimit));
        let (offer, account) = (line.offer.clone(), line.quantity);
        told.push(MergedLine { offer, guest: guests, account, quantity, reason });
        if let Some(kept) = next.lines.iter_mut().find(|kept| kept.number == line.number) {
            kept.quantity = quantity;
        }
    }
    next.lines.retain(|line| line.quantity > 0);
    for line in guest.lines.iter().filter(|line| !account.lines.iter().any(|had| had.offer == line.offer)) {
        let reason = if strategy == Strategy::Account {
            Some(Reason::LeftOut)
        } else {
            next.takes(line, price(line)).err()
        };
        let quantity = if reason.is_some() { 0 } else { line.quantity };
        told.push(MergedLine {
            offer: line.offer.clone(),
            guest: line.quantity,
            account: 0,
            quantity,
            reason,
        });
    }
    let dropped_codes = next.fill_from(guest);
    let merged = Merged { into: account.id.clone(), strategy, lines: told, dropped_codes };
    let bare = Cart::open(guest.id.clone(), guest.currency, None, guest.estimate.clone(), now);
    let (holds, held_until) = (guest.holds.clone(), guest.held_until);
    Ok((next, Cart { merged: Some(Box::new(merged)), holds, held_until, ..bare }))
}

impl Cart {
    /// A line of another cart, under a number of this one.
    fn takes(&mut self, line: &Line, price: Result<Money, Reason>) -> Result<(), Reason> {
        let added_at = price?;
        if self.lines.len() >= LINES_MAX {
            return Err(Reason::TooManyLines);
        }
        let merchants = self.merchants();
        if merchants.len() >= MERCHANTS_MAX && !merchants.contains(&&line.merchant) {
            return Err(Reason::TooManyMerchants);
        }
        let number = self.last_line.checked_add(1).ok_or(Reason::TooManyLines)?;
        self.last_line = number;
        self.lines.push(Line { number, added_at, ..line.clone() });
        Ok(())
    }

    /// What this cart does not know yet of its shopper; answers the codes that have no room.
    fn fill_from(&mut self, guest: &Self) -> Vec<Word> {
        let fill = guest.clone();
        self.contact = self.contact.take().or(fill.contact);
        self.address = self.address.take().or(fill.address);
        self.tax_id = self.tax_id.take().or(fill.tax_id);
        self.zone = self.zone.take().or(fill.zone);
        let here: Vec<MerchantId> = self.merchants().into_iter().cloned().collect();
        self.services.retain(|chosen| here.contains(&chosen.merchant));
        for chosen in fill.services {
            let known = self.services.iter().any(|known| known.merchant == chosen.merchant);
            if !known && here.contains(&chosen.merchant) {
                self.services.push(chosen);
            }
        }
        let mut dropped = Vec::new();
        for code in fill.codes {
            let known = self.codes.iter().any(|known| Spelling::of(known) == Spelling::of(&code));
            if !known && self.codes.len() < CODES_MAX {
                self.codes.push(code);
            } else if !known {
                dropped.push(code);
            }
        }
        dropped
    }
}

#[cfg(test)]
mod tests;
