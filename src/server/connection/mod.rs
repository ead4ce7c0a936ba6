//! Connections: the wrapper around each accepted socket, or around the TLS over it.
//!
//! What arrives gets a place and tells whom it speaks for (`preface`) as a socket; then an `Opening` makes a connection of
//! it. The HTTP dispatcher reads and writes through it, so that it sees what the dispatcher does not tell: when the peer
//! stops taking bytes, and when it sends some. What it sees is kept in the connection's state, which a request reaches
//! by `conn_data::<Rc<ConnectionState>>()`.
//!
//! # Unread answers
//! What a peer asks for and does not read costs its connection 64 KiB at most: bodies go out in slices (`paced_body`),
//! and the next request is read once the answer before it has gone to the socket.
//!
//! # Heads
//! What comes passes a `gate`, a request at a time. The dispatcher refuses what it cannot read with a bare status; what it
//! writes while a head that it was given has not become a request is such a refusal, and the peer gets ours instead.
//!
//! # The end
//! A connection ends in good order (`orderly_end`): in a stop, and at its age or after its last request (`PlannedEnd`).
mod arrival;
mod byte_stream;
mod fault;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) mod fuzz;
mod gate;
mod given_head;
mod handshakes;
mod inflow;
mod orderly_end;
mod paced_body;
mod portion;
mod preface;
mod protocol;
mod refusal;
mod state;
mod turns;
mod worker;

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::{ApiError, HeadFault, Shortage};

use fault::read_refused;
use inflow::Inflow;

use super::places::{OpenConnection, Protocol};

pub(super) use arrival::{Admitted, Arrival, Opening, Plain};
pub(super) use byte_stream::ByteStream;
pub(super) use fault::{ReadHead, readable};
pub(super) use gate::{MOST_FIELDS, MOST_HEAD, encoded};
pub(super) use orderly_end::OrderlyEnd;
pub(super) use paced_body::{PacedBody, SLICE};
pub(crate) use preface::Prefaces;
pub(crate) use refusal::{RefusalAnswers, Refused};
pub(super) use state::End;
pub(crate) use state::{AsideConnection, ConnectionState};
pub(super) use turns::in_turns;
pub(crate) use worker::{ConnectionTerms, PlannedEnd};
pub(super) use worker::{ConnectionTimes, Worker};

/// An accepted socket, with or without TLS over it, and what is known of it.
#[derive(Debug)]
pub(super) struct Connection<S> {
    stream: S,
    state: Rc<ConnectionState>,
    /// Whom its peer speaks for, where it has said so before the first head.
    client: Option<Box<SocketAddr>>,
    inflow: Inflow,
    /// Whether the dispatcher has refused a head, and the peer has its answer.
    has_refused: bool,
    /// Whether it was ended between two requests, of which no answer could tell its peer.
    left_idle: bool,
    end: OrderlyEnd,
    open: OpenConnection,
}

impl<S: ByteStream> Connection<S> {
    /// Goes over a stream of what was admitted.
    pub(super) fn over(stream: S, admitted: Admitted) -> Self {
        Self {
            stream,
            state: admitted.state,
            client: admitted.client,
            inflow: Inflow::new(),
            has_refused: false,
            left_idle: false,
            end: OrderlyEnd::default(),
            open: admitted.open,
        }
    }

    /// The state that its requests share.
    pub(super) fn state(&self) -> &Rc<ConnectionState> {
        &self.state
    }

    /// HTTP/1 is spoken over it.
    pub(super) fn speaks_http1(&mut self) {
        self.open.speaks(Protocol::Http1);
    }

    /// The client's address, which is the peer's, or what the peer has told; `None` where the peer has gone already.
    pub(super) fn peer_address(&self) -> Option<SocketAddr> {
        self.client
            .as_deref()
            .copied()
            .or_else(|| self.stream.socket().peer_addr().ok())
    }

