//! Who sells. Owns the merchant's life cycle and the conditions of its payouts; not its offers, orders or money.
//!
//! `pending → open ⇄ suspended`, both `→ closing → terminated`; terminated is final. While closing no new order comes
//! in, so an hour later "no open order, no open payout, nothing owed" can be checked without a race. A closure window
//! blocks new orders and changes no status. How a merchant comes in stands in `onboarding.rs`.

mod onboarding;
#[cfg(test)]
mod tests;

pub use onboarding::{
    Acceptance, Checked, INVITATION_DAYS, Invitation, NoRequirement, Requirement, accept_invitation,
    accept_terms,
};

use crate::Decision;
use crate::commission::Rule;
use crate::currency::Currency;
use crate::id::MerchantId;
use crate::overrides::Policy;
use crate::payout::{Schedule, day};
use crate::place::Country;
use crate::text::{ExternalId, Name, Reason};
use jiff::civil::Date;
use jiff::{Timestamp, ToSpan};
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merchant {
    pub id: MerchantId,
    pub name: Name,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<ExternalId>,
    /// Where it sells from, in the eyes of the tax office; none is wherever its customer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<Country>,
    /// In which it prices, delivers and is paid, for good; none is the marketplace's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub currency: Option<Currency>,
    pub status: Status,
    /// Fee rules of this merchant, before the marketplace's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub commission: Vec<Rule>,
    pub schedule: Schedule,
    pub account: PayoutAccount,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invitation: Option<Invitation>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub accepted_terms: Vec<Acceptance>,
    /// When it takes no orders, however open it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub closures: Vec<Closure>,
    /// Since when it takes no new orders, once it is closing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closing_since: Option<Timestamp>,
}

/// So long after closing an order that was on its way in has been committed, split and listed.
pub const CLOSING_MINUTES: i64 = 60;

/// The most closure windows of one merchant.
pub const CLOSURES_MAX: usize = 50;

/// Days of UTC on which a merchant takes no orders, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Closure {
    pub from: Date,
    pub to: Date,
}

/// Why a merchant takes no orders.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoOrders {
    #[error("it is {0}")]
    Status(&'static str),
    #[error("it is suspended")]
    Suspended,
    #[error("it is closed until the end of {0}")]
    Closed(Date),
}

impl NoOrders {
    /// What a manager would set aside to let an order in nevertheless; none where nobody can.
    pub fn policy(&self) -> Option<Policy> {
        match self {
            Self::Status(_) => None,
            Self::Suspended | Self::Closed(_) => Some(Policy::MerchantNotOpen),
        }
    }
}

impl Merchant {
    /// Its currency, in a marketplace of this one.
    pub fn settles_in(&self, marketplace: Currency) -> Currency {
        self.currency.unwrap_or(marketplace)
    }

    /// Whether it takes an order that comes in at `at` (A2(3)).
    pub fn takes_orders(&self, at: Timestamp) -> Result<(), NoOrders> {
        match self.status {
            Status::Open => {}
            Status::Suspended => return Err(NoOrders::Suspended),
            Status::Pending | Status::Closing | Status::Terminated => {
                return Err(NoOrders::Status(self.status.word()));
            }
        }
        let today = day(at);
        match self.closures.iter().find(|closure| closure.from <= today && today <= closure.to) {
            Some(closure) => Err(NoOrders::Closed(closure.to)),
            None => Ok(()),
        }
    }

    /// Until when orders that were on their way in at closing may come to light, if that is not over at `now`.
    pub fn settles_at(&self, now: Timestamp) -> Option<Timestamp> {
        let until = self.closing_since?.checked_add(CLOSING_MINUTES.minutes()).unwrap_or(Timestamp::MAX);
        (now < until).then_some(until)
    }

    /// In another status, from `now` on.
    #[must_use]
    pub fn becoming(&self, status: Status, now: Timestamp) -> Self {
        let closing_since = if status == Status::Closing { Some(now) } else { self.closing_since };
        Self { status, closing_since, ..self.clone() }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Invited or applied; sells nothing yet.
    Pending,
    Open,
    /// Listed but not buyable.
    Suspended,
    /// Takes no new orders; what is open is brought to its end.
    Closing,
    /// Final.
    Terminated,
}

/// Where payouts go. Only an active account is paid (A2(5)).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub enum PayoutAccount {
    Missing,
    /// Given by the merchant, not yet verified.
    Pending {
        holder: Name,
        iban: Iban,
    },
    Active {
        holder: Name,
        iban: Iban,
    },
    Blocked {
        holder: Name,
        iban: Iban,
        reason: Reason,
    },
}

/// What is asked of a merchant's life cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    Approve {
        /// What is required and not done.
        missing: Vec<Requirement>,
        /// A manager has set the checklist aside.
        overridden: bool,
    },
    Suspend,
    Reopen,
    Close,
    /// The caller has counted while the merchant is closing.
    Terminate(Unfinished),
}

