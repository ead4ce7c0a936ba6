//! Who may ask the admin port.
use serde_json::json;

use super::app;
use crate::harness::{App, Connection, Request, Response};

/// Asks with these headers and nothing else, `Host` included.
fn ask(app: &App, method: &str, headers: &[(&str, &str)]) -> Response {
    let request = Request::new(method, "/log-level");
    let request = headers
        .iter()
        .fold(request, |request, (name, value)| request.header(name, value));
    Connection::open(app.admin.unwrap()).send(&request)
}

#[test]
fn a_name_that_leads_here_reads_nothing() {
    let app = app(json!({}));
    let port = app.admin.unwrap().port();
    for (host, expected) in [
        (format!("127.0.0.1:{port}"), 503),
        (format!("localhost:{port}"), 503),
        (format!("evil.example:{port}"), 403),
    ] {
        // The process of the tests has no log of its own, so that what is admitted is 503.
        let answer = ask(&app, "GET", &[("Host", &host)]);
        assert_eq!(answer.status, expected, "{host}");
        if expected == 403 {
            assert!(answer.text().contains("set admin.token"), "{}", answer.text());
        }
    }
}

#[test]
fn a_page_of_another_origin_changes_nothing_and_is_told_of_no_cors() {
    let app = app(json!({}));
    let host = app.admin.unwrap().to_string();
    for method in ["PUT", "GET", "OPTIONS", "POST"] {
        let answer = ask(
            &app,
            method,
            &[("Host", &host), ("Origin", "http://evil.example")],
        );
        assert_eq!(answer.status, 403, "{method}");
        let cors = answer
            .headers
            .iter()
            .find(|(name, _)| name.starts_with("access-control"));
        assert_eq!(cors, None, "{method}");
    }
}

#[test]
fn a_token_is_asked_for_in_words_and_opens_every_path() {
    let app = app(json!({"token": "sesame"}));
    for path in ["/", "/log-level", "/no-such-path"] {
        let answer = app.ask_admin(Request::get(path));
        assert_eq!(answer.status, 401, "{path}");
        assert!(
            answer.text().contains("Authorization: Bearer"),
            "{}",
            answer.text()
        );
        let challenges = answer
            .headers
            .iter()
            .filter(|(name, _)| name == "www-authenticate")
            .count();
        assert_eq!(challenges, 2);
        let wrong = app.ask_admin(Request::get(path).header("Authorization", "Bearer sesamo"));
        assert_eq!(wrong.status, 401, "{path}");
    }
    let bearer = |path: &str| app.ask_admin(Request::get(path).header("Authorization", "Bearer sesame"));
    assert_eq!(bearer("/").status, 200);
    assert_eq!(bearer("/no-such-path").status, 404);
    // A browser's way: any name, the token as the password.
    let basic = Request::get("/").header("Authorization", "Basic YW55Ym9keTpzZXNhbWU=");
    assert_eq!(app.ask_admin(basic).status, 200);
    // Whoever has it may come by any name, as a monitoring does within a cluster.
    let host = [("Host", "edge-proxy"), ("Authorization", "Bearer sesame")];
    assert_eq!(ask(&app, "GET", &host).status, 503);
}

#[test]
fn a_token_may_be_any_text() {
    let app = app(json!({"token": "schl\u{fc}ssel mit blank"}));
    // In base64, by a browser or `curl --user`.
    for credentials in [
        "Bearer schl\u{fc}ssel mit blank",
        "Basic bWU6c2NobMO8c3NlbCBtaXQgYmxhbms=",
    ] {
        let answer = app.ask_admin(Request::get("/").header("Authorization", credentials));
        assert_eq!(answer.status, 200, "{credentials}");
    }
    let wrong = Request::get("/").header("Authorization", "Bearer schlussel mit blank");
    assert_eq!(app.ask_admin(wrong).status, 401);
}

#[test]
fn every_answer_keeps_browsers_in_bounds() {
    let app = app(json!({}));
    for path in ["/", "/log-level", "/no-such-path"] {
        let answer = app.ask_admin(Request::get(path));
        for (name, expected) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", "no-store"),
        ] {
            assert_eq!(answer.header(name), Some(expected), "{path}");
        }
        let policy = answer.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'"), "{path}: {policy}");
    }
}
