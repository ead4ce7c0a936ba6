//! The handshakes of one worker: between two steps of them, others have their turn.
//!
//! A signature takes up to a millisecond, hundreds of times what a request takes. A thousand clients that connect at one
//! moment would hold up everybody else on the worker for a second.
use std::sync::Arc;

use actix_web::rt::task::yield_now;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Gives turns, in the order in which they are asked for.
#[derive(Debug)]
pub(in crate::server) struct Handshakes(Arc<Semaphore>);

/// The turn of one step.
#[derive(Debug)]
pub(in crate::server) struct HandshakeTurn(Option<OwnedSemaphorePermit>);

impl Handshakes {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(1)))
    }

    /// Waits for the next turn.
    pub(in crate::server) async fn turn(&self) -> HandshakeTurn {
        // It is never closed.
        HandshakeTurn(Arc::clone(&self.0).acquire_owned().await.ok())
    }
}

impl HandshakeTurn {
    /// Ends it, once all has been seen to that has come meanwhile.
    pub(in crate::server) fn end(self) {
        actix_rt::spawn(async move {
            // The runtime looks for what has come before it goes on with this.
            yield_now().await;
            drop(self.0);
        });
    }
}
