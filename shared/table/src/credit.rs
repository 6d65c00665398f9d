//! Where customers' store credit lies, and how it moves along with the payments that give and take it.
//!
//! One item for each customer and currency, in the customer's partition, changed in the transaction that changes the
//! payments. Read only where something of it moves, so that nobody else's payment costs more.

use crate::key::Key;
use crate::{Commit, Fault, Held, Record, Story, Table};
use domain::cart::Cart;
use domain::credit::{Refused, Share, StoreCredit};
use domain::id::{CustomerId, MarketplaceId, OrderId};
use domain::order::Order;
use domain::payment::Payment;
use domain::{Currency, MoneyError};
use events::Announced;
use events::credit::StoreCreditChangedV1;
use std::fmt::Debug;

/// Nobody has credit in more currencies.
const CURRENCIES: u16 = 100;

impl Record for StoreCredit {
    const KIND: &'static str = "store_credit.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::store_credit(m, &self.customer, self.balance.currency)
    }
}

/// A customer's credit before and after a change of payments.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreditMoved {
    before: Option<Held<StoreCredit>>,
    after: StoreCredit,
    order: OrderId,
}

fn share(payments: &[&Payment], currency: Currency) -> Result<Share, MoneyError> {
    payments.iter().try_fold(Share::none(currency), |sum, payment| sum.plus(payment.credit()))
}

impl CreditMoved {
    /// Payments that begin keep what they are to be paid with, if it is there. None where none is paid with credit.
    pub fn promised(held: Option<Held<StoreCredit>>, payments: &[&Payment]) -> Result<Option<Self>, Refused> {
        let Some((first, held)) = payments.first().zip(held) else { return Ok(None) };
        let by = share(payments, first.amount.currency)?;
        if by.is_none() {
            return Ok(None);
        }
        let after = held.value.promised(by)?;
        Ok(Some(Self { before: Some(held), after, order: first.order.clone() }))
    }
}

impl Table {
    /// Strongly consistent; none where the customer never had any in this currency.
    pub async fn store_credit(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
        currency: Currency,
    ) -> Result<Option<Held<StoreCredit>>, Fault> {
        self.load(&Key::store_credit(m, customer, currency)).await
    }

    /// A customer's credit in every currency.
    pub async fn store_credits(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
    ) -> Result<Vec<StoreCredit>, Fault> {
        let pk = Key::customer(m, customer).pk;
        let page = self.records::<StoreCredit>(&pk, Key::STORE_CREDITS, CURRENCIES, None, true).await?;
        Ok(page.items.into_iter().map(|held| held.value).collect())
    }

    /// What a change of payments of one order is for their customer's credit; none where it is nothing.
    pub async fn credit_moved(
        &self,
        m: &MarketplaceId,
        changes: &[(&Payment, &Payment)],
    ) -> Result<Option<CreditMoved>, Fault> {
        let Some((first, _)) = changes.first() else { return Ok(None) };
        let currency = first.amount.currency;
        let (before, after): (Vec<&Payment>, Vec<&Payment>) = changes.iter().copied().unzip();
        let by = share(&after, currency)?.minus(share(&before, currency)?)?;
        if by.is_none() {
            return Ok(None);
        }
        let owner = self.owner(m, first).await?.ok_or_else(|| Fault::Nobodys(first.id.to_string()))?;
        let held = self.store_credit(m, &owner, currency).await?;
        let was = held.as_ref().map_or_else(|| StoreCredit::none(owner, currency), |held| held.value.clone());
        Ok(Some(CreditMoved { before: held, after: was.moved(by)?, order: first.order.clone() }))
    }

    /// Whose account the order is on, or the cart that is to become it.
    async fn owner(&self, m: &MarketplaceId, payment: &Payment) -> Result<Option<CustomerId>, Fault> {
        if let Some(order) = self.load::<Order>(&Key::order(m, &payment.order)).await? {
            return Ok(order.value.account().cloned());
        }
        let Some(cart) = &payment.cart else { return Ok(None) };
        Ok(self.load::<Cart>(&Key::cart(m, cart)).await?.and_then(|cart| cart.value.customer))
    }
}

impl<C: Debug> Commit<'_, C> {
    /// The credit that moves along. A balance that changes is told of; what is only promised is not.
    pub fn credit(self, moved: Option<CreditMoved>, taken: C) -> Self {
        let Some(CreditMoved { before, after, order }) = moved else { return self };
        let currency = after.balance.currency;
        let was = before.as_ref().map_or(0, |held| held.value.balance.minor);
        let by = domain::Money { minor: after.balance.minor.saturating_sub(was), currency };
        let facts = (by.minor != 0).then(|| {
            let (customer, balance) = (after.customer.clone(), after.balance.into());
            Announced::of(&StoreCreditChangedV1 { customer, order, amount: by.into(), balance })
        });
        let subject = format!("{}-{currency}", after.customer);
        match (before, facts) {
            (Some(held), None) => self.replace(&held, &after),
            (Some(held), facts) => self.change(&held, &after, &subject, Story::new(facts)),
            (None, facts) => self.begin(&after, &subject, Story::new(facts), taken),
        }
    }
}
