//! An order: what a customer bought, from many merchants, and what became of the money.
//!
//! Owns intake, payment, cancellation, refunds and the exception of an order whose payments differ from its lines.
//! What a merchant does with its part is [`crate::merchant_order`]; the parts are made by [`split`] and never rewrite
//! the order.
//!
//! Invariants: lines, prices and fees never change after placement (A5(5), A12(2)); Σ refunded ≤ Σ paid (A9(3));
//! `difference` is what this order has left on the `exceptions` account.

mod bought;
mod split;
pub use bought::{Bought, Delivery, LinePrice};
pub use split::split;
pub(crate) use split::supported;

use crate::Decision;
use crate::commission::Fee;
use crate::currency::Currency;
use crate::discount::Redemption;
use crate::fx::FxRate;
use crate::id::{CustomerId, MerchantId, OfferId, OrderId};
use crate::ledger::{Account, Posting, Unbalanced};
use crate::merchant_order::{self, MerchantOrder};
use crate::money::{Money, MoneyError};
use crate::payment::To;
use crate::stock::{Allocation, Change, Movement, Shelves, allocated};
use crate::text::{Category, Channel, ExternalId, Name, Reason, Sku, Word};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// One transaction must be able to allocate stock for every line.
pub const LINES_MAX: usize = 80;
/// One transaction must be able to cancel every part, three items each: the part, its story, its earning.
pub const MERCHANTS_MAX: usize = 32;
pub const PAYMENTS_MAX: usize = 40;
/// Units of one line.
pub const QUANTITY_MAX: u32 = 1_000_000;

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    pub id: OrderId,
    pub channel: Channel,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<CustomerId>,
    pub currency: Currency,
    pub placed_at: Timestamp,
    pub lines: Vec<Line>,
    /// Delivery cost of the order as a whole, beside that of its lines; split over the merchants by item value.
    pub delivery: Money,
    pub payments: Vec<Payment>,
    pub stage: Stage,
    pub refunded: Money,
    /// Value of what was canceled, as far as it is settled with the customer; none, if nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub canceled: Option<Money>,
    /// What stands on the `exceptions` account: positive when more was paid than bought.
    pub difference: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception: Option<Exception>,
    /// Digest of what was asked at intake: the same name with another content is refused.
    pub fingerprint: String,
    /// None of an order that a channel has sold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bought: Option<Bought>,
    /// Of merchants who settle in another currency: from their own to the order's, frozen at placement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rates: Vec<(MerchantId, FxRate)>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Counted from 1 in the order.
    pub number: u16,
    pub merchant: MerchantId,
    pub sku: Sku,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub offer: Option<OfferId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<Name>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub category: Option<Category>,
    pub quantity: u32,
    /// The stock that was promised at placement; none where no stock is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allocations: Option<Vec<Allocation>>,
    pub unit_price: Money,
    /// Delivery cost of this line, for the merchant in full.
    pub delivery: Money,
    /// What the marketplace keeps, frozen at placement.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fees: Vec<Fee>,
    /// What a checkout has made of quantity and unit price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priced: Option<LinePrice>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payment {
    pub method: Word,
    pub amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<Word>,
}

/// Where the order stands. Shipping and delivery are told by its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    /// Paid by promise: a transfer, an invoice, a channel that has not confirmed.
    AwaitingPayment,
    Paid {
        since: Timestamp,
    },
    Canceled {
        since: Timestamp,
        reason: Reason,
    },
}

/// Payments and lines differ, or there are no lines. Merchants earn all the same; a person resolves it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum Exception {
    Open { kind: ExceptionKind },
    Resolved { kind: ExceptionKind, reason: Reason, by: String, at: Timestamp },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum ExceptionKind {
    NoLines,
    PaymentDiffers,
}

