//! Who asks, and what they may.
//!
//! A token proves a subject, its issuer names the marketplace; roles come from the table. An API key names marketplace,
//! scopes and, for a merchant's system, the merchant. A publishable key names the marketplace and nobody: a guest's
//! things are reached by their unguessable ids. No scope means nothing is allowed (A1(1)); write implies read. Another
//! merchant's object is not there at all (A1(2)): see [`Reach`].

use crate::problem::Problem;
use crate::world::World;
use domain::id::{CustomerId, MarketplaceId, MerchantId, sha256_hex};
use futures::future::BoxFuture;
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation};
use serde::Deserialize;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use table::Key;
use table::access::{ApiKey, Issuer, Roles};

/// Whoever asks, known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    pub marketplace: MarketplaceId,
    /// How the caller stands in events and audit trail: `person:<subject>` or `key:<id>`.
    pub actor: String,
    grant: Grant,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Grant {
    Key(ApiKey),
    Person(Roles),
    Guest,
}

/// Who shops.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shopper {
    Guest,
    Customer(CustomerId),
}

impl Shopper {
    /// Whether what belongs to `owner` is theirs. What belongs to nobody is whose who knows its id.
    pub fn may_see(&self, owner: Option<&CustomerId>) -> bool {
        match (self, owner) {
            (_, None) => true,
            (Self::Guest, Some(_)) => false,
            (Self::Customer(own), Some(owner)) => own == owner,
        }
    }

    pub fn customer(&self) -> Option<&CustomerId> {
        match self {
            Self::Guest => None,
            Self::Customer(customer) => Some(customer),
        }
    }
}

/// Which merchants' objects a caller may see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reach {
    All,
    Merchants(Vec<MerchantId>),
}

impl Reach {
    /// Whose thing a request is about: named, or the only one that the caller acts for. Another's is not there.
    pub fn whose(
        &self,
        check: &mut crate::Check,
        named: Option<&str>,
    ) -> Result<Option<MerchantId>, Problem> {
        let merchant = match (named, self) {
            (Some(text), Self::All | Self::Merchants(_)) => check.parse::<MerchantId>("merchant", text),
            (None, Self::Merchants(own)) if own.len() == 1 => own.first().cloned(),
            (None, Self::All | Self::Merchants(_)) => {
                check.wrong("merchant", "required", "say whose it is");
                None
            }
        };
        match merchant {
            Some(merchant) if !self.covers(&merchant) => Err(Problem::not_found("merchant")),
            merchant => Ok(merchant),
        }
    }

    /// Who keeps what a request is about: as [`whose`](Self::whose), and none is the marketplace itself, for who acts
    /// for it and names nobody.
    pub fn keeper(
        &self,
        check: &mut crate::Check,
        named: Option<&str>,
    ) -> Result<Option<MerchantId>, Problem> {
        match (self, named) {
            (Self::All, None) => Ok(None),
            (Self::All | Self::Merchants(_), named) => self.whose(check, named),
        }
    }

    pub fn covers(&self, merchant: &MerchantId) -> bool {
        match self {
            Self::All => true,
            Self::Merchants(own) => own.contains(merchant),
        }
    }

    /// What a merchant keeps, or with none the marketplace, which its operators speak for.
    pub fn keeps(&self, merchant: Option<&MerchantId>) -> bool {
        match merchant {
            Some(merchant) => self.covers(merchant),
            None => *self == Self::All,
        }
    }
}

/// The header of a publishable key.
const PUBLISHABLE: &str = "souk-key";

/// Everything that a scope can be about; each with `:read` and `:write`.
pub const SCOPES: [&str; 25] = [
    "orders",
    "customers",
    "payments",
    "subscriptions",
    "invoices",
    "fulfillment",
    "catalog",
    "delivery",
    "promotions",
    "reminders",
    "inventory",
    "tax",
    "fx",
    "payouts",
    "ledger",
    "merchants",
    "messages",
    "marketplace",
    "access",
    "audit",
    "overrides",
    "dead_letters",
    "webhooks",
    "reviews",
    "assets",
];

/// Whether a text is a scope: `*`, or one of [`SCOPES`] with `:read` or `:write`.
pub fn is_scope(text: &str) -> bool {
    let known = |thing: &str| SCOPES.contains(&thing);
    text == "*"
        || text.strip_suffix(":read").is_some_and(known)
        || text.strip_suffix(":write").is_some_and(known)
}

/// `*` grants all, `orders:write` grants `orders:read` too.
fn grants(scopes: &[String], wanted: &str) -> bool {
    let write = wanted.strip_suffix(":read").map(|thing| format!("{thing}:write"));
    scopes.iter().any(|scope| scope == "*" || scope == wanted || Some(scope) == write.as_ref())
}

