//! People and their roles: operators of the marketplace, members of merchants. A token proves the subject, the table
//! says what it may; setting no scopes takes the role away. Members are set by operators and by members of the same
//! merchant. Whoever gives and takes does so only with scopes that he has himself, in roles and keys alike.

use axum::extract::State;
use domain::id::MerchantId;
use domain::merchant::Merchant;
use edge::change::set;
use edge::identity::{Reach, is_scope, subject};
use edge::query::Paging;
use edge::{Caller, Check, Command, Listing, Problem, Query, Reply, World};
use events::Announced;
use events::access::{MemberChangedV1, OperatorChangedV1};
use serde::{Deserialize, Serialize};
use table::access::{Member, Operator};
use table::{Key, Story};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetOperator {
    /// Who signs the person's tokens (`iss`).
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 200)))]
    issuer: String,
    /// The person there (`sub`).
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 200), regex(pattern = "^[^#]*$")))]
    subject: String,
    /// None takes the role away.
    #[cfg_attr(feature = "schema", schemars(length(max = SCOPES_MAX)))]
    scopes: Vec<String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct SetMember {
    /// Who signs the person's tokens (`iss`).
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 200)))]
    issuer: String,
    /// The person there (`sub`).
    #[cfg_attr(feature = "schema", schemars(length(min = 1, max = 200), regex(pattern = "^[^#]*$")))]
    subject: String,
    #[cfg_attr(feature = "schema", schemars(with = "MerchantId"))]
    merchant: String,
    /// None takes the role away.
    #[cfg_attr(feature = "schema", schemars(length(max = SCOPES_MAX)))]
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
    check_scopes(check, scopes);
    subject(issuer, sub)
}

/// The most scopes of a key or a role.
pub(crate) const SCOPES_MAX: usize = 50;

/// Scopes that there are, each once.
pub(crate) fn check_scopes(check: &mut Check, scopes: &[String]) {
    if scopes.len() > SCOPES_MAX {
        return check.wrong("scopes", "range", format!("{} are more than {SCOPES_MAX}", scopes.len()));
    }
    for (position, scope) in scopes.iter().enumerate() {
        let field = format!("scopes[{position}]");
        if !is_scope(scope) {
            check.wrong(field, "unknown", format!("`{scope:.40}` is no scope"));
        } else if scopes.iter().take(position).any(|before| before == scope) {
            check.wrong(field, "twice", format!("`{scope}` is named before"));
        }
    }
}

pub(crate) async fn set_operator(
    State(world): State<World>,
    command: Command<SetOperator>,
) -> Result<Reply<RoleView>, Problem> {
    let SetOperator { issuer, subject, scopes } = command.body.clone();
    let mut check = Check::new();
    let subject = checked(&mut check, &issuer, &subject, &scopes);
    check.done()?;
    let held = world.table.load::<Operator>(&Key::roles(&command.caller.marketplace, &subject)).await?;
    let before = held.map(|held| held.value.scopes).unwrap_or_default();
    has_all(&command.caller, None, scopes.iter().chain(&before))?;
    let told = Announced::of(&OperatorChangedV1 { subject: subject.clone(), scopes: scopes.clone() });
    let operator = Operator { subject: subject.clone(), scopes: scopes.clone() };
    set(&world, &command, (&operator, &format!("operator-{subject}")), || Story::new([told.clone()]), |_| ())
        .await?;
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
    if merchant.as_ref().is_some_and(|merchant| !command.reach.covers(merchant)) {
        return Err(Problem::not_found("merchant"));
    }
    if let Some(merchant) = &merchant
        && world.table.load::<Merchant>(&Key::merchant(m, merchant)).await?.is_none()
    {
        check.wrong("merchant", "unknown", format!("there is no merchant {merchant}"));
    }
    check.done()?;
    let Some(merchant) = merchant else { return Err(Problem::internal()) };
    let held = world.table.load::<Member>(&Key::membership(m, &subject, &merchant)).await?;
    let before = held.map(|held| held.value.scopes).unwrap_or_default();
    has_all(&command.caller, Some(&merchant), scopes.iter().chain(&before))?;
    let (of, all) = (merchant.clone(), scopes.clone());
    let told = Announced::of(&MemberChangedV1 { subject: subject.clone(), merchant: of, scopes: all });
    let member = Member { subject: subject.clone(), merchant: merchant.clone(), scopes: scopes.clone() };
    set(
        &world,
        &command,
        (&member, &format!("member-{subject}-{merchant}")),
        || Story::new([told.clone()]),
        |_| (),
    )
    .await?;
    Ok(Reply::ok(RoleView { subject, merchant: Some(merchant.to_string()), scopes }))
}

/// Who gives and takes does so only with what he has himself: for one merchant, or for the whole marketplace.
pub(crate) fn has_all<'a>(
    caller: &Caller,
    merchant: Option<&MerchantId>,
    mut scopes: impl Iterator<Item = &'a String>,
) -> Result<(), Problem> {
    let covers = |reach: Reach| merchant.map_or(reach == Reach::All, |merchant| reach.covers(merchant));
    let lacks = |scope: &&String| !caller.reach(scope).is_ok_and(covers);
    match scopes.find(lacks) {
        Some(scope) => Err(Problem::forbidden(format!("you do not have the scope `{scope}` yourself"))),
        None => Ok(()),
    }
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct Whose {
    #[cfg_attr(feature = "schema", schemars(with = "MerchantId"))]
    merchant: String,
    limit: Option<String>,
    cursor: Option<String>,
}

/// The members of one merchant; those who were members have no scopes.
pub(crate) async fn members(
    State(world): State<World>,
    query: Query<Whose>,
) -> Result<Reply<Listing<RoleView>>, Problem> {
    let Whose { merchant, limit, cursor } = &query.parameters;
    let mut check = Check::new();
    let paging = Paging::read(&mut check, limit.as_deref(), cursor.as_deref());
    let merchant = check.parse::<MerchantId>("merchant", merchant);
    check.done()?;
    let merchant = merchant.filter(|merchant| query.reach.covers(merchant));
    let merchant = merchant.ok_or_else(|| Problem::not_found("merchant"))?;
    let m = &query.caller.marketplace;
    let page = world.table.members(m, &merchant, paging.limit, paging.after.as_ref()).await?;
    let view = |Member { subject, merchant, scopes }| {
        let merchant = Some(merchant.to_string());
        RoleView { subject, merchant, scopes }
    };
    Ok(Reply::ok(Listing::of(page, view)))
}