/// What happened to an order. Carries all it takes to be applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "fact", rename_all = "snake_case")]
pub enum Fact {
    /// Payments given here replace the promise.
    Paid {
        at: Timestamp,
        payments: Vec<Payment>,
    },
    /// `value` is what the canceled quantities cost, `refund` what the customer gets back, `released` what was
    /// promised and is no longer expected.
    Canceled {
        at: Timestamp,
        reason: Reason,
        whole: bool,
        value: Money,
        refund: Money,
        released: Money,
    },
    /// Money back for delivered goods.
    Refunded {
        at: Timestamp,
        reason: Reason,
        merchant: MerchantId,
        amount: Money,
        fees: Money,
    },
    ExceptionResolved {
        at: Timestamp,
        reason: Reason,
        by: String,
    },
    /// A guest's order goes to the account that the guest has now.
    Claimed {
        customer: CustomerId,
    },
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("an order has at most {LINES_MAX} lines, not {0}")]
    LineCount(usize),
    #[error("an order has at most {MERCHANTS_MAX} merchants, not {0}")]
    MerchantCount(usize),
    #[error("an order has at most {PAYMENTS_MAX} payments, not {0}")]
    PaymentCount(usize),
    #[error("line {line} has quantity {quantity}: want 1 to {QUANTITY_MAX}")]
    Quantity { line: u16, quantity: u32 },
    #[error("an order has a line or a payment, this one has neither")]
    Empty,
    #[error(transparent)]
    Money(#[from] MoneyError),
    #[error("the order is canceled")]
    Canceled,
    #[error("nothing is left to cancel: what was not shipped is canceled already")]
    NothingToCancel,
    #[error("{asked} is more than the {left} that can be refunded")]
    RefundExceedsPaid { asked: Money, left: Money },
    #[error("the order is paid through gateways, and they tell when")]
    PaidByGateway,
    #[error("the order's channel has taken the money, and gives it back: no store credit comes of it")]
    NotOurMoney,
    #[error("more of it is to come, and less will be taken for it: there is no money yet to make credit of")]
    NotTaken,
    #[error("store credit needs an account: a guest's order is claimed first")]
    NoAccount,
    #[error("the order has no open exception")]
    NoException,
    #[error("there is no such order")]
    NoGuests,
    #[error("the postings do not balance")]
    Unbalanced(#[from] Unbalanced),
    #[error(transparent)]
    Part(#[from] merchant_order::Refused),
}

/// What is asked at intake, already checked word by word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Intake {
    pub id: OrderId,
    pub channel: Channel,
    pub external_id: Option<ExternalId>,
    pub customer: Option<CustomerId>,
    pub currency: Currency,
    pub placed_at: Timestamp,
    pub lines: Vec<Line>,
    pub delivery: Money,
    pub payments: Vec<Payment>,
    pub fingerprint: String,
    pub bought: Option<Bought>,
    pub rates: Vec<(MerchantId, FxRate)>,
}

impl Order {
    /// Uses of limited codes that it has: none of one that is canceled as a whole.
    pub fn redemptions(&self) -> &[Redemption] {
        match (&self.stage, &self.bought) {
            (Stage::AwaitingPayment | Stage::Paid { .. }, Some(bought)) => &bought.redemptions,
            (Stage::Canceled { .. }, _) | (_, None) => &[],
        }
    }

    /// Intake. Prices and payments are taken as they are; a difference makes an exception, never a refusal. No payment
    /// at all is a promise of the total, not a difference.
    pub fn place(intake: Intake) -> Result<Self, Refused> {
        let Intake { id, channel, external_id, customer, currency, placed_at, .. } = intake;
        let Intake { lines, delivery, payments, fingerprint, bought, rates, .. } = intake;
        if lines.len() > LINES_MAX {
            return Err(Refused::LineCount(lines.len()));
        }
        if payments.len() > PAYMENTS_MAX {
            return Err(Refused::PaymentCount(payments.len()));
        }
        if lines.is_empty() && payments.is_empty() {
            return Err(Refused::Empty);
        }
        if let Some(line) = lines.iter().find(|line| !(1..=QUANTITY_MAX).contains(&line.quantity)) {
            return Err(Refused::Quantity { line: line.number, quantity: line.quantity });
        }
        for line in &lines {
            line.unit_price.not_negative()?;
            line.delivery.not_negative()?;
        }
        delivery.not_negative()?;
        for payment in &payments {
            payment.amount.not_negative()?;
        }
        let mut order = Self {
            id,
            channel,
            external_id,
            customer,
            currency,
            placed_at,
            lines,
            delivery,
            payments,
            stage: Stage::AwaitingPayment,
            refunded: Money::zero(currency),
            canceled: None,
            difference: Money::zero(currency),
            exception: None,
            fingerprint,
            bought,
            rates,
        };
        let merchants = order.merchants().len();
        if merchants > MERCHANTS_MAX {
            return Err(Refused::MerchantCount(merchants));
        }
        if order.lines.is_empty() {
            order.exception = Some(Exception::Open { kind: ExceptionKind::NoLines });
        }
        order.differ(order.paid()?.minus(order.total()?)?);
        Ok(order)
    }

    /// The money of a checkout is authorized: the parts may ship.
    #[must_use]
    pub fn secured(self) -> Self {
        let since = self.placed_at;
        Self { stage: Stage::Paid { since }, ..self }
    }

    /// Promises what is on the shelves to lines whose stock is kept, in their order; what is missing is a shortage and
    /// no refusal: a channel has sold it already.
    #[must_use]
    pub fn allocate(mut self, mut shelves: Shelves) -> Self {
        for line in &mut self.lines {
            if let (Some(offer), Some(held)) = (&line.offer, &mut line.allocations) {
                *held = shelves.allocate(offer, line.quantity);
            }
        }
        self
    }

    /// The stock that the order takes at placement.
    pub fn movements(&self) -> Vec<Movement> {
        let promised = self.lines.iter().filter_map(|line| Some((line.offer.as_ref()?, &line.allocations)));
        let allocated = |quantity| Change::Allocated { quantity };
        promised
            .flat_map(|(offer, held)| {
                held.iter().flatten().map(move |one| Movement::of(offer, one.clone(), allocated))
            })
            .collect()
    }

    /// Moves the difference; one that is left needs an open exception, also after a resolved one.
    fn differ(&mut self, by: Money) {
        self.difference.minor = self.difference.minor.saturating_add(by.minor);
        if self.difference.minor != 0 && !matches!(self.exception, Some(Exception::Open { .. })) {
            self.exception = Some(Exception::Open { kind: ExceptionKind::PaymentDiffers });
        }
    }

    /// An exception without a difference has explained itself.
    fn close_exception(&mut self, reason: &Reason, by: &str, at: Timestamp) {
        if let (Some(Exception::Open { kind }), 0) = (&self.exception, self.difference.minor) {
            let (kind, reason, by) = (*kind, reason.clone(), by.to_owned());
            self.exception = Some(Exception::Resolved { kind, reason, by, at });
        }
    }

    /// At which a merchant settles, if its currency is another.
    pub fn rate_of(&self, merchant: &MerchantId) -> Option<&FxRate> {
        self.rates.iter().find(|(of, _)| of == merchant).map(|(_, rate)| rate)
    }

    /// The merchants in the order of their first line; the position counted from 1 names the part.
    pub fn merchants(&self) -> Vec<&MerchantId> {
        let mut merchants: Vec<&MerchantId> = Vec::new();
        for line in &self.lines {
            if !merchants.contains(&&line.merchant) {
                merchants.push(&line.merchant);
            }
        }
        merchants
    }

    /// Σ of the lines.
    pub fn items(&self) -> Result<Money, MoneyError> {
        let totals: Result<Vec<_>, _> = self.lines.iter().map(Line::items).collect();
        Money::sum(self.currency, totals?)
    }

    /// Delivery cost of the lines, of the merchants' parts and of the order as a whole; without a line there is no one
    /// to earn it.
    pub fn delivery_total(&self) -> Result<Money, MoneyError> {
        if self.lines.is_empty() {
            return Ok(Money::zero(self.currency));
        }
        let whole =
            Money::sum(self.currency, self.lines.iter().map(|line| line.delivery))?.plus(self.delivery)?;
        match self.bought.as_ref().map(Bought::delivery_total).transpose()?.flatten() {
            Some(bought) => whole.plus(bought),
            None => Ok(whole),
        }
    }

    /// What was bought: items and delivery.
    pub fn total(&self) -> Result<Money, MoneyError> {
        self.items()?.plus(self.delivery_total()?)
    }

    /// What was paid or promised: the payments, or the total where none was named.
    pub fn paid(&self) -> Result<Money, MoneyError> {
        if self.payments.is_empty() {
            return self.total();
        }
        Money::sum(self.currency, self.payments.iter().map(|payment| payment.amount))
    }

    /// The account that the customer's money stands on.
    fn money_account(&self) -> Account {
        if self.bought.is_some() {
            return Account::Receivable;
        }
        match self.stage {
            Stage::AwaitingPayment => Account::Receivable,
            Stage::Paid { .. } | Stage::Canceled { .. } => Account::Cash,
        }
    }

    /// The sale: what is promised against what is owed to customer and merchants.
    pub fn sale(&self) -> Result<Posting, Refused> {
        Ok(Posting::draft(self.currency)
            .debit(Account::Receivable, self.paid()?)
            .credit(Account::Unearned, self.total()?)
            .credit(Account::Exceptions, self.difference)
            .close()?)
    }

    /// Whose account it is on: none of a guest's, nor of what a channel has sold.
    pub fn account(&self) -> Option<&CustomerId> {
        let guest = CustomerId::of_guest(&self.bought.as_ref()?.cart);
        self.customer.as_ref().filter(|customer| **customer != guest)
    }

    /// The only place that changes an order after placement. It cannot fail: the deciding is over.
    #[must_use]
    pub fn apply(mut self, fact: &Fact) -> Self {
        match fact {
            Fact::Paid { at, payments } => {
                self.stage = Stage::Paid { since: *at };
                if !payments.is_empty() {
                    let promised = self.paid();
                    self.payments.clone_from(payments);
                    // The sums are checked by `pay`; an amount that cannot be summed never becomes a fact.
                    if let (Ok(paid), Ok(promised)) = (self.paid(), promised) {
                        self.differ(Money { minor: paid.minor.saturating_sub(promised.minor), ..paid });
                    }
                    if let (false, Ok(reason)) = (self.lines.is_empty(), "paid as due".parse()) {
                        self.close_exception(&reason, "payment", *at);
                    }
                }
            }
            Fact::Canceled { at, reason, whole, value, refund, released } => {
                self.refunded.minor = self.refunded.minor.saturating_add(refund.minor);
                let before = self.canceled.map_or(0, |canceled| canceled.minor);
                self.canceled = Some(Money { minor: before.saturating_add(value.minor), ..*value });
                let given_up = refund.minor.saturating_add(released.minor);
                self.differ(Money { minor: value.minor.saturating_sub(given_up), ..*value });
                let (since, reason) = (*at, reason.clone());
                self.close_exception(&reason, "cancellation", since);
                if *whole {
                    self.stage = Stage::Canceled { since, reason };
                }
            }
            Fact::Refunded { amount, .. } => {
                self.refunded.minor = self.refunded.minor.saturating_add(amount.minor);
            }
            Fact::ExceptionResolved { at, reason, by } => {
                self.difference = Money::zero(self.currency);
                let kind = match &self.exception {
                    Some(Exception::Open { kind } | Exception::Resolved { kind, .. }) => *kind,
                    None => ExceptionKind::PaymentDiffers,
                };
                let (reason, by, at) = (reason.clone(), by.clone(), *at);
                self.exception = Some(Exception::Resolved { kind, reason, by, at });
            }
            Fact::Claimed { customer } => self.customer = Some(customer.clone()),
        }
        self
    }
}

impl Line {
    /// Units that no stock was there for at placement.
    pub fn short(&self) -> u32 {
        let held = self.allocations.as_ref();
        held.map_or(0, |held| self.quantity.saturating_sub(allocated(held)))
    }

    /// What the customer pays for it: as a checkout has priced it, else quantity × unit price. The line total is the
    /// truth (A8(5)).
    pub fn items(&self) -> Result<Money, MoneyError> {
        self.priced.as_ref().map_or_else(|| self.unit_price.times(self.quantity), |priced| Ok(priced.total))
    }

    /// Σ of the frozen fees.
    pub fn fee_total(&self) -> Result<Money, MoneyError> {
        Money::sum(self.unit_price.currency, self.fees.iter().map(|fee| fee.amount))
    }
}

/// A fact and the movement of money that it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decided {
    pub fact: Fact,
    pub posting: Posting,
}

