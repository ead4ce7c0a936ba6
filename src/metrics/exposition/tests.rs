use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use actix_web::http::{Method, StatusCode};
use actors::analytics::Totals;
use actors::counts::{Distribution, Histogram, WORK};
use serde_json::Value;

use super::*;
use crate::error::Reason;
use crate::metrics::reading::{
    ConfigurationReading, ConnectionsReading, DocumentsReading, EnvironmentReading, HeldReading,
    IdentitiesReading, ServedReading, StoreReading, StreamsReading,
};
use crate::metrics::{MethodNumber, Metrics};
use crate::process::{ProcessReading, Started};
use crate::server::Protocol;

/// Of one value.
fn distribution() -> Distribution {
    let histogram = Histogram::new(&WORK);
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
        streams: 4,
        requests: 5,
    }
}

/// Something of everything.
fn example(environments: Vec<EnvironmentReading>) -> Reading {
    let metrics = Metrics::default();
    let counts = metrics.register(&Arc::default());
    for status in [StatusCode::OK, StatusCode::NOT_FOUND] {
        let duration = Duration::from_micros(7);
        counts.count("/", MethodNumber::of(&Method::GET), status, duration, Some(1_100));
    }
    metrics.refused(Reason::BodyTooLarge);
    Reading {
        requests: metrics.totals(),
        refusals: metrics.refusals(),
        connections: vec![ConnectionsReading {
            protocol: Protocol::Http1,
            open: 1,
            opened: 2,
        }],
        most_connections: 100,
        held: HeldReading {
            bodies: 1,
            answers: 2,
        },
        environments: Some(environments),
        documents: DocumentsReading {
            applied: distribution(),
            published: distribution(),
        },
        streams: StreamsReading {
            opened: 1,
            deliveries: distribution(),
            replays: 2,
        },
        analytics: Some(Totals::default()),
        identities: Some(IdentitiesReading {
            written: 1,
            dropped: [("no_room", 2), ("refused", 0), ("key_rejected", 0)],
            waiting: 3,
        }),
        writes: (1, 2),
        store: Some(StoreReading {
            written: 1,
            failed: 0,
        }),
        configuration: ConfigurationReading {
            followed: 1,
            refused: 0,
            is_in_force: true,
        },
        certificate_expires: Some(1.8e9),
        lost_log_lines: 0,
        process: ProcessReading::take(),
        started: Started::find().seconds(),
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

fn read(path: &str) -> String {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The names of metrics in a text that is about them.
fn named(text: &str) -> BTreeSet<&str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || character == '_'))
        .filter(|word| word.starts_with("flagsmith_") || word.starts_with("process_"))
        // Beginnings of names, and Flagsmith's own image.
        .filter(|word| !word.ends_with('_'))
        .collect()
}

#[test]
fn rules_and_dashboard_use_metrics_that_there_are() {
    let text = text(Format::Plain);
    let exposed = names(&text);
    for file in ["alerts.yml", "alerts.test.yml", "dashboard.json"] {
        let file = read(&format!("deploy/monitoring/{file}"));
        let named = named(&file);
        assert!(named.len() > 10, "{named:?}");
        let unknown: Vec<_> = named.difference(&exposed).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}

#[test]
fn the_guide_names_every_family_and_no_other() {
    let guide = read("docs/monitoring.md");
    let (_, table) = guide.split_once("| metric |").expect("the table of metrics");
    let text = text(Format::Plain);
    let exposed: BTreeSet<_> = families(&text).into_keys().collect();
    let told = named(table);
    assert_eq!(told, exposed);
}

/// Asserts that no two panels cover each other, and each has what Grafana needs.
fn check_panels(panels: &[Value]) {
    let (mut ids, mut covered) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        let title = panel["title"].as_str().expect("a title");
        assert!(
            ids.insert(panel["id"].as_u64().unwrap()),
            "{title}: its id is another's"
        );
        let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().expect(title));
        assert!(w > 0 && h > 0 && x + w <= 24, "{title}");
        for place in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
            assert!(covered.insert(place), "{title} covers another panel");
        }
        if panel["type"] == "row" {
            continue;
        }
        let targets = panel["targets"].as_array().expect(title);
        let references: BTreeSet<_> = targets
            .iter()
            .map(|target| target["refId"].as_str().unwrap())
            .collect();
        assert!(
            !targets.is_empty() && references.len() == targets.len(),
            "{title}"
        );
        for target in targets {
            let query = target["expr"].as_str().expect(title);
            assert!(
                !named(query).is_empty() && query.contains("$instance"),
                "{title}: {query}"
            );
            assert_eq!(target["datasource"]["uid"], "${datasource}", "{title}");
        }
        assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{title}");
    }
}

#[test]
fn the_dashboard_is_one_that_grafana_reads() {
    let dashboard: Value = serde_json::from_str(&read("deploy/monitoring/dashboard.json")).unwrap();
    assert!(dashboard["title"].is_string() && dashboard["uid"].is_string());
    assert!(dashboard["schemaVersion"].as_u64().unwrap() >= 36);
    let panels = dashboard["panels"].as_array().unwrap();
    check_panels(panels);
    let rows: Vec<_> = panels
        .iter()
        .filter(|panel| panel["type"] == "row")
        .map(|row| row["title"].as_str().unwrap())
        .collect();
    assert_eq!(rows, ["Requests", "Documents", "Realtime", "Upstream", "Process"]);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<_> = variables
        .iter()
        .map(|each| each["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, ["datasource", "job", "instance", "environment"]);
    // Each family is seen somewhere.
    let shown = dashboard.to_string();
    let text = text(Format::Plain);
    let not_shown: Vec<_> = families(&text)
        .into_keys()
        .filter(|family| !shown.contains(*family))
        .collect();
    assert_eq!(
        not_shown,
        [
            "flagsmith_edge_proxy_certificate_expiry_timestamp_seconds",
            "process_threads",
            "process_virtual_memory_bytes"
        ]
    );
}
