//! Codes: for whoever types them.

use crate::grant::{GrantBody, known_merchants};
use axum::extract::State;
use domain::discount::{Grant, Spelling};
use domain::text::Word;
use edge::change::{change, set};
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::discount::DiscountCodeChangedV1;
use serde::{Deserialize, Serialize};
use table::discount::DiscountCode;
use table::{Key, Story};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DiscountCode"))]
pub(crate) struct CodeView {
    #[serde(flatten)]
    discount: GrantBody,
    /// `open` or `closed`; an open one may still be too early or too late.
    status: &'static str,
}

fn view(code: &DiscountCode) -> CodeView {
    shown(&code.grant)
}

fn shown(grant: &Grant) -> CodeView {
    let status = if grant.closed { "closed" } else { "open" };
    CodeView { discount: GrantBody::of(grant), status }
}

/// What a code is called in events and audits.
fn subject(name: &Word) -> String {
    format!("discount-code-{}", Spelling::of(name).as_str())
}

fn told(code: &DiscountCode) -> Story {
    let Grant { name, closed, .. } = &code.grant;
    Story::new([Announced::of(&DiscountCodeChangedV1 { code: name.to_string(), open: !closed })])
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<CodeView>>, Problem> {
    let paging = query.parameters.read()?;
    let m = &query.caller.marketplace;
    let page = world.table.discount_codes(m, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |grant| shown(&grant))))
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct WhichCode {
    /// Its name, in any case.
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    name: String,
}

pub(crate) async fn one(
    State(world): State<World>,
    query: Query<WhichCode>,
) -> Result<Reply<CodeView>, Problem> {
    let name = named(&query.parameters.name)?;
    let key = Key::discount_code(&query.caller.marketplace, &Spelling::of(&name));
    let held = world.table.load::<DiscountCode>(&key).await?;
    let held = held.ok_or_else(|| Problem::not_found("code"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

fn named(text: &str) -> Result<Word, Problem> {
    let mut check = Check::new();
    let name = check.parse::<Word>("name", text);
    check.done()?;
    name.ok_or_else(Problem::internal)
}

/// A code as it is from now on, in the place of what had its name.
pub(crate) async fn set_code(
    State(world): State<World>,
    command: Command<GrantBody>,
) -> Result<Reply<CodeView>, Problem> {
    let mut check = Check::new();
    let grant = command.body.read(&mut check, "");
    check.done()?;
    let Some(grant) = grant else { return Err(Problem::internal()) };
    let m = &command.caller.marketplace;
    known_merchants(&world, m, std::slice::from_ref(&grant), |_| "merchant".to_owned()).await?;
    let (id, code) = (subject(&grant.name), DiscountCode { grant, bound_to: None });
    set(&world, &command, (&code, &id), || told(&code), view).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "CloseDiscountCode"))]
pub(crate) struct CloseCode {
    /// Its name, in any case.
    #[cfg_attr(feature = "schema", schemars(with = "Word"))]
    name: String,
}

pub(crate) async fn close_code(
    State(world): State<World>,
    command: Command<CloseCode>,
) -> Result<Reply<CodeView>, Problem> {
    let name = named(&command.body.name)?;
    let key = Key::discount_code(&command.caller.marketplace, &Spelling::of(&name));
    let decide = |before: DiscountCode| async move {
        if before.grant.closed {
            return Ok(None);
        }
        let next = DiscountCode { grant: Grant { closed: true, ..before.grant }, ..before };
        let story = told(&next);
        Ok(Some((next, story)))
    };
    change(&world, &command, (&key, &subject(&name), "code"), decide, view).await
}
