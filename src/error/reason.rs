//! Why requests are refused, as metrics count it: fewer reasons than there are errors, and none that a client makes up.
use super::{ApiError, HeadFault};

/// What the process has as much of in hand as it may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// Connections (`server.max_connections`).
    Connections,
    /// Requests of one worker (`server.max_requests_in_flight`).
    Requests,
    /// Answers that clients have not read (`server.max_answer_bytes_in_flight`).
    Answers,
    /// Bodies, and heads over HTTP/2, of requests that still come (`server.max_body_bytes_in_flight`).
    Bodies,
    /// Identities that take more work than others can wait for.
    Evaluations,
    /// Writes that are sent on to upstream.
    Writes,
}

/// Of which requests a reason is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusals {
    /// Those that are no good requests: their client's doing.
    AtTheDoor,
    /// Those that get 503 and would be answered at another time.
    Shed,
    /// Those for an event stream, whatever the reason.
    OfStreams,
}

/// A reason that is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    HeadTooLarge,
    TargetTooLong,
    SlowHead,
    TlsToHttp,
    HttpToTls,
    BadHead,
    BodyTooLarge,
    SlowBody,
    BadBody,
    UnsupportedCoding,
    Connections,
    Requests,
    Answers,
    Bodies,
    Evaluations,
    Writes,
    NoDocument,
    UpstreamAway,
    Ending,
    StreamUnknown,
    StreamsFull,
    StreamsOverloaded,
    StreamsEnding,
}

impl Reason {
    /// All of them, each at the place of its number.
    pub(crate) const ALL: [Self; 23] = [
        Self::HeadTooLarge,
        Self::TargetTooLong,
        Self::SlowHead,
        Self::TlsToHttp,
        Self::HttpToTls,
        Self::BadHead,
        Self::BodyTooLarge,
        Self::SlowBody,
        Self::BadBody,
        Self::UnsupportedCoding,
        Self::Connections,
        Self::Requests,
        Self::Answers,
        Self::Bodies,
        Self::Evaluations,
        Self::Writes,
        Self::NoDocument,
        Self::UpstreamAway,
        Self::Ending,
        Self::StreamUnknown,
        Self::StreamsFull,
        Self::StreamsOverloaded,
        Self::StreamsEnding,
    ];

    /// Its number.
    pub(crate) fn place(self) -> usize {
        self as usize
    }

    /// Of which requests it is, and what metrics call it there.
    pub(crate) fn label(self) -> (Refusals, &'static str) {
        use Refusals::{AtTheDoor, OfStreams, Shed};
        match self {
            Self::HeadTooLarge => (AtTheDoor, "head_too_large"),
            Self::TargetTooLong => (AtTheDoor, "url_too_long"),
            Self::SlowHead => (AtTheDoor, "head_timeout"),
            Self::TlsToHttp => (AtTheDoor, "tls_to_http"),
            Self::HttpToTls => (AtTheDoor, "http_to_tls"),
            Self::BadHead => (AtTheDoor, "bad_head"),
            Self::BodyTooLarge => (AtTheDoor, "body_too_large"),
            Self::SlowBody => (AtTheDoor, "body_timeout"),
            Self::BadBody => (AtTheDoor, "bad_body"),
            Self::UnsupportedCoding => (AtTheDoor, "unsupported_coding"),
            Self::Connections => (Shed, "connections"),
            Self::Requests => (Shed, "requests_in_flight"),
            Self::Answers => (Shed, "answers_in_flight"),
            Self::Bodies => (Shed, "bodies_in_flight"),
            Self::Evaluations => (Shed, "evaluations"),
            Self::Writes => (Shed, "writes"),
            Self::NoDocument => (Shed, "no_document"),
            Self::UpstreamAway => (Shed, "upstream_away"),
            Self::Ending => (Shed, "ending"),
            Self::StreamUnknown => (OfStreams, "unknown_environment"),
            Self::StreamsFull => (OfStreams, "too_many_subscribers"),
            Self::StreamsOverloaded => (OfStreams, "overloaded"),
            Self::StreamsEnding => (OfStreams, "ending"),
        }
    }

