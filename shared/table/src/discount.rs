//! Where discounts lie: a code under its name, and all agreements of a customer in one item beside the account.
//!
//! The uses of a code that is for so many orders are counted in an item beside it, in the transaction that pays a cart
//! or cancels its order; the condition is on the count, so no reader's idea of it matters (A6(2)).

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::record::{Item, whole};
use crate::{Commit, Cursor, Fault, Held, Loaded, Page, Record, Story, Table};
use domain::cart::{Cart, KEPT};
use domain::discount::{Code, Grant, Grants, Redemption, Spelling};
use domain::id::{CartId, CustomerId, MarketplaceId};
use domain::order::Order;
use domain::text::Word;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::fmt::Debug;

const USES: &str = "uses.1";

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

/// Where the codes of a cart lie, each with the count of its uses.
fn codes(m: &MarketplaceId, cart: &Cart) -> Vec<(Key, Key)> {
    let spelled = cart.codes.iter().map(Spelling::of);
    spelled.map(|code| (Key::discount_code(m, &code), Key::uses_of_code(m, &code))).collect()
}

/// Where the discounts of a cart lie: nowhere if it has no codes and is a guest's.
pub(crate) fn keys_of(m: &MarketplaceId, cart: &Cart) -> Vec<Key> {
    let codes = codes(m, cart).into_iter().flat_map(|(code, uses)| [code, uses]);
    codes.chain(cart.customer.iter().map(|customer| Key::agreements(m, customer))).collect()
}

impl Loaded {
    /// What was read under [`keys_of`] a cart.
    pub(crate) fn grants(&mut self, m: &MarketplaceId, cart: &Cart) -> Result<Grants, Fault> {
        let mut grants = Grants::default();
        let own: Vec<Spelling> = cart.redeemed().iter().map(spelled).collect();
        for (key, uses) in codes(m, cart) {
            let code = self.take::<DiscountCode>(&key)?.map(|held| held.value);
            let code = code.filter(|code| code.bound_to.as_ref().is_none_or(|only| *only == cart.id));
            let Some(DiscountCode { grant, .. }) = code else { continue };
            let used = self.uses(&uses).saturating_sub(u64::from(own.contains(&Spelling::of(&grant.name))));
            grants.codes.push(Code { grant, used });
        }
        if let Some(customer) = &cart.customer {
            let agreed = self.take::<Agreements>(&Key::agreements(m, customer))?;
            grants.agreements = agreed.map(|held| held.value.grants).unwrap_or_default();
        }
        Ok(grants)
    }
}

fn spelled(of: &Redemption) -> Spelling {
    Spelling::of(&of.code)
}

/// What an item says of a code's uses, if it is their count: for checks that read everything.
pub(crate) fn uses_of(item: &Item) -> Option<(String, u64)> {
    if item.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str) != Some(USES) {
        return None;
    }
    Some((Key::of_item(item).pk.rsplit('#').next()?.to_owned(), whole(item, "used")?))
}

impl Loaded {
    fn uses(&self, key: &Key) -> u64 {
        self.found.get(key).and_then(|item| whole(item, "used")).unwrap_or_default()
    }
}

impl<C: Debug + Clone> Commit<'_, C> {
    /// The uses of limited codes that an order takes; refused where others have the last of them.
    pub fn redeem(self, redemptions: &[Redemption], refusal: &C) -> Self {
        let m = self.marketplace();
        redemptions.iter().fold(self, |commit, one| {
            let place = (Key::uses_of_code(m, &spelled(one)), USES);
            commit.count_up_to(place, "used", u64::from(one.limit.get()), refusal.clone())
        })
    }
}

impl<C: Debug> Commit<'_, C> {
    /// An order does not come about, or not any more: the uses that it had taken are free again.
    pub fn free_codes(self, redemptions: &[Redemption]) -> Self {
        let m = self.marketplace();
        redemptions.iter().fold(self, |commit, one| {
            commit.count(Key::uses_of_code(m, &spelled(one)), USES, vec![("used", -1)])
        })
    }

    /// A held order, changed, and the story that says so. With the last of it that is canceled its codes are free.
    pub fn change_order(self, held: &Held<Order>, next: &Order, story: Story) -> Self {
        let commit = self.change(held, next, next.id.as_str(), story);
        if next.redemptions().is_empty() { commit.free_codes(held.value.redemptions()) } else { commit }
    }
}

impl Table {
    /// How many orders have each of these codes, as far as they are counted: while a code was for so many.
    pub async fn uses_of_codes(&self, m: &MarketplaceId, codes: &[&Word]) -> Result<Vec<u64>, Fault> {
        let keys: Vec<Key> = codes.iter().map(|code| Key::uses_of_code(m, &Spelling::of(code))).collect();
        let found = self.glance(&keys).await?;
        Ok(keys.iter().map(|key| found.uses(key)).collect())
    }

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
        let both = |code| ["DSC", "USE"].map(|sort| format!("{m}#DSC#{code} {sort}"));
        assert_eq!(shown, [both("ten"), both("ähre")].concat());
        let customer = CustomerId::from_bits(3);
        let own = Cart { customer: Some(customer.clone()), ..guests };
        assert_eq!(keys_of(&m, &own), [Key::agreements(&m, &customer)]);
    }
}
