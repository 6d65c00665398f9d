//! `POST /v1/merchants`: a merchant is invited. The answer holds the secret that lets its first person in.

use crate::changes::{Who, change};
use crate::join::invitation;
use crate::show::MerchantView;
use axum::extract::{Path, State};
use domain::Currency;
use domain::id::MerchantId;
use domain::merchant::{Merchant, PayoutAccount, Refused, Status};
use domain::payout::Schedule;
use domain::place::Country;
use domain::text::{ExternalId, Name};
use edge::{Check, Command, Problem, Reply, RuleBody, World};
use events::merchant::invited;
use serde::Deserialize;
use table::merchant::MerchantName;
use table::{Commit, Key, Story, Uncommitted};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "InviteMerchant"))]
pub(crate) struct Invite {
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    /// What your systems call the merchant; unique.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExternalId>"))]
    external_id: Option<String>,
    /// Where it sells from, in the eyes of the tax office (ISO 3166-1: `DE`); wherever its customer is, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Country>"))]
    country: Option<String>,
    /// In which it prices, delivers and is paid (ISO 4217), for good; the marketplace's, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Currency>"))]
    currency: Option<String>,
    /// When it is paid; daily if not said.
    #[serde(default)]
    schedule: Option<Schedule>,
    /// Fee rules before the marketplace's.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(length(max = domain::commission::RULES_MAX)))]
    commission: Vec<RuleBody>,
}

/// What the invitation met.
#[derive(Debug)]
enum Taken {
    Id,
    ExternalId,
}

impl From<Taken> for Problem {
    fn from(taken: Taken) -> Self {
        match taken {
            // A fresh id or an idempotency key that another request has just used: the next look finds it.
            Taken::Id => Self::busy(),
            Taken::ExternalId => Self::new(409, "external_id_taken", "Another merchant has this external id"),
        }
    }
}

pub(crate) async fn invite(
    State(world): State<World>,
    command: Command<Invite>,
) -> Result<Reply<MerchantView>, Problem> {
    world.until_free(|| attempt(&world, &command)).await
}

async fn attempt(world: &World, command: &Command<Invite>) -> Result<Reply<MerchantView>, Problem> {
    let m = &command.caller.marketplace;
    let marketplace = crate::load_marketplace(world, m).await?;
    if let Some(asked) = command.asked_before(world).await? {
        let id: MerchantId = asked.resource.parse().map_err(|_| Problem::internal())?;
        let held = world.table.load::<Merchant>(&Key::merchant(m, &id)).await?.ok_or_else(Problem::busy)?;
        let view = MerchantView::of(&held.value, &marketplace, world.now());
        return Ok(Reply::ok(view).revision(held.revision()).replayed());
    }
    let body = &command.body;
    let mut check = Check::new();
    let name = check.parse::<Name>("name", &body.name);
    let external_id = check.maybe::<ExternalId>("external_id", body.external_id.as_deref());
    let country = check.maybe::<Country>("country", body.country.as_deref());
    let currency = check.maybe::<Currency>("currency", body.currency.as_deref());
    let commission = RuleBody::read(&mut check, "commission", &body.commission, marketplace.currency);
    let schedule = body.schedule.clone().unwrap_or(Schedule::Day {});
    if let Err(error) = schedule.check() {
        check.wrong("schedule", "range", error);
    }
    check.done()?;
    let Some(name) = name else { return Err(Problem::internal()) };

    let id = MerchantId::from_bits(world.fresh());
    let (status, account) = (Status::Pending, PayoutAccount::Missing);
    let (invitation, secret) = invitation(world)?;
    let merchant = Merchant {
        id,
        name,
        external_id,
        country,
        currency: currency.filter(|currency| *currency != marketplace.currency),
        status,
        commission,
        schedule,
        account,
        invitation: Some(invitation.clone()),
        accepted_terms: Vec::new(),
        closures: Vec::new(),
        closing_since: None,
    };
    let now = world.now();
    let context = command.context(now);
    let story = Story::new([invited(&merchant)]);
    let commit = Commit::new(m, &context).begin(&merchant, merchant.id.as_str(), story, Taken::Id);
    // Before the name: the first refusal counts, and a repeat is not another merchant of that name.
    let mut commit = command.remember(commit, now, 201, merchant.id.as_str(), Taken::Id);
    if let Some(external_id) = merchant.external_id.clone() {
        let name = MerchantName { external_id, merchant: merchant.id.clone() };
        commit = commit.add(&name, Taken::ExternalId);
    }
    match commit.send(&world.table).await {
        Ok(()) => {
            let view = MerchantView::of(&merchant, &marketplace, now).inviting(secret, &invitation);
            Ok(Reply::created(view).revision(1))
        }
        Err(Uncommitted::Refused(taken)) => Err(taken.into()),
        Err(other) => Err(other.into()),
    }
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Again {}

/// Another secret in the place of the one before, which opens nothing any more. Who comes in may do everything: once
/// the merchant has begun, more people come in as members, named by who has what he gives.
pub(crate) async fn again(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Again>,
) -> Result<Reply<MerchantView>, Problem> {
    let (invitation, secret) = invitation(&world)?;
    let reply = change(&world, &id, &command, Who::Operator, |merchant, _| {
        if merchant.status != Status::Pending {
            return Err(Refused::Transition { from: merchant.status.word(), to: "invited" }.into());
        }
        let next = Merchant { invitation: Some(invitation.clone()), ..merchant.clone() };
        let told = invited(&next);
        Ok(Some((next, vec![told])))
    });
    Ok(reply.await?.map_new(|view| view.inviting(secret, &invitation)))
}
