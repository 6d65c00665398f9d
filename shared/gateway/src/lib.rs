//! The port to those who move customers' money: one call that always comes back with an outcome, and signed notices.
//!
//! Invariants: a call is made under its attempt's id, so that asking twice moves money once; what is no clear answer
//! (none in time, a 5xx, garbage) is [`Outcome::Unknown`], never an error; a notice counts only where its signature
//! over the raw body holds. Absent on purpose: state, decisions, retries (the schedule asks) and card data.
//!
//! `till.rs` a call from its commit to what is told · `billing.rs` money of invoices · `sandbox.rs` · `stripe.rs` the
//! adapters · `signature.rs` of notices · `secret.rs` keys from the environment or SSM

mod billing;
mod sandbox;
mod secret;
pub mod signature;
mod stripe;
mod till;

pub use billing::Collected;
pub use sandbox::Sandbox;
pub use secret::Secret;
pub use stripe::Stripe;
pub use till::{Till, capabilities};

use domain::gateway::{Capabilities, GatewayToken, Method, Outcome, Request};
use domain::id::{AttemptId, MarketplaceId};
use domain::text::Word;
use domain::{Currency, Money};
use edge::World;
use http::HeaderMap;
use jiff::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Nobody waits longer for a gateway; a function has 20 s, a request of the API 30.
pub const PATIENCE: Duration = Duration::from_secs(10);

/// What a gateway tells of an attempt by itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub marketplace: MarketplaceId,
    pub attempt: AttemptId,
    pub outcome: Outcome,
}

/// Why a notice does not count.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotANotice {
    #[error("the signature does not prove the sender: {0}")]
    Unproven(&'static str),
    #[error("the notice cannot be read")]
    Unreadable,
    #[error("the secret of the gateway's notices cannot be had at the moment")]
    NoSecret,
}

/// One gateway. An enum, because an adapter is chosen by its name and there are few.
#[derive(Debug, Clone)]
pub enum Gateway {
    Sandbox(Sandbox),
    Stripe(Stripe),
    /// Store credit is kept in our own books: nobody else is asked, and asking again changes nothing.
    OwnBooks,
}

impl Gateway {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Sandbox(sandbox) => sandbox.name(),
            Self::Stripe(_) => "stripe",
            Self::OwnBooks => "own_books",
        }
    }

    pub fn capabilities(&self) -> Capabilities {
        match self {
            Self::Sandbox(sandbox) => sandbox.capabilities(),
            Self::Stripe(_) => stripe::CAPABILITIES,
            Self::OwnBooks => Capabilities { multi_capture: true, renewal: false },
        }
    }

    pub fn takes(&self, method: Method) -> bool {
        match self {
            Self::Sandbox(_) => method != Method::StoreCredit,
            Self::Stripe(_) => stripe::takes(method),
            Self::OwnBooks => method == Method::StoreCredit,
        }
    }

    /// What is left on a voucher or credit, where the means of payment has a balance.
    pub fn balance(&self, token: &GatewayToken, currency: Currency) -> Option<Money> {
        match self {
            Self::Sandbox(_) => sandbox::balance(token, currency),
            Self::Stripe(_) | Self::OwnBooks => None,
        }
    }

    /// Makes the call, or asks what became of it. `m` and the attempt go along, and come back with notices.
    pub async fn call(&self, m: &MarketplaceId, request: &Request) -> Outcome {
        let of = if let Request::Ask { about, .. } = request { about } else { request };
        if let (Request::Credit { .. }, _) | (_, Self::OwnBooks) = (of, self) {
            return booked(of);
        }
        if let Some((call, minor)) = begun(request) {
            let (gateway, attempt) = (self.name(), request.key().as_str());
            tracing::info!(gateway, attempt, call, minor, "a gateway is called");
        }
        match self {
            Self::Sandbox(sandbox) => sandbox.call(request),
            Self::Stripe(stripe) => stripe.call(m, request).await,
            Self::OwnBooks => booked(of),
        }
    }

    /// What a request to the gateway's webhook address tells. `now` is real time: the sender knows no other.
    pub async fn read_notice(
        &self,
        headers: &HeaderMap,
        body: &[u8],
        now: Timestamp,
    ) -> Result<Vec<Notice>, NotANotice> {
        match self {
            Self::Sandbox(sandbox) => sandbox.read_notice(headers, body, now),
            Self::Stripe(stripe) => stripe.read_notice(headers, body, now).await,
            Self::OwnBooks => Err(NotANotice::Unproven("nobody tells of our own books")),
        }
    }
}

/// What a call is, and how much it is about; a question is none.
fn begun(request: &Request) -> Option<(&'static str, i64)> {
    match request {
        Request::Authorize { amount, .. } => Some(("authorize", amount.minor)),
        Request::Capture { amount, .. } => Some(("capture", amount.minor)),
        Request::Void { .. } => Some(("void", 0)),
        Request::Refund { amount, .. } => Some(("refund", amount.minor)),
        Request::Credit { .. } | Request::Ask { .. } => None,
    }
}

/// What was committed has happened.
fn booked(request: &Request) -> Outcome {
    let key = match request {
        Request::Authorize { key, .. }
        | Request::Capture { key, .. }
        | Request::Void { key, .. }
        | Request::Refund { key, .. }
        | Request::Credit { key, .. } => key,
        Request::Ask { .. } => return Outcome::Unknown,
    };
    key.as_str()
        .parse()
        .map_or(Outcome::Unknown, |reference| Outcome::Approved { reference, expires_at: None })
}

/// The gateways of this deployment; cheap to clone.
#[derive(Debug, Clone)]
pub struct Gateways {
    known: Arc<Vec<Gateway>>,
}

impl Gateways {
    /// Those that the variable `GATEWAYS` names, in its order, or the sandbox where it is not set; and our own books. A
    /// name that is none is left out and logged: money by the others goes on.
    pub fn of(world: &World) -> Self {
        let names = world.variable("GATEWAYS").unwrap_or("sandbox");
        let mut known = Vec::new();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "sandbox" => known.push(Gateway::Sandbox(Sandbox::of(world, false))),
                "sandbox-single" => known.push(Gateway::Sandbox(Sandbox::of(world, true))),
                "stripe" => known.push(Gateway::Stripe(Stripe::of(world))),
                other => tracing::error!(gateway = other, "GATEWAYS names a gateway that is none"),
            }
        }
        known.push(Gateway::OwnBooks);
        Self { known: Arc::new(known) }
    }

    pub fn find(&self, name: &str) -> Option<&Gateway> {
        self.known.iter().find(|gateway| gateway.name() == name)
    }

    /// The name of the first one: where nothing is paid with yet.
    pub fn first_name(&self) -> Option<Word> {
        self.known.first().and_then(|gateway| gateway.name().parse().ok())
    }

    /// The first that takes the method: where nobody says which.
    pub fn for_method(&self, method: Method) -> Option<&Gateway> {
        self.known.iter().find(|gateway| gateway.takes(method))
    }
}
