//! Connecting to any of a name's addresses, as RFC 8305 ("Happy Eyeballs") says: a route that swallows packets, of one
//! address family above all, costs a quarter of a second and not the document. awc by itself tries the next address only
//! after an error, which such a route does not give for minutes.
//!
//! TLS is made here as well: awc makes it over what a connector gives, and [`Answers`] reads what comes out of it. Where a
//! proxy leads to the server, it alone is connected to, and it alone looks the server's name up.
//!
//! # Layout
//! - [`Connect`]: the service that awc asks for connections.
//! - [`Names`] (`names`): from a host to its addresses; one look-up a host at a time.
//! - `order`: the order in which addresses are tried; pure.
//! - `attempts`: when the next one is tried, and which of them wins.
//! - `admission`: whether a proxy takes the credentials that it is given.
//! - `tunnel`: a way through a proxy, by CONNECT; `transport`: TCP, and the layers of TLS over it.
//! - [`Answers`] (`answers`): a connection that gives answers such as awc reads; `head`: their heads, pure.
use std::sync::Arc;
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_service::Service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::http::Uri;
use futures::future::LocalBoxFuture;
use rustls::pki_types::ServerName;
use tokio::io::AsyncWriteExt as _;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::outgoing::OutgoingProxy;
use super::port::port;
use super::tls::{Configurations, Tls, noted};
use super::{Fault, Journal, Peer, ProxyFault, Stage, Step, UpstreamOptions};

mod admission;
mod answers;
mod attempts;
mod head;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use head::fuzz as fuzz_head;
mod names;
mod order;
mod transport;
mod tunnel;

pub(super) use admission::Admission;
pub use admission::ProxyAdmissions;
use answers::Answers;
pub use names::Names;
pub use transport::ByteStream;
pub(super) use transport::Transport;

/// Opens connections.
#[derive(Clone)]
pub(super) struct Connect {
    /// How hosts are found that are connected to.
    pub(super) names: Names,
    /// What every connection goes through, where there is any.
    pub(super) proxy: Option<OutgoingProxy>,
    /// Whether that takes the credentials that it is given, where it is given any.
    pub(super) admission: Option<Arc<Admission>>,
    /// How TLS is made, with the server and with a proxy.
    pub(super) tls: Tls,
    /// Whether TLS is spoken with the server.
    pub(super) is_tls: bool,
    /// What every connection to the server begins with, before TLS.
    pub(super) preface: &'static [u8],
    /// What the handshake of TLS with the server offers to speak (ALPN); empty: nothing, which is HTTP/1.1.
    protocols: &'static [&'static [u8]],
    /// What one connection may take, from the look-up of a name to the end of the last TLS handshake.
    pub(super) timeout: Duration,
    /// Where it is noted what is met.
    journal: Journal,
}

impl Connect {
    /// For URLs of this one's origin.
    pub(super) fn new(options: &UpstreamOptions, url: &Uri, timeout: Duration) -> Self {
        let proxy = options.proxies.of_url(url).cloned();
        let with_credentials = proxy.as_ref().filter(|proxy| proxy.has_credentials());
        Self {
            names: options.names.clone(),
            admission: with_credentials.map(|proxy| options.admissions.of(proxy)),
            proxy,
            tls: options.tls.clone(),
            is_tls: url.scheme_str() == Some("https"),
            preface: options.preface,
            protocols: &[],
            timeout,
            journal: options.journal.clone(),
        }
    }

    /// Opens a connection, and closes it again.
    pub(super) async fn try_once(self, url: &Uri) -> Result<(), Fault> {
        let (host, port) = place(url)?;
        self.connect(host, port).await.map(drop)
    }

