//! The protocol: what a connection speaks whose client may know beforehand that HTTP/2 is spoken here.
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::ReadBuf;

use super::{ByteStream, Connection};
use crate::server::h2::{Http2Connection, PREFACE};

/// Bytes read at once, of which the first few tell.
const READ: usize = 1024;

impl<S: ByteStream> Connection<S> {
    /// Tells whether HTTP/2 is spoken: where that was not agreed on, and a client may know beforehand that it is, how the
    /// connection begins tells. What is read of it for that stays with it. Who begins with neither protocol, or with
    /// nothing, has begun no HTTP/2; the head of HTTP/1 that it is not has its time.
    pub(in crate::server) async fn speaks_http2(&mut self, may_be_known: bool) -> bool {
        match self.stream.has_agreed_on_http2() {
            Some(has_agreed) => has_agreed,
            None => may_be_known && poll_fn(|cx| self.poll_protocol(cx)).await,
        }
    }

    fn poll_protocol(&mut self, cx: &mut Context<'_>) -> Poll<bool> {
        self.state.note_task(cx.waker());
        loop {
            let come = self.inflow.partial_head();
            let (begin, _) = PREFACE.split_at(come.len().min(PREFACE.len()));
            if !come.starts_with(begin) {
                return Poll::Ready(false);
            }
            if begin.len() == PREFACE.len() {
                return Poll::Ready(true);
            }
            if self.state.ending().is_some() || (self.state.worker().is_stopping() && !self.has_arrived()) {
                return Poll::Ready(false);
            }
            let mut buffer = [0; READ];
            let mut read = ReadBuf::new(&mut buffer);
            let outcome = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read));
            if outcome.is_err() || read.filled().is_empty() {
                return Poll::Ready(false);
            }
            self.inflow.put_back(read.filled());
        }
    }

    /// Gives what speaks HTTP/2 instead of this.
    pub(in crate::server) fn into_http2(self) -> (S, Http2Connection) {
        let client = self.peer_address();
        let connection = Http2Connection {
            state: self.state,
            client,
            open: self.open,
            read_ahead: self.inflow.partial_head().to_vec(),
        };
        (self.stream, connection)
    }
}
