//! A real collector (`make collector`): it takes what is sent by both protocols, and reads in it what was meant.
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::Command;
use std::time::Instant;

use serde_json::json;
use test_support::program::Program;
use test_support::wait::PATIENCE;

use super::collector::variables;
use super::{PARENT_ID, TRACE_ID, TRACEPARENT, traced_by};
use crate::harness::{CLIENT_KEY, Request};

/// An address of this machine that nobody else listens at: the collector is told which ports to take, and of 127.0.0.1 another
/// test may have them by then.
fn own_host() -> Ipv4Addr {
    let [_, high, middle, low] = std::process::id().to_be_bytes();
    Ipv4Addr::new(127, 128 | high, middle, low)
}

/// Ports that nobody has there.
fn free_ports(host: Ipv4Addr) -> [u16; 2] {
    let listeners = [(); 2].map(|()| TcpListener::bind((host, 0)).unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

#[test]
fn a_real_collector_takes_spans_by_both_protocols() {
    let Ok(collector) = std::env::var("EDGE_PROXY_COLLECTOR") else {
        eprintln!("left out: EDGE_PROXY_COLLECTOR names no collector (make collector)");
        return;
    };
    let host = own_host();
    let [grpc, http] = free_ports(host);
    let collector = Program::start(
        Command::new(collector)
            .args(["start", "--exporter", "blackhole", "--debug-log", "traces"])
            .args(["--debug-log-verbosity", "detailed"])
            .args(["--otlp-grpc-endpoint", &format!("{host}:{grpc}")])
            .args(["--otlp-http-endpoint", &format!("{host}:{http}")]),
    );
    let begun = Instant::now();
    while [grpc, http]
        .iter()
        .any(|port| TcpStream::connect((host, *port)).is_err())
    {
        assert!(begun.elapsed() < PATIENCE, "it listens: {}", collector.written());
    }
    for (protocol, port) in [("http/protobuf", http), ("grpc", grpc)] {
        let service = format!("proxy-by-{}", &protocol[..4]);
        let more = [
            ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
            ("OTEL_SERVICE_NAME", &service),
        ];
        let app = traced_by(variables(&format!("http://{host}:{port}")), &more, json!({}));
        let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
        assert_eq!(app.send(request.header("traceparent", TRACEPARENT)).status, 200);
        collector.find_line(|line| line.contains(&service).then_some(()));
    }
    let has = |label: &'static str, value: &'static str| {
        collector.wait_for_lines(2, move |line| {
            line.split_once(':')
                .is_some_and(|(name, rest)| name.trim() == label && rest.trim() == value)
        });
    };
    has("Name", "GET /api/v1/flags/");
    has("Name", "evaluate.flags");
    has("Parent ID", PARENT_ID);
    has("Kind", "SPAN_KIND_SERVER");
    has("Trace ID", TRACE_ID);
}
