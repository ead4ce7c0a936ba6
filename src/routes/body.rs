//! Reading a request's body within its limits, after its key has been resolved.
mod coding;

use std::pin::pin;
use std::time::Duration;

use actix_web::error::PayloadError;
use actix_web::http::header::CONTENT_LENGTH;
use actix_web::web::Payload;
use actix_web::{HttpMessage as _, HttpRequest};
use bytes::{Bytes, BytesMut};
use futures::{FutureExt, Stream, StreamExt, stream};
use tokio::time::timeout;

use crate::budget::{ByteBudget, HeldBytes};
use crate::error::{ApiError, Shortage};
use crate::metrics::Moment;
use crate::routes::Services;
use crate::server::{InProgress, wait_aside};

use coding::Coding;

/// What a request's body may cost.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// The most bytes of a body, as it comes and as it is decoded.
    pub bytes: usize,
    /// The longest time from the request's head to the body's end.
    pub duration: Duration,
}

/// Reads the whole body, and decodes it where it is gzip. It copies none that came in one piece with its head as it is.
///
/// # Errors
/// 415 for another content coding, 413 past the limit (at once where `Content-Length` announces it), 408 where it takes
/// too long, 400 where it ends early or is broken, 503 where the bodies of all requests take too much together.
pub(super) async fn read(
    request: &HttpRequest,
    payload: Payload,
    limits: BodyLimits,
) -> Result<Bytes, ApiError> {
    let coding = match Coding::of(request.headers()) {
        Ok(coding) => coding,
        Err(refused) => {
            discard(payload).await;
            return Err(refused);
        }
    };
    let announced = request
        .headers()
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if announced.is_some_and(|length| length > limits.bytes) {
        return Err(ApiError::BodyTooLarge);
    }
    let body = match arrived(payload, limits.bytes) {
        Arrived::Whole(body) => body,
        Arrived::InPart(rest) => {
            let budget = &Services::of(request)?.shared.budgets.request_bodies;
            let collecting = collect(rest, limits.bytes, announced.unwrap_or(limits.bytes), budget);
            let _aside = wait_aside(request);
            let begun = Moment::now();
            // What seldom happens is boxed: every request moves the room that its future takes.
            let collected = Box::pin(timeout(limits.duration, collecting)).await;
            BodyWait::end(request, begun);
            collected.unwrap_or(Err(ApiError::SlowBody))
        }
    };
    if let Some(known) = InProgress::of(request) {
        known.body_is_read();
    }
    match coding {
        Coding::Identity => body,
        Coding::Gzip => Box::pin(coding::decode(request, body?, limits.bytes)).await,
    }
}

/// How long a body that did not come with its head was waited for, in nanoseconds: how fast a client sends is not what an answer
/// takes. It is read from the clock of the request's own duration, which it is taken from.
#[derive(Debug, Clone, Copy)]
pub(crate) struct BodyWait(pub(crate) u64);

impl BodyWait {
    fn end(request: &HttpRequest, begun: Moment) {
        request.extensions_mut().insert(Self(begun.elapsed()));
    }

    /// That of this request; `None`: it had no body, or one that came with its head.
    pub(crate) fn of(request: &HttpRequest) -> Option<Self> {
        request.extensions().get().copied()
    }
}

/// What has come of a body.
enum Arrived<S> {
    /// All of it, in one piece: most bodies come with their head.
    Whole(Result<Bytes, ApiError>),
    /// Not all of it, or in pieces; what has come is there again.
    InPart(S),
}

/// Takes what has come, and waits for nothing.
fn arrived(mut payload: Payload, limit: usize) -> Arrived<impl Stream<Item = Piece> + Unpin> {
    let (first, second) = match payload.next().now_or_never() {
        Some(None) => return Arrived::Whole(Ok(Bytes::new())),
        Some(Some(first)) => match payload.next().now_or_never() {
            Some(None) => return Arrived::Whole(within(first, limit)),
            second => (Some(first), second.flatten()),
        },
        None => (None, None),
    };
    Arrived::InPart(stream::iter([first, second].into_iter().flatten()).chain(payload))
}

/// Takes what has come of a body that nobody wants, so that the connection can serve the next request: actix closes a
/// connection whose body nobody read. It waits for nothing: a body still on its way costs the connection.
pub(crate) async fn discard(payload: impl Stream<Item = Result<Bytes, PayloadError>>) {
    let mut payload = pin!(payload);
    // The connection decodes what it has received only once a handler waits.
    tokio::task::yield_now().await;
    while let Some(Some(Ok(_))) = payload.next().now_or_never() {}
}

/// Collects a body of `limit` bytes at most, of which `most` are expected.
async fn collect(
    mut pieces: impl Stream<Item = Piece> + Unpin,
    limit: usize,
    most: usize,
    budget: &ByteBudget,
) -> Result<Bytes, ApiError> {
    let mut body = GrowingBody::new(most, budget);
    while let Some(piece) = pieces.next().await {
        let piece = within(piece, limit - body.bytes.len())?;
        body.push(&piece)?;
    }
    Ok(body.bytes.freeze())
}

/// What holds of every body in gzip.
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use coding::fuzz;

/// What comes of a body at a time.
type Piece = Result<Bytes, PayloadError>;

fn within(piece: Piece, room: usize) -> Result<Bytes, ApiError> {
    match piece {
        Ok(piece) if piece.len() > room => Err(ApiError::BodyTooLarge),
        Ok(piece) => Ok(piece),
        Err(_) => Err(ApiError::BrokenBody),
    }
}

/// A body that comes in pieces. What it takes of the process counts while it grows.
struct GrowingBody {
    bytes: BytesMut,
    most: usize,
    held: HeldBytes,
}

impl GrowingBody {
    fn new(most: usize, budget: &ByteBudget) -> Self {
        Self {
            bytes: BytesMut::new(),
            most,
            held: budget.holder(),
        }
    }

    /// Adds a piece; refuses where the bodies of all requests take as much as they may.
    fn push(&mut self, piece: &[u8]) -> Result<(), ApiError> {
        let (room, needed) = (self.bytes.capacity(), self.bytes.len() + piece.len());
        if needed > room {
            // Twice as much, so that it is copied a few times only, but not more than will come.
            let grown = needed.max((2 * room).min(self.most));
            if !self.held.try_add(grown - room) {
                return Err(ApiError::Overloaded(Shortage::Bodies));
            }
            let mut bytes = BytesMut::with_capacity(grown);
            bytes.extend_from_slice(&self.bytes);
            self.bytes = bytes;
        }
        self.bytes.extend_from_slice(piece);
        Ok(())
    }
}
