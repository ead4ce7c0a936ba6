//! Collectors that do not take what they are sent: requests are answered as ever, and what is lost is counted.
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use serde_json::json;
use test_support::upstream::Answer;
use test_support::wait::wait;

use super::collector::{Collector, spans_of, variables};
use super::{TRACE_ID, TRACEPARENT, traced, traced_by};
use crate::harness::{App, CLIENT_KEY, Proxy, ProxyOptions, Request};

fn flags() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}

/// Asks so often that a queue of a few spans would be full for long.
fn ask_often(app: &App) {
    let mut connection = app.connect();
    for _ in 0..100 {
        assert_eq!(connection.send(&flags()).status, 200);
    }
}

#[test]
fn no_request_waits_for_a_collector() {
    for answer in [
        Answer::hang(),
        Answer::status(429).header("Retry-After", "3600"),
        Answer::status(503),
        Answer::status(400),
        Answer::reset(),
        Answer::raw("nonsense"),
    ] {
        let collector = Collector::answering(move |_| answer.clone());
        let app = traced(&collector, &[("OTEL_BSP_MAX_QUEUE_SIZE", "4")]);
        assert_eq!(app.send(flags()).status, 200);
        // From here on it has something that it does not take, or does not answer.
        wait(collector.server().wait_for(1));
        ask_often(&app);
    }
}

#[test]
fn no_request_waits_where_nobody_listens() {
    let collector = Collector::start();
    collector.server().go_down();
    let app = traced(&collector, &[("OTEL_BSP_MAX_QUEUE_SIZE", "4")]);
    ask_often(&app);
    // Whoever comes back has spans again.
    collector.server().come_up();
    assert_eq!(app.send(flags().header("traceparent", TRACEPARENT)).status, 200);
    collector.span("evaluate.flags");
}

#[test]
fn what_was_refused_for_a_while_is_sent_again() {
    let asked = AtomicUsize::new(0);
    let collector = Collector::answering(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::status(503),
        1 => Answer::reset(),
        _ => Answer::ok(""),
    });
    let app = traced(&collector, &[]);
    assert_eq!(app.send(flags().header("traceparent", TRACEPARENT)).status, 200);
    wait(collector.server().wait_for(3));
    let spans = collector.trace(TRACE_ID, 6);
    let ids: std::collections::HashSet<_> = spans.iter().map(|span| span.id()).collect();
    assert_eq!(ids.len(), 2, "the same two, three times");
}

