//! How a price came about: the parts of a total and their sentences.

use super::{Basket, BorneBy, Price, PricedLine, PricedMerchant, Source};
use crate::delivery::Service;
use crate::fx::FxRate;
use crate::id::MerchantId;
use crate::money::{Money, MoneyError};
use crate::tax::{OwedBy, Prices, Reason, TaxLine};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One part of the total, by its stable code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Component {
    Items {
        amount: Money,
    },
    /// Also one that comes to nothing: it found nothing that it is for.
    Discount {
        source: Source,
        borne_by: BorneBy,
        base: Money,
        amount: Money,
    },
    Delivery {
        merchant: MerchantId,
        service: Service,
        amount: Money,
    },
    /// All tax of one reason and percentage. Not on top, it stands in the prices already.
    Tax {
        reason: Reason,
        percent: Decimal,
        base: Money,
        amount: Money,
        owed_by: OwedBy,
        on_top: bool,
    },
    /// Tax in the prices that a buyer under reverse charge does not pay.
    TaxRelief {
        amount: Money,
    },
    /// The margin that stands in the merchant's converted prices, before any discount.
    Conversion {
        merchant: MerchantId,
        rate: FxRate,
        margin: Money,
    },
}

impl Component {
    /// Every part, in the order in which they come to the total.
    pub(super) fn all(
        basket: &Basket,
        came_to: &[(Money, Money)],
        merchants: &[PricedMerchant],
        lines: &[PricedLine],
        prices: Prices,
    ) -> Result<Vec<Self>, MoneyError> {
        let of_items = lines.iter().map(|line| line.items);
        let mut all = vec![Self::Items { amount: Money::sum(basket.currency, of_items)? }];
        for (discount, (base, amount)) in basket.discounts.iter().zip(came_to) {
            let (source, borne_by) = (discount.source.clone(), discount.borne_by);
            all.push(Self::Discount { source, borne_by, base: *base, amount: *amount });
        }
        for part in merchants {
            if let Some(delivery) = &part.delivery {
                let (merchant, amount) = (part.merchant.clone(), delivery.price.amount());
                all.push(Self::Delivery { merchant, service: delivery.service, amount });
            }
        }
        let deliveries = merchants.iter().filter_map(|part| part.delivery.as_ref());
        let taxes = lines.iter().map(|line| &line.tax).chain(deliveries.flat_map(|delivery| &delivery.taxes));
        all.extend(Self::taxes(taxes, prices == Prices::Added)?);
        let relief = Money::sum(basket.currency, merchants.iter().map(|part| part.totals.relief))?;
        all.extend((relief.minor != 0).then_some(Self::TaxRelief { amount: relief }));
        for part in merchants.iter().filter(|part| part.rate.is_some()) {
            all.extend(Self::conversion(part, lines)?);
        }
        Ok(all)
    }

    fn taxes<'a>(taxes: impl Iterator<Item = &'a TaxLine>, on_top: bool) -> Result<Vec<Self>, MoneyError> {
        let mut sums: BTreeMap<(Reason, Decimal, OwedBy), (Money, Money)> = BTreeMap::new();
        for tax in taxes {
            let zero = Money::zero(tax.base.currency);
            let (base, amount) = sums.entry((tax.reason, tax.percent, tax.owed_by)).or_insert((zero, zero));
            *base = base.plus(tax.base)?;
            *amount = amount.plus(tax.amount)?;
        }
        let tax = |((reason, percent, owed_by), (base, amount))| Self::Tax {
            reason,
            percent,
            base,
            amount,
            owed_by,
            on_top,
        };
        Ok(sums.into_iter().map(tax).collect())
    }

    fn conversion(part: &PricedMerchant, lines: &[PricedLine]) -> Result<Option<Self>, MoneyError> {
        let lines = lines.iter().filter(|line| line.merchant == part.merchant);
        let delivery = part.delivery.iter().map(|delivery| (&delivery.price, 1));
        let mut sum: Option<(FxRate, Money)> = None;
        for (price, count) in lines.map(|line| (&line.price, line.quantity)).chain(delivery) {
            let Price::Converted(converted) = price else { continue };
            let margin = converted.margin.times(count)?;
            sum = Some(match sum {
                Some((rate, so_far)) => (rate, so_far.plus(margin)?),
                None => (converted.rate.clone(), margin),
            });
        }
        let merchant = part.merchant.clone();
        Ok(sum.map(|(rate, margin)| Self::Conversion { merchant, rate, margin }))
    }

    /// What it adds to the total; what stands in other parts already adds nothing.
    pub fn contribution(&self) -> Money {
        match self {
            Self::Items { amount } | Self::Delivery { amount, .. } => *amount,
            Self::Discount { amount, .. } | Self::TaxRelief { amount } => amount.negated(),
            Self::Tax { amount, on_top: true, .. } => *amount,
            Self::Tax { amount, on_top: false, .. } | Self::Conversion { margin: amount, .. } => {
                Money::zero(amount.currency)
            }
        }
    }
}

impl std::fmt::Display for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Code(code) => write!(f, "code {code}"),
            Self::Agreement(name) => write!(f, "agreement {name}"),
        }
    }
}

impl std::fmt::Display for Price {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Offered(amount) => write!(f, "{amount}"),
            Self::Converted(converted) => {
                let FxRate { rate, as_of, margin_percent, .. } = &converted.rate;
                let (amount, original) = (converted.amount, converted.original);
                write!(f, "{amount} ({original} at {rate} of {as_of} and {margin_percent} %)")
            }
        }
    }
}

impl std::fmt::Display for TaxLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { reason, percent, base, amount, .. } = self;
        write!(f, "tax {percent} % of {base} ({}): {amount}", reason.word())
    }
}

/// The line's calculation as one sentence.
impl std::fmt::Display for PricedLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} × {} = {}", self.quantity, self.price, self.items)?;
        for share in &self.discounts {
            write!(f, "; less {} by {}", share.amount, share.source)?;
        }
        write!(f, "; {}; total {}", self.tax, self.total)
    }
}

impl std::fmt::Display for Component {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Items { amount } => write!(f, "items: {amount}"),
            Self::Discount { source, base, amount, .. } => write!(f, "{source}: {amount} off {base}"),
            Self::Delivery { merchant, service, amount } => {
                write!(f, "{} delivery from {merchant}: {amount}", service.word())
            }
            Self::Tax { reason, percent, base, amount, on_top, .. } => {
                let place = if *on_top { "on top of" } else { "in the prices, beside" };
                write!(f, "tax {percent} % ({}): {amount} {place} {base}", reason.word())
            }
            Self::TaxRelief { amount } => write!(f, "tax that the buyer declares: {amount} less"),
            Self::Conversion { merchant, rate, margin } => {
                let FxRate { base, quote, rate, as_of, .. } = rate;
                write!(
                    f,
                    "prices of {merchant} from {base} to {quote} at {rate} of {as_of}: {margin} of margin"
                )
            }
        }
    }
}
