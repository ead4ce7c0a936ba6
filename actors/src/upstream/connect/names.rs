//! From a host to its addresses, one look-up a host at a time.
use std::collections::HashMap;
use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr, ToSocketAddrs as _};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use futures::FutureExt as _;
use futures::future::Shared;
use tokio::sync::oneshot;

/// Hosts that are looked up at once. The configuration names two, `api_url`'s and `realtime.upstream_url`'s, and the variables
/// three proxies; redirects stay within their origin.
const LOOK_UPS_AT_ONCE: usize = 8;

/// Finds all addresses of a host, in the order in which they are to be tried; their ports do not count. Blocks.
type LookUp = dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync;

type Found = Result<Vec<SocketAddr>, Arc<io::Error>>;

/// Looks names up, anew for each connection. Whoever asks for a host that is being looked up waits for the same look-up:
/// where the name service hangs, which no caller can end, it holds one thread and not one for each asker. Those threads are
/// of their own: neither other blocking work nor the end of a runtime waits for them. Clones share the look-ups.
#[derive(Clone)]
pub struct Names {
    inner: Arc<Inner>,
}

struct Inner {
    look_up: Box<LookUp>,
    under_way: Mutex<HashMap<String, Shared<oneshot::Receiver<Found>>>>,
}

impl Names {
    /// Names that `look_up` finds the addresses of, in the order in which they are to be tried; their ports do not count.
    /// It may block.
    pub fn new(look_up: impl Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync + 'static) -> Self {
        let inner = Inner {
            look_up: Box::new(look_up),
            under_way: Mutex::default(),
        };
        Self {
            inner: Arc::new(inner),
        }
    }

    /// The addresses of a URL's host: of an address, in brackets or not, it alone.
    ///
    /// # Errors
    /// When the look-up fails, or cannot begin.
    pub(super) async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        if let Some(address) = address(host) {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        let found = self.look_up(host)?.await;
        let found = found.map_err(|_| io::Error::other("the look-up broke off"))?;
        let mut addresses = found.map_err(|error| io::Error::new(error.kind(), error))?;
        for address in &mut addresses {
            address.set_port(port);
        }
        Ok(addresses)
    }

    /// The look-up of this host that is under way, else a new one.
    fn look_up(&self, host: &str) -> io::Result<Shared<oneshot::Receiver<Found>>> {
        let mut under_way = self.inner.under_way();
        if let Some(found) = under_way.get(host) {
            return Ok(found.clone());
        }
        if under_way.len() >= LOOK_UPS_AT_ONCE {
            return Err(io::ErrorKind::ResourceBusy.into());
        }
        let (sender, found) = oneshot::channel();
        let (inner, name) = (Arc::clone(&self.inner), host.to_owned());
        let look_up = move || {
            let ending = Ending { inner: &inner, name };
            let found = (inner.look_up)(&ending.name).map_err(Arc::new);
            // Before anybody hears of it: whoever asks after that has a look-up of their own.
            drop(ending);
            // All who asked may have given up waiting.
            let _ = sender.send(found);
        };
        thread::Builder::new().name("names".to_owned()).spawn(look_up)?;
        let found = found.shared();
        under_way.insert(host.to_owned(), found.clone());
        Ok(found)
    }
}

impl Inner {
    fn under_way(&self) -> MutexGuard<'_, HashMap<String, Shared<oneshot::Receiver<Found>>>> {
        self.under_way.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends a look-up, also where it panics.
struct Ending<'a> {
    inner: &'a Inner,
    name: String,
}

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.inner.under_way().remove(&self.name);
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
        let under_way = self.inner.under_way().len();
        f.debug_struct("Names").field("under_way", &under_way).finish()
    }
}

fn address(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use futures::future::join_all;

    use super::*;

    async fn addresses(names: &Names, host: &str) -> Vec<String> {
        let addresses = names.addresses(host, 80).await.unwrap();
        addresses.iter().map(ToString::to_string).collect()
    }

    /// A name service that hangs until it is told the last number of the address, for each look-up anew.
    fn hanging() -> (Names, mpsc::Sender<u8>) {
        let (tell, told) = mpsc::channel();
        let told = Mutex::new(told);
        let names = Names::new(move |host| {
            if host == "other.test" {
                return Ok(vec![([10, 0, 0, 9], 0).into()]);
            }
            let last = told.lock().unwrap().recv().map_err(io::Error::other)?;
            Ok(vec![([10, 0, 0, last], 0).into()])
        });
        (names, tell)
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

    #[actix_rt::test]
    async fn all_who_ask_for_a_host_wait_for_one_look_up() {
        let (names, tell) = hanging();
        let mut asking: Vec<_> = (0..30)
            .map(|_| Box::pin(names.addresses("upstream.test", 80)))
            .collect();
        for asking in &mut asking {
            assert!(asking.as_mut().now_or_never().is_none());
        }
        // One gives up waiting.
        asking.pop();
        assert_eq!(addresses(&names, "other.test").await, ["10.0.0.9:80"]);

        // One answer, which one look-up takes: it is everybody's.
        tell.send(1).unwrap();
        for found in join_all(asking).await {
            assert_eq!(found.unwrap(), [([10, 0, 0, 1], 80).into()]);
        }
        tell.send(2).unwrap();
        assert_eq!(
            addresses(&names, "upstream.test").await,
            ["10.0.0.2:80"],
            "looked up anew"
        );
    }

    #[actix_rt::test]
    async fn a_failure_is_everybodys_and_not_kept() {
        let (names, tell) = hanging();
        let both = [1, 2].map(|port| names.addresses("upstream.test", port));
        drop(tell);
        for found in join_all(both).await {
            assert_eq!(found.unwrap_err().kind(), io::ErrorKind::Other);
        }
        assert!(names.inner.under_way().is_empty());
    }

    #[actix_rt::test]
    async fn look_ups_are_bounded() {
        let (names, tell) = hanging();
        for number in 0..LOOK_UPS_AT_ONCE {
            assert!(
                names
                    .addresses(&format!("{number}.test"), 80)
                    .now_or_never()
                    .is_none()
            );
        }
        let refused = names.addresses("other.test", 80).await;
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::ResourceBusy);
        drop(tell);
    }

    #[actix_rt::test]
    async fn a_look_up_that_panics_is_a_failure() {
        let names = Names::new(|_| panic!("injected into a look-up"));
        for _ in 0..2 {
            let failed = names.addresses("upstream.test", 80).await;
            assert_eq!(failed.unwrap_err().to_string(), "the look-up broke off");
        }
    }
}
