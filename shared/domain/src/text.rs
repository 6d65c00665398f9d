//! Words that people and other systems choose: names, SKUs, external ids, reasons.
//!
//! Invariant: 1 to a stated number of characters, no control characters (but line breaks in a [`Text`]), no blanks at
//! the ends. What passes can be shown, logged and used in a key.

use serde::{Deserialize, Serialize};

/// Why a text is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotAText {
    #[error("it is empty: want 1 to {max} characters")]
    Empty { max: usize },
    #[error("it has {length} characters: want at most {max}")]
    TooLong { length: usize, max: usize },
    #[error("it has a control character or a blank at an end")]
    Unprintable,
    #[error("it has `{0}`: want only [a-z0-9_-]")]
    NotASlug(char),
    #[error("it is no web address: want one that begins with https://")]
    NotAnAddress,
    #[error("it is no address of electronic mail: want one like name@host.example")]
    NotAMailbox,
    #[error("it is no SHA-256: want 64 of [0-9a-f]")]
    NotADigest,
    #[error("it has a mark that turns the direction of text")]
    Direction,
    #[error("it is no BCP 47 tag: want one like `en` or `de-AT`")]
    NotALocale,
}

fn checked(text: String, max: usize, lines: bool) -> Result<String, NotAText> {
    let length = text.chars().count();
    if length == 0 {
        return Err(NotAText::Empty { max });
    }
    if length > max {
        return Err(NotAText::TooLong { length, max });
    }
    let odd = |c: char| c.is_control() && !(lines && matches!(c, '\n' | '\t'));
    if text.chars().any(odd) || text.trim() != text {
        return Err(NotAText::Unprintable);
    }
    Ok(text)
}

/// The checks as patterns of JSON Schema, which has no word for blanks and control characters of any script.
#[cfg(feature = "schema")]
mod says {
    /// Characters of which `$odd` are refused, and blanks too at the ends.
    macro_rules! inside {
        ($odd:literal) => {
            concat!(
                "^[^",
                $odd,
                r"\t\n \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]",
                "([^",
                $odd,
                r"]*[^",
                $odd,
                r"\t\n \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000])?$"
            )
        };
    }
    /// Characters that an address of mail has, but for those of `$more`.
    macro_rules! mailed {
        ($more:literal) => {
            concat!(
                r#"[^@<>,;"\\\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a"#,
                r"\u2028-\u202f\u205f\u2066-\u2069\u3000",
                $more,
                "]"
            )
        };
    }
    pub(super) const ANY: &str = inside!(r"\u0000-\u001f\u007f-\u009f");
    pub(super) const LINES: &str = inside!(r"\u0000-\u0008\u000b-\u001f\u007f-\u009f");
    pub(super) const STRAIGHT: &str =
        inside!(r"\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069");
    pub(super) const STRAIGHT_LINES: &str =
        inside!(r"\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069");
    pub(super) const SLUG: &str = "^[a-z0-9_-]+$";
    pub(super) const LOCALE: &str = "^[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*$";
    pub(super) const ADDRESS: &str =
        r"^https://[^\u0000-\u0020\u007f-\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+$";
    pub(super) const MAIL: &str = concat!(
        "^",
        mailed!(""),
        "+@",
        mailed!("."),
        mailed!(""),
        r"*\.",
        mailed!(""),
        "*",
        mailed!("."),
        "$"
    );
    pub(super) const DIGEST: &str = "^[0-9a-f]{64}$";
}

