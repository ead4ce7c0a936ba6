//! From a host to its addresses.
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::Arc;

/// Finds all addresses of a host, in the order in which they are to be tried; their ports do not count. Blocks.
type LookUp = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

/// Looks names up, anew for each connection.
#[derive(Clone)]
pub struct Names {
    look_up: Arc<LookUp>,
}

impl Names {
    /// Names that `look_up` finds the addresses of, in the order in which they are to be tried; their ports do not count.
    /// It may block.
    pub fn new(look_up: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        Self {
            look_up: Arc::new(look_up),
        }
    }

    /// The addresses of a URL's host: of an address, in brackets or not, it alone.
    ///
    /// # Errors
    /// When the look-up fails.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = address(host) {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let (look_up, host) = (Arc::clone(&self.look_up), host.to_owned());
        let mut addresses = actix_rt::task::spawn_blocking(move || look_up(&host)).await??;
        for address in &mut addresses {
            address.set_port(port);
        }
        Ok(addresses)
    }
}

impl Default for Names {
    /// The system's: files, name services, whatever it is configured to. It asks for the addresses of both families.
    fn default() -> Self {
        Self::new(|host| Ok((host, 0).to_socket_addrs()?.collect()))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Names")
    }
}

fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn addresses(names: &Names, host: &str) -> Vec<String> {
        let addresses = names.addresses(host, 80).await.unwrap();
        addresses.iter().map(ToString::to_string).collect()
    }

    #[actix_rt::test]
    async fn addresses_are_not_looked_up() {
        let names = Names::new(|host| panic!("{host} was looked up"));
        assert_eq!(addresses(&names, "10.0.0.1").await, ["10.0.0.1:80"]);
        assert_eq!(addresses(&names, "[::1]").await, ["[::1]:80"]);
    }

    #[actix_rt::test]
    async fn names_give_their_addresses_with_the_urls_port() {
        let names = Names::new(|host| {
            assert_eq!(host, "upstream.test");
            Ok(vec![([10, 0, 0, 1], 1).into(), ([10, 0, 0, 2], 0).into()])
        });
        assert_eq!(
            addresses(&names, "upstream.test").await,
            ["10.0.0.1:80", "10.0.0.2:80"]
        );
        assert!(!addresses(&Names::default(), "localhost").await.is_empty());
    }
}
