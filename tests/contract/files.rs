//! Files that the tests write and compare: the repository's own, from its root.

use serde_json::{Map, Value};
use std::path::{Path, PathBuf};
pub(crate) use tests::refusing::updating;

/// What repairs every drift of a file that is made here.
pub(crate) const REPAIR: &str =
    "run `UPDATE=1 cargo test -p tests --test contract`, and read what it changed";

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("tests/ has a parent").to_owned()
}

pub(crate) fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}; {REPAIR}"))
}

/// Writes the file when updating; otherwise says how it differs, if it does.
pub(crate) fn compare(path: &str, want: &str) -> Option<String> {
    let file = root().join(path);
    if updating() {
        let folder = file.parent().expect("a file lies in a folder");
        std::fs::create_dir_all(folder).expect("the folder can be made");
        std::fs::write(&file, want).expect("the file can be written");
        return None;
    }
    match std::fs::read_to_string(&file) {
        Err(error) => Some(format!("{path}: {error}")),
        Ok(found) if found == want => None,
        Ok(found) => {
            let differs = |(left, right): &(&str, &str)| left != right;
            let line = found.lines().zip(want.lines()).position(|pair| differs(&pair));
            let line = line.unwrap_or_else(|| found.lines().count().min(want.lines().count()));
            let shown = |text: &str| text.lines().nth(line).unwrap_or("(the end)").trim().to_owned();
            Some(format!(
                "{path}, line {}: is `{}`, the types say `{}`",
                line + 1,
                shown(&found),
                shown(want)
            ))
        }
    }
}

/// Fails with every complaint and how to repair it.
pub(crate) fn none(complaints: impl IntoIterator<Item = String>, repair: &str) {
    let complaints: Vec<String> = complaints.into_iter().collect();
    assert!(complaints.is_empty(), "\n{}\nRepair: {repair}\n", complaints.join("\n"));
}

/// Pretty JSON with sorted members, whatever features serde_json was built with.
pub(crate) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(&sorted(value)).expect("a value is JSON");
    text.push('\n');
    text
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> =
                members.iter().map(|(name, value)| (name.clone(), sorted(value))).collect();
            members.sort_by(|(left, _), (right, _)| left.cmp(right));
            Value::Object(members.into_iter().collect::<Map<_, _>>())
        }
        Value::Array(items) => items.iter().map(sorted).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Names of the files in a folder that end so, without the ending.
pub(crate) fn stems(folder: &str, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).into_iter().flatten();
    let names = entries.map(|entry| entry.expect("the folder can be read").file_name());
    let mut stems: Vec<String> =
        names.filter_map(|name| Some(name.to_str()?.strip_suffix(ending)?.to_owned())).collect();
    stems.sort_unstable();
    stems
}

/// Names of the folders in a folder.
pub(crate) fn folders(folder: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join(folder)).expect("the folder can be read");
    let entries = entries.map(|entry| entry.expect("the folder can be read"));
    let folders = entries.filter(|entry| entry.path().is_dir());
    let mut names: Vec<String> =
        folders.filter_map(|entry| entry.file_name().to_str().map(str::to_owned)).collect();
    names.sort_unstable();
    names
}
