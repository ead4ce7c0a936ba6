//! How a stream begins and ends: rules 6, 7 and 9.
use std::time::{Duration, Instant};

use edge_proxy::application::Limits;
use serde_json::json;

use crate::harness::{EVENT_STREAM, EventStream, Options, Request, event, spawn_app};

use super::{changed, heartbeats, until_subscribers};

#[test]
fn rule_6_a_recent_change_is_replayed_on_connect() {
    let app = spawn_app(Options::default());
    let mut early = EventStream::of(app.address);
    assert!(early.frame().unwrap().starts_with("retry: "));
    assert_eq!(
        early.frame().as_deref(),
        Some(": heartbeat\n\n"),
        "the fixture's change is years old"
    );

    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    assert_eq!(early.event(), Some(event("1795289031.0")));
    for request in [
        Request::get(EVENT_STREAM),
        Request::get(EVENT_STREAM).header("Last-Event-ID", "7"),
        Request::get(&format!("{EVENT_STREAM}?lastEventId=7")),
    ] {
        let mut late = EventStream::open(app.address, &request);
        assert!(late.frame().unwrap().starts_with("retry: "));
        assert_eq!(late.frame(), Some(event("1795289031.0")));
    }
}

#[test]
fn rule_6_an_old_change_is_not_replayed() {
    let options = Options::default();
    let limits = Limits {
        replay_age: Duration::from_millis(300),
        ..options.limits.clone()
    };
    let app = spawn_app(Options { limits, ..options });
    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    let told = Instant::now();
    let is_replayed = || {
        let mut stream = EventStream::of(app.address);
        stream.frame();
        stream.frame() == Some(event("1795289031.0"))
    };
    while is_replayed() {
        assert!(told.elapsed() < Duration::from_secs(20), "replayed for ever");
    }
    assert!(
        told.elapsed() >= Duration::from_millis(200),
        "not replayed at all: {:?}",
        told.elapsed()
    );
}

#[test]
fn rule_7_streams_end_cleanly_each_at_its_own_moment() {
    let app = spawn_app(Options {
        config: json!({"realtime": {"max_stream_age_seconds": 1}}),
        ..Options::default()
    });
    let address = app.address;
    let live = || {
        let mut stream = EventStream::settled(address);
        let opened = Instant::now();
        while stream.frame().is_some() {}
        let age = opened.elapsed();
        assert!(stream.is_closed());
        age
    };
    let ages: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(live)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let (first, last) = (ages.iter().min().unwrap(), ages.iter().max().unwrap());
    // The clock here starts a little after the server's own, and a busy machine wakes late.
    assert!(
        *first >= Duration::from_millis(700) && *last < Duration::from_secs(5),
        "{first:?} to {last:?}"
    );
    assert!(
        *last - *first > Duration::from_millis(30),
        "all at one moment: {first:?} to {last:?}"
    );
    until_subscribers(&app, 0);
}

#[test]
fn rule_7_a_negative_age_is_none() {
    let options = heartbeats(Duration::from_millis(20));
    let app = spawn_app(Options {
        config: json!({"realtime": {"max_stream_age_seconds": -1}}),
        ..options
    });
    let mut stream = EventStream::settled(app.address);
    let opened = Instant::now();
    while opened.elapsed() < Duration::from_millis(1_500) {
        assert!(stream.frame().is_some());
    }
}

#[test]
fn rule_9_the_first_frame_is_a_retry_of_three_seconds_or_less() {
    let app = spawn_app(Options::default());
    let frame = EventStream::of(app.address).frame().unwrap();
    let millis = frame
        .strip_prefix("retry: ")
        .and_then(|rest| rest.strip_suffix("\n\n"))
        .expect("a retry");
    assert!((1..=3_000).contains(&millis.parse::<u32>().unwrap()), "{frame}");
}
