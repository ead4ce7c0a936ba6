//! Paths as clients write them: doubled slashes, wrong base URLs, the root, and a prefix before all of them.
use std::time::{Duration, Instant};

use edge_proxy::application::{Limits, StopLimits};
use edge_proxy::routes::StreamOptions;
use serde_json::{Value, json};

use crate::harness::{
    App, CLIENT_KEY, EVENT_STREAM, EventStream, Options, Request, Response, SERVER_KEY, spawn_app,
};

const TOKEN: &str = "queue-change-token";

fn app(config: Value) -> App {
    let limits = Options::default().limits;
    spawn_app(Options {
        config,
        limits: Limits {
            streams: StreamOptions {
                refusal_hold: Duration::from_millis(1),
                ..limits.streams
            },
            // A drain goes on, whoever is connected.
            stop: StopLimits {
                quiet: Some(Duration::from_secs(600)),
                ..limits.stop
            },
            ..limits
        },
        ..Options::default()
    })
}

/// Asserts that the answer is a 404 which says this.
fn assert_not_found(path: &str, response: &Response, says: &str) {
    assert_eq!(response.status, 404, "{path}");
    let body = response.json();
    assert_eq!(body["status"], "not_found", "{path}");
    assert_eq!(body["message"], body["detail"], "{path}");
    let message = body["message"].as_str().unwrap();
    assert!(message.contains(says), "{path}: {message}");
    assert!(!response.text().contains(CLIENT_KEY), "{path}: {message}");
}

