//! The status of a gRPC call (<https://github.com/grpc/grpc/blob/master/doc/statuscodes.md>), and what of it may be tried again
//! (<https://opentelemetry.io/docs/specs/otlp/#failures>).
use std::time::Duration;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::HeaderMap;
use prost::Message;

use super::{Refusal, WHICH_PROTOCOL};

/// gRPC's base64 may leave the padding out.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The type of a detail that says when to try again.
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

/// The names of the codes, from 0.
const NAMES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

/// How a call ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Outcome {
    code: usize,
    /// When the server asks to try again; `None`: it does not.
    wait: Option<Duration>,
}

impl Outcome {
    /// Reads the fields of trailers, or of the head of an answer that has none; `None`: they hold no status.
    pub(super) fn of(fields: &HeaderMap) -> Option<Self> {
        let code = fields.get("grpc-status")?.to_str().ok()?.parse().ok()?;
        let details = fields.get("grpc-status-details-bin");
        let wait = details.and_then(|details| retry_delay(details.as_bytes()));
        Some(Self { code, wait })
    }

    /// The answer, where the call did well.
    pub(super) fn settled(self, answer: Bytes) -> Result<Bytes, Refusal> {
        let name = NAMES.get(self.code).copied().unwrap_or("an unknown status");
        let why = format!("it answers {name}");
        match name {
            "OK" => Ok(answer),
            "CANCELLED" | "DEADLINE_EXCEEDED" | "ABORTED" | "OUT_OF_RANGE" | "UNAVAILABLE" | "DATA_LOSS" => {
                Err(Refusal::passing(why, self.wait))
            }
            // Only where the server says when.
            "RESOURCE_EXHAUSTED" if self.wait.is_some() => Err(Refusal::passing(why, self.wait)),
            "UNAUTHENTICATED" | "PERMISSION_DENIED" => {
                Err(Refusal::last(format!("{why}; check OTEL_EXPORTER_OTLP_HEADERS")))
            }
            "INVALID_ARGUMENT" => Err(Refusal::of_message(why)),
            "UNIMPLEMENTED" => Err(Refusal::last(format!("{why}; {WHICH_PROTOCOL}"))),
            _ => Err(Refusal::last(why)),
        }
    }
}

/// What an answer of HTTP alone means, as a proxy on the way gives it.
pub(super) fn of_http(status: u16) -> Refusal {
    let why = format!("it answers {status} of HTTP");
    match status {
        429 | 502 | 503 | 504 => Refusal::passing(why, None),
        401 | 403 => Refusal::last(format!("{why}; check OTEL_EXPORTER_OTLP_HEADERS")),
        _ => Refusal::last(format!("{why}; {WHICH_PROTOCOL}")),
    }
}

/// `google.rpc.Status`, as far as it is needed.
#[derive(Clone, PartialEq, Message)]
struct Details {
    #[prost(message, repeated, tag = "3")]
    details: Vec<Detail>,
}

/// `google.protobuf.Any`.
#[derive(Clone, PartialEq, Message)]
struct Detail {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`.
#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

/// `google.protobuf.Duration`.
#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

fn retry_delay(details: &[u8]) -> Option<Duration> {
    let details = Details::decode(&*BASE64.decode(details.trim_ascii()).ok()?).ok()?;
    let detail = details
        .details
        .into_iter()
        .find(|detail| detail.type_url == RETRY_INFO)?;
    let delay = RetryInfo::decode(&*detail.value).ok()?.retry_delay?;
    let seconds = u64::try_from(delay.seconds).ok()?;
    let nanos = u32::try_from(delay.nanos)
        .ok()
        .filter(|nanos| *nanos < 1_000_000_000)?;
    Some(Duration::new(seconds, nanos))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn outcome(code: &str, delay: Option<Delay>) -> Option<Outcome> {
        let mut fields = HeaderMap::new();
        fields.insert("grpc-status", HeaderValue::try_from(code).unwrap());
        if let Some(delay) = delay {
            let info = RetryInfo {
                retry_delay: Some(delay),
            };
            let details = Details {
                details: vec![Detail {
                    type_url: RETRY_INFO.to_owned(),
                    value: info.encode_to_vec(),
                }],
            };
            let details = BASE64.encode(details.encode_to_vec());
            let details = HeaderValue::try_from(details.trim_end_matches('=')).unwrap();
            fields.insert("grpc-status-details-bin", details);
        }
        Outcome::of(&fields)
    }

    #[test]
    fn what_passes_is_told_from_what_does_not() {
        for (code, may_be_retried) in [
            ("1", true),
            ("2", false),
            ("3", false),
            ("4", true),
            ("7", false),
            ("8", false),
            ("10", true),
            ("11", true),
            ("12", false),
            ("13", false),
            ("14", true),
            ("15", true),
            ("16", false),
            ("99", false),
        ] {
            let refusal = outcome(code, None).unwrap().settled(Bytes::new()).unwrap_err();
            assert_eq!(
                (refusal.may_be_retried, refusal.wait),
                (may_be_retried, None),
                "{code}"
            );
        }
        assert_eq!(
            outcome("0", None).unwrap().settled(Bytes::from("x")),
            Ok(Bytes::from("x"))
        );
        for none in ["", "-1", "OK"] {
            assert_eq!(outcome(none, None), None);
        }
        assert!(of_http(503).may_be_retried && !of_http(404).may_be_retried);
    }

    #[test]
    fn a_server_that_is_full_says_when_to_come_back() {
        let delay = |seconds, nanos| Some(Delay { seconds, nanos });
        let refusal = outcome("8", delay(2, 500_000_000))
            .unwrap()
            .settled(Bytes::new())
            .unwrap_err();
        assert_eq!(refusal.wait, Some(Duration::from_millis(2_500)));
        assert!(refusal.may_be_retried);
        for wrong in [delay(-1, 0), delay(0, -1), delay(0, 1_000_000_000)] {
            let refusal = outcome("8", wrong).unwrap().settled(Bytes::new()).unwrap_err();
            assert!(!refusal.may_be_retried);
        }
    }
}
