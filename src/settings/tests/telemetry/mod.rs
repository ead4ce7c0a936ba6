//! The variables `OTEL_*`.
mod export;

use std::time::Duration;

use actors::trace::{Propagators, QueueOptions, RootSampler, Sampler};
use serde_json::{Value, json};

use super::super::{ExcludedPaths, OtlpProtocol, TelemetrySettings, TraceSettings};
use super::load;

const ENDPOINT: (&str, &str) = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector:4318/");

fn telemetry(variables: &[(&str, &str)]) -> TelemetrySettings {
    let loaded = load(json!({}), variables);
    assert_eq!(loaded.notices, [], "{variables:?}");
    loaded.settings.process.telemetry
}

fn traces(variables: &[(&str, &str)]) -> TraceSettings {
    telemetry(&[&[ENDPOINT], variables].concat()).traces.unwrap()
}

/// What is read where a variable cannot be understood, and the one notice of it.
fn noticed(variables: &[(&str, &str)]) -> (TelemetrySettings, String) {
    let loaded = load(json!({}), &[&[ENDPOINT], variables].concat());
    let [notice] = &loaded.notices[..] else {
        panic!("{variables:?}: {:?}", loaded.notices)
    };
    (loaded.settings.process.telemetry, notice.message.clone())
}

#[test]
fn nothing_is_sent_unless_there_is_a_place_for_it() {
    for variables in [
        &[][..],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", " ")],
        // Of what is off nothing is read.
        &[("OTEL_SERVICE_NAME", "a"), ("OTEL_TRACES_SAMPLER", "nonsense")],
        &[ENDPOINT, ("OTEL_SDK_DISABLED", "True")],
        &[
            ENDPOINT,
            ("OTEL_TRACES_EXPORTER", "none"),
            ("OTEL_METRICS_EXPORTER", "None"),
        ],
    ] {
        assert_eq!(
            telemetry(variables),
            TelemetrySettings::default(),
            "{variables:?}"
        );
    }
    let sent = |variables: &[(&str, &str)]| {
        let telemetry = telemetry(variables);
        let url = |export: super::super::Export| export.url;
        (
            telemetry.traces.map(|traces| url(traces.export)),
            telemetry.metrics.map(|metrics| url(metrics.export)),
        )
    };
    let (traces_url, metrics_url) = (
        "http://collector:4318/v1/traces",
        "http://collector:4318/v1/metrics",
    );
    let some = |url: &str| Some(url.to_owned());
    for (variables, expected) in [
        (&[ENDPOINT][..], (some(traces_url), some(metrics_url))),
        (
            &[ENDPOINT, ("OTEL_SDK_DISABLED", "false")],
            (some(traces_url), some(metrics_url)),
        ),
        (
            &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "none")],
            (None, some(metrics_url)),
        ),
        (
            &[ENDPOINT, ("otel_metrics_exporter", "none")],
            (some(traces_url), None),
        ),
        (
            &[ENDPOINT, ("OTEL_TRACES_EXPORTER", "otlp")],
            (some(traces_url), some(metrics_url)),
        ),
        (
            &[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://a/x")],
            (some("https://a/x"), None),
        ),
        (
            &[("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://[::1]:9")],
            (None, some("http://[::1]:9/")),
        ),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://a/base/")],
            (some("http://a/base/v1/traces"), some("http://a/base/v1/metrics")),
        ),
        (
            &[ENDPOINT, ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            (some("http://collector:4318"), some("http://collector:4318")),
        ),
        (
            &[ENDPOINT, ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "grpc")],
            (some("http://collector:4318"), some(metrics_url)),
        ),
    ] {
        assert_eq!(sent(variables), expected, "{variables:?}");
    }
}

#[test]
fn defaults_are_those_of_the_specification() {
    let telemetry = telemetry(&[ENDPOINT]);
    let traces = telemetry.traces.unwrap();
    assert_eq!(traces.sampler, Sampler::default());
    let queue = QueueOptions {
        capacity: 2048,
        batch: 512,
    };
    assert_eq!(traces.queue, queue);
    assert_eq!(traces.schedule_delay, Duration::from_secs(5));
    assert_eq!(traces.export_timeout, Duration::from_secs(30));
    assert_eq!(traces.export.protocol, OtlpProtocol::HttpProtobuf);
    assert_eq!(traces.export.timeout, Duration::from_secs(10));
    assert_eq!((traces.export.gzip, traces.export.certificate), (false, None));
    assert_eq!(traces.export.headers.names().count(), 0);
    let metrics = telemetry.metrics.unwrap();
    assert_eq!(metrics.interval, Duration::from_secs(60));
    assert_eq!(metrics.export_timeout, Duration::from_secs(30));
    let name = ("service.name".to_owned(), "flagsmith-edge-proxy".to_owned());
    assert_eq!(telemetry.resource, [name]);
}

#[test]
fn samplers() {
    for (name, argument, is_parent_based, root) in [
        ("always_on", "", false, RootSampler::AlwaysOn),
        ("always_off", "", false, RootSampler::AlwaysOff),
        ("parentbased_always_off", "", true, RootSampler::AlwaysOff),
        (
            "ParentBased_TraceIdRatio",
            "0.25",
            true,
            RootSampler::Ratio(1 << 62),
        ),
        ("traceidratio", "0", false, RootSampler::Ratio(0)),
        ("traceidratio", "1.0", false, RootSampler::AlwaysOn),
        ("traceidratio", "", false, RootSampler::AlwaysOn),
    ] {
        let variables = [
            ("OTEL_TRACES_SAMPLER", name),
            ("OTEL_TRACES_SAMPLER_ARG", argument),
        ];
        let expected = Sampler {
            is_parent_based,
            root,
        };
        assert_eq!(traces(&variables).sampler, expected, "{variables:?}");
    }
}

