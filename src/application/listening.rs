//! Where a server listens: `server.host` and `server.port`, or those of another section, become bound listeners.
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};

use rustix::io::Errno;

use crate::server::tls::TlsError;
use crate::server::{self, BoundListener};
use crate::settings::ListenHost;

/// The section of the public port.
const SERVER: &str = "server";

/// The server cannot listen where it should.
#[derive(Debug)]
pub struct ListenError {
    /// The address, or the host's name where it has none.
    place: String,
    source: io::Error,
    /// The section of the configuration that says where.
    section: &'static str,
}

impl std::error::Error for ListenError {}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            place,
            source,
            section,
        } = self;
        write!(
            f,
            "cannot listen on {place}: {source}; choose another {section}.host or {section}.port, or free this one"
        )
    }
}

impl ListenError {
    pub(super) fn new(place: impl ToString, source: io::Error) -> Self {
        Self {
            place: place.to_string(),
            source,
            section: SERVER,
        }
    }

    /// The same for what another section of the configuration says.
    pub(super) fn of(self, section: &'static str) -> Self {
        Self { section, ..self }
    }
}

/// Why an application cannot be built.
#[derive(Debug)]
pub enum StartError {
    /// The certificate or its key cannot be used, which is a matter of the configuration.
    Tls(TlsError),
    /// It cannot listen.
    Listen(ListenError),
    /// The system allows no thread for an actor.
    Thread(io::Error),
}

impl std::error::Error for StartError {}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tls(error) => error.fmt(f),
            Self::Listen(error) => error.fmt(f),
            Self::Thread(error) => write!(
                f,
                "cannot start an actor's thread: {error}; raise the limits of threads and of open files"
            ),
        }
    }
}