impl Caller {
    /// From the request's `Authorization: Bearer …`, an API key (`sk_…`) or a JWT; without it from `Souk-Key`, a
    /// publishable key (`pk_…`).
    pub async fn of(world: &World, headers: &HeaderMap) -> Result<Self, Problem> {
        if !headers.contains_key(http::header::AUTHORIZATION)
            && let Some(key) = headers.get(PUBLISHABLE)
        {
            return by_publishable_key(world, key.to_str().unwrap_or_default()).await;
        }
        let bearer = bearer(headers)?;
        if bearer.starts_with("sk_") { by_key(world, bearer).await } else { by_token(world, bearer).await }
    }

    /// Whether nobody has signed in: all guests are one to the API.
    pub fn is_guest(&self) -> bool {
        matches!(self.grant, Grant::Guest)
    }

    /// Whether this is a system: its POSTs need an idempotency key.
    pub fn is_system(&self) -> bool {
        matches!(self.grant, Grant::Key(_))
    }

    /// The subject of a person who has signed in, whatever their roles; a system is nobody.
    pub fn person(&self) -> Result<&str, Problem> {
        match &self.grant {
            Grant::Person(_) => Ok(self.actor.strip_prefix("person:").unwrap_or_default()),
            Grant::Key(_) | Grant::Guest => Err(Problem::forbidden("this is for a person who has signed in")),
        }
    }

    /// The customer that a person who has signed in is in this marketplace.
    pub fn customer(&self) -> Result<CustomerId, Problem> {
        Ok(CustomerId::of(&self.marketplace, self.person()?))
    }

    /// Whether what a customer has is the caller's to see and change: an operator's, and the customer's own.
    pub fn owns(&self, reach: &Reach, customer: &CustomerId) -> bool {
        *reach == Reach::All || self.customer().is_ok_and(|own| own == *customer)
    }

    /// Who shops: a guest, or the customer that a signed-in person is here. A system does not.
    pub fn shopper(&self) -> Result<Shopper, Problem> {
        match &self.grant {
            Grant::Guest => Ok(Shopper::Guest),
            Grant::Person(_) => Ok(Shopper::Customer(self.customer()?)),
            Grant::Key(_) => Err(Problem::forbidden(
                "this is for shoppers: send a person's token, or a publishable key as `Souk-Key`",
            )),
        }
    }

    /// Which merchants' objects `scope` reaches; 403 if it reaches none. The table of routes asks for an operation's
    /// own scope; a handler only where scopes are what the request is about.
    pub fn reach(&self, scope: &str) -> Result<Reach, Problem> {
        let reach = match &self.grant {
            Grant::Key(key) if grants(&key.scopes, scope) => {
                Some(key.merchant.clone().map_or(Reach::All, |own| Reach::Merchants(vec![own])))
            }
            Grant::Key(_) | Grant::Guest => None,
            Grant::Person(Roles { operator: Some(operator), .. }) if grants(&operator.scopes, scope) => {
                Some(Reach::All)
            }
            Grant::Person(Roles { memberships, .. }) => {
                let own = memberships.iter().filter(|member| grants(&member.scopes, scope));
                let own: Vec<_> = own.map(|member| member.merchant.clone()).collect();
                (!own.is_empty()).then_some(Reach::Merchants(own))
            }
        };
        reach.ok_or_else(|| Problem::forbidden(format!("it needs the scope `{scope}`")))
    }
}

/// What follows `Authorization: Bearer`.
pub fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let given = headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    given
        .and_then(|text| text.strip_prefix("Bearer "))
        .ok_or_else(|| Problem::unauthenticated("send `Authorization: Bearer` with a token or an API key"))
}

/// The key in the table, if it holds and is of this kind.
async fn key(world: &World, secret: &str, publishable: bool) -> Result<ApiKey, Problem> {
    let held = world.table.load::<ApiKey>(&Key::api_key(secret)).await?;
    let holds = |key: &ApiKey| key.revoked_at.is_none() && key.publishable == publishable;
    let key = held.map(|held| held.value).filter(holds);
    key.ok_or_else(|| Problem::unauthenticated("the API key is unknown or revoked"))
}

async fn by_publishable_key(world: &World, given: &str) -> Result<Caller, Problem> {
    if !given.starts_with("pk_") {
        return Err(Problem::unauthenticated("`Souk-Key` is for a publishable key, which begins with `pk_`"));
    }
    let guest = |marketplace| Caller { marketplace, actor: "guest".to_owned(), grant: Grant::Guest };
    if let Some(marketplace) = world.storefronts.find(given, world.now()) {
        return Ok(guest(marketplace));
    }
    let marketplace = key(world, given, true).await?.marketplace;
    world.storefronts.learn(given, &marketplace, world.now());
    Ok(guest(marketplace))
}