#[test]
fn resources() {
    let resource = |variables: &[(&str, &str)]| {
        let resource = telemetry(&[&[ENDPOINT], variables].concat()).resource;
        let written = resource.iter().map(|(name, value)| format!("{name}={value}"));
        written.collect::<Vec<_>>().join(" ")
    };
    for (attributes, name, expected) in [
        ("", "", "service.name=flagsmith-edge-proxy"),
        ("", " mine ", "service.name=mine"),
        ("service.name=theirs,a=%2C b", "", "service.name=theirs a=, b"),
        ("service.name=theirs,a=1,a=2,", "mine", "a=2 service.name=mine"),
    ] {
        let variables = [
            ("OTEL_RESOURCE_ATTRIBUTES", attributes),
            ("OTEL_SERVICE_NAME", name),
        ];
        assert_eq!(resource(&variables), expected, "{variables:?}");
    }
}

#[test]
fn what_is_not_understood_counts_as_not_set_and_is_told() {
    let default = telemetry(&[ENDPOINT]);
    for (name, value) in [
        ("OTEL_SDK_DISABLED", "yes"),
        ("OTEL_TRACES_EXPORTER", "zipkin"),
        ("OTEL_METRICS_EXPORTER", "prometheus"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "-1"),
        ("OTEL_EXPORTER_OTLP_METRICS_TIMEOUT", "86400001"),
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/json"),
        ("OTEL_EXPORTER_OTLP_METRICS_COMPRESSION", "zstd"),
        ("OTEL_TRACES_SAMPLER", "jaeger_remote"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "99999999999999999999"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2049"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
        ("OTEL_BSP_EXPORT_TIMEOUT", "5s"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1.5"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=1,b"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz"),
        ("OTEL_RESOURCE_ATTRIBUTES", "a=%ff"),
        ("OTEL_PROPAGATORS", "b3"),
        ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "/key.pem"),
        ("OTEL_EXPERIMENTAL_CONFIG_FILE", "/otel.yaml"),
        ("OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE", "lowmemory"),
        (
            "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION",
            "base2_exponential_bucket_histogram",
        ),
    ] {
        let (read, notice) = noticed(&[(name, value)]);
        assert_eq!(read, default, "{name}={value}");
        assert!(
            notice.starts_with(&format!("environment variable {name} ")),
            "{notice}"
        );
        // Shorter ones are parts of any text.
        assert!(value.len() < 4 || !notice.contains(value), "{notice}");
    }
    let argument = [
        ("OTEL_TRACES_SAMPLER", "traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "1.1"),
    ];
    let (read, notice) = noticed(&argument);
    assert_eq!(read.traces.unwrap().sampler.root, RootSampler::AlwaysOn);
    assert!(notice.contains("OTEL_TRACES_SAMPLER_ARG"), "{notice}");
}

#[test]
fn propagators() {
    let propagators = |trace_context: bool, baggage: bool| Propagators {
        trace_context,
        baggage,
    };
    for (names, expected) in [
        ("", propagators(true, true)),
        ("Baggage, tracecontext,baggage", propagators(true, true)),
        ("tracecontext", propagators(true, false)),
        ("baggage,", propagators(false, true)),
        ("none", propagators(false, false)),
    ] {
        let read = traces(&[("OTEL_PROPAGATORS", names)]).propagators;
        assert_eq!(read, expected, "{names}");
    }
    let (read, notice) = noticed(&[("OTEL_PROPAGATORS", "b3,tracecontext")]);
    assert_eq!(read.traces.unwrap().propagators, propagators(true, false));
    assert!(notice.contains("OTEL_PROPAGATORS"), "{notice}");
}

#[test]
fn an_excluded_path_that_looks_like_a_pattern_is_told() {
    for pattern in [
        "^/health.*$",
        "health,sse/(a|b)",
        "/sse/environments/{key}/stream",
    ] {
        let (read, notice) = noticed(&[("OTEL_TRACING_EXCLUDED_URL_PATHS", pattern)]);
        assert!(notice.contains("looks like a pattern"), "{notice}");
        assert_ne!(read.traces.unwrap().excluded, ExcludedPaths::default());
    }
}

#[test]
fn what_is_sent_is_printed() {
    let variables = [
        ENDPOINT,
        ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
        ("OTEL_TRACES_SAMPLER_ARG", "0.5"),
        ("OTEL_TRACING_EXCLUDED_URL_PATHS", "health/liveness,/x/"),
        ("OTEL_METRICS_EXPORTER", "none"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "a=secret"),
    ];
    let printed: Value =
        serde_json::from_str(&load(json!({}), &variables).settings.effective_json()).unwrap();
    let expected = json!({
        "traces": {
            "endpoint": "http://collector:4318/v1/traces", "protocol": "http/protobuf", "headers": {"a": "****"},
            "timeout": 10_000, "compression": "none", "certificate": null,
            "sampler": "parentbased_traceidratio 0.5", "propagators": "tracecontext,baggage",
            "max_queue_size": 2_048, "max_export_batch_size": 512, "schedule_delay": 5_000, "export_timeout": 30_000,
            "excluded_url_paths": "health/liveness,x",
        },
        "metrics": null,
        "resource": {"service.name": "flagsmith-edge-proxy"},
    });
    assert_eq!(printed["environment variables"]["OTEL"], expected);
}
