//! A collector of OTLP that answers as a test says: what it takes it decodes, by the messages that OpenTelemetry publishes.
use std::collections::HashMap;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use serde_json::{Value, json};
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};
use test_support::wait::wait;

/// Takes what comes by `http/protobuf`.
pub(crate) struct Collector {
    server: ScriptedUpstream,
}

impl Collector {
    /// One that takes everything.
    pub(crate) fn start() -> Self {
        Self::answering(|_| Answer::ok(""))
    }

    /// One that answers like this.
    pub(crate) fn answering(answer: impl Fn(&ReceivedRequest) -> Answer + Send + Sync + 'static) -> Self {
        Self {
            server: ScriptedUpstream::start(answer),
        }
    }

    /// The variables of a process that sends spans to it, soon after they end.
    pub(crate) fn variables(&self) -> Vec<(&'static str, String)> {
        variables(&self.server.origin())
    }

    /// The server that takes requests.
    pub(crate) fn server(&self) -> &ScriptedUpstream {
        &self.server
    }

    /// All spans so far.
    pub(crate) fn spans(&self) -> Vec<ReceivedSpan> {
        let mut requests = self.server.requests();
        requests.retain(|request| request.target == "/v1/traces");
        requests
            .iter()
            .flat_map(|request| spans_of(&request.body))
            .collect()
    }

    /// The first span of this name, once it has come.
    pub(crate) fn span(&self, name: &str) -> ReceivedSpan {
        self.find(|span| span.span.name == name)
    }

    /// The first span of which this holds, once it has come.
    pub(crate) fn find(&self, is_it: impl Fn(&ReceivedSpan) -> bool) -> ReceivedSpan {
        let mut count = self.server.count();
        wait(async {
            loop {
                if let Some(span) = self.spans().into_iter().find(&is_it) {
                    return span;
                }
                count.changed().await.unwrap();
            }
        })
    }

    /// The spans of a trace, once so many of them have come.
    pub(crate) fn trace(&self, trace_id: &str, spans: usize) -> Vec<ReceivedSpan> {
        let mut count = self.server.count();
        wait(async {
            loop {
                let mut all = self.spans();
                all.retain(|span| span.trace_id() == trace_id);
                if all.len() >= spans {
                    return all;
                }
                count.changed().await.unwrap();
            }
        })
    }
}

/// The variables of a process that sends spans to this place, soon after they end.
pub(crate) fn variables(origin: &str) -> Vec<(&'static str, String)> {
    vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", origin.to_owned()),
        ("OTEL_METRICS_EXPORTER", "none".to_owned()),
        ("OTEL_BSP_SCHEDULE_DELAY", "1".to_owned()),
    ]
}

/// The spans of one message.
pub(crate) fn spans_of(message: &[u8]) -> Vec<ReceivedSpan> {
    let request = ExportTraceServiceRequest::decode(message).unwrap();
    let of_resource = request.resource_spans.into_iter().flat_map(|of_resource| {
        let resource = of_resource.resource.unwrap();
        let of_scope = of_resource.scope_spans.into_iter();
        let spans = of_scope.flat_map(|of_scope| {
            let scope = of_scope.scope.unwrap();
            of_scope
                .spans
                .into_iter()
                .map(move |span| (scope.name.clone(), span))
        });
        let spans: Vec<_> = spans.collect();
        spans.into_iter().map(move |(scope, span)| ReceivedSpan {
            resource: values(&resource.attributes),
            scope,
            attributes: values(&span.attributes),
            span,
        })
    });
    of_resource.collect()
}

/// The metrics of one message, by name.
pub(crate) fn metrics_of(message: &[u8]) -> HashMap<String, Metric> {
    let request = ExportMetricsServiceRequest::decode(message).unwrap();
    let of_resource = request.resource_metrics.into_iter();
    let of_scope = of_resource.flat_map(|of_resource| of_resource.scope_metrics);
    of_scope
        .flat_map(|of_scope| of_scope.metrics)
        .map(|metric| (metric.name.clone(), metric))
        .collect()
}

/// A span as it came.
#[derive(Debug, Clone)]
pub(crate) struct ReceivedSpan {
    /// What the process says of itself.
    pub resource: HashMap<String, Value>,
    /// What wrote it.
    pub scope: String,
    /// Its attributes.
    pub attributes: HashMap<String, Value>,
    /// Everything else.
    pub span: Span,
}

impl ReceivedSpan {
    /// The id of its trace, in hexadecimal.
    pub(crate) fn trace_id(&self) -> String {
        hex(&self.span.trace_id)
    }

    /// Its id, in hexadecimal.
    pub(crate) fn id(&self) -> String {
        hex(&self.span.span_id)
    }

    /// The id of its parent, in hexadecimal; empty: it has none.
    pub(crate) fn parent(&self) -> String {
        hex(&self.span.parent_span_id)
    }

    /// Its attributes as JSON.
    pub(crate) fn json(&self) -> Value {
        json!(self.attributes)
    }

    /// Whether it says that it failed.
    pub(crate) fn is_failure(&self) -> bool {
        self.span.status.as_ref().is_some_and(|status| status.code == 2)
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

pub(crate) fn values(attributes: &[KeyValue]) -> HashMap<String, Value> {
    let value = |value: &Option<AnyValue>| match value.as_ref().and_then(|value| value.value.clone()) {
        Some(ProtoValue::StringValue(text)) => json!(text),
        Some(ProtoValue::BoolValue(truth)) => json!(truth),
        Some(ProtoValue::IntValue(number)) => json!(number),
        other => panic!("{other:?}"),
    };
    let read: HashMap<_, _> = attributes
        .iter()
        .map(|attribute| (attribute.key.clone(), value(&attribute.value)))
        .collect();
    assert_eq!(read.len(), attributes.len(), "names are unique: {attributes:?}");
    read
}
