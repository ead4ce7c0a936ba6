//! The answers: one function for each way in which a body is made.
use std::time::Duration;

use actix_web::body::BoxBody;
use actix_web::http::header::{
    ACCEPT_ENCODING, ALLOW, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, ETAG, HeaderName, HeaderValue,
    LAST_MODIFIED, RETRY_AFTER, VARY,
};
use actix_web::http::{ConnectionType, StatusCode};
use actix_web::{HttpRequest, HttpResponse};
use actors::served::{Encoding, ReadyBody, ServedEnvironment};
use actors::upstream::ForwardAnswer;
use bytes::Bytes;
use engine::Body;
use tokio::time::timeout;

use super::caching;
use super::encodings::{FOR_READY_BODIES, FOR_SINGLE_ANSWERS, compress, content_encoding, negotiate};
use super::held_body::HeldBody;
use super::preconditions::{Held, if_none_match, unmodified_since};
use crate::error::{ApiError, Reason};

/// `Content-Type` of every answer but event streams.
const JSON: HeaderValue = HeaderValue::from_static("application/json");

const X_FLAGSMITH_DOCUMENT_UPDATED_AT: HeaderName =
    HeaderName::from_static("x-flagsmith-document-updated-at");

const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// How long an answer waits until its body is compressed. A document of 50 MB takes longer, and Kotlin's SDK gives a
/// whole call 4 s.
const ENCODING_PATIENCE: Duration = Duration::from_secs(2);

/// Answers with a JSON body as it is, which holds for the moment alone.
pub(crate) fn json(path: &str, status: StatusCode, body: impl Into<Bytes>) -> HttpResponse {
    let mut answer = HttpResponse::with_body(status, BoxBody::new(body.into()));
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, JSON);
    headers.insert(CACHE_CONTROL, caching::NEVER);
    caching::vary(path, headers);
    answer
}

/// Answers 204, where there is nothing to say.
pub(in crate::routes) fn nothing(path: &str) -> HttpResponse {
    let mut answer = HttpResponse::with_body(StatusCode::NO_CONTENT, BoxBody::new(()));
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, caching::NEVER);
    caching::vary(path, headers);
    answer
}

/// Refuses a request for this path: the answer that it gets in place of its regular one.
pub(crate) fn refused(path: &str, error: &ApiError) -> HttpResponse {
    let mut answer = json(path, error.status_code(), error.body());
    if let Some(reason) = error.reason() {
        note(&mut answer, reason);
    }
    let headers = answer.headers_mut();
    if let Some(seconds) = error.retry_after() {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    match error {
        ApiError::MethodNotAllowed(allow) => {
            headers.insert(ALLOW, allow.clone());
        }
        // What a request's body may be encoded with (RFC 9110 §12.5.3).
        ApiError::UnsupportedCoding => {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("gzip, identity"));
        }
        // The rest of the body would be taken for the next request.
        ApiError::BrokenBody | ApiError::SlowBody => {
            answer.head_mut().set_connection_type(ConnectionType::Close);
        }
        _ => {}
    }
    answer
}

/// Notes why a request gets this answer, for those who count. The client does not hear of it.
pub(in crate::routes) fn note(answer: &mut HttpResponse, reason: Reason) {
    answer.extensions_mut().insert(reason);
}

/// Answers OPTIONS for this path; what it allows is still to be added.
pub(crate) fn options(path: &str) -> HttpResponse {
    let mut answer = HttpResponse::new(StatusCode::OK);
    let headers = answer.headers_mut();
    headers.insert(CACHE_CONTROL, caching::NEVER);
    caching::vary_options(path, headers);
    answer
}

/// Answers with upstream's status and body. Of its headers two are left: those that speak of its connection, and its cookies,
/// are not for the caller.
///
/// # Errors
/// 503 where the unsent answers take as much as they may.
pub(in crate::routes) fn forwarded(
    request: &HttpRequest,
    upstream: ForwardAnswer,
) -> Result<HttpResponse, ApiError> {
    let body = HeldBody::new(request, upstream.body)?.into_box();
    let mut answer = HttpResponse::with_body(upstream.status, body);
    let headers = answer.headers_mut();
    if let Some(content_type) = upstream.content_type {
        headers.insert(CONTENT_TYPE, content_type);
    }
    if let Some(retry_after) = upstream.retry_after {
        headers.insert(RETRY_AFTER, retry_after);
    }
    headers.insert(CACHE_CONTROL, caching::NEVER);
    caching::vary(request.path(), headers);
    Ok(answer)
}

/// Makes the answer an event stream, which is sent as it comes: nobody on the way keeps, compresses or buffers it.
pub(crate) fn stream(path: &str, mut answer: HttpResponse) -> HttpResponse {
    let headers = answer.headers_mut();
    // actix-web-lab says `identity`, which an answer must not name as a coding, and which some clients refuse.
    headers.remove(CONTENT_ENCODING);
    headers.insert(CACHE_CONTROL, caching::OF_A_STREAM);
    headers.insert(X_ACCEL_BUFFERING, HeaderValue::from_static("no"));
    caching::vary(path, headers);
    answer
}

