//! What is known of people, sealed: names and addresses lie apart from orders and events, under a key per customer.
//!
//! Deleting the key erases them; the order keeps what the law asks of it.

use crate::key::Key;
use crate::{Fault, Held, Record, Table};
use domain::customer::Customer;
use domain::id::{CustomerId, MarketplaceId, OrderId};
use serde::{Deserialize, Serialize};
use std::fmt;

/// The key that a customer's personal data are sealed with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataKey {
    pub customer: CustomerId,
    /// 256 bits in base 64.
    pub key: String,
}

impl fmt::Debug for DataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DataKey({})", self.customer)
    }
}

/// Something that only the holder of the key can read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sealed {
    pub nonce: String,
    pub text: String,
}

/// Who has ordered and where it goes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPerson {
    pub order: OrderId,
    pub customer: CustomerId,
    pub sealed: Sealed,
}

/// A customer's account: what anybody may read, and the sealed profile; none after an erasure.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerAccount {
    pub customer: Customer,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sealed: Option<Sealed>,
}

/// What an order's person is moved from and to.
#[derive(Debug)]
pub struct Moving {
    pub person: Option<Held<OrderPerson>>,
    /// The key that it is sealed with.
    pub from: Option<DataKey>,
    /// The key that it is to be sealed with.
    pub to: Option<DataKey>,
}

impl Record for CustomerAccount {
    const KIND: &'static str = "customer.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::customer(m, &self.customer.id)
    }
}

impl Record for DataKey {
    const KIND: &'static str = "data_key.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::data_key(m, &self.customer)
    }
}

impl Record for OrderPerson {
    const KIND: &'static str = "order_person.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::order_person(m, &self.order)
    }
}

impl Table {
    /// A customer's account and data key, whichever of them are there, in one batch read.
    pub async fn customer_account(
        &self,
        m: &MarketplaceId,
        customer: &CustomerId,
    ) -> Result<(Option<Held<CustomerAccount>>, Option<DataKey>), Fault> {
        let (account, key) = (Key::customer(m, customer), Key::data_key(m, customer));
        let mut read = self.read(&[account.clone(), key.clone()]).await?;
        let data_key = read.take::<DataKey>(&key)?.map(|held| held.value);
        Ok((read.take::<CustomerAccount>(&account)?, data_key))
    }

    /// Who has ordered, and the keys of one customer and another, in one batch read.
    pub async fn order_person_between(
        &self,
        m: &MarketplaceId,
        order: &OrderId,
        (from, to): (&CustomerId, &CustomerId),
    ) -> Result<Moving, Fault> {
        let person = Key::order_person(m, order);
        let (from, to) = (Key::data_key(m, from), Key::data_key(m, to));
        let mut read = self.read(&[person.clone(), from.clone(), to.clone()]).await?;
        Ok(Moving {
            person: read.take::<OrderPerson>(&person)?,
            from: read.take::<DataKey>(&from)?.map(|held| held.value),
            to: read.take::<DataKey>(&to)?.map(|held| held.value),
        })
    }

    /// Who has ordered, with the key that it is sealed with: one batch read where the customer is known. None where
    /// one of the two is not there, as after an erasure.
    pub async fn order_person(
        &self,
        m: &MarketplaceId,
        order: &OrderId,
        customer: &CustomerId,
    ) -> Result<Option<(OrderPerson, DataKey)>, Fault> {
        let (person, key) = (Key::order_person(m, order), Key::data_key(m, customer));
        let mut read = self.read(&[person.clone(), key.clone()]).await?;
        let person = read.take::<OrderPerson>(&person)?.map(|held| held.value);
        Ok(person.zip(read.take::<DataKey>(&key)?.map(|held| held.value)))
    }
}