#[test]
fn doubled_slashes_work_everywhere_and_the_query_stays() {
    let app = app(json!({"realtime": {"authentication_token": TOKEN}}));
    for (path, same) in [
        ("/api/v1//flags/", "/api/v1/flags/"),
        ("//api/v1/flags//", "/api/v1/flags/"),
        ("///api///v1///flags///", "/api/v1/flags/"),
        ("//api/v1//flags/?feature=zebra", "/api/v1/flags/?feature=zebra"),
        (
            "/api/v1//identities/?identifier=//bob//",
            "/api/v1/identities/?identifier=//bob//",
        ),
        ("//proxy//health//liveness", "/proxy/health/liveness"),
        ("//", "/"),
        ("//sse//health", "/sse/health"),
    ] {
        let (response, same) = (app.get(path), app.get(same));
        assert_eq!((response.status, &response.body), (200, &same.body), "{path}");
    }
    let document = app.send(Request::get("/api/v1//environment-document/").key(SERVER_KEY));
    assert_eq!(document.status, 200);
    let identity = Request::post("/api/v1//identities//", r#"{"identifier":"bob"}"#).key(CLIENT_KEY);
    assert_eq!(app.send(identity).json()["identifier"], "bob");
    let change = Request::post(
        "//sse//environments/client-key//queue-change",
        r#"{"updated_at":"2024-12-26T16:18:08.76+00:00"}"#,
    );
    let change = change.header("Authorization", &format!("Token {TOKEN}"));
    assert_eq!(app.send(change).status, 200);
    for path in [
        "//sse/environments/client-key/stream",
        "/sse//environments//client-key//stream//",
        "/api/v1//sse/environments/client-key/stream",
    ] {
        assert_eq!(
            EventStream::open(app.address, &Request::get(path)).head.status,
            200,
            "{path}"
        );
    }
    // An escaped slash is no separator (RFC 3986 §2.2).
    assert_eq!(app.get("/api/v1%2F%2Fflags/").status, 404);
}

#[test]
fn a_wrong_base_url_is_a_404_that_names_the_right_one() {
    let app = app(json!({}));
    for path in [
        "/flags/",
        "//flags/?feature=zebra",
        "/api/v1flags/",
        "/api/v1/api/v1/flags/",
        "/api/v1/api/v1//flags/",
        "/api/v2/identities/",
        "/v1/environment-document",
        "/api/v1",
        "/api",
    ] {
        assert_not_found(path, &app.get(path), "http(s)://HOST/api/v1/");
        let post = Request::post(path, "{}").key(CLIENT_KEY);
        assert_not_found(path, &app.send(post), "http(s)://HOST/api/v1/");
    }
    for path in [
        "/environments/client-key/stream",
        "/api/v1/environments/client-key/stream",
    ] {
        let response = app.get(path);
        assert_not_found(
            path,
            &response,
            "the realtime URL to give SDKs is http(s)://HOST/ ",
        );
        assert_eq!(response.header("connection"), Some("close"), "{path}");
    }
    for path in [
        "/nowhere",
        "/api/v1/flag/",
        "/sse/environments/client-key/queue-change",
    ] {
        assert_eq!(app.get(path).json()["message"], "path not found", "{path}");
    }
}

#[test]
fn a_stream_at_a_wrong_url_is_refused_slowly() {
    let hold = Duration::from_millis(100);
    let app = spawn_app(Options {
        limits: Limits {
            streams: StreamOptions {
                refusal_hold: hold,
                ..StreamOptions::default()
            },
            ..Options::default().limits
        },
        ..Options::default()
    });
    let asked = Instant::now();
    assert_eq!(app.get("/environments/client-key/stream").status, 404);
    assert!(asked.elapsed() >= hold);
}

#[test]
fn the_root_is_ok_for_the_checks_that_balancers_make_by_default() {
    let app = app(json!({}));
    for (method, path) in [("GET", "/"), ("OPTIONS", "/"), ("OPTIONS", "*"), ("GET", "//")] {
        let response = app.send(Request::new(method, path));
        assert_eq!(
            (response.status, response.text()),
            (200, r#"{"status":"ok"}"#),
            "{method} {path}"
        );
        assert_eq!(response.header("content-type"), Some("application/json"));
    }
    let head = app.send(Request::new("HEAD", "/"));
    assert_eq!((head.status, head.header("content-length")), (200, Some("15")));
    let post = app.send(Request::post("/", "{}"));
    assert_eq!(
        (post.status, post.header("allow")),
        (405, Some("GET, HEAD, OPTIONS"))
    );

    // HAProxy's own check is of HTTP/1.0 and without a host.
    let mut connection = app.connect();
    connection.write(b"OPTIONS / HTTP/1.0\r\n\r\n");
    assert_eq!(connection.read(false).status, 200);
}

#[test]
fn the_root_follows_readiness() {
    let without_document = spawn_app(Options {
        document: None,
        ..Options::default()
    });
    let draining = app(json!({"server": {"drain_seconds": 600, "shutdown_timeout_seconds": 1_200}}));
    draining.ask_to_stop();
    draining.wait_until_answered(|app| app.get("/proxy/health/readiness").status == 503);
    for app in [&without_document, &draining] {
        for method in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(app.send(Request::new(method, "/")).status, 503, "{method}");
        }
        assert_eq!(app.get("/").json(), app.get("/proxy/health/readiness").json());
    }
}

#[test]
fn an_overloaded_process_answers_its_root() {
    let app = spawn_app(Options {
        config: json!({"server": {"path_prefix": "/edge"}}),
        adjust: |settings| settings.server.door.max_answer_bytes_in_flight = 0,
        ..Options::default()
    });
    for path in ["/", "/edge", "/edge/", "//edge//", "/edge/health"] {
        assert_eq!(app.get(path).status, 200, "{path}");
    }
    assert_eq!(app.get("/edge/api/v1/flags/").status, 503);
}

#[test]
fn a_prefix_comes_before_every_path_and_probes_need_none() {
    let app = app(json!({
        "server": {"path_prefix": "/team/flags-proxy/"},
        "realtime": {"authentication_token": TOKEN},
    }));
    let prefix = "/team/flags-proxy";
    for path in [
        "/api/v1/flags/",
        "/api/v1/flags",
        "//api/v1//flags/?feature=zebra",
        "/api/v1/identities/?identifier=bob",
    ] {
        assert_eq!(app.get(&format!("{prefix}{path}")).status, 200, "{path}");
        assert_not_found(path, &app.get(path), "http(s)://HOST/team/flags-proxy/api/v1/");
    }
    for path in [
        "",
        "/",
        "/health",
        "/proxy/health",
        "/proxy/health/readiness/",
        "/proxy/health/liveness",
        "/sse/health",
    ] {
        assert_eq!(app.get(&format!("{prefix}{path}")).status, 200, "{path}");
        if !path.is_empty() {
            assert_eq!(app.get(path).status, 200, "{path}");
        }
    }
    for stream in [EVENT_STREAM.to_owned(), format!("/api/v1{EVENT_STREAM}")] {
        let head = EventStream::open(app.address, &Request::get(&format!("{prefix}{stream}"))).head;
        assert_eq!(head.status, 200, "{stream}");
        let refused = app.send(Request::new("HEAD", &stream));
        assert_eq!(refused.status, 404, "{stream}");
    }
    let vary = app.get("/team/flags-proxy/api/v1/nowhere");
    assert_eq!(vary.header("vary"), Some("X-Environment-Key"));
}
