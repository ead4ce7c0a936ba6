//! Every route with every sort of key, with and without its trailing slash.
use serde_json::{Value, json};

use crate::harness::{CLIENT_KEY, Options, Request, SERVER_KEY, fixture, spawn_app};

const KEYS: [(&str, Option<&str>); 8] = [
    ("client", Some(CLIENT_KEY)),
    ("server", Some(SERVER_KEY)),
    ("client with blanks", Some("  client-key\t")),
    ("unknown client", Some("another-key")),
    ("unknown server", Some("ser.another-key")),
    ("missing", None),
    ("empty", Some("")),
    ("blank", Some("  ")),
];

/// Status by key, in the order of [`KEYS`].
const OPEN: [u16; 8] = [200, 200, 200, 401, 401, 401, 401, 401];
const SERVER_ONLY: [u16; 8] = [401, 200, 401, 401, 401, 401, 401, 401];
const KEYLESS: [u16; 8] = [200; 8];

#[test]
fn every_route_with_every_sort_of_key() {
    let app = spawn_app(Options::default());
    let identity = json!({"identifier": "bob", "traits": []}).to_string();
    let routes: [(&str, &str, Option<&str>, [u16; 8]); 8] = [
        ("GET", "/api/v1/flags", None, OPEN),
        ("GET", "/api/v1/identities", None, OPEN),
        ("POST", "/api/v1/identities", Some(&identity), OPEN),
        ("GET", "/api/v1/environment-document", None, SERVER_ONLY),
        ("GET", "/proxy/health", None, KEYLESS),
        ("GET", "/health", None, KEYLESS),
        ("GET", "/proxy/health/readiness", None, KEYLESS),
        ("GET", "/proxy/health/liveness", None, KEYLESS),
    ];
    let mut connection = app.connect();
    for (method, path, body, expected) in routes {
        for slash in ["", "/"] {
            for ((name, key), expected) in KEYS.into_iter().zip(expected) {
                let path = format!("{path}{slash}");
                let mut request = match body {
                    Some(body) => Request::post(&path, body),
                    None => Request::new(method, &path),
                };
                if let Some(key) = key {
                    request = request.key(key);
                }
                let response = connection.send(&request);
                let case = format!("{method} {path}, {name} key");
                assert_eq!(response.status, expected, "{case}");
                assert_eq!(
                    response.header("content-type"),
                    Some("application/json"),
                    "{case}"
                );
                if expected == 401 {
                    assert_eq!(response.json()["status"], "unauthorized", "{case}");
                    assert_eq!(response.json()["message"], response.json()["detail"], "{case}");
                    let key = key.map_or("", str::trim);
                    assert!(
                        key.is_empty() || !response.text().contains(key),
                        "{case}: the key is echoed"
                    );
                }
            }
        }
    }
}

#[test]
fn the_name_of_the_key_header_is_read_in_any_case_and_the_first_counts() {
    let app = spawn_app(Options::default());
    for name in ["x-environment-key", "X-ENVIRONMENT-KEY", "X-Environment-key"] {
        assert_eq!(
            app.send(Request::get("/api/v1/flags/").header(name, CLIENT_KEY))
                .status,
            200,
            "{name}"
        );
    }
    let twice = Request::get("/api/v1/environment-document/")
        .key(SERVER_KEY)
        .key(CLIENT_KEY);
    assert_eq!(app.send(twice).status, 200);
    let twice = Request::get("/api/v1/environment-document/")
        .key(CLIENT_KEY)
        .key(SERVER_KEY);
    assert_eq!(app.send(twice).status, 401);
}

#[test]
fn the_refusal_of_a_key_says_the_same_whatever_was_sent() {
    let app = spawn_app(Options::default());
    let expected = json!({
        "status": "unauthorized", "message": "unknown environment key", "detail": "unknown environment key"
    });
    assert_eq!(app.send(Request::get("/api/v1/flags/")).json(), expected);
    assert_eq!(
        app.send(Request::get("/api/v1/flags/").key("x-secret")).json(),
        expected
    );
    // Bytes above ASCII are a legal header value and an unknown key.
    assert_eq!(
        app.send(Request::get("/api/v1/flags/").key("ключ")).json(),
        expected
    );
}

