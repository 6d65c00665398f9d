//! What a cart costs now, from the offers, merchants, rates and rules as they are.

use super::{Cart, Chosen};
use crate::catalog::Offer;
use crate::checkout::{Delivery, LineProblem, Problem};
use crate::delivery::{DeliveryOption, NoDelivery, RateTable};
use crate::discount::{Granted, Grants};
use crate::fx::{self, FxError, FxRate};
use crate::id::{MerchantId, OfferId};
use crate::merchant::Merchant;
use crate::money::Money;
use crate::payout::day;
use crate::pricing::{self, Basket, Destination, Price, Priced, Refused, Seller, Status, price};
use crate::tax::Policy;
use jiff::Timestamp;

/// What the table knows of what is in a cart. What is missing is not for sale.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wares {
    pub offers: Vec<Offer>,
    pub merchants: Vec<Merchant>,
    pub rates: Vec<(MerchantId, RateTable)>,
    pub tax: Policy,
    pub fx: Vec<FxRate>,
    /// Units that this cart could have; an offer that is not named is not looked at (it is held, or not counted).
    pub available: Vec<(OfferId, u32)>,
    pub grants: Grants,
}

/// The answer. Options stand in the order of the merchants' first lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quote {
    pub priced: Priced,
    pub options: Vec<Offered>,
    pub delivery: Delivery,
    /// Codes and agreements, in the order in which they apply.
    pub granted: Vec<Granted>,
}

/// How one merchant could bring its part, prices in the cart's currency.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offered {
    pub merchant: MerchantId,
    pub options: Result<Vec<(DeliveryOption, Price)>, NoDelivery>,
}

impl Wares {
    pub fn offer(&self, id: &OfferId) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.id == *id)
    }

    pub fn merchant(&self, id: &MerchantId) -> Option<&Merchant> {
        self.merchants.iter().find(|merchant| merchant.id == *id)
    }

    /// An amount in the cart's currency, converted in the open where it is of another.
    pub fn price(&self, amount: Money, cart: &Cart, now: Timestamp) -> Result<Price, FxError> {
        if amount.currency == cart.currency {
            return Ok(Price::Offered(amount));
        }
        let rate = fx::find(&self.fx, amount.currency, cart.currency, day(now))?;
        Ok(Price::Converted(rate.convert(amount)?))
    }
}

/// Why an offer cannot be put into a cart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotSold {
    #[error("there is no offer {0}")]
    Unknown(OfferId),
    #[error("{0} is not for sale")]
    Unavailable(OfferId),
    #[error(transparent)]
    NoRate(#[from] FxError),
}

impl Wares {
    /// What a unit costs in the cart's currency now, if it can be bought.
    pub fn sold_at(&self, id: &OfferId, cart: &Cart, now: Timestamp) -> Result<Money, NotSold> {
        let offer = self.offer(id).ok_or_else(|| NotSold::Unknown(id.clone()))?;
        let sells = self.merchant(&offer.merchant).is_some_and(|merchant| merchant.takes_orders(now).is_ok());
        if !sells || !offer.is_sold() {
            return Err(NotSold::Unavailable(id.clone()));
        }
        Ok(self.price(offer.price, cart, now)?.amount())
    }
}

impl Quote {
    /// The cheapest way to bring each part; nothing of what cannot be brought.
    pub fn cheapest(&self) -> Vec<Chosen> {
        let cheapest = |offered: &Offered| {
            let options = offered.options.iter().flatten();
            let (option, _) = options.min_by_key(|(_, price)| price.amount().minor)?;
            Some(Chosen { merchant: offered.merchant.clone(), service: option.service })
        };
        self.options.iter().filter_map(cheapest).collect()
    }

    /// Lines that stop the purchase.
    pub fn problems(&self) -> Vec<LineProblem> {
        let told = |line: u16, problem: &pricing::Problem| match problem {
            pricing::Problem::InsufficientStock { available, .. } => {
                Some(LineProblem { line, problem: Problem::InsufficientStock { available: *available } })
            }
            pricing::Problem::OverLimit { limit, .. } => {
                Some(LineProblem { line, problem: Problem::OverLimit { limit: *limit } })
            }
            pricing::Problem::Unavailable => Some(LineProblem { line, problem: Problem::Unavailable }),
            pricing::Problem::PriceChanged { .. } => None,
        };
        let lines = self.priced.lines.iter();
        lines
            .flat_map(|line| line.problems.iter().filter_map(move |problem| told(line.number, problem)))
            .collect()
    }
}

