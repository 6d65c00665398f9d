//! How people come in: they apply, or present the secret of an invitation.

use crate::show::MerchantView;
use axum::extract::{Path, State};
use domain::id::{MarketplaceId, MerchantId, derive, sha256_hex};
use domain::merchant::{Invitation, Merchant, PayoutAccount, Status, accept_invitation};
use domain::payout::Schedule;
use domain::text::{ExternalId, Name};
use domain::{Decision, marketplace::Marketplace};
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use events::access::MemberChangedV1;
use events::merchant::{MerchantAppliedV1, MerchantInvitationAcceptedV1};
use events::{Announced, Context};
use serde::Deserialize;
use table::access::Member;
use table::merchant::MerchantName;
use table::{Commit, Held, Key, Record, Story, Uncommitted};

type Answer = Result<Reply<MerchantView>, Problem>;

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Apply {
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<ExternalId>"))]
    external_id: Option<String>,
}

/// What the application met.
#[derive(Debug)]
enum Taken {
    Applied,
    ExternalId,
}

/// A signed-in person without a role asks to sell: the pending merchant and its first member. The merchant's id follows
/// from the person, so each person applies once and a repeat finds what is there.
pub(crate) async fn apply(State(world): State<World>, command: Command<Apply>) -> Answer {
    let person = command.caller.person()?.to_owned();
    let m = &command.caller.marketplace;
    let mut check = Check::new();
    let name = check.parse::<Name>("name", &command.body.name);
    let external_id = check.maybe::<ExternalId>("external_id", command.body.external_id.as_deref());
    check.done()?;
    let Some(name) = name else { return Err(Problem::internal()) };
    let id = MerchantId::from_bits(derive(&["applicant", m.as_str(), &person]));
    world
        .until_free(|| async {
            let marketplace = crate::load_marketplace(&world, m).await?;
            if let Some(held) = world.table.load::<Merchant>(&Key::merchant(m, &id)).await? {
                return applied_before(&world, &held, &marketplace, &name, external_id.as_ref());
            }
            let roles = world.table.roles(m, &person).await?;
            let sells = roles.memberships.iter().any(|member| !member.scopes.is_empty());
            if sells || roles.operator.is_some_and(|operator| !operator.scopes.is_empty()) {
                let why = "ask an operator for another merchant";
                return Err(Problem::new(409, "has_role", "You have a role here already").with(why));
            }
            let merchant = Merchant {
                id: id.clone(),
                name: name.clone(),
                external_id: external_id.clone(),
                country: None,
                currency: None,
                status: Status::Pending,
                commission: Vec::new(),
                schedule: Schedule::Day {},
                account: PayoutAccount::Missing,
                invitation: None,
                accepted_terms: Vec::new(),
                closures: Vec::new(),
                closing_since: None,
            };
            let context = command.context(world.now());
            match commit_application(&world, m, &context, &merchant, &person).await {
                Ok(()) => {
                    let view = MerchantView::of(&merchant, &marketplace, context.at);
                    Ok(Reply::created(view).revision(1))
                }
                Err(Uncommitted::Refused(Taken::Applied) | Uncommitted::Busy) => Err(Problem::busy()),
                Err(Uncommitted::Refused(Taken::ExternalId)) => {
                    let title = "Another merchant has this external id";
                    Err(Problem::new(409, "external_id_taken", title))
                }
                Err(Uncommitted::Fault(fault)) => Err(fault.into()),
            }
        })
        .await
}

fn applied_before(
    world: &World,
    held: &Held<Merchant>,
    marketplace: &Marketplace,
    name: &Name,
    external_id: Option<&ExternalId>,
) -> Answer {
    if held.value.name != *name || held.value.external_id.as_ref() != external_id {
        let title = "You have applied before, with other words";
        return Err(Problem::new(409, "applied_before", title).with(format!("it is {}", held.value.id)));
    }
    let view = MerchantView::of(&held.value, marketplace, world.now());
    Ok(Reply::ok(view).revision(held.revision()).replayed())
}

