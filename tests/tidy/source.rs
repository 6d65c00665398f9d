//! The sources of the repository, line by line.

use std::path::{Path, PathBuf};

/// Folders with sources.
const ROOMS: [&str; 4] = ["functions", "infra", "shared", "tests"];

/// One file, named from the root with forward slashes.
pub(crate) struct Source {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// A line of it.
#[derive(Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) number: usize,
    pub(crate) text: &'a str,
    /// In a test module, or in a file that is one.
    pub(crate) test: bool,
    pub(crate) comment: bool,
}

impl Source {
    pub(crate) fn lines(&self) -> impl Iterator<Item = Line<'_>> {
        let all = self.is_test();
        // Tests stand last in a file.
        let tests = self.text.lines().position(|line| line == "mod tests {").unwrap_or(usize::MAX);
        self.text.lines().enumerate().map(move |(at, text)| Line {
            number: at + 1,
            text,
            test: all || at >= tests,
            comment: text.trim_start().starts_with("//"),
        })
    }

    /// Lines that are neither comments nor tests.
    pub(crate) fn code(&self) -> impl Iterator<Item = Line<'_>> {
        self.lines().filter(|line| !line.test && !line.comment)
    }

    pub(crate) fn place(&self, line: Line<'_>) -> String {
        format!("{}:{}: {}", self.path, line.number, line.text.trim())
    }

    fn is_test(&self) -> bool {
        self.path.starts_with("tests/") || self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
}

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_default()
}

/// Names in a folder, sorted; dot files left out.
pub(crate) fn names(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).into_iter().flatten();
    let names = entries.map(|entry| entry.expect("the folder can be read").file_name());
    let mut names: Vec<String> = names
        .filter_map(|name| name.to_str().map(str::to_owned))
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort_unstable();
    names
}

/// Names of the folders in a folder.
pub(crate) fn folders(folder: &str) -> Vec<String> {
    names(folder).into_iter().filter(|name| root().join(folder).join(name).is_dir()).collect()
}

/// Every file of a room that ends so.
pub(crate) fn files(room: &str, ending: &str) -> Vec<Source> {
    let mut found = Vec::new();
    for name in names(room) {
        let path = format!("{room}/{name}");
        if root().join(&path).is_dir() {
            found.extend(files(&path, ending));
        } else if name.ends_with(ending) {
            let text = read(&path);
            found.push(Source { path, text });
        }
    }
    found
}

/// Every Rust file.
pub(crate) fn rust() -> Vec<Source> {
    let found: Vec<Source> = ROOMS.iter().flat_map(|room| files(room, ".rs")).collect();
    assert!(found.len() > 50, "the sources are found");
    found
}

/// Fails with every complaint and how to repair it.
pub(crate) fn none(complaints: impl IntoIterator<Item = String>, repair: &str) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    let count = complaints.len();
    assert!(complaints.is_empty(), "\n{}\n{count} in all. Repair: {repair}\n", complaints.join("\n"));
}

/// Whether the line has the word, and not as a part of another.
pub(crate) fn has_word(line: &str, word: &str) -> bool {
    let part = |byte: Option<&u8>| byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (at.checked_sub(1), at + word.len());
        let begins = !word.starts_with(|c: char| c.is_alphanumeric())
            || !part(before.and_then(|at| line.as_bytes().get(at)));
        let ends = !word.ends_with(|c: char| c.is_alphanumeric()) || !part(line.as_bytes().get(after));
        begins && ends
    })
}

#[test]
fn a_word_is_no_part_of_another() {
    assert!(has_word("let x: f64 = 1", "f64") && has_word("rand::random()", "rand::"));
    assert!(!has_word("let half64 = 1", "f64") && !has_word("operand::new()", "rand::"));
    assert!(has_word("x.await?", ".await"));
}
