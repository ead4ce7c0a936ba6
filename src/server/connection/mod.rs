//! Connections: the wrapper around each accepted socket.
//!
//! The HTTP dispatcher reads and writes through it, so that it sees what the dispatcher does not tell: when the peer
//! stops taking bytes, and when it sends some. What it sees is kept in the connection's state, which a request reaches
//! by `conn_data::<Rc<ConnectionState>>()`.
mod state;

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_web::rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

pub(crate) use state::ConnectionState;

/// An accepted socket and what is known of it.
#[derive(Debug)]
pub(super) struct Connection {
    stream: TcpStream,
    state: Rc<ConnectionState>,
}

impl Connection {
    /// Wraps a socket.
    pub(super) fn new(stream: TcpStream) -> Self {
        Self {
            stream,
            state: Rc::new(ConnectionState::default()),
        }
    }

    /// The state that its requests share.
    pub(super) fn state(&self) -> &Rc<ConnectionState> {
        &self.state
    }

    /// The peer's address; `None` where the peer has gone already.
    pub(super) fn peer_address(&self) -> Option<SocketAddr> {
        self.stream.peer_addr().ok()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, into)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.state
            .note_unsent(if written.is_pending() { bytes.len() } else { 0 });
        written
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests;
