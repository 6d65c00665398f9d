//! Rows of translations, as a file of an export has them: all of a part that are of one product are one version of its
//! sheet. A row without a translation says nothing, and nothing is looked at for it.

use crate::rows::{Job, Outcome, Said, What, bad, flaw};
use crate::wish::Reading;
use domain::id::ProductId;
use domain::import::BadCell;
use domain::pim::attribute::{Flaw, Place};
use domain::pim::data::Data;
use domain::pim::exchange::Field;
use domain::pim::family::Model;
use domain::pim::sheet::{Refused, Slot};
use domain::pim::translation::file::{Digests, Returned, Took, take_back};
use domain::pim::translation::{NotTaken, Status};
use domain::text::{Channel, Code, Locale};
use edge::Again;
use edge::command::Overtaken;
use futures::future::join_all;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use table::seen::Seen;
use table::{Commit, Key};

/// Products that are written at once.
const AT_ONCE: usize = 16;
const RESTORE: &str = "put back what the row went out with";

/// A row that says something: where it stands in the part, and what it is about.
struct Line {
    at: usize,
    said: Said,
    returned: Returned,
}

/// Lines by product, in the order of the file.
type Lines = BTreeMap<ProductId, Vec<Line>>;

pub(crate) async fn write(
    job: &Job<'_>,
    rows: Vec<Result<Said, Vec<BadCell>>>,
) -> Result<Vec<Outcome>, Again> {
    let (mut outcomes, mut lines): (Vec<Outcome>, _) = (Vec::with_capacity(rows.len()), Lines::new());
    for (at, row) in rows.into_iter().enumerate() {
        let read = row.and_then(|said| Ok((returned(&said)?, said)));
        outcomes.push(read.map(|(returned, said)| {
            if let Some((product, returned)) = returned {
                lines.entry(product).or_default().push(Line { at, said, returned });
            }
            What::Unchanged
        }));
    }
    if lines.is_empty() {
        return Ok(outcomes);
    }
    let mut found = look(job, &lines).await?;
    let model = model(job, found.values(), lines.values().flatten()).await?;
    let (lines, model): (Vec<_>, _) = (lines.into_iter().collect(), &model);
    for some in lines.chunks(AT_ONCE) {
        let ones = some.iter().map(|(id, lines)| (id, lines, found.remove(id)));
        let done = join_all(ones.map(|(id, lines, seen)| one(job, id, lines, seen, model))).await;
        for ((_, lines), done) in some.iter().zip(done) {
            for (line, outcome) in lines.iter().zip(done?) {
                if let Some(slot) = outcomes.get_mut(line.at) {
                    *slot = outcome;
                }
            }
        }
    }
    Ok(outcomes)
}

/// What a row says, or all that is wrong with it by itself; nothing, where nobody has filled it.
fn returned(said: &Said) -> Result<Option<(ProductId, Returned)>, Vec<BadCell>> {
    let target = match said.mapped.fields.get(&Field::Target) {
        None => return Ok(None),
        Some(Data::Text(text)) if text.trim().is_empty() => return Ok(None),
        Some(Data::Text(text)) => Some(text.clone()),
        Some(Data::Whole(number)) => Some(number.to_string()),
        // The profile says that an empty cell takes away what is there.
        Some(Data::Null) => None,
        Some(Data::Bool(_) | Data::List(_) | Data::Map(_)) => {
            let column = said.mapped.source(Field::Target);
            return Err(vec![bad(&said.row, column, "it is no text", "correct the cell")]);
        }
    };
    let mut reading = Reading::new(said);
    let product = reading.needed::<ProductId>((Field::Product, "product"), RESTORE);
    let attribute = reading.needed::<Code>((Field::Attribute, "attribute"), RESTORE);
    let from = reading.needed::<Locale>((Field::SourceLocale, "source_locale"), RESTORE);
    let to = reading.needed::<Locale>((Field::TargetLocale, "target_locale"), RESTORE);
    let digests = reading.needed::<Digests>((Field::Digest, "digest"), RESTORE);
    let variant = reading.parsed::<u16>(Field::Variant, RESTORE).flatten();
    let channel = reading.parsed::<Channel>(Field::Channel, RESTORE).flatten();
    let status =
        reading.parsed::<Status>(Field::Status, "write `done` or `draft`, or leave what stood there");
    let (Some(product), Some(attribute), Some(from), Some(to), Some(digests), true) =
        (product, attribute, from, to, digests, reading.bad.is_empty())
    else {
        return Err(reading.bad);
    };
    let slot = Slot { variant, attribute, place: Place { locale: Some(to), channel } };
    Ok(Some((product, Returned { slot, from, digests, target, status: status.flatten() })))
}

/// Products that rows name and that are the import's to write, with their sheets.
async fn look(job: &Job<'_>, lines: &Lines) -> Result<BTreeMap<ProductId, Seen>, Again> {
    let keys: Vec<Key> =
        lines.keys().flat_map(|id| [Key::product(job.m, id), Key::sheet(job.m, id)]).collect();
    let mut read = job.world.table.read(&keys).await?;
    let mut found = BTreeMap::new();
    for id in lines.keys() {
        let Some(product) = read.take(&Key::product(job.m, id))? else { continue };
        let seen = Seen::new(product.value, read.take(&Key::sheet(job.m, id))?);
        if is_kept(job, &seen) {
            found.insert(id.clone(), seen);
        }
    }
    Ok(found)
}

