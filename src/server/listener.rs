//! Where the server listens. It is bound before anything else starts, so that a taken port costs nothing.
use std::io;
use std::net::{SocketAddr, TcpListener};

use socket2::SockRef;

/// Connections that may wait to be accepted: all subscribers of a process that went away come back at once.
const BACKLOG: i32 = 4096;

/// How connections come in.
#[derive(Debug)]
pub(super) enum Listener {
    /// TCP without TLS.
    Tcp(TcpListener),
}

/// A listener that is bound and takes connections; they wait until it is served.
#[derive(Debug)]
pub(crate) struct BoundListener {
    pub(super) listener: Listener,
    address: SocketAddr,
}

/// Binds to a TCP address and listens. Port 0 lets the system choose.
///
/// # Errors
/// Where the system refuses the address, as it does for one that is taken.
pub(crate) fn bind(address: SocketAddr) -> io::Result<BoundListener> {
    let listener = TcpListener::bind(address)?;
    SockRef::from(&listener).listen(BACKLOG)?;
    Ok(BoundListener {
        address: listener.local_addr()?,
        listener: Listener::Tcp(listener),
    })
}

impl BoundListener {
    /// Gives the address, with the port that the system chose.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}