fn names(flags: &Value) -> Vec<&str> {
    flags
        .as_array()
        .unwrap()
        .iter()
        .map(|flag| flag["feature"]["name"].as_str().unwrap())
        .collect()
}

#[test]
fn flags_come_in_document_order_and_the_same_bytes_every_time() {
    let app = spawn_app(Options::default());
    let first = app.send(Request::get("/api/v1/flags/").key(SERVER_KEY));
    assert_eq!(
        names(&first.json()),
        ["zebra", "banner", "internal", "Café + crème", "colour"]
    );
    let client = app.get("/api/v1/flags/");
    assert_eq!(
        names(&client.json()),
        ["zebra", "banner", "Café + crème", "colour"]
    );
    assert!(
        first.text().starts_with(
            r#"[{"feature":{"id":9,"name":"zebra","type":"STANDARD"},"enabled":true,"feature_state_value":1.50},"#
        ),
        "compact, and numbers with their own text: {}",
        first.text()
    );
    for _ in 0..50 {
        assert_eq!(
            app.send(Request::get("/api/v1/flags").key(SERVER_KEY)).body,
            first.body
        );
        assert_eq!(app.get("/api/v1/flags/?feature=").body, client.body);
    }
}

#[test]
fn one_flag_by_name() {
    let app = spawn_app(Options::default());
    for (query, expected) in [
        ("feature=banner", Some("banner")),
        ("feature=BANNER", Some("banner")),
        ("feature=zebra&feature=banner", Some("banner")),
        ("feature=Caf%C3%A9+%2B+cr%C3%A8me", Some("Café + crème")),
        ("feature=unknown", None),
        ("feature=internal", None),
        ("feature=%ff", None),
    ] {
        let response = app.get(&format!("/api/v1/flags/?{query}"));
        match expected {
            Some(name) => assert_eq!(response.json()["feature"]["name"], name, "{query}"),
            None => {
                assert_eq!(response.status, 404, "{query}");
                assert_eq!(response.json()["status"], "not_found", "{query}");
                assert_eq!(response.json()["message"], "feature not found", "{query}");
            }
        }
    }
    let internal = app.send(Request::get("/api/v1/flags/?feature=internal").key(SERVER_KEY));
    assert_eq!(internal.json()["feature_state_value"], "for servers");
}

#[test]
fn the_environment_document_is_the_documents_own_with_the_served_time() {
    let app = spawn_app(Options::default());
    let response = app.send(Request::get("/api/v1/environment-document/").key(SERVER_KEY));
    assert_eq!(response.json(), fixture());
    assert_eq!(
        response.header("x-flagsmith-document-updated-at"),
        Some("1735229888.76")
    );
    assert_eq!(
        response.header("last-modified"),
        Some("Thu, 26 Dec 2024 16:18:08 GMT")
    );

    let refused = app.get("/api/v1/environment-document/");
    assert_eq!(refused.status, 401);
    assert!(!refused.text().contains("zebra"));
}

#[test]
fn answers_name_the_time_of_their_document() {
    let app = spawn_app(Options::default());
    for path in [
        "/api/v1/flags/",
        "/api/v1/flags/?feature=zebra",
        "/api/v1/identities/?identifier=bob",
    ] {
        assert_eq!(
            app.get(path).header("x-flagsmith-document-updated-at"),
            Some("1735229888.76"),
            "{path}"
        );
        assert_eq!(
            app.get(path).header("vary"),
            Some("X-Environment-Key, Accept-Encoding"),
            "{path}"
        );
    }
}

#[test]
fn an_unknown_path_is_404_in_json_and_nothing_redirects() {
    let app = spawn_app(Options::default());
    for path in [
        "/api/v1/",
        "/api/v1/flag/",
        "/api/v1/flags/flags/",
        "/api/v1/flags%2F",
        "/api/v1/flags/%2F",
        "/%ff",
        "/..",
    ] {
        let response = app.get(path);
        assert_eq!(response.status, 404, "{path}");
        assert_eq!(response.json()["status"], "not_found", "{path}");
    }
}
