//! Double entry: every movement of money as a balanced set of entries.
//!
//! Invariant: a [`Posting`] has one currency and its debits equal its credits, by construction (A12(6)). What moves
//! money in two currencies is two postings. A posting is written in the transaction that causes it and never changed.
//!
//! | account | kind | a credit means |
//! |---|---|---|
//! | `receivable` | asset | a promised payment has come in, or will not |
//! | `cash` | asset | money has left the marketplace |
//! | `unearned` | liability | customers have paid for goods that are not delivered |
//! | `exceptions` | suspense | payments exceed lines; a debit: they fall short |
//! | `payable:<merchant>` | liability | the merchant has earned |
//! | `commission` | revenue | the marketplace has earned |
//! | `payouts_in_transit` | liability | a payout is on its way to the bank |
//! | `adjustments` | revenue or cost | an operator has resolved a difference |
//! | `gateway_clearing` | asset | a gateway has paid out, or sent money back to a customer |
//! | `store_credit` | liability | a customer has got credit to spend here |
//! | `vouchers` | liability | a voucher was sold; a debit: it has paid for something here |
//! | `refunds_payable` | liability | a refund is granted and not executed yet |
//! | `tax_payable` | liability | the marketplace owes the tax of a sale in the merchant's place |
//! | `subscriptions` | revenue | the marketplace has invoiced its own service |
//! | `subscription_credit` | liability | a credit note was given; a debit: it has paid for an invoice |
//! | `bad_debts` | cost | a debit: an invoice was written off |
//! | `discounts` | cost | a discount that the marketplace bears was taken back with its sale |
//! | `fx` | position | an amount has become one of another currency; a debit: it came of one |
//! | `fx_rounding` | revenue or cost | converted amounts come to less than their conversion |

use crate::currency::Currency;
use crate::id::MerchantId;
use crate::money::{Money, MoneyError};
use serde::{Deserialize, Serialize};

/// Where money stands. At rest and outside it is the text of the table above.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Account {
    Receivable,
    Cash,
    Unearned,
    Exceptions,
    Payable(MerchantId),
    Commission,
    PayoutsInTransit,
    Adjustments,
    GatewayClearing,
    StoreCredit,
    Vouchers,
    RefundsPayable,
    TaxPayable,
    Subscriptions,
    SubscriptionCredit,
    BadDebts,
    Discounts,
    Fx,
    FxRounding,
}

impl Account {
    /// Those of the marketplace itself; what is payable has an account for each merchant.
    pub const OWN: [Self; 18] = [
        Self::Receivable,
        Self::Cash,
        Self::Unearned,
        Self::Exceptions,
        Self::Commission,
        Self::PayoutsInTransit,
        Self::Adjustments,
        Self::GatewayClearing,
        Self::StoreCredit,
        Self::Vouchers,
        Self::RefundsPayable,
        Self::TaxPayable,
        Self::Subscriptions,
        Self::SubscriptionCredit,
        Self::BadDebts,
        Self::Discounts,
        Self::Fx,
        Self::FxRounding,
    ];

    /// The stable word; of a merchant's payable the first part of it.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Receivable => "receivable",
            Self::Cash => "cash",
            Self::Unearned => "unearned",
            Self::Exceptions => "exceptions",
            Self::Payable(_) => "payable",
            Self::Commission => "commission",
            Self::PayoutsInTransit => "payouts_in_transit",
            Self::Adjustments => "adjustments",
            Self::GatewayClearing => "gateway_clearing",
            Self::StoreCredit => "store_credit",
            Self::Vouchers => "vouchers",
            Self::RefundsPayable => "refunds_payable",
            Self::TaxPayable => "tax_payable",
            Self::Subscriptions => "subscriptions",
            Self::SubscriptionCredit => "subscription_credit",
            Self::BadDebts => "bad_debts",
            Self::Discounts => "discounts",
            Self::Fx => "fx",
            Self::FxRounding => "fx_rounding",
        }
    }
}

/// Why a text is no account.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a ledger account")]
pub struct NotAnAccount(String);

impl TryFrom<String> for Account {
    type Error = NotAnAccount;
    fn try_from(text: String) -> Result<Self, NotAnAccount> {
        if let Some(own) = Self::OWN.into_iter().find(|own| own.word() == text) {
            return Ok(own);
        }
        match text.strip_prefix("payable:").map(str::parse) {
            Some(Ok(merchant)) => Ok(Self::Payable(merchant)),
            Some(Err(_)) | None => Err(NotAnAccount(text)),
        }
    }
}

impl std::fmt::Display for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.word())?;
        if let Self::Payable(merchant) = self { write!(f, ":{merchant}") } else { Ok(()) }
    }
}

impl From<Account> for String {
    fn from(account: Account) -> Self {
        account.to_string()
    }
}

/// One balanced movement in one currency. Debits are positive, credits negative, zero entries absent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Stored", into = "Stored")]
pub struct Posting {
    currency: Currency,
    entries: Vec<(Account, i64)>,
}

#[derive(Serialize, Deserialize)]
struct Stored(Currency, Vec<(Account, i64)>);