    /// That of an event stream which is refused with this error.
    pub(crate) fn of_stream(error: &ApiError) -> Self {
        match error {
            ApiError::TooManySubscribers => Self::StreamsFull,
            ApiError::Overloaded(_) => Self::StreamsOverloaded,
            ApiError::Unavailable => Self::StreamsEnding,
            _ => Self::StreamUnknown,
        }
    }
}

impl ApiError {
    /// Why, as it is counted; `None`: the answer's status says enough.
    pub(crate) fn reason(&self) -> Option<Reason> {
        Some(match self {
            Self::Head(fault) => fault.reason(),
            Self::BodyTooLarge => Reason::BodyTooLarge,
            Self::SlowBody => Reason::SlowBody,
            Self::BrokenBody
            | Self::BrokenGzip
            | Self::InvalidIdentity(_)
            | Self::InvalidCounts(_)
            | Self::InvalidChange => Reason::BadBody,
            Self::UnsupportedCoding => Reason::UnsupportedCoding,
            Self::Overloaded(shortage) => match shortage {
                Shortage::Connections => Reason::Connections,
                Shortage::Requests => Reason::Requests,
                Shortage::Answers => Reason::Answers,
                Shortage::Bodies => Reason::Bodies,
                Shortage::Evaluations => Reason::Evaluations,
                Shortage::Writes => Reason::Writes,
            },
            Self::NotReady => Reason::NoDocument,
            Self::UpstreamAway => Reason::UpstreamAway,
            Self::Unavailable => Reason::Ending,
            _ => return None,
        })
    }
}

impl HeadFault {
    fn reason(self) -> Reason {
        match self {
            Self::TooManyFields | Self::TooLarge => Reason::HeadTooLarge,
            Self::TargetTooLong => Reason::TargetTooLong,
            Self::Slow => Reason::SlowHead,
            Self::Tls => Reason::TlsToHttp,
            Self::PlainHttp => Reason::HttpToTls,
            Self::NotHttp
            | Self::Version
            | Self::Target
            | Self::Field
            | Self::NoHost
            | Self::TwoHosts
            | Self::Length
            | Self::NoLength
            | Self::TransferEncoding
            | Self::LengthAndTransferEncoding
            | Self::Other => Reason::BadHead,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn each_reason_has_its_number_and_a_name_of_its_own() {
        for (place, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason.place(), place, "{reason:?}");
        }
        let names: HashSet<_> = Reason::ALL
            .iter()
            .map(|reason| format!("{:?}", reason.label()))
            .collect();
        assert_eq!(names.len(), Reason::ALL.len());
    }

    #[test]
    fn what_is_shed_is_answered_with_503_and_what_is_refused_at_the_door_is_not() {
        for error in [
            ApiError::Head(HeadFault::Slow),
            ApiError::Head(HeadFault::TooLarge),
            ApiError::Head(HeadFault::Version),
            ApiError::BodyTooLarge,
            ApiError::SlowBody,
            ApiError::BrokenGzip,
            ApiError::InvalidChange,
            ApiError::UnsupportedCoding,
            ApiError::Overloaded(Shortage::Connections),
            ApiError::Overloaded(Shortage::Writes),
            ApiError::NotReady,
            ApiError::UpstreamAway,
            ApiError::Unavailable,
        ] {
            let (refused, name) = error.reason().unwrap().label();
            assert_eq!(refused == Refusals::Shed, error.status_code() == 503, "{name}");
            assert_ne!(refused, Refusals::OfStreams, "{name}");
            assert_eq!(Reason::of_stream(&error).label().0, Refusals::OfStreams, "{name}");
        }
        assert_eq!(ApiError::UnknownKey.reason(), None);
    }
}
