//! Who may do what, and what was already asked: roles, keys, issuers, idempotency records.

use crate::key::{Index, Key, Place};
use crate::list::List;
use crate::record::{Item, from_item};
use crate::{Cursor, Fault, Page, Record, Table};
use domain::id::{ApiKeyId, MarketplaceId, MerchantId};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// A system's key as it is kept: never the secret, only where its digest leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKey {
    pub id: ApiKeyId,
    /// SHA-256 of the secret in hex; the item lies under it.
    pub digest: String,
    pub marketplace: MarketplaceId,
    pub name: String,
    /// `orders:read`, `orders:write`, …; none means nothing is allowed (A1(1)).
    pub scopes: Vec<String>,
    /// A key of one merchant sees that merchant only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// No secret: it stands in a storefront's pages, and names the marketplace for guests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub publishable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

/// What lists show of a key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApiKeySummary {
    pub id: ApiKeyId,
    pub digest: String,
    pub name: String,
    pub scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    /// No secret: it stands in a storefront's pages, and names the marketplace for guests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub publishable: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl Record for ApiKey {
    const KIND: &'static str = "api_key.1";
    type Summary = ApiKeySummary;

    fn key(&self, _m: &MarketplaceId) -> Key {
        Key::by_digest(&self.digest)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::api_key(m, &self.id)]
    }

    fn summary(&self) -> Option<ApiKeySummary> {
        let Self { id, digest, name, scopes, merchant, publishable, revoked_at, .. } = self.clone();
        Some(ApiKeySummary { id, digest, name, scopes, merchant, publishable, revoked_at })
    }
}

/// What a marketplace signs the links in its messages with; random, and never shown.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkSecret {
    pub secret: String,
}

impl std::fmt::Debug for LinkSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("LinkSecret")
    }
}

impl Record for LinkSecret {
    const KIND: &'static str = "link_secret.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::link_secret(m)
    }
}

/// A token issuer that one marketplace trusts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Issuer {
    pub issuer: String,
    pub audience: String,
    pub marketplace: MarketplaceId,
    /// Where the issuer's public keys are (JWK set).
    pub jwks_uri: String,
}

impl Record for Issuer {
    const KIND: &'static str = "issuer.1";
    type Summary = ();

    fn key(&self, _m: &MarketplaceId) -> Key {
        Key::issuer(&self.issuer)
    }
}

/// A person's role as operator of a marketplace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    pub subject: String,
    pub scopes: Vec<String>,
}

impl Record for Operator {
    const KIND: &'static str = "operator.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::roles(m, &self.subject)
    }
}

/// A person's role in one merchant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    pub subject: String,
    pub merchant: MerchantId,
    pub scopes: Vec<String>,
}

impl Record for Member {
    const KIND: &'static str = "member.1";
    type Summary = Member;

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::membership(m, &self.subject, &self.merchant)
    }

    fn places(&self, m: &MarketplaceId) -> Vec<Place> {
        vec![Place::member(m, &self.merchant, &self.subject)]
    }

    fn summary(&self) -> Option<Member> {
        Some(self.clone())
    }
}

/// All roles of a person in one marketplace.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Roles {
    pub operator: Option<Operator>,
    pub memberships: Vec<Member>,
}

/// What was asked under an idempotency key: not the answer, but where it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Asked {
    /// Digest of (principal, method, path, key).
    pub digest: String,
    /// Digest of the body: another body under the same key is refused.
    pub body: String,
    pub status: u16,
    /// The id of what was made or changed.
    pub resource: String,
}

impl Record for Asked {
    const KIND: &'static str = "idempotency.1";
    type Summary = ();

    fn key(&self, m: &MarketplaceId) -> Key {
        Key::idempotency(m, &self.digest)
    }
}

impl Table {
    /// A marketplace's API keys, newest first.
    pub async fn api_keys(
        &self,
        m: &MarketplaceId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<ApiKeySummary>, Fault> {
        self.list::<ApiKey>(&List::new(Index::Gsi2, Place::api_keys(m)), limit, after).await
    }

    /// A merchant's members, and those who were (without scopes).
    pub async fn members(
        &self,
        m: &MarketplaceId,
        merchant: &MerchantId,
        limit: u16,
        after: Option<&Cursor>,
    ) -> Result<Page<Member>, Fault> {
        self.list::<Member>(&List::new(Index::Gsi1, Place::members(m, merchant)), limit, after).await
    }

    /// All roles of a person: in one query, unless there are hundreds.
    pub async fn roles(&self, m: &MarketplaceId, subject: &str) -> Result<Roles, Fault> {
        let pk = Key::roles(m, subject).pk;
        let (mut roles, mut after) = (Roles::default(), None);
        loop {
            // The stories of the roles lie before them.
            let (items, next) = self.range(&pk, Key::ROLES, 200, after.as_ref(), true).await?;
            for item in items {
                roles.keep(item)?;
            }
            after = next;
            if after.is_none() {
                return Ok(roles);
            }
        }
    }
}

impl Roles {
    fn keep(&mut self, item: Item) -> Result<(), Fault> {
        match item.get("kind").and_then(|v| v.as_s().ok()).map(String::as_str) {
            Some(Operator::KIND) => self.operator = Some(from_item::<Operator>(item)?.value),
            _ => self.memberships.push(from_item::<Member>(item)?.value),
        }
        Ok(())
    }
}
