//! Where the server listens. It is bound before anything else starts, so that a taken port costs nothing.
use std::io;
use std::net::{SocketAddr, SocketAddrV6, TcpListener};

use socket2::{Domain, SockRef, Socket, Type};

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

/// Binds to a TCP address and listens. Port 0 lets the system choose. `::` is any address of both families, whatever the
/// system's own default (`net.ipv6.bindv6only`).
///
/// # Errors
/// Where the system refuses the address, as it does for one that is taken.
pub(crate) fn bind(address: SocketAddr) -> io::Result<BoundListener> {
    let listener = match address {
        SocketAddr::V6(address) if address.ip().is_unspecified() => bind_both_families(address)?,
        address => TcpListener::bind(address)?,
    };
    SockRef::from(&listener).listen(BACKLOG)?;
    Ok(BoundListener {
        address: listener.local_addr()?,
        listener: Listener::Tcp(listener),
    })
}

/// Whether it could be bound to an address now, without taking it: neither from a process that listens there nor from one that is
/// about to. Such a socket alone keeps nobody out, for it does not listen, and both may be bound (`SO_REUSEADDR`).
///
/// # Errors
/// As those of [`bind`].
pub(crate) fn try_bind(address: SocketAddr) -> io::Result<()> {
    bound_alone(address).map(drop)
}

/// Bound, and not listening.
fn bound_alone(address: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
    if let SocketAddr::V6(address) = address
        && address.ip().is_unspecified()
    {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    Ok(socket)
}

/// Clients with IPv4 come in as `::ffff:a.b.c.d` (RFC 4291 §2.5.5.2).
fn bind_both_families(address: SocketAddrV6) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::IPV6, Type::STREAM, None)?;
    socket.set_only_v6(false)?;
    // As `TcpListener::bind` does it, so that connections of a process that has ended do not hold the port.
    socket.set_reuse_address(true)?;
    socket.bind(&SocketAddr::V6(address).into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

impl BoundListener {
    /// Gives the socket, for a server that is not this module's.
    pub(crate) fn into_tcp(self) -> TcpListener {
        let Listener::Tcp(listener) = self.listener;
        listener
    }

    /// Gives the address, with the port that the system chose.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;

    #[test]
    fn who_only_tries_an_address_keeps_nobody_out() {
        let free = bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let address = free.address();
        assert_eq!(try_bind(address).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(free);
        let trying = bound_alone(address).unwrap();
        let listening = bind(address).unwrap();
        assert_eq!(listening.address(), address);
        drop(trying);
        assert!(std::net::TcpStream::connect(address).is_ok());
    }
}
