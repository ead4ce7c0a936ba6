//! `edge-proxy explain` without a running proxy: which documents it gets, and what it says where it gets none.
use std::sync::{Arc, Condvar, Mutex};

use serde_json::json;
use test_support::reserved_port::ReservedPort;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::PATIENCE;

use super::command::{QUESTION, explained, failed, folder, run, text};
use super::other_document;
use crate::harness::CLIENT_KEY;

#[test]
fn where_no_proxy_answers_it_is_explained_alone_and_told() {
    // Nobody listens there, and nobody else will: the test holds the port.
    let held = ReservedPort::any();
    let port = held.port();
    let folder = folder(&json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "document.json"}],
        "admin": {"port": port},
    }));
    let output = run(folder.path(), &QUESTION);
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stderr);
    assert!(
        told.contains(&format!("no proxy answers at http://127.0.0.1:{port}")),
        "{told}"
    );
    assert!(text(&output.stdout).contains("shop  on   \"closed\"  DEFAULT"));
}

/// Its name is in the document: whoever calls it by that hears why there is none.
#[test]
fn an_environment_that_has_no_document_may_be_the_one_that_is_meant() {
    let folder = folder(&json!({
        "environment_key_pairs": [
            {"client_side_key": CLIENT_KEY, "document_path": "document.json"},
            {"client_side_key": "other-client-key", "document_path": "missing.json"},
        ],
    }));
    let (code, line) = failed(folder.path(), &["--environment", "Production"]);
    assert_eq!(code, Some(1));
    assert!(line.contains("no environment has this name"), "{line}");
    assert!(
        line.contains("environment 2 (without a document yet): "),
        "{line}"
    );
    assert!(line.contains("check document_path"), "{line}");
}

/// Where none has a document, which would name it, that is all there is to say.
#[test]
fn by_name_and_without_any_document_it_says_why_there_is_none() {
    let nobody = ReservedPort::any();
    let closed = nobody.address();
    let pair = |number: u8| json!({"client_side_key": format!("key-{number}"), "server_side_key": format!("ser.{number}")});
    let folder = folder(&json!({
        "environment_key_pairs": [pair(1), pair(2)],
        "api_url": format!("http://{closed}/api/v1"),
    }));
    for arguments in [&["--environment=Production"][..], &["--environment=2"]] {
        let (code, line) = failed(folder.path(), arguments);
        assert_eq!(code, Some(1), "{line}");
        assert!(line.contains("(without a document yet): "), "{line}");
        assert!(
            line.contains(&closed.to_string()) || line.contains("refused"),
            "{line}"
        );
        assert!(!line.contains("no environment has this name"), "{line}");
    }
    // Nobody says which is meant: that comes first.
    let (code, line) = failed(folder.path(), &[]);
    assert_eq!(code, Some(1), "{line}");
    assert!(line.contains("which environment?"), "{line}");
    assert!(
        line.contains("; environment 1 (without a document yet): "),
        "{line}"
    );
}

#[test]
fn a_fallback_that_is_none_is_told_beside_the_failure() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    let folder = folder(&json!({
        "environment_key_pairs": [{
            "client_side_key": CLIENT_KEY,
            "server_side_key": "ser.1",
            "fallback_document_path": "missing.json",
        }],
        "api_url": upstream.api_url(),
    }));
    let (code, line) = failed(folder.path(), &[]);
    assert_eq!(code, Some(1), "{line}");
    assert!(line.contains("503"), "{line}");
    assert!(
        line.contains("fallback_document_path") && line.contains("missing.json"),
        "{line}"
    );
    assert_eq!(line.lines().count(), 1, "{line}");
}

/// An upstream that gives its documents when so many have been asked for.
fn upstream_for(waiting: usize) -> ScriptedUpstream {
    let asked = Arc::new((Mutex::new(0), Condvar::new()));
    ScriptedUpstream::start(move |request| {
        let (count, more) = &*asked;
        let mut count = count.lock().unwrap();
        *count += 1;
        more.notify_all();
        let waited = more.wait_timeout_while(count, PATIENCE, |count| *count < waiting);
        if waited.unwrap().1.timed_out() {
            return Answer::status(500);
        }
        let key = request.header("X-Environment-Key").unwrap_or_default();
        let number = key.trim_start_matches(|character: char| !character.is_ascii_digit());
        Answer::ok(other_document(&format!("Environment {number}"), key).to_string())
    })
}

fn of_upstream(upstream: &ScriptedUpstream, environments: u8) -> tempfile::TempDir {
    let pairs = (1..=environments)
        .map(|number| json!({"client_side_key": format!("key-{number}"), "server_side_key": format!("ser.{number}")}));
    folder(&json!({
        "environment_key_pairs": pairs.collect::<Vec<_>>(),
        "api_url": upstream.api_url(),
        "api_poll_timeout": 60,
    }))
}

#[test]
fn documents_are_got_several_at_once() {
    let upstream = upstream_for(8);
    let folder = of_upstream(&upstream, 9);
    // All are named, so all were given. Of those that wait for others in vain there is no document.
    let (_, line) = failed(folder.path(), &["--environment=Production"]);
    assert!(line.contains("9 (\"Environment 9\")"), "{line}");
    assert!(!line.contains("without a document"), "{line}");
    assert_eq!(upstream.requests().len(), 9);
}

#[test]
fn who_names_an_id_or_a_key_waits_for_no_other_document() {
    for asked in ["--environment=3", "--environment=key-3"] {
        let upstream = upstream_for(1);
        let folder = of_upstream(&upstream, 4);
        let output = run(folder.path(), &[asked]);
        let told = String::from_utf8(output.stdout).unwrap();
        assert!(told.starts_with("environment 3, "), "{told}");
        assert_eq!(upstream.requests().len(), 1, "{asked}");
    }
}

/// Whoever reads an id in a log must get that environment.
#[test]
fn an_id_goes_before_another_environments_name() {
    let folder = folder(&json!({
        "environment_key_pairs": [
            {"client_side_key": CLIENT_KEY, "document_path": "document.json"},
            {"client_side_key": "other-client-key", "document_path": "other.json"},
        ],
    }));
    let other = other_document("1", "other-client-key").to_string();
    std::fs::write(folder.path().join("other.json"), other).unwrap();
    for (asked, first) in [
        ("--environment=1", "environment 1, "),
        ("--environment=2", "environment 2, "),
    ] {
        let told = explained(folder.path(), &[asked]);
        assert!(told.starts_with(first), "{told}");
    }
}

#[test]
fn a_port_that_the_system_chooses_is_to_be_given() {
    let folder = folder(&json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "document.json"}],
        "admin": {"port": 0},
    }));
    let output = run(folder.path(), &QUESTION);
    assert_eq!(output.status.code(), Some(0));
    let told = text(&output.stderr);
    assert!(
        told.contains("admin.port is 0") && told.contains("--url"),
        "{told}"
    );
    let output = run(folder.path(), &[&QUESTION[..], &["--alone"]].concat());
    assert_eq!(text(&output.stderr), "", "whoever asks for it knows");
}
