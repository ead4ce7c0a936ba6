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
use tokio::io::{AsyncRead, ReadBuf};

/// What actix-http writes before it reads a body that waits for it: no answer yet.
const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";
/// Bytes read off at once.
const READ_OFF: usize = 4096;
/// How often in a turn: others of the worker wait.
const READS_A_TURN: usize = 16;
/// The most that is read off after the end was announced: who sends more is no client with a request under way.
const MOST_READ_OFF: usize = 1024 * 1024;

/// How far a connection is from its end.
#[derive(Debug, Default)]
pub(in crate::server) struct OrderlyEnd {
    /// Whether bytes have come since the last ones were written: a request, or a part of it, waits for its answer.
    is_asked: bool,
    /// Whether the client has said that it sends nothing more.
    is_read_out: bool,
    reading_off: Option<Box<ReadingOff>>,
}

/// The end has been announced.
#[derive(Debug)]
struct ReadingOff {
    until: Pin<Box<Sleep>>,
    read: usize,
}

impl OrderlyEnd {
    /// Notes what a read has given; no bytes are the client's end, or the server's.
    pub(in crate::server) fn note_read(&mut self, has_bytes: bool, is_ended_here: bool) {
        if has_bytes {
            self.is_asked = true;
        } else {
            self.is_read_out = !is_ended_here;
        }
    }

    /// Notes what the dispatcher writes.
    pub(super) fn note_written(&mut self, bytes: &[u8]) {
        self.is_asked = bytes.ends_with(CONTINUE);
    }

    /// Whether a request, or a part of it, waits for its answer.
    pub(super) fn is_asked(&self) -> bool {
        self.is_asked
    }

    /// Whether the end has been announced.
    pub(in crate::server) fn is_announced(&self) -> bool {
        self.reading_off.is_some()
    }

    /// Whether anything came after that.
    pub(super) fn has_read_off(&self) -> bool {
        self.reading_off
            .as_ref()
            .is_some_and(|reading_off| reading_off.read > 0)
    }

    /// Reads off what still comes after the announced end, for at most `patience`.
    pub(in crate::server) fn poll_read_off(
        &mut self,
        stream: &mut (impl AsyncRead + Unpin),
        patience: Duration,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        if self.is_read_out {
            return Poll::Ready(Ok(()));
        }
        let reading_off = self.reading_off.get_or_insert_with(|| {
            Box::new(ReadingOff {
                until: Box::pin(sleep(patience)),
                read: 0,
            })
        });
        if reading_off.until.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        let mut bytes = [MaybeUninit::uninit(); READ_OFF];
        for _ in 0..READS_A_TURN {
            let mut buffer = ReadBuf::uninit(&mut bytes);
            let outcome = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer));
            let read = buffer.filled().len();
            reading_off.read += read;
            if outcome.is_err() || read == 0 || reading_off.read > MOST_READ_OFF {
                return Poll::Ready(Ok(()));
            }
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

#[cfg(test)]
mod tests;
