//! How many subscribers there may be, and how they are told of one change.
use std::collections::HashSet;
use std::time::{Duration, Instant};

use edge_proxy::routes::StreamOptions;
use serde_json::json;

use crate::harness::{EVENT_STREAM, EventStream, Options, event, spawn_app};

use super::{changed, heartbeats, streams, until_subscribers};

#[test]
fn health_counts_the_subscribers_of_each_environment() {
    let app = spawn_app(heartbeats(Duration::from_millis(20)));
    let streams: Vec<_> = (0..3).map(|_| EventStream::settled(app.address)).collect();
    until_subscribers(&app, 3);
    drop(streams);
    // The proxy notices when it cannot write their heartbeats.
    until_subscribers(&app, 0);
    let health = app.get("/sse/health");
    assert_eq!((health.status, health.text()), (200, r#"{"status":"ok"}"#));
}

#[test]
fn past_the_limit_of_subscribers_a_stream_is_refused_and_admitted_later() {
    let config = json!({"realtime": {"max_subscribers": 2}});
    let app = spawn_app(Options {
        config,
        ..streams(StreamOptions {
            heartbeat: Duration::from_millis(20),
            refusal_hold: Duration::from_millis(1),
            ..StreamOptions::default()
        })
    });
    let mut streams: Vec<_> = (0..2).map(|_| EventStream::settled(app.address)).collect();
    let waits: HashSet<_> = (0..20)
        .map(|_| {
            let refusal = app.get(EVENT_STREAM);
            assert_eq!(refusal.status, 503);
            assert_eq!(refusal.json()["message"], "too many subscribers");
            refusal.header("retry-after").unwrap().parse::<u32>().unwrap()
        })
        .collect();
    assert!(waits.len() > 1, "Retry-After is not jittered: {waits:?}");
    assert_eq!(app.get("/sse/health").status, 200, "being full is no failure");
    streams.pop();
    until_subscribers(&app, 1);
    EventStream::settled(app.address);
}

#[test]
fn a_spread_tells_all_over_its_window() {
    let config = json!({"realtime": {"notify_spread_ms": 1000}});
    let app = spawn_app(Options {
        config,
        ..Options::default()
    });
    let mut streams: Vec<_> = (0..20).map(|_| EventStream::settled(app.address)).collect();
    // The file is looked at some milliseconds later, and this thread may wait for its turn after that.
    let begun = Instant::now();
    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    let mut told: Vec<_> = streams
        .iter_mut()
        .map(|stream| {
            assert_eq!(stream.event(), Some(event("1795289031.0")));
            begun.elapsed()
        })
        .collect();
    told.sort();
    assert!(
        told[19] >= Duration::from_millis(700),
        "the last one after {:?}",
        told[19]
    );
}
