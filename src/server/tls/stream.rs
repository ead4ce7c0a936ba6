//! The byte stream of a connection over TLS.
use std::io::{self, BufRead as _, ErrorKind, Write};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tokio::io::{AsyncBufRead as _, AsyncRead, AsyncWrite, ReadBuf};
use tokio_rustls::server;

use super::super::connection::ByteStream;
use super::socket::TlsSocket;
use super::terms::HTTP2;

/// What is encrypted ahead of a socket that takes nothing: a record of the largest size, about. With what the dispatcher
/// holds, a peer that does not read costs no more than 64 KiB. An answer that fits is one record and one write.
pub(super) const AHEAD: usize = 16 * 1024;

/// TLS over a socket, after the handshake.
///
/// Where the socket ends without the alert that should come first (RFC 8446 §6.1) it ends like one without TLS: the framing
/// of HTTP tells whether a message is whole.
#[derive(Debug)]
pub(in crate::server) struct TlsStream {
    inner: server::TlsStream<TlsSocket>,
}

impl TlsStream {
    pub(super) fn new(inner: server::TlsStream<TlsSocket>) -> Self {
        Self { inner }
    }
}

fn is_end(error: &io::Error) -> bool {
    error.kind() == ErrorKind::UnexpectedEof
}

impl ByteStream for TlsStream {
    fn socket(&self) -> &TcpStream {
        self.inner.get_ref().0.stream()
    }

    /// A part of a record counts: what is in it cannot be known yet.
    fn has_arrived(&mut self) -> bool {
        let (socket, session) = self.inner.get_mut();
        let has_decrypted = session.reader().fill_buf().is_ok_and(|bytes| !bytes.is_empty());
        has_decrypted || socket.is_within_record() || socket.stream_mut().has_arrived()
    }

    fn is_within_part(&self) -> bool {
        self.inner.get_ref().0.is_within_record()
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let (socket, session) = self.inner.get_mut();
        let nothing_is_decrypted =
            matches!(session.reader().fill_buf(), Err(error) if error.kind() == ErrorKind::WouldBlock);
        if nothing_is_decrypted {
            ready!(socket.stream().poll_read_ready(cx)).ok();
        }
        Poll::Ready(())
    }

    /// Reads up to a record, which stays decrypted: the peer may have said in it that it sends nothing more.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        Poll::Ready(match ready!(Pin::new(&mut self.inner).poll_fill_buf(cx)) {
            Ok(decrypted) => Ok(decrypted.is_empty()),
            Err(error) if is_end(&error) => Ok(true),
            Err(error) => Err(error),
        })
    }

    fn send_now(&mut self, bytes: &[u8]) -> io::Result<()> {
        let (socket, session) = self.inner.get_mut();
        session.writer().write_all(bytes)?;
        while session.wants_write() {
            session.write_tls(&mut Now(socket.stream()))?;
        }
        Ok(())
    }

    fn has_unsent(&self) -> bool {
        self.inner.get_ref().1.wants_write()
    }

    fn has_agreed_on_http2(&self) -> Option<bool> {
        Some(self.inner.get_ref().1.alpn_protocol() == Some(HTTP2))
    }
}

/// A socket that is written to without tokio.
struct Now<'a>(&'a TcpStream);

impl Write for Now<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        SockRef::from(self.0).send(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsyncRead for TlsStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match ready!(Pin::new(&mut self.inner).poll_read(cx, into)) {
            Err(error) if is_end(&error) => Poll::Ready(Ok(())),
            outcome => Poll::Ready(outcome),
        }
    }
}

impl AsyncWrite for TlsStream {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    /// The peer is told by an alert, and then by the end of the socket's side.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