/// The payment is captured, or the channel has approved: the promise becomes cash. `payments` may name what really
/// came in, where the promise named nothing.
pub fn pay(order: &Order, payments: Vec<Payment>, at: Timestamp) -> Result<Decision<Decided>, Refused> {
    match order.stage {
        Stage::AwaitingPayment => {}
        Stage::Paid { .. } => return Ok(Decision::Already),
        Stage::Canceled { .. } => return Err(Refused::Canceled),
    }
    if payments.len() > PAYMENTS_MAX {
        return Err(Refused::PaymentCount(payments.len()));
    }
    for payment in &payments {
        payment.amount.not_negative()?;
    }
    let at = at.max(order.placed_at);
    let fact = Fact::Paid { at, payments };
    let after = order.clone().apply(&fact);
    let mut draft = Posting::draft(order.currency);
    // What comes through gateways is posted by the payments.
    if order.bought.is_none() {
        draft = draft
            .debit(Account::Cash, after.paid()?)
            .credit(Account::Receivable, order.paid()?)
            .credit(Account::Exceptions, after.difference.minus(order.difference)?);
    }
    let posting = draft.close()?;
    Ok(Decision::New(Decided { fact, posting }))
}

/// A cancellation: the order's own fact and what it means for each part, by position in `parts`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cancellation {
    pub order: Decided,
    pub parts: Vec<(usize, merchant_order::Fact)>,
}

