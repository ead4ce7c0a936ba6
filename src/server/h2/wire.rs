//! The wire: what the library reads from and writes to, between it and the byte stream.
//!
//! Writes are collected and go to the socket once a turn: the library writes each answer by itself. Reads are paced, so
//! that no connection keeps its worker for itself; what comes passes the [`Watch`], and a client that floods is read no
//! further. Nor is one read that does not read: what it asks for would be held for it.
use std::cell::RefCell;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::calm::{Calm, Earned};
use super::watch::Watch;
use crate::server::connection::{ConnectionState, OrderlyEnd};

/// What is read in a turn at most; others of the worker wait.
const READ_A_TURN: usize = 32 * 1024;

/// What is collected at most; then the socket has to take some of it.
const MOST_COLLECTED: usize = 64 * 1024;

/// The room that is kept for the next turn's writes.
const KEPT: usize = 4 * 1024;

/// The two ends of one connection.
#[derive(Debug)]
pub(super) struct Wire<S> {
    stream: S,
    state: Rc<ConnectionState>,
    /// What was read before it was known that this is HTTP/2.
    read_ahead: Bytes,
    watch: Watch,
    calm: Calm,
    is_flooded: bool,
    left_of_turn: usize,
    collected: BytesMut,
    is_blocked: bool,
    end: OrderlyEnd,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    pub(super) fn new(stream: S, state: &Rc<ConnectionState>, read_ahead: Vec<u8>) -> Self {
        Self {
            stream,
            state: Rc::clone(state),
            read_ahead: read_ahead.into(),
            watch: Watch::new(),
            calm: Calm::new(state.worker().now()),
            is_flooded: false,
            left_of_turn: READ_A_TURN,
            collected: BytesMut::new(),
            is_blocked: false,
            end: OrderlyEnd::default(),
        }
    }

    /// Begins a turn of the connection's.
    pub(super) fn begin_turn(&mut self, earned: Earned) {
        self.left_of_turn = READ_A_TURN;
        self.calm.earn(earned);
    }

    /// Whether the client has sent more of what asks for nothing than it may.
    pub(super) fn is_flooded(&self) -> bool {
        self.is_flooded
    }

    /// Whether the socket has refused what it was offered last.
    pub(super) fn is_blocked(&self) -> bool {
        self.is_blocked
    }

    /// How many bytes it has not taken.
    pub(super) fn unsent(&self) -> usize {
        self.collected.len()
    }

    /// The number of the head that has begun and is not whole.
    pub(super) fn partial_head(&self) -> Option<u64> {
        self.watch.partial_head()
    }

    /// Writes what was collected.
    pub(super) fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.collected.is_empty() {
            let written = Pin::new(&mut self.stream).poll_write(cx, &self.collected);
            self.is_blocked = written.is_pending();
            match ready!(written)? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => self.collected.advance(written),
            }
        }
        if self.collected.capacity() > KEPT {
            self.collected = BytesMut::new();
        }
        let flushed = Pin::new(&mut self.stream).poll_flush(cx);
        self.is_blocked = flushed.is_pending();
        flushed
    }

    fn poll_read(&mut self, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Whoever has set these looks at them after this turn, and gives another one when they change.
        if self.is_flooded || self.is_blocked {
            return Poll::Pending;
        }
        if self.left_of_turn == 0 {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if !self.read_ahead.is_empty() {
            let length = self.read_ahead.len().min(into.remaining());
            let bytes = self.read_ahead.split_to(length);
            self.look(&bytes);
            into.put_slice(&bytes);
            return Poll::Ready(Ok(()));
        }
        let state = Rc::clone(&self.state);
        let mut scratch = state.worker().scratch();
        let most = scratch.len().min(into.remaining()).min(self.left_of_turn);
        let mut read = ReadBuf::new(scratch.split_at_mut(most).0);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        let bytes = read.filled();
        self.end.note_read(!bytes.is_empty(), false);
        self.left_of_turn -= bytes.len();
        self.look(bytes);
        into.put_slice(bytes);
        Poll::Ready(Ok(()))
    }

    fn look(&mut self, bytes: &[u8]) {
        let (calm, is_flooded, now) = (&mut self.calm, &mut self.is_flooded, self.state.worker().now());
        self.watch.look(bytes, |frame| {
            *is_flooded |= !calm.pays_for(frame, now);
        });
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, slices: &[&[u8]]) -> Poll<io::Result<usize>> {
        if self.collected.len() >= MOST_COLLECTED {
            ready!(self.poll_drain(cx))?;
        }
        let before = self.collected.len();
        for slice in slices {
            let room = MOST_COLLECTED.saturating_sub(self.collected.len());
            self.collected
                .extend_from_slice(slice.split_at(slice.len().min(room)).0);
        }
        Poll::Ready(Ok(self.collected.len() - before))
    }

    fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.end.is_announced() {
            ready!(self.poll_drain(cx))?;
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
            self.state.free_place();
        }
        let patience = self.state.worker().read_off();
        self.end.poll_read_off(&mut self.stream, patience, cx)
    }
}

/// The library's handle of a wire, which it shares with the connection that drives it.
#[derive(Debug)]
pub(super) struct WireEnd<S>(pub Rc<RefCell<Wire<S>>>);

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for WireEnd<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().poll_read(cx, into)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for WireEnd<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.0.borrow_mut().poll_write(cx, &[bytes])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // The library gives two: what it has encoded, and a piece of a body.
        let first = slices.first().map_or(&[][..], |slice| slice);
        let second = slices.get(1).map_or(&[][..], |slice| slice);
        self.0.borrow_mut().poll_write(cx, &[first, second])
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Whoever drives the connection writes at the end of its turn.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.0.borrow_mut().poll_shutdown(cx)
    }
}
