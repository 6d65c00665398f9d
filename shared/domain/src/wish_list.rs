//! Wish lists: what a shopper keeps for later, shows to others, and moves to a cart and back.
//!
//! A list keeps what each thing cost when it came in, in its merchant's currency; what has changed since is told when
//! it is looked at ([`Notice`]). Invariants: an item's number is never given again; one offer stands once; what moves
//! between list and cart is in exactly one of the two.

use crate::cart::{Add, Cart, Edit, Refused as CartRefused};
use crate::catalog::Offer;
use crate::id::{CustomerId, MerchantId, OfferId, WishListId};
use crate::money::Money;
use crate::order::QUANTITY_MAX;
use crate::text::Name;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Things on one list.
pub const ITEMS_MAX: usize = 200;
/// A guest's list is forgotten so long after its last change; a customer's stays.
const KEPT: SignedDuration = SignedDuration::from_hours(180 * 24);

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WishList {
    pub id: WishListId,
    /// Whose it is; a guest's is whose who knows its id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub items: Vec<Item>,
    /// Numbers of items go on from here.
    pub last_item: u32,
    /// Links of this and earlier numbers were made; only the last is good, and none after it was closed.
    #[serde(default)]
    pub share: u32,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub shared: bool,
    pub edited_at: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub number: u32,
    pub offer: OfferId,
    pub merchant: MerchantId,
    pub quantity: u32,
    /// What the unit cost when it came in.
    pub price: Money,
    pub added_at: Timestamp,
}

/// What is new of a thing since it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Notice {
    CheaperNow {
        was: Money,
    },
    DearerNow {
        was: Money,
    },
    /// Nobody sells it now.
    Unavailable,
    /// Less than wished is there.
    InsufficientStock {
        available: u32,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a wish list has at most {ITEMS_MAX} things")]
    ItemCount,
    #[error("{0} units of one offer: want 1 to {QUANTITY_MAX}")]
    Quantity(u32),
    #[error("the wish list has no item {0}")]
    NoItem(u32),
    #[error(transparent)]
    Cart(#[from] CartRefused),
}

impl WishList {
    pub fn new(id: WishListId, customer: Option<CustomerId>, name: Name, now: Timestamp) -> Self {
        Self { id, customer, name, items: Vec::new(), last_item: 0, share: 0, shared: false, edited_at: now }
    }

    pub fn forgotten_at(&self) -> Option<Timestamp> {
        match self.customer {
            Some(_) => None,
            None => self.edited_at.checked_add(KEPT).ok(),
        }
    }

    /// With so many of an offer; of one that stands there already, so many more.
    pub fn add(&self, offer: &Offer, quantity: u32, now: Timestamp) -> Result<Self, Refused> {
        let mut next = Self { edited_at: now, ..self.clone() };
        if let Some(item) = next.items.iter_mut().find(|item| item.offer == offer.id) {
            item.quantity = limited(item.quantity.saturating_add(quantity))?;
            return Ok(next);
        }
        if next.items.len() >= ITEMS_MAX {
            return Err(Refused::ItemCount);
        }
        next.last_item = next.last_item.checked_add(1).ok_or(Refused::ItemCount)?;
        next.items.push(Item {
            number: next.last_item,
            offer: offer.id.clone(),
            merchant: offer.merchant.clone(),
            quantity: limited(quantity)?,
            price: offer.price,
            added_at: now,
        });
        Ok(next)
    }

    pub fn without(&self, number: u32, now: Timestamp) -> Result<Self, Refused> {
        let mut next = Self { edited_at: now, ..self.clone() };
        next.items.retain(|item| item.number != number);
        if next.items.len() == self.items.len() { Err(Refused::NoItem(number)) } else { Ok(next) }
    }

    /// With a link that others may look with; an earlier one is good no more.
    #[must_use]
    pub fn sharing(&self, now: Timestamp) -> Self {
        Self { share: self.share.saturating_add(1), shared: true, edited_at: now, ..self.clone() }
    }

    /// Nobody else may look any more.
    #[must_use]
    pub fn private(&self, now: Timestamp) -> Self {
        Self { shared: false, edited_at: now, ..self.clone() }
    }

    /// Both after things went from the list into a cart, each at its price there now.
    pub fn to_cart(
        &self,
        cart: &Cart,
        wanted: &[(u32, Money)],
        now: Timestamp,
    ) -> Result<(Self, Cart), Refused> {
        let (mut list, mut add) = (self.clone(), Vec::with_capacity(wanted.len()));
        for (number, price) in wanted {
            let item = list.items.iter().find(|item| item.number == *number);
            let item = item.ok_or(Refused::NoItem(*number))?;
            let (offer, merchant, quantity) = (item.offer.clone(), item.merchant.clone(), item.quantity);
            add.push(Add { offer, merchant, price: *price, quantity });
            list = list.without(*number, now)?;
        }
        let cart = cart.edit(Edit { add, ..Edit::default() }, now)?;
        Ok((list, cart))
    }

    /// Both after lines went from a cart onto the list. `offers` are those of the lines.
    pub fn from_cart(
        &self,
        cart: &Cart,
        lines: &[u16],
        offers: &[Offer],
        now: Timestamp,
    ) -> Result<(Self, Cart), Refused> {
        let mut list = self.clone();
        for number in lines {
            let line = cart.lines.iter().find(|line| line.number == *number);
            let line = line.ok_or(CartRefused::NoLine(*number))?;
            if let Some(offer) = offers.iter().find(|offer| offer.id == line.offer) {
                list = list.add(offer, line.quantity, now)?;
            }
        }
        let set = lines.iter().map(|number| (*number, 0)).collect();
        let cart = cart.edit(Edit { set, ..Edit::default() }, now)?;
        Ok((list, cart))
    }
}

impl Item {
    /// What is new of it, the most important first. `offer` if it is sold now; `available` of what keeps stock.
    pub fn notices(&self, offer: Option<&Offer>, available: Option<u32>) -> Vec<Notice> {
        let Some(offer) = offer else { return vec![Notice::Unavailable] };
        let mut notices = Vec::new();
        if let Some(available) = available.filter(|available| *available < self.quantity) {
            notices.push(Notice::InsufficientStock { available });
        }
        let (was, now) = (self.price, offer.price);
        if was.currency == now.currency && now.minor < was.minor {
            notices.push(Notice::CheaperNow { was });
        } else if was != now {
            notices.push(Notice::DearerNow { was });
        }
        notices
    }
}

fn limited(quantity: u32) -> Result<u32, Refused> {
    if (1..=QUANTITY_MAX).contains(&quantity) { Ok(quantity) } else { Err(Refused::Quantity(quantity)) }
}