async fn commit_application(
    world: &World,
    m: &MarketplaceId,
    context: &Context,
    merchant: &Merchant,
    person: &str,
) -> Result<(), Uncommitted<Taken>> {
    let told = Announced::of(&MerchantAppliedV1 {
        merchant: merchant.id.clone(),
        external_id: merchant.external_id.as_ref().map(ToString::to_string),
        member: person.to_owned(),
    });
    let id = merchant.id.as_str();
    let mut commit = Commit::new(m, context).begin(merchant, id, Story::new([told]), Taken::Applied);
    commit = admit(world, m, commit, &merchant.id, person, || Taken::Applied).await?;
    if let Some(external_id) = merchant.external_id.clone() {
        let name = MerchantName { external_id, merchant: merchant.id.clone() };
        commit = commit.add(&name, Taken::ExternalId);
    }
    commit.send(&world.table).await
}

/// Makes a person a member who may do everything for the merchant, in the same commit.
async fn admit<'a, C: std::fmt::Debug>(
    world: &World,
    m: &MarketplaceId,
    commit: Commit<'a, C>,
    merchant: &MerchantId,
    person: &str,
    taken: impl Fn() -> C,
) -> Result<Commit<'a, C>, Uncommitted<C>> {
    let (subject, scopes) = (person.to_owned(), vec!["*".to_owned()]);
    let member = Member { subject, merchant: merchant.clone(), scopes };
    let Member { subject, merchant, scopes } = member.clone();
    let name = format!("member-{subject}-{merchant}");
    let story = Story::new([Announced::of(&MemberChangedV1 { subject, merchant, scopes })]);
    Ok(match world.table.load::<Member>(&member.key(m)).await? {
        Some(held) => commit.change(&held, &member, &name, story),
        None => commit.begin(&member, &name, story, taken()),
    })
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Present {
    secret: String,
}

/// Whoever has the secret becomes a member, once.
pub(crate) async fn accept(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<Present>,
) -> Answer {
    let person = command.caller.person()?.to_owned();
    let m = &command.caller.marketplace;
    let nothing = || Problem::not_found("invitation");
    let id: MerchantId = id.parse().map_err(|_| nothing())?;
    let key = Key::merchant(m, &id);
    let digest = sha256_hex(command.body.secret.as_bytes());
    world
        .until_free(|| async {
            let held = world.table.load::<Merchant>(&key).await?.ok_or_else(nothing)?;
            let marketplace = crate::load_marketplace(&world, m).await?;
            let now = world.now();
            let decided = accept_invitation(&held.value, &digest, &person, now);
            let decided = match command.audited(&world, &key, id.as_str(), decided).await {
                Err(problem) if problem.status == 404 => return Err(nothing()),
                decided => decided?,
            };
            let Decision::New(invitation) = decided else {
                let view = MerchantView::of(&held.value, &marketplace, now);
                return Ok(Reply::ok(view).revision(held.revision()).replayed());
            };
            let next = Merchant { invitation: Some(invitation), ..held.value.clone() };
            let context = command.context(now);
            let (merchant, member) = (id.clone(), person.clone());
            let told = Announced::of(&MerchantInvitationAcceptedV1 { merchant, member });
            let commit = Commit::new(m, &context).change(&held, &next, id.as_str(), Story::new([told]));
            admit(&world, m, commit, &id, &person, || Overtaken).await?.send(&world.table).await?;
            Ok(Reply::ok(MerchantView::of(&next, &marketplace, now)).revision(held.next_step()))
        })
        .await
}

/// A fresh invitation and its secret, which is shown once.
pub(crate) fn invitation(world: &World) -> Result<(Invitation, String), Problem> {
    let secret = world.secret("inv_").map_err(|error| Problem::fault(&error))?;
    Ok((Invitation::new(sha256_hex(secret.as_bytes()), world.now()), secret))
}
