//! Refusals beside those of requests that are read whole: each is counted by its reason, and in no other.
use serde_json::{Value, json};
use test_support::http::{Connection, Request};

use super::metrics::{Scrape, scrape};
use crate::harness::{App, CLIENT_KEY, Options, merge, spawn_app};
use crate::tls::secured;

/// One worker with an admin port, and these options.
fn app(over: &Value) -> App {
    let mut config = json!({"admin": {"port": 0}});
    merge(&mut config, over);
    spawn_app(Options {
        config,
        workers: 1,
        ..Options::default()
    })
}

/// Asserts that these are the refusals that there were, and how many of each.
fn assert_refused(scrape: &Scrape, expected: &[(&str, f64)]) {
    let named: Vec<_> = expected
        .iter()
        .map(|(reason, count)| (format!("flagsmith_edge_proxy_{reason}\"}}"), *count))
        .collect();
    let refused = [
        "refused_requests_total{",
        "shed_requests_total{",
        "refused_streams_total{",
    ];
    let mut told: Vec<_> = scrape
        .all()
        .filter(|(series, count)| *count > 0.0 && refused.iter().any(|name| series.contains(name)))
        .map(|(series, count)| (series.to_owned(), count))
        .collect();
    told.sort_by(|one, other| one.0.cmp(&other.0));
    assert_eq!(told, named);
}

/// A request whose body is awaited: the proxy has asked for it.
fn in_hand(app: &App) -> Connection {
    let mut connection = app.connect();
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\nExpect: 100-continue\r\n\
          Content-Length: 20\r\n\r\n",
    );
    assert_eq!(connection.read_head().status, 100);
    connection
}

#[test]
fn bodies_that_come_slowly_or_in_an_unknown_coding_and_large_heads() {
    let app = app(&json!({"server": {"request_body_timeout_seconds": 0.1}}));
    let identities = Request::post("/api/v1/identities/", "{}").key(CLIENT_KEY);
    let coded = identities.header("Content-Encoding", "br");
    assert_eq!(app.send(coded).status, 415);
    assert_eq!(in_hand(&app).read(false).status, 408);
    let large = Request::get("/api/v1/flags/").header("X-Large", &"x".repeat(200_000));
    assert_eq!(app.send(large).status, 431);
    assert_refused(
        &scrape(&app),
        &[
            (r#"refused_requests_total{reason="body_timeout"#, 1.0),
            (r#"refused_requests_total{reason="head_too_large"#, 1.0),
            (r#"refused_requests_total{reason="unsupported_coding"#, 1.0),
        ],
    );
}

#[test]
fn a_client_that_sends_its_body_slowly_makes_no_slow_request() {
    let app = app(&json!({"server": {"request_body_timeout_seconds": 2}}));
    let mut connection = app.connect();
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\nContent-Length: 9\r\n\r\n{",
    );
    assert_eq!(connection.read(false).status, 408);
    let scrape = scrape(&app);
    assert_eq!(scrape.requests("POST", "/api/v1/identities/", 408), 1.0);
    let took = scrape.value(
        r#"flagsmith_http_server_request_duration_seconds_sum{route="/api/v1/identities/",method="POST",response_status="408"}"#,
    );
    assert!(
        0.0 < took && took < 1.0,
        "{took} s, less the 2 that its body was waited for"
    );
}

#[test]
fn bodies_that_are_whole_and_say_nothing() {
    let app = app(&json!({}));
    for (path, body) in [
        ("/api/v1/identities/", r#"{"identifier":"x""#),
        ("/api/v1/identities/", "[]"),
        ("/api/v1/analytics/flags/", "no JSON"),
        ("/api/v2/analytics/flags/", "{}"),
    ] {
        assert_eq!(app.send(Request::post(path, body).key(CLIENT_KEY)).status, 400);
    }
    // This one has no body at all.
    let query = format!("/api/v1/identities/?identifier={}", "x".repeat(2_001));
    assert_eq!(app.get(&query).status, 400);
    assert_refused(
        &scrape(&app),
        &[(r#"refused_requests_total{reason="bad_body"#, 4.0)],
    );
}

#[test]
fn plain_http_where_tls_is_spoken() {
    let secured = secured(Options {
        config: json!({"admin": {"port": 0}}),
        ..Options::default()
    });
    let mut plain = Connection::open(secured.app.address);
    plain.write_request(&Request::get("/api/v1/flags/"));
    assert_eq!(plain.read(false).status, 400);
    assert_refused(
        &scrape(&secured.app),
        &[(r#"refused_requests_total{reason="http_to_tls"#, 1.0)],
    );
}

#[test]
fn more_connections_than_there_are_places() {
    let app = app(&json!({"server": {"max_connections": 2}}));
    let in_hand = [in_hand(&app), in_hand(&app)];
    assert_eq!(app.get("/api/v1/flags/").status, 503);
    assert_refused(
        &scrape(&app),
        &[(r#"shed_requests_total{reason="connections"#, 1.0)],
    );
    drop(in_hand);
}
