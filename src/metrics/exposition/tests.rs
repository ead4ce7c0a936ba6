//! What a reading is as text.
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actors::analytics::{Losses, Totals};
use actors::counts::{Distribution, WorkHistogram};

mod figures;
mod monitoring;

use super::*;
use crate::error::Reason;
use crate::metrics::reading::{
    ConfigurationReading, ConnectionsReading, DocumentsReading, EnvironmentReading, HeldReading,
    IdentitiesReading, ServedReading, StoreReading, StreamsReading,
};
use crate::metrics::{MethodNumber, Metrics};
use crate::process::ProcessReading;
use crate::server::Protocol;

/// Of one value.
fn distribution() -> Distribution {
    let histogram = WorkHistogram::default();
    histogram.observe_duration(Duration::from_millis(3));
    histogram.read()
}

fn environment(id: u64, name: &str) -> EnvironmentReading {
    EnvironmentReading {
        id: id.to_string(),
        name: name.to_owned(),
        status: "ok",
        age: Some(1.5),
        served: Some(ServedReading {
            bytes: 1_000,
            updated_at: 1_735_229_888.76,
        }),
        fetches: vec![("changed", 1), ("unchanged", 2)],
        warnings: 3,
        streams: Some(4),
        requests: 5,
    }
}

/// Something of everything.
fn example(environments: Vec<EnvironmentReading>) -> Reading {
    let metrics = Metrics::default();
    let counts = metrics.register(&Arc::default());
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        counts.count("/", MethodNumber::of(&Method::GET), status, 7_000, Some(1_100));
    }
    metrics.refused(Reason::BodyTooLarge);
    Reading {
        requests: metrics.totals(),
        refusals: metrics.refusals(),
        connections: vec![ConnectionsReading {
            protocol: Protocol::Http1,
            open: 41,
            opened: 42,
        }],
        most_connections: 43,
        held: HeldReading {
            bodies: 44,
            answers: 45,
        },
        environments: Some(environments),
        documents: DocumentsReading {
            applied: distribution(),
            published: distribution(),
        },
        streams: StreamsReading {
            opened: 51,
            deliveries: distribution(),
            replays: 52,
        },
        analytics: Some(Totals {
            forwarded: 11,
            waiting: 12,
            lost: Losses {
                no_room: 13,
                refused: 14,
                removed: 15,
            },
            unknown: 16,
            without_upstream: 17,
            ended: 18,
        }),
        identities: Some(IdentitiesReading {
            written: 21,
            dropped: [
                ("no_room", 22),
                ("refused", 23),
                ("key_rejected", 24),
                ("ended", 26),
            ],
            waiting: 25,
        }),
        writes: (31, 32),
        store: Some(StoreReading {
            written: 33,
            failed: 34,
        }),
        configuration: ConfigurationReading {
            followed: 35,
            refused: 36,
            is_in_force: true,
        },
        certificate_expires: Some(1.8e9),
        lost_log_lines: 37,
        process: ProcessReading {
            cpu_seconds: Some(61.5),
            resident_bytes: Some(62),
            virtual_bytes: Some(63),
            open_descriptors: Some(64),
            most_descriptors: Some(65),
            threads: Some(66),
        },
        started: Some(67.5),
    }
}

fn text(format: Format) -> String {
    encode(example(vec![environment(1, "Production")]), format)
}

/// The samples of a text: name and labels, and value.
fn samples(text: &str) -> Vec<(&str, f64)> {
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            (series, value.parse().unwrap_or_else(|_| panic!("{line}")))
        })
        .collect()
}

/// The names of all samples, such as `a_total` and `b_bucket`.
fn names(text: &str) -> BTreeSet<&str> {
    samples(text)
        .into_iter()
        .map(|(series, _)| series.split('{').next().unwrap())
        .collect()
}

fn families(text: &str) -> BTreeMap<&str, &str> {
    text.lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect()
}

