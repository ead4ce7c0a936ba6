//! Each figure of a reading is told under its own name, in the unit that this says, and as what it is.
use std::collections::BTreeMap;

use super::{Format, families, samples, text};

/// What the example's figures are, without the prefix of the proxy's own.
const TOLD: &[(&str, f64)] = &[
    (r#"refused_requests_total{reason="body_too_large"}"#, 1.0),
    (r#"refused_requests_total{reason="head_timeout"}"#, 0.0),
    (r#"connections{protocol="http/1"}"#, 41.0),
    (r#"connections_opened_total{protocol="http/1"}"#, 42.0),
    ("connections_max", 43.0),
    (r#"held_bytes{budget="bodies"}"#, 44.0),
    (r#"held_bytes{budget="answers"}"#, 45.0),
    (
        r#"document_age_seconds{environment_id="1",environment="Production"}"#,
        1.5,
    ),
    (
        r#"document_bytes{environment_id="1",environment="Production"}"#,
        1_000.0,
    ),
    (
        r#"document_updated_at_seconds{environment_id="1",environment="Production"}"#,
        1_735_229_888.76,
    ),
    (
        r#"document_warnings{environment_id="1",environment="Production"}"#,
        3.0,
    ),
    (
        r#"document_fetches_total{environment_id="1",environment="Production",outcome="changed"}"#,
        1.0,
    ),
    (
        r#"document_fetches_total{environment_id="1",environment="Production",outcome="unchanged"}"#,
        2.0,
    ),
    (r#"streams{environment_id="1",environment="Production"}"#, 4.0),
    (
        r#"environment_requests_total{environment_id="1",environment="Production"}"#,
        5.0,
    ),
    ("document_apply_seconds_sum", 0.003),
    ("document_apply_seconds_count", 1.0),
    (r#"document_apply_seconds_bucket{le="0.0025"}"#, 0.0),
    (r#"document_apply_seconds_bucket{le="0.005"}"#, 1.0),
    ("document_publish_seconds_sum", 0.003),
    ("stream_delivery_seconds_sum", 0.003),
    ("streams_opened_total", 51.0),
    ("stream_replays_total", 52.0),
    ("analytics_sent_total", 11.0),
    ("analytics_queued", 12.0),
    (r#"analytics_dropped_total{reason="no_room"}"#, 13.0),
    (r#"analytics_dropped_total{reason="refused"}"#, 14.0),
    (r#"analytics_dropped_total{reason="removed"}"#, 15.0),
    (r#"analytics_dropped_total{reason="unknown_feature"}"#, 16.0),
    (r#"analytics_dropped_total{reason="without_upstream"}"#, 17.0),
    (r#"analytics_dropped_total{reason="ended"}"#, 18.0),
    ("identities_forwarded_total", 21.0),
    (r#"identities_dropped_total{reason="no_room"}"#, 22.0),
    (r#"identities_dropped_total{reason="refused"}"#, 23.0),
    (r#"identities_dropped_total{reason="key_rejected"}"#, 24.0),
    (r#"identities_dropped_total{reason="ended"}"#, 26.0),
    ("identities_queued", 25.0),
    (r#"writes_forwarded_total{outcome="answered"}"#, 31.0),
    (r#"writes_forwarded_total{outcome="unanswered"}"#, 32.0),
    ("store_writes_total", 33.0),
    ("store_failures_total", 34.0),
    (r#"configuration_reloads_total{outcome="ok"}"#, 35.0),
    (r#"configuration_reloads_total{outcome="refused"}"#, 36.0),
    ("configuration_in_force", 1.0),
    ("certificate_expiry_timestamp_seconds", 1.8e9),
    ("log_lines_dropped_total", 37.0),
];

/// Those of the process, whose names are every program's.
const OF_THE_PROCESS: &[(&str, f64)] = &[
    ("process_cpu_seconds_total", 61.5),
    ("process_resident_memory_bytes", 62.0),
    ("process_virtual_memory_bytes", 63.0),
    ("process_open_fds", 64.0),
    ("process_max_fds", 65.0),
    ("process_threads", 66.0),
    ("process_start_time_seconds", 67.5),
];

#[test]
fn each_figure_is_told_under_its_own_name() {
    for format in [Format::OpenMetrics, Format::Plain] {
        let text = text(format);
        let told: BTreeMap<_, _> = samples(&text).into_iter().collect();
        let own = TOLD
            .iter()
            .map(|(series, value)| (format!("flagsmith_edge_proxy_{series}"), *value));
        let of_process = OF_THE_PROCESS
            .iter()
            .map(|(series, value)| ((*series).to_owned(), *value));
        for (series, value) in own.chain(of_process) {
            assert_eq!(told.get(series.as_str()), Some(&value), "{series}");
        }
    }
}

#[test]
fn a_name_says_the_type_and_the_unit() {
    let text = text(Format::Plain);
    for (family, kind) in families(&text) {
        let is_counter = family.ends_with("_total");
        let is_info = family.ends_with("_info");
        assert_eq!(is_counter, kind == "counter", "{family}");
        assert!(
            is_counter || is_info || ["gauge", "histogram"].contains(&kind),
            "{family}: {kind}"
        );
        // Base units alone (https://prometheus.io/docs/practices/naming/).
        for unit in [
            "milliseconds",
            "_ms",
            "minutes",
            "kilobytes",
            "megabytes",
            "percent",
        ] {
            assert!(!family.contains(unit), "{family}");
        }
        if kind == "histogram" {
            assert!(
                family.ends_with("_seconds") || family.ends_with("_bytes"),
                "{family}"
            );
        }
    }
}
