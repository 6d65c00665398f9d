//! Collections are made, changed, taken away, and tried before.

use crate::facts::{Seen, Tree};
use crate::spell::{CollectionView, MembersBody, SetCollection, view};
use axum::extract::{Path, State};
use domain::catalog::ProductStatus;
use domain::pim::collection::{Members, matches};
use domain::text::Code;
use edge::change::{change as change_one, set as set_one};
use edge::query::Paging;
use edge::{Check, Command, Problem, Reply, World};
use events::Announced;
use events::catalog::CollectionChangedV1;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use table::collection::Named;
use table::{Key, Story};

/// Whoever looks at a product needs all of them, and writes it into all that have it at once: 100 writes at the most.
const COLLECTIONS_MAX: usize = 90;

fn subject(code: &Code) -> String {
    format!("collection-{code}")
}

fn told(code: &Code, deleted: bool) -> Story {
    Story::new([Announced::of(&CollectionChangedV1 { collection: code.to_string(), deleted })])
}

pub(crate) async fn set(
    State(world): State<World>,
    Path(code): Path<String>,
    command: Command<SetCollection>,
) -> Result<Reply<CollectionView>, Problem> {
    let mut check = Check::new();
    let collection = command.body.read(&mut check, &code);
    check.done()?;
    let Some(collection) = collection else { return Err(Problem::internal()) };
    collection.check()?;
    let m = &command.caller.marketplace;
    let there = world.table.collections(m).await?;
    if there.len() >= COLLECTIONS_MAX && there.iter().all(|other| other.code != collection.code) {
        let title = "There are too many collections";
        return Err(Problem::new(409, "collection_count", title).with(format!("at most {COLLECTIONS_MAX}")));
    }
    let (code, now) = (collection.code.clone(), world.now());
    let thing = Named { code: code.clone(), collection: Some(collection.clone()) };
    // A repeat may come when it is deleted already: it was set so.
    let show = |named: &Named| view(named.collection.as_ref().unwrap_or(&collection), now);
    set_one(&world, &command, (&thing, &subject(&code)), || told(&code, false), show).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct DeleteCollection {}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct DeletedCollection {
    code: String,
    deleted: bool,
}

pub(crate) async fn delete(
    State(world): State<World>,
    Path(code): Path<String>,
    command: Command<DeleteCollection>,
) -> Result<Reply<DeletedCollection>, Problem> {
    let code: Code = code.parse().map_err(|_| Problem::not_found("collection"))?;
    let gone = |named: Named| async move {
        let Named { code, collection } = named;
        let story = told(&code, true);
        Ok(collection.map(|_| (Named { code, collection: None }, story)))
    };
    let key = Key::collection(&command.caller.marketplace, &code);
    let show = |named: &Named| DeletedCollection { code: named.code.to_string(), deleted: true };
    change_one(&world, &command, (&key, &subject(&code), "collection"), gone, show).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CheckRule {
    members: MembersBody,
    /// The moment that is asked about; now, if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<domain::says::Moment>"))]
    at: Option<String>,
    /// How many products are looked at: 1 to 100; 20 if not said.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(range(min = 1, max = 100)))]
    limit: Option<u16>,
    /// Where the answer before ended.
    #[serde(default)]
    cursor: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct TriedProduct {
    id: String,
    title: String,
}

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct TriedRule {
    /// Those of the products that were looked at for which it holds.
    products: Vec<TriedProduct>,
    looked_at: u16,
    /// Where the next products begin; absent: these were the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<String>,
}

/// Writes nothing. Products are looked at in the order of the list of products.
pub(crate) async fn check(
    State(world): State<World>,
    command: Command<CheckRule>,
) -> Result<Reply<TriedRule>, Problem> {
    let (m, body) = (&command.caller.marketplace, &command.body);
    let mut check = Check::new();
    let members = body.members.read(&mut check, "members");
    let at = check.maybe::<Timestamp>("at", body.at.as_deref()).unwrap_or_else(|| world.now());
    let limit = body.limit.map(|limit| limit.to_string());
    let Paging { limit, after } = Paging::read(&mut check, limit.as_deref(), body.cursor.as_deref());
    let rule = match members {
        Some(Members::Rule(rule)) => Some(rule),
        Some(Members::Chosen(_)) => {
            check.wrong("members.by", "unknown", "what is chosen by hand needs no trial: want `rule`");
            None
        }
        None => None,
    };
    check.done()?;
    let Some(rule) = rule else { return Err(Problem::internal()) };
    rule.check()?;
    let page = world.table.products(m, None, limit, after.as_ref()).await?;
    let (mut products, mut tree) = (Vec::new(), Tree::default());
    for row in page.items.iter().filter(|row| row.status == ProductStatus::Active) {
        let Some(seen) = Seen::load(&world, m, &row.id, None, &mut tree).await? else { continue };
        if matches(&rule, &seen.facts(), at) {
            products.push(TriedProduct { id: row.id.to_string(), title: row.title.to_string() });
        }
    }
    let next = page.next.map(|next| next.to_string());
    Ok(Reply::ok(TriedRule {
        products,
        looked_at: u16::try_from(page.items.len()).unwrap_or(u16::MAX),
        next,
    }))
}
