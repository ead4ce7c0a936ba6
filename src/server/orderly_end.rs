//! The orderly end of a connection (RFC 9112 §9.6): what has arrived is answered, the end is announced, and then the
//! connection is closed while what still comes is read off. A socket that is closed with bytes unread resets its
//! connection, and the reset may destroy an answer that is still under way.
//!
//! actix-http drops a request that it has read and not begun when a stop begins, so it is told nothing: to an idle
//! connection the stop looks like a client that has nothing more to send, and a connection in use ends by its answer's
//! `Connection: close`.
use std::io;
use std::mem::MaybeUninit;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use actix_web::rt::time::{Sleep, sleep};
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::connection::Connection;
use super::open_connections::OpenConnection;

/// What actix-http writes before it reads a body that waits for it: no answer yet.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Bytes read off at once.
const READ_OFF: usize = 4096;
/// How often in a turn: others of the worker wait.
const READS_A_TURN: usize = 16;
/// The most that is read off after the end was announced: who sends more is no client with a request under way.
const MOST_READ_OFF: usize = 1024 * 1024;

/// A connection that ends in good order.
#[derive(Debug)]
pub(super) struct OrderlyEnd {
    connection: Connection,
    stop: CancellationToken,
    begun: Pin<Box<WaitForCancellationFutureOwned>>,
    count: OpenConnection,
    /// Whether bytes have come since the last ones were written: a request, or a part of it, waits for its answer.
    is_asked: bool,
    /// Whether the client has said that it sends nothing more.
    is_read_out: bool,
    /// How long what still comes is read off.
    patience: Duration,
    reading_off: Option<ReadingOff>,
}

/// The end has been announced.
#[derive(Debug)]
struct ReadingOff {
    until: Pin<Box<Sleep>>,
    read: usize,
}

impl OrderlyEnd {
    /// Takes a connection that has just been accepted; it reads off for at most `patience`.
    pub(super) fn new(
        connection: Connection,
        stop: CancellationToken,
        count: OpenConnection,
        patience: Duration,
    ) -> Self {
        Self {
            connection,
            begun: Box::pin(stop.clone().cancelled_owned()),
            stop,
            count,
            is_asked: false,
            is_read_out: false,
            patience,
            reading_off: None,
        }
    }

    /// The connection within.
    pub(super) fn inner(&self) -> &Connection {
        &self.connection
    }

    /// Whether bytes have come that the dispatcher does not have, though tokio may not have been told of them yet.
    fn has_arrived(&self) -> bool {
        self.connection.has_rest()
            || SockRef::from(self.connection.socket())
                .peek(&mut [MaybeUninit::uninit()])
                .is_ok_and(|bytes| bytes > 0)
    }

    fn poll_read_off(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let patience = self.patience;
        let reading_off = self.reading_off.get_or_insert_with(|| ReadingOff {
            until: Box::pin(sleep(patience)),
            read: 0,
        });
        if reading_off.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(());
        }
        let mut bytes = [MaybeUninit::uninit(); READ_OFF];
        for _ in 0..READS_A_TURN {
            let mut buffer = ReadBuf::uninit(&mut bytes);
            let outcome = ready!(Pin::new(self.connection.socket_mut()).poll_read(cx, &mut buffer));
            let read = buffer.filled().len();
            reading_off.read += read;
            if outcome.is_err() || read == 0 || reading_off.read > MOST_READ_OFF {
                return Poll::Ready(());
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl AsyncRead for OrderlyEnd {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        if let Poll::Ready(outcome) = Pin::new(&mut self.connection).poll_read(cx, buffer) {
            if buffer.filled().len() > before {
                self.is_asked = true;
            } else {
                self.is_read_out = !self.connection.is_ended_here();
            }
            return Poll::Ready(outcome);
        }
        // Asked in any case, for that is what wakes the connection up when the stop begins.
        let is_stopping = self.begun.as_mut().poll(cx).is_ready();
        if is_stopping && !self.is_asked && !self.has_arrived() {
            return Poll::Ready(Ok(()));
        }
        Poll::Pending
    }
}

impl AsyncWrite for OrderlyEnd {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let outcome = ready!(Pin::new(&mut self.connection).poll_write(cx, bytes));
        self.is_asked = bytes.ends_with(CONTINUE);
        if self.stop.is_cancelled() {
            // It may be idle after this, and nothing else would wake it up.
            cx.waker().wake_by_ref();
        }
        Poll::Ready(outcome)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.connection).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.reading_off.is_none() {
            ready!(Pin::new(&mut self.connection).poll_shutdown(cx))?;
            self.count.finished();
            if self.is_read_out {
                return Poll::Ready(Ok(()));
            }
        }
        self.poll_read_off(cx).map(Ok)
    }
}

#[cfg(test)]
mod tests;
