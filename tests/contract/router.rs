//! The routes of `cargo lambda watch`, which the template has already: the last section of Cargo.toml is made from it.

use crate::files::{REPAIR, compare, none, read};
use crate::template::Raw;
use std::collections::BTreeSet;

const HEAD: &str = "[workspace.metadata.lambda.watch.router]\n";

#[test]
fn cargo_lambda_watch_routes_as_the_template_does() {
    let mut lines = BTreeSet::new();
    for (_, name, function) in Raw::read().functions() {
        for event in function["Events"].as_object().into_iter().flat_map(|events| events.values()) {
            // A route without a path is `$default`, for what no other takes.
            if let ("HttpApi", Some(path)) =
                (event["Type"].as_str().unwrap_or_default(), event["Properties"]["Path"].as_str())
            {
                lines.insert(format!("\"{}\" = \"{name}\"\n", path.replace("{proxy+}", "{*proxy}")));
            }
        }
    }
    assert!(lines.len() > 5, "the template has routes");
    let cargo = read("Cargo.toml");
    let (before, _) = cargo.split_once(HEAD).expect("the router is the last section of Cargo.toml");
    let want = before.to_owned() + HEAD + &lines.into_iter().collect::<String>();
    none(compare("Cargo.toml", &want), REPAIR);
}
