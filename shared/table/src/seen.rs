//! A product with its sheet, read together; and its sheet written anew, with the change as a version of its history.

use crate::sheet::{Described, Figure, SheetVersion};
use crate::{Commit, Fault, Held, Key, Story, Table};
use domain::catalog::Product;
use domain::id::{MarketplaceId, ProductId};
use domain::pim::family::{Cell, Completeness, Model};
use domain::pim::history::Change;
use domain::pim::quality::{Beside, Quality, score};
use domain::pim::sheet::{Content, Patch, Refused, Sheet};
use domain::pim::translation::{follow, stale};
use domain::text::Reason;
use events::Context;
use events::catalog::product_described;
use std::fmt::Debug;

/// A product with its sheet, and the words to judge it by.
#[derive(Debug, Clone)]
pub struct Seen {
    pub product: Product,
    held: Option<Held<Described>>,
    pub sheet: Sheet,
}

impl Seen {
    /// In one batch read; none where there is no product.
    pub async fn load(table: &Table, m: &MarketplaceId, id: &ProductId) -> Result<Option<Self>, Fault> {
        let (product, sheet) = (Key::product(m, id), Key::sheet(m, id));
        let mut read = table.read(&[product.clone(), sheet.clone()]).await?;
        let Some(product) = read.take::<Product>(&product)? else { return Ok(None) };
        Ok(Some(Self::new(product.value, read.take(&sheet)?)))
    }

    /// A product, with what was found of its sheet.
    pub fn new(product: Product, held: Option<Held<Described>>) -> Self {
        let sheet =
            held.as_ref().map_or_else(|| Sheet::blank(product.id.clone()), |held| held.value.sheet.clone());
        Self { product, held, sheet }
    }

    pub fn revision(&self) -> u64 {
        self.held.as_ref().map_or(0, Held::revision)
    }

    pub fn numbers(&self) -> Vec<u16> {
        self.product.variants.iter().map(|variant| variant.number).collect()
    }

    /// What is the same wherever it is judged.
    fn beside(&self) -> Beside {
        let count = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        let with_gtin = self.product.variants.iter().filter(|variant| variant.gtin.is_some());
        Beside { variants: count(self.product.variants.len()), with_gtin: count(with_gtin.count()) }
    }

    /// Completeness, and the quality of each channel in each of its languages; without a family there is neither.
    pub fn judge(&self, content: &Content, model: &Model) -> (Completeness, Vec<Quality>) {
        let completeness = Completeness::of(content, model, &self.numbers());
        let (beside, stale) = (self.beside(), stale(content));
        let places = completeness.cells.iter().map(|cell| (&cell.channel, &cell.locale));
        let quality = places.map(|place| score(content, model, place, beside, &stale)).collect();
        (completeness, quality)
    }

    fn figures(&self, content: &Content, model: &Model) -> Vec<Figure> {
        let (completeness, quality) = self.judge(content, model);
        let figure = |(cell, quality): (&Cell, Quality)| Figure {
            channel: cell.channel.clone(),
            locale: cell.locale.clone(),
            complete: cell.percent(),
            quality: quality.score,
        };
        completeness.cells.iter().zip(quality).map(figure).collect()
    }

    /// The sheet after an edit by hand; what it says in other languages follows the source from then on.
    pub fn patched(&self, patch: &Patch, model: &Model) -> Result<Sheet, Refused> {
        let sheet = self.sheet.patch(patch, model, &self.numbers())?;
        match &model.source {
            Some(source) => follow(&self.sheet, sheet, source),
            None => Ok(sheet),
        }
    }

    /// The sheet after a change, as it is kept.
    pub fn described(&self, sheet: &Sheet, model: &Model) -> Described {
        Described { figures: self.figures(&sheet.content, model), sheet: sheet.clone() }
    }

    /// The sheet after a change, the change as a version, and the story: nothing, where nothing is said otherwise.
    /// `refusal`: what it means that somebody was quicker.
    pub fn rewrite<'a, C: Debug + Clone>(
        &self,
        commit: Commit<'a, C>,
        context: &Context,
        (sheet, model): (Sheet, &Model),
        (reason, refusal): (Option<&Reason>, C),
    ) -> Commit<'a, C> {
        let change = Change::of(&self.sheet, &sheet, context.at, &context.actor, reason.cloned());
        let Some(change) = change else { return commit };
        let (product, subject) = (self.product.id.clone(), format!("{}-sheet", self.product.id));
        let story = Story::new([product_described(&self.product, &change)]);
        let next = self.described(&sheet, model);
        let commit = match &self.held {
            Some(held) => commit.change(held, &next, &subject, story),
            None => commit.begin(&next, &subject, story, refusal.clone()),
        };
        commit.add(&SheetVersion { product, change }, refusal)
    }
}
