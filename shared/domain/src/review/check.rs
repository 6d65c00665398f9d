//! Rules that look at a review before a person does: words, links, contacts, numbers that are somebody's.
//!
//! They find what is often wrong, not what is wrong: what they find waits for a person, and nothing is rejected by
//! them.

use super::rating::Policy;
use super::{Cause, Written};
use crate::gateway::looks_like_card_number;

/// Ends of names that people put into texts as addresses.
const ENDS: [&str; 14] =
    ["com", "net", "org", "info", "biz", "shop", "store", "io", "de", "at", "ch", "co", "ru", "example"];
/// Digits of the shortest number that somebody could be called under.
const TELEPHONE: usize = 7;
/// Letters and digits of the shortest account number (IBAN).
const ACCOUNT: usize = 15;

/// All that is found, each once, in order. Stars do not matter.
pub fn causes(written: &Written, policy: &Policy) -> Vec<Cause> {
    let texts =
        [written.text.as_ref().map(|text| text.as_str()), written.name.as_ref().map(|name| name.as_str())];
    let mut causes = Vec::new();
    for text in texts.into_iter().flatten() {
        let lower = text.to_lowercase();
        causes.extend(has_word(&lower, policy).then_some(Cause::Word));
        causes.extend(has_link(&lower).then_some(Cause::Link));
        let number = looks_like_card_number(text) || has_account(text);
        causes.extend((has_mailbox(&lower) || (has_telephone(&lower) && !number)).then_some(Cause::Contact));
        causes.extend(number.then_some(Cause::PersonalData));
    }
    causes.extend((!policy.publishes_clean).then_some(Cause::Always));
    causes.sort_unstable();
    causes.dedup();
    causes
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty())
}

/// A word of the list, whole; one with a blank in it, anywhere.
fn has_word(lower: &str, policy: &Policy) -> bool {
    policy.words.iter().map(|word| word.as_str().to_lowercase()).any(|listed| {
        let single = listed.chars().all(char::is_alphanumeric);
        if single { words(lower).any(|word| word == listed) } else { lower.contains(&listed) }
    })
}

fn has_link(lower: &str) -> bool {
    let host = |token: &str| {
        let token = token.trim_matches(|c: char| !c.is_alphanumeric());
        let name = token.split(['/', '?', '#', ':']).next().unwrap_or_default();
        let Some((before, end)) = name.rsplit_once('.') else { return false };
        !name.contains('@') && before.chars().any(char::is_alphabetic) && ENDS.contains(&end)
    };
    lower.contains("://") || lower.contains("www.") || lower.split_whitespace().any(host)
}

fn has_mailbox(lower: &str) -> bool {
    let at = |token: &str| {
        token
            .split_once('@')
            .is_some_and(|(who, host)| !who.is_empty() && host.trim_matches('.').contains('.'))
    };
    let spelled = ["(at)", "[at]", "{at}"].iter().any(|sign| lower.contains(sign));
    spelled || lower.split_whitespace().any(at)
}

/// Digits with nothing but what people put between them; a date is none.
fn has_telephone(lower: &str) -> bool {
    let is_day =
        |word: &&str| jiff::civil::Date::strptime("%Y-%m-%d", word.trim_end_matches(['.', ','])).is_ok();
    let without: Vec<&str> = lower.split(' ').filter(|word| !is_day(word)).collect();
    let without = without.join(" ");
    let runs =
        without.split(|c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '-' | '/' | '(' | ')' | '+')));
    runs.map(|run| run.chars().filter(char::is_ascii_digit).count()).any(|digits| digits >= TELEPHONE)
}

/// Two letters, two digits, and on with letters and digits, in groups or not.
fn has_account(text: &str) -> bool {
    let close: Vec<char> = text.chars().filter(|c| *c != ' ').collect();
    close.windows(ACCOUNT).any(|run| {
        let upper = |at: usize| run.get(at).is_some_and(char::is_ascii_uppercase);
        let digit = |at: usize| run.get(at).is_some_and(char::is_ascii_digit);
        let rest = run.iter().skip(4);
        let digits = rest.clone().filter(|c| c.is_ascii_digit()).count();
        upper(0)
            && upper(1)
            && digit(2)
            && digit(3)
            && digits >= 8
            && rest.clone().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
    })
}
