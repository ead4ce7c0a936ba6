//! A port that is a test's, whether anybody listens there or not.
use std::io::ErrorKind;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::thread;
use std::time::Instant;

use socket2::{Domain, Socket, Type};

use crate::wait::PATIENCE;

/// Keeps a port from being given to anybody else while this lives: not to a listener that takes any port, nor to a connection
/// that goes out. It does not listen itself, so connections there are refused; who names the port can listen there
/// (`SO_REUSEADDR`, which std's listeners and the proxy's set).
#[derive(Debug)]
pub struct ReservedPort {
    _socket: Socket,
    address: SocketAddr,
}

impl ReservedPort {
    /// Takes one of the system's choice on 127.0.0.1.
    pub fn any() -> Self {
        Self::at((Ipv4Addr::LOCALHOST, 0).into())
    }

    /// Takes this one, which nobody may listen on yet; port 0: the system chooses.
    ///
    /// # Panics
    /// Where somebody listens there.
    pub fn at(address: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None).expect("a socket");
        socket.set_reuse_address(true).unwrap();
        socket.bind(&address.into()).expect("a free port");
        let address = socket.local_addr().unwrap().as_socket().expect("an address");
        Self {
            _socket: socket,
            address,
        }
    }

    /// Its address.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Listens at an address where somebody of this process has listened before. A program that another test starts meanwhile has the
/// listener from before until it runs, so this waits for that.
///
/// # Panics
/// Where it is not free within [`PATIENCE`].
pub fn listen_again(address: SocketAddr) -> TcpListener {
    let begun = Instant::now();
    loop {
        match TcpListener::bind(address) {
            Err(error) if error.kind() == ErrorKind::AddrInUse && begun.elapsed() < PATIENCE => {
                thread::yield_now();
            }
            listener => return listener.expect("the port from before"),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn nobody_is_there_until_somebody_listens_and_again_afterwards() {
        let port = ReservedPort::any();
        let refused = || TcpStream::connect(port.address()).unwrap_err().kind();
        for _ in 0..2 {
            assert_eq!(refused(), ErrorKind::ConnectionRefused);
            let listener = listen_again(port.address());
            let _client = TcpStream::connect(port.address()).unwrap();
            let _accepted = listener.accept().unwrap();
        }
        assert_eq!(refused(), ErrorKind::ConnectionRefused);
    }
}
