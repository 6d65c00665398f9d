//! Where discounts lie: a code under its name, and all agreements of a customer in one item beside the account.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::{Cursor, Fault, Loaded, Page, Record, Table};
use domain::cart::{Cart, KEPT};
use domain::discount::{Grant, Grants, Spelling};
use domain::id::{CartId, CustomerId, MarketplaceId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A code, for whoever types it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscountCode {
    pub grant: Grant,
    /// The one cart that it is for; for every other there is no such code. A cart is ordered once, so it is used once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bound_to: Option<CartId>,
}

/// What is agreed with a customer; an erasure leaves an empty list, so that the steps of its story go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Agreements {
    pub customer: CustomerId,
    pub grants: Vec<Grant>,
}

impl Record for DiscountCode {
    const KIND: &'static str = "discount_code.1";
    type Summary = Grant;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::discount_code(m, &Spelling::of(&self.grant.name))
    }

    /// Of those for one cart there are as many as reminders: no list shows them.
    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        let listed = self.bound_to.is_none();
        listed.then(|| Place::discount_code(m, &Spelling::of(&self.grant.name))).into_iter().collect()
    }

    fn summary(&self) -> Option<Grant> {
        self.bound_to.is_none().then(|| self.grant.clone())
    }

    fn expires_at(&self) -> Option<Timestamp> {
        self.bound_to.as_ref().and(self.grant.until)?.checked_add(KEPT).ok()
    }
}

impl Record for Agreements {
    const KIND: &'static str = "agreements.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::agreements(m, &self.customer)
    }
}

fn codes<'a>(m: &MarketplaceId, cart: &'a Cart) -> impl Iterator<Item = Key> + use<'a> {
    let m = m.clone();
    cart.codes.iter().map(move |code| Key::discount_code(&m, &Spelling::of(code)))
}

/// Where the discounts of a cart lie: nowhere if it has no codes and is a guest's.
pub(crate) fn keys_of(m: &MarketplaceId, cart: &Cart) -> Vec<Key> {
    codes(m, cart).chain(cart.customer.iter().map(|customer| Key::agreements(m, customer))).collect()
}

impl Loaded {
    /// What was read under [`keys_of`] a cart.
    pub(crate) fn grants(&mut self, m: &MarketplaceId, cart: &Cart) -> Result<Grants, Fault> {
        let mut grants = Grants::default();
        for key in codes(m, cart) {
            let code = self.take::<DiscountCode>(&key)?.map(|held| held.value);
            let own = code.filter(|code| code.bound_to.as_ref().is_none_or(|only| *only == cart.id));
            grants.codes.extend(own.map(|code| code.grant));
        }
        if let Some(customer) = &cart.customer {
            let agreed = self.take::<Agreements>(&Key::agreements(m, customer))?;
            grants.agreements = agreed.map(|held| held.value.grants).unwrap_or_default();
        }
        Ok(grants)
    }
}

impl Table {
    /// A marketplace's codes, by name from the last to the first.
    pub async fn discount_codes(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Grant>, Fault> {
        let list = List::new(Index::Gsi2, Place::discount_codes(m));
        self.list::<DiscountCode>(&list, limit, after).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cart_without_codes_and_a_guest_without_agreements_read_nothing_more() {
        let m = MarketplaceId::from_bits(1);
        let country = "DE".parse().unwrap();
        let to = domain::place::Place { country, region: None, postal: None };
        let (id, now) = (domain::id::CartId::from_bits(2), jiff::Timestamp::UNIX_EPOCH);
        let guests = Cart::open(id, "EUR".parse().unwrap(), None, to, now);
        assert_eq!(keys_of(&m, &guests), []);
        let codes = ["Ten", "ÄHRE"].map(|code| code.parse().unwrap()).into();
        let typed = Cart { codes, ..guests.clone() };
        let shown: Vec<String> = keys_of(&m, &typed).iter().map(ToString::to_string).collect();
        assert_eq!(shown, [format!("{m}#DSC#ten DSC"), format!("{m}#DSC#ähre DSC")]);
        let customer = CustomerId::from_bits(3);
        let own = Cart { customer: Some(customer.clone()), ..guests };
        assert_eq!(keys_of(&m, &own), [Key::agreements(&m, &customer)]);
    }
}
