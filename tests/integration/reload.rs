//! A new configuration while the program runs: what each option that can change does from then on.
use std::time::Instant;

use serde_json::{Value, json};
use test_support::documents::{FIXTURE, document};
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::{PATIENCE, wait};

use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request, SERVER_KEY};

const OLD: &str = "2024-01-01T00:00:00+00:00";

fn start(config: Value) -> Proxy {
    Proxy::start(ProxyOptions {
        config,
        ..ProxyOptions::default()
    })
}

/// Where it is fetched from, in place of the fixture's file.
fn polled(upstream: &ScriptedUpstream) -> Value {
    json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": upstream.api_url(),
        "api_poll_frequency_seconds": 3600,
    })
}

/// An upstream that takes whatever it is sent.
fn upstream() -> ScriptedUpstream {
    ScriptedUpstream::start(|request| match request.target.as_str() {
        target if target.contains("/environment-document") => Answer::ok(FIXTURE),
        target if target.starts_with("/sse/") => Answer::event_stream(),
        _ => Answer::ok("{}"),
    })
}

async fn until_asked(upstream: &ScriptedUpstream, what: &str) {
    let mut count = upstream.count();
    let is_asked = |_: &usize| {
        upstream
            .requests()
            .iter()
            .any(|request| request.target.contains(what))
    };
    test_support::wait::in_time(count.wait_for(is_asked))
        .await
        .unwrap();
}

fn flags() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}

fn allowed_origin(proxy: &Proxy) -> Option<String> {
    let answer = proxy.connect().send(&flags().header("Origin", "https://a.b"));
    answer.header("access-control-allow-origin").map(str::to_owned)
}

#[test]
fn connections_that_are_open_follow_how_many_requests_they_may_have() {
    let mut proxy = start(json!({}));
    let mut kept = proxy.connect();
    let mut closing = |proxy: &Proxy| {
        if kept.has_ended() {
            kept = proxy.connect();
        }
        kept.send(&flags()).header("connection") == Some("close")
    };
    assert!(!(0..10).any(|_| closing(&proxy)));
    proxy.reload(&json!({"server": {"max_requests_per_connection": 11}}));
    // Each worker hears of it within a second.
    let begun = Instant::now();
    while !closing(&proxy) {
        assert!(begun.elapsed() < PATIENCE);
    }
    proxy.reload(&json!({"server": {"max_requests_per_connection": null}}));
    let mut kept = proxy.connect();
    let begun = Instant::now();
    // More than it could have before.
    let mut answered = 0;
    while answered < 100 {
        let is_last = kept.send(&flags()).header("connection") == Some("close");
        answered = if is_last { 0 } else { answered + 1 };
        if is_last {
            kept = proxy.connect();
        }
        assert!(begun.elapsed() < PATIENCE);
    }
}

#[test]
fn origins_change_for_the_next_request() {
    let mut proxy = start(json!({}));
    let mut kept = proxy.connect();
    assert_eq!(kept.send(&flags()).status, 200);
    assert_eq!(allowed_origin(&proxy).as_deref(), Some("*"));
    proxy.reload(&json!({"allow_origins": ["https://a.b"]}));
    assert_eq!(allowed_origin(&proxy).as_deref(), Some("https://a.b"));
    let answer = kept.send(&flags());
    assert_eq!(
        (answer.status, answer.header("access-control-allow-origin")),
        (200, None)
    );
    assert_eq!(
        answer.header("vary"),
        Some("X-Environment-Key, Accept-Encoding, Origin")
    );
    proxy.reload(&json!({"allow_origins": ["https://c.d"]}));
    assert_eq!(allowed_origin(&proxy), None);
}

#[test]
fn the_log_changes_its_format_and_what_it_tells_of_requests() {
    let mut proxy = start(json!({}));
    proxy.connect().send(&flags());
    proxy.reload(&json!({"logging": {"enable_access_log": true}, "server": {"proxy_headers": true}}));
    proxy
        .connect()
        .send(&flags().header("X-Forwarded-For", "1.2.3.4"));
    proxy.reload(&json!({
        "logging": {"enable_access_log": false, "log_format": "json", "log_event_field_name": "event"},
    }));
    proxy.connect().send(&flags());
    proxy.signal("USR1");
    let warning: Value = proxy.program().find_line(|line| {
        line.contains("SIGUSR1")
            .then(|| serde_json::from_str(line).unwrap())
    });
    assert!(
        warning["event"].as_str().unwrap().contains("no effect"),
        "{warning}"
    );
    proxy.signal("TERM");
    let (_, log) = proxy.wait();
    let access: Vec<_> = log
        .lines()
        .filter(|line| line.contains("access: request"))
        .collect();
    assert_eq!(access.len(), 1, "{log}");
    assert!(access[0].contains("remote_ip=1.2.3.4"), "{}", access[0]);
}