/// Answers with a body that was made when the document was applied, or with 304 where the caller holds it already.
///
/// A resource that has a date of its last change gives `last_modified`, and `If-Modified-Since` counts. It does not
/// count where two contents share the date: a 304 would leave the caller on the first for good.
pub async fn ready(
    request: &HttpRequest,
    served: &ServedEnvironment,
    body: &ReadyBody,
    last_modified: Option<&HeaderValue>,
) -> HttpResponse {
    let held = match if_none_match(request.headers(), &body.etag) {
        Some(held) => held,
        None => last_modified
            .filter(|date| served.is_date_exact && unmodified_since(request.headers(), date))
            .map(|_| Held::Any),
    };
    let negotiated = if body.is_compressible() {
        negotiate(request.headers(), FOR_READY_BODIES)
    } else {
        None
    };
    let (status, encoding, bytes) = match held {
        Some(Held::Encoded(encoding)) => (StatusCode::NOT_MODIFIED, encoding, None),
        Some(Held::Any) => (StatusCode::NOT_MODIFIED, negotiated, None),
        None => {
            let (encoding, bytes) = encoded(body, negotiated).await;
            (StatusCode::OK, encoding, Some(BoxBody::new(bytes)))
        }
    };
    let mut answer = of_environment(status, served, caching::ASK_FIRST, encoding, bytes);
    let headers = answer.headers_mut();
    headers.append(ETAG, body.etag_header(encoding).clone());
    if let Some(last_modified) = last_modified {
        headers.append(LAST_MODIFIED, last_modified.clone());
    }
    answer
}

/// Answers with a body that exists for this request only; refuses where too many of them are unread. A plain one is compressed where
/// the request accepts that and the body is long enough.
pub(in crate::routes) async fn single(
    request: &HttpRequest,
    served: &ServedEnvironment,
    body: Body,
) -> HttpResponse {
    let (bytes, mut encoding) = match body {
        Body::Plain(bytes) => (bytes, None),
        Body::Gzip(bytes) => (bytes, Some(Encoding::Gzip)),
    };
    let mut body = match HeldBody::new(request, Bytes::from(bytes)) {
        Ok(body) => body,
        Err(error) => return refused(request.path(), &error),
    };
    if encoding.is_none()
        && body.bytes().len() >= Encoding::THRESHOLD
        && let Some(negotiated) = negotiate(request.headers(), FOR_SINGLE_ANSWERS)
        // What seldom happens is boxed: every request moves the room that its future takes.
        && let Ok(compressed) = Box::pin(compress(negotiated, body.bytes().clone())).await
    {
        encoding = Some(negotiated);
        body.replace(compressed);
    }
    of_environment(
        StatusCode::OK,
        served,
        caching::OF_ONE_REQUEST,
        encoding,
        Some(body.into_box()),
    )
}

/// Gives the body in this encoding, and makes it where nobody has asked for it before. Where that fails or takes long
/// it gives the body as it is; the work goes on for those who ask later.
async fn encoded(body: &ReadyBody, encoding: Option<Encoding>) -> (Option<Encoding>, Bytes) {
    let Some(encoding) = encoding else {
        return (None, body.plain.clone());
    };
    let compressed = match body.encoded(encoding) {
        Some(compressed) => Some(compressed),
        None => {
            let encoded = timeout(ENCODING_PATIENCE, body.encode(encoding));
            Box::pin(encoded).await.unwrap_or(None)
        }
    };
    match compressed {
        Some(compressed) => (Some(encoding), compressed),
        None => (None, body.plain.clone()),
    }
}

fn of_environment(
    status: StatusCode,
    served: &ServedEnvironment,
    caching: HeaderValue,
    encoding: Option<Encoding>,
    body: Option<BoxBody>,
) -> HttpResponse {
    let has_body = body.is_some();
    let body = body.unwrap_or_else(|| BoxBody::new(()));
    let mut answer = HttpResponse::with_body(status, body);
    let headers = answer.headers_mut();
    // The answer has none of them yet. `insert` would hand over what it replaced: some 500 instructions in all.
    headers.append(CONTENT_TYPE, JSON);
    headers.append(CACHE_CONTROL, caching);
    headers.append(VARY, caching::BY_KEY_AND_ENCODING);
    headers.append(X_FLAGSMITH_DOCUMENT_UPDATED_AT, served.updated_at_header.clone());
    // A 304 has none: a cache that holds several encodings would relabel the wrong one (RFC 9110, 15.4.5).
    if has_body && let Some(encoding) = encoding {
        headers.append(CONTENT_ENCODING, content_encoding(encoding));
    }
    answer
}