/// Cancels what is not shipped, in all parts. `parts` are all merchant orders of the order, as they are or as
/// [`split`] would make them. Where everything is canceled, everything that was paid goes back.
pub fn cancel(
    order: &Order,
    parts: &[MerchantOrder],
    reason: Reason,
    at: Timestamp,
) -> Result<Decision<Cancellation>, Refused> {
    if let Stage::Canceled { .. } = order.stage {
        return Ok(Decision::Already);
    }
    let predecessor = if let Stage::Paid { since } = order.stage { since } else { order.placed_at };
    let at = at.max(predecessor);
    let mut value = Money::zero(order.currency);
    let mut facts = Vec::new();
    let mut whole = true;
    for (position, part) in parts.iter().enumerate() {
        if let Some(fact) = merchant_order::cancel_rest(part, &reason, at)? {
            let after = part.clone().apply(&fact);
            value = value.plus(part.worth()?.minus(after.worth()?)?)?;
            whole &= after.is_canceled();
            facts.push((position, fact));
        } else {
            whole &= part.is_canceled();
        }
    }
    if facts.is_empty() && !order.lines.is_empty() {
        return Err(Refused::NothingToCancel);
    }
    let order = give_back(order, value, whole, reason, at)?;
    Ok(Decision::New(Cancellation { order, parts: facts }))
}

