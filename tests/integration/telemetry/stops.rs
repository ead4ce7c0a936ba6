//! What waits at the stop is sent, as far as there is time.
use std::sync::atomic::{AtomicUsize, Ordering};

use edge_proxy::application::Outcome;
use serde_json::json;
use test_support::upstream::Answer;
use test_support::wait::wait;

use super::collector::Collector;
use super::{TRACE_ID, TRACEPARENT, traced};
use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request};

/// Longer than any test: nothing is sent before the stop.
const LATER: (&str, &str) = ("OTEL_BSP_SCHEDULE_DELAY", "3600000");

#[test]
fn spans_that_wait_are_sent_at_the_stop() {
    let collector = Collector::start();
    let mut app = traced(&collector, &[LATER, ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "7")]);
    for _ in 0..3 {
        let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
        assert_eq!(app.send(request.header("traceparent", TRACEPARENT)).status, 200);
    }
    assert!(collector.spans().is_empty());
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    let spans = collector.spans();
    assert_eq!(spans.iter().filter(|span| span.trace_id() == TRACE_ID).count(), 6);
}

#[test]
fn a_batch_that_is_refused_at_the_stop_takes_no_other_along() {
    let asked = AtomicUsize::new(0);
    let collector = Collector::answering(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        // Until the stop nothing more is sent.
        0 => Answer::status(503).header("Retry-After", "300"),
        1 => Answer::status(400),
        _ => Answer::ok(""),
    });
    let batches = [
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "3600000"),
    ];
    let mut app = traced(&collector, &batches);
    let request = || Request::get("/api/v1/flags/").key(CLIENT_KEY);
    assert_eq!(app.send(request()).status, 200);
    wait(collector.server().wait_for(1));
    assert_eq!(app.send(request().header("traceparent", TRACEPARENT)).status, 200);
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    assert_eq!(collector.server().requests().len(), 3);
    collector.trace(TRACE_ID, 2);
}

#[test]
fn a_collector_that_hangs_or_is_gone_does_not_hold_the_stop_up() {
    let hanging = Collector::answering(|_| Answer::hang());
    let gone = Collector::start();
    gone.server().go_down();
    for collector in [hanging, gone] {
        let mut variables = collector.variables();
        variables.extend([(LATER.0, LATER.1.to_owned())]);
        let mut proxy = Proxy::start(ProxyOptions {
            logging: json!({"log_level": "INFO"}),
            config: json!({"server": {"shutdown_timeout_seconds": 2}}),
            variables: [
                variables,
                vec![("OTEL_TRACING_EXCLUDED_URL_PATHS", "health".to_owned())],
            ]
            .concat(),
        });
        let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
        assert_eq!(proxy.connect().send(&request).status, 200);
        proxy.signal("TERM");
        let (status, log) = proxy.wait();
        assert_eq!(status.code(), Some(0), "{log}");
        assert!(log.contains("2 spans were lost"), "{log}");
    }
}
