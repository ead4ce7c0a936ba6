//! Which collectors there are, and what is told of their answers.
use std::path::Path;

use super::*;
use crate::settings::Settings;

const PAIRS: (&str, &str) = (
    "ENVIRONMENT_KEY_PAIRS",
    r#"[{"client_side_key": "client", "server_side_key": "ser.server"}]"#,
);

/// The origins that these variables send to, and what goes to each.
fn sent(variables: &[(&str, &str)]) -> Vec<(String, Vec<String>)> {
    let variables = variables.iter().chain([&PAIRS]);
    let variables = variables.map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    let loaded = Settings::load(Some(Path::new("/nonexistent")), variables).unwrap();
    let of_each = |collector: &Collector| {
        let sent = collector.sent.iter();
        let paths = sent.map(|(method, destination)| destination.path(*method));
        (origin(&collector.url), paths.collect())
    };
    let collectors = collectors(&loaded.settings.process);
    collectors.iter().map(of_each).collect()
}

#[test]
fn signals_that_go_one_way_have_one_collector() {
    let http = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.test:4318/base");
    let at = |port: u16, paths: &[&str]| {
        let paths: Vec<String> = paths.iter().map(|path| (*path).to_owned()).collect();
        (format!("http://collector.test:{port}"), paths)
    };
    assert_eq!(sent(&[]), []);
    assert_eq!(sent(&[http, ("OTEL_SDK_DISABLED", "true")]), []);
    assert_eq!(
        sent(&[http]),
        [at(4318, &["/base/v1/traces", "/base/v1/metrics"])]
    );
    assert_eq!(
        sent(&[http, ("OTEL_METRICS_EXPORTER", "none")]),
        [at(4318, &["/base/v1/traces"])]
    );
    let apart = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://collector.test:1/m");
    assert_eq!(
        sent(&[http, apart]),
        [at(4318, &["/base/v1/traces"]), at(1, &["/m"])]
    );
    let by_grpc = ("OTEL_EXPORTER_OTLP_METRICS_PROTOCOL", "grpc");
    let export = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
    assert_eq!(
        sent(&[http, by_grpc]),
        [at(4318, &["/base/v1/traces"]), at(4318, &[export])]
    );
}

#[test]
fn a_refusal_says_what_to_do_and_what_is_lost() {
    let told = |outcome| {
        told(
            &Subject::new("telemetry"),
            GrpcMethod::Traces,
            "/v1/traces",
            outcome,
        )
    };
    let taken = told(Ok(()));
    assert_eq!((taken.verdict, taken.advice), (Verdict::Ok, None));
    for (refusal, verdict, detail, advice) in [
        (
            Refusal::last("it answers 401; check it"),
            Verdict::Failure,
            "/v1/traces: it answers 401",
            "check it; where it is to have no spans, set OTEL_TRACES_EXPORTER=none; flags are served meanwhile, and no spans arrive",
        ),
        (
            Refusal::passing("it answers 503", None),
            Verdict::Failure,
            "/v1/traces: it answers 503",
            "see its log; flags are served meanwhile, and no spans arrive",
        ),
        (
            Refusal::of_message("it answers 400"),
            Verdict::Warning,
            "it answers 400, to a message without any spans",
            "write https:// in the endpoint",
        ),
    ] {
        let finding = told(Err(refusal));
        assert_eq!(finding.verdict, verdict, "{finding}");
        assert!(finding.detail.contains(detail), "{finding}");
        assert!(finding.advice.as_ref().unwrap().contains(advice), "{finding}");
    }
}
