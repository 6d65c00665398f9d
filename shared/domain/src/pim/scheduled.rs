//! A change of what a product says that waits for its time, from its plan until it is made, or cannot be.
//!
//! `waiting → done | failed | canceled`, exactly once. What it was to replace may have become something else: then it
//! fails and says what, and nothing is said otherwise; so it does where the product has become another.

use crate::catalog::Product;
use crate::id::{MerchantId, ProductId, ScheduledChangeId};
use crate::pim::history::Scheduled;
use crate::pim::sheet::Sheet;
use crate::text::Text;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScheduledChange {
    pub id: ScheduledChangeId,
    pub product: ProductId,
    /// Who kept the product when it was planned; none is the marketplace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merchant: Option<MerchantId>,
    pub planned_at: Timestamp,
    pub plan: Scheduled,
    pub stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "at", rename_all = "snake_case")]
pub enum Stage {
    Waiting,
    Done {
        since: Timestamp,
        /// The version that it made; what was said so already made none, and this is the one that says so.
        version: u32,
    },
    Failed {
        since: Timestamp,
        why: Text,
    },
    Canceled {
        since: Timestamp,
        by: String,
    },
}

impl Stage {
    /// Its name at rest and in the API.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Done { .. } => "done",
            Self::Failed { .. } => "failed",
            Self::Canceled { .. } => "canceled",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is {0} already: only what waits can be canceled")]
pub struct Settled(&'static str);

impl ScheduledChange {
    pub fn waits(&self) -> bool {
        matches!(self.stage, Stage::Waiting)
    }

    pub fn canceled(&self, by: &str, now: Timestamp) -> Result<Self, Settled> {
        if !self.waits() {
            return Err(Settled(self.stage.word()));
        }
        Ok(Self { stage: Stage::Canceled { since: now, by: by.to_owned() }, ..self.clone() })
    }

    /// What becomes of it and of the product's sheet at a moment; none while it is early, or once it is settled.
    pub fn performed(
        &self,
        product: &Product,
        current: &Sheet,
        now: Timestamp,
    ) -> Option<(Self, Option<Sheet>)> {
        if !self.waits() || now < self.plan.due {
            return None;
        }
        let made = product.unmerged().map_err(|merged| merged.to_string());
        let made = made.and_then(|()| self.plan.perform(current, now).map_err(|why| why.to_string()));
        match made {
            Ok(next) => {
                let stage = Stage::Done { since: now, version: next.version };
                let news = (next != *current).then_some(next);
                Some((Self { stage, ..self.clone() }, news))
            }
            Err(why) => {
                let why = why.parse().ok()?;
                Some((Self { stage: Stage::Failed { since: now, why }, ..self.clone() }, None))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::ProductStatus;
    use crate::pim::history::Diff;
    use crate::pim::sheet::tests::{edit, patched};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    const RED: &str = r#"{"values":{"color":[{"data":"red"}]}}"#;
    const BLUE: &str = r#"{"values":{"color":[{"data":"blue"}]}}"#;
    const NONE: &str = r#"{"values":{"color":null}}"#;

    fn shirt() -> Product {
        Product {
            id: ProductId::from_bits(1),
            merchant: None,
            external_id: None,
            title: "Shirt".parse().unwrap(),
            description: None,
            categories: Vec::new(),
            axes: Vec::new(),
            variants: Vec::new(),
            status: ProductStatus::Active,
            created_at: at(0),
            cover: None,
            merged: None,
        }
    }

    /// From red to blue at second 10.
    fn planned() -> (Sheet, ScheduledChange) {
        let red = patched(RED);
        let diff = Diff::between(&red.content, &edit(&red, BLUE).content);
        let plan = Scheduled { due: at(10), by: "person:x".to_owned(), reason: None, diff };
        let (id, product) = (ScheduledChangeId::from_bits(1), red.product.clone());
        let stage = Stage::Waiting;
        (red, ScheduledChange { id, product, merchant: None, planned_at: at(1), plan, stage })
    }

    #[test]
    fn it_is_made_at_its_time_and_once() {
        let (red, change) = planned();
        assert_eq!(change.performed(&shirt(), &red, at(9)), None);
        let (done, sheet) = change.performed(&shirt(), &red, at(10)).unwrap();
        assert_eq!(done.stage, Stage::Done { since: at(10), version: 2 });
        assert_eq!(sheet.unwrap().content, edit(&red, BLUE).content);
        assert_eq!(done.performed(&shirt(), &red, at(11)), None);
        assert_eq!(done.canceled("x", at(11)).unwrap_err(), Settled("done"));
    }

    #[test]
    fn what_says_so_already_makes_no_version() {
        let (red, change) = planned();
        let blue = edit(&red, BLUE);
        let (done, sheet) = change.performed(&shirt(), &blue, at(10)).unwrap();
        assert_eq!((done.stage, sheet), (Stage::Done { since: at(10), version: 2 }, None));
    }

    #[test]
    fn what_was_changed_meanwhile_is_not_overwritten_and_it_says_where() {
        let (red, change) = planned();
        let (failed, sheet) = change.performed(&shirt(), &edit(&red, NONE), at(10)).unwrap();
        assert_eq!(sheet, None);
        let why = "1 of what it was to replace has changed meanwhile, first: values/color".parse().unwrap();
        assert_eq!(failed.stage, Stage::Failed { since: at(10), why });
    }

    #[test]
    fn of_a_product_that_has_become_another_nothing_is_said_any_more() {
        let (red, change) = planned();
        let other = ProductId::from_bits(2);
        let merged = shirt().merged_into(&other, std::collections::BTreeMap::new());
        assert_eq!(change.performed(&merged, &red, at(9)), None);
        let (failed, sheet) = change.performed(&merged, &red, at(10)).unwrap();
        let why = format!("the product has become {other}: change that one").parse().unwrap();
        assert_eq!((failed.stage, sheet), (Stage::Failed { since: at(10), why }, None));
    }

    #[test]
    fn what_is_canceled_is_never_made() {
        let (red, change) = planned();
        let canceled = change.canceled("person:y", at(5)).unwrap();
        assert_eq!(canceled.stage.word(), "canceled");
        assert_eq!(canceled.performed(&shirt(), &red, at(10)), None);
    }
}
