//! How well a product is described: 0 to 100 points, and the reason for each that is not given.
//!
//! The rules are in [`score`] and carry a version, so that a figure of before is not compared with one of other rules.
//! What must be said is not here: [`crate::pim::family`] has it.

use crate::pim::attribute::Scope;
use crate::pim::data::Data;
use crate::pim::family::Model;
use crate::pim::rich;
use crate::pim::sheet::{Content, Slot};
use crate::text::{Channel, Code, Locale};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Of the rules below.
pub const RULES: u8 = 1;
/// A title says enough from so many characters on, and too much beyond as many.
pub const TITLE: std::ops::RangeInclusive<usize> = 20..=150;
/// Characters from which on a description says enough.
pub const DESCRIPTION: usize = 300;
/// Pictures from which on a product is shown well.
pub const PICTURES: usize = 4;

/// What the sheet does not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    pub variants: u16,
    /// Variants with a GTIN.
    pub with_gtin: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quality {
    pub rules: u8,
    pub score: u8,
    /// One for each rule, in their order; those with all their points too.
    pub reasons: Vec<Reason>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    pub rule: Rule,
    pub points: u8,
    pub of: u8,
    /// What was counted, and what is wanted.
    pub have: u32,
    pub want: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "QualityRule"))]
pub enum Rule {
    TitleLength,
    DescriptionLength,
    Pictures,
    Gtin,
    OptionalAttributes,
    Translations,
}

/// `have` of `want` in points, rounded down; all of them where nothing is wanted.
fn reason(rule: Rule, of: u8, have: usize, want: usize) -> Reason {
    let count = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let (have, want) = (count(have), count(want));
    let share = u64::from(have.min(want)) * u64::from(of);
    let points = share.checked_div(u64::from(want)).and_then(|points| u8::try_from(points).ok());
    Reason { rule, points: points.unwrap_or(of), of, have, want }
}

/// Of what a channel shows in a language. `stale` are the translations that no longer say what their source says.
pub fn score(
    content: &Content,
    model: &Model,
    (channel, locale): (&Channel, &Locale),
    beside: Beside,
    stale: &BTreeSet<Slot>,
) -> Quality {
    let family = model.family_of(content);
    let scope = |code: &Code| model.attributes.get(code).map_or_else(Scope::default, |a| a.scope);
    let said = |code: &Code| content.value(None, code, &scope(code).place(channel, locale));
    let length = |code: Option<&Code>| code.and_then(said).map_or(0, letters);
    let title = length(family.and_then(|family| family.label.as_ref()));
    let description = length(family.and_then(|family| family.description.as_ref()));
    let optional: Vec<&Code> = family
        .iter()
        .flat_map(|family| &family.attributes)
        .filter(|(_, demand)| !demand.required.contains(channel))
        .map(|(code, _)| code)
        .collect();
    let filled = optional.iter().filter(|code| said(code).is_some()).count();
    let shown = |slot: &&Slot| {
        let Slot { attribute, place, .. } = slot;
        *place == scope(attribute).place(channel, locale)
    };
    let translated = content.values().map(|(slot, _)| slot).filter(shown);
    let translated = translated.filter(|slot| slot.place.locale.is_some()).count();
    let outdated = stale.iter().filter(shown).count();
    let long = title > *TITLE.end();
    let title = if long {
        reason(Rule::TitleLength, 20, 1, 2)
    } else {
        reason(Rule::TitleLength, 20, title, *TITLE.start())
    };
    let reasons = vec![
        title,
        reason(Rule::DescriptionLength, 20, description, DESCRIPTION),
        reason(Rule::Pictures, 20, content.assets().len(), PICTURES),
        reason(Rule::Gtin, 15, beside.with_gtin.into(), beside.variants.into()),
        reason(Rule::OptionalAttributes, 15, filled, optional.len()),
        reason(Rule::Translations, 10, translated.saturating_sub(outdated), translated),
    ];
    let sum: u8 = reasons.iter().map(|reason| reason.points).sum();
    Quality { rules: RULES, score: sum, reasons }
}

/// Characters that are read.
fn letters(data: &Data) -> usize {
    data.as_text().map_or(0, rich::letters)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pim::sheet::tests::{model, patched};

    #[test]
    fn every_point_that_is_missing_has_its_reason() {
        let model = model();
        let title = "x".repeat(10);
        let sheet = patched(&format!(
            r#"{{"family":"shirt","assets":["ast_00000001","ast_00000002"],"values":{{
                "name":[{{"locale":"de","data":"{title}"}}],
                "text":[{{"locale":"de","channel":"web","data":"<p>{}</p>"}}]}}}}"#,
            "y".repeat(150)
        ));
        let (web, de) = ("web".parse().unwrap(), "de".parse().unwrap());
        let stale = sheet.content.values().map(|(slot, _)| slot.clone()).take(1).collect();
        let beside = Beside { variants: 3, with_gtin: 1 };
        let quality = score(&sheet.content, &model, (&web, &de), beside, &stale);
        let told: Vec<_> = quality.reasons.iter().map(|r| (r.rule, r.points, r.of, r.have, r.want)).collect();
        assert_eq!(
            told,
            [
                (Rule::TitleLength, 10, 20, 10, 20),
                (Rule::DescriptionLength, 10, 20, 150, 300),
                (Rule::Pictures, 10, 20, 2, 4),
                (Rule::Gtin, 5, 15, 1, 3),
                (Rule::OptionalAttributes, 3, 15, 1, 5),
                (Rule::Translations, 5, 10, 1, 2),
            ]
        );
        assert_eq!((quality.rules, quality.score), (1, 43));
    }

    #[test]
    fn a_title_that_is_too_long_has_half_its_points() {
        let sheet = patched(&format!(
            r#"{{"family":"shirt","values":{{"name":[{{"locale":"de","data":"{}"}}]}}}}"#,
            "x".repeat(151)
        ));
        let (web, de) = ("web".parse().unwrap(), "de".parse().unwrap());
        let beside = Beside { variants: 1, with_gtin: 1 };
        let quality = score(&sheet.content, &model(), (&web, &de), beside, &BTreeSet::new());
        assert_eq!((quality.reasons[0].points, quality.score), (10, 10 + 15 + 10));
    }
}
