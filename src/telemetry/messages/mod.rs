//! From what is known here to the messages of OTLP (<https://opentelemetry.io/docs/specs/otlp/>).
//!
//! # Layout
//! - `spans`: a batch of spans, written field by field by `wire`; figures, once a minute, by the messages that are published.
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::{ResourceMetrics, ScopeMetrics};
use opentelemetry_proto::tonic::resource::v1::Resource as ProtoResource;
use prost::Message as _;

use super::figures::{self, Times};

mod spans;
mod wire;

pub(super) use spans::of_spans;

/// What wrote all of it.
const SCOPE: &str = env!("CARGO_PKG_NAME");
const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the process says of itself with all that it sends.
#[derive(Debug)]
pub(super) struct Resource(ProtoResource);

impl Resource {
    /// These attributes of the configuration, and what is known beside them.
    pub(super) fn of(configured: &[(String, String)]) -> Self {
        let own = [
            ("service.version", VERSION.to_owned()),
            // Figures of two processes would else be one series.
            ("service.instance.id", instance()),
            ("telemetry.sdk.name", SCOPE.to_owned()),
            ("telemetry.sdk.language", "rust".to_owned()),
            ("telemetry.sdk.version", VERSION.to_owned()),
        ];
        let is_configured = |name: &str| configured.iter().any(|(known, _)| known == name);
        let own = own.into_iter().filter(|(name, _)| !is_configured(name));
        let configured = configured.iter().map(|(name, value)| text(name, value));
        Self(ProtoResource {
            attributes: configured
                .chain(own.map(|(name, value)| text(name, &value)))
                .collect(),
            ..ProtoResource::default()
        })
    }
}

/// A UUID of version 4 (RFC 9562, 5.4), as the conventions ask for where nothing else tells processes apart.
fn instance() -> String {
    let random: u128 = rand::random();
    let version = random & !(0xf << 76) | 4 << 76;
    let uuid = version & !(0b11 << 62) | 0b10 << 62;
    let digits = format!("{uuid:032x}");
    let mut parts = Vec::new();
    let mut rest = digits.as_str();
    for length in [8, 4, 4, 4, 12] {
        let (part, after) = rest.split_at_checked(length).unwrap_or((rest, ""));
        parts.push(part);
        rest = after;
    }
    parts.join("-")
}

/// A request to take the figures of this text.
pub(super) fn of_figures(resource: &Resource, exposed: &str, times: Times) -> Vec<u8> {
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource.0.clone()),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics: figures::of_text(exposed, times),
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    };
    request.encode_to_vec()
}

fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: SCOPE.to_owned(),
        version: VERSION.to_owned(),
        ..InstrumentationScope::default()
    }
}

pub(super) fn text(name: &str, value: &str) -> KeyValue {
    key_value(name, ProtoValue::StringValue(value.to_owned()))
}

fn key_value(name: &str, value: ProtoValue) -> KeyValue {
    KeyValue {
        key: name.to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}
