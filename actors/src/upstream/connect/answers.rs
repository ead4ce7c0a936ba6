//! A connection whose answers are such as awc reads.
//!
//! awc 3.11 does not read all that HTTP/1.1 answers may be (actix-http's client decoder is made for no more):
//! - a body with neither length nor chunks counts as empty, except in HTTP/1.0, and its connection as one to keep;
//! - an interim answer counts as the answer, and what follows is lost with its connection;
//! - a head with more than 96 fields is refused, and so is one with `Content-Length` twice;
//! - a body that breaks off counts as whole wherever the connection ends between two reads.
//!
//! Its pool, its requests and its decoding of lengths and chunks serve well, so they stay, and what lies beneath says the same in the
//! words that awc understands: interim answers are left out, other heads are written anew (`head`), and an end of the connection
//! is an error unless it is the end of the body. Bodies pass through untouched and uncopied.
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::{fmt, mem};

use actix_rt::net::{ActixStream, Ready};
use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::head::{self, Head};
use super::transport::Transport;
use crate::upstream::Fault;

/// What is read of a head at a time.
const PIECE: usize = 4 * 1024;
/// How every answer in HTTP/1 begins.
const BEGINNING: &[u8] = b"HTTP/1.";
/// The type of a TLS record that holds an alert (RFC 8446, 5.1): what a TLS server says to a plain request.
const TLS_ALERT: u8 = 0x15;

/// The connection as awc sees it.
pub(crate) struct Answers {
    transport: Box<dyn Transport>,
    /// Whether TLS is spoken with the server itself, and not only with a proxy before it.
    is_tls: bool,
    phase: Phase,
    /// Whether there was an answer already, and the connection was kept.
    is_kept: bool,
    /// What came of a head; then what of it, and of the body, awc has not taken yet.
    received: BytesMut,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    /// A head is to come; so many received bytes hold no end of it.
    Head { searched: usize },
    /// A body is to come, or nothing until the next request.
    Body { ends_with_connection: bool },
}

impl Answers {
    /// Over a transport on which TLS is spoken with the server, or not.
    pub(super) fn new(transport: Box<dyn Transport>, is_tls: bool) -> Self {
        Self {
            transport,
            is_tls,
            phase: Phase::Head { searched: 0 },
            is_kept: false,
            received: BytesMut::new(),
        }
    }

    /// awc reads nothing of an answer before it has written the whole request, so whatever is written begins the next one, or
    /// goes on with it.
    fn request(&mut self) {
        if matches!(self.phase, Phase::Body { .. }) {
            self.phase = Phase::Head { searched: 0 };
            self.is_kept = true;
        }
    }

    /// The connection ended in an answer's place.
    fn closed(&self) -> io::Error {
        if self.is_kept {
            Fault::ClosedMeanwhile.into()
        } else {
            Fault::Closed.into()
        }
    }

    /// Why a request was not sent: a connection takes bytes, at once or in a while, unless it has ended. Who ended it may have
    /// said why, as TLS 1.3 does of a client's certificate when the handshake is over for the client: that can be read then, or
    /// the end, as soon as the system has told of it.
    fn poll_unsent(&mut self, cx: &mut Context<'_>, error: io::Error) -> Poll<io::Error> {
        if Fault::is_of_tls(&error) {
            return Poll::Ready(error);
        }
        let mut last_words = [0; PIECE];
        let read = Pin::new(&mut self.transport).poll_read(cx, &mut ReadBuf::new(&mut last_words));
        match ready!(read) {
            Err(said) if Fault::is_of_tls(&said) => Poll::Ready(said),
            Ok(()) | Err(_) => Poll::Ready(self.closed()),
        }
    }

    /// Makes the next body, if what was received holds a final head.
    fn take_head(&mut self) -> Result<(), Fault> {
        while let Phase::Head { searched } = self.phase {
            if searched == 0 {
                // Some write an empty line after a body whose length does not hold it.
                let blank = |byte: &&u8| matches!(byte, b'\r' | b'\n');
                self.received
                    .advance(self.received.iter().take_while(blank).count());
            }
            self.check_beginning()?;
            let Some(end) = head::end(&self.received, searched) else {
                self.phase = Phase::Head {
                    searched: self.received.len(),
                };
                return if self.received.len() > head::MOST_BYTES {
                    Err(Fault::HeadTooLarge)
                } else {
                    Ok(())
                };
            };
            let rest = self.received.split_off(end);
            let head = mem::replace(&mut self.received, rest);
            match head::read(&head)? {
                Head::Interim => self.phase = Phase::Head { searched: 0 },
                Head::Final {
                    mut text,
                    ends_with_connection,
                } => {
                    text.extend_from_slice(&self.received);
                    self.received = BytesMut::from(text.as_slice());
                    self.phase = Phase::Body { ends_with_connection };
                }
            }
        }
        Ok(())
    }

    /// Whether it can become an answer in HTTP/1.
    fn check_beginning(&self) -> Result<(), Fault> {
        let is_http = self
            .received
            .iter()
            .zip(BEGINNING)
            .all(|(came, expected)| came == expected);
        if is_http {
            Ok(())
        } else if self.received.first() == Some(&TLS_ALERT) && !self.is_tls {
            Err(Fault::HttpSpokenToTls)
        } else {
            Err(Fault::NotHttp)
        }
    }

    /// Receives more of a head.
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut piece = [0; PIECE];
        let mut piece = ReadBuf::new(&mut piece);
        let has_begun = !self.received.is_empty();
        match ready!(Pin::new(&mut self.transport).poll_read(cx, &mut piece)) {
            Ok(()) if !piece.filled().is_empty() => {
                self.received.extend_from_slice(piece.filled());
                Poll::Ready(Ok(()))
            }
            Err(error) if Fault::is_of_tls(&error) => Poll::Ready(Err(error)),
            Ok(()) | Err(_) if has_begun => Poll::Ready(Err(Fault::Cut.into())),
            Ok(()) | Err(_) => Poll::Ready(Err(self.closed())),
        }
    }

    fn poll_body(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
        ends_with_connection: bool,
    ) -> Poll<io::Result<()>> {
        if !self.received.is_empty() {
            let taken = self
                .received
                .split_to(self.received.len().min(buffer.remaining()));
            buffer.put_slice(&taken);
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.transport).poll_read(cx, buffer))?;
        let is_end = buffer.filled().len() == before && buffer.remaining() > 0;
        if is_end && !ends_with_connection {
            return Poll::Ready(Err(Fault::Cut.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Answers {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            if let Phase::Body { ends_with_connection } = self.phase {
                return self.poll_body(cx, buffer, ends_with_connection);
            }
            ready!(self.poll_head(cx))?;
            self.take_head()?;
        }
    }
}

impl AsyncWrite for Answers {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.request();
        match ready!(Pin::new(&mut self.transport).poll_write(cx, bytes)) {
            Ok(written) => Poll::Ready(Ok(written)),
            Err(error) => self.poll_unsent(cx, error).map(Err),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.transport).poll_flush(cx)) {
            Ok(()) => Poll::Ready(Ok(())),
            Err(error) => self.poll_unsent(cx, error).map(Err),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(cx)
    }
}

impl ActixStream for Answers {
    fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_read_ready(self.transport.tcp(), cx)
    }

    fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<Ready>> {
        ActixStream::poll_write_ready(self.transport.tcp(), cx)
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Answers")
            .field("phase", &self.phase)
            .finish_non_exhaustive()
    }
}
