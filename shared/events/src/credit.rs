//! What is told of customers' store credit.

use crate::{Amount, payloads};
use domain::id::{CustomerId, OrderId};

payloads! {
    /// A refund has given store credit, or an order was paid with it: then `amount` is less than zero.
    "store_credit.changed.v1" StoreCreditChangedV1 {
        customer: CustomerId,
        order: OrderId,
        amount: Amount,
        balance: Amount,
    }
}
