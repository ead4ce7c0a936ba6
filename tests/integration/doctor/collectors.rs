//! Collectors of OpenTelemetry.
use std::fs;
use std::sync::Arc;

use serde_json::json;
use test_support::certificates::Authority;
use test_support::reserved_port::ReservedPort;
use test_support::tls_front::TlsFront;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{Diagnosis, answering, config, document, examine_in, folder};
use crate::harness::CLIENT_KEY;
use crate::telemetry::grpc::{GrpcCollector, Reply};

/// What is in no output.
const SECRET: &str = "s3cret-token";

/// Examines a set-up in which nothing but these variables matters.
fn examine(variables: &[(&str, &str)]) -> Diagnosis {
    let folder = folder(&config(&json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "served.json"}],
    })));
    fs::write(folder.path().join("served.json"), document().to_string()).unwrap();
    let headers = format!("authorization={SECRET}");
    let all: Vec<_> = [("OTEL_EXPORTER_OTLP_HEADERS", headers.as_str())]
        .into_iter()
        .chain(variables.iter().copied())
        .collect();
    let diagnosis = examine_in(folder.path(), &all);
    assert!(
        !diagnosis.report.to_string().contains(SECRET),
        "{:#}",
        diagnosis.report
    );
    diagnosis
}

/// Of spans alone, by this protocol.
fn examine_spans(origin: &str, protocol: &str, more: &[(&str, &str)]) -> Diagnosis {
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", origin),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
        ("OTEL_METRICS_EXPORTER", "none"),
    ];
    examine(&[&variables, more].concat())
}

const HTTP: &str = "http/protobuf";

#[test]
fn a_collector_is_asked_as_the_exporter_asks_and_gets_nothing() {
    let collector = answering(Answer::ok(""));
    let diagnosis = examine(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.origin())]);
    diagnosis.assert_is_sound();
    for check in ["proxy", "name", "connect", "traces", "metrics"] {
        diagnosis.says(("telemetry", check));
    }
    let mut requests = collector.requests();
    requests.sort_by(|one, other| one.target.cmp(&other.target));
    let targets: Vec<&str> = requests.iter().map(|request| &*request.target).collect();
    assert_eq!(targets, ["/v1/metrics", "/v1/traces"]);
    for request in requests {
        assert_eq!(request.header("authorization"), Some(SECRET));
        assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
        assert_eq!(request.body, b"");
    }
}

#[test]
fn a_collector_is_asked_by_grpc() {
    let collector = GrpcCollector::start(&[Reply::Status(0)]);
    let diagnosis = examine_spans(&format!("http://{}", collector.address), "grpc", &[]);
    diagnosis.assert_is_sound();
    let call = &collector.calls(1)[0];
    assert_eq!(
        call.path,
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    );
    // A prefix of nothing.
    assert_eq!(call.message, [0; 5]);
}

#[test]
fn what_is_off_is_not_looked_at() {
    let collector = answering(Answer::ok(""));
    let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", &*collector.origin());
    let diagnosis = examine(&[endpoint, ("OTEL_SDK_DISABLED", "true")]);
    diagnosis.assert_is_sound();
    assert!(!diagnosis.report.to_string().contains("\"telemetry\""));
    assert_eq!(collector.accepted(), 0);
}

#[test]
fn a_collector_that_is_not_there() {
    let nobody = ReservedPort::any();
    let endpoint = format!("http://{}", nobody.address());
    let diagnosis = examine(&[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]);
    diagnosis.assert_fails(("telemetry", "connect"), "refused");
    let subject = format!("telemetry {endpoint}");
    let skipped = [(&*subject, "traces"), (&*subject, "metrics")];
    assert_eq!(diagnosis.of_verdict("skipped"), skipped);
    let diagnosis = examine(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.invalid:4318")]);
    diagnosis.assert_fails(("telemetry http://collector.invalid:4318", "name"), "not found");
}

#[test]
fn one_of_two_collectors_is_named_by_its_origin() {
    let (collector, nobody) = (answering(Answer::ok("")), ReservedPort::any());
    let endpoint = format!("http://{}/v1/metrics", nobody.address());
    let diagnosis = examine(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.origin()),
        ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", &endpoint),
    ]);
    let subject = format!("telemetry http://{}", nobody.address());
    diagnosis.assert_fails((&subject, "connect"), "refused");
    diagnosis.says((&format!("telemetry {}", collector.origin()), "traces"));
}

