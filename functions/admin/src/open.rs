//! A marketplace opens: its settings, its first operator, the issuer of its tokens, a first API key.

use domain::id::{ApiKeyId, sha256_hex};
use domain::marketplace::Marketplace;
use edge::World;
use events::merchant::MarketplaceOpenedV1;
use events::{Announced, Context};
use table::access::{ApiKey, Issuer, Operator};
use table::{Commit, Story, Uncommitted};

/// Everything that a marketplace begins with.
#[derive(Debug, Clone)]
pub struct Opening {
    pub marketplace: Marketplace,
    /// Whose tokens are trusted, if people sign in.
    pub issuer: Option<Issuer>,
    /// Subjects (see [`edge::identity::subject`]) that operate it.
    pub operators: Vec<String>,
    /// Secrets of systems, by name; only their digests are stored.
    pub keys: Vec<(String, String)>,
}

/// It is open already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenAlready;

/// Opens a marketplace, in one transaction.
pub async fn open_marketplace(world: &World, opening: Opening) -> Result<(), Uncommitted<OpenAlready>> {
    let m = opening.marketplace.id.clone();
    let (actor, cause) = ("system:admin".to_owned(), format!("open:{m}"));
    let context = Context { at: world.now(), actor, correlation: cause.clone(), cause };
    let told =
        MarketplaceOpenedV1 { marketplace: m.clone(), currency: opening.marketplace.currency.to_string() };
    let story = Story::new([Announced::of(&told)]);
    let mut commit = Commit::new(&m, &context).begin(&opening.marketplace, m.as_str(), story, OpenAlready);
    if let Some(issuer) = &opening.issuer {
        commit = commit.add(issuer, OpenAlready);
    }
    for subject in opening.operators {
        commit = commit.add(&Operator { subject, scopes: vec!["*".to_owned()] }, OpenAlready);
    }
    for (name, secret) in opening.keys {
        let key = ApiKey {
            id: ApiKeyId::from_bits(world.fresh()),
            digest: sha256_hex(secret.as_bytes()),
            marketplace: m.clone(),
            name,
            scopes: vec!["*".to_owned()],
            merchant: None,
            revoked_at: None,
        };
        commit = commit.add(&key, OpenAlready);
    }
    commit.send(&world.table).await
}
