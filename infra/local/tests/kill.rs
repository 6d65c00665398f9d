//! A replay that is killed at any of its steps and started again ends with the same figures.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test may stop at the first surprise")]

use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

const HISTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/history");

fn souk(data: &Path, json: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_souk"));
    command.arg("--data").arg(data).arg("replay").arg(HISTORY).arg("--json").arg(json);
    command.env("SOUK_LOG", "souk::replay=info").stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Runs to the end; answers the figures and how many steps were told.
fn whole(data: &Path, json: &Path) -> (Value, usize) {
    let output = souk(data, json).output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{told}");
    let mut figures: Value = serde_json::from_str(&std::fs::read_to_string(json).unwrap()).unwrap();
    figures.as_object_mut().unwrap().remove("orders_per_second");
    (figures, told.lines().count())
}

/// Kills it the hard way as soon as so many steps are told.
fn killed(data: &Path, json: &Path, steps: usize) {
    let mut child = souk(data, json).spawn().unwrap();
    let told = BufReader::new(child.stderr.take().unwrap()).lines().take(steps).count();
    assert_eq!(told, steps, "it ended before it could be killed");
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_replay_killed_at_any_step_and_started_again_ends_with_the_same_figures() {
    let folder = tempfile::tempdir().unwrap();
    let json = folder.path().join("figures.json");
    let (figures, steps) = whole(&folder.path().join("whole"), &json);
    assert!(steps >= 5, "the steps are told");
    for step in 1..steps {
        let data = folder.path().join(format!("killed-{step}"));
        killed(&data, &json, step);
        assert_eq!(whole(&data, &json).0, figures, "killed after step {step}");
        assert_eq!(whole(&data, &json).0, figures, "and once more, with nothing left to do");
    }
}
