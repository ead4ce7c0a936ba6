//! What an answer says, and whether a proxy gives it.
use std::pin::pin;

use actix_web::http::StatusCode;
use bytes::Bytes;
use futures::{Stream, StreamExt as _};
use serde::Deserialize;
use serde_json::Value;

/// More of an answer is not read. A reason takes some hundred bytes.
const LONGEST_BODY: usize = 64 * 1024;

/// Whose answer counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Counts {
    /// Whoever answers.
    OfAnybody,
    /// A proxy, which says its readiness as [`READINESS`](super::READINESS) does: other programs answer 200 to any path.
    OfProxy,
}

/// Where a server says why.
#[derive(Debug, Deserialize)]
struct Why {
    reason: Option<String>,
    message: Option<String>,
}

/// Why, in the server's words.
pub(super) fn reason(body: &[u8]) -> Option<String> {
    let why: Why = serde_json::from_slice(body).ok()?;
    why.reason.or(why.message)
}

/// Whether an answer to [`READINESS`](super::READINESS) is a proxy's: its words, each with its status.
pub(super) fn is_of_readiness(status: StatusCode, body: &[u8]) -> bool {
    let said: Value = serde_json::from_slice(body).unwrap_or_default();
    // Servers of all kinds say {"status":"ok"}, and no reason with it.
    match (said.get("status").and_then(Value::as_str), said.get("reason")) {
        (Some("ok"), Some(Value::Null)) | (Some("stale"), Some(Value::String(_))) => status.is_success(),
        (Some("error"), Some(Value::String(_))) => status == StatusCode::SERVICE_UNAVAILABLE,
        _ => false,
    }
}

/// Reads what there is of a body, up to its limit.
pub(super) async fn read<E>(answer: impl Stream<Item = Result<Bytes, E>>) -> Vec<u8> {
    let mut pieces = pin!(answer);
    let mut body = Vec::new();
    while body.len() < LONGEST_BODY
        && let Some(Ok(piece)) = pieces.next().await
    {
        body.extend_from_slice(&piece);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn readiness_is_told_in_a_proxy_s_words() {
        let is =
            |status: u16, body: &str| is_of_readiness(StatusCode::from_u16(status).unwrap(), body.as_bytes());
        assert!(is(200, r#"{"status":"ok","reason":null}"#));
        assert!(is(200, r#"{"status":"stale","reason":"old"}"#));
        assert!(is(503, r#"{"status":"error","reason":"none"}"#));
        for (status, body) in [
            (200, ""),
            (200, "<html>"),
            (200, "null"),
            (200, r#"{"status":"ok"}"#),
            (200, r#"{"status":"UP","reason":null}"#),
            (200, r#"{"status":"error","reason":"none"}"#),
            (503, r#"{"status":"ok","reason":null}"#),
            (503, r#"{"message":"busy"}"#),
        ] {
            assert!(!is(status, body), "{status} {body}");
        }
    }
}
