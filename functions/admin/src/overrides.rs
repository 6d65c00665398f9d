//! Overrides: granted, listed, revoked. What may be overridden stands in `domain::overrides`.

use axum::extract::{Path, State};
use domain::Decision;
use domain::id::{MerchantId, OverrideId};
use domain::merchant::Merchant;
use domain::overrides::{Override, Policy, check_expiry};
use domain::text::{Reason, Word};
use edge::change::change;
use edge::{Check, Command, Listing, Overtaken, PageOf, Problem, Query, Reply, World};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::overrides::Speaking;
use table::{Commit, Key, Record, Story};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct OverrideView {
    id: OverrideId,
    policy: &'static str,
    subject: String,
    reason: String,
    evidence: String,
    granted_by: String,
    granted_at: String,
    expires_at: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    revoked_by: Option<String>,
}

fn view(held: Override) -> OverrideView {
    let (revoked_at, revoked_by) = held.revoked.map(|revoked| (revoked.at.to_string(), revoked.by)).unzip();
    OverrideView {
        id: held.id,
        policy: held.policy.word(),
        subject: held.subject.to_string(),
        reason: held.reason.to_string(),
        evidence: held.evidence.to_string(),
        granted_by: held.granted_by,
        granted_at: held.granted_at.to_string(),
        expires_at: held.expires_at.to_string(),
        revoked_at,
        revoked_by,
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Grant {
    /// `merchant_requirements` or `merchant_not_open`.
    #[cfg_attr(feature = "schema", schemars(with = "Policy"))]
    policy: String,
    /// The id of what the policy would bind.
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    subject: String,
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
    /// Where the proof lies.
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    evidence: String,
    #[cfg_attr(feature = "schema", schemars(with = "domain::says::Moment"))]
    expires_at: String,
}

pub(crate) async fn grant(
    State(world): State<World>,
    command: Command<Grant>,
) -> Result<Reply<OverrideView>, Problem> {
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            if let Some(asked) = command.asked_before(&world).await? {
                let id: OverrideId = asked.resource.parse().map_err(|_| Problem::internal())?;
                let held = world.table.load::<Override>(&Key::override_(m, &id)).await?;
                let held = held.ok_or_else(Problem::busy)?;
                return Ok(Reply::ok(view(held.value)).replayed());
            }
            let granted = read(&world, &command).await?;
            let mark =
                Speaking { policy: granted.policy, subject: granted.subject.clone(), id: granted.id.clone() };
            let before = world.table.load::<Speaking>(&mark.key(m)).await?;
            let context = command.context(granted.granted_at);
            let story = Story::new([events::overrides::granted(&granted)]);
            let commit = Commit::new(m, &context).begin(&granted, granted.id.as_str(), story, Overtaken);
            let commit = match &before {
                Some(before) => commit.replace(before, &mark),
                None => commit.add(&mark, Overtaken),
            };
            let id = granted.id.as_str();
            command.remember(commit, granted.granted_at, 201, id, Overtaken).send(&world.table).await?;
            Ok(Reply::created(view(granted)).revision(1))
        })
        .await
}

/// From words to an override whose subject is there.
async fn read(world: &World, command: &Command<Grant>) -> Result<Override, Problem> {
    let (body, now) = (&command.body, world.now());
    let m = &command.caller.marketplace;
    let mut check = Check::new();
    let policy = check.parse::<Policy>("policy", &body.policy);
    let subject = check.parse::<Word>("subject", &body.subject);
    let reason = check.parse::<Reason>("reason", &body.reason);
    let evidence = check.parse::<Reason>("evidence", &body.evidence);
    let expires_at = check.parse::<Timestamp>("expires_at", &body.expires_at);
    if let Some(Err(error)) = expires_at.map(|at| check_expiry(at, now)) {
        check.wrong("expires_at", "range", error);
    }
    match policy {
        Some(Policy::MerchantRequirements | Policy::MerchantNotOpen) => {
            let merchant = body.subject.parse::<MerchantId>().ok();
            let held = match &merchant {
                Some(merchant) => world.table.load::<Merchant>(&Key::merchant(m, merchant)).await?,
                None => None,
            };
            if held.is_none() {
                check.wrong("subject", "unknown", "there is no merchant of this id");
            }
        }
        None => {}
    }
    check.done()?;
    let (Some(policy), Some(subject), Some(reason), Some(evidence), Some(expires_at)) =
        (policy, subject, reason, evidence, expires_at)
    else {
        return Err(Problem::internal());
    };
    let (id, granted_by) = (OverrideId::from_bits(world.fresh()), command.caller.actor.clone());
    Ok(Override {
        id,
        policy,
        subject,
        reason,
        evidence,
        granted_by,
        granted_at: now,
        expires_at,
        revoked: None,
    })
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Revoke {}

pub(crate) async fn revoke(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Revoke>,
) -> Result<Reply<OverrideView>, Problem> {
    let id: OverrideId = id.parse().map_err(|_| Problem::not_found("override"))?;
    let key = Key::override_(&command.caller.marketplace, &id);
    let decide = |held: Override| {
        let decided = held.revoke(&command.caller.actor, world.now());
        async move {
            Ok(match decided {
                Decision::New(next) => Some((next.clone(), Story::new([events::overrides::revoked(&next)]))),
                Decision::Already => None,
            })
        }
    };
    let show = |held: &Override| view(held.clone());
    change(&world, &command, (&key, id.as_str(), "override"), decide, show).await
}

/// Newest first; the expired and the revoked too.
pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<OverrideView>>, Problem> {
    let paging = query.parameters.read()?;
    let page = world.table.overrides(&query.caller.marketplace, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, view)))
}
