//! What is known of people, sealed: names and addresses lie apart from orders and events, under a key per customer.
//!
//! Deleting the key erases them; the order keeps what the law asks of it.

use crate::key::Key;
use crate::{Fault, Record, Table};
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
