//! Links in messages, which prove themselves: made for one purpose, about one thing, good until a moment.
//!
//! A token says whose marketplace, until when and about what, under a signature by a secret of that marketplace. So it
//! needs no list, and nobody makes one for another purpose or thing out of it. It may be followed more than once: what
//! must happen once is the thing's own matter. The moment is the marketplace's, for it is a promise to its reader; a
//! link in a message has no other clock.
//!
//! Where a link leads is the storefront's page: `<storefront>#/<purpose>/<token>`. Behind the `#` it stands in nobody's
//! logs, and the page asks the API with it.

use crate::problem::Problem;
use crate::sealed::{is_signed, signature};
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
    /// An id, or what else its purpose needs; plain in the token.
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
}

impl From<NotSigned> for Problem {
    fn from(error: NotSigned) -> Self {
        match error {
            NotSigned::Table(fault) => fault.into(),
            NotSigned::Secret(error) => Self::fault(&error),
        }
    }
}

impl Link {
    fn words(&self, m: &MarketplaceId) -> String {
        format!("{m}.{}.{}", self.until.as_second(), self.about)
    }

    fn signed(&self, m: &MarketplaceId) -> String {
        format!("{}\n{}", self.purpose.word(), self.words(m))
    }

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
        Ok(self.token(m, &secret))
    }

    /// Its token, for whoever has read the marketplace's secret.
    pub fn token(&self, m: &MarketplaceId, secret: &str) -> String {
        format!("{}.{}", self.words(m), signature(secret, &self.signed(m)))
    }

    /// What the token says. A forged one is a 404, as if there were no such thing; one whose time is over a 410.
    pub async fn open(
        world: &World,
        m: &MarketplaceId,
        purpose: Purpose,
        token: &str,
    ) -> Result<Self, Problem> {
        let none = || Problem::not_found("link");
        let (words, given) = token.rsplit_once('.').ok_or_else(none)?;
        let mut parts = words.splitn(3, '.');
        let (Some(of), Some(until), Some(about)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(none());
        };
        let until = until.parse().ok().and_then(|second| Timestamp::from_second(second).ok());
        let until = until.filter(|_| of == m.as_str()).ok_or_else(none)?;
        let link = Self { purpose, about: about.to_owned(), until };
        let secret = secret(world, m).await?.ok_or_else(none)?;
        if !is_signed(&secret, &link.signed(m), given) {
            return Err(none());
        }
        if until < world.now() {
            return Err(Problem::new(410, "link_expired", "The link is no longer good")
                .with(format!("it was good until {until}")));
        }
        Ok(link)
    }
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
