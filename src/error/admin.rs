//! Why a request to the admin port gets no regular answer.
use actix_web::http::StatusCode;

/// Why the admin port refuses a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AdminFault {
    /// It does not bring `admin.token`.
    Token,
    /// Its `Host` is a name that may be anybody's: a page could have it lead here (DNS rebinding).
    Host,
    /// A browser sent it for a page of another origin.
    Origin,
    /// Its head is larger than any that operators' tools send.
    Head,
    /// The body names no level of the log.
    Level,
    /// As many pages follow the status as may.
    Viewers,
    /// The log was not started by this process, so it has no level.
    NoLog,
}

impl AdminFault {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Token => {
                "this port asks for the value of admin.token: send it as Authorization: Bearer TOKEN, or give it to a browser as \
                 the password, with any name"
            }
            Self::Host => {
                "this port answers to an IP address, to localhost, and to admin.host in the Host header, because a page of \
                 another site could have any other name lead here: ask by one of them, or set admin.token"
            }
            Self::Origin => "this port answers no page of another origin",
            Self::Head => "the head of this request is too large for the admin port",
            Self::Level => {
                "the body must be {\"level\": \"…\"} with one of CRITICAL, ERROR, WARNING, INFO, DEBUG, NOTSET"
            }
            Self::Viewers => {
                "as many pages follow the status as may: close one of them, or load the page again from time to time"
            }
            Self::NoLog => "this process has no log of its own",
        }
    }

    pub(super) fn status_code(self) -> StatusCode {
        match self {
            Self::Token => StatusCode::UNAUTHORIZED,
            Self::Host | Self::Origin => StatusCode::FORBIDDEN,
            Self::Head => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Level => StatusCode::BAD_REQUEST,
            Self::Viewers | Self::NoLog => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    pub(super) fn status_text(self) -> &'static str {
        match self {
            Self::Token => "unauthorized",
            Self::Host | Self::Origin => "forbidden",
            Self::Head => "request_header_fields_too_large",
            Self::Level => "bad_request",
            Self::Viewers | Self::NoLog => "unavailable",
        }
    }
}
