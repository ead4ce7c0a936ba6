//! What is known of a request's outcome.
use std::net::IpAddr;

use actix_web::body::{BodySize, BoxBody, MessageBody as _};
use actix_web::dev::ServiceResponse;
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::{Error, HttpRequest};

use crate::error::Reason;
use crate::metrics::{MethodNumber, Moment};
use crate::routes::{BodyWait, Patterns};

/// One request and its outcome, when the head of the answer is ready. What it takes work to find out is found out by whoever
/// needs it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Observed<'a> {
    /// The request's method; `None` where it cannot be read.
    pub(super) method: Option<MethodNumber>,
    /// What it was.
    pub(super) asked: Asked<'a>,
    /// The answer's status.
    pub(super) status: StatusCode,
    /// What is known of the answer's body.
    pub(super) body: ObservedBody,
    /// From the request's head to the answer's head, in nanoseconds.
    pub(super) nanoseconds: u64,
    /// Of them, those that are not spent on waiting for the request's body.
    pub(super) own_nanoseconds: u64,
}

/// What was asked.
#[derive(Debug, Clone, Copy)]
pub(super) enum Asked<'a> {
    /// A request.
    Request(&'a ServiceResponse),
    /// A request that is lost in an error of the framework.
    Lost,
    /// What is no request: the fields that could be read, and who opened the connection.
    Nothing(&'a HeaderMap, Option<IpAddr>),
}

impl<'a> Asked<'a> {
    fn request(self) -> Option<&'a HttpRequest> {
        match self {
            Self::Request(answer) => Some(answer.request()),
            Self::Lost | Self::Nothing(..) => None,
        }
    }

    /// The pattern of the route, as metrics call it; `None` where none matched. Never the path, which holds keys.
    pub(super) fn pattern(self, patterns: &Patterns) -> Option<&str> {
        patterns.pattern(patterns.find(self.path()?))
    }

    /// The path as the router has read it, which holds keys.
    pub(super) fn path(self) -> Option<&'a str> {
        Some(self.request()?.match_info().as_str())
    }

    /// Who opened the connection; `None` where it has no address.
    pub(super) fn peer(self) -> Option<IpAddr> {
        match self {
            Self::Nothing(_, peer) => peer,
            _ => self.request()?.peer_addr().map(|peer| peer.ip()),
        }
    }

    /// The request's headers.
    pub(super) fn headers(self) -> Option<&'a HeaderMap> {
        match self {
            Self::Nothing(fields, _) => Some(fields),
            _ => self.request().map(HttpRequest::headers),
        }
    }
}

impl<'a> Observed<'a> {
    /// That of a request; it began then, and its answer is ready now.
    pub(super) fn of(
        answer: &'a Result<ServiceResponse, Error>,
        method: MethodNumber,
        started: Moment,
    ) -> Self {
        let nanoseconds = started.elapsed();
        let (asked, status, body, waited) = match answer {
            Ok(answer) => (
                Asked::Request(answer),
                answer.status(),
                ObservedBody::of(answer.response().body(), method),
                // Most requests have no body.
                if method == MethodNumber::GET {
                    None
                } else {
                    BodyWait::of(answer.request())
                },
            ),
            Err(error) => (
                Asked::Lost,
                error.as_response_error().status_code(),
                ObservedBody::Streamed,
                None,
            ),
        };
        let waited = waited.map_or(0, |BodyWait(nanoseconds)| nanoseconds);
        Self {
            method: Some(method),
            asked,
            status,
            body,
            nanoseconds,
            own_nanoseconds: nanoseconds.saturating_sub(waited),
        }
    }

    /// Why a request was refused, where that is counted.
    pub(super) fn reason(self) -> Option<Reason> {
        let Asked::Request(answer) = self.asked else {
            return None;
        };
        // A stream that is put off looks like a good one.
        let may_be = self.status.as_u16() >= 400 || self.body == ObservedBody::Streamed;
        may_be
            .then(|| answer.response().extensions().get().copied())
            .flatten()
    }
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
    /// That of an answer to a request with this method.
    pub(super) fn of(body: &BoxBody, method: MethodNumber) -> Self {
        match body.size() {
            BodySize::None => Self::Ready(0),
            // It says what the body would be, and sends none.
            BodySize::Sized(_) if method == MethodNumber::HEAD => Self::Ready(0),
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
