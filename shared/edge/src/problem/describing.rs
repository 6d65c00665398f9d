//! What products are described with, and what they say.

use super::{FieldError, Problem};
use domain::pim::attribute::{BadAttribute, Flaw, Wrong};
use domain::pim::collection::BadCollection;
use domain::pim::duplicate::Resolved;
use domain::pim::family::{BadFamily, NotComplete};
use domain::pim::history::Unrestorable;
use domain::pim::likeness::Unmergeable;
use domain::pim::proposal;
use domain::pim::scheduled::Settled;
use domain::pim::sheet::Refused;

impl From<Vec<Wrong>> for Problem {
    fn from(wrongs: Vec<Wrong>) -> Self {
        let error = |Wrong { at, flaw }: Wrong| {
            let (code, message) = (code(&flaw), flaw.to_string());
            FieldError { field: at, code, message }
        };
        Self::invalid(wrongs.into_iter().map(error).collect())
    }
}

fn code(flaw: &Flaw) -> &'static str {
    match flaw {
        Flaw::Type { .. } => "type",
        Flaw::TypeChange { .. } => "type_change",
        Flaw::Empty => "empty",
        Flaw::Long { .. }
        | Flaw::Decimals { .. }
        | Flaw::Below { .. }
        | Flaw::Above { .. }
        | Flaw::Count { .. } => "range",
        Flaw::Unprintable
        | Flaw::NotANumber(_)
        | Flaw::NotWhole(_)
        | Flaw::Date(_)
        | Flaw::Name(_)
        | Flaw::Variant(_) => "format",
        Flaw::Unit { .. }
        | Flaw::Currency(_)
        | Flaw::Choice(_)
        | Flaw::Unknown(_)
        | Flaw::Attribute(_)
        | Flaw::Reference { .. }
        | Flaw::Place(_) => "unknown",
        Flaw::Money(_) => "amount",
        Flaw::Twice(_) => "twice",
        Flaw::Missing(_) | Flaw::Required => "required",
        Flaw::Scope { .. } => "scope",
    }
}

impl From<Refused> for Problem {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Wrong(wrongs) => wrongs.into(),
            Refused::TooLarge { .. } => {
                Self::new(422, "sheet_too_large", "The product would say too much").with(refused)
            }
            Refused::ChangeTooLarge { .. } => {
                Self::new(422, "sheet_change_too_large", "The change is too large").with(refused)
            }
        }
    }
}

impl From<Unrestorable> for Problem {
    fn from(why: Unrestorable) -> Self {
        match why {
            Unrestorable::Refused(refused) => refused.into(),
            Unrestorable::Version(_) => {
                let (field, message) = ("version".to_owned(), why.to_string());
                Self::invalid(vec![FieldError { field, code: "unknown", message }])
            }
            // A history that does not lead back is ours to mend.
            Unrestorable::Gap(_) | Unrestorable::Broken { .. } => Self::fault(&why),
        }
    }
}

impl From<BadAttribute> for Problem {
    fn from(bad: BadAttribute) -> Self {
        let (status, code, title) = match bad {
            BadAttribute::Fixed { .. } | BadAttribute::ScopeFixed => {
                (409, "attribute_fixed", "What the attribute means stays")
            }
            BadAttribute::Large(_) => (422, "attribute_too_large", "The attribute's texts are too long"),
            BadAttribute::Length(_)
            | BadAttribute::Number
            | BadAttribute::Unit { .. }
            | BadAttribute::Choices
            | BadAttribute::Columns
            | BadAttribute::Column(_) => (422, "attribute_kind", "The attribute cannot be declared so"),
        };
        Self::new(status, code, title).with(bad)
    }
}

impl From<BadFamily> for Problem {
    fn from(bad: BadFamily) -> Self {
        let (code, title) = match bad {
            BadFamily::Locales => ("sales_channel_locales", "The channel's languages are not acceptable"),
            BadFamily::Large(_) => ("family_too_large", "The family's texts are too long"),
            BadFamily::Count(_)
            | BadFamily::Attribute(_)
            | BadFamily::Foreign(_)
            | BadFamily::Channel(_)
            | BadFamily::Axis(_) => ("family_attributes", "The family cannot be declared so"),
        };
        Self::new(422, code, title).with(bad)
    }
}

/// Each value that is missing, with the language that misses it.
impl From<NotComplete> for Problem {
    fn from(why: NotComplete) -> Self {
        let mut problem =
            Self::new(409, "product_not_complete", "The product does not say enough").with(&why);
        let NotComplete { channel, missing } = why;
        for (locale, attributes) in missing {
            let error = |attribute| FieldError {
                field: format!("values/{attribute}"),
                code: "missing",
                message: format!("{channel} needs it in {locale}"),
            };
            problem.errors.extend(attributes.into_iter().map(error));
        }
        problem
    }
}

impl From<proposal::Refused> for Problem {
    fn from(refused: proposal::Refused) -> Self {
        match refused {
            proposal::Refused::Resolved(_) => {
                Self::new(409, "proposal_resolved", "The proposal is resolved").with(refused)
            }
            proposal::Refused::NotYours => Self::not_found("proposal"),
        }
    }
}

impl From<BadCollection> for Problem {
    fn from(bad: BadCollection) -> Self {
        let (code, title) = match bad {
            BadCollection::Conditions(_) | BadCollection::Condition(_) | BadCollection::Currencies(..) => {
                ("collection_rule", "The rule cannot be kept")
            }
            BadCollection::Chosen => ("collection_products", "The products cannot be kept so"),
            BadCollection::Dates => ("collection_dates", "It would never be on"),
        };
        Self::new(422, code, title).with(bad)
    }
}

impl From<Resolved> for Problem {
    fn from(refused: Resolved) -> Self {
        Self::new(409, "duplicate_resolved", "The pair is resolved").with(refused)
    }
}

impl From<Unmergeable> for Problem {
    fn from(why: Unmergeable) -> Self {
        match why {
            Unmergeable::Refused(refused) => refused.into(),
            Unmergeable::Itself | Unmergeable::Variant(_) => {
                Self::new(409, "unmergeable", "The two cannot become one").with(why)
            }
        }
    }
}

impl From<Settled> for Problem {
    fn from(refused: Settled) -> Self {
        Self::new(409, "scheduled_change_settled", "The change waits no more").with(refused)
    }
}
