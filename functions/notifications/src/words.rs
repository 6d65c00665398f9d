//! The words that come with the platform: one markup for all kinds, and the words of each kind in each language.
//!
//! `templates/<locale>.txt` has a section per kind: `subject:`, `heading:`, paragraphs, `button:`. They take the
//! places of `[[…]]` in `message.mjml`, which an operator begins an own version with, and in `message.html`, which is
//! what that compiles to: a test holds the two against each other, so nothing is compiled when a message is sent.

use domain::message::Kind;
use table::message::Source;

const MJML: &str = include_str!("../templates/message.mjml");
const HTML: &str = include_str!("../templates/message.html");
const TEXT: &str = include_str!("../templates/message.txt");
/// Every language that there is.
const LOCALES: [(&str, &str); 2] =
    [("en", include_str!("../templates/en.txt")), ("de", include_str!("../templates/de.txt"))];

/// The words of a section of a language's file.
fn section<'a>(file: &'a str, name: &str) -> Option<&'a str> {
    let mark = format!("[{name}]\n");
    let start = file.find(&mark)?.checked_add(mark.len())?;
    let rest = file.get(start..)?;
    rest.get(..rest.find("\n[").unwrap_or(rest.len()))
}

/// The platform's template of a kind in a language; none where it has none.
pub(crate) fn of(kind: Kind, locale: &str) -> Option<Source> {
    let (_, file) = LOCALES.iter().find(|(name, _)| *name == locale)?;
    let words = section(file, kind.word())?;
    let value =
        |name: &str| words.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    let (subject, heading, button) = (value("subject:"), value("heading:"), value("button:"));
    let named = |line: &&str| ["subject:", "heading:", "button:"].iter().any(|name| line.starts_with(name));
    let body: Vec<&str> = words.lines().filter(|line| !named(line)).collect();
    let body = body.join("\n");
    let paragraphs: Vec<&str> = body.split("\n\n").map(str::trim).filter(|text| !text.is_empty()).collect();
    let footer = section(file, "footer")?.trim();
    let html: String =
        paragraphs.iter().map(|text| format!("<p style=\"margin:0 0 12px\">{text}</p>")).collect();
    let way_out = "<a href=\"{{ unsubscribe }}\" style=\"color:#616e7c\">{{ unsubscribe_words }}</a>";
    let fill = |template: &str, paragraphs: &str, footer: &str| {
        template
            .replace("[[locale]]", locale)
            .replace("[[heading]]", heading)
            .replace("[[paragraphs]]", paragraphs)
            .replace("[[button]]", button)
            .replace("[[footer]]", footer)
    };
    let linked = footer.replace(": {{ unsubscribe }}", "");
    let (before, after) = linked.split_once("{% if unsubscribe %}").unwrap_or((&linked, "{% endif %}"));
    let words = after.trim_end_matches("{% endif %}").trim();
    let linked = format!(
        "{before}{{% if unsubscribe %}} {}{{% endif %}}",
        way_out.replace("{{ unsubscribe_words }}", words)
    );
    Some(Source {
        subject: subject.to_owned(),
        mjml: fill(MJML, &html, &linked),
        html: fill(HTML, &html, &linked),
        text: fill(TEXT, &paragraphs.join("\n\n"), footer),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::sample;
    use crate::render::{compile, render};

    /// `UPDATE=1` writes what the markup compiles to.
    #[test]
    fn the_html_is_what_the_markup_compiles_to() {
        let compiled = format!("{}\n", compile(MJML).unwrap());
        if std::env::var_os("UPDATE").is_some() {
            let path = concat!(env!("CARGO_MANIFEST_DIR"), "/templates/message.html");
            std::fs::write(path, &compiled).unwrap();
            return;
        }
        assert!(
            compiled == HTML,
            "templates/message.html is another: UPDATE=1 cargo test -p notifications writes it"
        );
    }

    #[test]
    fn every_kind_has_words_in_every_language_and_an_operators_copy_compiles_to_the_same() {
        for kind in Kind::ALL {
            for (locale, _) in LOCALES {
                let source = of(kind, locale).unwrap_or_else(|| panic!("{} in {locale}", kind.word()));
                for part in [&source.subject, &source.mjml, &source.html, &source.text] {
                    assert!(!part.is_empty() && !part.contains("[["), "{} {locale}: {part}", kind.word());
                }
                let compiled = format!("{}\n", compile(&source.mjml).unwrap());
                assert_eq!(compiled, source.html, "{} {locale}", kind.word());
                let rendered = render(&source, &sample(kind, locale)).unwrap();
                assert!(!rendered.subject.is_empty() && !rendered.subject.contains("{"), "{rendered:?}");
                assert!(!rendered.html.contains("{%") && !rendered.text.contains("{{"), "{}", rendered.text);
            }
        }
        assert_eq!(of(Kind::Payout, "fr"), None);
    }
}