/// Publishable keys that were good a moment ago: every request of every guest has one, and it opens nothing that is not
/// everybody's. One that is revoked may do for [`MOMENT`] longer; any other key is looked up each time.
#[derive(Debug, Clone, Default)]
pub(crate) struct Storefronts(Arc<Mutex<HashMap<String, (Timestamp, MarketplaceId)>>>);

/// How long a publishable key is good without another look.
const MOMENT: SignedDuration = SignedDuration::from_secs(10);
/// More of them begin anew.
const STOREFRONTS_MAX: usize = 100;

impl Storefronts {
    fn find(&self, key: &str, now: Timestamp) -> Option<MarketplaceId> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (at, marketplace) = known.get(key)?;
        // A clock that was set back knows nothing.
        let fresh = *at <= now && now.duration_since(*at) < MOMENT;
        fresh.then(|| marketplace.clone())
    }

    fn learn(&self, key: &str, marketplace: &MarketplaceId, now: Timestamp) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= STOREFRONTS_MAX {
            known.clear();
        }
        known.insert(key.to_owned(), (now, marketplace.clone()));
    }
}

async fn by_key(world: &World, secret: &str) -> Result<Caller, Problem> {
    let key = key(world, secret, false).await?;
    let (marketplace, actor) = (key.marketplace.clone(), format!("key:{}", key.id));
    Ok(Caller { marketplace, actor, grant: Grant::Key(key) })
}

#[derive(Deserialize)]
struct Claims {
    iss: String,
    sub: String,
}

/// How a token's subject is named in the table: two issuers may both know a `42`.
pub fn subject(issuer: &str, sub: &str) -> String {
    let digest = sha256_hex(issuer.as_bytes());
    format!("{}:{sub}", digest.get(..8).unwrap_or_default())
}

fn refuse(why: &str) -> Problem {
    Problem::unauthenticated(format!("the token is not accepted: {why}"))
}

/// Where a token says that it comes from; nothing is proven yet.
pub fn issuer_of(token: &str) -> Result<String, Problem> {
    let unproven = jsonwebtoken::dangerous::insecure_decode::<Claims>(token);
    unproven.map(|data| data.claims.iss).map_err(|_| refuse("it is no JWT with `iss` and `sub`"))
}

async fn by_token(world: &World, token: &str) -> Result<Caller, Problem> {
    let held = world.table.load::<Issuer>(&Key::issuer(&issuer_of(token)?)).await?;
    let Some(issuer) = held.map(|held| held.value) else {
        return Err(refuse("its issuer is not registered with any marketplace"));
    };
    let subject = subject(&issuer.issuer, &proven(world, token, &issuer).await?);
    let roles = world.table.roles(&issuer.marketplace, &subject).await?;
    let actor = format!("person:{subject}");
    Ok(Caller { marketplace: issuer.marketplace, actor, grant: Grant::Person(roles) })
}

