//! Where signals are sent to, and how.
use std::time::Duration;

use serde_json::json;
use test_support::certificates::Authority;

use super::super::{error_of, load};
use super::{ENDPOINT, noticed, telemetry, traces};

#[test]
fn headers_are_decoded_and_shown_nowhere() {
    let variables = [(
        "OTEL_EXPORTER_OTLP_HEADERS",
        "Authorization=Basic%20c2VjcmV0, x-tenant = a%3Db ,,x-key=secret=",
    )];
    let headers = traces(&variables).export.headers;
    let read: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    let expected = [
        ("authorization", "Basic c2VjcmV0"),
        ("x-tenant", "a=b"),
        ("x-key", "secret="),
    ];
    assert_eq!(read, expected);
    let own = [
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=1"),
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "b=2"),
    ];
    assert_eq!(traces(&own).export.headers.names().collect::<Vec<_>>(), ["b"]);

    let loaded = load(json!({}), &[&[ENDPOINT][..], &variables].concat());
    let shown = format!("{}{:?}", loaded.settings.effective_json(), loaded.settings);
    assert!(shown.contains("authorization") && !shown.contains("secret") && !shown.contains("c2VjcmV0"));
}

#[test]
fn a_signals_own_variable_that_is_not_understood_leaves_the_one_for_all() {
    for (name, wrong, all) in [
        ("TIMEOUT", "soon", "5000"),
        ("PROTOCOL", "http/json", "grpc"),
        ("COMPRESSION", "zstd", "gzip"),
    ] {
        let all_name = format!("OTEL_EXPORTER_OTLP_{name}");
        let own_name = format!("OTEL_EXPORTER_OTLP_TRACES_{name}");
        let (read, notice) = noticed(&[(&all_name, all), (&own_name, wrong)]);
        assert!(notice.contains(&own_name), "{notice}");
        assert_eq!(read, telemetry(&[ENDPOINT, (&all_name, all)]), "{name}");
    }
}

#[test]
fn no_time_is_no_limit() {
    const DAY: Duration = Duration::from_secs(24 * 60 * 60);
    let telemetry = telemetry(&[
        ENDPOINT,
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "0"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "7"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "0"),
        ("OTEL_METRIC_EXPORT_TIMEOUT", "0"),
    ]);
    let (traces, metrics) = (telemetry.traces.unwrap(), telemetry.metrics.unwrap());
    assert_eq!((traces.export.timeout, traces.export_timeout), (DAY, DAY));
    assert_eq!(
        (metrics.export.timeout, metrics.export_timeout),
        (Duration::from_millis(7), DAY)
    );
}

#[test]
fn grpc_takes_an_endpoint_without_a_scheme() {
    let url = |variables: &[(&str, &str)]| {
        let grpc = [
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4317"),
            ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ];
        let telemetry = telemetry(&[&grpc[..], variables].concat());
        let urls = telemetry.urls().map(str::to_owned);
        urls.collect::<Vec<_>>()
    };
    let [plain, tls] = ["http", "https"].map(|scheme| format!("{scheme}://collector:4317"));
    assert_eq!(url(&[]), [&*tls, &*tls]);
    assert_eq!(
        url(&[("OTEL_EXPORTER_OTLP_INSECURE", "TRUE")]),
        [&*plain, &*plain]
    );
    let own = [("OTEL_EXPORTER_OTLP_METRICS_INSECURE", "true")];
    assert_eq!(url(&own), [&*tls, &*plain]);
    // A scheme says it, whatever the variable says.
    let with_scheme = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
        ("OTEL_EXPORTER_OTLP_INSECURE", "true"),
    ];
    assert_eq!(telemetry(&with_scheme).traces.unwrap().export.url, tls);
}

#[test]
fn of_a_header_that_is_given_twice_the_last_value_counts() {
    let (read, notice) = noticed(&[("OTEL_EXPORTER_OTLP_HEADERS", "a=secret,b=2,A=last")]);
    let headers = read.traces.unwrap().export.headers;
    let read: Vec<_> = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.to_str().unwrap()))
        .collect();
    assert_eq!(read, [("b", "2"), ("a", "last")]);
    assert!(
        notice.contains("its entry number 3 twice") && !notice.contains("secret"),
        "{notice}"
    );
}

#[test]
fn what_nothing_can_be_sent_by_ends_the_start() {
    for (name, value, problem) in [
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "secret:4318",
            "starts with neither http:// nor https://; give a URL as http://collector:4318",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://", "is no URL"),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "ftp://secret",
            "starts with neither",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://u:secret@a",
            "holds a user or a password, for which there is OTEL_EXPORTER_OTLP_HEADERS",
        ),
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://a?secret",
            "has a query or a fragment",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "secret",
            "starts with neither",
        ),
        // Else the port of the scheme would be asked.
        (
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "http://secret:65536",
            "names a port that there is not",
        ),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:0", "names a port"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://secret:", "names a port"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://secret:+80", "names a port"),
    ] {
        let line = error_of(json!({}), &[(name, value)]);
        let expected = format!("{name} (from environment variable {name}) {problem}");
        assert!(line.starts_with(&expected) && !line.contains("secret"), "{line}");
    }
    for (headers, problem) in [
        ("secret", "has an entry (number 1) that is no name=value"),
        ("a=1,secret", "has an entry (number 2) that is no name=value"),
        (
            "a=secret%0aX",
            "has an entry (number 1) that has a value that no header field can carry",
        ),
        ("a=secret%", "has an entry (number 1) that is not percent-encoded"),
        (
            "se cret=1",
            "has an entry (number 1) that is no name of a header field",
        ),
        (
            "content-type=secret",
            "has an entry (number 1) that cannot be set",
        ),
    ] {
        let line = error_of(json!({}), &[ENDPOINT, ("OTEL_EXPORTER_OTLP_HEADERS", headers)]);
        let name = "OTEL_EXPORTER_OTLP_HEADERS";
        let expected = format!("{name} (from environment variable {name}) {problem}");
        assert!(line.starts_with(&expected) && !line.contains("secret"), "{line}");
    }
}

#[test]
fn a_file_of_roots_must_be_usable() {
    let folder = tempfile::TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let authority = Authority::new("Corporate");
    std::fs::write(path("ca.pem"), authority.pem()).unwrap();
    std::fs::write(path("tls.key"), authority.issue("collector").key).unwrap();
    for (name, file, problem) in [
        (
            "OTEL_EXPORTER_OTLP_CERTIFICATE",
            "none.pem",
            "names a file that cannot be read",
        ),
        (
            "OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE",
            "tls.key",
            "names a file that holds no certificate in PEM",
        ),
    ] {
        let line = error_of(json!({}), &[ENDPOINT, (name, &path(file))]);
        let expected = format!("{name} (from environment variable {name}) {problem}");
        assert!(line.starts_with(&expected), "{line}");
    }
    let usable = [("OTEL_EXPORTER_OTLP_CERTIFICATE", &*path("ca.pem"))];
    assert_eq!(traces(&usable).export.certificate, Some(path("ca.pem").into()));
}

#[test]
fn proxies_to_a_collector_must_be_usable() {
    let socks = ("HTTP_PROXY", "socks5://proxy:1080");
    assert!(error_of(json!({}), &[ENDPOINT, socks]).starts_with("HTTP_PROXY (from"));
    let exempt = ("NO_PROXY", "collector");
    let loaded = load(json!({}), &[ENDPOINT, socks, exempt]);
    assert!(
        loaded.notices[0]
            .message
            .ends_with("because no request goes through it")
    );
}