#[test]
fn every_sample_is_of_a_family_and_no_series_is_there_twice() {
    for format in [Format::OpenMetrics, Format::Plain] {
        let text = text(format);
        let families = families(&text);
        let mut seen = BTreeSet::new();
        for (series, _) in samples(&text) {
            assert!(seen.insert(series), "{series} is there twice");
            let name = series.split('{').next().unwrap();
            let is_its = |(family, kind): (&&str, &&str)| {
                let suffixes: &[&str] = match (*kind, format) {
                    ("counter", Format::OpenMetrics) => &["_total"],
                    ("info", _) => &["_info"],
                    ("histogram", _) => &["_bucket", "_sum", "_count"],
                    _ => &[""],
                };
                suffixes
                    .iter()
                    .any(|suffix| name.strip_suffix(suffix) == Some(family))
            };
            assert_eq!(
                families.iter().filter(|family| is_its(*family)).count(),
                1,
                "{series}"
            );
        }
        for family in families.keys() {
            assert!(text.contains(&format!("# HELP {family} ")), "{family}");
        }
        assert_eq!(text.ends_with("\n# EOF\n"), format == Format::OpenMetrics);
    }
    assert_eq!(names(&text(Format::OpenMetrics)), names(&text(Format::Plain)));
}

#[test]
fn requests_have_flagsmith_s_own_names_and_labels() {
    let text = text(Format::OpenMetrics);
    let labels = r#"route="unmatched",method="GET",response_status="404""#;
    for line in [
        format!("flagsmith_http_server_requests_total{{{labels}}} 1"),
        format!("flagsmith_http_server_request_duration_seconds_count{{{labels}}} 1"),
        format!("flagsmith_http_server_response_size_bytes_sum{{{labels}}} 1100.0"),
        format!(r#"flagsmith_http_server_response_size_bytes_bucket{{le="1000.0",{labels}}} 0"#),
        format!(r#"flagsmith_http_server_response_size_bytes_bucket{{le="+Inf",{labels}}} 1"#),
        r#"flagsmith_edge_proxy_refused_requests_total{reason="body_too_large"} 1"#.to_owned(),
        r#"flagsmith_edge_proxy_environment_status{environment_id="1",environment="Production",status="ok"} 1.0"#
            .to_owned(),
    ] {
        assert!(text.lines().any(|known| known == line), "no {line} in\n{text}");
    }
    assert!(text.contains("flagsmith_build_info{ci_commit_sha="), "{text}");
}

#[test]
fn a_document_names_its_environment_and_spoils_nothing() {
    let long = "ü".repeat(1_000_000);
    let names = ["a \"b\" \\ c\nd", "", long.as_str(), "{} # EOF"];
    let environments = (1..).zip(names).map(|(id, name)| environment(id, name)).collect();
    let text = encode(example(environments), Format::OpenMetrics);
    assert!(text.len() < 100_000, "{}", text.len());
    let ages: Vec<_> = samples(&text)
        .into_iter()
        .filter(|(series, _)| series.starts_with("flagsmith_edge_proxy_document_age_seconds{"))
        .collect();
    assert_eq!(ages.len(), names.len());
    assert!(
        ages[0]
            .0
            .ends_with(r#"{environment_id="1",environment="a \"b\" \\ c\nd"}"#),
        "{}",
        ages[0].0
    );
}

#[test]
fn what_is_switched_off_or_does_not_answer_is_left_out() {
    let mut reading = example(Vec::new());
    reading.environments = None;
    reading.analytics = None;
    reading.identities = None;
    reading.store = None;
    reading.certificate_expires = None;
    reading.process = ProcessReading::default();
    let text = encode(reading, Format::OpenMetrics);
    for absent in [
        "environment_id",
        "analytics_sent_total",
        "store_writes_total",
        "process_open_fds ",
    ] {
        assert!(
            samples(&text).iter().all(|(series, _)| !series.contains(absent)),
            "{absent} in {text}"
        );
    }
    assert!(names(&text).contains("flagsmith_edge_proxy_document_apply_seconds_bucket"));
}

#[test]
fn a_hub_that_does_not_answer_has_no_streams_and_not_none() {
    let reading = example(vec![EnvironmentReading {
        streams: None,
        ..environment(1, "Production")
    }]);
    let text = encode(reading, Format::OpenMetrics);
    let names = names(&text);
    assert!(!names.contains("flagsmith_edge_proxy_streams"), "{names:?}");
    assert!(names.contains("flagsmith_edge_proxy_document_bytes"));
}
