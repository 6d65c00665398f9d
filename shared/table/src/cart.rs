//! Where carts lie, one item each, and all that a cart is priced from.
//!
//! An edit is one conditional put with the requests that it answers inside: no story, no event, nobody follows a cart.

use crate::delivery::DeliveryRates;
use crate::key::Key;
use crate::{Commit, Fault, Held, Loaded, Record, Table};
use domain::cart::{Cart, Wares};
use domain::catalog::Offer;
use domain::checkout::Stage;
use domain::fx;
use domain::id::{CartId, CustomerId, MarketplaceId, MerchantId, OfferId};
use domain::merchant::Merchant;
use domain::tax::table::{Rules, Sheet};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

impl Record for Cart {
    const KIND: &'static str = "cart.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::cart(m, &self.id)
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.forgotten_at()
    }
}

/// The cart that a customer's devices share: the last that was opened or brought along.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CurrentCart {
    pub customer: CustomerId,
    pub cart: CartId,
}

impl Record for CurrentCart {
    const KIND: &'static str = "current_cart.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::current_cart(m, &self.customer)
    }
}

/// Where everything that a cart is priced from lies, as far as the cart itself knows it.
pub fn keys_of(m: &MarketplaceId, cart: &Cart, more: &[OfferId]) -> Vec<Key> {
    let offers = cart.lines.iter().map(|line| &line.offer).chain(more);
    let offers = offers.map(|offer| Key::offer(m, offer));
    let sellers = cart.merchants().into_iter().flat_map(|id| seller(m, id));
    let country = cart.place().country;
    let tax = [Key::tax_rules(m), Key::tax_sheet(m, Some(country)), Key::tax_sheet(m, None)];
    let discounts = crate::discount::keys_of(m, cart);
    offers.chain(sellers).chain(tax).chain([Key::fx_rates(m)]).chain(discounts).collect()
}

fn seller(m: &MarketplaceId, merchant: &MerchantId) -> [Key; 2] {
    [Key::merchant(m, merchant), Key::delivery_rates(m, merchant)]
}

impl Loaded {
    /// What was read under [`keys_of`] a cart.
    fn wares(&mut self, m: &MarketplaceId, cart: &Cart, more: &[OfferId]) -> Result<Wares, Fault> {
        let mut offers: Vec<Offer> = Vec::new();
        for offer in cart.lines.iter().map(|line| &line.offer).chain(more) {
            offers.extend(self.take(&Key::offer(m, offer))?.map(|held| held.value));
        }
        let rules = self.take::<Rules>(&Key::tax_rules(m))?.map_or_else(Rules::first, |held| held.value);
        let mut sheets = Vec::new();
        for country in [Some(cart.place().country), None] {
            sheets.extend(self.take::<Sheet>(&Key::tax_sheet(m, country))?.map(|held| held.value));
        }
        let tax = rules.with(sheets);
        let fx = self.take::<fx::Sheet>(&Key::fx_rates(m))?.map(|held| held.value.rates).unwrap_or_default();
        let (merchants, rates, available) = (Vec::new(), Vec::new(), Vec::new());
        let grants = self.grants(m, cart)?;
        let mut wares = Wares { offers, merchants, rates, tax, fx, available, grants };
        for merchant in cart.merchants() {
            self.seller(m, merchant, &mut wares)?;
        }
        Ok(wares)
    }

    fn seller(&mut self, m: &MarketplaceId, id: &MerchantId, wares: &mut Wares) -> Result<(), Fault> {
        wares.merchants.extend(self.take::<Merchant>(&Key::merchant(m, id))?.map(|held| held.value));
        let rates = self.take::<DeliveryRates>(&Key::delivery_rates(m, id))?.map(|held| held.value);
        wares.rates.extend(rates.map(|rates| (rates.merchant, rates.table)));
        Ok(())
    }
}

impl<C: Debug> Commit<'_, C> {
    /// The customer's devices share this cart from now on, in place of the one that was `before`.
    pub fn share_cart(
        self,
        before: Option<&Held<CurrentCart>>,
        customer: &CustomerId,
        cart: &CartId,
        overtaken: C,
    ) -> Self {
        let next = CurrentCart { customer: customer.clone(), cart: cart.clone() };
        match before {
            Some(held) => self.replace(held, &next),
            None => self.add(&next, overtaken),
        }
    }
}

impl Table {
    /// What a cart is priced from in one batch read: enough where its stock is held.
    pub async fn wares(&self, m: &MarketplaceId, cart: &Cart) -> Result<Wares, Fault> {
        self.read(&keys_of(m, cart, &[])).await?.wares(m, cart, &[])
    }

    /// Which cart a customer's devices share, as it was said last: it may have ended since.
    pub async fn current_cart(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
    ) -> Result<Option<Held<CurrentCart>>, Fault> {
        self.load(&Key::current_cart(m, customer)).await
    }

    /// That cart, if it can still be changed or is being paid.
    pub async fn shared_cart(
        &self,
        m: &MarketplaceId,
        current: Option<&Held<CurrentCart>>,
        now: Timestamp,
    ) -> Result<Option<Held<Cart>>, Fault> {
        let Some(Held { value: CurrentCart { customer, cart }, .. }) = current else { return Ok(None) };
        let cart = self.load_live::<Cart>(&Key::cart(m, cart), now).await?;
        let own = |held: &Held<Cart>| held.value.customer.as_ref() == Some(customer);
        let ended = |held: &Held<Cart>| matches!(held.value.stage, Stage::Completed { .. });
        Ok(cart.filter(|held| own(held) && !ended(held)))
    }

    /// As [`wares`](Self::wares), with `more` offers and their merchants, and with what of each offer this cart could
    /// have: one batch read more.
    pub async fn wares_and_stock(
        &self,
        m: &MarketplaceId,
        cart: &Cart,
        more: &[OfferId],
        now: Timestamp,
    ) -> Result<Wares, Fault> {
        let mut wares = self.read(&keys_of(m, cart, more)).await?.wares(m, cart, more)?;
        let known = cart.merchants();
        let sellers = wares.offers.iter().map(|offer| offer.merchant.clone());
        let mut sellers: Vec<MerchantId> = sellers.filter(|of| !known.contains(&of)).collect();
        sellers.sort_unstable();
        sellers.dedup();
        let stock = crate::stock::keys_of(m, &wares.offers);
        let keys: Vec<Key> = sellers.iter().flat_map(|of| seller(m, of)).chain(stock).collect();
        if keys.is_empty() {
            return Ok(wares);
        }
        let mut read = self.read(&keys).await?;
        for merchant in &sellers {
            read.seller(m, merchant, &mut wares)?;
        }
        let read = self.whole_stock(m, read, &wares.offers).await?;
        let own = Some(&cart.id);
        let could = |offer: &Offer| Some((offer.id.clone(), read.available(m, offer, own, now)?));
        wares.available = wares.offers.iter().filter_map(could).collect();
        Ok(wares)
    }
}
