//! Rows of categories: `external_id` is the handle, `title` the name, `categories` the way from the root to it, itself
//! or not. What is above a row and not there yet is made with it, under the names that a list of titles gives along
//! the way, so that rows may come in any order.

use crate::rows::{Job, Outcome, Said, What, bad};
use domain::catalog::{CategoryNode, check_parent};
use domain::import::BadCell;
use domain::pim::data::Data;
use domain::pim::exchange::Field;
use domain::text::{Category, Name};
use edge::command::Overtaken;
use edge::{Again, World};
use events::Announced;
use events::catalog::CategoryChangedV1;
use std::collections::BTreeMap;
use table::{Commit, Held, Key, Story};

/// Levels of the tree.
const DEPTH_MAX: usize = 10;

/// The tree as far as it was looked at.
#[derive(Default)]
struct Tree(BTreeMap<Category, Option<Held<CategoryNode>>>);

impl Tree {
    async fn look(&mut self, job: &Job<'_>, handle: &Category) -> Result<Option<CategoryNode>, Again> {
        if !self.0.contains_key(handle) {
            let held = job.world.table.load::<CategoryNode>(&Key::category(job.m, handle)).await?;
            self.0.insert(handle.clone(), held);
        }
        Ok(self.0.get(handle).and_then(Option::as_ref).map(|held| held.value.clone()))
    }

    /// Handles from a node up to its root; none where there are too many.
    async fn above(&mut self, job: &Job<'_>, node: &Category) -> Result<Option<Vec<Category>>, Again> {
        let (mut above, mut next) = (Vec::new(), Some(node.clone()));
        while let Some(handle) = next {
            if above.len() >= DEPTH_MAX {
                return Ok(None);
            }
            next = self.look(job, &handle).await?.and_then(|node| node.parent);
            above.push(handle);
        }
        Ok(Some(above))
    }

    /// The node as it is to be, written if it is not so. What is there keeps its name where `fill` alone is asked for.
    async fn put(&mut self, job: &Job<'_>, node: CategoryNode, fill: bool) -> Result<What, Again> {
        let Some(before) = self.0.get(&node.handle).cloned() else { return Err(Again::Busy) };
        let what = match &before {
            Some(held) if fill || held.value == node => return Ok(What::Unchanged),
            Some(_) => What::Changed,
            None => What::Created,
        };
        if !job.import.dry_run {
            let parent = node.parent.as_ref().map(ToString::to_string);
            let told = CategoryChangedV1 { category: node.handle.to_string(), parent };
            let (story, subject) = (Story::new([Announced::of(&told)]), format!("category-{}", node.handle));
            let commit = Commit::new(job.m, job.context);
            let commit = match &before {
                Some(held) => commit.change(held, &node, &subject, story),
                None => commit.begin(&node, &subject, story, Overtaken),
            };
            let sent = commit.send(&job.world.table).await;
            if sent.is_err() {
                self.0.remove(&node.handle);
            }
            sent?;
        }
        let revision = before.as_ref().map_or(1, Held::next_step);
        self.0.insert(node.handle.clone(), Some(Held::written(node, revision)));
        Ok(what)
    }
}

/// A row's category, and those above it from the root.
struct Wish {
    node: CategoryNode,
    above: Vec<(Category, Name)>,
}

/// A row that can be read, and what it asks for or what is wrong with it.
type Wished = (Option<Said>, Result<Wish, Vec<BadCell>>);

fn texts(data: Option<&Data>) -> Vec<String> {
    let text = |data: &Data| match data {
        Data::Text(text) => Some(text.trim().to_owned()),
        Data::Whole(number) => Some(number.to_string()),
        Data::Null | Data::Bool(_) | Data::List(_) | Data::Map(_) => None,
    };
    match data {
        Some(Data::List(items)) => items.iter().filter_map(text).collect(),
        Some(data) => text(data).into_iter().collect(),
        None => Vec::new(),
    }
}