/// The order has waited for its payment long enough: it is canceled if nothing of it was paid. A payment that was named
/// but not confirmed is an attempt, and keeps it (A10(5)); so does money that was `taken` for it. The promise of a
/// transfer does not, nor what is only reserved beside it.
pub fn expire(
    order: &Order,
    parts: &[MerchantOrder],
    taken: Money,
    reason: Reason,
    at: Timestamp,
) -> Result<Decision<Cancellation>, Refused> {
    match order.stage {
        Stage::AwaitingPayment if order.payments.is_empty() && taken.minor <= 0 => {
            cancel(order, parts, reason, at)
        }
        Stage::AwaitingPayment | Stage::Paid { .. } | Stage::Canceled { .. } => Ok(Decision::Already),
    }
}

/// The order's side of units that a merchant has rejected, or that were lost on their way: canceled value leaves
/// `unearned`, to the customer where it was paid, off the books where it was only promised. `nothing_left`: all parts
/// are canceled. The last of several cancellations to come here takes everything that is left: which it is, their
/// values tell, in whatever order they come.
pub fn give_back(
    order: &Order,
    value: Money,
    nothing_left: bool,
    reason: Reason,
    at: Timestamp,
) -> Result<Decided, Refused> {
    let zero = Money::zero(order.currency);
    let whole = nothing_left && order.canceled.unwrap_or(zero).plus(value)? == order.total()?;
    let left = match order.stage {
        Stage::AwaitingPayment | Stage::Paid { .. } => order.paid()?.minus(order.refunded)?,
        Stage::Canceled { .. } => zero,
    };
    let back = if whole || value.minor > left.minor { left } else { value };
    let posting = Posting::draft(order.currency)
        .debit(Account::Unearned, value)
        .credit(order.money_account(), back)
        .credit(Account::Exceptions, value.minus(back)?)
        .close()?;
    let (refund, released) = match order.stage {
        Stage::AwaitingPayment => (zero, back),
        Stage::Paid { .. } | Stage::Canceled { .. } => (back, zero),
    };
    Ok(Decided { fact: Fact::Canceled { at, reason, whole, value, refund, released }, posting })
}