#[test]
fn the_token_opens_queue_change_while_there_is_one() {
    let change = |proxy: &Proxy, token: &str| {
        let path = format!("/sse/environments/{CLIENT_KEY}/queue-change");
        let request = Request::post(&path, r#"{"updated_at":"2024-01-01T00:00:00Z"}"#);
        let request = request.header("Authorization", &format!("Token {token}"));
        proxy.connect().send(&request).status
    };
    let mut proxy = start(json!({}));
    assert_eq!(change(&proxy, "one"), 404);
    for (token, expected) in [
        (json!("one"), [200, 401]),
        (json!("two"), [401, 200]),
        (Value::Null, [404, 404]),
    ] {
        proxy.reload(&json!({"realtime": {"authentication_token": token}}));
        assert_eq!(
            [change(&proxy, "one"), change(&proxy, "two")],
            expected,
            "{token}"
        );
    }
    assert!(!proxy.written().contains("\"one\""));
}

#[test]
fn streams_stay_and_new_ones_follow_the_new_limits() {
    let mut proxy = start(json!({"realtime": {"max_stream_age_seconds": -1}}));
    let stream = |proxy: &Proxy| {
        let mut stream = proxy.connect();
        stream.write_request(&Request::get(&format!("/sse/environments/{CLIENT_KEY}/stream")));
        let head = stream.read_head();
        (stream, head.status)
    };
    let (mut first, status) = stream(&proxy);
    assert_eq!(status, 200);
    proxy.reload(&json!({"realtime": {"max_subscribers": 1}}));
    assert_eq!(stream(&proxy).1, 503);
    proxy.reload(&json!({"realtime": {"max_subscribers": 2, "max_stream_age_seconds": 1}}));
    let (mut second, status) = stream(&proxy);
    assert_eq!(status, 200);
    assert!(second.rest().ends_with(b"\r\n0\r\n\r\n"), "it ends at its age");
    let path = proxy.document_path();
    std::fs::write(path, document("changed", "2030-01-01T00:00:00Z")).unwrap();
    while !first.chunk().expect("it goes on").contains("environment_updated") {}
}

#[test]
fn parts_begin_and_end_with_their_options() {
    let upstream = upstream();
    let mut proxy = start(polled(&upstream));
    let stream_url = json!({"realtime": {"upstream_url": upstream.origin()}});
    proxy.reload(&stream_url);
    wait(until_asked(&upstream, "/sse/environments/"));

    let identity = Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key(CLIENT_KEY);
    proxy.connect().send(&identity);
    proxy.reload(&json!({"forward_identities": true}));
    proxy.connect().send(&identity);
    wait(until_asked(&upstream, "identities/"));

    let counts = Request::post("/api/v1/analytics/flags/", r#"{"banner":1}"#).key(CLIENT_KEY);
    proxy.reload(&json!({"analytics": false}));
    assert_eq!(proxy.connect().send(&counts).status, 200);
    proxy.reload(&json!({"analytics": true}));
    assert_eq!(proxy.connect().send(&counts).status, 200);
    // What ends sends first what it has.
    proxy.reload(
        &json!({"analytics": false, "forward_identities": false, "realtime": {"upstream_url": null}}),
    );
    wait(until_asked(&upstream, "analytics/flags/"));
    let sent = upstream
        .requests()
        .iter()
        .filter(|request| request.target.contains("analytics"))
        .count();
    assert_eq!(sent, 1);
    let others = upstream.requests().len();
    proxy.connect().send(&identity);
    assert_eq!(proxy.connect().send(&counts).status, 200);
    proxy.signal("TERM");
    assert_eq!(proxy.wait().0.code(), Some(0));
    assert_eq!(upstream.requests().len(), others, "nothing more is sent");
}

#[test]
fn periods_and_the_address_of_upstream_change_at_once() {
    let (first, second) = (upstream(), upstream());
    second.script(|_| Answer::ok(document("of the second", OLD)));
    let mut proxy = start(polled(&first));
    let fetches = first.fetches().len();
    proxy.reload(&json!({"api_poll_frequency_seconds": 1}));
    wait(first.wait_for_fetches(fetches + 3));
    proxy.reload(&json!({"api_poll_frequency_seconds": 3600, "api_url": second.api_url()}));
    wait(second.wait_for_fetches(1));
    while !proxy.connect().send(&flags()).text().contains("of the second") {}
}

#[test]
fn readiness_follows_what_counts_as_stale() {
    let upstream = upstream();
    let mut proxy = start(polled(&upstream));
    upstream.go_down();
    let readiness = |proxy: &Proxy| {
        proxy
            .connect()
            .send(&Request::get("/proxy/health/readiness"))
            .status
    };
    assert_eq!(readiness(&proxy), 200);
    proxy.reload(&json!({
        "api_poll_frequency_seconds": 1,
        "health_check": {"environment_update_grace_period_seconds": 0, "stale_is_unready": true},
    }));
    let begun = Instant::now();
    while readiness(&proxy) != 503 {
        assert!(begun.elapsed() < PATIENCE);
    }
    proxy.reload(&json!({"health_check": {"stale_is_unready": false}}));
    assert_eq!(readiness(&proxy), 200);
}

#[test]
fn a_stop_takes_the_time_that_it_may_take_by_then() {
    let mut proxy = start(json!({}));
    // Longer than its end is waited for, so that it ends by the second signal alone.
    let drain = (100 * PATIENCE).as_secs();
    proxy.reload(&json!({"server": {"drain_seconds": drain, "shutdown_timeout_seconds": 2 * drain}}));
    proxy.signal("TERM");
    while proxy
        .connect()
        .send(&Request::get("/proxy/health/readiness"))
        .status
        == 200
    {}
    let answer = proxy.connect().send(&flags());
    assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    proxy.signal("TERM");
    assert_eq!(proxy.wait().0.code(), Some(0));
}

fn standing(proxy: &Proxy) -> Value {
    let health = proxy.connect().send(&Request::get("/proxy/health"));
    assert_eq!(health.status, 200);
    health.json()["configuration"].take()
}

#[test]
fn what_needs_a_restart_is_named_and_everything_else_is_in_force() {
    let mut proxy = start(json!({}));
    assert_eq!(standing(&proxy), Value::Null);
    proxy.reload(&json!({"server": {"port": 1, "path_prefix": "/other"}, "allow_origins": ["https://a.b"]}));
    proxy.program().wait_for_lines(1, |line| {
        line.contains(
            "changes server.port, server.path_prefix, which stays as it is until the process is restarted",
        )
    });
    assert_eq!(allowed_origin(&proxy).as_deref(), Some("https://a.b"));
    assert_eq!(
        standing(&proxy),
        json!({"status": "restart needed", "detail": "server.port, server.path_prefix"})
    );
    proxy.reload(&json!({"server": {"port": 0, "path_prefix": null}}));
    assert_eq!(standing(&proxy), Value::Null);
}

#[test]
fn without_a_file_there_is_nothing_to_read_again() {
    let folder = tempfile::tempdir().unwrap();
    let document = folder.path().join("environment.json");
    std::fs::write(&document, FIXTURE).unwrap();
    let pairs = json!([{"client_side_key": CLIENT_KEY, "document_path": document}]);
    let mut command = crate::harness::command(folder.path());
    command.env("ENVIRONMENT_KEY_PAIRS", pairs.to_string());
    command.env("SERVER", r#"{"host":"127.0.0.1","port":0}"#);
    let proxy = Proxy::of(test_support::program::Program::start(&mut command), folder);
    proxy.signal("HUP");
    proxy.program().wait_for_lines(1, |line| {
        line.contains("SIGHUP has no effect: configuration file config.json does not exist, and the environment variables")
    });
    // One that appears is one that is changed.
    proxy.write_config(br#"{"allow_origins":["https://a.b"]}"#);
    proxy
        .program()
        .wait_for_lines(1, |line| line.contains("in force: allow_origins changed"));
    assert_eq!(allowed_origin(&proxy).as_deref(), Some("https://a.b"));
}