fn wish(said: &Said) -> Result<Wish, Vec<BadCell>> {
    let mut wrong = Vec::new();
    let mut tell = |field: Field, what: String, todo: &str| {
        wrong.push(bad(&said.row, said.mapped.source(field), what, todo));
    };
    let fields = &said.mapped.fields;
    let handle = texts(fields.get(&Field::ExternalId)).pop().unwrap_or_default().parse::<Category>();
    let handle = handle.map_err(|error| {
        tell(Field::ExternalId, error.to_string(), "write a handle, or give its mapping the step `code`");
    });
    let mut names = texts(fields.get(&Field::Title));
    let name = names.pop().unwrap_or_default().parse::<Name>();
    let name = name.map_err(|error| tell(Field::Title, error.to_string(), "fill the cell"));
    let mut way = Vec::new();
    for text in texts(fields.get(&Field::Categories)) {
        match text.parse::<Category>() {
            Ok(handle) => way.push(handle),
            Err(error) => tell(Field::Categories, error.to_string(), "write handles of categories"),
        }
    }
    let (Ok(handle), Ok(name), true) = (handle, name, wrong.is_empty()) else { return Err(wrong) };
    if way.last() == Some(&handle) {
        way.pop();
    }
    let parent = way.last().cloned();
    let named = |(at, handle): (usize, Category)| {
        let name = names.get(at).and_then(|name| name.parse().ok());
        let name = name.or_else(|| handle.as_str().parse().ok());
        name.map(|name| (handle, name))
    };
    let above = way.into_iter().enumerate().filter_map(named).collect();
    Ok(Wish { node: CategoryNode { handle, name, parent }, above })
}

pub(crate) async fn write(
    job: &Job<'_>,
    rows: Vec<Result<Said, Vec<BadCell>>>,
) -> Result<Vec<Outcome>, Again> {
    let wishes: Vec<Wished> = rows
        .into_iter()
        .map(|row| match row {
            Ok(said) => {
                let wish = wish(&said);
                (Some(said), wish)
            }
            Err(wrong) => (None, Err(wrong)),
        })
        .collect();
    let mut tree = look(job.world, job, &wishes).await?;
    let mut outcomes = Vec::with_capacity(wishes.len());
    for (said, wish) in wishes {
        outcomes.push(match (said, wish) {
            (Some(said), Ok(wish)) => one(job, &mut tree, &said, &wish).await?,
            (_, Err(wrong)) => Err(wrong),
            (None, Ok(_)) => Err(Vec::new()),
        });
    }
    Ok(outcomes)
}

/// All that the rows name, in one read.
async fn look(world: &World, job: &Job<'_>, wishes: &[Wished]) -> Result<Tree, Again> {
    let wishes = wishes.iter().filter_map(|(_, wish)| wish.as_ref().ok());
    let handles =
        wishes.flat_map(|wish| wish.above.iter().map(|(handle, _)| handle).chain([&wish.node.handle]));
    let mut tree = Tree(handles.map(|handle| (handle.clone(), None)).collect());
    let keys: Vec<Key> = tree.0.keys().map(|handle| Key::category(job.m, handle)).collect();
    for held in world.table.load_all::<CategoryNode>(&keys).await? {
        tree.0.insert(held.value.handle.clone(), Some(held));
    }
    Ok(tree)
}

async fn one(job: &Job<'_>, tree: &mut Tree, said: &Said, wish: &Wish) -> Result<Outcome, Again> {
    let refuse = |what: String| {
        let column = said.mapped.source(Field::Categories);
        Ok(Err(vec![bad(&said.row, column, what, "correct the way to the category")]))
    };
    if wish.above.len() >= DEPTH_MAX {
        return refuse(format!("categories lie at most {DEPTH_MAX} deep"));
    }
    let mut parent = None;
    for (handle, name) in &wish.above {
        tree.look(job, handle).await?;
        let node = CategoryNode { handle: handle.clone(), name: name.clone(), parent: parent.take() };
        tree.put(job, node, true).await?;
        parent = Some(handle.clone());
    }
    if let Some(parent) = &wish.node.parent {
        let Some(above) = tree.above(job, parent).await? else {
            return refuse(format!("categories lie at most {DEPTH_MAX} deep"));
        };
        if let Err(refused) = check_parent(&wish.node.handle, parent, &above) {
            return refuse(refused.to_string());
        }
    }
    tree.look(job, &wish.node.handle).await?;
    Ok(Ok(tree.put(job, wish.node.clone(), false).await?))
}
