//! Connections: the wrapper around each accepted socket.
//!
//! The HTTP dispatcher reads and writes through it, so that it sees what the dispatcher does not tell: when the peer
//! stops taking bytes, and when it sends some. What it sees is kept in the connection's state, which a request reaches
//! by `conn_data::<Rc<ConnectionState>>()`.
//!
//! # Unread answers
//! What a peer asks for and does not read costs its connection 64 KiB at most: bodies go out in slices (`paced_body`),
//! and the next request is read once the answer before it has gone to the socket.
//!
//! # The end
//! A connection ends in good order (`orderly_end`).
mod orderly_end;
mod paced_body;
mod portion;
mod state;
mod turns;
mod worker;

use std::io;
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use actix_web::HttpRequest;
use actix_web::rt::net::TcpStream;
use bytes::BytesMut;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::error::ApiError;

use orderly_end::OrderlyEnd;
use state::End;

use super::places::OpenConnection;

pub(super) use paced_body::SLICE;
pub(crate) use state::{Aside, ConnectionState};
pub(super) use turns::in_turns;
pub(super) use worker::{ConnectionTimes, Worker};

/// The answer to a head that does not come to its end.
const SLOW_HEAD: &[u8] =
    b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\ncache-control: no-store\r\nconnection: close\r\n\r\n";

/// An accepted socket and what is known of it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    state: Rc<ConnectionState>,
    /// What was read and is no use yet.
    rest: BytesMut,
    /// Whether there may be more than the last read gave.
    may_have_more: bool,
    end: OrderlyEnd,
    _open: OpenConnection,
}

impl Connection {
    /// Wraps a socket of this worker; `None` where there is no place for it, which it is told.
    pub(super) fn admit(stream: TcpStream, worker: &Rc<Worker>) -> Option<Self> {
        let Some(place) = worker.admit() else {
            refuse(&stream);
            return None;
        };
        Some(Self {
            stream,
            state: ConnectionState::new(worker, place),
            rest: BytesMut::new(),
            may_have_more: false,
            end: OrderlyEnd::default(),
            _open: worker.open(),
        })
    }

    /// The state that its requests share.
    pub(super) fn state(&self) -> &Rc<ConnectionState> {
        &self.state
    }

    /// The peer's address; `None` where the peer has gone already.
    pub(super) fn peer_address(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }

    /// Reads, and gives no more than the dispatcher may have at a time.
    fn poll_portion(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        if self.rest.is_empty() {
            let worker = Rc::clone(self.state.worker());
            let mut scratch = worker.scratch();
            let asked = portion::read_at_once(into.remaining()).min(scratch.len());
            let mut read = ReadBuf::new(scratch.split_at_mut(asked).0);
            ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
            self.may_have_more = read.remaining() == 0;
            let (portion, rest) = read.filled().split_at(portion::portion(read.filled()));
            into.put_slice(portion);
            self.rest.extend_from_slice(rest);
        } else {
            let portion = portion::portion(&self.rest).min(into.remaining());
            into.put_slice(&self.rest.split_to(portion));
        }
        self.may_have_more |= !self.rest.is_empty();
        if !self.state.note_read(into.filled().split_at(before).1) {
            // No bytes are the end of the connection.
            into.set_filled(before);
        }
        Poll::Ready(Ok(()))
    }

    /// Reads what the dispatcher may have now.
    fn poll_bytes(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if let Some(end) = self.state.ending() {
            self.end_here(end);
            return Poll::Ready(Ok(()));
        }
        // The dispatcher reads until nothing comes, up to 128 KiB, and then makes requests of all of it. Once what it
        // was given was decoded it may have more.
        if std::mem::take(&mut self.may_have_more) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.state.wants_bytes() {
            return self.poll_end(cx);
        }
        self.poll_portion(cx, into)
    }

    /// Whether bytes have come that the dispatcher does not have, though tokio may not have been told of them yet.
    fn has_arrived(&self) -> bool {
        !self.rest.is_empty()
            || SockRef::from(&self.stream)
                .peek(&mut [MaybeUninit::uninit()])
                .is_ok_and(|bytes| bytes > 0)
    }

    /// Ends the connection from this side. What its client gets is an answer, where it has begun to ask.
    fn end_here(&self, end: End) {
        match end {
            End::SlowHead if self.state.unsent() == 0 => send(&self.stream, SLOW_HEAD),
            End::NoPlace => refuse(&self.stream),
            End::SlowHead | End::Idle => {}
        }
    }

    /// Waits for the end of the connection and leaves what comes before it where it is.
    fn poll_end(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut byte = [0];
        if ready!(self.stream.poll_peek(cx, &mut ReadBuf::new(&mut byte)))? == 0 {
            return Poll::Ready(Ok(()));
        }
        self.state.hold_back();
        Poll::Pending
    }
}

/// Lets a request wait, for its peer or on purpose, without counting among those that its worker has in hand.
pub(crate) fn wait_aside(request: &HttpRequest) -> Option<Aside> {
    let connection = request.conn_data::<Rc<ConnectionState>>()?;
    Some(connection.wait_aside())
}

/// Answers a client that has asked for nothing yet: it takes that for the answer to its first request.
fn refuse(stream: &TcpStream) {
    let error = ApiError::Overloaded;
    let body = error.body();
    let head = format!(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\
         retry-after: {}\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        body.len(),
        error.retry_after().unwrap_or_default(),
    );
    send(stream, &[head.as_bytes(), &body].concat());
}

/// Sends an answer past the dispatcher, and at once: tokio does not know of a new socket that it takes bytes. One that
/// does not take so few is beyond help.
fn send(stream: &TcpStream, answer: &[u8]) {
    if let Err(refused) = SockRef::from(stream).send(answer) {
        log::debug!("a connection that is to end takes no answer: {refused}");
    }
}

impl AsyncRead for Connection {
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
        if self.state.worker().is_stopping() && !self.end.is_asked() && !self.has_arrived() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        let unsent = if written.is_pending() { bytes.len() } else { 0 };
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
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if !this.end.is_announced() {
            ready!(Pin::new(&mut this.stream).poll_shutdown(cx))?;
            this.state.free_place();
        }
        let patience = this.state.worker().read_off();
        this.end.poll_read_off(&mut this.stream, patience, cx)
    }
}

#[cfg(test)]
mod tests;
