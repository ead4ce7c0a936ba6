//! Beside the messages that are published.
use std::sync::Arc;

use actors::trace::{Caller, Outcome, Propagators, QueueOptions, Sampler, SpanQueue, Tracer, begin};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as ProtoValue;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind as ProtoKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span as ProtoSpan, Status};

use super::*;

fn expected(resource: &Resource, spans: &[Span]) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource.0.clone()),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans: spans.iter().map(span).collect(),
                ..ScopeSpans::default()
            }],
            ..ResourceSpans::default()
        }],
    }
}

fn span(span: &Span) -> ProtoSpan {
    let kind = match span.kind {
        SpanKind::Internal => ProtoKind::Internal,
        SpanKind::Server => ProtoKind::Server,
        SpanKind::Client => ProtoKind::Client,
    };
    ProtoSpan {
        trace_id: span.trace_id.bytes().to_vec(),
        span_id: span.span_id.bytes().to_vec(),
        trace_state: span.trace_state().to_owned(),
        parent_span_id: span
            .parent
            .map_or_else(Vec::new, |parent| parent.bytes().to_vec()),
        flags: if span.has_remote_parent { 0x301 } else { 0x101 },
        kind: kind.into(),
        start_time_unix_nano: span.start,
        end_time_unix_nano: span.end,
        name: span.outcome.name.to_string(),
        attributes: span.outcome.attributes.iter().map(attribute).collect(),
        status: span.outcome.failure.as_ref().map(|why| Status {
            message: why.to_string(),
            code: StatusCode::Error.into(),
        }),
        ..ProtoSpan::default()
    }
}

fn attribute((name, value): &Attribute) -> KeyValue {
    let value = match value {
        Value::Truth(truth) => ProtoValue::BoolValue(*truth),
        Value::Number(number) => ProtoValue::IntValue(*number),
        Value::Text(text) => ProtoValue::StringValue(text.to_string()),
    };
    KeyValue {
        key: (*name).to_owned(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// Spans of all kinds, of which numbers and texts are of each length that is written in another way.
fn spans() -> Vec<Span> {
    let queue = Arc::new(SpanQueue::new(QueueOptions {
        capacity: 1000,
        batch: 1000,
    }));
    let tracer = Tracer::new(Sampler::default(), Arc::clone(&queue));
    let parent = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".as_slice();
    for (length, number) in [
        (0, 0),
        (1, 1),
        (127, 127),
        (128, 128),
        (200, -1),
        (16_384, i64::MAX),
        (300_000, i64::MIN),
    ] {
        let text = "x".repeat(length);
        let caller = Caller::read(
            Propagators::default(),
            [parent].into_iter().take(length % 2),
            [b"a=1".as_slice()].into_iter(),
            [].into_iter(),
        );
        let trace = tracer.begin(caller);
        {
            let _entered = trace.enter();
            begin()
                .unwrap()
                .end(SpanKind::Internal, Outcome::new("child", Vec::new()));
            begin()
                .unwrap()
                .end(SpanKind::Client, Outcome::new(text.clone(), Vec::new()));
        }
        let attributes = vec![
            ("truth", (length % 2 == 0).into()),
            ("number", Value::Number(number)),
            ("text", text.clone().into()),
            ("", "constant".into()),
        ];
        tracer.end(trace, SpanKind::Server, || Outcome {
            failure: (length > 0).then(|| text.into()),
            ..Outcome::new("root", attributes)
        });
    }
    queue.take()
}

#[test]
fn spans_are_written_as_the_published_messages_are() {
    let resource = Resource::of(&[("service.name".to_owned(), "mine".to_owned())]);
    let spans = spans();
    assert_eq!(spans.len(), 21);
    for spans in [&spans[..], &spans[..1], &[]] {
        let expected = expected(&resource, spans);
        let written = of_spans(&resource, spans);
        assert_eq!(ExportTraceServiceRequest::decode(&*written).unwrap(), expected);
        assert!(written == expected.encode_to_vec(), "byte by byte");
    }
}