/// Why a set of entries is no posting.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unbalanced {
    #[error("debits and credits differ by {0} minor units")]
    By(i128),
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl Posting {
    /// A posting under construction; [`close`](Draft::close) it.
    pub fn draft(currency: Currency) -> Draft {
        Draft { currency, entries: Ok(Vec::new()) }
    }

    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Account and signed amount: debit positive, credit negative.
    pub fn entries(&self) -> impl Iterator<Item = (&Account, Money)> {
        self.entries.iter().map(|(account, minor)| (account, Money::new(*minor, self.currency)))
    }

    /// A posting that moves nothing need not be written.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Entries on their way to a [`Posting`]; remembers the first error.
#[derive(Debug)]
#[must_use = "a draft is nothing until it is closed"]
pub struct Draft {
    currency: Currency,
    entries: Result<Vec<(Account, i64)>, MoneyError>,
}

impl Draft {
    pub fn debit(self, account: Account, amount: Money) -> Self {
        self.enter(account, amount)
    }

    pub fn credit(self, account: Account, amount: Money) -> Self {
        self.enter(account, amount.negated())
    }

    fn enter(mut self, account: Account, amount: Money) -> Self {
        let currency = self.currency;
        if let Ok(entries) = &mut self.entries {
            if amount.currency != currency {
                self.entries = Err(MoneyError::Mixed { left: currency, right: amount.currency });
            } else if amount.minor != 0 {
                entries.push((account, amount.minor));
            }
        }
        self
    }

    pub fn close(self) -> Result<Posting, Unbalanced> {
        let posting = Posting { currency: self.currency, entries: self.entries? };
        match posting.entries.iter().map(|(_, minor)| i128::from(*minor)).sum::<i128>() {
            0 => Ok(posting),
            off => Err(Unbalanced::By(off)),
        }
    }
}

impl TryFrom<Stored> for Posting {
    type Error = Unbalanced;
    fn try_from(Stored(currency, entries): Stored) -> Result<Self, Unbalanced> {
        Draft { currency, entries: Ok(entries) }.close()
    }
}

impl From<Posting> for Stored {
    fn from(posting: Posting) -> Self {
        Self(posting.currency, posting.entries)
    }
}

/// One line of a merchant's own account. Append-only: a correction is another entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MerchantEntry {
    pub merchant: MerchantId,
    /// From this day on it may be paid out; fixed at its commit.
    pub payable_day: jiff::civil::Date,
    /// What caused it: the merchant order, refund or payout. With `kind` unique within the merchant.
    pub cause: String,
    pub kind: EntryKind,
    /// What the entry adds to the balance: items + delivery + supported − fees − withheld, negative for a claw-back.
    pub amount: Money,
    pub items: Money,
    pub delivery: Money,
    pub fees: Money,
    /// Tax that the marketplace owes in the merchant's place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withheld: Option<Money>,
    /// What the marketplace bears of the customer's discounts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub supported: Option<Money>,
    /// When the marketplace committed it.
    pub at: jiff::Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntryKind {
    /// A merchant order is delivered.
    Earning,
    /// A delivered line is refunded: the merchant gives back.
    Refund,
    /// A payout came back from the bank: the debt is open again.
    PayoutReturned,
}

impl EntryKind {
    /// The stable word for keys and answers.
    pub fn word(self) -> &'static str {
        match self {
            Self::Earning => "earning",
            Self::Refund => "refund",
            Self::PayoutReturned => "payout_returned",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn eur(minor: i64) -> Money {
        Money::new(minor, "EUR".parse().unwrap())
    }

    #[test]
    fn a12_6_debits_equal_credits_or_there_is_no_posting() {
        let draft = || Posting::draft("EUR".parse().unwrap()).debit(Account::Cash, eur(100));
        assert!(draft().credit(Account::Receivable, eur(100)).close().is_ok());
        assert_eq!(draft().credit(Account::Receivable, eur(99)).close(), Err(Unbalanced::By(1)));
        let dollars = Money::new(100, "USD".parse().unwrap());
        assert!(matches!(draft().credit(Account::Receivable, dollars).close(), Err(Unbalanced::Money(_))));
    }

    #[test]
    fn a_posting_at_rest_is_checked_again_when_read() {
        let posting = Posting::draft("EUR".parse().unwrap())
            .debit(Account::Unearned, eur(5))
            .credit(Account::Payable(MerchantId::from_bits(1)), eur(4))
            .credit(Account::Commission, eur(1))
            .close()
            .unwrap();
        let text = serde_json::to_string(&posting).unwrap();
        assert_eq!(
            text,
            r#"["EUR",[["unearned",5],["payable:mer_00000000000000000000000001",-4],["commission",-1]]]"#
        );
        assert_eq!(serde_json::from_str::<Posting>(&text).unwrap(), posting);
        assert!(serde_json::from_str::<Posting>(&text.replace("-1", "-2")).is_err());
    }

    proptest! {
        #[test]
        fn amounts_at_the_rim_of_i64_are_summed_without_wrapping(a in any::<i64>(), b in any::<i64>()) {
            let draft = Posting::draft("EUR".parse().unwrap()).debit(Account::Cash, eur(a));
            let closed = draft.debit(Account::Unearned, eur(b)).close();
            prop_assert_eq!(closed.is_ok(), i128::from(a) + i128::from(b) == 0);
        }
    }
}