#[test]
fn what_is_lost_is_counted_to_the_last_span_and_told() {
    let collector = Collector::answering(|_| Answer::status(401));
    let mut proxy = Proxy::start(ProxyOptions {
        logging: json!({"log_level": "INFO"}),
        variables: [
            collector.variables(),
            vec![
                ("OTEL_TRACING_EXCLUDED_URL_PATHS", "health".to_owned()),
                ("OTEL_BSP_MAX_QUEUE_SIZE", "4".to_owned()),
                (
                    "OTEL_EXPORTER_OTLP_HEADERS",
                    "authorization=Bearer%20s3cret".to_owned(),
                ),
            ],
        ]
        .concat(),
        ..ProxyOptions::default()
    });
    let mut connection = proxy.connect();
    for _ in 0..50 {
        assert_eq!(connection.send(&flags()).status, 200);
    }
    drop(connection);
    wait(collector.server().wait_for(1));
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    let lost = log.lines().filter_map(|line| {
        let (before, _) = line.split_once(" spans were lost")?;
        before.rsplit(' ').next()?.parse::<u64>().ok()
    });
    assert_eq!(lost.sum::<u64>(), 100, "two a request: {log}");
    let failures = log
        .lines()
        .filter(|line| line.contains("spans do not reach the collector"));
    let failures: Vec<_> = failures.collect();
    assert_eq!(failures.len(), 1, "{log}");
    assert!(
        failures[0].contains("it answers 401; check OTEL_EXPORTER_OTLP_HEADERS"),
        "{log}"
    );
    assert!(!log.contains("s3cret"), "{log}");
    let sent = &collector.server().requests()[0];
    assert_eq!(sent.header("authorization"), Some("Bearer s3cret"));
    assert_eq!(sent.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(sent.header("traceparent"), None, "sending is traced by nobody");
}

/// A collector while whose answers, the first `answers` of them, so many requests come. Their proxy is in the cell, once it is
/// there.
fn asking(requests: usize, answers: usize) -> (Collector, Arc<OnceLock<SocketAddr>>) {
    let (address, answered) = (Arc::new(OnceLock::new()), AtomicUsize::new(0));
    let proxy = Arc::clone(&address);
    let collector = Collector::answering(move |_| {
        if let Some(proxy) = proxy.get()
            && answered.fetch_add(1, Ordering::SeqCst) < answers
        {
            (0..requests).for_each(|_| ask_once(*proxy));
        }
        Answer::ok("")
    });
    (collector, address)
}

/// Asks over a connection of its own. At the end of a test nobody may be there.
fn ask_once(proxy: SocketAddr) {
    let Ok(mut connection) = TcpStream::connect(proxy) else {
        return;
    };
    let request = format!(
        "GET /api/v1/flags/ HTTP/1.1\r\nHost: a\r\nX-Environment-Key: {CLIENT_KEY}\r\nConnection: close\r\n\r\n"
    );
    let written = connection.write_all(request.as_bytes());
    let _ = written.and_then(|()| connection.read_to_end(&mut Vec::new()));
}

fn proxy(collector: &Collector, more: &[(&'static str, &str)]) -> Proxy {
    let mut variables = collector.variables();
    variables.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    variables.push(("OTEL_TRACING_EXCLUDED_URL_PATHS", "health".to_owned()));
    Proxy::start(ProxyOptions {
        variables,
        ..ProxyOptions::default()
    })
}

#[test]
fn what_is_lost_is_told_also_while_the_rest_is_taken_without_a_pause() {
    // Whenever it has answered more waits than there is room for.
    let (collector, address) = asking(4, usize::MAX);
    let proxy = proxy(&collector, &[("OTEL_BSP_MAX_QUEUE_SIZE", "4")]);
    address.set(proxy.address).unwrap();
    ask_once(proxy.address);
    let lost = |line: &str| line.contains(" spans were lost").then_some(());
    proxy.program().find_line(lost);
}

#[test]
fn what_is_lost_is_told_also_while_a_collector_asks_for_patience() {
    let collector = Collector::answering(|_| Answer::status(503).header("Retry-After", "300"));
    let patient = [
        ("OTEL_BSP_MAX_QUEUE_SIZE", "4"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "86400000"),
    ];
    let proxy = proxy(&collector, &patient);
    ask_once(proxy.address);
    wait(collector.server().wait_for(1));
    // What was refused is kept, and so are two more.
    (0..3).for_each(|_| ask_once(proxy.address));
    let lost = |line: &str| line.contains(" 2 spans were lost").then_some(());
    proxy.program().find_line(lost);
}

#[test]
fn one_protocol_at_the_port_of_the_other_is_named() {
    // What a server of HTTP/2 says first, and as it ends a connection with a text of its own (RFC 9113, 6.5 and 6.8).
    let settings = b"\0\0\0\x04\0\0\0\0\0".as_slice();
    let goaway = b"\0\0\x0e\x07\0\0\0\0\0\0\0\0\0\0\0\0\x01secret".as_slice();
    for (protocol, answer, problem) in [
        (
            "grpc",
            Answer::ok(""),
            "the connection breaks before any answer of gRPC (",
        ),
        (
            "grpc",
            Answer::raw("").closing(),
            "the connection breaks before any answer of gRPC (",
        ),
        (
            "grpc",
            Answer::raw([settings, goaway].concat()),
            "before any answer of gRPC (unspecific protocol error detected); ",
        ),
        (
            "http/protobuf",
            Answer::raw(settings),
            "what answers does not speak HTTP/1.1; ",
        ),
        (
            "http/protobuf",
            Answer::raw("").closing(),
            "the connection ends without an answer; ",
        ),
    ] {
        let collector = Collector::answering(move |_| answer.clone());
        let proxy = proxy(&collector, &[("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)]);
        ask_once(proxy.address);
        let line = |line: &str| line.contains("spans do not reach").then(|| line.to_owned());
        let line = proxy.program().find_line(line);
        let advice = "check the endpoint's port and OTEL_EXPORTER_OTLP_PROTOCOL: collectors take http/protobuf at 4318 as a \
                      rule, and grpc at 4317";
        assert!(line.contains(problem) && line.contains(advice), "{line}");
        assert!(!line.contains("secret"), "{line}");
    }
}

#[test]
fn what_comes_while_a_batch_is_sent_waits_for_others() {
    let (collector, address) = asking(1, 1);
    let never = [
        ("OTEL_BSP_SCHEDULE_DELAY", "86400000"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "10"),
    ];
    let proxy = proxy(&collector, &never);
    address.set(proxy.address).unwrap();
    (0..5).for_each(|_| ask_once(proxy.address));
    wait(collector.server().wait_for(1));
    (0..4).for_each(|_| ask_once(proxy.address));
    wait(collector.server().wait_for(2));
    let requests = collector.server().requests();
    let spans: Vec<_> = requests
        .iter()
        .map(|request| spans_of(&request.body).len())
        .collect();
    assert_eq!(spans, [10, 10]);
}

#[test]
fn a_collector_that_hangs_holds_no_batch_for_longer_than_it_is_tried() {
    let asked = AtomicUsize::new(0);
    let collector = Collector::answering(move |_| match asked.fetch_add(1, Ordering::SeqCst) {
        0 => Answer::hang(),
        _ => Answer::ok(""),
    });
    let times = [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "86400000"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "10"),
    ];
    let app = traced(&collector, &times);
    assert_eq!(app.send(flags()).status, 200);
    wait(collector.server().wait_for(1));
    assert_eq!(app.send(flags().header("traceparent", TRACEPARENT)).status, 200);
    collector.trace(TRACE_ID, 2);
}

#[test]
fn spans_are_compressed_where_that_is_asked_for() {
    let collector = Collector::start();
    let _app = {
        let app = traced(&collector, &[("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")]);
        assert_eq!(app.send(flags()).status, 200);
        app
    };
    wait(collector.server().wait_for(1));
    let request = &collector.server().requests()[0];
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    let mut plain = Vec::new();
    std::io::Read::read_to_end(&mut flate2::read::GzDecoder::new(&request.body[..]), &mut plain).unwrap();
    assert_eq!(spans_of(&plain).len(), 2);
}

#[test]
fn a_place_that_is_named_wrongly_costs_no_request() {
    let app = traced_by(variables("http://no-such-host.invalid:4318"), &[], json!({}));
    ask_often(&app);
}
