//! Health, readiness and liveness.
use std::time::Duration;

use edge_proxy::application::Limits;
use serde_json::{Value, json};

use crate::harness::{CLIENT_KEY, Options, SERVER_KEY, spawn_app};

#[test]
fn a_served_document_is_healthy_and_named_without_a_key() {
    let app = spawn_app(Options::default());
    for path in ["/proxy/health", "/health"] {
        let response = app.get(path);
        let body = response.json();
        assert_eq!(response.status, 200, "{path}");
        assert_eq!((&body["status"], &body["reason"]), (&json!("ok"), &Value::Null));
        let last = body["last_successful_update"].as_str().unwrap();
        assert_eq!(
            (last.len(), last.as_bytes()[10], last.as_bytes()[19]),
            (20, b'T', b'Z'),
            "{last}"
        );
        assert_eq!(
            body["environments"],
            json!([{"name": "Test environment", "id": 7, "status": "ok", "subscribers": 0}])
        );
        assert!(!response.text().contains(CLIENT_KEY) && !response.text().contains(SERVER_KEY));
    }
    assert_eq!(
        app.get("/proxy/health/readiness").json(),
        json!({"status": "ok", "reason": null})
    );
    assert_eq!(
        app.get("/proxy/health/liveness").json(),
        json!({"status": "ok", "reason": null})
    );
}

#[test]
fn before_the_first_document_it_lives_but_is_not_ready() {
    let app = spawn_app(Options {
        document: None,
        ..Options::default()
    });
    let health = app.get("/proxy/health");
    assert_eq!(health.status, 503);
    assert_eq!(health.json()["status"], "error");
    assert_eq!(health.json()["reason"], "environment document(s) not updated.");
    assert_eq!(health.json()["last_successful_update"], Value::Null);
    assert_eq!(app.get("/proxy/health/readiness").status, 503);
    assert_eq!(app.get("/proxy/health/liveness").status, 200);
}

#[test]
fn one_environment_of_two_suffices() {
    let pairs = json!([
        {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": "environment.json"},
        {"client_side_key": "absent", "server_side_key": "ser.absent", "document_path": "absent.json"},
    ]);
    let app = spawn_app(Options {
        config: json!({"environment_key_pairs": pairs}),
        ..Options::default()
    });
    let health = app.get("/proxy/health");
    assert_eq!(
        (health.status, health.json()["status"].as_str()),
        (200, Some("ok"))
    );
    assert_eq!(health.json()["environments"][0]["status"], "ok");
    assert_eq!(health.json()["environments"][1]["status"], "not updated");
    assert_eq!(app.get("/proxy/health/readiness").status, 200);
    // Its file may be looked for after the other one is served.
    app.wait_until_answered(|app| {
        app.get("/proxy/health").json()["environments"][1]["detail"]
            == "the document's file cannot be used (No such file or directory (os error 2)); check document_path"
    });
}

#[test]
fn why_documents_are_not_stored_is_named_and_fails_no_check() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("store");
    std::fs::write(&directory, "no directory").unwrap();
    let app = spawn_app(Options {
        config: json!({"persistence": {"directory": directory}}),
        limits: Limits {
            store_retry: Duration::from_millis(20),
            ..Options::default().limits
        },
        ..Options::default()
    });
    let wait_until = |is_so: &dyn Fn(&Value) -> bool| {
        app.wait_until_answered(|app| {
            let health = app.get("/proxy/health");
            assert_eq!(health.status, 200);
            is_so(&health.json()["persistence"])
        });
    };
    let fails = json!({"status": "error", "detail": "cannot make the directory: File exists (os error 17); it must be a directory"});
    wait_until(&|told| *told == fails);
    // The next attempt finds another process in it, and the one after that finds it free.
    std::fs::remove_file(&directory).unwrap();
    std::fs::create_dir(&directory).unwrap();
    let lock = std::fs::File::create(directory.join("lock")).unwrap();
    let waits = json!({"status": "waits", "detail": "another process has it"});
    if lock.try_lock().is_ok() {
        wait_until(&|told| *told == waits);
    }
    drop(lock);
    wait_until(&Value::is_null);
}
