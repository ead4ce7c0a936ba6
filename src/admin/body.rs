//! Reading what a request to the admin port carries.
use std::pin::pin;
use std::time::Duration;

use actix_web::web::Payload;
use bytes::{Bytes, BytesMut};
use futures::StreamExt as _;
use tokio::time::timeout;

use crate::error::ApiError;

/// How long a body may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Reads a body of so many bytes at most.
///
/// # Errors
/// 413 past the limit, 408 where it takes longer than 5 s, 400 where it ends early.
pub(super) async fn read(payload: Payload, most: usize) -> Result<Bytes, ApiError> {
    timeout(PATIENCE, collect(payload, most))
        .await
        .unwrap_or(Err(ApiError::SlowBody))
}

async fn collect(payload: Payload, most: usize) -> Result<Bytes, ApiError> {
    let mut pieces = pin!(payload);
    let mut body = BytesMut::new();
    while let Some(piece) = pieces.next().await {
        let piece = piece.map_err(|_| ApiError::BrokenBody)?;
        if piece.len() > most.saturating_sub(body.len()) {
            return Err(ApiError::BodyTooLarge);
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}