/// What is not at its end with a merchant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unfinished {
    pub orders: u32,
    pub payouts: u32,
    /// Earnings that no payout has claimed; a debt of the merchant's is none.
    pub owed: bool,
    /// Until this moment orders may still come to light; none once that is over.
    pub settles_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("a merchant that is {from} cannot become {to}")]
    Transition { from: &'static str, to: &'static str },
    #[error("{orders} orders and {payouts} payouts are open: bring them to their end first")]
    StillOpen { orders: u32, payouts: u32 },
    #[error("it is owed earnings that no payout has claimed yet: wait for its next payout")]
    StillOwed,
    #[error("orders from before it closed may still come to light: try again at {0}")]
    StillSettling(Timestamp),
    #[error("its checklist is incomplete: {}", words(.0))]
    Requirements(Vec<Requirement>),
    #[error("the marketplace offers no terms with this hash")]
    OtherTerms,
    #[error("there is no such invitation")]
    NoInvitation,
    #[error("the invitation has let somebody else in: ask for another")]
    InvitationUsed,
    #[error("the invitation has expired: ask for another")]
    InvitationExpired,
}

fn words(requirements: &[Requirement]) -> String {
    requirements.iter().map(|requirement| requirement.word()).collect::<Vec<_>>().join(", ")
}

impl Status {
    /// The stable word for API and index.
    pub fn word(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Open => "open",
            Self::Suspended => "suspended",
            Self::Closing => "closing",
            Self::Terminated => "terminated",
        }
    }
}

/// The next status. Every pair stands here; what is not named is refused.
pub fn decide(status: Status, request: &Request) -> Result<Decision<Status>, Refused> {
    use Decision::{Already, New};
    use Status::{Closing, Open, Pending, Suspended, Terminated};
    let refuse = |to: &'static str| Err(Refused::Transition { from: status.word(), to });
    match (status, request) {
        (Pending, Request::Approve { missing, overridden: false }) if !missing.is_empty() => {
            Err(Refused::Requirements(missing.clone()))
        }
        (Pending, Request::Approve { .. }) | (Suspended, Request::Reopen) => Ok(New(Open)),
        (Open, Request::Approve { .. } | Request::Reopen) => Ok(Already),
        (Suspended | Closing | Terminated, Request::Approve { .. }) => refuse("open"),
        (Pending | Closing | Terminated, Request::Reopen) => refuse("open"),

        (Open, Request::Suspend) => Ok(New(Suspended)),
        (Suspended, Request::Suspend) => Ok(Already),
        (Pending | Closing | Terminated, Request::Suspend) => refuse("suspended"),

        (Pending | Open | Suspended, Request::Close) => Ok(New(Closing)),
        (Closing, Request::Close) => Ok(Already),
        (Terminated, Request::Close) => refuse("closing"),

        (Closing, Request::Terminate(open)) => match *open {
            Unfinished { orders: 0, payouts: 0, owed: false, settles_at: None } => Ok(New(Terminated)),
            Unfinished { orders: 0, payouts: 0, settles_at: Some(at), .. } => Err(Refused::StillSettling(at)),
            Unfinished { orders: 0, payouts: 0, .. } => Err(Refused::StillOwed),
            Unfinished { orders, payouts, .. } => Err(Refused::StillOpen { orders, payouts }),
        },
        (Terminated, Request::Terminate(_)) => Ok(Already),
        (Pending | Open | Suspended, Request::Terminate(_)) => refuse("terminated"),
    }
}

/// An International Bank Account Number (ISO 13616), without blanks. Invariant: its check digits are right.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(
    feature = "schema",
    derive(schemars::JsonSchema),
    schemars(with = "String", extend("pattern" = "^[A-Z]{2}[0-9]{2}[A-Z0-9 ]*$", "format" = "iban"))
)]
pub struct Iban(String);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is not an IBAN: want a country code, two check digits that fit and 11 to 30 more characters")]
pub struct NotAnIban;

impl Iban {
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The account number of a country's bank with its check digits computed, for samples and tests.
    pub fn of(country: &str, number: &str) -> Result<Self, NotAnIban> {
        let rest = remainder(&format!("{number}{country}00"));
        Self::try_from(format!("{country}{:02}{number}", 98_u32.saturating_sub(rest)))
    }

    /// The country and the last four characters; the only form that is shown.
    pub fn masked(&self) -> String {
        let end = self.0.len().saturating_sub(4);
        format!("{}…{}", &self.0[..2], &self.0[end..])
    }
}

/// ISO 7064 mod 97-10 of digits and letters, where letters count from 10.
pub(crate) fn remainder(text: &str) -> u32 {
    text.chars().filter_map(|c| c.to_digit(36)).fold(0, |sum, digit| {
        let shift = if digit > 9 { 100 } else { 10 };
        (sum * shift + digit) % 97
    })
}

/// An account number does not belong into a log.
impl std::fmt::Debug for Iban {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.masked())
    }
}

impl TryFrom<String> for Iban {
    type Error = NotAnIban;
    fn try_from(text: String) -> Result<Self, NotAnIban> {
        let text: String = text.chars().filter(|c| *c != ' ').collect();
        let shape = (15..=34).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
            && text.bytes().take(2).all(|b| b.is_ascii_uppercase())
            && text.bytes().skip(2).take(2).all(|b| b.is_ascii_digit());
        if !shape {
            return Err(NotAnIban);
        }
        let (front, rest) = text.split_at(4);
        if remainder(&format!("{rest}{front}")) == 1 { Ok(Self(text)) } else { Err(NotAnIban) }
    }
}

impl std::str::FromStr for Iban {
    type Err = NotAnIban;
    fn from_str(text: &str) -> Result<Self, NotAnIban> {
        Self::try_from(text.to_owned())
    }
}

impl From<Iban> for String {
    fn from(iban: Iban) -> Self {
        iban.0
    }
}
