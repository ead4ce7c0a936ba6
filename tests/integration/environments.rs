//! What an environment's state means for requests, and that all workers agree on it.
use std::time::Duration;

use serde_json::json;

use crate::harness::{CLIENT_KEY, Connection, Options, Request, SERVER_KEY, fixture, spawn_app};

/// Everything that a document is needed for.
const RESOURCES: [&str; 3] = [
    "/api/v1/flags/",
    "/api/v1/identities/?identifier=bob",
    "/api/v1/environment-document/",
];

#[test]
fn a_known_key_without_a_document_is_503_with_a_pause() {
    let app = spawn_app(Options {
        document: None,
        ..Options::default()
    });
    for path in RESOURCES {
        let response = app.send(Request::get(path).key(SERVER_KEY));
        assert_eq!(response.status, 503, "{path}");
        assert_eq!(response.json()["status"], "unavailable", "{path}");
        let seconds: u32 = response.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=10).contains(&seconds), "{seconds}");
        assert_eq!(app.send(Request::get(path).key("unknown")).status, 401, "{path}");
    }
    let pauses: std::collections::HashSet<_> = (0..100)
        .map(|_| {
            app.get("/api/v1/flags/")
                .header("retry-after")
                .unwrap()
                .to_owned()
        })
        .collect();
    assert!(pauses.len() > 1, "jittered");

    app.publish(&fixture());
    assert_eq!(app.get("/api/v1/flags/").status, 200);
}

#[test]
fn a_disabled_organisation_is_served_nothing() {
    let mut disabled = fixture();
    disabled["project"]["organisation"]["stop_serving_flags"] = json!(true);
    let app = spawn_app(Options {
        document: Some(disabled.to_string()),
        ..Options::default()
    });
    for path in RESOURCES {
        let response = app.send(Request::get(path).key(SERVER_KEY));
        assert_eq!(response.status, 403, "{path}");
        assert_eq!(
            response.json()["detail"],
            "Organisation is disabled from serving flags.",
            "{path}"
        );
    }
    assert_eq!(
        app.send(Request::get("/api/v1/flags/").key("unknown")).status,
        401
    );
}

#[test]
fn a_change_is_served_by_every_worker_once_it_is_acknowledged() {
    let app = spawn_app(Options {
        workers: 4,
        ..Options::default()
    });
    // Connections are dealt out to the workers in turn, so 16 of them reach all four.
    let mut connections: Vec<Connection> = (0..16).map(|_| app.connect()).collect();
    let flags = Request::get("/api/v1/flags/?feature=zebra").key(CLIENT_KEY);
    for version in 1..=20 {
        let mut changed = fixture();
        changed["feature_states"][0]["feature_state_value"] = json!(version);
        changed["updated_at"] = json!(format!("2025-01-01T00:00:{version:02}+00:00"));
        app.publish(&changed);
        for connection in &mut connections {
            let response = connection.send(&flags);
            assert_eq!(response.json()["feature_state_value"], version);
            assert_eq!(
                response.header("x-flagsmith-document-updated-at"),
                Some(format!("{}.0", 1_735_689_600 + version).as_str())
            );
        }
    }
}

#[test]
fn a_file_that_becomes_unreadable_leaves_what_is_served() {
    let app = spawn_app(Options {
        document: Some(fixture().to_string()),
        adjust: |settings| {
            settings.api_poll_frequency = Duration::ZERO;
            settings.health_check.grace_period = Some(Duration::from_millis(200));
        },
        ..Options::default()
    });
    let before = app.get("/api/v1/flags/").body;
    for broken in [json!({}), json!([]), json!(null), json!({"feature_states": 1})] {
        app.replace_document(&broken);
        // Only a file that was looked at, and found wanting, goes stale.
        app.wait_until_answered(|app| app.get("/proxy/health").status == 503);
        assert_eq!(app.get("/api/v1/flags/").body, before);
        app.replace_document(&fixture());
        app.wait_until_answered(|app| app.get("/proxy/health").status == 200);
    }
    let mut changed = fixture();
    changed["feature_states"][0]["enabled"] = json!(false);
    app.publish(&changed);
    assert_ne!(app.get("/api/v1/flags/").body, before);
}
