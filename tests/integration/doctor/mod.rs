//! `edge-proxy doctor` on set-ups that are broken in one place each: that place is named by its own line, and nothing else is.
//!
//! # Layout
//! - `mod.rs`: running it, and what it said.
//! - `sound`: set-ups that nothing is wrong with.
//! - `configuration`, `way`, `tls`, `answers`, `documents`, `collectors`, `store`, `server`, `system`: what breaks, by where it is.
//! - `names`: names from outside that look like a part of a line.
//! - `tickets`: what people have asked Flagsmith's support about their proxies, one by one.
mod answers;
mod collectors;
mod configuration;
mod documents;
mod names;
mod server;
mod sound;
mod store;
mod system;
mod tickets;
mod tls;
mod way;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::{environment, feature_state};
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::harness::{CLIENT_KEY, SERVER_KEY, command, merge};

/// What it said of a set-up.
struct Diagnosis {
    code: Option<i32>,
    report: Value,
}

/// A check by its subject and its name.
type Place<'p> = (&'p str, &'p str);

impl Diagnosis {
    fn of(command: &mut Command) -> Self {
        let output = command.args(["doctor", "--json"]).output().unwrap();
        let written = String::from_utf8_lossy(&output.stdout);
        let report = serde_json::from_str(&written);
        let report = report
            .unwrap_or_else(|error| panic!("{error}: {written} {}", String::from_utf8_lossy(&output.stderr)));
        Self {
            code: output.status.code(),
            report,
        }
    }

    /// What it says of a check, with what to do; of all, where there are several.
    fn says(&self, (subject, check): Place<'_>) -> String {
        let checks = self.report["checks"].as_array().unwrap().iter();
        let told = checks.filter(|one| {
            one["check"] == check
                && one["subject"]
                    .as_str()
                    .is_some_and(|own| own.starts_with(subject))
        });
        let told: Vec<String> = told
            .map(|one| {
                format!(
                    "{} \u{2192} {}",
                    one["detail"].as_str().unwrap(),
                    one["advice"].as_str().unwrap_or("null")
                )
            })
            .collect();
        assert!(!told.is_empty(), "no {subject}: {check} in {:#}", self.report);
        told.join("\n")
    }

    /// The checks of a verdict. Where the store of a test is does not matter to it.
    fn of_verdict(&self, verdict: &str) -> Vec<Place<'_>> {
        let checks = self.report["checks"].as_array().unwrap().iter();
        let of_it = checks.filter(|one| one["verdict"] == verdict && one["check"] != "kept");
        of_it
            .map(|one| (one["subject"].as_str().unwrap(), one["check"].as_str().unwrap()))
            .collect()
    }

    fn assert(&self, verdict: &str, (subject, check): Place<'_>, says: &str) {
        let other = if verdict == "failure" {
            "warning"
        } else {
            "failure"
        };
        assert_eq!(self.of_verdict(other), [], "{:#}", self.report);
        let found = self.of_verdict(verdict);
        let is_it = matches!(found.as_slice(), [(own, known)] if own.starts_with(subject) && *known == check);
        assert!(is_it, "{verdict}s are {found:?}: {:#}", self.report);
        let told = self.says((subject, check));
        assert!(
            told.to_lowercase().contains(&says.to_lowercase()),
            "{says:?} is not in {told}"
        );
        assert!(!told.ends_with("null"), "it says what to do: {told}");
        assert_eq!(self.code, Some(i32::from(verdict == "failure")));
    }

    /// This check alone fails, and says this; nothing is warned of.
    fn assert_fails(&self, place: Place<'_>, says: &str) {
        self.assert("failure", place, says);
    }

    /// This check alone is warned of, and says this; nothing fails.
    fn assert_warns(&self, place: Place<'_>, says: &str) {
        self.assert("warning", place, says);
    }

    fn assert_is_sound(&self) {
        assert_eq!(
            (self.of_verdict("failure"), self.of_verdict("warning")),
            (vec![], vec![]),
            "{:#}",
            self.report
        );
        assert_eq!(self.code, Some(0));
    }
}

/// An environment with nothing wrong, and with an identity override.
fn document() -> Value {
    let mut document = environment(
        CLIENT_KEY,
        "2024-12-26T16:18:08.5+00:00",
        vec![feature_state(1, "banner", "blue")],
    );
    document["identity_overrides"] = json!([test_support::documents::identity_override(
        CLIENT_KEY,
        "alice",
        &[feature_state(2, "banner", "red")]
    )]);
    document
}

/// The configuration of the one key pair of these tests, with this over it.
fn config(over: &Value) -> Value {
    let mut config = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_poll_timeout_seconds": 20,
        "server": {"host": "127.0.0.1", "port": 0},
    });
    merge(&mut config, over);
    config
}

/// It, at this upstream.
fn at(api_url: &str) -> Value {
    config(&json!({"api_url": api_url}))
}

fn folder(config: &Value) -> TempDir {
    let folder = TempDir::new().unwrap();
    write(folder.path(), config);
    folder
}

fn write(folder: &Path, config: &Value) {
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
}

/// Examines a configuration, in a folder of its own.
fn examine(config: &Value) -> Diagnosis {
    examine_with(config, &[])
}

fn examine_with(config: &Value, variables: &[(&str, &str)]) -> Diagnosis {
    examine_in(folder(config).path(), variables)
}

/// Examines what is in a folder.
fn examine_in(folder: &Path, variables: &[(&str, &str)]) -> Diagnosis {
    Diagnosis::of(command(folder).envs(variables.iter().copied()))
}

/// The program where any account can start it; the folders above the one that it was built in may be closed.
fn reachable_program(folder: &TempDir) -> PathBuf {
    let program = folder.path().join("edge-proxy");
    let built = env!("CARGO_BIN_EXE_edge-proxy");
    if fs::hard_link(built, &program).is_err() {
        fs::copy(built, &program).unwrap();
    }
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    program
}

/// An upstream that answers every fetch so.
fn answering(answer: Answer) -> ScriptedUpstream {
    ScriptedUpstream::start(move |_| answer.clone())
}
