use actix_rt::net::TcpStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::client::TlsStream;

/// What bytes come and go through: TCP, TLS over it, or TLS in the TLS that leads to a proxy.
pub(super) trait Transport: AsyncRead + AsyncWrite + Unpin {
    /// The TCP connection under all of it.
    fn tcp(&self) -> &TcpStream;
}

impl Transport for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Transport for TlsStream<Box<dyn Transport>> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0.tcp()
    }
}
