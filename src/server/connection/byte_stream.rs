//! Byte streams: what a connection goes over, which is a TCP socket, or TLS over one.
use std::io;
use std::mem::MaybeUninit;
use std::task::{Context, Poll, ready};

use actix_web::rt::net::TcpStream;
use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// What a connection reads from and writes to, with what it has to know beyond that.
///
/// Code is made for each stream: between a connection and a bare socket there is nothing.
pub(in crate::server) trait ByteStream: AsyncRead + AsyncWrite + Unpin {
    /// The TCP socket under it.
    fn socket(&self) -> &TcpStream;

    /// Whether something has come that nobody has read, though tokio may not have been told of it yet: what the stream holds
    /// of it counts, too.
    fn has_arrived(&mut self) -> bool;

    /// Whether what has come is the beginning of something that cannot be read before all of it has.
    fn is_within_part(&self) -> bool {
        false
    }

    /// Resolves when something may be read.
    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()>;

    /// Resolves when something has come, which stays where it is, or the peer has ended its side: whether that is so.
    ///
    /// # Errors
    /// Those of a read.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>>;

    /// Sends bytes now, whether tokio knows that the socket takes them or not: of a new one it does not.
    ///
    /// # Errors
    /// Where the socket does not take them.
    fn send_now(&mut self, bytes: &[u8]) -> io::Result<()>;

    /// Whether it holds bytes that were written to it and that the socket has not taken.
    fn has_unsent(&self) -> bool;

    /// Whether both ends have agreed that HTTP/2 is spoken, as they do by ALPN; `None`: they had no way to.
    fn has_agreed_on_http2(&self) -> Option<bool> {
        None
    }
}

impl ByteStream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }

    fn has_arrived(&mut self) -> bool {
        SockRef::from(&*self)
            .peek(&mut [MaybeUninit::uninit()])
            .is_ok_and(|bytes| bytes > 0)
    }

    fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.poll_read_ready(cx).map(drop)
    }

    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<bool>> {
        let mut byte = [0];
        let peeked = ready!(self.poll_peek(cx, &mut ReadBuf::new(&mut byte)))?;
        Poll::Ready(Ok(peeked == 0))
    }

    fn send_now(&mut self, bytes: &[u8]) -> io::Result<()> {
        SockRef::from(&*self).send(bytes).map(drop)
    }

    fn has_unsent(&self) -> bool {
        false
    }
}
