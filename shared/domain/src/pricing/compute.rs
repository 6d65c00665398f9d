//! The computing of a price, step by step as at the head of [`super`].

use super::{
    Basket, Benefit, BorneBy, Chosen, Component, DISCOUNTS_MAX, Destination, Discount, Line, Priced,
    PricedDelivery, PricedLine, PricedMerchant, Problem, Refused, Scope, Seller, Share, Status, Totals,
};
use crate::currency::Currency;
use crate::id::MerchantId;
use crate::money::{Money, MoneyError};
use crate::order::{LINES_MAX, MERCHANTS_MAX, QUANTITY_MAX};
use crate::tax::{DeliveryTax, Policy, Sale, TaxLine};
use crate::text::Category;
use rust_decimal::Decimal;

/// What the basket costs, or why it has no price.
pub fn price(basket: &Basket, tax: &Policy, to: &Destination) -> Result<Priced, Refused> {
    let sellers = check(basket)?;
    let mut desk = Desk::open(basket, tax, to)?;
    for order in [false, true] {
        for (at, discount) in basket.discounts.iter().enumerate() {
            if matches!(discount.scope, Scope::Order) == order {
                desk.discount(at, discount)?;
            }
        }
    }
    let mut lines = Vec::with_capacity(basket.lines.len());
    let mut merchants = Vec::with_capacity(sellers.len());
    for seller in &sellers {
        merchants.push(desk.merchant(seller, &mut lines)?);
    }
    lines.sort_by_key(|(at, _)| *at);
    let lines: Vec<PricedLine> = lines.into_iter().map(|(_, line)| line).collect();
    let totals = Totals::sum(basket.currency, merchants.iter().map(|merchant| &merchant.totals))?;
    let components = Component::all(basket, &desk.came_to, &merchants, &lines, tax.mode.prices)?;
    Ok(Priced { currency: basket.currency, mode: tax.mode, lines, merchants, totals, components })
}

/// The sellers in the order of their first line, of a basket that is within limits.
fn check(basket: &Basket) -> Result<Vec<&Seller>, Refused> {
    if basket.lines.len() > LINES_MAX {
        return Err(Refused::LineCount(basket.lines.len()));
    }
    if basket.discounts.len() > DISCOUNTS_MAX {
        return Err(Refused::DiscountCount(basket.discounts.len()));
    }
    let mut sellers: Vec<&Seller> = Vec::new();
    for (at, line) in basket.lines.iter().enumerate() {
        if basket.lines.iter().take(at).any(|other| other.number == line.number) {
            return Err(Refused::Number(line.number));
        }
        if !(1..=QUANTITY_MAX).contains(&line.quantity) {
            return Err(Refused::Quantity { line: line.number, quantity: line.quantity });
        }
        line.price.amount().not_negative()?;
        if !sellers.iter().any(|seller| seller.merchant == line.merchant) {
            let known = basket.sellers.iter().find(|seller| seller.merchant == line.merchant);
            sellers.push(known.ok_or_else(|| Refused::NoSeller(line.merchant.clone()))?);
        }
    }
    if sellers.len() > MERCHANTS_MAX {
        return Err(Refused::MerchantCount(sellers.len()));
    }
    for discount in &basket.discounts {
        match &discount.benefit {
            Benefit::Percent(percent) if *percent < Decimal::ZERO || *percent > Decimal::ONE_HUNDRED => {
                return Err(Refused::Percent(*percent));
            }
            Benefit::Amount(amount) => {
                amount.not_negative()?;
            }
            Benefit::Percent(_) | Benefit::FreeDelivery => {}
        }
    }
    for chosen in sellers.iter().filter_map(|seller| seller.delivery.as_ref()) {
        chosen.price.amount().not_negative()?;
    }
    Ok(sellers)
}

/// A basket on its way through the steps.
struct Desk<'a> {
    basket: &'a Basket,
    tax: &'a Policy,
    to: &'a Destination,
    items: Vec<Money>,
    /// What is left of each line's items.
    charged: Vec<Money>,
    shares: Vec<Vec<Share>>,
    /// What each discount came to, and of how much.
    came_to: Vec<(Money, Money)>,
}

impl<'a> Desk<'a> {
    fn open(basket: &'a Basket, tax: &'a Policy, to: &'a Destination) -> Result<Self, MoneyError> {
        let zero = Money::zero(basket.currency);
        let items = basket.lines.iter().map(|line| zero.plus(line.price.amount().times(line.quantity)?));
        let items = items.collect::<Result<Vec<_>, _>>()?;
        let shares = vec![Vec::new(); items.len()];
        let came_to = vec![(zero, zero); basket.discounts.len()];
        Ok(Self { basket, tax, to, charged: items.clone(), items, shares, came_to })
    }

