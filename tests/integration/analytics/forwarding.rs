//! What upstream gets.
use std::collections::BTreeMap;
use std::time::Duration;

use edge_proxy::application::Outcome;
use serde_json::{Value, json};
use test_support::documents::{environment, feature_state};
use test_support::upstream::{Answer, Counted, ReceivedRequest, ScriptedUpstream, counts};
use test_support::wait::wait;

use super::{V1, V2};
use crate::harness::{App, CLIENT_KEY, Options, Request, SERVER_KEY, merge, spawn_app};

const FEATURES: usize = 5;

/// Longer than any test waits.
const NEVER: Duration = Duration::from_secs(100_000);

fn document() -> String {
    let features = (0..FEATURES).map(|number| feature_state(number + 1, &format!("feature_{number}"), "one"));
    environment(CLIENT_KEY, "2024-12-26T16:18:08+00:00", features.collect()).to_string()
}

fn upstream(
    refusal: impl Fn(&ReceivedRequest) -> Option<Answer> + Send + Sync + 'static,
) -> (ScriptedUpstream, Counted) {
    let counted = Counted::default();
    let upstream = ScriptedUpstream::start(counted.script(&document(), refusal));
    (upstream, counted)
}

/// A proxy on this upstream, which looks at what its workers have counted so often.
fn proxy(upstream: &ScriptedUpstream, period: Duration, config: &Value) -> App {
    let mut own = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": upstream.api_url(),
    });
    merge(&mut own, config);
    let mut limits = Options::default().limits;
    limits.analytics.period = period;
    let app = spawn_app(Options {
        document: None,
        config: own,
        workers: 4,
        limits,
        ..Options::default()
    });
    app.wait_for_first_document();
    app
}

fn often() -> Duration {
    Duration::from_millis(20)
}

fn post(path: &str, body: &Value) -> Request {
    Request::post(path, body.to_string()).key(CLIENT_KEY)
}

#[test]
fn a_million_counts_over_16_connections_arrive_exactly_once() {
    const CONNECTIONS: u64 = 16;
    const REQUESTS: u64 = 250;
    const EACH: u64 = 50;
    let (upstream, counted) = upstream(|_| None);
    let mut app = proxy(&upstream, often(), &json!({}));
    let body: serde_json::Map<_, _> = (0..FEATURES)
        .map(|number| (format!("feature_{number}"), json!(EACH)))
        .collect();
    let request = post(V1, &json!(body)).header("User-Agent", "flagsmith-go-sdk/v5.1.0");
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                let mut connection = app.connect();
                for _ in 0..REQUESTS {
                    assert_eq!(connection.send(&request).status, 200);
                }
            });
        }
    });
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    let expected = (0..FEATURES).map(|number| (format!("feature_{number}"), CONNECTIONS * REQUESTS * EACH));
    assert_eq!(counted.by_feature(), expected.collect::<BTreeMap<_, _>>());
    assert_eq!(counted.sum(), 1_000_000);
    assert!(counted.requests().len() < 1_000, "batches");
}

#[test]
fn labels_and_both_versions_arrive_as_they_came() {
    let (upstream, counted) = upstream(|_| None);
    let app = proxy(&upstream, often(), &json!({}));
    let labels = [
        ("Flagsmith-Application-Name", "shop"),
        ("Flagsmith-Application-Version", "1.2"),
        ("Flagsmith-SDK-User-Agent", "flagsmith-js-sdk/12.4.0"),
        ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64)"),
    ];
    let labelled = |request: Request| {
        let labels = labels.iter();
        labels.fold(request, |request, (name, value)| request.header(name, value))
    };
    let evaluations = json!({"evaluations": [
        {"feature_name": "feature_1", "identity_identifier": "bob", "enabled_when_evaluated": true, "count": 2},
        {"feature_name": "unknown", "identity_identifier": "bob", "enabled_when_evaluated": true, "count": 9},
    ]});
    let counted_by_feature = json!({"feature_0": 3, "unknown": 9, "feature_1": "9"});
    assert_eq!(app.send(labelled(post(V1, &counted_by_feature))).status, 200);
    assert_eq!(app.send(labelled(post(V2, &evaluations))).status, 204);
    wait(counted.wait_for_sum(5));
    let requests = counted.requests();
    assert_eq!(requests.len(), 2);
    for request in &requests {
        for (name, value) in labels {
            assert_eq!(request.header(name), Some(value), "{}", request.target);
        }
        assert_eq!(request.header("x-environment-key"), Some(CLIENT_KEY));
        let mut expected = evaluations.clone();
        expected["evaluations"].as_array_mut().unwrap().pop();
        let expected = match request.target.as_str() {
            V1 => json!({"feature_0": 3}),
            V2 => expected,
            other => panic!("{other}"),
        };
        assert_eq!(request.json(), expected);
    }
}

#[test]
fn counts_wait_for_an_upstream_that_is_away() {
    let (upstream, counted) = upstream(|_| None);
    let app = proxy(&upstream, often(), &json!({}));
    upstream.go_down();
    for _ in 0..20 {
        assert_eq!(app.send(post(V1, &json!({"feature_0": 5}))).status, 200);
    }
    upstream.come_up();
    wait(counted.wait_for_sum(100));
    assert_eq!(counted.sum(), 100);
}

#[test]
fn a_stop_sends_what_was_counted_until_then() {
    let (upstream, counted) = upstream(|_| None);
    // As long as a connection is open.
    let drain = json!({"server": {"drain_seconds": 60, "shutdown_timeout_seconds": 120}});
    let mut app = proxy(&upstream, NEVER, &drain);
    let mut connection = app.connect();
    assert_eq!(connection.send(&post(V1, &json!({"feature_0": 5}))).status, 200);
    app.ask_to_stop();
    app.wait_until_answered(|app| app.get("/proxy/health/readiness").status == 503);
    // In the drain everything is still served, and counted.
    assert_eq!(connection.send(&post(V1, &json!({"feature_0": 7}))).status, 200);
    assert_eq!(app.wait(), Outcome::Stopped);
    assert_eq!(counted.sum(), 12);
}

#[test]
fn without_analytics_nothing_is_sent() {
    let (upstream, counted) = upstream(|_| None);
    let mut app = proxy(&upstream, often(), &json!({"analytics": false}));
    assert_eq!(app.send(post(V1, &json!({"feature_0": 5}))).status, 200);
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    assert_eq!(counted.sum(), 0);
}

#[test]
fn a_batch_that_upstream_finds_too_large_is_split() {
    let (upstream, counted) = upstream(|request| (counts(request).len() > 2).then(|| Answer::status(413)));
    let app = proxy(&upstream, often(), &json!({}));
    let body = json!({"feature_0": 1, "feature_1": 2, "feature_2": 3, "feature_3": 4, "feature_4": 5});
    assert_eq!(app.send(post(V1, &body)).status, 200);
    wait(counted.wait_for_sum(15));
    assert_eq!(counted.sum(), 15);
}
