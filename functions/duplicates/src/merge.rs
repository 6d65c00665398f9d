//! A person says what a pair is: two after all, or one.

use crate::show::{DuplicateView, loaded, view};
use axum::extract::{Path, State};
use domain::catalog::{Product, ProductStatus};
use domain::id::{MarketplaceId, ProductId};
use domain::pim::duplicate::{Duplicate, Stage, matched};
use domain::pim::likeness::merge as merged;
use domain::text::Reason;
use edge::change::change as change_one;
use edge::{Check, Command, Overtaken, Problem, Reply, World};
use events::catalog::{duplicate_changed, product_changed, product_merged};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet};
use table::seen::Seen;
use table::sheet::Described;
use table::{Commit, Held, Key, Loaded, Story};

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct DismissDuplicate {
    #[cfg_attr(feature = "schema", schemars(with = "Reason"))]
    reason: String,
}

pub(crate) async fn dismiss(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<DismissDuplicate>,
) -> Result<Reply<DuplicateView>, Problem> {
    let mut check = Check::new();
    let reason = check.parse::<Reason>("reason", &command.body.reason);
    check.done()?;
    let Some(reason) = reason else { return Err(Problem::internal()) };
    let id = crate::show::id(&id)?;
    let (since, by) = (world.now(), command.caller.actor.clone());
    let stage = &Stage::Dismissed { since, by, reason };
    let decide = |pair: Duplicate| async move {
        let next = pair.resolved(stage.clone())?;
        let story = Story::new([duplicate_changed(&next)]);
        Ok(Some((next, story)))
    };
    let key = Key::duplicate(&command.caller.marketplace, &id);
    change_one(&world, &command, (&key, id.as_str(), "duplicate"), decide, view).await
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub(crate) struct MergeDuplicate {
    /// The one of the two that stays.
    #[cfg_attr(feature = "schema", schemars(with = "ProductId"))]
    keep: String,
    /// Which of its variants each variant of the other one is, by number, where that is not clear: GTINs or values are
    /// the same, or there is one of each.
    #[serde(default)]
    #[cfg_attr(feature = "schema", schemars(with = "BTreeMap<domain::says::VariantNumber, u16>"))]
    variants: BTreeMap<String, u16>,
}

/// Both products, as they are now.
struct Both {
    keep: Held<Product>,
    keep_sheet: Seen,
    gone: Held<Product>,
    gone_sheet: Seen,
}

impl Both {
    async fn load(
        world: &World,
        m: &MarketplaceId,
        keep: &ProductId,
        gone: &ProductId,
    ) -> Result<Self, Problem> {
        let products = [keep, gone].map(|product| Key::product(m, product));
        let sheets = [keep, gone].map(|product| Key::sheet(m, product));
        let keys: Vec<Key> = products.iter().chain(&sheets).cloned().collect();
        let mut read = world.table.read(&keys).await?;
        let [keep, gone] = products.map(|key| read.take::<Product>(&key));
        let missing = || Problem::not_found("product");
        let (keep, gone) = (keep?.ok_or_else(missing)?, gone?.ok_or_else(missing)?);
        for product in [&keep.value, &gone.value] {
            if product.status == ProductStatus::Archived {
                let detail = format!("{} is archived", product.id);
                return Err(Problem::new(409, "unmergeable", "The two cannot become one").with(detail));
            }
        }
        let seen = |held: &Held<Product>, read: &mut Loaded| {
            let sheet = read.take::<Described>(&Key::sheet(m, &held.value.id))?;
            Ok::<_, Problem>(Seen::new(held.value.clone(), sheet))
        };
        let (keep_sheet, gone_sheet) = (seen(&keep, &mut read)?, seen(&gone, &mut read)?);
        Ok(Self { keep, keep_sheet, gone, gone_sheet })
    }

    /// Which variant of what stays each variant of what goes is: as it is said, else as it is clear.
    fn numbers(&self, said: &BTreeMap<u16, u16>) -> Result<BTreeMap<u16, u16>, Problem> {
        let mut numbers = matched(&self.keep.value, &self.gone.value);
        numbers.extend(said);
        let mut check = Check::new();
        for variant in &self.gone.value.variants {
            let field = format!("variants.{}", variant.number);
            match numbers.get(&variant.number) {
                None => check.wrong(field, "required", "say which variant of what stays this one is"),
                Some(kept) if self.keep.value.variants.iter().all(|other| other.number != *kept) => {
                    check.wrong(field, "unknown", format!("what stays has no variant {kept}"));
                }
                Some(_) => {}
            }
        }
        for number in said.keys() {
            if self.gone.value.variants.iter().all(|variant| variant.number != *number) {
                let message = format!("what goes has no variant {number}");
                check.wrong(format!("variants.{number}"), "unknown", message);
            }
        }
        check.done()?;
        Ok(numbers)
    }
}

/// The numbers that are said, and which of the two stays.
fn read(
    command: &Command<MergeDuplicate>,
    pair: &Duplicate,
) -> Result<(ProductId, BTreeMap<u16, u16>), Problem> {
    let mut check = Check::new();
    let keep = check.parse::<ProductId>("keep", &command.body.keep);
    if let Some(keep) = keep.as_ref().filter(|keep| !pair.products.contains(keep)) {
        check.wrong("keep", "unknown", format!("{keep} is none of the two"));
    }
    let mut said = BTreeMap::new();
    for (number, kept) in &command.body.variants {
        let number = check.parse::<u16>(format!("variants.{number:.10}"), number);
        said.extend(number.map(|number| (number, *kept)));
    }
    check.done()?;
    Ok((keep.ok_or_else(Problem::internal)?, said))
}

/// One transaction: what stays, what goes, what is said of both, the pair. Offers follow by the event.
pub(crate) async fn merge(
    State(world): State<World>,
    Path(id): Path<String>,
    command: Command<MergeDuplicate>,
) -> Result<Reply<DuplicateView>, Problem> {
    let m = &command.caller.marketplace;
    let (world, command, id) = (&world, &command, &crate::show::id(&id)?);
    world
        .until_free(|| async {
            let held = loaded(world, m, id).await?;
            let (keep, said) = read(command, &held.value)?;
            let (since, by) = (world.now(), command.caller.actor.clone());
            let next = held.value.resolved(Stage::Merged { since, by, kept: keep.clone() });
            if command.repeats(world, held.revision(), next.is_ok()).await? {
                return Ok(Reply::ok(view(&held.value)).revision(held.revision()).replayed());
            }
            let next = next?;
            let both = Both::load(world, m, &keep, held.value.other(&keep)).await?;
            let numbers = both.numbers(&said)?;
            let sheet = merged(&both.keep_sheet.sheet, &both.gone_sheet.sheet, &numbers)?;
            let families = sheet.content.family().into_iter().collect::<Vec<_>>();
            let model = world.table.model(m, &families, BTreeSet::new()).await?;
            let kept = both.keep.value.clone().filled_from(&both.gone.value, &numbers);
            let gone = both.gone.value.clone().merged_into(&keep, numbers);
            let context = command.context(world.now());
            let commit = Commit::new(m, &context);
            let commit = command.remember(commit, context.at, 200, id.as_str(), Overtaken);
            let told = Story::new([duplicate_changed(&next)]);
            let commit = commit.change(&held, &next, id.as_str(), told);
            let told = Story::new(product_merged(&gone).into_iter().chain([product_changed(&gone)]));
            let commit = commit.change(&both.gone, &gone, gone.id.as_str(), told);
            let told = Story::new([product_changed(&kept)]);
            // Written also where nothing of it is new: that it is what it was is what was decided on.
            let commit = commit.change(&both.keep, &kept, kept.id.as_str(), told);
            let reason = "merged".parse::<Reason>().ok();
            let commit =
                both.keep_sheet.rewrite(commit, &context, (sheet, &model), (reason.as_ref(), Overtaken));
            commit.send(&world.table).await?;
            Ok(Reply::ok(view(&next)).revision(held.next_step()))
        })
        .await
}
