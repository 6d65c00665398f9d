//! A template becomes the words of one message: with a bound on its work and on its length.

use minijinja::{AutoEscape, Environment, ErrorKind};
use serde::Serialize;
use std::io::{Error, Write};
use table::message::Source;

/// Steps of the template's machine for a part of a message: more than any list of lines takes.
const FUEL: u64 = 200_000;
/// Bytes of a part; Gmail cuts at 102 kB.
const LENGTH_MAX: usize = 300_000;
/// How deep elements of markup may lie in each other.
const DEPTH_MAX: usize = 60;

/// What somebody reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RenderedMessage"))]
pub(crate) struct Rendered {
    pub(crate) subject: String,
    pub(crate) html: String,
    pub(crate) text: String,
}

/// Why a template is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unfit {
    #[error("it takes too many steps: a loop without an end?")]
    Endless,
    #[error("what comes of it is longer than {LENGTH_MAX} bytes")]
    TooLong,
    #[error("line {line}: {why}")]
    Line { line: usize, why: String },
    #[error("it names `{0}`, which no message knows")]
    Unknown(String),
    #[error("its elements lie more than {DEPTH_MAX} deep in each other")]
    TooDeep,
}

/// In which part of a template something is wrong.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{part}: {why}")]
pub(crate) struct Broken {
    pub(crate) part: &'static str,
    pub(crate) why: Unfit,
}

/// Fills a template in. What it names and nobody knows is empty.
pub(crate) fn render(source: &Source, facts: &impl Serialize) -> Result<Rendered, Broken> {
    let part =
        |part, template: &str, is_html| fill(template, is_html, facts).map_err(|why| Broken { part, why });
    Ok(Rendered {
        subject: crate::mail::line(&part("subject", &source.subject, false)?),
        html: part("mjml", &source.html, true)?,
        text: tidied(&part("text", &source.text, false)?),
    })
}

/// Refuses what names something that no message knows: a slip would be an empty place in every message.
pub(crate) fn is_known(source: &Source, facts: &impl Serialize) -> Result<(), Broken> {
    let facts = minijinja::Value::from(minijinja::value::Serde(facts));
    let environment = Environment::new();
    let known = |name: &str| {
        let fact = facts.get_attr(name).is_ok_and(|fact| !fact.is_undefined());
        fact || environment.globals().any(|(global, _)| global == name)
    };
    for (part, template) in [("subject", &source.subject), ("mjml", &source.html), ("text", &source.text)] {
        let broken = |why| Broken { part, why };
        let template = environment.template_from_str(template).map_err(|error| broken(unfit(&error)))?;
        let named = template.undeclared_variables(false);
        if let Some(name) = named.into_iter().filter(|name| !known(name)).min() {
            return Err(broken(Unfit::Unknown(name)));
        }
    }
    Ok(())
}

fn fill(template: &str, is_html: bool, facts: &impl Serialize) -> Result<String, Unfit> {
    let mut environment = Environment::new();
    environment.set_fuel(Some(FUEL));
    environment.set_auto_escape_callback(move |_| if is_html { AutoEscape::Html } else { AutoEscape::None });
    environment.set_recursion_limit(50);
    let unfit = |error: minijinja::Error| unfit(&error);
    let template = environment.template_from_str(template).map_err(unfit)?;
    let mut short = Short { bytes: Vec::new(), full: false };
    let facts = minijinja::Value::from(minijinja::value::Serde(facts));
    let written = template.render_captured_to(facts, &mut short).map(|_| ());
    if short.full {
        return Err(Unfit::TooLong);
    }
    written.map_err(unfit)?;
    Ok(String::from_utf8_lossy(&short.bytes).into_owned())
}

fn unfit(error: &minijinja::Error) -> Unfit {
    if error.kind() == ErrorKind::OutOfFuel {
        return Unfit::Endless;
    }
    let why = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
    Unfit::Line { line: error.line().unwrap_or(1), why }
}

/// Takes so much and no more.
struct Short {
    bytes: Vec<u8>,
    full: bool,
}

