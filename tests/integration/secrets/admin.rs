//! What is asked at the admin port, with its token and without.
use std::net::SocketAddr;

use serde_json::json;

use super::marks::{self, IDENTIFIER, JUNK, assert_shows_nothing};
use super::session::check;
use crate::harness::{Connection, Request, Response};

/// Beside the public port, so that the system tells the two apart.
pub(super) const HOST: &str = "127.0.0.2";

const PATHS: [&str; 8] = [
    "/",
    "/status",
    "/status.json",
    "/status/page.js",
    "/log-level",
    "/metrics",
    "/explain",
    "/no-such-path",
];

/// Asks on a connection of its own; no answer shows anything.
fn ask(address: SocketAddr, request: &Request) -> Response {
    let what = String::from_utf8_lossy(&request.bytes()).into_owned();
    let answer = Connection::open(address).send(request);
    check(&what, &answer, &[]);
    answer
}

fn with_token(request: Request, address: SocketAddr) -> Request {
    let request = request.header("Host", &address.to_string());
    request.header("Authorization", &format!("Bearer {}", marks::ADMIN_TOKEN))
}

/// All of it.
pub(super) fn talk(address: SocketAddr) {
    for path in PATHS {
        let path = format!("{path}?{JUNK}={IDENTIFIER}");
        for method in ["GET", "HEAD", "PUT", "OPTIONS", JUNK] {
            let request = || Request::new(method, &path).header("Cookie", JUNK);
            ask(address, &with_token(request(), address));
            assert_eq!(ask(address, &request()).status, 401, "{method} {path}");
            let wrong = format!("Bearer {}", marks::WRONG_TOKEN);
            assert_eq!(
                ask(address, &request().header("Authorization", &wrong)).status,
                401
            );
            let basic = format!("Basic {JUNK}");
            assert_eq!(
                ask(address, &request().header("Authorization", &basic)).status,
                401
            );
        }
    }
    let status = ask(address, &with_token(Request::get("/status.json"), address)).json();
    let environments = status["environments"].as_array().unwrap();
    let failed = environments
        .iter()
        .filter(|environment| !environment["last_failure"].is_null());
    assert!(failed.count() > 5, "it tells of failures: {status:#}");
    for body in [
        JUNK.to_owned(),
        json!({"level": JUNK}).to_string(),
        JUNK.repeat(1_000),
    ] {
        ask(address, &with_token(Request::put("/log-level", body), address));
    }
    let elsewhere = Request::get("/status").header("Origin", &format!("http://{JUNK}.example"));
    assert_eq!(ask(address, &with_token(elsewhere, address)).status, 403);
    metrics(address);
    events(address);
}

/// What a scrape tells of all that the session has sent, in both formats.
fn metrics(address: SocketAddr) {
    for accept in ["text/plain", "application/openmetrics-text"] {
        let request = Request::get("/metrics").header("Accept", accept);
        let answer = ask(address, &with_token(request, address));
        for part in [
            r#"route="unmatched",method="OTHER""#,
            r#"route="/sse/environments/{client_side_key}/stream/""#,
            r#"flagsmith_edge_proxy_refused_requests_total{reason="bad_head"}"#,
            r#"status="key rejected""#,
        ] {
            assert!(answer.text().contains(part), "no {part} in {}", answer.text());
        }
    }
}

/// What a page that is open is told.
fn events(address: SocketAddr) {
    let mut page = Connection::open(address);
    page.write_request(&with_token(Request::get("/status/events"), address));
    check("a page's stream", &page.read_head(), &[]);
    loop {
        let frame = page.chunk().expect("it goes on");
        assert_shows_nothing("a page's stream", &frame);
        if frame.contains("event: changes") {
            return;
        }
    }
}
