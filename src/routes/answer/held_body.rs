//! Bodies that exist for one request only. A client that does not read keeps its own, so all the large ones together are
//! bounded; those that are shared cost their client nothing.
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpRequest;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use bytes::Bytes;

use crate::budget::HeldBytes;
use crate::error::{ApiError, Shortage};
use crate::routes::Services;

/// Smaller bodies are not counted: the connection's buffer takes them whole, and counts them there.
const COUNTED: usize = 32 * 1024;

/// A body and what it holds of the budget of unsent answers.
#[derive(Debug)]
pub(super) struct HeldBody {
    bytes: Bytes,
    held: Option<HeldBytes>,
}

impl HeldBody {
    /// Holds a body until it is sent.
    ///
    /// # Errors
    /// Where the unsent answers take as much as they may.
    pub(super) fn new(request: &HttpRequest, bytes: Bytes) -> Result<Self, ApiError> {
        let mut held = None;
        if bytes.len() > COUNTED {
            let budget = &Services::of(request)?.shared.budgets.unsent_answers;
            let mut holder = budget.holder();
            if !holder.try_add(bytes.len()) {
                return Err(ApiError::Overloaded(Shortage::Answers));
            }
            held = Some(holder);
        }
        Ok(Self { bytes, held })
    }

    /// The body.
    pub(super) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Puts the encoded body in place of the plain one.
    pub(super) fn replace(&mut self, bytes: Bytes) {
        if let Some(held) = &mut self.held {
            held.set(bytes.len());
        }
        self.bytes = bytes;
    }

    /// The body of an answer.
    pub(super) fn into_box(self) -> BoxBody {
        if self.held.is_some() {
            BoxBody::new(self)
        } else {
            BoxBody::new(self.bytes)
        }
    }
}

impl MessageBody for HeldBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.bytes.size()
    }

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        Pin::new(&mut self.get_mut().bytes).poll_next(cx)
    }
}
