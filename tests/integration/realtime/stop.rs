//! Streams when the process ends, in good order and otherwise.
use std::time::{Duration, Instant};

use edge_proxy::application::Outcome;
use serde_json::json;

use crate::harness::{EVENT_STREAM, EventStream, Options, Proxy, ProxyOptions, Request, spawn_app};

/// The hub ends 1,000 streams a second, so these leave the test 0.6 s for its requests.
const STREAMS: usize = 600;

#[test]
fn sigterm_ends_every_stream_with_its_last_chunk_and_refuses_new_ones() {
    let mut proxy = Proxy::start(ProxyOptions {
        logging: json!({"log_level": "INFO", "enable_access_log": false}),
        ..ProxyOptions::default()
    });
    let mut streams: Vec<_> = (0..STREAMS)
        .map(|_| EventStream::settled(proxy.address))
        .collect();
    // The last to come is the first to go; the rest follow over the drain window.
    let mut first = streams.pop().unwrap();
    let asked = Instant::now();
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
    assert!(asked.elapsed() < Duration::from_secs(10), "{:?}", asked.elapsed());
}

#[test]
fn without_streams_a_stop_waits_for_none() {
    let mut proxy = Proxy::start(ProxyOptions::default());
    let asked = Instant::now();
    proxy.signal("TERM");
    assert_eq!(proxy.wait().0.code(), Some(0));
    assert!(asked.elapsed() < Duration::from_secs(4), "{:?}", asked.elapsed());
}

#[test]
fn a_panic_in_the_hub_fails_health_at_once_and_ends_the_process_in_good_order() {
    let mut app = spawn_app(Options::default());
    let mut stream = EventStream::settled(app.address);
    assert_eq!(app.send(Request::get("/sse/health")).status, 200);
    let injected = Instant::now();
    app.hub.inject_panic();
    while stream.frame().is_some() {}
    let mut refused = app.connect();
    refused.write_request(&Request::get(EVENT_STREAM));
    for path in ["/sse/health", "/proxy/health/liveness"] {
        assert_eq!(app.send(Request::get(path)).status, 503, "{path}");
    }
    assert_eq!(app.get("/api/v1/flags/").status, 200);
    assert_eq!(refused.read(false).status, 503);
    assert_eq!(app.wait(), Outcome::ActorDied("SseHub"));
    assert!(
        injected.elapsed() < Duration::from_secs(5),
        "{:?}",
        injected.elapsed()
    );
}