/// The `sub` of a token that `issuer` has signed for its audience and that has not expired.
pub async fn proven(world: &World, token: &str, issuer: &Issuer) -> Result<String, Problem> {
    let header = jsonwebtoken::decode_header(token).map_err(|_| refuse("its header is unreadable"))?;
    let kid = header.kid.ok_or_else(|| refuse("its header names no key (`kid`)"))?;
    let jwk = world.keys.find(&issuer.jwks_uri, &kid).await.map_err(|error| {
        tracing::warn!(error, issuer = issuer.issuer, "an issuer's keys cannot be read");
        Problem::busy().with("the issuer's keys cannot be read at the moment")
    })?;
    let jwk = jwk.ok_or_else(|| refuse("its issuer has no such key"))?;
    let algorithm = pinned(&jwk).ok_or_else(|| refuse("its key is of a kind that is not accepted"))?;
    let mut validation = Validation::new(algorithm);
    validation.set_issuer(&[&issuer.issuer]);
    validation.set_audience(&[&issuer.audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.validate_nbf = true;
    let key = DecodingKey::from_jwk(&jwk).map_err(|_| refuse("its key cannot be used"))?;
    let proven = jsonwebtoken::decode::<Claims>(token, &key, &validation);
    Ok(proven.map_err(|error| refuse(&error.to_string()))?.claims.sub)
}

/// The one algorithm that a key is good for; never what the token says of itself.
fn pinned(jwk: &Jwk) -> Option<Algorithm> {
    match &jwk.algorithm {
        AlgorithmParameters::RSA(_) => Some(Algorithm::RS256),
        AlgorithmParameters::EllipticCurve(_) => Some(Algorithm::ES256),
        AlgorithmParameters::OctetKeyPair(_) => Some(Algorithm::EdDSA),
        // Shared secrets, and whatever the library learns later.
        AlgorithmParameters::OctetKey(_) | AlgorithmParameters::Other(_) | _ => None,
    }
}

/// Reads a JWK set from its address.
pub type Fetch = Arc<dyn Fn(String) -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// The issuers' public keys, cached in the sandbox.
#[derive(Clone)]
pub struct Keys {
    fetch: Fetch,
    cache: Arc<Mutex<HashMap<String, (Instant, JwkSet)>>>,
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keys")
    }
}

/// A set is read again after this, or at once for an unknown key, but not more often than [`PAUSE`].
const FRESH: Duration = Duration::from_secs(3600);
const PAUSE: Duration = Duration::from_secs(30);

impl Keys {
    pub fn new(fetch: Fetch) -> Self {
        Self { fetch, cache: Arc::default() }
    }

    /// Over HTTPS, as on AWS.
    pub fn over_https() -> Self {
        Self::new(Arc::new(|address| {
            Box::pin(async move { crate::fetch::text(&address).await.map_err(|error| crate::chain(&error)) })
        }))
    }

    async fn find(&self, address: &str, kid: &str) -> Result<Option<Jwk>, String> {
        let cached = {
            let cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
            cache.get(address).map(|(at, set)| (at.elapsed(), set.find(kid).cloned()))
        };
        match &cached {
            Some((age, Some(jwk))) if *age < FRESH => return Ok(Some(jwk.clone())),
            Some((age, None)) if *age < PAUSE => return Ok(None),
            Some(_) | None => {}
        }
        let read = match (self.fetch)(address.to_owned()).await {
            Ok(text) => serde_json::from_str::<JwkSet>(&text).map_err(|error| error.to_string()),
            Err(error) => Err(error),
        };
        let set = match (read, cached) {
            (Ok(set), _) => set,
            // An issuer that is down has not taken its key back; it is asked again after a pause.
            (Err(error), Some((_, Some(jwk)))) => {
                tracing::warn!(error, address, "an issuer's keys cannot be read: the ones from before count");
                let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some((at, _)) = cache.get_mut(address) {
                    let again = Instant::now().checked_sub(FRESH.saturating_sub(PAUSE));
                    *at = again.unwrap_or(*at);
                }
                return Ok(Some(jwk));
            }
            (Err(error), Some((_, None)) | None) => return Err(error),
        };
        let found = set.find(kid).cloned();
        let mut cache = self.cache.lock().unwrap_or_else(PoisonError::into_inner);
        cache.insert(address.to_owned(), (Instant::now(), set));
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(scopes: &[&str], merchant: Option<MerchantId>) -> Caller {
        let marketplace = MarketplaceId::from_bits(1);
        let key = ApiKey {
            id: domain::id::ApiKeyId::from_bits(1),
            digest: String::new(),
            marketplace: marketplace.clone(),
            name: "test".to_owned(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            merchant,
            publishable: false,
            revoked_at: None,
        };
        Caller { marketplace, actor: "key:test".to_owned(), grant: Grant::Key(key) }
    }

    #[test]
    fn a1_1_a_key_with_no_scope_gets_403_everywhere() {
        for scope in ["orders:read", "orders:write", "ledger:read", "*"] {
            assert_eq!(key(&[], None).reach(scope).unwrap_err().status, 403);
        }
    }

    #[test]
    fn write_implies_read_and_nothing_else() {
        let caller = key(&["orders:write"], None);
        assert!(caller.reach("orders:read").is_ok());
        assert!(caller.reach("orders:write").is_ok());
        assert!(caller.reach("payouts:read").is_err());
        assert!(key(&["orders:read"], None).reach("orders:write").is_err());
    }

    #[test]
    fn a_merchants_key_reaches_its_merchant_only() {
        let (own, other) = (MerchantId::from_bits(1), MerchantId::from_bits(2));
        let caller = key(&["fulfillment:write"], Some(own.clone()));
        let reach = caller.reach("fulfillment:write").unwrap();
        assert!(reach.covers(&own) && !reach.covers(&other));
    }

    #[tokio::test]
    async fn an_issuer_that_is_down_has_not_taken_its_keys_back() {
        let keys = Keys::new(Arc::new(|_| Box::pin(async { Err("connection refused".to_owned()) })));
        let (address, other) = ("https://issuer.example/jwks", "https://other.example/jwks");
        let set: JwkSet = serde_json::from_value(serde_json::json!({"keys": [
            {"kty": "OKP", "crv": "Ed25519", "kid": "one", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
        ]}))
        .unwrap();
        let old = Instant::now().checked_sub(FRESH * 2).unwrap();
        keys.cache.lock().unwrap().insert(address.to_owned(), (old, set));
        assert!(keys.find(address, "one").await.unwrap().is_some());
        let (at, _) = keys.cache.lock().unwrap()[address];
        assert!(at.elapsed() < FRESH, "it is not asked again at once");
        assert_eq!(keys.find(address, "two").await.unwrap_err(), "connection refused");
        assert_eq!(keys.find(other, "one").await.unwrap_err(), "connection refused");
    }
}
