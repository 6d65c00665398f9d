//! Links in messages, which prove themselves: made for one purpose, about one thing, good until a moment.
//!
//! A token says whose marketplace and until when, and about what under a seal by a secret of that marketplace. So it
//! needs no list, nobody makes one for another purpose or thing out of it, and nobody reads out of it what it is about:
//! whoever knows a guest's cart or list has it, and its link is to give less. The same link is the same token. It may
//! be followed more than once: what must happen once is the thing's own matter. The moment is the marketplace's, for it
//! is a promise to its reader; a link in a message has no other clock.
//!
//! Where a link leads is the storefront's page: `<storefront>#/<purpose>/<token>`. Behind the `#` it stands in nobody's
//! logs, and the page asks the API with it.

use crate::problem::Problem;
use crate::sealed::{open_word, seal_word};
use crate::world::{NoSecret, World};
use domain::id::MarketplaceId;
use jiff::Timestamp;
use table::access::LinkSecret;
use table::{Fault, Key};

/// What a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Opens a cart again.
    Cart,
    /// Lets a buyer review what was delivered.
    Review,
    /// Takes back the consent to be written to.
    Unsubscribe,
    /// Shows a wish list to others.
    WishList,
}

impl Purpose {
    /// Its word in tokens and addresses.
    pub fn word(self) -> &'static str {
        match self {
            Self::Cart => "cart",
            Self::Review => "review",
            Self::Unsubscribe => "unsubscribe",
            Self::WishList => "wish-list",
        }
    }
}

/// What a token says, once it is proven.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub purpose: Purpose,
    /// An id, or what else its purpose needs; sealed in the token.
    pub about: String,
    pub until: Timestamp,
}

/// No token can be made.
#[derive(Debug, thiserror::Error)]
pub enum NotSigned {
    #[error(transparent)]
    Table(#[from] Fault),
    #[error(transparent)]
    Secret(#[from] NoSecret),
    #[error("the link cannot be sealed")]
    Seal,
}

impl From<NotSigned> for Problem {
    fn from(error: NotSigned) -> Self {
        match error {
            NotSigned::Table(fault) => fault.into(),
            NotSigned::Secret(error) => Self::fault(&error),
            NotSigned::Seal => Self::fault(&error),
        }
    }
}

impl Link {
    /// Its token. The marketplace's secret is made with its first link.
    pub async fn sign(&self, world: &World, m: &MarketplaceId) -> Result<String, NotSigned> {
        let secret = match secret(world, m).await? {
            Some(secret) => secret,
            None => {
                let fresh = LinkSecret { secret: world.secret("")? };
                match world.table.put(m, None, &fresh).await {
                    Ok(_) => fresh.secret,
                    // Somebody else was first.
                    Err(Fault::Busy) => secret(world, m).await?.ok_or(Fault::Busy)?,
                    Err(other) => return Err(other.into()),
                }
            }
        };
        self.token(m, &secret)
    }

    /// Its token, for whoever has read the marketplace's secret.
    pub fn token(&self, m: &MarketplaceId, secret: &str) -> Result<String, NotSigned> {
        let until = self.until.as_second();
        let sealed = seal_word(secret, &place(self.purpose, m, until), &self.about).ok_or(NotSigned::Seal)?;
        Ok(format!("{m}.{until}.{sealed}"))
    }

    /// What the token says. A forged one is a 404, as if there were no such thing; one whose time is over a 410.
    pub async fn open(
        world: &World,
        m: &MarketplaceId,
        purpose: Purpose,
        token: &str,
    ) -> Result<Self, Problem> {
        let none = || Problem::not_found("link");
        let mut parts = token.splitn(3, '.');
        let (Some(of), Some(until), Some(sealed)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(none());
        };
        let until = until.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        let until = until.filter(|_| of == m.as_str()).ok_or_else(none)?;
        let secret = secret(world, m).await?.ok_or_else(none)?;
        let place = place(purpose, m, until.as_second());
        let about = open_word(&secret, &place, sealed).ok_or_else(none)?;
        if until < world.now() {
            return Err(Problem::new(410, "link_expired", "The link is no longer good")
                .with(format!("it was good until {until}")));
        }
        Ok(Self { purpose, about, until })
    }
}

/// What a token is sealed to.
fn place(purpose: Purpose, m: &MarketplaceId, until: i64) -> String {
    format!("{}\n{m}.{until}", purpose.word())
}

/// The marketplace that a token says it is of: for whom nothing else says it. [`Link::open`] proves it.
pub fn marketplace_of(token: &str) -> Option<MarketplaceId> {
    token.split('.').next()?.parse().ok()
}

/// Where a token leads a person.
pub fn address(storefront: &str, purpose: Purpose, token: &str) -> String {
    format!("{}/#/{}/{token}", storefront.trim_end_matches('/'), purpose.word())
}

async fn secret(world: &World, m: &MarketplaceId) -> Result<Option<String>, Fault> {
    let held = world.table.load::<LinkSecret>(&Key::link_secret(m)).await?;
    Ok(held.map(|held| held.value.secret))
}