/// A merchant's import writes what the merchant keeps, the operators' own whatever rows name.
fn is_kept(job: &Job<'_>, seen: &Seen) -> bool {
    job.import.merchant.is_none() || seen.product.merchant == job.import.merchant
}

async fn model<'a>(
    job: &Job<'_>,
    seen: impl Iterator<Item = &'a Seen>,
    lines: impl Iterator<Item = &'a Line>,
) -> Result<Model, Again> {
    let families: BTreeSet<Code> = seen.filter_map(|seen| seen.sheet.content.family()).collect();
    let families: Vec<Code> = families.into_iter().collect();
    let attributes = lines.map(|line| line.returned.slot.attribute.clone()).collect();
    Ok(job.world.table.model(job.m, &families, attributes).await?)
}

/// The rows of one product, with what was found of it, or found anew while others write.
async fn one(
    job: &Job<'_>,
    id: &ProductId,
    lines: &[Line],
    found: Option<Seen>,
    words: &Model,
) -> Result<Vec<Outcome>, Again> {
    let (first, found) = (&AtomicBool::new(true), &found);
    job.world
        .until_free(|| async move {
            let (mut seen, mut anew) = (found.clone(), None);
            if !first.swap(false, Ordering::Relaxed) {
                seen = Seen::load(&job.world.table, job.m, id).await?.filter(|seen| is_kept(job, seen));
                anew = Some(model(job, seen.iter(), lines.iter()).await?);
            }
            let each = |wrong: &str, field: Option<Field>, todo: &str| {
                let one = |line: &Line| {
                    let column = field.and_then(|field| line.said.mapped.source(field));
                    Err(vec![bad(&line.said.row, column, wrong, todo)])
                };
                Ok(lines.iter().map(one).collect())
            };
            let Some(seen) = seen else {
                return each("there is no such product of yours", Some(Field::Product), "leave the row out");
            };
            if let Some(merged) = &seen.product.merged {
                let wrong = format!("its product and {} are one by now", merged.into);
                return each(&wrong, Some(Field::Product), "leave the row out, or translate that product");
            }
            let model = anew.as_ref().unwrap_or(words);
            let returned: Vec<Returned> = lines.iter().map(|line| line.returned.clone()).collect();
            let (sheet, took) = match take_back(&seen.sheet, &returned, model, &seen.numbers()) {
                Ok(taken) => taken,
                Err(refused) => return each(&refused.to_string(), None, "send its rows in several files"),
            };
            if !job.import.dry_run {
                let commit: Commit<'_, Overtaken> = Commit::new(job.m, job.context);
                let commit = seen.rewrite(commit, job.context, (sheet, model), (None, Overtaken));
                commit.send(&job.world.table).await?;
            }
            Ok(lines
                .iter()
                .zip(took)
                .map(|(line, took)| took.map(what).map_err(|not| refused(&line.said, &not)))
                .collect())
        })
        .await
}

fn what(took: Took) -> What {
    match took {
        Took::Created => What::Created,
        Took::Changed => What::Changed,
        Took::Same => What::Unchanged,
    }
}

/// Why a row was not taken, led back to its columns.
fn refused(said: &Said, not: &NotTaken) -> Vec<BadCell> {
    let tell =
        |field: Field, todo: &str| vec![bad(&said.row, said.mapped.source(field), not.to_string(), todo)];
    let again = "export the row again, and translate what it says now";
    match not {
        NotTaken::Overtaken => tell(Field::Target, "export the row again, and compare the two"),
        NotTaken::NoTarget => tell(Field::TargetLocale, RESTORE),
        NotTaken::Gone => tell(Field::Digest, "leave the row out"),
        NotTaken::Changed => tell(Field::Digest, again),
        NotTaken::Refused(Refused::Wrong(wrongs)) => {
            let one = |wrong: &domain::pim::attribute::Wrong| {
                let column = said.mapped.source(blamed(&wrong.flaw));
                flaw(&said.row, column, &wrong.flaw)
            };
            wrongs.iter().map(one).collect()
        }
        NotTaken::Refused(Refused::TooLarge { .. } | Refused::ChangeTooLarge { .. }) => {
            tell(Field::Target, "shorten it")
        }
    }
}

/// The cell that a flaw is about: whatever is not about the place is about the text.
fn blamed(flaw: &Flaw) -> Field {
    match flaw {
        Flaw::Attribute(_) => Field::Attribute,
        Flaw::Scope { .. } | Flaw::Place(_) => Field::TargetLocale,
        Flaw::Type { .. }
        | Flaw::TypeChange { .. }
        | Flaw::Empty
        | Flaw::Required
        | Flaw::Long { .. }
        | Flaw::Unprintable
        | Flaw::NotANumber(_)
        | Flaw::NotWhole(_)
        | Flaw::Decimals { .. }
        | Flaw::Below { .. }
        | Flaw::Above { .. }
        | Flaw::Unit { .. }
        | Flaw::Currency(_)
        | Flaw::Money(_)
        | Flaw::Date(_)
        | Flaw::Choice(_)
        | Flaw::Twice(_)
        | Flaw::Count { .. }
        | Flaw::Unknown(_)
        | Flaw::Missing(_)
        | Flaw::Reference { .. }
        | Flaw::Name(_)
        | Flaw::Variant(_) => Field::Target,
    }
}
