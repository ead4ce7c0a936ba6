//! What came of sending a batch; pure.
use std::fmt;
use std::time::Duration;

use awc::http::StatusCode;

use crate::upstream::ForwardFailure;

/// What came of sending a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Upstream has counted it.
    Counted,
    /// It is not counted, and may be later; how long upstream wants to be left alone.
    NotCounted(Failure, Option<Duration>),
    /// It was sent, and no answer says whether it is counted.
    Doubtful(Failure),
    /// It is too large.
    TooLarge,
    /// It is not counted and never will be.
    Refused(Failure),
}

/// Why a batch is not counted, or not known to be. The messages say what to do; they never hold a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// No answer, or none that can be read; why.
    NoAnswer(ForwardFailure),
    /// 401 or 403.
    KeyRejected(u16),
    /// 429.
    RateLimited,
    /// Another status.
    Status(u16),
}

impl Outcome {
    /// What an answer with this status says; `retry_after`: its own wish.
    pub(super) fn of_answer(status: StatusCode, retry_after: Option<Duration>) -> Self {
        let code = status.as_u16();
        match status {
            _ if status.is_success() => Self::Counted,
            StatusCode::PAYLOAD_TOO_LARGE => Self::TooLarge,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                Self::NotCounted(Failure::KeyRejected(code), retry_after)
            }
            StatusCode::TOO_MANY_REQUESTS => Self::NotCounted(Failure::RateLimited, retry_after),
            // Those that ask to come again: a timeout, and 425 (RFC 8470).
            StatusCode::REQUEST_TIMEOUT => Self::NotCounted(Failure::Status(code), retry_after),
            _ if code == 425 => Self::NotCounted(Failure::Status(code), retry_after),
            _ if status.is_client_error() => Self::Refused(Failure::Status(code)),
            _ => Self::NotCounted(Failure::Status(code), retry_after),
        }
    }

    /// What it says that there is no answer.
    pub(super) fn of_failure(failure: ForwardFailure) -> Self {
        let may_be_counted = failure.may_be_done();
        let failure = Failure::NoAnswer(failure);
        if may_be_counted {
            Self::Doubtful(failure)
        } else {
            Self::NotCounted(failure, None)
        }
    }
}

impl Failure {
    /// Whether it does not depend on the batch. 403 and 5xx may: what stands before upstream refuses one `User-Agent`, say.
    pub(super) fn is_upstreams(&self) -> bool {
        matches!(
            self,
            Self::NoAnswer(_) | Self::RateLimited | Self::KeyRejected(401)
        )
    }

    /// Whether one entry may make upstream refuse all of a batch.
    pub(super) fn may_be_of_one_entry(&self) -> bool {
        matches!(self, Self::Status(400 | 422))
    }

    /// Whether upstream has no such endpoint.
    pub(super) fn is_missing_endpoint(&self) -> bool {
        matches!(self, Self::Status(404 | 405))
    }

    /// Whether only a change of the configuration, here or there, helps.
    pub(super) fn is_lasting(&self) -> bool {
        matches!(
            self,
            Self::KeyRejected(_)
                | Self::NoAnswer(
                    ForwardFailure::Unusable | ForwardFailure::UnusableKey | ForwardFailure::Redirect
                )
        )
    }
}

impl std::error::Error for Failure {}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoAnswer(failure) => failure.fmt(f),
            Self::KeyRejected(status) => write!(
                f,
                "upstream rejects the client-side key ({status}); check the key pair's client_side_key, and that it belongs \
                 to the API at api_url"
            ),
            Self::RateLimited => f.write_str("upstream limits the rate (429); it is asked again later"),
            Self::Status(status) => write!(
                f,
                "upstream answers {status}; check upstream, and the path of api_url"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::Fault;

    #[test]
    fn an_answer_says_what_became_of_a_batch() {
        let asked = Some(Duration::from_secs(7));
        let outcome = |status| Outcome::of_answer(StatusCode::from_u16(status).unwrap(), asked);
        for status in [200, 202, 204] {
            assert_eq!(outcome(status), Outcome::Counted, "{status}");
        }
        assert_eq!(outcome(413), Outcome::TooLarge);
        for status in [400, 404, 405, 422] {
            assert_eq!(
                outcome(status),
                Outcome::Refused(Failure::Status(status)),
                "{status}"
            );
        }
        for (status, failure) in [
            (401, Failure::KeyRejected(401)),
            (403, Failure::KeyRejected(403)),
            (429, Failure::RateLimited),
            (304, Failure::Status(304)),
            (408, Failure::Status(408)),
            (425, Failure::Status(425)),
            (500, Failure::Status(500)),
            (503, Failure::Status(503)),
        ] {
            assert_eq!(outcome(status), Outcome::NotCounted(failure, asked), "{status}");
        }
    }

    #[test]
    fn only_what_was_never_sent_is_surely_not_counted() {
        for failure in [
            ForwardFailure::NoAnswer(Fault::Refused),
            ForwardFailure::UnusableKey,
        ] {
            let expected = Outcome::NotCounted(Failure::NoAnswer(failure.clone()), None);
            assert_eq!(Outcome::of_failure(failure), expected);
        }
        for failure in [ForwardFailure::NoAnswer(Fault::Cut), ForwardFailure::TooLarge] {
            let expected = Outcome::Doubtful(Failure::NoAnswer(failure.clone()));
            assert_eq!(Outcome::of_failure(failure), expected);
        }
    }

    #[test]
    fn every_message_says_what_to_do() {
        for failure in [
            Failure::NoAnswer(ForwardFailure::NoAnswer(Fault::Refused)),
            Failure::KeyRejected(403),
            Failure::RateLimited,
            Failure::Status(500),
        ] {
            let message = failure.to_string();
            let (what, to_do) = message.split_once("; ").unwrap();
            assert!(!what.is_empty() && !to_do.is_empty(), "{message}");
        }
    }
}