#[test]
fn answers_of_a_collector_are_told_apart() {
    for (status, says) in [
        (401, "OTEL_EXPORTER_OTLP_HEADERS"),
        (403, "OTEL_EXPORTER_OTLP_HEADERS"),
        (404, "/v1/traces and /v1/metrics are put behind"),
        (503, "it answers 503"),
        (500, "see its log"),
    ] {
        let collector = answering(Answer::refusal(status, SECRET));
        let diagnosis = examine_spans(&collector.origin(), HTTP, &[]);
        diagnosis.assert_fails(("telemetry", "traces"), says);
        let told = diagnosis.says(("telemetry", "traces"));
        assert!(told.contains("/v1/traces (http/protobuf): it answers"), "{told}");
        assert!(told.contains("flags are served meanwhile"), "{told}");
    }
    let collector = answering(Answer::status(400));
    let diagnosis = examine_spans(&collector.origin(), HTTP, &[]);
    diagnosis.assert_warns(("telemetry", "traces"), "without any spans");
}

#[test]
fn answers_of_grpc_are_told_apart() {
    for (reply, says) in [
        (Reply::StatusAlone(16), "OTEL_EXPORTER_OTLP_HEADERS"),
        (Reply::Http(403), "OTEL_EXPORTER_OTLP_HEADERS"),
        (Reply::Status(12), "OTEL_EXPORTER_OTLP_PROTOCOL"),
        (Reply::Status(14), "it answers UNAVAILABLE"),
    ] {
        let collector = GrpcCollector::start(&[reply]);
        let diagnosis = examine_spans(&format!("http://{}", collector.address), "grpc", &[]);
        diagnosis.assert_fails(("telemetry", "traces"), says);
    }
    let collector = GrpcCollector::start(&[Reply::Status(3)]);
    let diagnosis = examine_spans(&format!("http://{}", collector.address), "grpc", &[]);
    diagnosis.assert_warns(("telemetry", "traces"), "INVALID_ARGUMENT");
}

#[test]
fn one_protocol_at_the_port_of_the_other() {
    // What a server of HTTP/2 says first.
    let settings = b"\0\0\0\x04\0\0\0\0\0".as_slice();
    for (protocol, answer) in [("grpc", Answer::ok("")), (HTTP, Answer::raw(settings))] {
        let collector = answering(answer);
        let diagnosis = examine_spans(&collector.origin(), protocol, &[]);
        diagnosis.assert_fails(("telemetry", "traces"), "OTEL_EXPORTER_OTLP_PROTOCOL");
    }
}

#[test]
fn a_collector_that_hangs() {
    let collector = answering(Answer::hang());
    let soon = [("OTEL_EXPORTER_OTLP_TIMEOUT", "2000")];
    let diagnosis = examine_spans(&collector.origin(), HTTP, &soon);
    diagnosis.assert_fails(("telemetry", "traces"), "does not answer in time");
}

#[test]
fn a_proxy_that_refuses_the_way_to_a_collector() {
    let way_out = ScriptedUpstream::start(|_| Answer::status(403));
    let variables = [("HTTP_PROXY", &*way_out.origin())];
    let diagnosis = examine_spans("http://collector.test:4318", HTTP, &variables);
    diagnosis.assert_fails(("telemetry", "tunnel"), "refuses the way");
}

#[test]
fn tls_of_a_collector_names_its_own_option() {
    let authority = Authority::new("Corporate Root");
    let collector = GrpcCollector::start(&[Reply::Status(0)]);
    let mut server = authority.issue("localhost").server();
    // It refuses whoever offers anything else.
    Arc::make_mut(&mut server).alpn_protocols = vec![b"h2".to_vec()];
    let front = TlsFront::start(server, collector.address);
    // Without a scheme it is https.
    let endpoint = format!("localhost:{}", front.port());
    let diagnosis = examine_spans(&endpoint, "grpc", &[]);
    diagnosis.assert_fails(("telemetry", "tls"), "OTEL_EXPORTER_OTLP_CERTIFICATE");
    assert!(!diagnosis.says(("telemetry", "tls")).contains("ca_file"));

    let roots = tempfile::NamedTempFile::new().unwrap();
    fs::write(roots.path(), authority.pem()).unwrap();
    let trusting = [("OTEL_EXPORTER_OTLP_CERTIFICATE", roots.path().to_str().unwrap())];
    let diagnosis = examine_spans(&endpoint, "grpc", &trusting);
    diagnosis.assert_is_sound();
    assert!(diagnosis.says(("telemetry", "tls")).contains("Corporate Root"));
    assert!(diagnosis.says(("telemetry", "traces")).contains("takes spans"));

    let plain = GrpcCollector::start(&[Reply::Status(0)]);
    let diagnosis = examine_spans(&plain.address.to_string(), "grpc", &[]);
    diagnosis.assert_fails(("telemetry", "tls"), "OTEL_EXPORTER_OTLP_INSECURE");
}
