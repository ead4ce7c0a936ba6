//! What is known of a request's outcome.
use std::net::IpAddr;
use std::time::Duration;

use actix_web::body::BodySize;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;

/// One request and its outcome, when the head of the answer is ready.
#[derive(Debug)]
pub(super) struct Observed<'a> {
    /// The request's method; `OTHER` where no specification names it.
    pub(super) method: &'static str,
    /// The pattern of the route; `None` where none matched. Never the path, which holds keys.
    pub(super) route: Option<&'a str>,
    /// The answer's status.
    pub(super) status: StatusCode,
    /// What is known of the answer's body.
    pub(super) body: ObservedBody,
    /// From the request's head to the answer's head.
    pub(super) duration: Duration,
    /// Who opened the connection; `None` where it has no address.
    pub(super) peer: Option<IpAddr>,
    /// The request's headers; `None` where the request is lost in an error of the framework.
    pub(super) headers: Option<&'a HeaderMap>,
}

/// What is known of an answer's body before it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ObservedBody {
    /// It is ready, and has this many bytes.
    Ready(u64),
    /// It is made while it is sent: an event stream, which ends later.
    Streamed,
}

impl ObservedBody {
    pub(super) fn of(size: BodySize) -> Self {
        match size {
            BodySize::None => Self::Ready(0),
            BodySize::Sized(bytes) => Self::Ready(bytes),
            BodySize::Stream => Self::Streamed,
        }
    }

    /// The bytes of the body, where they are known.
    pub(super) fn bytes(self) -> Option<u64> {
        match self {
            Self::Ready(bytes) => Some(bytes),
            Self::Streamed => None,
        }
    }
}
