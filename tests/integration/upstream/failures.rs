//! What goes wrong upstream never takes flags away.
use std::time::{Duration, Instant};

use edge_proxy::settings::Settings;
use serde_json::{Value, json};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{T1, T2, has_value, proxy, quick, wait_for_value};
use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request, SERVER_KEY, wait};

/// A busy machine may come late by less than that.
const PERIOD: Duration = Duration::from_secs(3);

fn each_period(settings: &mut Settings) {
    settings.api_poll_frequency = PERIOD;
}

#[test]
fn flags_follow_within_two_periods_once_upstream_is_up() {
    // First the gateway of an upstream that is down answers, then nothing does.
    let upstream = ScriptedUpstream::start(|_| Answer::status(502));
    let app = proxy(&upstream, &json!({}), each_period);
    wait(upstream.wait_for(2));
    upstream.go_down();
    let health = app.get("/proxy/health");
    assert_eq!(health.status, 503);
    assert_eq!(health.json()["environments"][0]["status"], "not updated");
    let refused = app.get("/api/v1/flags/");
    assert_eq!(
        (refused.status, refused.json()["status"].as_str()),
        (503, Some("unavailable"))
    );
    let seconds: u32 = refused.header("retry-after").unwrap().parse().unwrap();
    assert!((1..=10).contains(&seconds), "{seconds}");
    assert_eq!(app.get("/proxy/health/readiness").status, 503);
    assert_eq!(app.get("/proxy/health/liveness").status, 200);

    upstream.script(|_| Answer::ok(document("one", T1)));
    let before = upstream.requests().len();
    let up = Instant::now();
    upstream.come_up();
    wait_for_value(&app, "one");
    let asked = upstream.requests()[before].at - up;
    assert!(asked < PERIOD * 2, "{asked:?}");
    assert_eq!(app.get("/proxy/health").status, 200);
}

#[test]
fn whatever_upstream_answers_the_last_document_stays_served() {
    fn impatient(settings: &mut Settings) {
        quick(settings);
        settings.api_poll_timeout = Duration::from_millis(300);
    }
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = proxy(&upstream, &json!({}), impatient);
    wait_for_value(&app, "one");
    let mut connection = app.connect();
    let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    let before = connection.send(&flags);
    for (name, answer) in [
        ("500", Answer::status(500)),
        ("404", Answer::status(404)),
        ("hang", Answer::hang()),
        ("stalling", Answer::ok(document("two", T2)).stalling()),
        ("truncated", Answer::ok(document("two", T2)).truncated()),
        (
            "HTML",
            Answer::ok("<!DOCTYPE html><html></html>").header("Content-Type", "text/html"),
        ),
        ("{}", Answer::ok("{}")),
        ("[]", Answer::ok("[]")),
        ("empty", Answer::ok("")),
        (
            "no gzip",
            Answer::ok(document("two", T2)).header("Content-Encoding", "gzip"),
        ),
        ("a 304 unasked for", Answer::status(304)),
        ("403", Answer::status(403)),
    ] {
        upstream.script(move |_| answer.clone());
        // The first may have begun under the old script; the second has ended when the third comes.
        wait(upstream.wait_for_more(3));
        let after = connection.send(&flags);
        assert_eq!((after.status, &after.body), (200, &before.body), "{name}");
        assert_eq!(app.get("/proxy/health/readiness").status, 200, "{name}");
    }
    // On a busy machine the newest answer may have come too late, and the next one is the same.
    app.wait_until_answered(|app| {
        app.get("/proxy/health").json()["environments"][0]["status"] == "key rejected"
    });
    assert_eq!(app.environments.newest().version, 1, "nothing was published");

    upstream.script(|_| Answer::ok(document("three", T2)));
    wait_for_value(&app, "three");
}

#[test]
fn one_failing_environment_leaves_the_other_alone() {
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some(SERVER_KEY) => Answer::ok(document("good", T1)),
        Some("ser.rejected") => Answer::status(403),
        _ => Answer::hang(),
    });
    let pairs = json!([
        {"client_side_key": "hanging", "server_side_key": "ser.hanging"},
        {"client_side_key": "rejected", "server_side_key": "ser.rejected"},
        {"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY},
    ]);
    let app = proxy(&upstream, &json!({"environment_key_pairs": pairs}), quick);
    wait_for_value(&app, "good");
    app.wait_until_answered(|app| {
        app.get("/proxy/health").json()["environments"][1]["status"] == "key rejected"
    });

    let health = app.get("/proxy/health");
    assert_eq!(health.status, 200);
    let rejected = "upstream rejects the server-side key (403); check the key pair's server_side_key, and that it \
                    belongs to the API at api_url";
    let mut environments = health.json()["environments"].take();
    // Whether the first fetch has been given up already is open.
    environments[0].as_object_mut().unwrap().remove("detail");
    assert_eq!(
        environments,
        json!([
            {"name": null, "id": null, "status": "not updated", "subscribers": 0},
            {"name": null, "id": null, "status": "key rejected", "detail": rejected, "subscribers": 0},
            {"name": "Test", "id": 1, "status": "ok", "subscribers": 0},
        ])
    );
    for (key, status) in [
        ("hanging", 503),
        ("rejected", 503),
        (CLIENT_KEY, 200),
        ("unknown", 401),
    ] {
        let answer = app.send(Request::get("/api/v1/flags/").key(key));
        assert_eq!(answer.status, status, "{key}");
    }
    // The good one goes on being polled.
    upstream.script(|request| match request.header("X-Environment-Key") {
        Some(SERVER_KEY) => Answer::ok(document("better", T2)),
        _ => Answer::hang(),
    });
    wait_for_value(&app, "better");
}

#[test]
fn no_unknown_key_is_passed_on() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let app = proxy(&upstream, &json!({}), quick);
    wait_for_value(&app, "one");
    for key in ["unknown", "ser.unknown"] {
        assert_eq!(app.send(Request::get("/api/v1/flags/").key(key)).status, 401);
    }
    wait(upstream.wait_for_more(2));
    let keys = upstream.requests();
    assert!(
        keys.iter()
            .all(|request| request.header("X-Environment-Key") == Some(SERVER_KEY))
    );
}

#[test]
fn a_stop_does_not_wait_for_an_upstream_that_hangs() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let pairs =
        json!([{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY, "document_path": Value::Null}]);
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({
            "environment_key_pairs": pairs,
            "api_url": upstream.api_url(),
            "api_poll_frequency_seconds": 1,
            "api_poll_timeout_seconds": 600,
            "server": {"shutdown_timeout_seconds": 600},
        }),
        ..ProxyOptions::default()
    });
    upstream.script(|_| Answer::hang());
    wait(upstream.wait_for_more(1));
    let flags = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    assert!(has_value(&proxy.connect().send(&flags), "one"));

    let asked = Instant::now();
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}: {log}",
        asked.elapsed()
    );
}