    /// Step 2.
    fn discount(&mut self, number: usize, discount: &Discount) -> Result<(), MoneyError> {
        let lines = self.basket.lines.iter().enumerate().filter(|(_, line)| discount.scope.covers(line));
        let lines: Vec<usize> = lines.map(|(at, _)| at).collect();
        let base = Money::sum(self.basket.currency, lines.iter().map(|at| self.charged[*at]))?;
        let amount = match &discount.benefit {
            Benefit::Percent(percent) => base.percent(*percent)?,
            Benefit::Amount(amount) if base.minus(*amount)?.minor < 0 => base,
            Benefit::Amount(amount) => *amount,
            Benefit::FreeDelivery => return Ok(()),
        };
        let weight = |at: &usize| u64::try_from(self.charged[*at].minor).unwrap_or_default();
        let weights: Vec<u64> = lines.iter().map(weight).collect();
        for (at, part) in lines.into_iter().zip(amount.allocate(&weights)).filter(|(_, part)| part.minor != 0)
        {
            self.charged[at] = self.charged[at].minus(part)?;
            self.shares[at].push(discount.share(part));
        }
        self.came_to[number] = (base, amount);
        Ok(())
    }

    /// Steps 3 to 5 of one merchant's part.
    fn merchant(
        &mut self,
        seller: &Seller,
        out: &mut Vec<(usize, PricedLine)>,
    ) -> Result<PricedMerchant, Refused> {
        let (basket, to) = (self.basket, self.to);
        let sale = Sale { seller: seller.country, buyer: to.buyer.as_ref(), place: &to.place, on: to.on };
        let mut part = Totals::zero(basket.currency);
        let (mut grams, mut goods) = (0, Vec::new());
        let mut rates = Vec::new();
        for (at, line) in basket.lines.iter().enumerate().filter(|(_, line)| line.merchant == seller.merchant)
        {
            let priced = self.line(&sale, at, line)?;
            part.add_line(&priced, self.charged[at])?;
            grams += u64::from(line.grams) * u64::from(line.quantity);
            goods.push((line.category.as_ref(), self.charged[at]));
            rates.push(line.price.rate());
            out.push((at, priced));
        }
        let delivery = match &seller.delivery {
            Some(chosen) => Some(self.delivery(&sale, &seller.merchant, chosen, &goods, &mut part)?),
            None => None,
        };
        rates.extend(seller.delivery.as_ref().map(|chosen| chosen.price.rate()));
        let mut rates = rates.into_iter().flatten();
        let rate = rates.next().cloned();
        if rates.any(|other| Some(other) != rate.as_ref()) {
            return Err(Refused::TwoRates(seller.merchant.clone()));
        }
        Ok(PricedMerchant { merchant: seller.merchant.clone(), grams, delivery, totals: part, rate })
    }

    fn line(&mut self, sale: &Sale<'_>, at: usize, line: &Line) -> Result<PricedLine, MoneyError> {
        let tax = self.tax.line(sale, line.category.as_ref(), self.charged[at], line.quantity)?;
        Ok(PricedLine {
            number: line.number,
            merchant: line.merchant.clone(),
            quantity: line.quantity,
            price: line.price.clone(),
            items: self.items[at],
            discounts: std::mem::take(&mut self.shares[at]),
            total: tax.total()?,
            tax,
            problems: self.problems(line),
        })
    }

    /// Two lines on one offer want their units together (A7(2)).
    fn problems(&self, line: &Line) -> Vec<Problem> {
        let mut problems = Vec::new();
        match line.status {
            Status::Buyable => {}
            Status::Unavailable => problems.push(Problem::Unavailable),
        }
        let same = self.basket.lines.iter().filter(|other| other.offer == line.offer);
        let wanted: u64 = same.map(|other| u64::from(other.quantity)).sum();
        if let Some(available) = line.available.filter(|available| u64::from(*available) < wanted) {
            problems.push(Problem::InsufficientStock { wanted, available });
        }
        if let Some(limit) = line.limit.filter(|limit| u64::from(*limit) < wanted) {
            problems.push(Problem::OverLimit { wanted, limit });
        }
        let (was, now) = (line.price_when_added, line.price.amount());
        if was != now {
            problems.push(Problem::PriceChanged { was, now });
        }
        problems
    }

