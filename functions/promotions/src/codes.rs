//! Codes: for whoever types them.

use crate::grant::{GrantBody, known_merchants};
use axum::extract::State;
use domain::discount::{Grant, Spelling};
use domain::id::MarketplaceId;
use domain::text::Word;
use edge::change::{change, set};
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::discount::DiscountCodeChangedV1;
use serde::{Deserialize, Serialize};
use table::discount::DiscountCode;
use table::{Key, Page, Story};

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "DiscountCode"))]
pub(crate) struct CodeView {
    #[serde(flatten)]
    discount: GrantBody,
    /// `open` or `closed`; an open one may still be too early or too late, or used up.
    status: &'static str,
    /// Of one that is for so many orders: how many have it. A cart that is being paid is one of them, a canceled order
    /// is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    used: Option<u64>,
}

impl CodeView {
    fn of(grant: &Grant, used: u64) -> Self {
        let status = if grant.closed { "closed" } else { "open" };
        Self { discount: GrantBody::of(grant), status, used: grant.usage_limit.map(|_| used) }
    }
}

/// How many orders have each code: one batch read, where any has a limit.
async fn uses(world: &World, m: &MarketplaceId, grants: &[Grant]) -> Result<Vec<u64>, Problem> {
    let limited = grants.iter().filter(|grant| grant.usage_limit.is_some());
    let names: Vec<&Word> = limited.map(|grant| &grant.name).collect();
    let mut counts = world.table.uses_of_codes(m, &names).await?.into_iter();
    let each = grants.iter().map(|grant| grant.usage_limit.and_then(|_| counts.next()).unwrap_or_default());
    Ok(each.collect())
}

async fn uses_of(world: &World, m: &MarketplaceId, grant: &Grant) -> Result<u64, Problem> {
    Ok(uses(world, m, std::slice::from_ref(grant)).await?.into_iter().sum())
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
    let uses = uses(&world, m, &page.items).await?;
    let items = page.items.into_iter().zip(uses).collect();
    let page = Page { items, next: page.next };
    Ok(Reply::ok(Listing::of(page, |(grant, used)| CodeView::of(&grant, used))))
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
    let m = &query.caller.marketplace;
    let held = world.table.load::<DiscountCode>(&Key::discount_code(m, &Spelling::of(&name))).await?;
    let held = held.ok_or_else(|| Problem::not_found("code"))?;
    let used = uses_of(&world, m, &held.value.grant).await?;
    Ok(Reply::ok(CodeView::of(&held.value.grant, used)).revision(held.revision()))
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
    let used = uses_of(&world, m, &grant).await?;
    let (id, code) = (subject(&grant.name), DiscountCode { grant, bound_to: None });
    let view = |code: &DiscountCode| CodeView::of(&code.grant, used);
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
    let m = &command.caller.marketplace;
    let key = Key::discount_code(m, &Spelling::of(&name));
    let used: u64 = world.table.uses_of_codes(m, &[&name]).await?.into_iter().sum();
    let view = |code: &DiscountCode| CodeView::of(&code.grant, used);
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
