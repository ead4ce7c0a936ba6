//! Why an API request gets no regular answer: the one place that knows status codes.
//!
//! Bodies are `{"status","message","detail"}`; `detail` repeats the message because PHP's and other SDKs print it.
//! No text here ever repeats what a request carried.
mod admin;
mod head;
mod reason;

use std::fmt;
use std::sync::LazyLock;

use actix_web::http::StatusCode;
use actix_web::http::header::HeaderValue;
use bytes::Bytes;
use engine::IdentityError;

use crate::routes::CountsError;

pub(crate) use admin::AdminFault;
pub(crate) use head::HeadFault;
pub(crate) use reason::{Reason, Refusals, Shortage};

/// How many seconds a client should wait before it asks again. They are spread, so that clients who hear it together do
/// not come back together.
const RETRY_AFTER_SECONDS: std::ops::RangeInclusive<u16> = 2..=6;

/// Why a request gets no regular answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum ApiError {
    /// The environment key is missing, blank or unknown.
    UnknownKey,
    /// A client-side key where only a server-side one will do.
    ServerSideKeyRequired,
    /// `project.organisation.stop_serving_flags`.
    ServingStopped,
    /// No such feature, or hidden from this key.
    UnknownFeature,
    /// No environment has the client-side key that the path names.
    UnknownEnvironment,
    /// No such path.
    UnknownPath,
    /// No such path, and it looks like that of an SDK with a wrong API URL; holds `server.path_prefix`.
    WrongApiUrl(String),
    /// No such path, and it looks like that of an SDK with a wrong realtime URL; holds `server.path_prefix`.
    WrongRealtimeUrl(String),
    /// The path exists, for the methods named.
    MethodNotAllowed(HeaderValue),
    /// The body does not describe an identity.
    InvalidIdentity(IdentityError),
    /// The query does not.
    InvalidQuery(IdentityError),
    /// A client-side key writes traits, and the environment's `allow_client_traits` is off.
    ClientTraits,
    /// A write to an environment that is read from a file.
    NoUpstream,
    /// Upstream gives no answer that could be passed on.
    UpstreamAway,
    /// The body of `analytics/flags/` counts nothing; why.
    InvalidCounts(CountsError),
    /// `queue-change` without the configured token.
    WrongAuthenticationToken,
    /// The body of `queue-change` names no time.
    InvalidChange,
    /// The admin port refuses the request.
    Admin(AdminFault),
    /// What came is no head of a request.
    Head(HeadFault),
    /// The body ended early or its framing is broken.
    BrokenBody,
    /// The gzip body is no gzip, ends early, or is one of too many members.
    BrokenGzip,
    /// The body has a content coding that is not read.
    UnsupportedCoding,
    /// The body did not arrive in time.
    SlowBody,
    /// The body exceeds the limit.
    BodyTooLarge,
    /// The key is known, but its environment has no document yet.
    NotReady,
    /// As many event streams are open as `realtime.max_subscribers` allows.
    TooManySubscribers,
    /// The process has as much in hand as it may have; of what.
    Overloaded(Shortage),
    /// The worker's replica is gone: the process is about to end.
    Unavailable,
}

impl std::error::Error for ApiError {}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidIdentity(error) | Self::InvalidQuery(error) => error.fmt(f),
            Self::InvalidCounts(error) => error.fmt(f),
            Self::WrongApiUrl(prefix) => write!(
                f,
                "path not found: the API URL to give SDKs is http(s)://HOST{prefix}/api/v1/, with the host of this proxy"
            ),
            Self::WrongRealtimeUrl(prefix) => write!(
                f,
                "path not found: the realtime URL to give SDKs is http(s)://HOST{prefix}/ (or {prefix}/api/v1/), with the \
                 host of this proxy; they add sse/environments/, the client-side key and /stream"
            ),
            _ => f.write_str(self.message()),
        }
    }
}

