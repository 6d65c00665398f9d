//! Why a message must come again.
//!
//! A message that fails is named in the answer and comes back alone; its neighbors do not. One that nobody can read
//! fails too, and reaches the dead-letter queue by count.

use crate::world::MaybeBusy;
use table::{Fault, Uncommitted};

#[derive(Debug, thiserror::Error)]
pub enum Again {
    #[error("the message is no event envelope and no key")]
    Unreadable(#[source] serde_json::Error),
    #[error("this function does not handle `{0}`")]
    Unknown(String),
    #[error("the message is about {0}, which is not there yet")]
    Early(String),
    #[error("the table is busy")]
    Busy,
    #[error("the event cannot be handled: {0}")]
    Refused(String),
    #[error("{doing} failed")]
    Call { doing: &'static str, source: Box<dyn std::error::Error + Send + Sync> },
    #[error("the table failed")]
    Fault(#[from] Fault),
}

impl Again {
    pub fn call(doing: &'static str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        Self::Call { doing, source: source.into() }
    }
}

impl MaybeBusy for Again {
    fn is_busy(&self) -> bool {
        matches!(self, Self::Busy | Self::Fault(Fault::Busy))
    }
}

impl<C: std::fmt::Debug> From<Uncommitted<C>> for Again {
    /// A refused write means that another delivery got there first: load again, decide again.
    fn from(uncommitted: Uncommitted<C>) -> Self {
        match uncommitted {
            Uncommitted::Refused(_) | Uncommitted::Busy => Self::Busy,
            Uncommitted::Fault(fault) => Self::Fault(fault),
        }
    }
}

macro_rules! refusals {
    ($($refused:ty),*) => {
        $(impl From<$refused> for Again {
            fn from(refused: $refused) -> Self {
                Self::Refused(refused.to_string())
            }
        })*
    };
}

refusals!(
    domain::MoneyError,
    domain::ledger::Unbalanced,
    domain::order::Refused,
    domain::merchant_order::Refused,
    domain::payment::Refused,
    domain::payout::Refused,
    domain::subscription::Refused,
    domain::plan::NotPriced,
    domain::period::OutOfTime,
    domain::tender::Refused
);
