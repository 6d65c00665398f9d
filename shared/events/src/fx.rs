//! What is told of rates of exchange.

use crate::payloads;

payloads! {
    /// The rates are new; carts are priced by them from now on, placed orders keep theirs.
    "fx.rates_changed.v1" FxRatesChangedV1 {}
}
