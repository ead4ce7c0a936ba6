//! Collectors over TLS.
use std::sync::Arc;

use rustls::ServerConfig;
use serde_json::json;
use tempfile::TempDir;
use test_support::certificates::Authority;
use test_support::tls_front::TlsFront;

use super::TRACEPARENT;
use super::collector::{Collector, ReceivedSpan, variables};
use super::grpc::{GrpcCollector, Reply};
use crate::harness::{CLIENT_KEY, Proxy, ProxyOptions, Request};

/// An authority, and the file of its certificate.
fn authority() -> (Authority, TempDir, String) {
    let (authority, folder) = (Authority::new("an authority"), TempDir::new().unwrap());
    let path = folder.path().join("ca.pem");
    std::fs::write(&path, authority.pem()).unwrap();
    (authority, folder, path.display().to_string())
}

/// What a server of this authority presents, and what it speaks alone.
fn server(authority: &Authority, protocol: Option<&[u8]>) -> Arc<ServerConfig> {
    let mut config = authority.issue("localhost").server();
    Arc::make_mut(&mut config).alpn_protocols = protocol.map(<[u8]>::to_vec).into_iter().collect();
    config
}

fn proxy(front: &TlsFront, more: Vec<(&'static str, String)>) -> Proxy {
    let mut variables = variables(&format!("https://localhost:{}", front.port()));
    variables.extend(more);
    Proxy::start(ProxyOptions {
        logging: json!({"log_level": "INFO"}),
        variables,
        ..ProxyOptions::default()
    })
}

fn ask(proxy: &Proxy) {
    let request = Request::get("/api/v1/flags/").key(CLIENT_KEY);
    let answer = proxy.connect().send(&request.header("traceparent", TRACEPARENT));
    assert_eq!(answer.status, 200);
}

/// Waits until the log says that spans do not arrive, for this reason.
fn wait_for_failure(proxy: &Proxy, reason: &str) {
    let line = proxy.program().find_line(|line| {
        line.contains("spans do not reach the collector")
            .then(|| line.to_owned())
    });
    assert!(line.contains(reason), "{line}");
}

#[test]
fn roots_for_a_collector_alone_can_be_named() {
    let (authority, _folder, path) = authority();
    let collector = Collector::start();
    let front = TlsFront::start(server(&authority, None), collector.server().address());
    let trusting = proxy(&front, vec![("OTEL_EXPORTER_OTLP_CERTIFICATE", path.clone())]);
    ask(&trusting);
    collector.span("evaluate.flags");

    let process_wide = proxy(
        &front,
        vec![("SSL_CERT_FILE", path), ("OTEL_SERVICE_NAME", "other".to_owned())],
    );
    ask(&process_wide);
    collector.find(|span| span.resource["service.name"] == "other");

    let not_trusting = proxy(&front, vec![("OTEL_SERVICE_NAME", "third".to_owned())]);
    ask(&not_trusting);
    wait_for_failure(&not_trusting, "certificate");
    let is_its = |span: &ReceivedSpan| span.resource["service.name"] == "third";
    assert!(!collector.spans().iter().any(is_its));
}

#[test]
fn grpc_offers_http_2_in_the_handshake() {
    let (authority, _folder, path) = authority();
    let collector = GrpcCollector::start(&[Reply::Status(0)]);
    // Who speaks something else alone refuses whoever offers anything.
    let front = TlsFront::start(server(&authority, Some(b"other")), collector.address);
    let proxy = proxy(
        &front,
        vec![
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc".to_owned()),
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", path),
        ],
    );
    ask(&proxy);
    wait_for_failure(&proxy, "rotocol");
    front.present(server(&authority, Some(b"h2")));
    let call = &collector.calls(1)[0];
    assert!(call.path.ends_with("TraceService/Export"));
}