    /// Reads what the dispatcher may have now.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.state.ending().is_none() {
            if self.inflow.is_turn_over(cx, &mut self.stream, &self.state) {
                return Poll::Pending;
            }
            if !self.inflow.is_of_use(&self.state) {
                return self.poll_end(cx);
            }
            let outcome = self.inflow.poll_read(cx, &mut self.stream, &self.state, into);
            if self.state.ending().is_none() {
                return outcome;
            }
        }
        if let Some(end) = self.state.ending() {
            self.end_here(end);
        }
        Poll::Ready(Ok(()))
    }

    /// Whether bytes have come that the dispatcher does not have, though tokio may not have been told of them yet.
    fn has_arrived(&mut self) -> bool {
        self.inflow.has_rest() || self.stream.has_arrived()
    }

    /// Ends the connection from this side. What its client gets is an answer, where it has begun to ask.
    fn end_here(&mut self, end: End) {
        match end {
            End::SlowHead if self.state.unsent() == 0 => {
                self.refuse(ApiError::Head(HeadFault::Slow), self.partial_head());
            }
            End::Refused(fault) => self.refuse(ApiError::Head(fault), self.partial_head()),
            End::NoPlace => self.refuse(ApiError::Overloaded(Shortage::Connections), None),
            End::SlowHead | End::Idle | End::BrokenBody => {}
        }
    }

    /// What can be read of a head that has begun to come; `None`: none has.
    fn partial_head(&self) -> Option<ReadHead> {
        let partial = self.inflow.partial_head();
        (!partial.is_empty()).then(|| read_refused(partial).0)
    }

    fn refuse(&mut self, error: ApiError, head: Option<ReadHead>) {
        let peer = self.peer_address().map(|peer| peer.ip());
        refuse(&mut self.stream, self.state.worker(), error, head, peer);
    }

    /// Puts our refusal of a head in the place of the dispatcher's.
    ///
    /// It is not told that this is written before it offers it again: it would drop the socket at once, unread bytes
    /// reset the connection, and the answer might be lost. As it is, it begins the end of the connection.
    fn poll_refusal(&mut self, refusal: &[u8]) -> Poll<io::Result<usize>> {
        if std::mem::replace(&mut self.has_refused, true) {
            return Poll::Ready(Ok(refusal.len()));
        }
        let (head, fault) = read_refused(&self.inflow.last_head(&self.state));
        self.refuse(ApiError::Head(fault), Some(head));
        Poll::Pending
    }

    /// Waits for the end of the connection and leaves what comes before it where it is.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Requests that have come are answered, whether more of them come or not.
        if self.inflow.has_rest() {
            self.state.hold_back();
            return Poll::Pending;
        }
        if ready!(self.stream.poll_ended(cx))? {
            return Poll::Ready(Ok(()));
        }
        self.state.hold_back();
        Poll::Pending
    }
}

/// Answers what is no request, past the dispatcher. A client that has asked for nothing yet takes it for the answer to its
/// first one. A socket that does not take so few bytes at once is beyond help.
fn refuse(
    stream: &mut impl ByteStream,
    worker: &Worker,
    error: ApiError,
    head: Option<ReadHead>,
    peer: Option<IpAddr>,
) {
    let answer = worker.refusals().answer(&Refused { error, head, peer });
    if let Err(refused) = stream.send_now(&answer) {
        log::debug!("a connection that is to end takes no answer: {refused}");
    }
}

impl<S: ByteStream> AsyncRead for Connection<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        if let Poll::Ready(outcome) = self.poll_bytes(cx, into) {
            // An end that the server makes is not the peer's.
            let is_ended_here = self.state.ending().is_some();
            self.end.note_read(into.filled().len() > before, is_ended_here);
            return Poll::Ready(outcome);
        }
        // Whoever ends it, or begins a stop, gives it a turn.
        self.state.note_task(cx.waker());
        // An answer under way has not said that it is the last: what is asked meanwhile has its own.
        let is_idle = self.state.is_idle() && !self.end.is_asked();
        if self.state.takes_leave() && is_idle {
            if !self.has_arrived() {
                self.left_idle = true;
                return Poll::Ready(Ok(()));
            }
            if self.stream.is_within_part() {
                // It may be a head, and has the time of one.
                self.state.note_head();
            }
        }
        Poll::Pending
    }
}

impl<S: ByteStream> AsyncWrite for Connection<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.state.given_head().is_pending() {
            return self.poll_refusal(bytes);
        }
        self.inflow.forget();
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        let unsent = match &written {
            Poll::Pending => bytes.len(),
            Poll::Ready(Ok(taken)) if self.stream.has_unsent() => *taken,
            Poll::Ready(_) => 0,
        };
        self.state.note_unsent(unsent);
        if written.is_ready() {
            self.end.note_written(bytes);
            if self.state.worker().is_stopping() {
                // It may be idle after this, and nothing else would give it a turn.
                cx.waker().wake_by_ref();
            }
        }
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(Pin::new(&mut self.stream).poll_flush(cx))?;
        self.state.note_unsent(0);
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.end.is_announced() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.state.free_place();
        }
        let worker = this.state.worker();
        let outcome = this.end.poll_read_off(&mut this.stream, worker.read_off(), cx);
        if this.end.has_read_off() && std::mem::take(&mut this.left_idle) {
            worker.note_crossed();
        }
        outcome
    }
}

#[cfg(test)]
mod tests;
