//! What SDKs get.
use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::{V1, V2};
use crate::harness::{App, CLIENT_KEY, Options, Request, Response, SERVER_KEY, fixture, spawn_app};

const EVALUATIONS: &str = r#"{"evaluations":[{"feature_name":"zebra","identity_identifier":"bob","enabled_when_evaluated":true,"count":1}]}"#;

/// Each path with a body that it takes.
const BOTH: [(&str, &str); 2] = [(V1, r#"{"zebra":1}"#), (V2, EVALUATIONS)];

fn app(config: Value) -> App {
    spawn_app(Options {
        config,
        ..Options::default()
    })
}

fn post(path: &str, body: impl Into<Vec<u8>>) -> Request {
    Request::post(path, body).key(CLIENT_KEY)
}

fn assert_taken(path: &str, response: &Response) {
    let (status, body) = if path.contains("/v2/") {
        (204, "")
    } else {
        (200, "{}")
    };
    assert_eq!((response.status, response.text()), (status, body), "{path}");
}

#[test]
fn version_1_is_200_with_a_body_and_version_2_is_204_without() {
    let app = app(json!({}));
    let mut connection = app.connect();
    for (path, body) in BOTH {
        let bare = path.trim_end_matches('/');
        for path in [
            path.to_owned(),
            bare.to_owned(),
            format!("/{path}/"),
            path.replace("s/f", "s//f"),
        ] {
            for key in [CLIENT_KEY, SERVER_KEY] {
                let response = connection.send(&Request::post(&path, body).key(key));
                assert_taken(&path, &response);
                assert_eq!(response.header("cache-control"), Some("no-store"), "{path}");
                assert_eq!(response.header("vary"), Some("X-Environment-Key"), "{path}");
                assert_eq!(
                    response.header("access-control-allow-origin"),
                    Some("*"),
                    "{path}"
                );
                assert_eq!(response.header("connection"), None, "{path}");
                let content_type = (response.status == 200).then_some("application/json");
                assert_eq!(response.header("content-type"), content_type, "{path}");
            }
        }
    }
}

#[test]
fn other_methods_are_405_and_a_preflight_needs_no_key() {
    let app = app(json!({}));
    let mut connection = app.connect();
    for (path, _) in BOTH {
        for method in ["GET", "HEAD", "PUT", "DELETE", "PATCH", "BREW"] {
            let response = connection.send(&Request::new(method, path).key(CLIENT_KEY));
            assert_eq!(
                (response.status, response.header("allow")),
                (405, Some("POST, OPTIONS")),
                "{method}"
            );
        }
        let options = connection.send(&Request::new("OPTIONS", path));
        assert_eq!(
            (options.status, options.header("allow")),
            (200, Some("POST, OPTIONS"))
        );
        let vary = "X-Environment-Key, Access-Control-Request-Method, Access-Control-Request-Headers";
        assert_eq!(options.header("vary"), Some(vary), "{path}");
        let preflight = Request::new("OPTIONS", path)
            .header("Origin", "https://www.example.com")
            .header("Access-Control-Request-Method", "POST");
        let preflight = connection.send(&preflight);
        assert_eq!(preflight.status, 200, "{path}");
        assert_eq!(
            preflight.header("access-control-allow-origin"),
            Some("*"),
            "{path}"
        );
    }
}

#[test]
fn the_key_comes_before_the_body() {
    let app = app(json!({}));
    for (path, body) in BOTH {
        for body in [body, "[", ""] {
            for request in [
                Request::post(path, body),
                Request::post(path, body).key("unknown"),
            ] {
                let mut connection = app.connect();
                let response = connection.send(&request);
                assert_eq!(
                    (response.status, &response.json()["status"]),
                    (401, &json!("unauthorized")),
                    "{path}"
                );
                assert_eq!(response.header("vary"), Some("X-Environment-Key"), "{path}");
                // The body is read off, and the connection goes on.
                assert_eq!(connection.send(&Request::get("/health")).status, 200, "{path}");
            }
        }
    }
}

#[test]
fn a_body_that_counts_nothing_is_400_that_says_what_is_expected() {
    let app = app(json!({}));
    let mut connection = app.connect();
    for (path, _) in BOTH {
        for body in ["", "[]", "null", "1", "{", "[{\"zebra\":1}]"] {
            let response = connection.send(&post(path, body));
            assert_eq!(
                (response.status, &response.json()["status"]),
                (400, &json!("bad_request")),
                "{path} {body}"
            );
            let message = response.json()["message"].to_string();
            assert!(message.contains("must be a JSON object"), "{message}");
            assert_eq!(
                response.header("cache-control"),
                Some("no-store"),
                "{path} {body}"
            );
        }
    }
    for body in ["{}", r#"{"evaluations":{}}"#, r#"{"zebra":1}"#] {
        assert_eq!(connection.send(&post(V2, body)).status, 400, "{body}");
    }
    let many: serde_json::Map<_, _> = (0..10_001).map(|number| (number.to_string(), json!(1))).collect();
    let response = connection.send(&post(V1, json!(many).to_string()));
    assert_eq!(response.status, 400);
    assert!(response.text().contains("10000"));
}

#[test]
fn what_does_not_count_is_no_mistake() {
    let app = app(json!({}));
    let mut connection = app.connect();
    for body in [
        "{}",
        r#"{"unknown":1,"zebra":1}"#,
        r#"{"zebra":-1}"#,
        r#"{"zebra":1.5,"a":true,"b":null,"c":"1","d":[1],"e":{"f":1},"g":99999999999999999999}"#,
    ] {
        assert_taken(V1, &connection.send(&post(V1, body)));
    }
    for body in [
        r#"{"evaluations":[]}"#,
        r#"{"evaluations":[1,{"feature_name":"zebra"},{"feature_name":"unknown","enabled_when_evaluated":true,"count":1}]}"#,
    ] {
        assert_taken(V2, &connection.send(&post(V2, body)));
    }
}

#[test]
fn bodies_have_their_limit_and_may_be_gzip() {
    let app = app(json!({}));
    for (path, body) in BOTH {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(body.as_bytes()).unwrap();
        let gzip = encoder.finish().unwrap();
        assert_eq!(app.send(post(path, gzip.clone())).status, 400, "{path}");
        assert_taken(
            path,
            &app.send(post(path, gzip).header("Content-Encoding", "gzip")),
        );
        assert_eq!(
            app.send(post(path, body).header("Content-Encoding", "br")).status,
            415,
            "{path}"
        );
        let large = format!("{}{body}", " ".repeat(1024 * 1024));
        assert_eq!(app.send(post(path, large)).status, 413, "{path}");
    }
}

#[test]
fn an_environment_without_a_document_counts_and_a_stopped_organisation_does_not() {
    let mut document = fixture();
    document["project"]["organisation"]["stop_serving_flags"] = json!(true);
    for (document, status) in [(None, None), (Some(document.to_string()), Some(403))] {
        let app = spawn_app(Options {
            document,
            ..Options::default()
        });
        for (path, body) in BOTH {
            let response = app.send(post(path, body));
            match status {
                None => assert_taken(path, &response),
                Some(status) => assert_eq!(response.status, status, "{path}"),
            }
        }
    }
}

#[test]
fn without_analytics_counts_are_taken_and_dropped() {
    let app = app(json!({"analytics": false}));
    for (path, body) in BOTH {
        assert_taken(path, &app.send(post(path, body)));
        assert_eq!(app.send(post(path, "[]")).status, 400, "{path}");
        assert_eq!(app.send(Request::post(path, body)).status, 401, "{path}");
    }
}

#[test]
fn both_versions_are_below_the_prefix() {
    let app = app(json!({"server": {"path_prefix": "/edge"}}));
    for (path, body) in BOTH {
        let prefixed = format!("/edge{path}");
        assert_taken(&prefixed, &app.send(post(&prefixed, body)));
        let response = app.send(post(path, body));
        assert_eq!(response.status, 404, "{path}");
        assert!(response.text().contains("/edge/api/v1/"), "{}", response.text());
    }
    for path in [
        "/edge/analytics/flags/",
        "/edge/api/v1/api/v2/analytics/flags/",
        "/edge/api/v2/flags/",
    ] {
        let response = app.send(post(path, "{}"));
        assert_eq!(response.status, 404, "{path}");
        assert!(response.text().contains("/edge/api/v1/"), "{path}");
    }
}