impl From<TlsError> for StartError {
    fn from(error: TlsError) -> Self {
        Self::Tls(error)
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
pub(super) fn bind(host: &ListenHost, port: u16) -> Result<Vec<BoundListener>, ListenError> {
    if *host == ListenHost::Address(Ipv6Addr::UNSPECIFIED.into()) {
        return bind_any(port, server::bind).map(|listener| vec![listener]);
    }
    let place = format!("{host}:{port}");
    addresses(host, port)
        .map_err(|source| ListenError::new(&place, source))
        .and_then(|addresses| bind_each(&place, &addresses, server::bind))
}

/// Binds any address, of both families where the system has IPv6, else of IPv4 alone.
fn bind_any<L>(port: u16, bind: impl Fn(SocketAddr) -> io::Result<L>) -> Result<L, ListenError> {
    let bind_to = |address: IpAddr| {
        let address = SocketAddr::new(address, port);
        bind(address).map_err(|source| ListenError::new(address, source))
    };
    match bind_to(Ipv6Addr::UNSPECIFIED.into()) {
        Err(error) if is_absent(&error.source) => bind_to(Ipv4Addr::UNSPECIFIED.into()),
        bound => bound,
    }
}

/// How often the system is asked for another port, where somebody has the one that it chose at another of the addresses.
const OTHER_PORTS: usize = 16;

/// Binds all of them that this machine has; at one port, where the system is to choose it.
fn bind_each(
    place: &str,
    addresses: &[SocketAddr],
    bind: impl Fn(SocketAddr) -> io::Result<BoundListener>,
) -> Result<Vec<BoundListener>, ListenError> {
    let is_chosen = addresses.first().is_some_and(|address| address.port() == 0);
    for _ in 0..OTHER_PORTS {
        match bind_each_once(place, addresses, &bind) {
            Err(error) if is_chosen && error.source.kind() == io::ErrorKind::AddrInUse => {}
            outcome => return outcome,
        }
    }
    bind_each_once(place, addresses, &bind)
}

fn bind_each_once(
    place: &str,
    addresses: &[SocketAddr],
    bind: impl Fn(SocketAddr) -> io::Result<BoundListener>,
) -> Result<Vec<BoundListener>, ListenError> {
    let mut bound: Vec<BoundListener> = Vec::new();
    let mut absent = Vec::new();
    for &(mut address) in addresses {
        if let Some(first) = bound.first() {
            // The same one for all where the system chose it.
            address.set_port(first.address().port());
        }
        match bind(address) {
            Ok(listener) => bound.push(listener),
            Err(source) if is_absent(&source) => absent.push(ListenError::new(address, source)),
            Err(source) => return Err(ListenError::new(address, source)),
        }
    }
    if !bound.is_empty() {
        for ListenError {
            place: absent,
            source,
            ..
        } in absent
        {
            log::warn!("{place}: not listening on {absent}: {source}");
        }
        return Ok(bound);
    }
    let none = || ListenError::new(place, io::Error::other("the name has no address"));
    Err(absent.pop().unwrap_or_else(none))
}

/// Whether each address that would be bound could be, without taking any. Those that this machine does not have are left out, unless
/// it has none.
///
/// # Errors
/// Where the name has no address.
pub(crate) fn try_addresses(host: &ListenHost, port: u16) -> io::Result<Vec<(SocketAddr, io::Result<()>)>> {
    let all = addresses(host, port)?;
    let is_any = matches!(host, ListenHost::Address(address) if *address == Ipv6Addr::UNSPECIFIED);
    let mut tried = Vec::new();
    for address in all {
        match server::try_bind(address) {
            Err(error) if is_absent(&error) && is_any => {
                let any = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
                tried.push((any, server::try_bind(any)));
            }
            outcome => tried.push((address, outcome)),
        }
    }
    let is_there = |outcome: &io::Result<()>| !matches!(outcome, Err(error) if is_absent(error));
    if tried.iter().any(|(_, outcome)| is_there(outcome)) {
        tried.retain(|(_, outcome)| is_there(outcome));
    }
    Ok(tried)
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
    use std::cell::Cell;

    use super::*;

    fn bound(addresses: &[&str]) -> Result<Vec<SocketAddr>, String> {
        bound_by(addresses, server::bind)
    }

    fn bound_by(
        addresses: &[&str],
        bind: impl Fn(SocketAddr) -> io::Result<BoundListener>,
    ) -> Result<Vec<SocketAddr>, String> {
        let addresses: Vec<_> = addresses.iter().map(|address| address.parse().unwrap()).collect();
        let outcome = bind_each("name:0", &addresses, bind);
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
    #[cfg(target_os = "linux")]
    fn a_port_that_somebody_has_at_another_address_is_not_chosen() {
        let taken = Cell::new(3);
        let bind = |address: SocketAddr| {
            if address.ip() != Ipv4Addr::LOCALHOST && taken.get() > 0 {
                taken.set(taken.get() - 1);
                return Err(io::ErrorKind::AddrInUse.into());
            }
            server::bind(address)
        };
        let bound = bound_by(&["127.0.0.1:0", "127.0.0.2:0"], bind).unwrap();
        assert_eq!(bound[0].port(), bound[1].port());
        // One that is asked for is.
        taken.set(1);
        let port = bound[0].port();
        let asked = ["127.0.0.1", "127.0.0.2"].map(|ip| format!("{ip}:{port}"));
        assert!(bound_by(&asked.each_ref().map(String::as_str), bind).is_err());
        assert_eq!(taken.get(), 0);
    }

    #[test]
    fn any_address_is_of_ipv4_alone_where_the_system_has_no_ipv6() {
        let refuses = |errno: Errno| {
            move |address: SocketAddr| match address {
                SocketAddr::V4(_) => Ok(address),
                SocketAddr::V6(_) => Err(io::Error::from(errno)),
            }
        };
        for errno in [Errno::AFNOSUPPORT, Errno::ADDRNOTAVAIL] {
            let bound = bind_any(8000, refuses(errno)).unwrap();
            assert_eq!(bound.to_string(), "0.0.0.0:8000");
        }
        let taken = bind_any(8000, refuses(Errno::ADDRINUSE)).unwrap_err().to_string();
        assert!(taken.starts_with("cannot listen on [::]:8000: "), "{taken}");
        assert_eq!(bind_any(8000, Ok).unwrap().to_string(), "[::]:8000");
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