macro_rules! text {
    ($(#[$doc:meta])* $name:ident, $max:literal, $check:expr, says: $says:ident) => {
        text!($(#[$doc])* $name, $max, $check, says: $says, lines: false);
    };
    ($(#[$doc:meta])* $name:ident, $max:literal, $check:expr, says: $says:ident, lines: $lines:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(
            feature = "schema",
            derive(schemars::JsonSchema),
            schemars(
                with = "String",
                extend("minLength" = 1, "maxLength" = $max, "pattern" = says::$says)
            )
        )]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl TryFrom<String> for $name {
            type Error = NotAText;
            fn try_from(text: String) -> Result<Self, NotAText> {
                let text = checked(text, $max, $lines)?;
                let check: fn(&str) -> Result<(), NotAText> = $check;
                check(&text)?;
                Ok(Self(text))
            }
        }

        impl std::str::FromStr for $name {
            type Err = NotAText;
            fn from_str(text: &str) -> Result<Self, NotAText> {
                Self::try_from(text.to_owned())
            }
        }

        impl From<$name> for String {
            fn from(text: $name) -> String {
                text.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

fn any(_: &str) -> Result<(), NotAText> {
    Ok(())
}

fn slug(text: &str) -> Result<(), NotAText> {
    match text.chars().find(|c| !matches!(c, 'a'..='z' | '0'..='9' | '-' | '_')) {
        Some(odd) => Err(NotAText::NotASlug(odd)),
        None => Ok(()),
    }
}

fn address(text: &str) -> Result<(), NotAText> {
    let rest = text.strip_prefix("https://").unwrap_or_default();
    if rest.is_empty() || text.contains(char::is_whitespace) { Err(NotAText::NotAnAddress) } else { Ok(()) }
}

/// Marks that turn the direction of what follows, and breaks that are no control characters: with them a text shows
/// something else than it says.
pub(crate) fn turns(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{2028}' | '\u{2029}')
}

fn straight(text: &str) -> Result<(), NotAText> {
    if text.contains(turns) { Err(NotAText::Direction) } else { Ok(()) }
}

/// Subtags of letters and digits, the language first.
fn locale(text: &str) -> Result<(), NotAText> {
    let subtag = |tag: &str| (1..=8).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_alphanumeric());
    let language = text.split('-').next().unwrap_or_default();
    let known = (2..=3).contains(&language.len()) && language.bytes().all(|b| b.is_ascii_alphabetic());
    if known && text.split('-').all(subtag) { Ok(()) } else { Err(NotAText::NotALocale) }
}

/// Something, an `@`, and a host with a dot; nothing that a mail's head could be broken with.
fn mail(text: &str) -> Result<(), NotAText> {
    let odd = |c: char| c.is_whitespace() || turns(c) || matches!(c, '<' | '>' | ',' | ';' | '"' | '\\');
    let host = |host: &str| host.contains('.') && !host.starts_with('.') && !host.ends_with('.');
    match text.split_once('@') {
        Some((local, at)) if !local.is_empty() && host(at) && !at.contains('@') && !text.contains(odd) => {
            Ok(())
        }
        Some(_) | None => Err(NotAText::NotAMailbox),
    }
}

fn digest(text: &str) -> Result<(), NotAText> {
    let fits = text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    if fits { Ok(()) } else { Err(NotAText::NotADigest) }
}

text!(
    /// What another system calls a thing of ours. Unique within its kind (orders: within their channel).
    ExternalId, 64, any, says: ANY
);
text!(
    /// Where an order comes from: `web`, `phone`, `amazon`.
    Channel, 32, slug, says: SLUG
);
text!(
    /// A merchant's stock keeping unit, unique within the merchant.
    Sku, 64, any, says: ANY
);
text!(
    /// A category's handle, like `health_beauty`.
    Category, 64, slug, says: SLUG
);
text!(
    /// What a catalog calls an attribute, an option, a family or a collection: `screen_size`.
    Code, 64, slug, says: SLUG
);
text!(
    /// Where stock lies, like `main` or `hamburg-2`; a merchant's own word.
    Location, 32, slug, says: SLUG
);
text!(
    /// A name or title shown to people.
    Name, 200, any, says: ANY
);
text!(
    /// What a person is called: any script, any mark but those that turn the direction of text.
    PersonName, 200, straight, says: STRAIGHT
);
text!(
    /// The language that a person is written to in: a BCP 47 tag like `de-AT`.
    Locale, 35, locale, says: LOCALE
);
text!(
    /// A description in plain text; may have several lines.
    Text, 10_000, any, says: LINES, lines: true
);
text!(
    /// What somebody says of something, for everybody to read; may have several lines.
    Opinion, 4_000, straight, says: STRAIGHT_LINES, lines: true
);
text!(
    /// A person's or system's reason, kept for the record.
    Reason, 500, any, says: ANY
);
text!(
    /// Where a browser is sent, or where people read something: an address of the web.
    WebAddress, 2000, address, says: ADDRESS
);
text!(
    /// An address of electronic mail. Whether somebody reads it there only a letter can tell.
    Email, 254, mail, says: MAIL
);
text!(
    /// The SHA-256 of a document, in hex.
    Sha256, 64, digest, says: DIGEST
);
text!(
    /// A short technical word: payment method, carrier, tracking number, fee.
    Word, 64, any, says: ANY
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_refused_for_what_is_wrong_with_it() {
        assert_eq!("".parse::<Sku>(), Err(NotAText::Empty { max: 64 }));
        assert_eq!("x".repeat(65).parse::<Sku>(), Err(NotAText::TooLong { length: 65, max: 64 }));
        assert_eq!(" a".parse::<Sku>(), Err(NotAText::Unprintable));
        assert_eq!("a\u{0}b".parse::<Sku>(), Err(NotAText::Unprintable));
        assert_eq!("Web".parse::<Channel>(), Err(NotAText::NotASlug('W')));
        assert_eq!("http://bank.example".parse::<WebAddress>(), Err(NotAText::NotAnAddress));
        assert_eq!("javascript:pay()".parse::<WebAddress>(), Err(NotAText::NotAnAddress));
        for odd in
            ["a", "@host.example", "a@b", "a@.example", "a@b.example.", "a b@c.example", "a@b@c.example"]
        {
            assert_eq!(odd.parse::<Email>(), Err(NotAText::NotAMailbox), "{odd}");
        }
        assert!("łucja+shop@poczta.example".parse::<Email>().is_ok());
        assert_eq!("a\u{202e}b@c.example".parse::<Email>(), Err(NotAText::NotAMailbox));
        assert_eq!("Ines \u{2066}Groß".parse::<PersonName>(), Err(NotAText::Direction));
        let name = "Zoë <script>alert(1)</script> 王";
        assert_eq!(name.parse::<PersonName>().unwrap().as_str(), name);
        for odd in ["d", "de_AT", "de-", "12", "german"] {
            assert_eq!(odd.parse::<Locale>(), Err(NotAText::NotALocale), "{odd}");
        }
        assert!("sr-Latn-RS".parse::<Locale>().is_ok());
        assert_eq!("0".repeat(63).parse::<Sha256>(), Err(NotAText::NotADigest));
        assert_eq!("Größe 38".parse::<Sku>().unwrap().as_str(), "Größe 38");
    }
}
