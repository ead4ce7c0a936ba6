//! What an explanation says of the answer as a whole.
use serde_json::{Value, json};

use super::command::{explained as printed, folder};
use super::resource::{OTHER_KEY, app, explained, one};
use super::{document, other_document};
use crate::harness::{CLIENT_KEY, Request, Response};

/// An override that cannot be read is as if it were not there, and percentages are not as in Flagsmith.
#[test]
fn what_of_the_document_does_not_count_is_told() {
    let mut document = document();
    document["use_identity_composite_key_for_hashing"] = json!(false);
    document["identity_overrides"][0]["identity_features"][0] = json!("broken");
    let app = app(&[(CLIENT_KEY, Some(document.clone()))]);
    let proxy_says = explained(&app, &json!({"identifier": "alice"}))["notes"].clone();
    let told = proxy_says[0].as_str().unwrap();
    for warning in ["hashes identities by a database id", "identity override 1: "] {
        assert!(told.contains(warning), "{told}");
    }
    let pair = json!({"client_side_key": CLIENT_KEY, "document_path": "document.json"});
    let folder = folder(&json!({"environment_key_pairs": [pair]}));
    std::fs::write(folder.path().join("document.json"), document.to_string()).unwrap();
    let alone = printed(folder.path(), &["--identifier=alice", "--json"]);
    let alone: Value = serde_json::from_str(&alone).unwrap();
    assert_eq!(alone["notes"], proxy_says);
}

/// As where two pairs are mixed up: overrides look as if they were ignored.
#[test]
fn what_health_says_of_the_environment_is_told() {
    let app = app(&[(CLIENT_KEY, Some(other_document("Staging", OTHER_KEY)))]);
    let notes = explained(&app, &json!({"identifier": "alice"}))["notes"].clone();
    let told = notes[0].as_str().unwrap();
    assert!(told.contains("document is another environment's"), "{told}");
}

/// POST takes them away, as Django does, and GET does not.
#[test]
fn blanks_around_an_identifier_are_told_of() {
    let app = one();
    let notes = |identifier: &str| explained(&app, &json!({"identifier": identifier}))["notes"].to_string();
    assert_eq!(notes("alice"), "[]");
    let told = notes("alice ");
    assert!(told.contains("GET identities/"), "{told}");
    // It is so.
    let is_overridden = |answer: Response| {
        answer.json()["flags"]
            .to_string()
            .contains("segment=identity_overrides")
    };
    let posted = Request::post("/api/v1/identities/", json!({"identifier": "alice "}).to_string());
    assert!(is_overridden(app.send(posted.key(CLIENT_KEY))));
    let got = Request::get("/api/v1/identities/?identifier=alice%20");
    assert!(!is_overridden(app.send(got.key(CLIENT_KEY))));
}
