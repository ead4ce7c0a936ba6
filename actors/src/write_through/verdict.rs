//! What upstream's answer to a write means; pure.
use std::time::{Duration, SystemTime};

use awc::http::StatusCode;

use crate::upstream::ForwardAnswer;

/// What becomes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Upstream has it.
    Written,
    /// Upstream has no such path: identities are to be written one by one.
    NoBulk,
    /// Upstream does not take the key, or what is before it does not take an identity.
    KeyRejected,
    /// Upstream is not well, or fails at something of it, ever.
    Failed,
    /// Upstream does not take something of it, ever.
    Refused,
    /// Upstream is not well, or wants fewer calls: later, and not before this time has passed.
    Later(Option<Duration>),
}

impl Verdict {
    pub(super) fn of(answer: &ForwardAnswer, is_bulk: bool) -> Self {
        match answer.status {
            status if status.is_success() => Self::Written,
            // Where core serves its dashboard too, a path that it does not know is the dashboard's, which takes a GET alone:
            // 405, and 415 from older ones.
            StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED | StatusCode::UNSUPPORTED_MEDIA_TYPE
                if is_bulk =>
            {
                Self::NoBulk
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Self::KeyRejected,
            // Core gives it to integers that its database does not hold, and would give it again.
            StatusCode::INTERNAL_SERVER_ERROR => Self::Failed,
            status if status.is_server_error() => Self::Later(retry_after(answer)),
            StatusCode::REQUEST_TIMEOUT
            | StatusCode::TOO_MANY_REQUESTS
            // A path that every Flagsmith has: what is between is not well.
            | StatusCode::NOT_FOUND
            | StatusCode::METHOD_NOT_ALLOWED => Self::Later(retry_after(answer)),
            _ => Self::Refused,
        }
    }
}

/// Seconds or a date (RFC 9110, 10.2.3).
fn retry_after(answer: &ForwardAnswer) -> Option<Duration> {
    let value = answer.retry_after.as_ref()?.to_str().ok()?.trim();
    match value.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => httpdate::parse_http_date(value)
            .ok()?
            .duration_since(SystemTime::now())
            .ok(),
    }
}

#[cfg(test)]
mod tests {
    use awc::http::header::HeaderValue;
    use bytes::Bytes;

    use super::*;

    #[test]
    fn every_status_has_its_meaning() {
        let later = Verdict::Later(None);
        for (status, bulk, single) in [
            (200, Verdict::Written, Verdict::Written),
            (201, Verdict::Written, Verdict::Written),
            (204, Verdict::Written, Verdict::Written),
            (304, Verdict::Refused, Verdict::Refused),
            (400, Verdict::Refused, Verdict::Refused),
            (401, Verdict::KeyRejected, Verdict::KeyRejected),
            (403, Verdict::KeyRejected, Verdict::KeyRejected),
            (404, Verdict::NoBulk, later),
            (405, Verdict::NoBulk, later),
            (408, later, later),
            (413, Verdict::Refused, Verdict::Refused),
            (415, Verdict::NoBulk, Verdict::Refused),
            (429, later, later),
            (500, Verdict::Failed, Verdict::Failed),
            (501, later, later),
            (502, later, later),
            (503, later, later),
            (504, later, later),
            (520, later, later),
        ] {
            let answer = ForwardAnswer {
                status: StatusCode::from_u16(status).unwrap(),
                content_type: None,
                retry_after: None,
                body: Bytes::new(),
            };
            assert_eq!(Verdict::of(&answer, true), bulk, "{status}");
            assert_eq!(Verdict::of(&answer, false), single, "{status}");
        }
    }

    #[test]
    fn what_upstream_asks_for_is_read() {
        let later = |retry_after| {
            let answer = ForwardAnswer {
                status: StatusCode::TOO_MANY_REQUESTS,
                content_type: None,
                retry_after: Some(HeaderValue::from_static(retry_after)),
                body: Bytes::new(),
            };
            Verdict::of(&answer, true)
        };
        assert_eq!(later("7"), Verdict::Later(Some(Duration::from_secs(7))));
        assert_eq!(later("soon"), Verdict::Later(None));
        assert_eq!(later("Thu, 26 Dec 2024 16:18:08 GMT"), Verdict::Later(None));
        let Verdict::Later(Some(wait)) = later("Thu, 26 Dec 2999 16:18:08 GMT") else {
            panic!("a date to come")
        };
        assert!(wait > Duration::from_secs(1_000_000));
    }
}
