//! `If-Match`: whether the caller has seen the thing as it is. An ETag is a revision in quotes, as answers carry it.

use crate::problem::Problem;
use http::{HeaderMap, Method, header};

/// What a request says of the state that it was made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Precondition {
    /// Nothing, where nothing needs to be said.
    None,
    /// `*`: whatever it is.
    Any,
    Revision(u64),
}

impl Precondition {
    pub(crate) fn of(method: &Method, headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(value) = headers.get(header::IF_MATCH) else {
            return if *method == Method::PATCH { Err(missing()) } else { Ok(Self::None) };
        };
        let text = value.to_str().unwrap_or_default().trim();
        let tag = text.strip_prefix('"').and_then(|text| text.strip_suffix('"'));
        // `+1` would be read as a number too.
        let revision =
            tag.filter(|tag| tag.bytes().all(|b| b.is_ascii_digit())).and_then(|tag| tag.parse().ok());
        match revision {
            Some(revision) => Ok(Self::Revision(revision)),
            None if text == "*" => Ok(Self::Any),
            None => Err(Problem::new(400, "if_match_malformed", "The If-Match cannot be used")
                .with("want the ETag of an answer, like `\"3\"`, or `*`")),
        }
    }

    pub(crate) fn holds(self, current: u64) -> Result<(), Problem> {
        match self {
            Self::Revision(seen) if seen != current => {
                Err(Problem::new(409, "stale", "This has changed since you saw it")
                    .with(format!("it is at revision {current} now, not {seen}: read it again")))
            }
            Self::None | Self::Any | Self::Revision(_) => Ok(()),
        }
    }
}

/// Of a method that changes what the caller must have seen; asked before anything is looked for.
fn missing() -> Problem {
    Problem::new(428, "precondition_required", "An If-Match is required")
        .with("send the ETag of what you have seen as `If-Match`, or `*`")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a request with this header meets on a thing of revision 3.
    fn met(method: Method, given: Option<&str>) -> Result<(), (u16, &'static str)> {
        let mut headers = HeaderMap::new();
        headers.extend(given.map(|text| (header::IF_MATCH, text.parse().unwrap())));
        let held = Precondition::of(&method, &headers).and_then(|condition| condition.holds(3));
        held.map_err(|problem| (problem.status, problem.code))
    }

    #[test]
    fn a_patch_says_what_it_has_seen() {
        assert_eq!(met(Method::PATCH, None), Err((428, "precondition_required")));
        assert_eq!(met(Method::PATCH, Some("*")), Ok(()));
        assert_eq!(met(Method::PATCH, Some("\"3\"")), Ok(()));
        assert_eq!(met(Method::POST, None), Ok(()));
    }

    #[test]
    fn another_revision_is_stale_whatever_the_method() {
        for method in [Method::PATCH, Method::POST, Method::PUT, Method::DELETE] {
            assert_eq!(met(method.clone(), Some("\"2\"")), Err((409, "stale")));
            assert_eq!(met(method.clone(), Some("\"4\"")), Err((409, "stale")));
            assert_eq!(met(method, Some(" \"3\" ")), Ok(()));
        }
        let stale = Precondition::Revision(2).holds(3).unwrap_err();
        assert_eq!(stale.detail.as_deref(), Some("it is at revision 3 now, not 2: read it again"));
    }

    #[test]
    fn what_is_no_etag_of_ours_is_malformed() {
        for given in ["3", "", "\"\"", "\"", "\"x\"", "\"-1\"", "\"+3\"", "W/\"3\"", "\"2\", \"3\"", "**"] {
            for method in [Method::PATCH, Method::POST] {
                assert_eq!(met(method, Some(given)), Err((400, "if_match_malformed")), "{given}");
            }
        }
    }
}
