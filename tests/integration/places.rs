//! More connections than descriptors allow.
use std::time::Duration;

use edge_proxy::application::Limits;
use edge_proxy::routes::StreamOptions;
use serde_json::json;

use crate::harness::{
    App, CLIENT_KEY, Connection, Options, Proxy, ProxyOptions, Request, Response, spawn_app,
};

/// A limit of open files that leaves 28 connections their place, 21 streams among them, and two in passing.
const OPEN_FILES: usize = 64;
const PLACES: usize = 28;
const STREAMS: usize = 21;

fn with_few_places(request_head_timeout: f64) -> App {
    spawn_app(Options {
        // More than there is room for.
        config: json!({
            "realtime": {"max_subscribers": 1_000},
            // Those in use stay so, however long it takes to see to the others.
            "server": {
                "request_head_timeout_seconds": request_head_timeout,
                "request_body_timeout_seconds": 3_600,
            },
        }),
        limits: Limits {
            open_files: Some(OPEN_FILES),
            streams: StreamOptions {
                refusal_hold: Duration::from_millis(1),
                ..StreamOptions::default()
            },
            ..Options::default().limits
        },
        ..Options::default()
    })
}

fn flags_request() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}

/// A connection whose request is in progress: the proxy has asked for its body.
fn in_use(app: &App) -> Connection {
    let mut connection = app.connect();
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\nExpect: 100-continue\r\n\
          Content-Length: 20\r\n\r\n",
    );
    assert_eq!(connection.read_head().status, 100);
    connection
}

fn assert_has_no_place(response: &Response) {
    assert_eq!(response.status, 503);
    assert_eq!(response.header("connection"), Some("close"));
    assert!(response.header("retry-after").is_some());
    assert_eq!(response.header("access-control-allow-origin"), Some("*"));
}

#[test]
fn idle_connections_make_room_for_new_ones() {
    let app = with_few_places(60.0);
    let mut kept: Vec<Connection> = Vec::new();
    for number in 0..4 * PLACES {
        let mut connection = app.connect();
        assert_eq!(connection.send(&flags_request()).status, 200, "{number}");
        kept.push(connection);
        // Those in use, of which one is on each worker, stay.
        for used in kept.iter_mut().take(2) {
            assert_eq!(used.send(&flags_request()).status, 200, "{number}");
        }
    }
    assert_eq!(app.get("/proxy/health/liveness").status, 200);
    let mut used = kept.drain(..2);
    assert!(used.all(|mut used| used.send(&flags_request()).status == 200));
}

#[test]
fn where_none_is_idle_a_new_one_hears_it_and_probes_are_answered() {
    let app = with_few_places(60.0);
    let mut in_use: Vec<_> = (0..PLACES).map(|_| in_use(&app)).collect();
    for _ in 0..3 * PLACES {
        let mut refused = app.connect();
        assert_has_no_place(&refused.send(&flags_request()));
        assert!(refused.is_closed());
        for path in ["/proxy/health/liveness", "/health"] {
            let mut probe = app.connect();
            assert_eq!(probe.send(&Request::get(path)).status, 200);
            assert!(probe.is_closed());
        }
    }
    // Those that have a place keep it.
    for connection in &mut in_use {
        connection.write(br#"{"identifier":"bob"}"#);
        assert_eq!(connection.read(false).status, 200);
    }
    assert_eq!(app.send(flags_request()).status, 200);
}

#[test]
fn those_who_say_nothing_keep_nobody_out() {
    let app = with_few_places(2.0);
    let in_use: Vec<_> = (0..PLACES).map(|_| in_use(&app)).collect();
    let mut silent: Vec<_> = (0..20).map(|_| app.connect()).collect();
    assert_has_no_place(&app.send(flags_request()));
    assert_eq!(app.get("/proxy/health/liveness").status, 200);
    let mut told = silent
        .iter_mut()
        .map(|silent| String::from_utf8(silent.rest()).unwrap());
    // One of each worker may stay, until its head is too late.
    let is_refusal = |told: &String| told.starts_with("HTTP/1.1 503 ") || told.starts_with("HTTP/1.1 408 ");
    assert!(told.all(|told| is_refusal(&told)));
    drop(in_use);
    app.wait_until_answered(|app| app.get("/api/v1/flags/").status == 200);
}

#[test]
fn streams_leave_a_quarter_to_requests() {
    let app = with_few_places(60.0);
    let open = || {
        let mut stream = app.connect();
        stream.write_request(&Request::get("/sse/environments/client-key/stream"));
        let status = stream.read_head().status;
        (stream, status)
    };
    let streams: Vec<_> = (0..STREAMS).map(|_| open()).collect();
    assert!(streams.iter().all(|(_, status)| *status == 200));
    let mut kept = Vec::new();
    for _ in 0..2 * PLACES {
        assert_eq!(open().1, 503);
        let mut connection = app.connect();
        assert_eq!(connection.send(&flags_request()).status, 200);
        kept.push(connection);
    }
}

#[test]
fn another_limit_of_connections_holds_for_streams_too() {
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"realtime": {"max_stream_age_seconds": -1}}),
        ..ProxyOptions::default()
    });
    let open = |proxy: &Proxy| {
        let mut stream = proxy.connect();
        stream.write_request(&Request::get(&format!("/sse/environments/{CLIENT_KEY}/stream")));
        let status = stream.read_head().status;
        (stream, status)
    };
    let mut streams: Vec<_> = (0..20).map(|_| open(&proxy)).collect();
    assert!(streams.iter().all(|(_, status)| *status == 200));
    // As from the start: a quarter of the connections is left for requests, and streams above that end.
    proxy.reload(&json!({"server": {"max_connections": 20}}));
    for (mut ended, _) in streams.drain(15..) {
        // What it is told first comes before its end.
        assert!((0..5).any(|_| ended.chunk().is_none()), "it ends");
    }
    assert_eq!(open(&proxy).1, 503);
    assert_eq!(proxy.connect().send(&flags_request()).status, 200);
    proxy.reload(&json!({"server": {"max_connections": 40}}));
    streams.extend((0..15).map(|_| open(&proxy)));
    assert!(streams.iter().all(|(_, status)| *status == 200));
    assert_eq!(open(&proxy).1, 503);
    // What is asked for and cannot be had is warned of, once, by a reload too.
    let warning = |line: &str| line.contains("realtime.max_subscribers is 31, but there are 40 connections");
    proxy.reload(&json!({"realtime": {"max_subscribers": 31}}));
    proxy.reload(&json!({"allow_origins": ["https://a.b"]}));
    assert_eq!(proxy.written().lines().filter(|line| warning(line)).count(), 1);
}
