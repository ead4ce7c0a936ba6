//! How a stream begins and ends: rules 6, 7 and 9.
use std::time::{Duration, Instant};

use edge_proxy::application::Limits;
use serde_json::json;
use test_support::wait::PATIENCE;

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
    const REPLAY_AGE: Duration = Duration::from_millis(300);
    let options = Options::default();
    let limits = Limits {
        replay_age: REPLAY_AGE,
        ..options.limits.clone()
    };
    let app = spawn_app(Options { limits, ..options });
    let begun = Instant::now();
    app.publish(&changed("2026-11-21T19:23:51+00:00"));
    let is_replayed = || {
        let mut stream = EventStream::of(app.address);
        stream.frame();
        stream.frame() == Some(event("1795289031.0"))
    };
    while is_replayed() {
        assert!(begun.elapsed() < PATIENCE, "replayed for ever");
    }
    assert!(
        begun.elapsed() >= REPLAY_AGE,
        "not replayed at all: {:?}",
        begun.elapsed()
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
        let asked = Instant::now();
        let mut stream = EventStream::settled(address);
        let opened = Instant::now();
        while stream.frame().is_some() {}
        let ages = [asked.elapsed(), opened.elapsed()];
        assert!(stream.is_closed());
        ages
    };
    let ages: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..20).map(|_| scope.spawn(live)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let least = ages.iter().map(|[since_asked, _]| since_asked).min().unwrap();
    assert!(*least >= Duration::from_millis(900), "{ages:?}");
    let of_streams = || ages.iter().map(|[_, of_stream]| of_stream);
    let (first, last) = (of_streams().min().unwrap(), of_streams().max().unwrap());
    // A busy machine wakes late.
    assert!(*last < PATIENCE, "{ages:?}");
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
