//! The category tree: an operator's, read by everybody.

use axum::extract::{Path, State};
use domain::catalog::{CategoryNode, check_parent};
use domain::id::MarketplaceId;
use domain::text::{Category, Name};
use edge::change::{Fresh, change as change_one, create as create_one};
use edge::query::None as NoParameters;
use edge::{Check, Command, Listing, PageOf, Problem, Query, Reply, World};
use events::Announced;
use events::catalog::CategoryChangedV1;
use serde::{Deserialize, Serialize};
use table::{Key, Story};

/// Levels of the tree; a walk to the root ends there.
const DEPTH_MAX: usize = 10;
/// What a category is called in events, before its handle.
const SUBJECT: &str = "category-";

#[derive(Debug, Clone, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CategoryView {
    handle: String,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent: Option<String>,
}

fn view(node: &CategoryNode) -> CategoryView {
    let CategoryNode { handle, name, parent } = node;
    let parent = parent.as_ref().map(ToString::to_string);
    CategoryView { handle: handle.to_string(), name: name.to_string(), parent }
}

fn told(node: &CategoryNode) -> Story {
    let parent = node.parent.as_ref().map(ToString::to_string);
    Story::new([Announced::of(&CategoryChangedV1 { category: node.handle.to_string(), parent })])
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct CreateCategory {
    /// Its name in URLs, rules and lines; never changes.
    #[cfg_attr(feature = "schema", schemars(with = "Category"))]
    handle: String,
    #[cfg_attr(feature = "schema", schemars(with = "Name"))]
    name: String,
    /// The category above it.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    parent: Option<String>,
}

pub(crate) async fn create(
    State(world): State<World>,
    command: Command<CreateCategory>,
) -> Result<Reply<CategoryView>, Problem> {
    let m = &command.caller.marketplace;
    let mut check = Check::new();
    let handle = check.parse::<Category>("handle", &command.body.handle);
    let name = check.parse::<Name>("name", &command.body.name);
    let parent = check.maybe::<Category>("parent", command.body.parent.as_deref());
    check.done()?;
    let (Some(handle), Some(name)) = (handle, name) else { return Err(Problem::internal()) };
    let node = CategoryNode { handle, name, parent };
    let key = |subject: &str| Some(Key::category(m, &subject.strip_prefix(SUBJECT)?.parse().ok()?));
    let make = || async {
        place(&world, m, &node).await?;
        Ok(Fresh { id: format!("{SUBJECT}{}", node.handle), story: told(&node), thing: node.clone() })
    };
    let taken = |node: &CategoryNode| {
        Problem::new(409, "category_taken", "There is a category of this handle")
            .with(format!("`{}` is taken", node.handle))
    };
    create_one(&world, &command, key, make, taken, view).await
}

/// Its parent is there, and not below it.
async fn place(world: &World, m: &MarketplaceId, node: &CategoryNode) -> Result<(), Problem> {
    let Some(parent) = &node.parent else { return Ok(()) };
    let mut ancestors: Vec<Category> = Vec::new();
    let mut above = Some(parent.clone());
    while let Some(handle) = above {
        let held = world.table.load::<CategoryNode>(&Key::category(m, &handle)).await?;
        let mut check = Check::new();
        if held.is_none() {
            check.wrong("parent", "unknown", format!("there is no category `{handle}`"));
        }
        if ancestors.len() >= DEPTH_MAX {
            check.wrong("parent", "range", format!("categories lie at most {DEPTH_MAX} deep"));
        }
        check.done()?;
        above = held.and_then(|held| held.value.parent);
        ancestors.push(handle);
        check_parent(&node.handle, parent, &ancestors)?;
    }
    Ok(())
}

/// What is absent stays as it is.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct ChangeCategory {
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Name>"))]
    name: Option<String>,
    /// Null makes it a root.
    #[serde(default, deserialize_with = "crate::given")]
    #[cfg_attr(feature = "schema", schemars(with = "Option<Category>"))]
    parent: Option<Option<String>>,
}

pub(crate) async fn change(
    State(world): State<World>,
    Path(handle): Path<String>,
    command: Command<ChangeCategory>,
) -> Result<Reply<CategoryView>, Problem> {
    let m = &command.caller.marketplace;
    let handle: Category = handle.parse().map_err(|_| Problem::not_found("category"))?;
    let mut check = Check::new();
    let name = check.maybe::<Name>("name", command.body.name.as_deref());
    let parent = command.body.parent.as_ref();
    let parent = parent.map(|parent| check.maybe::<Category>("parent", parent.as_deref()));
    check.done()?;
    let (world, name, parent) = (&world, &name, &parent);
    let decide = |before: CategoryNode| async move {
        let mut next = before.clone();
        next.name = name.clone().unwrap_or(next.name);
        next.parent = parent.clone().unwrap_or(next.parent);
        place(world, m, &next).await?;
        Ok((next != before).then(|| (next.clone(), told(&next))))
    };
    let (key, subject) = (Key::category(m, &handle), format!("{SUBJECT}{handle}"));
    change_one(world, &command, (&key, &subject, "category"), decide, view).await
}

pub(crate) async fn one(
    State(world): State<World>,
    Path(handle): Path<String>,
    query: Query<NoParameters>,
) -> Result<Reply<CategoryView>, Problem> {
    let handle: Category = handle.parse().map_err(|_| Problem::not_found("category"))?;
    let key = Key::category(&query.caller.marketplace, &handle);
    let held = world.table.load::<CategoryNode>(&key).await?;
    let held = held.ok_or_else(|| Problem::not_found("category"))?;
    Ok(Reply::ok(view(&held.value)).revision(held.revision()))
}

pub(crate) async fn list(
    State(world): State<World>,
    query: Query<PageOf>,
) -> Result<Reply<Listing<CategoryView>>, Problem> {
    let paging = query.parameters.read()?;
    let page = world.table.categories(&query.caller.marketplace, paging.limit, paging.after.as_ref()).await?;
    Ok(Reply::ok(Listing::of(page, |node| view(&node))))
}
