//! What something is called, by language, as requests and answers have it.

use crate::Check;
use domain::pim::attribute::Labels;
use domain::text::{Locale, Name};
use std::collections::BTreeMap;

/// By locale.
pub type LabelsBody = BTreeMap<String, String>;

/// Every name and every language that is not right is noted under its place.
pub fn labels_of(check: &mut Check, field: &str, body: &LabelsBody) -> Labels {
    let mut labels = Labels::new();
    for (locale, name) in body {
        let at = format!("{field}.{locale:.40}");
        let (locale, name) = (check.parse::<Locale>(&at, locale), check.parse::<Name>(&at, name));
        labels.extend(locale.zip(name));
    }
    labels
}

pub fn shown(labels: &Labels) -> LabelsBody {
    labels.iter().map(|(locale, name)| (locale.to_string(), name.to_string())).collect()
}
