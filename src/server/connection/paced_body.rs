//! Paced bodies: what goes out in slices.
//!
//! The dispatcher copies what a body yields into the connection's buffer and asks for more once the socket has taken
//! that. A ready body of 5 MB in one piece would be copied whole for each client, whether it reads or not; a slice of
//! shared bytes costs its own length.
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_http::body::{BodySize, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;

use super::turns::Turn;

/// Pieces up to this many bytes go out whole: most answers take one write.
const WHOLE: usize = 32 * 1024;

/// The bytes of each slice of a larger one, and what the connection's buffer holds before it is offered to the socket.
/// The two make at most 48 KiB unsent with a whole piece on top. More would not be faster, and the buffer of a kept
/// connection stays as large as it once was.
pub(in crate::server) const SLICE: usize = 16 * 1024;

pin_project! {
    /// A body in slices; the request's turn ends with it.
    pub(in crate::server) struct PacedBody<B> {
        #[pin]
        body: B,
        piece: Bytes,
        turn: Option<Turn>,
    }
}

impl<B> PacedBody<B> {
    pub(in crate::server) fn new(body: B, turn: Option<Turn>) -> Self {
        Self {
            body,
            piece: Bytes::new(),
            turn,
        }
    }
}

impl<B: MessageBody> MessageBody for PacedBody<B> {
    type Error = B::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, B::Error>>> {
        let this = self.project();
        if this.piece.is_empty() {
            match ready!(this.body.poll_next(cx)) {
                Some(Ok(piece)) => *this.piece = piece,
                other => return Poll::Ready(other),
            }
        }
        let slice = if this.piece.len() <= WHOLE {
            std::mem::take(this.piece)
        } else {
            this.piece.split_to(SLICE)
        };
        Poll::Ready(Some(Ok(slice)))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::future::poll_fn;

    use super::*;

    async fn slices(bytes: usize) -> Vec<usize> {
        let whole: Vec<u8> = (0..=250).cycle().take(bytes).collect();
        let mut body = pin!(PacedBody::new(Bytes::from(whole.clone()), None));
        assert_eq!(body.size(), BodySize::Sized(bytes as u64));
        let (mut sizes, mut sent) = (Vec::new(), Vec::new());
        while let Some(slice) = poll_fn(|cx| body.as_mut().poll_next(cx)).await {
            let slice = slice.unwrap();
            sizes.push(slice.len());
            sent.extend_from_slice(&slice);
        }
        assert_eq!(sent, whole);
        sizes
    }

    #[actix_web::test]
    async fn large_bodies_go_out_in_slices_and_small_ones_whole() {
        assert!(slices(0).await.is_empty());
        assert_eq!(slices(1).await, [1]);
        assert_eq!(slices(WHOLE).await, [WHOLE]);
        assert_eq!(slices(WHOLE + 1).await, [SLICE, SLICE + 1]);
        assert_eq!(slices(100_000).await, [SLICE, SLICE, SLICE, SLICE, SLICE, 18_080]);
    }
}
