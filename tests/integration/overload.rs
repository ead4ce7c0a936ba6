//! More than the process can take on: some of it is refused at once, and the rest is answered as ever.
use edge_proxy::application::Limits;
use serde_json::json;

use crate::harness::{
    App, CLIENT_KEY, Connection, Options, Request, Response, spawn_app, with_many_features,
};

const PROBES: [&str; 6] = [
    "/proxy/health",
    "/proxy/health/readiness",
    "/proxy/health/liveness/",
    "/health",
    "/sse/health",
    "/api/v1/sse/health/",
];

fn identity_request() -> Request {
    Request::post("/api/v1/identities/", json!({"identifier": "bob"}).to_string()).key(CLIENT_KEY)
}

fn assert_refused(response: &Response) {
    assert_eq!(response.status, 503);
    assert_eq!(response.json()["status"], "unavailable");
    let seconds: u64 = response.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
}

fn probes_are_answered(app: &App) {
    for path in PROBES {
        assert_eq!(app.get(path).status, 200, "{path}");
    }
}

/// A client that has asked for an answer of its own, far larger than what the kernel keeps of it, and reads its head.
fn that_reads_no_further(app: &App) -> Connection {
    let mut connection = app.connect();
    connection.write_request(&identity_request());
    assert_eq!(connection.read_head().status, 200);
    connection
}

#[test]
fn unread_answers_are_bounded_over_all_connections() {
    let app = spawn_app(Options {
        document: Some(with_many_features(5_000).to_string()),
        limits: Limits {
            send_buffer: Some(16 * 1024),
            unsent_answers: 1024 * 1024,
            ..Options::default().limits
        },
        ..Options::default()
    });
    let length = app.send(identity_request()).body.len();
    let may_be_unread = 1024 * 1024 / length;
    assert!(may_be_unread >= 1, "{length}");
    let unread: Vec<_> = (0..may_be_unread).map(|_| that_reads_no_further(&app)).collect();
    assert_refused(&app.send(identity_request()));
    probes_are_answered(&app);
    drop(unread);
    app.wait_until_answered(|app| app.send(identity_request()).status == 200);
}