    fn delivery(
        &mut self,
        sale: &Sale<'_>,
        merchant: &MerchantId,
        chosen: &Chosen,
        goods: &[(Option<&Category>, Money)],
        part: &mut Totals,
    ) -> Result<PricedDelivery, MoneyError> {
        let price = Money::zero(self.basket.currency).plus(chosen.price.amount())?;
        let (mut charged, mut discounts) = (price, Vec::new());
        let free = self.basket.discounts.iter().enumerate().find(|(_, discount)| {
            let mut lines = self.basket.lines.iter().filter(|line| line.merchant == *merchant);
            matches!(discount.benefit, Benefit::FreeDelivery) && lines.any(|line| discount.scope.covers(line))
        });
        if let Some((number, free)) = free.filter(|_| price.minor != 0) {
            charged = charged.minus(price)?;
            discounts.push(free.share(price));
            let (base, amount) = self.came_to[number];
            self.came_to[number] = (base.plus(price)?, amount.plus(price)?);
        }
        let taxes = match &self.tax.delivery {
            DeliveryTax::Category(category) => vec![self.tax.line(sale, Some(category), charged, 1)?],
            DeliveryTax::Goods => self.as_goods(sale, charged, goods)?,
        };
        let total = taxes.iter().try_fold(Money::zero(price.currency), |sum, tax| sum.plus(tax.total()?))?;
        part.add_delivery(price, charged, &discounts, &taxes)?;
        Ok(PricedDelivery { service: chosen.service, price: chosen.price.clone(), discounts, taxes, total })
    }

    /// Delivery as part of what is delivered: split over the categories by value, with largest remainder.
    fn as_goods(
        &self,
        sale: &Sale<'_>,
        charged: Money,
        goods: &[(Option<&Category>, Money)],
    ) -> Result<Vec<TaxLine>, MoneyError> {
        let mut categories: Vec<(Option<&Category>, u64)> = Vec::new();
        for (category, value) in goods {
            let value = u64::try_from(value.minor).unwrap_or_default();
            match categories.iter_mut().find(|(other, _)| other == category) {
                Some((_, sum)) => *sum = sum.saturating_add(value),
                None => categories.push((*category, value)),
            }
        }
        let weights: Vec<u64> = categories.iter().map(|(_, value)| *value).collect();
        let mut taxes = Vec::new();
        for ((category, _), part) in categories.into_iter().zip(charged.allocate(&weights)) {
            if part.minor != 0 || taxes.is_empty() {
                taxes.push(self.tax.line(sale, category, part, 1)?);
            }
        }
        Ok(taxes)
    }
}

impl Scope {
    pub(crate) fn covers(&self, line: &Line) -> bool {
        match self {
            Self::Category(category) => line.category.as_ref() == Some(category),
            Self::Merchant(merchant) => line.merchant == *merchant,
            Self::Order => true,
        }
    }
}

impl Discount {
    fn share(&self, amount: Money) -> Share {
        Share { source: self.source.clone(), amount, borne_by: self.borne_by }
    }
}

impl Totals {
    fn zero(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        Self {
            items: zero,
            delivery: zero,
            discount: zero,
            supported: zero,
            tax: zero,
            relief: zero,
            total: zero,
        }
    }

    fn sum<'a>(currency: Currency, parts: impl Iterator<Item = &'a Self>) -> Result<Self, MoneyError> {
        parts.into_iter().try_fold(Self::zero(currency), |sum, part| {
            Ok(Self {
                items: sum.items.plus(part.items)?,
                delivery: sum.delivery.plus(part.delivery)?,
                discount: sum.discount.plus(part.discount)?,
                supported: sum.supported.plus(part.supported)?,
                tax: sum.tax.plus(part.tax)?,
                relief: sum.relief.plus(part.relief)?,
                total: sum.total.plus(part.total)?,
            })
        })
    }

    fn add_line(&mut self, line: &PricedLine, charged: Money) -> Result<(), MoneyError> {
        self.items = self.items.plus(line.items)?;
        self.add(charged, &line.discounts, std::slice::from_ref(&line.tax))
    }

    fn add_delivery(
        &mut self,
        price: Money,
        charged: Money,
        discounts: &[Share],
        taxes: &[TaxLine],
    ) -> Result<(), MoneyError> {
        self.delivery = self.delivery.plus(price)?;
        self.add(charged, discounts, taxes)
    }

    fn add(&mut self, charged: Money, discounts: &[Share], taxes: &[TaxLine]) -> Result<(), MoneyError> {
        for share in discounts {
            self.discount = self.discount.plus(share.amount)?;
            match share.borne_by {
                BorneBy::Merchant => {}
                BorneBy::Marketplace => self.supported = self.supported.plus(share.amount)?,
            }
        }
        let mut total = Money::zero(charged.currency);
        for tax in taxes {
            self.tax = self.tax.plus(tax.amount)?;
            total = total.plus(tax.total()?)?;
        }
        // Less than what is charged is paid only where the tax in it is not this buyer's.
        let relief = charged.minus(total)?;
        self.relief = self.relief.plus(Money { minor: relief.minor.max(0), ..relief })?;
        self.total = self.total.plus(total)?;
        Ok(())
    }
}
