//! Where things lie, and that each room has its map.

use crate::source::{files, folders, names, none, read, root, rust};

/// What the top level shows, beside dot files and what builds leave.
const TOP: [&str; 10] = [
    "Cargo.lock",
    "Cargo.toml",
    "LICENSE",
    "README.md",
    "events",
    "functions",
    "infra",
    "samconfig.toml",
    "shared",
    "tests",
];
const LEFT_BY_BUILDS: &str = "target";

#[test]
fn the_top_level_shows_the_architecture_and_nothing_else() {
    let mut found = names(".");
    found.retain(|name| name != LEFT_BY_BUILDS);
    let strange =
        found.iter().filter(|name| !TOP.contains(&name.as_str())).map(|name| format!("{name} is too much"));
    let missing = TOP.iter().filter(|name| !found.iter().any(|found| found == *name));
    let missing = missing.map(|name| format!("{name} is missing"));
    none(strange.chain(missing), "move it into the room that it belongs to; settings of tools are dot files");
}

#[test]
fn every_room_has_a_readme() {
    let shared = folders("shared").into_iter().map(|name| format!("shared/{name}"));
    let rooms = ["functions", "shared", "infra", "infra/local", "events", "tests"].map(str::to_owned);
    let without =
        rooms.into_iter().chain(shared).filter(|room| !root().join(room).join("README.md").is_file());
    none(
        without.map(|room| format!("{room}/README.md")),
        "write the map of the room: what is here, and what is absent",
    );
}

#[test]
fn links_in_readmes_lead_somewhere() {
    let top = ["README.md".to_owned()].map(|path| crate::source::Source { text: read(&path), path });
    let rooms =
        ["events", "functions", "infra", "shared", "tests"].iter().flat_map(|room| files(room, "README.md"));
    let mut dead = Vec::new();
    for readme in top.into_iter().chain(rooms) {
        let folder = readme.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for line in readme.lines() {
            let links = line.text.split("](").skip(1).filter_map(|rest| Some(rest.split_once(')')?.0));
            let links = links.map(|link| link.split('#').next().unwrap_or_default());
            let local = links.filter(|link| !link.is_empty() && !link.contains("://"));
            dead.extend(
                local.filter(|link| !root().join(folder).join(link).exists()).map(|_| readme.place(line)),
            );
        }
    }
    none(dead, "correct the link, or write what it leads to");
}

#[test]
fn every_function_is_in_the_readme_of_functions_and_in_the_template() {
    let (readme, template) = (read("functions/README.md"), read("infra/template.yaml"));
    let mut missing = Vec::new();
    for name in folders("functions") {
        if !readme.contains(&format!("[{name}]({name}/src/lib.rs)")) {
            missing.push(format!("{name}: no row in functions/README.md"));
        }
        if !template.lines().any(|line| line.trim() == format!("CodeUri: ../target/lambda/{name}")) {
            missing.push(format!("{name}: no function in infra/template.yaml"));
        }
    }
    none(missing, "a function has a row in functions/README.md and a resource in infra/template.yaml");
}

#[test]
fn a_function_imports_no_other_function() {
    let functions = folders("functions");
    let mut imports = Vec::new();
    for name in &functions {
        let path = format!("functions/{name}/Cargo.toml");
        let cargo = read(&path);
        let others = functions.iter().filter(|other| *other != name);
        let named = |other: &&String| {
            cargo.lines().any(|line| line.split(['.', ' ', '=']).next() == Some(other.as_str()))
        };
        imports.extend(others.filter(named).map(|other| format!("{path}: {other}")));
    }
    none(imports, "functions meet in events and in the table; what two need belongs in shared/");
}

/// What each shared crate may use of the others.
const BELOW: [(&str, &[&str]); 7] = [
    ("assets", &[]),
    ("domain", &[]),
    ("events", &["domain"]),
    ("table", &["domain", "events"]),
    ("edge", &["domain", "events", "table"]),
    ("gateway", &["domain", "events", "table", "edge"]),
    ("bucket", &["domain", "events", "table", "edge"]),
];

#[test]
fn imports_of_shared_crates_point_one_way() {
    let crates: Vec<&str> = BELOW.iter().map(|(name, _)| *name).collect();
    assert_eq!(folders("shared").len(), crates.len(), "a new shared crate gets its place in BELOW");
    let mut imports = Vec::new();
    for (name, below) in BELOW {
        let path = format!("shared/{name}/Cargo.toml");
        let cargo = read(&path);
        let dependencies = cargo.split("[dependencies]").nth(1).unwrap_or_default();
        for other in crates.iter().filter(|other| **other != name && !below.contains(other)) {
            if dependencies.lines().any(|line| line.starts_with(&format!("{other}.workspace"))) {
                imports.push(format!("{path}: {other}"));
            }
        }
    }
    none(imports, "functions → gateway → edge → table → events → domain: move what is needed down");
}

#[test]
fn a_function_says_what_it_reads_writes_and_emits() {
    let mut silent = Vec::new();
    for name in folders("functions") {
        let path = format!("functions/{name}/src/lib.rs");
        let text = read(&path);
        let head: String =
            text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join(" ");
        let head = head.to_lowercase();
        let words = ["reads", "writes", "emits"].into_iter().filter(|word| !head.contains(word));
        silent.extend(words.map(|word| format!("{path}: the head does not say what it {word}")));
    }
    none(silent, "say `Reads: … Writes: … Emits: …` in the `//!` lines at the top");
}

#[test]
fn every_file_begins_with_what_it_is() {
    let silent = rust()
        .into_iter()
        .filter(|source| !source.text.starts_with("//! ") && !source.path.ends_with("/tests.rs"));
    none(
        silent.map(|source| source.path),
        "open the file with a `//!` line: what it owns, and what is absent on purpose",
    );
}
