//! What the functions on the way from cart to order share: the cart of a request, and words of their views.

use crate::identity::Caller;
use crate::problem::Problem;
use crate::world::World;
use domain::cart::Cart;
use domain::checkout::{Step, Unmet};
use domain::fx::FxRate;
use domain::id::CartId;
use domain::marketplace::Marketplace;
use domain::tax::TaxLine;
use events::Amount;
use serde::Serialize;
use table::person::DataKey;
use table::{Held, Key};

/// A cart that a request is about.
#[derive(Debug, Clone)]
pub struct AtHand {
    pub cart: Held<Cart>,
    pub marketplace: Marketplace,
    /// That of the customer whose cart it is, if there is one.
    pub data_key: Option<DataKey>,
}

impl AtHand {
    /// The cart, if it is the caller's to change. What a subscription orders is no shopper's.
    pub async fn of(world: &World, caller: &Caller, id: &str) -> Result<Self, Problem> {
        let hand = Self::to_see(world, caller, id).await?;
        if hand.cart.value.renews.is_some() { Err(Problem::not_found("cart")) } else { Ok(hand) }
    }

    /// The cart, if it is the caller's to see, also what a subscription orders.
    pub async fn to_see(world: &World, caller: &Caller, id: &str) -> Result<Self, Problem> {
        let hand = Self::even_merged(world, caller, id).await?;
        not_merged(&hand.cart.value)?;
        Ok(hand)
    }

    /// The cart, if it is the caller's to see, in one batch read. One that has expired is not there, however late it is
    /// taken away.
    pub async fn even_merged(world: &World, caller: &Caller, id: &str) -> Result<Self, Problem> {
        let m = &caller.marketplace;
        let id: CartId = id.parse().map_err(|_| Problem::not_found("cart"))?;
        let shopper = caller.shopper()?;
        let (own, cart) = (Key::marketplace(m), Key::cart(m, &id));
        let key = shopper.customer().map(|customer| Key::data_key(m, customer));
        let keys: Vec<Key> = [own.clone(), cart.clone()].into_iter().chain(key.clone()).collect();
        let mut read = world.table.read(&keys).await?;
        let cart = read.take::<Cart>(&cart)?.ok_or_else(|| Problem::not_found("cart"))?;
        let marketplace = read.take::<Marketplace>(&own)?;
        let marketplace = marketplace.ok_or_else(|| Problem::not_found("marketplace"))?.value;
        let gone = cart.value.forgotten_at().is_some_and(|at| at < world.now());
        if gone || !shopper.may_see(cart.value.customer.as_ref()) {
            return Err(Problem::not_found("cart"));
        }
        let data_key = match key.filter(|_| cart.value.customer.is_some()) {
            Some(key) => read.take::<DataKey>(&key)?.map(|held| held.value),
            None => None,
        };
        Ok(Self { cart, marketplace, data_key })
    }
}

/// A guest's cart that has joined its customer's is empty, and stays so.
pub fn not_merged(cart: &Cart) -> Result<(), Problem> {
    match &cart.merged {
        None => Ok(()),
        Some(_) => Err(Problem::new(410, "cart_merged", "The cart has become a part of another")
            .with("sign in and go on with the cart at /v1/carts/current")),
    }
}

/// What is missing before an order can be placed.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "UnmetRequirement"))]
pub struct UnmetView {
    #[serde(flatten)]
    unmet: Unmet,
    /// The step in which it is given.
    step: Step,
}

impl From<Unmet> for UnmetView {
    fn from(unmet: Unmet) -> Self {
        Self { step: unmet.step(), unmet }
    }
}

/// A rate of exchange, with what the marketplace adds to it.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ExchangeRate"))]
pub struct RateView {
    /// One unit of this …
    base: String,
    /// … is `rate` of this.
    quote: String,
    rate: String,
    margin_percent: String,
    /// The day it is of.
    as_of: String,
}

impl From<&FxRate> for RateView {
    fn from(rate: &FxRate) -> Self {
        Self {
            base: rate.base.to_string(),
            quote: rate.quote.to_string(),
            rate: rate.rate.normalize().to_string(),
            margin_percent: rate.margin_percent.normalize().to_string(),
            as_of: rate.as_of.to_string(),
        }
    }
}

/// The tax of a line or of a delivery.
#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "LineTax"))]
pub struct TaxView {
    /// What it is taxed as; none where it has no category.
    #[serde(skip_serializing_if = "Option::is_none")]
    category: Option<String>,
    /// Why it is what it is, also where it is nothing: `standard`, `reduced`, `zero_rated`, `exempt`,
    /// `reverse_charge`, `outside_scope`, `not_configured`.
    reason: &'static str,
    percent: String,
    base: Amount,
    amount: Amount,
    /// `merchant`, `marketplace` or `customer`.
    owed_by: &'static str,
}

impl From<&TaxLine> for TaxView {
    fn from(tax: &TaxLine) -> Self {
        Self {
            category: tax.category.as_ref().map(ToString::to_string),
            reason: tax.reason.word(),
            percent: tax.percent.to_string(),
            base: tax.base.into(),
            amount: tax.amount.into(),
            owed_by: tax.owed_by.word(),
        }
    }
}
