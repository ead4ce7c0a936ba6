//! Where the server listens: `server.host` and `server.port` become bound listeners.
use std::fmt;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

use rustix::io::Errno;

use crate::server::{self, BoundListener};
use crate::settings::{ListenHost, ServerSettings};

/// The server cannot listen where it should.
#[derive(Debug)]
pub struct ListenError {
    /// The address, or the host's name where it has none.
    place: String,
    source: io::Error,
}

impl std::error::Error for ListenError {}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { place, source } = self;
        write!(
            f,
            "cannot listen on {place}: {source}; choose another server.host or server.port, or free this one"
        )
    }
}

impl ListenError {
    pub(super) fn new(place: impl ToString, source: io::Error) -> Self {
        Self {
            place: place.to_string(),
            source,
        }
    }
}

/// Why an application cannot be built.
#[derive(Debug)]
pub enum StartError {
    /// It cannot listen.
    Listen(ListenError),
    /// The system allows no thread for an actor.
    Thread(io::Error),
}

impl std::error::Error for StartError {}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listen(error) => error.fmt(f),
            Self::Thread(error) => write!(
                f,
                "cannot start an actor's thread: {error}; raise the limits of threads and of open files"
            ),
        }
    }
}

impl From<ListenError> for StartError {
    fn from(error: ListenError) -> Self {
        Self::Listen(error)
    }
}

/// Binds every address of the host that this machine has, as the official proxy does for `localhost`, which is both
/// `127.0.0.1` and `::1`.
///
/// # Errors
/// Where the name has no address, this machine has none of them, or one of them is taken.
pub(super) fn bind(settings: &ServerSettings) -> Result<Vec<BoundListener>, ListenError> {
    let place = format!("{}:{}", settings.host, settings.port);
    addresses(&settings.host, settings.port)
        .map_err(|source| ListenError::new(&place, source))
        .and_then(|addresses| bind_each(&place, addresses))
}

fn bind_each(place: &str, addresses: Vec<SocketAddr>) -> Result<Vec<BoundListener>, ListenError> {
    let mut bound: Vec<BoundListener> = Vec::new();
    let mut absent = Vec::new();
    for mut address in addresses {
        if let Some(first) = bound.first() {
            // The same one for all where the system chose it.
            address.set_port(first.address().port());
        }
        match server::bind(address) {
            Ok(listener) => bound.push(listener),
            Err(source) if is_absent(&source) => absent.push(ListenError::new(address, source)),
            Err(source) => return Err(ListenError::new(address, source)),
        }
    }
    if !bound.is_empty() {
        for ListenError {
            place: absent,
            source,
        } in absent
        {
            log::warn!("{place}: not listening on {absent}: {source}");
        }
        return Ok(bound);
    }
    let none = || ListenError::new(place, io::Error::other("the name has no address"));
    Err(absent.pop().unwrap_or_else(none))
}

/// The addresses of a host, each of them once. A name is looked up, which blocks.
fn addresses(host: &ListenHost, port: u16) -> io::Result<Vec<SocketAddr>> {
    let name = match host {
        ListenHost::Address(address) => return Ok(vec![SocketAddr::new(*address, port)]),
        ListenHost::Name(name) => name,
    };
    let mut addresses = Vec::new();
    for address in (name.as_str(), port).to_socket_addrs()? {
        if !addresses.contains(&address) {
            addresses.push(address);
        }
    }
    Ok(addresses)
}

/// Whether this machine does not have the address, or nothing of its kind: a container without IPv6 may still know
/// `localhost` as `::1`.
fn is_absent(error: &io::Error) -> bool {
    matches!(
        Errno::from_io_error(error),
        Some(Errno::ADDRNOTAVAIL | Errno::AFNOSUPPORT)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bound(addresses: &[&str]) -> Result<Vec<SocketAddr>, String> {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let outcome = bind_each("name:0", addresses);
        outcome
            .map(|bound| bound.iter().map(BoundListener::address).collect())
            .map_err(|error| error.to_string())
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_name_is_listened_on_at_all_its_addresses_and_one_port() {
        let bound = bound(&["127.0.0.1:0", "192.0.2.1:0", "127.0.0.2:0"]).unwrap();
        let port = bound[0].port();
        assert_ne!(port, 0);
        let expected = ["127.0.0.1", "127.0.0.2"].map(|ip| SocketAddr::new(ip.parse().unwrap(), port));
        assert_eq!(bound, expected, "the documentation's address is no machine's");
    }

    #[test]
    fn a_taken_or_missing_address_is_told() {
        let holder = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let taken = holder.local_addr().unwrap().to_string();
        let line = bound(&[&taken]).unwrap_err();
        assert!(line.starts_with(&format!("cannot listen on {taken}: ")), "{line}");
        let line = bound(&["192.0.2.1:0"]).unwrap_err();
        assert!(line.starts_with("cannot listen on 192.0.2.1:0: "), "{line}");
        let line = bound(&[]).unwrap_err();
        assert!(
            line.starts_with("cannot listen on name:0: the name has no"),
            "{line}"
        );
    }
}
