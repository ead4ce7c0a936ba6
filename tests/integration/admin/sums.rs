//! Sums of evaluations and identities: nothing is in none of them, and none falls.
use std::time::Duration;

use serde_json::json;
use test_support::documents::fixture;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::figures::{answer, own, polling, until, until_is};
use super::metrics::{Scrape, scrape};
use crate::harness::{CLIENT_KEY, Options, Proxy, ProxyOptions, Request, SERVER_KEY, spawn_app};

const V1: &str = "/api/v1/analytics/flags/";
const UNKNOWN: &str = r#"analytics_dropped_total{reason="unknown_feature"}"#;

/// Counts one of a feature of the fixture three times, and two that it does not have once.
fn counts() -> Request {
    let document = fixture();
    let feature = document["feature_states"][0]["feature"]["name"].as_str().unwrap();
    let body = json!({feature: 3, "nope": 1, "never": 1}).to_string();
    Request::post(V1, body).key(CLIENT_KEY)
}

#[test]
fn what_sdks_have_counted_is_in_the_figures_at_once() {
    let app = spawn_app(Options {
        config: json!({"admin": {"port": 0}}),
        limits: {
            let mut limits = Options::default().limits;
            // Nobody gathers it meanwhile.
            limits.analytics.period = Duration::from_secs(100_000);
            limits
        },
        ..Options::default()
    });
    // The actor gathers once when it starts, and tells of its sums after that.
    scrape(&app);
    assert_eq!(app.send(counts()).status, 200);
    let scrape = scrape(&app);
    assert_eq!(scrape.value(&own("analytics_queued")), 3.0);
    assert_eq!(scrape.value(&own(UNKNOWN)), 2.0);
    let status = app.ask_admin(Request::get("/status.json")).json();
    assert_eq!(status["queues"]["analytics_waiting"], 3);
}

#[test]
fn evaluations_of_features_that_the_environment_does_not_have_are_counted() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    answer(&upstream, 200, 200);
    let app = polling(&upstream, &json!({}));
    for times in [1.0, 2.0] {
        assert_eq!(app.send(counts()).status, 200);
        until_is(&app, "analytics_sent_total", times * 3.0);
        assert_eq!(scrape(&app).value(&own(UNKNOWN)), times * 2.0);
    }
}

#[test]
fn a_part_that_is_switched_off_and_on_goes_on_counting() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    answer(&upstream, 200, 200);
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
            "api_url": upstream.api_url(),
            "forward_identities": true,
            "admin": {"port": 0},
        }),
        ..ProxyOptions::default()
    });
    for (identifier, times) in [("ann", 1.0), ("bob", 2.0)] {
        let see = Request::get(&format!("/api/v1/identities/?identifier={identifier}")).key(CLIENT_KEY);
        for request in [counts(), see] {
            assert_eq!(proxy.connect().send(&request).status, 200);
        }
        // What ends sends the counts, which would wait for ten seconds; an identity comes by itself.
        until(
            || figures(&proxy),
            "identities_forwarded_total",
            |now| now == times,
        );
        for is_on in [false, true] {
            proxy.reload(&json!({"analytics": is_on, "forward_identities": is_on}));
        }
        for (series, value) in [
            ("analytics_sent_total", 3.0),
            (UNKNOWN, 2.0),
            ("identities_forwarded_total", 1.0),
        ] {
            until(|| figures(&proxy), series, |now| now == times * value);
        }
    }
}

fn figures(proxy: &Proxy) -> Scrape {
    Scrape::of(&proxy.ask_admin(Request::get("/metrics")))
}
