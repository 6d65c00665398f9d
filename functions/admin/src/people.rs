//! People and their roles: operators of the marketplace, members of merchants. A token proves the subject, the table
//! says what it may; setting no scopes takes the role away.

use axum::extract::State;
use domain::id::MerchantId;
use domain::merchant::Merchant;
use edge::identity::{is_scope, subject};
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use events::Announced;
use events::access::{MemberChangedV1, OperatorChangedV1};
use serde::{Deserialize, Serialize};
use table::access::{Member, Operator};
use table::{Commit, Key, Record, Story};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetOperator {
    /// Who signs the person's tokens (`iss`).
    issuer: String,
    /// The person there (`sub`).
    subject: String,
    /// None takes the role away.
    scopes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetMember {
    /// Who signs the person's tokens (`iss`).
    issuer: String,
    /// The person there (`sub`).
    subject: String,
    merchant: String,
    /// None takes the role away.
    scopes: Vec<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "Role"))]
pub(crate) struct RoleView {
    /// As actors are named in events and audit trail, without `person:`.
    subject: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    merchant: Option<String>,
    scopes: Vec<String>,
}

/// The subject as the table names it, if issuer, subject and scopes are well-formed.
fn checked(check: &mut Check, issuer: &str, sub: &str, scopes: &[String]) -> String {
    if issuer.is_empty() || issuer.len() > 200 {
        check.wrong("issuer", "format", "want the `iss` of the tokens, up to 200 characters");
    }
    if sub.is_empty() || sub.len() > 200 || sub.contains('#') {
        check.wrong("subject", "format", "want the `sub` of the tokens, up to 200 characters without `#`");
    }
    for (position, scope) in scopes.iter().enumerate().filter(|(_, scope)| !is_scope(scope)) {
        check.wrong(format!("scopes[{position}]"), "unknown", format!("`{scope:.40}` is no scope"));
    }
    subject(issuer, sub)
}

pub(crate) async fn set_operator(
    State(world): State<World>,
    command: Command<SetOperator>,
) -> Result<Reply<RoleView>, Problem> {
    let SetOperator { issuer, subject, scopes } = command.body.clone();
    let mut check = Check::new();
    let subject = checked(&mut check, &issuer, &subject, &scopes);
    check.done()?;
    let told = Announced::of(&OperatorChangedV1 { subject: subject.clone(), scopes: scopes.clone() });
    let operator = Operator { subject: subject.clone(), scopes: scopes.clone() };
    set(&world, &command, &operator, &format!("operator-{subject}"), told).await?;
    Ok(Reply::ok(RoleView { subject, merchant: None, scopes }))
}

pub(crate) async fn set_member(
    State(world): State<World>,
    command: Command<SetMember>,
) -> Result<Reply<RoleView>, Problem> {
    let m = &command.caller.marketplace;
    let SetMember { issuer, subject, merchant, scopes } = command.body.clone();
    let mut check = Check::new();
    let subject = checked(&mut check, &issuer, &subject, &scopes);
    let merchant = check.parse::<MerchantId>("merchant", &merchant);
    if let Some(merchant) = &merchant
        && world.table.load::<Merchant>(&Key::merchant(m, merchant)).await?.is_none()
    {
        check.wrong("merchant", "unknown", format!("there is no merchant {merchant}"));
    }
    check.done()?;
    let Some(merchant) = merchant else { return Err(Problem::internal()) };
    let (of, all) = (merchant.clone(), scopes.clone());
    let told = Announced::of(&MemberChangedV1 { subject: subject.clone(), merchant: of, scopes: all });
    let member = Member { subject: subject.clone(), merchant: merchant.clone(), scopes: scopes.clone() };
    set(&world, &command, &member, &format!("member-{subject}-{merchant}"), told).await?;
    Ok(Reply::ok(RoleView { subject, merchant: Some(merchant.to_string()), scopes }))
}

/// Sets a role, whether it was there or not.
async fn set<T, R: Record + PartialEq>(
    world: &World,
    command: &Command<T>,
    role: &R,
    name: &str,
    told: Announced,
) -> Result<(), Problem> {
    let m = &command.caller.marketplace;
    world
        .until_free(|| async {
            let held = world.table.load::<R>(&role.key(m)).await?;
            let same = held.as_ref().is_some_and(|held| held.value == *role);
            if command.asked_before(world).await?.is_some() || same {
                return Ok(());
            }
            let now = world.now();
            let context = command.context(now);
            let story = Story::new([told.clone()]);
            let commit = match &held {
                Some(held) => Commit::new(m, &context).change(held, role, name, story),
                None => Commit::new(m, &context).begin(role, name, story, Overtaken),
            };
            command.remember(commit, now, 200, name, Overtaken).send(&world.table).await?;
            Ok(())
        })
        .await
}
