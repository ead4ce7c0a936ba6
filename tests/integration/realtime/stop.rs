//! Streams when the process ends, in good order and otherwise.
use std::time::{Duration, Instant};

use edge_proxy::application::{Outcome, StopSignal};
use serde_json::json;

use super::dying_slowly;
use crate::harness::{EVENT_STREAM, EventStream, Options, Proxy, ProxyOptions, Request, spawn_app};

/// More than go at one moment: the hub ends 1,000 streams a second.
const STREAMS: usize = 600;

#[test]
fn sigterm_ends_every_stream_with_its_last_chunk_and_refuses_new_ones() {
    let mut proxy = Proxy::start(ProxyOptions {
        // It goes on for half of that after the last connection, which is the time that the test has between two requests.
        config: json!({"server": {"drain_seconds": 6, "shutdown_timeout_seconds": 60}}),
        ..ProxyOptions::default()
    });
    let mut streams: Vec<_> = (0..STREAMS)
        .map(|_| EventStream::settled(proxy.address))
        .collect();
    // The last to come is the first to go; the rest follow over the drain window.
    let mut first = streams.pop().unwrap();
    proxy.signal("TERM");
    while first.frame().is_some() {}
    // Every answer ends its connection by now.
    let get = |path| proxy.connect().send(&Request::get(path));
    // Its refusal takes a second, or until the listener has closed.
    let mut refused = proxy.connect();
    refused.write_request(&Request::get(EVENT_STREAM));
    assert_eq!(get("/sse/health").status, 503);
    assert_eq!(get("/proxy/health/readiness").status, 503);
    for stream in &mut streams {
        while stream.frame().is_some() {}
    }
    let refusal = refused.read(false);
    assert_eq!(refusal.status, 503);
    assert!(refusal.header("retry-after").is_some());
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(!log.contains("still in flight"), "{log}");
}

#[test]
fn without_streams_a_stop_waits_for_none() {
    let stop = |_| {
        let mut proxy = Proxy::start(ProxyOptions::default());
        let asked = Instant::now();
        proxy.signal("TERM");
        assert_eq!(proxy.wait().0.code(), Some(0));
        asked.elapsed()
    };
    // The time that streams may take is 5 s. A machine that stalls makes one of them long, and not all.
    let shortest = (0..3).map(stop).find(|took| *took < Duration::from_secs(4));
    assert!(shortest.is_some(), "each took 4 s or more");
}

#[test]
fn a_panic_in_the_hub_fails_health_at_once_and_ends_the_process_in_good_order() {
    let mut app = dying_slowly(Options::default());
    let mut stream = EventStream::settled(app.address);
    assert_eq!(app.send(Request::get("/sse/health")).status, 200);
    app.hub.inject_panic();
    while stream.frame().is_some() {}
    let mut refused = app.connect();
    refused.write_request(&Request::get(EVENT_STREAM));
    for path in ["/sse/health", "/proxy/health/liveness"] {
        assert_eq!(app.send(Request::get(path)).status, 503, "{path}");
    }
    assert_eq!(app.get("/api/v1/flags/").status, 200);
    assert_eq!(refused.read(false).status, 503);
    app.signal(StopSignal::Terminate);
    assert_eq!(app.wait(), Outcome::ActorDied("SseHub"));
}

#[test]
fn a_panic_in_the_hub_ends_the_process_by_itself_and_in_time() {
    let mut app = spawn_app(Options::default());
    let injected = Instant::now();
    app.hub.inject_panic();
    assert_eq!(app.wait(), Outcome::ActorDied("SseHub"));
    assert!(
        injected.elapsed() < Duration::from_secs(5),
        "{:?}",
        injected.elapsed()
    );
}
