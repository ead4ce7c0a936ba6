//! The figures of `/metrics`, as a collector gets them.
use std::collections::HashMap;

use edge_proxy::application::Outcome;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::wait;

use super::collector::{Collector, metrics_of, values};
use super::{polled, traced};
use crate::harness::{App, CLIENT_KEY, Options, Proxy, ProxyOptions, Request, spawn_app};

const REQUESTS: &str = "flagsmith_http_server_requests_total";
const DURATIONS: &str = "flagsmith_http_server_request_duration_seconds";

/// Figures alone, every tenth of a second.
const OFTEN: [(&str, &str); 3] = [
    ("OTEL_TRACES_EXPORTER", "none"),
    ("OTEL_METRICS_EXPORTER", "otlp"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "100"),
];

fn flags() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}

/// What came so far, one reading each.
fn readings(collector: &Collector) -> Vec<HashMap<String, Metric>> {
    let mut requests = collector.server().requests();
    requests.retain(|request| request.target == "/v1/metrics");
    requests.iter().map(|request| metrics_of(&request.body)).collect()
}

/// How many requests for flags a reading counts.
fn counted(reading: &HashMap<String, Metric>) -> i64 {
    let Some(Data::Sum(sum)) = reading.get(REQUESTS).and_then(|metric| metric.data.as_ref()) else {
        return 0;
    };
    let of_flags = sum.data_points.iter().find(|point| {
        let labels = values(&point.attributes);
        labels["route"] == "/api/v1/flags/" && labels["response_status"] == "200"
    });
    match of_flags.and_then(|point| point.value) {
        Some(Value::AsInt(count)) => count,
        _ => 0,
    }
}

#[test]
fn figures_come_again_and_again_without_an_admin_port() {
    let collector = Collector::start();
    let app = traced(&collector, &OFTEN);
    for _ in 0..3 {
        assert_eq!(app.send(flags()).status, 200);
    }
    let mut count = collector.server().count();
    let reading = wait(async {
        loop {
            if let Some(reading) = readings(&collector)
                .into_iter()
                .find(|reading| counted(reading) == 3)
            {
                return reading;
            }
            count.changed().await.unwrap();
        }
    });
    let Some(Data::Histogram(durations)) = &reading[DURATIONS].data else {
        panic!("{reading:?}")
    };
    let point = &durations.data_points[0];
    assert_eq!(point.bucket_counts.iter().sum::<u64>(), point.count);
    assert_eq!(point.bucket_counts.len(), point.explicit_bounds.len() + 1);
    assert!(point.start_time_unix_nano > 0 && point.start_time_unix_nano <= point.time_unix_nano);
    assert!(reading.len() > 20, "all that /metrics has: {}", reading.len());
    assert!(collector.spans().is_empty());
}

#[test]
fn the_last_figures_are_sent_at_the_stop() {
    let collector = Collector::start();
    let mut app = traced(
        &collector,
        &[OFTEN[0], OFTEN[1], ("OTEL_METRIC_EXPORT_INTERVAL", "3600000")],
    );
    assert_eq!(app.send(flags()).status, 200);
    assert!(readings(&collector).is_empty());
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    assert_eq!(readings(&collector).iter().map(counted).collect::<Vec<_>>(), [1]);
}

/// A proxy with an upstream that has a document, and takes counts or not.
fn with_upstream(
    collector: &Collector,
    interval: &'static str,
    takes_counts: bool,
) -> (App, ScriptedUpstream) {
    let upstream = ScriptedUpstream::start(move |request| match request.target.as_str() {
        "/api/v1/environment-document/" => Answer::ok(FIXTURE),
        _ if takes_counts => Answer::ok("{}"),
        _ => Answer::status(503),
    });
    let mut variables = collector.variables();
    variables.retain(|(name, _)| OFTEN.iter().all(|(other, _)| name != other));
    variables.extend(
        OFTEN[..2]
            .iter()
            .map(|(name, value)| (*name, (*value).to_owned())),
    );
    variables.push((OFTEN[2].0, interval.to_owned()));
    let app = spawn_app(Options {
        document: None,
        variables,
        config: polled(&upstream),
        ..Options::default()
    });
    app.wait_for_first_document();
    (app, upstream)
}

