//! What may stand in a line, and how long it is.

use crate::source::{Line, files, has_word, none, rust};

/// As `.rustfmt.toml` has it; it does not break comments and texts.
const CODE_COLUMNS: usize = 110;
/// Comments are not formatted, and tests hold long texts and bodies.
const OTHER_COLUMNS: usize = 120;
const FILE_LINES: usize = 700;

/// Where a piece of a key may stand beside `key.rs`: bounds of ranges, and the reading of images.
const KEY_READERS: [&str; 3] =
    ["shared/table/src/order.rs", "shared/table/src/outbox.rs", "shared/table/src/payout.rs"];

/// A text with the pieces that keys are made of: `"PK"`, `"GSI1SK"`, `"…ORD#…"`.
fn builds_a_key(line: &str) -> bool {
    let texts = line.split('"').skip(1).step_by(2);
    let prefix = |text: &str| {
        text.match_indices('#').any(|(at, _)| {
            let word: Vec<u8> = text[..at].bytes().rev().take_while(u8::is_ascii_uppercase).collect();
            word.len() >= 3
        })
    };
    let name = |text: &str| {
        let text = text
            .strip_prefix("GSI")
            .map_or(text, |rest| rest.trim_start_matches(|c: char| c.is_ascii_digit()));
        text == "PK" || text == "SK"
    };
    texts.into_iter().any(|text| name(text) || prefix(text))
}

#[test]
fn a_key_is_seen() {
    for line in
        [r#"Key::new(format!("{m}#ORD#{}", 1))"#, r#"item.get("PK")"#, r#"("EVT#", "x")"#, r#""GSI2SK""#]
    {
        assert!(builds_a_key(line), "{line}");
    }
    for line in
        [r#"#[derive(Debug)]"#, r##"text.split('#')"##, r#""attribute_not_exists(PK)""#, r#""an # SKU""#]
    {
        assert!(!builds_a_key(line), "{line}");
    }
}

#[test]
fn keys_are_built_in_one_file() {
    let mut found = Vec::new();
    for source in files("shared", ".rs").into_iter().chain(files("functions", ".rs")) {
        let keys =
            source.path == "shared/table/src/key.rs" || source.path.starts_with("shared/table/src/key/");
        if keys || KEY_READERS.contains(&source.path.as_str()) {
            continue;
        }
        found.extend(source.code().filter(|line| builds_a_key(line.text)).map(|line| source.place(line)));
    }
    none(
        found,
        "make it a function of `Key` or `Place` in shared/table/src/key.rs or below, and tell it at its head",
    );
}

#[test]
fn the_domain_neither_waits_nor_looks_around() {
    let forbidden = [
        "async",
        ".await",
        "tokio",
        "SystemTime",
        "Instant::now",
        "Timestamp::now",
        "Zoned::now",
        "rand::",
        "new_v7",
        "new_v4",
        "std::env",
        "std::fs",
        "std::net",
        "std::thread",
        "HashMap",
    ];
    let mut found = Vec::new();
    for source in files("shared/domain", ".rs") {
        let bad = |line: &Line<'_>| forbidden.iter().any(|word| has_word(line.text, word));
        found.extend(source.code().filter(bad).map(|line| source.place(line)));
    }
    none(found, "time, ids and what is stored are arguments of the domain; reach for them in edge or table");
}

#[test]
fn the_domain_knows_no_floats() {
    let mut found = Vec::new();
    for source in files("shared/domain", ".rs").into_iter().chain(files("shared/events", ".rs")) {
        let float =
            |line: &Line<'_>| !line.comment && ["f32", "f64"].iter().any(|word| has_word(line.text, word));
        found.extend(source.lines().filter(float).map(|line| source.place(line)));
    }
    none(found, "amounts are `Money`, rates are `rust_decimal::Decimal`");
}

#[test]
fn nothing_gives_up_outside_tests() {
    let mut found = Vec::new();
    for source in rust() {
        let words = [".unwrap()", ".expect(", "panic!(", "unreachable!(", "todo!(", "unimplemented!("];
        let gives_up = |line: &Line<'_>| words.iter().any(|word| line.text.contains(word));
        found.extend(source.code().filter(gives_up).map(|line| source.place(line)));
    }
    none(found, "return an error that says what we were doing, or a value that is right without one");
}

#[test]
fn lines_are_short() {
    let mut long = Vec::new();
    for source in rust() {
        // A table's row cannot be broken.
        let too_long = |line: &Line<'_>| {
            let columns = if line.comment || line.test { OTHER_COLUMNS } else { CODE_COLUMNS };
            line.text.chars().count() > columns && !line.text.starts_with("//! |")
        };
        let lines = source.lines().filter(too_long);
        long.extend(
            lines.map(|line| {
                format!("{}:{}: {} columns", source.path, line.number, line.text.chars().count())
            }),
        );
    }
    none(long, "break the line; a long text is broken with `\\` at the line's end");
}

#[test]
fn files_are_short() {
    let long = rust().into_iter().map(|source| (source.text.lines().count(), source.path));
    let long = long.filter(|(count, _)| *count > FILE_LINES);
    none(
        long.map(|(count, path)| format!("{path}: {count} lines")),
        "a file of more than 700 lines is two things",
    );
}

/// Left the spelling of others, right that of the APIs in this field.
const SPELLING: [(&str, &str); 9] = [
    ("fulfil", "fulfill"),
    ("cancelled", "canceled"),
    ("catalogue", "catalog"),
    ("authoris", "authoriz"),
    ("organis", "organiz"),
    ("colour", "color"),
    ("behaviour", "behavior"),
    ("neighbour", "neighbor"),
    ("favourite", "favorite"),
];

#[test]
fn words_are_spelled_as_the_field_spells_them() {
    let rooms = ["events", "functions", "infra", "shared", "tests"];
    let sources =
        rooms.iter().flat_map(|room| [".rs", ".md", ".yaml"].map(|ending| files(room, ending))).flatten();
    let mut found = Vec::new();
    for source in sources.filter(|source| source.path != "tests/tidy/words.rs") {
        for line in source.lines() {
            let text = line.text.to_lowercase().replace("fulfill", "");
            let wrong = SPELLING.iter().find(|(wrong, _)| text.contains(wrong));
            found.extend(wrong.map(|(_, right)| format!("{}  → {right}", source.place(line))));
        }
    }
    none(found, "one spelling in code, API and documents, so that a search finds everything");
}