impl Cart {
    /// What it costs, how it could be brought, and what is wrong with it.
    pub fn quote(&self, wares: &Wares, now: Timestamp) -> Result<Quote, Refused> {
        let to = Destination { place: self.place(), on: day(now), buyer: self.tax_id.clone() };
        let mut basket = self.basket(wares, now)?;
        let judged = wares.grants.judge(&self.codes, &basket, now)?;
        basket.discounts = judged.iter().filter_map(|judged| judged.holds.as_ref().ok()).cloned().collect();
        // The price of delivery may depend on what the goods come to.
        let goods = price(&basket, &wares.tax, &to)?;
        let mut options = Vec::with_capacity(goods.merchants.len());
        for part in &goods.merchants {
            let merchant = part.merchant.clone();
            let table = wares.rates.iter().find(|(of, _)| *of == merchant).map(|(_, table)| table);
            let found = match table {
                Some(table) => table.options(&to.place, part.parcel(&goods.lines)?, now),
                None => Err(NoDelivery::NoZone),
            };
            // A service whose price cannot be said in the cart's currency is none of the others' matter.
            let priced = |found: Vec<DeliveryOption>| {
                let (mut all, mut not) = (Vec::with_capacity(found.len()), None);
                for option in found {
                    match wares.price(option.price, self, now) {
                        Ok(price) => all.push((option, price)),
                        Err(error) => not = Some(NoDelivery::NoRate(error)),
                    }
                }
                not.filter(|_| all.is_empty()).map_or(Ok(all), Err)
            };
            options.push(Offered { merchant, options: found.and_then(priced) });
        }
        let mut delivery = Delivery::Chosen;
        for Offered { merchant, options } in &options {
            let wanted = self.services.iter().find(|chosen| chosen.merchant == *merchant);
            let found = wanted.and_then(|wanted| {
                let mut offered = options.iter().flatten();
                offered.find(|(option, _)| option.service == wanted.service)
            });
            delivery = match (wanted, found) {
                (None, _) => Delivery::Missing,
                (Some(_), None) if delivery == Delivery::Chosen => Delivery::Stale,
                (Some(_), _) => delivery,
            };
            let seller = basket.sellers.iter_mut().find(|seller| seller.merchant == *merchant);
            if let (Some(seller), Some((option, price))) = (seller, found) {
                let (service, price) = (option.service, price.clone());
                seller.delivery = Some(pricing::Chosen { service, price });
            }
        }
        let priced = price(&basket, &wares.tax, &to)?;
        let granted = Granted::all(judged, &priced);
        Ok(Quote { priced, options, delivery, granted })
    }

    fn basket(&self, wares: &Wares, now: Timestamp) -> Result<Basket, Refused> {
        let mut lines = Vec::with_capacity(self.lines.len());
        for line in &self.lines {
            let offer = wares.offer(&line.offer);
            let sells =
                wares.merchant(&line.merchant).is_some_and(|merchant| merchant.takes_orders(now).is_ok());
            let active = offer.filter(|offer| sells && offer.is_sold());
            let price = offer.map(|offer| wares.price(offer.price, self, now));
            let (price, active) = match price {
                Some(Ok(price)) => (price, active),
                // Without a rate of today it has the price that was seen, and is not for sale.
                Some(Err(_)) | None => (Price::Offered(line.added_at), None),
            };
            let available = wares.available.iter().find(|(of, _)| *of == line.offer).map(|(_, units)| *units);
            lines.push(pricing::Line {
                number: line.number,
                merchant: line.merchant.clone(),
                offer: line.offer.clone(),
                category: offer.and_then(|offer| offer.category.clone()),
                quantity: line.quantity,
                price,
                price_when_added: line.added_at,
                limit: offer.and_then(|offer| offer.order_limit),
                available,
                grams: offer.and_then(|offer| offer.grams).unwrap_or_default(),
                status: if active.is_some() { Status::Buyable } else { Status::Unavailable },
            });
        }
        let country = self.place().country;
        let seller = |merchant: &MerchantId| {
            let known = wares.merchant(merchant).and_then(|merchant| merchant.country);
            Seller { merchant: merchant.clone(), country: known.unwrap_or(country), delivery: None }
        };
        let sellers = self.merchants().into_iter().map(seller).collect();
        Ok(Basket { currency: self.currency, lines, sellers, discounts: Vec::new() })
    }
}
