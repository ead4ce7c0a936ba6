//! Reading a request's body within its limits, after its key has been resolved.
use std::pin::pin;
use std::rc::Rc;
use std::time::Duration;

use actix_web::HttpRequest;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, StreamExt};
use tokio::time::timeout;

use crate::error::ApiError;
use crate::server::ConnectionState;

/// What a request's body may cost.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// The most bytes of a body.
    pub bytes: usize,
    /// The longest time from the request's head to the body's end.
    pub duration: Duration,
}

/// Reads the whole body. It copies no body that came in one piece.
///
/// # Errors
/// 413 past the limit (at once where `Content-Length` announces it), 408 where it takes too long, 400 where it ends
/// early.
pub(super) async fn read(
    request: &HttpRequest,
    payload: Payload,
    limits: BodyLimits,
) -> Result<Bytes, ApiError> {
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.bytes) {
        return Err(ApiError::BodyTooLarge);
    }
    let mut collecting = pin!(collect(payload, limits.bytes));
    // Most bodies have come with the head, and need no timer.
    let body = match collecting.as_mut().now_or_never() {
        Some(body) => body,
        None => timeout(limits.duration, collecting)
            .await
            .unwrap_or(Err(ApiError::SlowBody)),
    };
    if let Some(connection) = request.conn_data::<Rc<ConnectionState>>() {
        connection.body_is_read();
    }
    body
}

/// Takes what has come of a body that nobody wants, so that the connection can serve the next request: actix closes a
/// connection whose body nobody read. It waits for nothing: a body still on its way costs the connection.
pub(super) async fn discard(mut payload: Payload) {
    // The connection decodes what it has received only once a handler waits.
    tokio::task::yield_now().await;
    while let Some(Some(Ok(_))) = payload.next().now_or_never() {}
}

async fn collect(mut payload: Payload, limit: usize) -> Result<Bytes, ApiError> {
    let Some(first) = next(&mut payload, limit).await? else {
        return Ok(Bytes::new());
    };
    let Some(second) = next(&mut payload, limit - first.len()).await? else {
        return Ok(first);
    };
    let mut body = BytesMut::from(first);
    body.extend_from_slice(&second);
    while let Some(chunk) = next(&mut payload, limit - body.len()).await? {
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

async fn next(payload: &mut Payload, room: usize) -> Result<Option<Bytes>, ApiError> {
    match payload.next().await {
        None => Ok(None),
        Some(Ok(chunk)) if chunk.len() > room => Err(ApiError::BodyTooLarge),
        Some(Ok(chunk)) => Ok(Some(chunk)),
        Some(Err(_)) => Err(ApiError::BrokenBody),
    }
}
