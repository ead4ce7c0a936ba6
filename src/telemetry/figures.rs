//! From the text of `/metrics` (OpenMetrics 1.0) to OTLP's metrics. The text is the one truth: what operators see there, and in
//! their dashboards, has the same names and labels here.
use std::collections::BTreeMap;

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum,
};

use super::messages::text;

/// When a process's figures began, and when they were read, in nanoseconds of the Unix epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Times {
    pub(super) started: u64,
    pub(super) now: u64,
}

/// What a family of samples is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One line with a value.
#[derive(Debug)]
struct Sample<'a> {
    name: &'a str,
    /// Without `le`.
    labels: Vec<(&'a str, String)>,
    /// `le` of a histogram's bucket.
    bound: Option<String>,
    value: &'a str,
}

/// The families of a text, in its order. A line that cannot be read is left out.
pub(super) fn of_text(exposed: &str, times: Times) -> Vec<Metric> {
    let mut families: Vec<(&str, Kind, Vec<Sample<'_>>)> = Vec::new();
    let mut helps = BTreeMap::new();
    for line in exposed.lines() {
        if let Some(described) = line.strip_prefix("# HELP ") {
            helps.extend(described.split_once(' '));
        } else if let Some(described) = line.strip_prefix("# TYPE ") {
            if let Some((name, kind)) = described.split_once(' ') {
                let kind = match kind {
                    "counter" => Kind::Counter,
                    "histogram" => Kind::Histogram,
                    _ => Kind::Gauge,
                };
                families.push((name, kind, Vec::new()));
            }
        } else if let (Some(sample), Some((_, _, samples))) = (sample(line), families.last_mut()) {
            samples.push(sample);
        }
    }
    let metrics = families.into_iter().filter_map(|(name, kind, samples)| {
        let described = helps.get(name).copied().unwrap_or_default();
        metric(name, kind, described, &samples, times)
    });
    metrics.collect()
}

fn metric(family: &str, kind: Kind, described: &str, samples: &[Sample<'_>], times: Times) -> Option<Metric> {
    // As its samples are called, which dashboards ask for; of a histogram they have three names.
    let name = match kind {
        Kind::Histogram => family,
        Kind::Counter | Kind::Gauge => samples.first()?.name,
    };
    let temporality = AggregationTemporality::Cumulative.into();
    let data = match kind {
        Kind::Counter => Data::Sum(Sum {
            data_points: numbers(name, samples, times),
            aggregation_temporality: temporality,
            is_monotonic: true,
        }),
        Kind::Gauge => Data::Gauge(Gauge {
            data_points: numbers(name, samples, times),
        }),
        Kind::Histogram => Data::Histogram(Histogram {
            data_points: histograms(family, samples, times),
            aggregation_temporality: temporality,
        }),
    };
    Some(Metric {
        name: name.to_owned(),
        description: described.to_owned(),
        data: Some(data),
        ..Metric::default()
    })
}

fn numbers(name: &str, samples: &[Sample<'_>], times: Times) -> Vec<NumberDataPoint> {
    let samples = samples.iter().filter(|sample| sample.name == name);
    let points = samples.filter_map(|sample| {
        let value = match sample.value.parse() {
            Ok(whole) => Number::AsInt(whole),
            Err(_) => Number::AsDouble(sample.value.parse().ok()?),
        };
        Some(NumberDataPoint {
            attributes: attributes(&sample.labels),
            start_time_unix_nano: times.started,
            time_unix_nano: times.now,
            value: Some(value),
            ..NumberDataPoint::default()
        })
    });
    points.collect()
}

/// One for each set of labels, whose samples follow each other.
fn histograms(family: &str, samples: &[Sample<'_>], times: Times) -> Vec<HistogramDataPoint> {
    let by_labels = samples.chunk_by(|one, next| one.labels == next.labels);
    let points = by_labels.filter_map(|samples| {
        let of = |suffix: &str| {
            let is_it = |sample: &&Sample<'_>| sample.name.strip_prefix(family) == Some(suffix);
            samples.iter().filter(is_it).map(|sample| sample.value).next()
        };
        let (mut bounds, mut counts, mut before) = (Vec::new(), Vec::new(), 0_u64);
        for bucket in samples {
            let Some(bound) = &bucket.bound else { continue };
            // There they are added up, here each counts its own.
            let until: u64 = bucket.value.parse().ok()?;
            counts.push(until.checked_sub(before)?);
            before = until;
            if bound != "+Inf" {
                bounds.push(bound.parse().ok()?);
            }
        }
        Some(HistogramDataPoint {
            attributes: attributes(&samples.first()?.labels),
            start_time_unix_nano: times.started,
            time_unix_nano: times.now,
            count: of("_count")?.parse().ok()?,
            sum: of("_sum")?.parse().ok(),
            bucket_counts: counts,
            explicit_bounds: bounds,
            ..HistogramDataPoint::default()
        })
    });
    points.collect()
}

fn attributes(labels: &[(&str, String)]) -> Vec<KeyValue> {
    labels.iter().map(|(name, value)| text(name, value)).collect()
}

/// Reads `name{label="value"} value`, whatever follows; `None`: it is no sample.
fn sample(line: &str) -> Option<Sample<'_>> {
    if line.starts_with('#') {
        return None;
    }
    let name_end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at_checked(name_end)?;
    let (mut labels, mut bound) = (Vec::new(), None);
    if let Some(inner) = rest.strip_prefix('{') {
        rest = inner;
        while !rest.starts_with('}') {
            let (label, after) = rest.trim_start_matches(',').split_once("=\"")?;
            let (value, after) = quoted(after)?;
            rest = after;
            if label == "le" {
                bound = Some(value);
            } else {
                labels.push((label, value));
            }
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.split_ascii_whitespace().next()?;
    Some(Sample {
        name,
        labels,
        bound,
        value,
    })
}

/// A label's value without its escapes, and what follows its closing quote.
fn quoted(text: &str) -> Option<(String, &str)> {
    let (mut value, mut letters) = (String::new(), text.char_indices());
    while let Some((place, letter)) = letters.next() {
        match letter {
            '"' => return Some((value, text.get(place + 1..)?)),
            '\\' => match letters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use opentelemetry_proto::tonic::common::v1::any_value;

    use super::*;

    const TEXT: &str = r#"# HELP requests Requests that were answered.
# TYPE requests counter
requests_total{route="/a",status="200"} 7
requests_total{route="/b\"\\\n,{}",status="404"} 1 # {trace="x"} 1.0
requests_created{route="/a",status="200"} 12345.678
# HELP age Seconds.
# TYPE age gauge
age 1.5
# TYPE build info
build_info{version="1"} 1
# TYPE took_seconds histogram
# UNIT took_seconds seconds
took_seconds_sum{route="/a"} 0.75
took_seconds_count{route="/a"} 5
took_seconds_bucket{le="0.1",route="/a"} 3
took_seconds_bucket{le="1.0",route="/a"} 5
took_seconds_bucket{le="+Inf",route="/a"} 5
took_seconds_sum{route="/b"} 2.0
took_seconds_count{route="/b"} 1
took_seconds_bucket{le="0.1",route="/b"} 0
took_seconds_bucket{le="1.0",route="/b"} 0
took_seconds_bucket{le="+Inf",route="/b"} 1
# TYPE empty counter
# EOF
"#;

    fn labels(attributes: &[KeyValue]) -> Vec<(String, String)> {
        let text = |attribute: &KeyValue| match attribute.value.clone().unwrap().value.unwrap() {
            any_value::Value::StringValue(text) => text,
            other => panic!("{other:?}"),
        };
        attributes
            .iter()
            .map(|attribute| (attribute.key.clone(), text(attribute)))
            .collect()
    }

    #[test]
    fn each_family_is_what_it_was() {
        let times = Times { started: 1, now: 2 };
        let metrics = of_text(TEXT, times);
        let names: Vec<_> = metrics.iter().map(|metric| metric.name.as_str()).collect();
        assert_eq!(names, ["requests_total", "age", "build_info", "took_seconds"]);
        assert_eq!(metrics[0].description, "Requests that were answered.");
        let Some(Data::Sum(sum)) = &metrics[0].data else {
            panic!("{:?}", metrics[0])
        };
        assert!(sum.is_monotonic && sum.aggregation_temporality == 2);
        let [first, second] = &sum.data_points[..] else {
            panic!("what says when it was created is no figure: {sum:?}")
        };
        assert_eq!(first.value, Some(Number::AsInt(7)));
        assert_eq!((first.start_time_unix_nano, first.time_unix_nano), (1, 2));
        let route = ("route".to_owned(), "/b\"\\\n,{}".to_owned());
        assert_eq!(labels(&second.attributes)[0], route);

        let Some(Data::Gauge(age)) = &metrics[1].data else {
            panic!("{:?}", metrics[1])
        };
        assert_eq!(age.data_points[0].value, Some(Number::AsDouble(1.5)));
        let Some(Data::Histogram(histogram)) = &metrics[3].data else {
            panic!("{:?}", metrics[3])
        };
        let [a, b] = &histogram.data_points[..] else {
            panic!("{histogram:?}")
        };
        assert_eq!((a.count, a.sum), (5, Some(0.75)));
        assert_eq!(
            (&a.bucket_counts[..], &a.explicit_bounds[..]),
            (&[3, 2, 0][..], &[0.1, 1.0][..])
        );
        assert_eq!(b.bucket_counts, [0, 0, 1]);
        assert_eq!(labels(&b.attributes), [("route".to_owned(), "/b".to_owned())]);
    }

    #[test]
    fn what_cannot_be_read_is_left_out() {
        let times = Times { started: 1, now: 2 };
        for text in [
            "",
            "x",
            "x 1",
            "# TYPE x counter\nx_total{a=\"",
            "# TYPE x counter\nx_total{a} 1",
        ] {
            assert!(of_text(text, times).is_empty(), "{text}");
        }
    }
}