impl ApiError {
    fn message(&self) -> &'static str {
        match self {
            Self::UnknownKey => "unknown environment key",
            Self::ServerSideKeyRequired => "a server-side environment key is required",
            Self::ServingStopped => "Organisation is disabled from serving flags.",
            Self::UnknownFeature => "feature not found",
            Self::UnknownEnvironment => "environment not found",
            Self::UnknownPath | Self::WrongApiUrl(_) | Self::WrongRealtimeUrl(_) => "path not found",
            Self::MethodNotAllowed(_) => "method not allowed",
            Self::InvalidIdentity(_) => "the body does not describe an identity",
            Self::InvalidQuery(_) => "the query does not describe an identity",
            // Core's own words and status (its SDKCreateUpdateTraitSerializer).
            Self::ClientTraits => "Setting traits not allowed with client key.",
            Self::NoUpstream => {
                "this environment is read from a file: there is no Flagsmith API behind it that could store traits"
            }
            Self::UpstreamAway => "the Flagsmith API behind this proxy does not answer at the moment",
            Self::InvalidCounts(_) => "the body counts no evaluations",
            Self::WrongAuthenticationToken => "the authentication token is missing or wrong",
            Self::InvalidChange => {
                "the body must name the time of the change: {\"updated_at\": \"2026-11-21T19:23:51+00:00\"}"
            }
            Self::Admin(fault) => fault.message(),
            Self::Head(fault) => fault.message(),
            Self::BrokenBody => "the body is incomplete or its framing is broken",
            Self::BrokenGzip => "the gzip body is incomplete or broken",
            Self::UnsupportedCoding => {
                "the body's Content-Encoding is not supported: send it as gzip (once), or as it is"
            }
            Self::SlowBody => "the body did not arrive in time",
            Self::BodyTooLarge => "the body is too large",
            Self::NotReady => "the environment document is not available yet",
            Self::TooManySubscribers => "too many subscribers",
            Self::Overloaded(_) => "the service has too much to do at the moment",
            Self::Unavailable => "the service is about to restart",
        }
    }

    /// Gives the status of the answer.
    pub(crate) fn status_code(&self) -> StatusCode {
        match self {
            Self::UnknownKey | Self::ServerSideKeyRequired | Self::WrongAuthenticationToken => {
                StatusCode::UNAUTHORIZED
            }
            Self::ServingStopped => StatusCode::FORBIDDEN,
            Self::UnknownFeature
            | Self::UnknownEnvironment
            | Self::UnknownPath
            | Self::WrongApiUrl(_)
            | Self::WrongRealtimeUrl(_)
            | Self::NoUpstream => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::InvalidIdentity(_)
            | Self::InvalidQuery(_)
            | Self::InvalidCounts(_)
            | Self::InvalidChange
            | Self::ClientTraits
            | Self::BrokenBody
            | Self::BrokenGzip => StatusCode::BAD_REQUEST,
            Self::UnsupportedCoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Admin(fault) => fault.status_code(),
            Self::Head(fault) => fault.status_code(),
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::NotReady
            | Self::TooManySubscribers
            | Self::UpstreamAway
            | Self::Overloaded(_)
            | Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn status_text(&self) -> &'static str {
        match self {
            Self::UnknownKey | Self::ServerSideKeyRequired | Self::WrongAuthenticationToken => "unauthorized",
            Self::ServingStopped => "forbidden",
            Self::UnknownFeature
            | Self::UnknownEnvironment
            | Self::UnknownPath
            | Self::WrongApiUrl(_)
            | Self::WrongRealtimeUrl(_)
            | Self::NoUpstream => "not_found",
            Self::MethodNotAllowed(_) => "method_not_allowed",
            Self::InvalidIdentity(_)
            | Self::InvalidQuery(_)
            | Self::InvalidCounts(_)
            | Self::InvalidChange
            | Self::ClientTraits
            | Self::BrokenBody
            | Self::BrokenGzip => "bad_request",
            Self::UnsupportedCoding => "unsupported_media_type",
            Self::Admin(fault) => fault.status_text(),
            Self::Head(fault) => fault.status_text(),
            Self::SlowBody => "request_timeout",
            Self::BodyTooLarge => "payload_too_large",
            Self::NotReady
            | Self::TooManySubscribers
            | Self::UpstreamAway
            | Self::Overloaded(_)
            | Self::Unavailable => "unavailable",
        }
    }

    /// Draws the value of `Retry-After` in seconds, for an error that passes by itself.
    pub(crate) fn retry_after(&self) -> Option<u16> {
        let is_passing = matches!(
            self,
            Self::NotReady
                | Self::TooManySubscribers
                | Self::UpstreamAway
                | Self::Overloaded(_)
                | Self::Unavailable
        );
        is_passing.then(|| rand::random_range(RETRY_AFTER_SECONDS))
    }

    /// Writes the body, in JSON.
    pub(crate) fn body(&self) -> Bytes {
        /// Anybody may ask with a wrong key, so this body is made once.
        static UNKNOWN_KEY: LazyLock<&str> = LazyLock::new(|| ApiError::UnknownKey.body_text().leak());
        match self {
            Self::UnknownKey => Bytes::from_static(UNKNOWN_KEY.as_bytes()),
            _ => Bytes::from(self.body_text()),
        }
    }

    fn body_text(&self) -> String {
        let message = self.to_string();
        serde_json::json!({"status": self.status_text(), "message": message, "detail": message}).to_string()
    }
}
