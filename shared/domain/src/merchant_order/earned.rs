//! What a merchant order comes to: for its customer, its merchant and the marketplace, in the order's currency and in
//! the merchant's own.

use super::{Line, MerchantOrder, Progress};
use crate::currency::Currency;
use crate::fx::FxRate;
use crate::ledger::{Account, Posting, Unbalanced};
use crate::money::{Money, MoneyError};

/// What a part brings. The merchant's net = gross + supported − fees − withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Earned {
    pub items: Money,
    pub delivery: Money,
    pub fees: Money,
    /// Tax that the marketplace owes in the merchant's place.
    pub withheld: Money,
    /// What the marketplace bears of the customer's discounts.
    pub supported: Money,
    /// What the customer pays: items + delivery.
    pub gross: Money,
    pub net: Money,
}

impl Earned {
    pub fn zero(currency: Currency) -> Self {
        let zero = Money::zero(currency);
        let (items, delivery, fees, withheld, supported) = (zero, zero, zero, zero, zero);
        Self { items, delivery, fees, withheld, supported, gross: zero, net: zero }
    }

    fn added_up(self) -> Result<Self, MoneyError> {
        let gross = self.items.plus(self.delivery)?;
        let net = gross.plus(self.supported)?.minus(self.fees)?.minus(self.withheld)?;
        Ok(Self { gross, net, ..self })
    }

    fn each(self, of: impl Fn(Money) -> Result<Money, MoneyError>) -> Result<Self, MoneyError> {
        let zero = of(Money::zero(self.gross.currency))?;
        let Self { items, delivery, fees, withheld, supported, .. } = self;
        let [items, delivery, fees] = [of(items)?, of(delivery)?, of(fees)?];
        let (withheld, supported) = (of(withheld)?, of(supported)?);
        let each = Self { items, delivery, fees, withheld, supported, gross: zero, net: zero };
        each.added_up()
    }

    /// All of it without `less`.
    pub fn minus(self, less: Self) -> Result<Self, MoneyError> {
        Self {
            items: self.items.minus(less.items)?,
            delivery: self.delivery.minus(less.delivery)?,
            fees: self.fees.minus(less.fees)?,
            withheld: self.withheld.minus(less.withheld)?,
            supported: self.supported.minus(less.supported)?,
            ..self
        }
        .added_up()
    }

    /// In the merchant's currency: each amount is converted half-up, and the net is what they come to (A12(1)).
    pub fn own(self, rate: Option<&FxRate>) -> Result<Self, MoneyError> {
        match rate {
            None => Ok(self),
            Some(rate) => self.each(|amount| rate.own(amount)),
        }
    }

    /// From the customer's money to what the merchant and the marketplace have earned, in the order's currency.
    pub fn posting(&self, part: &MerchantOrder) -> Result<Posting, Unbalanced> {
        Posting::draft(self.gross.currency)
            .debit(Account::Unearned, self.gross)
            .debit(Account::Discounts, self.supported)
            .credit(part.settles_on(), self.net)
            .credit(Account::Commission, self.fees)
            .credit(Account::TaxPayable, self.withheld)
            .close()
    }

    /// The merchant's side of `self`, in its own currency, where that is another: across `fx` at the frozen rate. What
    /// the roundings of its parts make of it stays on `fx_rounding`.
    pub fn conversion(&self, own: &Self, part: &MerchantOrder) -> Result<Option<Posting>, Unbalanced> {
        let Some(rate) = &part.rate else { return Ok(None) };
        let across = rate.own(self.net)?;
        let posting = Posting::draft(own.net.currency)
            .debit(Account::Fx, across)
            .debit(Account::FxRounding, own.net.minus(across)?)
            .credit(Account::Payable(part.merchant.clone()), own.net)
            .close()?;
        Ok(Some(posting))
    }
}

impl MerchantOrder {
    /// What the part is worth when it is complete: totals without the units that were canceled, or paid back before.
    pub fn earned(&self) -> Result<Earned, MoneyError> {
        let gone = |line: &Line| {
            let Progress { canceled, refunded_early, delivery_refunded_early, .. } = line.progress;
            (canceled.saturating_add(refunded_early), delivery_refunded_early)
        };
        self.without(gone, self.came_to_nothing())
    }

    /// What is left of it: without what was canceled or paid back, whenever that was.
    pub fn kept(&self) -> Result<Earned, MoneyError> {
        let gone = |line: &Line| {
            let Progress { canceled, refunded, delivery_refunded, .. } = line.progress;
            (canceled.saturating_add(refunded), delivery_refunded)
        };
        self.without(gone, self.came_to_nothing() || self.delivery_refunded)
    }

    /// Whether its end leaves nothing: each line is canceled, or what came of it was paid back with its delivery before
    /// the rest was canceled. Then the part's own delivery has brought nothing either.
    fn came_to_nothing(&self) -> bool {
        self.lines.iter().all(|line| {
            let Progress { canceled, refunded_early, delivery_refunded_early, .. } = line.progress;
            let returned =
                delivery_refunded_early && canceled.saturating_add(refunded_early) == line.quantity;
            canceled == line.quantity || returned
        })
    }

    /// What the customer owes for it.
    pub fn owed(&self) -> Result<Money, MoneyError> {
        Ok(self.kept()?.gross)
    }

    /// The totals without units and deliveries of lines that are `gone`; canceled units take their delivery along.
    fn without(&self, gone: fn(&Line) -> (u32, bool), delivery_gone: bool) -> Result<Earned, MoneyError> {
        let zero = Money::zero(self.currency);
        let mut sum = Earned::zero(self.currency);
        for line in &self.lines {
            let (units, without_delivery) = gone(line);
            let kept = |total: Money, units| total.minus(total.share(units, line.quantity));
            sum.items = sum.items.plus(kept(line.items, units)?)?;
            sum.fees = sum.fees.plus(kept(line.fees, units)?)?;
            sum.withheld = sum.withheld.plus(kept(line.withheld.unwrap_or(zero), units)?)?;
            sum.supported = sum.supported.plus(kept(line.supported.unwrap_or(zero), units)?)?;
            if !without_delivery {
                sum.delivery = sum.delivery.plus(kept(line.delivery, line.progress.canceled)?)?;
            }
        }
        if !delivery_gone {
            sum.delivery = sum.delivery.plus(self.delivery)?;
            sum.withheld = sum.withheld.plus(self.delivery_withheld.unwrap_or(zero))?;
            sum.supported = sum.supported.plus(self.delivery_supported.unwrap_or(zero))?;
        }
        sum.added_up()
    }

    /// Where the marketplace's debt to the merchant stands in the order's currency: a merchant of another currency has
    /// it in that one, across `fx`.
    pub fn settles_on(&self) -> Account {
        match self.rate {
            None => Account::Payable(self.merchant.clone()),
            Some(_) => Account::Fx,
        }
    }
}
