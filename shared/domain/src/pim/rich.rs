//! Formatted text: a few tags of HTML, written anew.
//!
//! What comes out is built from the tags below without attributes and from escaped text alone, so nothing that runs,
//! loads or leads away can be in it, whatever came in. Links are absent on purpose: a product's text sends nobody away.
//! What is cleaned once stays as it is.

/// What a tag of the source becomes.
const TAGS: &[(&str, &str)] = &[
    ("p", "p"),
    ("div", "p"),
    ("strong", "strong"),
    ("b", "strong"),
    ("em", "em"),
    ("i", "em"),
    ("ul", "ul"),
    ("ol", "ol"),
    ("li", "li"),
    ("h1", "h2"),
    ("h2", "h2"),
    ("h3", "h3"),
    ("h4", "h4"),
    ("sub", "sub"),
    ("sup", "sup"),
];
/// Elements whose content goes with them.
const GONE: &[&str] = &[
    "script", "style", "iframe", "object", "embed", "svg", "math", "template", "noscript", "textarea",
    "title", "head", "xmp", "noembed", "noframes", "select", "applet", "audio", "video", "canvas",
];
/// Elements within elements; deeper ones lose their tags.
const DEPTH_MAX: usize = 16;

/// The text with nothing but allowed tags, all of them closed.
pub fn clean(source: &str) -> String {
    let mut out = Out::default();
    let mut rest = source;
    while let Some(at) = rest.find(['<', '&']) {
        let (text, marked) = rest.split_at(at);
        out.text(text);
        rest = if marked.starts_with('&') { entity(&mut out, marked) } else { tag(&mut out, marked) };
    }
    out.text(rest);
    out.end()
}

/// The words of a cleaned text without its tags, for those who show none; blocks become lines.
pub fn words(cleaned: &str) -> String {
    let mut text = String::with_capacity(cleaned.len());
    for (at, part) in cleaned.split('<').enumerate() {
        let (tag, rest) = part.split_once('>').filter(|_| at > 0).unwrap_or(("", part));
        if matches!(tag, "br" | "/p" | "/li" | "/h2" | "/h3" | "/h4" | "ul" | "ol") {
            text.push('\n');
        }
        text.push_str(rest);
    }
    let named =
        [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&nbsp;", " "), ("&amp;", "&")];
    let text = named.iter().fold(text, |text, (entity, c)| text.replace(entity, c));
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// Characters that are read when tags are taken away.
pub fn letters(cleaned: &str) -> usize {
    let mut inside = false;
    let read = |c: &char| {
        let tag = inside || *c == '<';
        inside = tag && *c != '>';
        !tag && !c.is_whitespace()
    };
    cleaned.chars().filter(read).count()
}

/// Whether nothing is left to read.
pub fn is_blank(cleaned: &str) -> bool {
    letters(cleaned) == 0
}

/// Reads from a `&` on; what is left.
fn entity<'a>(out: &mut Out, marked: &'a str) -> &'a str {
    let end = marked.char_indices().take(34).find(|(_, c)| *c == ';').map(|(at, _)| at);
    let whole = end.and_then(|end| marked.split_at_checked(end + 1)).filter(|(entity, _)| {
        let name = entity.trim_start_matches('&').trim_end_matches(';');
        let name = name.strip_prefix('#').unwrap_or(name);
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    match whole {
        Some((entity, rest)) => {
            out.html.push_str(entity);
            rest
        }
        None => {
            out.html.push_str("&amp;");
            &marked[1..]
        }
    }
}

/// Reads from a `<` on; what is left.
fn tag<'a>(out: &mut Out, marked: &'a str) -> &'a str {
    if let Some(comment) = marked.strip_prefix("<!--") {
        return comment.split_once("-->").map_or("", |(_, rest)| rest);
    }
    let inner = &marked[1..];
    let (closing, inner) = inner.strip_prefix('/').map_or((false, inner), |inner| (true, inner));
    if !inner.starts_with(|c: char| c.is_ascii_alphabetic() || matches!(c, '!' | '?')) {
        out.html.push_str("&lt;");
        return &marked[1..];
    }
    let length = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
    let (name, inner) = inner.split_at(length);
    let name = name.to_ascii_lowercase();
    let rest = after_tag(inner);
    if !closing && GONE.contains(&name.as_str()) {
        return after_element(rest, &name);
    }
    match TAGS.iter().find(|(from, _)| *from == name) {
        Some((_, to)) if closing => out.close(to),
        Some((_, to)) => out.open(to),
        None if name == "br" => out.html.push_str("<br>"),
        None => {}
    }
    rest
}