/// Money back for delivered quantities of one part (A10(2): the share really paid). The merchant's share comes from its
/// payable, or from `fx` where that is of another currency; the marketplace's from its commission and from the tax that
/// it owes, less what it had added to a discount; all of it from `unearned` where nothing is earned yet. Store credit
/// takes an account, and money that was taken: only of a part that is complete.
pub fn refund(
    order: &Order,
    part: &MerchantOrder,
    request: merchant_order::RefundLines,
    at: Timestamp,
) -> Result<(Decided, merchant_order::Fact), Refused> {
    let reason = request.reason.clone();
    match (request.to, order.account(), &part.stage) {
        (To::Original, _, _) | (To::StoreCredit, Some(_), merchant_order::Stage::Delivered { .. }) => {}
        (To::StoreCredit, None, _) if order.bought.is_none() => return Err(Refused::NotOurMoney),
        (To::StoreCredit, None, _) => return Err(Refused::NoAccount),
        (To::StoreCredit, Some(_), _) => return Err(Refused::NotTaken),
    }
    let fact = merchant_order::refund(part, request)?;
    let merchant_order::Fact::Refunded { items, delivery, fees, withheld, supported, .. } = &fact else {
        return Err(Refused::NothingToCancel);
    };
    let amount = items.plus(*delivery)?;
    let left = order.paid()?.minus(order.refunded)?;
    if amount.minor > left.minor {
        return Err(Refused::RefundExceedsPaid { asked: amount, left });
    }
    let merchant = part.merchant.clone();
    let draft = Posting::draft(order.currency);
    let draft = match part.stage {
        merchant_order::Stage::Open { .. } => draft.debit(Account::Unearned, amount),
        merchant_order::Stage::AwaitingPayment
        | merchant_order::Stage::Delivered { .. }
        | merchant_order::Stage::Canceled { .. } => draft
            .debit(part.settles_on(), amount.plus(*supported)?.minus(*fees)?.minus(*withheld)?)
            .debit(Account::Commission, *fees)
            .debit(Account::TaxPayable, *withheld)
            .credit(Account::Discounts, *supported),
    };
    let posting = draft.credit(order.money_account(), amount).close()?;
    let refunded = Fact::Refunded { at, reason, merchant, amount, fees: *fees };
    Ok((Decided { fact: refunded, posting }, fact))
}

/// An operator has found out why payments and lines differ; the difference leaves the suspense account.
pub fn resolve_exception(
    order: &Order,
    reason: Reason,
    by: String,
    at: Timestamp,
) -> Result<Decision<Decided>, Refused> {
    match &order.exception {
        Some(Exception::Open { .. }) => {}
        Some(Exception::Resolved { .. }) => return Ok(Decision::Already),
        None => return Err(Refused::NoException),
    }
    let posting = Posting::draft(order.currency)
        .debit(Account::Exceptions, order.difference)
        .credit(Account::Adjustments, order.difference)
        .close()?;
    Ok(Decision::New(Decided { fact: Fact::ExceptionResolved { at, reason, by }, posting }))
}

/// Who has bought as a guest has an account now and takes the order along. Another account's is not there.
pub fn claim(order: &Order, customer: &CustomerId) -> Result<Decision<Decided>, Refused> {
    if order.customer.as_ref() == Some(customer) {
        return Ok(Decision::Already);
    }
    let guest = order.bought.as_ref().map(|bought| CustomerId::of_guest(&bought.cart));
    if guest.is_none() || order.customer != guest {
        return Err(Refused::NoGuests);
    }
    let posting = Posting::draft(order.currency).close()?;
    Ok(Decision::New(Decided { fact: Fact::Claimed { customer: customer.clone() }, posting }))
}

#[cfg(test)]
pub(crate) mod tests;