    /// Opens a connection for a protocol of the caller's, one of those that the handshake of TLS offers (ALPN).
    pub(super) async fn open_for(
        mut self,
        url: &Uri,
        protocols: &'static [&'static [u8]],
    ) -> Result<Box<dyn Transport>, Fault> {
        self.protocols = protocols;
        let (host, port) = place(url)?;
        self.open(host, port).await
    }

    async fn connect(self, host: &str, port: u16) -> Result<Answers, Fault> {
        let transport = self.open(host, port).await?;
        Ok(Answers::new(transport, self.is_tls))
    }

    /// A connection in which nothing has been said yet.
    async fn open(&self, host: &str, port: u16) -> Result<Box<dyn Transport>, Fault> {
        let deadline = Instant::now() + self.timeout;
        let mut transport = match &self.proxy {
            Some(proxy) => self.through(proxy, (host, port), deadline).await?,
            None => self.tcp(Peer::Server, (host, port), deadline).await?,
        };
        let begun = timeout_at(deadline, transport.write_all(self.preface)).await;
        begun
            .map_err(|_| Fault::Late(Stage::Connect))?
            .map_err(|error| Fault::of_connecting(&error))?;
        if !self.is_tls {
            return Ok(transport);
        }
        self.handshake(Peer::Server, host, transport, deadline).await
    }

    /// A connection to the host itself.
    async fn tcp(
        &self,
        peer: Peer,
        (host, port): (&str, u16),
        deadline: Instant,
    ) -> Result<Box<dyn Transport>, Fault> {
        let addresses = timeout_at(deadline, self.names.addresses(host, port)).await;
        let addresses = addresses
            .map_err(|_| Fault::Late(Stage::Name))?
            .map_err(|error| match error.kind() {
                // Look-ups of other names hang.
                std::io::ErrorKind::ResourceBusy => Fault::Late(Stage::Name),
                _ => Fault::NameUnknown(error.to_string()),
            })?;
        if addresses.is_empty() {
            return Err(Fault::NameUnknown("it has no address".to_owned()));
        }
        self.journal.note(|| {
            let found = addresses.iter().map(std::net::SocketAddr::ip).collect();
            Step::Addresses(peer, found)
        });
        let connected = attempts::first_connected(order::interleaved(addresses), TcpStream::connect);
        let tcp = timeout_at(deadline, connected).await;
        let tcp = tcp
            .map_err(|_| Fault::Late(Stage::Connect))?
            .map_err(|error| Fault::of_connecting(&error))?;
        if let Ok(address) = tcp.peer_addr() {
            self.journal.note(|| Step::Connected(peer, address));
        }
        Ok(Box::new(tcp))
    }

    /// A connection to the server, in which nothing has been said yet, by way of the proxy.
    async fn through(
        &self,
        proxy: &OutgoingProxy,
        server: (&str, u16),
        deadline: Instant,
    ) -> Result<Box<dyn Transport>, Fault> {
        let mut transport = None;
        let open = async {
            let reached = self.to_proxy(proxy, deadline).await;
            let reached = transport.insert(reached.map_err(|fault| ProxyFault::NotReached(Box::new(fault)))?);
            let opened = timeout_at(deadline, tunnel::open(reached, proxy, server)).await;
            opened.unwrap_or(Err(ProxyFault::Late))
        };
        let opened = match &self.admission {
            Some(admission) => timeout_at(deadline, admission.open(open))
                .await
                .unwrap_or(Err(ProxyFault::Late)),
            None => open.await,
        };
        opened.map_err(Fault::Proxy)?;
        self.journal.note(|| Step::Tunnel);
        transport.ok_or(Fault::Proxy(ProxyFault::Closed))
    }

    async fn to_proxy(&self, proxy: &OutgoingProxy, deadline: Instant) -> Result<Box<dyn Transport>, Fault> {
        let transport = self
            .tcp(Peer::Proxy, (proxy.host(), proxy.port()), deadline)
            .await?;
        if !proxy.is_tls() {
            return Ok(transport);
        }
        self.handshake(Peer::Proxy, proxy.host(), transport, deadline)
            .await
    }

    async fn handshake(
        &self,
        peer: Peer,
        host: &str,
        transport: Box<dyn Transport>,
        deadline: Instant,
    ) -> Result<Box<dyn Transport>, Fault> {
        let Configurations {
            upstream,
            proxy,
            trusted,
        } = self.tls.current().await?;
        let of_peer = match peer {
            Peer::Server => upstream,
            Peer::Proxy => proxy,
        };
        let mut terms = noted(of_peer, &trusted, &self.journal, peer);
        if peer == Peer::Server && !self.protocols.is_empty() {
            let offered = self.protocols.iter().map(|protocol| protocol.to_vec());
            Arc::make_mut(&mut terms).alpn_protocols = offered.collect();
        }
        let connector = TlsConnector::from(terms);
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Fault::NameUnknown("it is no name that a certificate can hold".to_owned()))?;
        let tls = timeout_at(deadline, connector.connect(name, transport)).await;
        let tls = tls
            .map_err(|_| Fault::Late(Stage::Handshake))?
            .map_err(|error| Fault::of_handshake(&error))?;
        let version = tls.get_ref().1.protocol_version();
        self.journal.note(|| {
            Step::Tls(
                peer,
                version.and_then(|version| version.as_str()).unwrap_or("TLS"),
            )
        });
        Ok(Box::new(tls))
    }
}

/// The host and the port that a URL leads to.
fn place(url: &Uri) -> Result<(&str, u16), Fault> {
    let place = url.host().zip(port(url));
    place.ok_or_else(|| Fault::NameUnknown("the URL names no host, or no port that there is".to_owned()))
}

impl Service<ConnectInfo<Uri>> for Connect {
    type Response = Connection<Uri, Answers>;
    type Error = ConnectError;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    actix_service::always_ready!();

    fn call(&self, asked: ConnectInfo<Uri>) -> Self::Future {
        let connect = self.clone();
        Box::pin(async move {
            let answers = connect.connect(asked.hostname(), asked.port()).await;
            let answers = answers.map_err(|fault| ConnectError::Io(fault.into()))?;
            Ok(Connection::new(asked.request().clone(), answers))
        })
    }
}