/// What follows the `>` that ends a tag; one in quotes does not.
fn after_tag(inner: &str) -> &str {
    let mut quote = None;
    for (at, c) in inner.char_indices() {
        match (quote, c) {
            (None, '>') => return &inner[at + 1..],
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None | Some(_), _) => {}
        }
    }
    ""
}

/// What follows the end of an element whose content goes with it.
fn after_element<'a>(rest: &'a str, name: &str) -> &'a str {
    let end = format!("</{name}");
    let found = rest.as_bytes().windows(end.len()).position(|part| part.eq_ignore_ascii_case(end.as_bytes()));
    found.and_then(|at| rest.get(at + end.len()..)).map_or("", after_tag)
}

#[derive(Default)]
struct Out {
    html: String,
    open: Vec<&'static str>,
}

impl Out {
    fn text(&mut self, text: &str) {
        for c in text.chars() {
            match c {
                '<' => self.html.push_str("&lt;"),
                '>' => self.html.push_str("&gt;"),
                '\n' | '\t' => self.html.push(c),
                odd if odd.is_control() || crate::text::turns(odd) => {}
                plain => self.html.push(plain),
            }
        }
    }

    fn open(&mut self, tag: &'static str) {
        if matches!(tag, "p" | "li") && self.open.last() == Some(&tag) {
            self.close(tag);
        }
        if self.open.len() < DEPTH_MAX {
            self.open.push(tag);
            self.html.extend(["<", tag, ">"]);
        }
    }

    fn close(&mut self, tag: &str) {
        if !self.open.contains(&tag) {
            return;
        }
        while let Some(last) = self.open.pop() {
            self.html.extend(["</", last, ">"]);
            if last == tag {
                break;
            }
        }
    }

    fn end(mut self) -> String {
        while let Some(last) = self.open.pop() {
            self.html.extend(["</", last, ">"]);
        }
        self.html.trim().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn allowed_tags_are_written_anew_and_script_never_survives() {
        let table = [
            ("<p onclick=\"steal()\">Soft &amp; <B>warm</B></p>", "<p>Soft &amp; <strong>warm</strong></p>"),
            ("a<script>alert(1)</script>b", "ab"),
            ("a<SCRIPT src=x>alert(1)</sCript >b", "ab"),
            ("a<script>never closed", "a"),
            ("<scr<script>ipt>alert(1)</script>", "ipt&gt;alert(1)"),
            ("<img src=x onerror=alert(1)>", ""),
            ("<a href=\"javascript:pay()\">pay</a>", "pay"),
            ("<p title=\"a>b\">x", "<p>x</p>"),
            ("<!-- <p> -->x", "x"),
            ("<svg><script>1</script></svg>y", "y"),
            ("1 < 2 & 3 > 2", "1 &lt; 2 &amp; 3 &gt; 2"),
            ("<ul><li>a<li>b</ul>c", "<ul><li>a</li><li>b</li></ul>c"),
            ("<em><strong>x</em>y", "<em><strong>x</strong></em>y"),
            ("</p>x<br/>y<br />", "x<br>y<br>"),
            ("&lt;script&gt; &#60; &bad entity;", "&lt;script&gt; &#60; &amp;bad entity;"),
            ("a\u{202e}b\u{0}c", "abc"),
        ];
        for (source, want) in table {
            assert_eq!(clean(source), want, "{source}");
        }
    }

    #[test]
    fn words_are_left_when_tags_are_taken_away() {
        let cleaned = clean("<p>Soft &amp; <b>warm</b></p><ul><li>a<li>&lt;b&gt; &amp;lt;</ul>c<br>d");
        assert_eq!(words(&cleaned), "Soft & warm\na\n<b> &lt;\nc\nd");
    }

    #[test]
    fn tags_alone_say_nothing() {
        assert!(is_blank("<p> <br></p>") && is_blank("") && !is_blank("<p>x</p>") && !is_blank("&lt;"));
    }

    proptest! {
        #[test]
        fn what_comes_out_has_only_tags_of_ours_and_stays_as_it_is(
            source in "(<|>|/|&|;|\"|'|!--|p|b|br|li|script|svg|x| |\u{e9}|\u{0}|=){0,60}",
        ) {
            let cleaned = clean(&source);
            prop_assert_eq!(&clean(&cleaned), &cleaned);
            for part in cleaned.split('<').skip(1) {
                let (tag, _) = part.split_once('>').expect("a tag is closed");
                let name = tag.trim_start_matches('/');
                prop_assert!(name == "br" || TAGS.iter().any(|(_, to)| *to == name), "{}", tag);
            }
        }
    }
}
