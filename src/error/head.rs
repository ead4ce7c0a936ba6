//! What can be wrong with the head of a request, so that none comes of it.
use actix_web::http::StatusCode;

/// Why no request comes of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HeadFault {
    /// It is no HTTP at all.
    NotHttp,
    /// It begins as TLS does.
    Tls,
    /// It begins as HTTP does where TLS is spoken.
    PlainHttp,
    /// Its version is neither HTTP/1.0 nor HTTP/1.1.
    Version,
    /// Its target cannot be read.
    Target,
    /// Its target has more bytes than a target may have.
    TargetTooLong,
    /// A field cannot be read.
    Field,
    /// It has more fields than a head may have.
    TooManyFields,
    /// It has more bytes than a head may have.
    TooLarge,
    /// `Host` is missing, which HTTP/1.1 requires (RFC 9112 §3.2).
    NoHost,
    /// `Host` is there twice.
    TwoHosts,
    /// `Content-Length` is no number, or is there twice.
    Length,
    /// HTTP/1.0 needs `Content-Length` for the body of a POST.
    NoLength,
    /// `Transfer-Encoding` is something else than `chunked`, or HTTP/1.0 does not have it.
    TransferEncoding,
    /// Both of them, which a smuggled request has (RFC 9112 §6.1).
    LengthAndTransferEncoding,
    /// It did not come to its end in time.
    Slow,
    /// The parser knows why.
    Other,
}

impl HeadFault {
    pub(super) fn message(self) -> &'static str {
        match self {
            Self::NotHttp => "this is no HTTP request",
            Self::Tls => {
                "this port speaks plain HTTP, and the connection began with TLS: use http:// in the URL"
            }
            Self::PlainHttp => {
                "this port speaks HTTPS, and the connection began with plain HTTP: use https:// in the URL"
            }
            Self::Version => "only HTTP/1.1 and HTTP/1.0 are spoken here",
            Self::Target => "the URL has characters that must be percent-encoded",
            Self::TargetTooLong => "the URL is too long",
            Self::Field => "a header field cannot be read",
            Self::TooManyFields => "there are too many header fields",
            Self::TooLarge => "the header fields are too large",
            Self::NoHost => "the Host header is missing",
            Self::TwoHosts => "there is more than one Host header",
            Self::Length => "the Content-Length header must be there once, and be a number",
            Self::NoLength => "a POST of HTTP/1.0 needs a Content-Length header",
            Self::TransferEncoding => "the only Transfer-Encoding that is understood is chunked, of HTTP/1.1",
            Self::LengthAndTransferEncoding => "Content-Length and Transfer-Encoding exclude each other",
            Self::Slow => "the request did not arrive in time",
            Self::Other => "the request cannot be read",
        }
    }

    pub(super) fn status_code(self) -> StatusCode {
        match self {
            Self::TargetTooLong => StatusCode::URI_TOO_LONG,
            Self::TooManyFields | Self::TooLarge => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Slow => StatusCode::REQUEST_TIMEOUT,
            _ => StatusCode::BAD_REQUEST,
        }
    }

    pub(super) fn status_text(self) -> &'static str {
        match self {
            Self::TargetTooLong => "uri_too_long",
            Self::TooManyFields | Self::TooLarge => "request_header_fields_too_large",
            Self::Slow => "request_timeout",
            _ => "bad_request",
        }
    }
}
