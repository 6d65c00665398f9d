//! API keys of systems: the secret is shown once, only its digest is stored.

use crate::people::{check_scopes, has_all};
use axum::extract::{Path, State};
use domain::id::{ApiKeyId, MerchantId, sha256_hex};
use domain::merchant::Merchant;
use domain::text::Name;
use edge::{Check, Command, Listing, Overtaken, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::access::{ApiKeyIssuedV1, ApiKeyRevokedV1};
use serde::{Deserialize, Serialize};
use table::access::{ApiKey, ApiKeySummary};
use table::{Commit, Key, Story};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ApiKey"))]
pub(crate) struct KeyView {
    id: String,
    name: String,
    scopes: Vec<String>,
    /// Whose systems it is for; the whole marketplace's, if not said.
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    /// Whether it is a publishable key, for a storefront's pages.
    publishable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    /// Only in the answer that issues the key, never again.
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
}

fn view(key: ApiKeySummary, secret: Option<String>) -> KeyView {
    let ApiKeySummary { id, name, scopes, merchant, publishable, revoked_at, .. } = key;
    let (merchant, revoked_at) = (merchant.map(|id| id.to_string()), revoked_at.map(|at| at.to_string()));
    KeyView { id: id.to_string(), name, scopes, merchant, publishable, revoked_at, secret }
}

fn view_of(key: &ApiKey, secret: Option<String>) -> Result<KeyView, Problem> {
    table::Record::summary(key).map(|summary| view(summary, secret)).ok_or_else(Problem::internal)
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "IssueApiKey"))]
pub(crate) struct Issue {
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    /// None means that nothing is allowed (A1(1)).
    #[cfg_attr(feature = "schema", schemars(length(max = crate::people::SCOPES_MAX)))]
    scopes: Vec<String>,
    /// A key for one merchant's systems.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<MerchantId>"))]
    merchant: Option<String>,
    /// A key that stands in a storefront's pages and lets guests shop: no scopes, no merchant.
    #[serde(default)]
    publishable: bool,
}

pub(crate) async fn issue(
    State(world): State<World>,
    command: Command<Issue>,
) -> Result<Reply<KeyView>, Problem> {
    let m = &command.caller.marketplace;
    if command.asked_before(&world).await?.is_some() {
        let title = "The key was issued before";
        let why = "a secret is shown once; revoke the key and issue another if it was lost";
        return Err(Problem::new(409, "api_key_issued", title).with(why));
    }
    let mut check = Check::new();
    let name = check.parse::<Name>("name", &command.body.name);
    let merchant = check.maybe::<MerchantId>("merchant", command.body.merchant.as_deref());
    check_scopes(&mut check, &command.body.scopes);
    let publishable = command.body.publishable;
    if publishable && !(command.body.scopes.is_empty() && command.body.merchant.is_none()) {
        let why = "everybody can read a publishable key: give it no scopes and no merchant";
        check.wrong("publishable", "scopes", why);
    }
    if let Some(merchant) = &merchant
        && world.table.load::<Merchant>(&Key::merchant(m, merchant)).await?.is_none()
    {
        check.wrong("merchant", "unknown", format!("there is no merchant {merchant}"));
    }
    check.done()?;
    has_all(&command.caller, merchant.as_ref(), command.body.scopes.iter())?;
    let Some(name) = name else { return Err(Problem::internal()) };

    let prefix = if publishable { "pk_" } else { "sk_" };
    let secret = world.secret(prefix).map_err(|error| Problem::fault(&error))?;
    let key = ApiKey {
        id: ApiKeyId::from_bits(world.fresh()),
        digest: sha256_hex(secret.as_bytes()),
        marketplace: m.clone(),
        name: name.to_string(),
        scopes: command.body.scopes.clone(),
        merchant,
        publishable,
        revoked_at: None,
    };
    let now = world.now();
    let context = command.context(now);
    let ApiKey { id, name, scopes, merchant, .. } = key.clone();
    let story = Story::new([Announced::of(&ApiKeyIssuedV1 { api_key: id, name, scopes, merchant })]);
    let commit =
        Commit::new(m, &context).begin_under(&key, &Key::marketplace(m), key.id.as_str(), story, Overtaken);
    command.remember(commit, now, 201, key.id.as_str(), Overtaken).send(&world.table).await?;
    Ok(Reply::created(view_of(&key, Some(secret))?))
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RevokeApiKey"))]
pub(crate) struct Revoke {}

pub(crate) async fn revoke(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Revoke>,
) -> Result<Reply<KeyView>, Problem> {
    let m = &command.caller.marketplace;
    let id: ApiKeyId = id.parse().map_err(|_| Problem::not_found("API key"))?;
    let found = find(&world, &command.caller, &id).await?;
    world
        .until_free(|| async {
            let held = world.table.load::<ApiKey>(&Key::by_digest(&found.digest)).await?;
            let held = held.ok_or_else(|| Problem::not_found("API key"))?;
            has_all(&command.caller, held.value.merchant.as_ref(), held.value.scopes.iter())?;
            if held.value.revoked_at.is_some() {
                return Ok(Reply::ok(view_of(&held.value, None)?).replayed());
            }
            let now = world.now();
            let next = ApiKey { revoked_at: Some(now), ..held.value.clone() };
            let context = command.context(now);
            let story = Story::new([Announced::of(&ApiKeyRevokedV1 { api_key: id.clone() })]);
            let commit = Commit::<Overtaken>::new(m, &context);
            commit
                .change_under(&held, &next, &Key::marketplace(m), id.as_str(), story)
                .send(&world.table)
                .await?;
            Ok(Reply::ok(view_of(&next, None)?))
        })
        .await
}

/// A key by its id, from the list of the marketplace's keys.
async fn find(world: &World, caller: &edge::Caller, id: &ApiKeyId) -> Result<ApiKeySummary, Problem> {
    let mut after = None;
    loop {
        let page = world.table.api_keys(&caller.marketplace, 100, after.as_ref()).await?;
        if let Some(found) = page.items.into_iter().find(|key| key.id == *id) {
            return Ok(found);
        }
        after = Some(page.next.ok_or_else(|| Problem::not_found("API key"))?);
    }
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<KeyView>>, Problem> {
    let paging = query.parameters.read()?;
    let page = world.table.api_keys(&query.caller.marketplace, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |key| view(key, None))))
}