impl Write for Short {
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Error> {
        if self.bytes.len().saturating_add(bytes.len()) > LENGTH_MAX {
            self.full = true;
            return Err(Error::other("full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// No more than one empty line at once: what was left out leaves none.
fn tidied(text: &str) -> String {
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().map(str::trim_end) {
        let twice = line.is_empty() && lines.last().is_none_or(|last| last.is_empty());
        if !twice {
            lines.push(line);
        }
    }
    format!("{}\n", lines.join("\n").trim_end())
}

/// Markup of mail (MJML) as HTML. What it includes from elsewhere is refused.
pub(crate) fn compile(mjml: &str) -> Result<String, Broken> {
    let broken = |why| Broken { part: "mjml", why };
    if depth(mjml) > DEPTH_MAX {
        return Err(broken(Unfit::TooDeep));
    }
    let line = |text: String| {
        // The parser names a range of bytes: `(12..15)` or `12..15`.
        let digits = |from: &str| from.chars().take_while(char::is_ascii_digit).collect::<String>();
        let start = text.split("position ").nth(1).map(|rest| digits(rest.trim_start_matches('(')));
        let start = start.and_then(|start| start.parse::<usize>().ok()).unwrap_or(mjml.len());
        let before = mjml.get(..start.min(mjml.len())).unwrap_or_default();
        let why = text.split(" in ").next().unwrap_or(&text).to_owned();
        Unfit::Line { line: before.matches('\n').count().saturating_add(1), why }
    };
    let parsed = mrml::parse(mjml).map_err(|error| broken(line(error.to_string())))?;
    let html = parsed.element.render(&mrml::prelude::render::RenderOptions::default());
    html.map_err(|error| broken(Unfit::Line { line: 1, why: error.to_string() }))
}

/// At least as deep as its elements lie: tags that are not closed count too.
fn depth(mjml: &str) -> usize {
    let (mut now, mut deepest) = (0_usize, 0_usize);
    for tag in mjml.split('<').skip(1) {
        let opens = tag.starts_with(|c: char| c.is_ascii_alphabetic());
        let empty = tag.split('>').next().is_some_and(|inside| inside.ends_with('/'));
        if opens && !empty {
            now = now.saturating_add(1);
        } else if tag.starts_with('/') {
            now = now.saturating_sub(1);
        }
        deepest = deepest.max(now);
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn source(text: &str) -> Source {
        let words = || text.to_owned();
        Source { subject: words(), mjml: String::new(), html: words(), text: words() }
    }

    #[test]
    fn a_template_that_loops_for_ever_ends_with_a_clear_error() {
        let nested = "{% for a in range(10000) %}{% for b in range(10000) %}{% endfor %}{% endfor %}";
        let broken = render(&source(nested), &json!({})).unwrap_err();
        assert_eq!(broken, Broken { part: "subject", why: Unfit::Endless });
        assert_eq!(broken.to_string(), "subject: it takes too many steps: a loop without an end?");
        let long = "{% for a in range(9000) %}0123456789012345678901234567890123456789{% endfor %}";
        assert_eq!(render(&source(long), &json!({})).unwrap_err().why, Unfit::TooLong);
    }

    #[test]
    fn names_with_markup_in_them_are_text_in_html_and_one_line_in_the_subject() {
        let facts = json!({"name": "<script>alert(1)</script>\r\nBcc: x"});
        let rendered = render(&source("{{ name }}{{ nobody }}"), &facts).unwrap();
        assert!(!rendered.html.contains('<'), "{}", rendered.html);
        assert_eq!(rendered.subject, "<script>alert(1)</script> Bcc: x");
    }

    #[test]
    fn a_name_that_no_message_knows_is_told_and_what_a_template_names_itself_is_not() {
        let facts = json!({"name": null, "lines": []});
        let own = "{% set x = 1 %}{% for line in lines %}{{ line.title }} {{ x }} {{ loop.index }}{% endfor %}\
                   {% for n in range(3) %}{{ n }}{% endfor %}{{ name }}";
        assert_eq!(is_known(&source(own), &facts), Ok(()));
        let broken = is_known(&source("{% if nmae %}{{ zip }}{% endif %}"), &facts).unwrap_err();
        assert_eq!(broken.to_string(), "subject: it names `nmae`, which no message knows");
    }

    #[test]
    fn what_is_wrong_with_a_template_is_named_with_its_line() {
        let broken = render(&source("one\n{% if %}"), &json!({})).unwrap_err();
        assert!(matches!(broken.why, Unfit::Line { line: 2, .. }), "{broken}");
        let mjml = "<mjml>\n<mj-body>\n<mj-section></mj-body></mjml>";
        let broken = compile(mjml).unwrap_err();
        assert_eq!((broken.part, broken.to_string().contains("line 3")), ("mjml", true), "{broken}");
        let include = "<mjml><mj-body><mj-include path=\"/etc/passwd\" /></mj-body></mjml>";
        assert!(compile(include).is_err());
        let deep = format!("<mjml><mj-body>{}", "<div>".repeat(100_000));
        assert_eq!(compile(&deep).unwrap_err().why, Unfit::TooDeep);
    }
}
