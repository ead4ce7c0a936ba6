//! Spans as `ExportTraceServiceRequest`
//! (<https://github.com/open-telemetry/opentelemetry-proto/blob/main/opentelemetry/proto/trace/v1/trace.proto>).
use actors::trace::{Attribute, Span, SpanKind, Value};
use prost::Message as _;

use super::wire::Writer;
use super::{Resource, scope};

/// In the flags of a span: whether the flag beside it says anything, and that its parent is another process's.
const KNOWS_WHETHER_REMOTE: u32 = 0x100;
/// See [`KNOWS_WHETHER_REMOTE`].
const IS_REMOTE: u32 = 0x200;
/// It is recorded, which nothing else would be sent as.
const SAMPLED: u32 = 1;

/// `STATUS_CODE_ERROR`.
const ERROR: u64 = 2;

/// What a span takes as a rule, in bytes: a buffer that grows copies what is in it.
const BYTES: usize = 400;

/// A request to take these spans.
pub(in crate::telemetry) fn of_spans(resource: &Resource, spans: &[Span]) -> Vec<u8> {
    let mut request = Writer::with_capacity(1024 + spans.len() * BYTES);
    request.message(1, |of_resource| {
        of_resource.bytes(1, &resource.0.encode_to_vec());
        of_resource.message(2, |of_scope| {
            of_scope.bytes(1, &scope().encode_to_vec());
            for span in spans {
                of_scope.message(2, |message| write(message, span));
            }
        });
    });
    request.finish()
}

fn write(message: &mut Writer, span: &Span) {
    message.bytes(1, &span.trace_id.bytes());
    message.bytes(2, &span.span_id.bytes());
    message.bytes_if_any(3, span.trace_state().as_bytes());
    if let Some(parent) = span.parent {
        message.bytes(4, &parent.bytes());
    }
    message.bytes_if_any(5, span.outcome.name.as_bytes());
    message.number(6, kind(span.kind));
    message.fixed64(7, span.start);
    message.fixed64(8, span.end);
    for attribute in &span.outcome.attributes {
        message.message(9, |key_value| write_attribute(key_value, attribute));
    }
    if let Some(why) = &span.outcome.failure {
        message.message(15, |status| {
            status.bytes_if_any(2, why.as_bytes());
            status.number(3, ERROR);
        });
    }
    let mut flags = SAMPLED | KNOWS_WHETHER_REMOTE;
    if span.has_remote_parent {
        flags |= IS_REMOTE;
    }
    message.fixed32(16, flags);
}

/// As `SpanKind` numbers them.
fn kind(kind: SpanKind) -> u64 {
    match kind {
        SpanKind::Internal => 1,
        SpanKind::Server => 2,
        SpanKind::Client => 3,
    }
}

fn write_attribute(key_value: &mut Writer, (name, value): &Attribute) {
    key_value.bytes_if_any(1, name.as_bytes());
    key_value.message(2, |any| match value {
        Value::Text(text) => any.bytes(1, text.as_bytes()),
        Value::Truth(truth) => any.number(2, u64::from(*truth)),
        Value::Number(number) => any.number(3, number.cast_unsigned()),
    });
}

#[cfg(test)]
mod tests;