/// The figure of ours of these names, with this value of a label where it has one.
fn figure(reading: &HashMap<String, Metric>, name: &str, of: Option<&str>) -> Option<i64> {
    let metric = reading.get(&format!("flagsmith_edge_proxy_{name}"))?;
    let points = match metric.data.as_ref()? {
        Data::Sum(sum) => &sum.data_points,
        Data::Gauge(gauge) => &gauge.data_points,
        _ => return None,
    };
    let point = points
        .iter()
        .find(|point| of.is_none_or(|of| values(&point.attributes).values().any(|value| value == of)))?;
    match point.value? {
        Value::AsInt(count) => Some(count),
        Value::AsDouble(number) => Some(number as i64),
    }
}

#[test]
fn the_last_figures_tell_of_environments_and_of_what_the_stop_has_sent() {
    for takes_counts in [true, false] {
        let collector = Collector::start();
        let (mut app, _upstream) = with_upstream(&collector, "3600000", takes_counts);
        let counts = Request::post(
            "/api/v1/analytics/flags/",
            json!({"zebra": 3, "nope": 2}).to_string(),
        );
        assert_eq!(app.send(counts.key(CLIENT_KEY)).status, 200);
        app.ask_to_stop();
        assert_eq!(app.wait(), Outcome::Stopped);
        let [last] = &readings(&collector)[..] else {
            panic!("one reading")
        };
        let (sent, ended) = if takes_counts { (3, 0) } else { (0, 3) };
        for (name, of, expected) in [
            ("environment_status", Some("ok"), 1),
            ("document_fetches_total", Some("changed"), 1),
            ("environment_requests_total", None, 1),
            ("streams", None, 0),
            ("analytics_sent_total", None, sent),
            ("analytics_queued", None, 0),
            ("analytics_dropped_total", Some("ended"), ended),
            ("analytics_dropped_total", Some("unknown_feature"), 2),
        ] {
            assert_eq!(figure(last, name, of), Some(expected), "{name} {of:?}");
        }
    }
}

#[test]
fn no_figure_is_missing_from_the_last_ones() {
    let collector = Collector::start();
    let (mut app, _upstream) = with_upstream(&collector, OFTEN[2].1, true);
    wait(collector.server().wait_for(1));
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    let readings = readings(&collector);
    let last = readings.last().unwrap();
    for name in readings.iter().flat_map(HashMap::keys) {
        assert!(last.contains_key(name), "{name}");
    }
}

#[test]
fn a_collector_that_asks_for_patience_gets_no_reading_before_its_time() {
    let patient = Collector::answering(|_| Answer::status(503).header("Retry-After", "300"));
    let mut app = traced(&patient, &OFTEN);
    wait(patient.server().wait_for(1));
    let other = Collector::start();
    let _beside = traced(&other, &OFTEN);
    wait(other.server().wait_for(5));
    assert_eq!(readings(&patient).len(), 1, "the other got five meanwhile");
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
    assert_eq!(readings(&patient).len(), 2, "the last is sent all the same");
}

#[test]
fn a_part_that_a_reload_switches_is_in_the_figures_while_it_runs() {
    let collector = Collector::start();
    let mut variables = collector.variables();
    variables.retain(|(name, _)| OFTEN.iter().all(|(other, _)| name != other));
    variables.extend(OFTEN.map(|(name, value)| (name, value.to_owned())));
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"analytics": false}),
        variables,
        ..ProxyOptions::default()
    });
    let tells =
        |reading: &HashMap<String, Metric>| reading.contains_key("flagsmith_edge_proxy_analytics_sent_total");
    // There is no admin port, so that nothing else follows for it.
    for is_on in [true, false] {
        proxy.reload(&json!({"analytics": is_on}));
        let before = readings(&collector).len();
        let mut count = collector.server().count();
        wait(async {
            while !readings(&collector)[before..]
                .iter()
                .any(|reading| tells(reading) == is_on)
            {
                count.changed().await.unwrap();
            }
        });
    }
}

#[test]
fn a_collector_that_hangs_holds_no_request_up_and_no_stop() {
    let collector = Collector::answering(|_| Answer::hang());
    let mut app = traced(&collector, &OFTEN);
    wait(collector.server().wait_for(1));
    assert_eq!(app.send(flags()).status, 200);
    app.ask_to_stop();
    assert_eq!(app.wait(), Outcome::Stopped);
}
