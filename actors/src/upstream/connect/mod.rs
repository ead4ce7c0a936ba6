//! Connecting to any of a name's addresses, as RFC 8305 ("Happy Eyeballs") says: a route that swallows packets, of one
//! address family above all, costs a quarter of a second and not the document. awc by itself tries the next address only
//! after an error, which such a route does not give for minutes.
//!
//! TLS is made here as well: awc makes it over what a connector gives, and [`Answers`] reads what comes out of it.
//!
//! # Layout
//! - [`Connect`]: the service that awc asks for connections.
//! - [`Names`] (`names`): from a host to its addresses; one look-up a host at a time.
//! - `order`: the order in which addresses are tried; pure.
//! - `attempts`: when the next one is tried, and which of them wins.
//! - [`Answers`] (`answers`): a connection that gives answers such as awc reads; `head`: their heads, pure.
use std::sync::Arc;
use std::time::Duration;

use actix_rt::net::TcpStream;
use actix_service::Service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::http::Uri;
use futures::future::LocalBoxFuture;
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::{Fault, Stage};

mod answers;
mod attempts;
mod head;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use head::fuzz as fuzz_head;
mod names;
mod order;

use answers::Answers;
pub use names::Names;

/// Opens connections.
#[derive(Clone)]
pub(super) struct Connect {
    names: Names,
    /// For every connection, where there is any.
    tls: Option<Arc<ClientConfig>>,
    /// From the name to the end of the TLS handshake.
    timeout: Duration,
}

impl Connect {
    /// With TLS or without; one connection may take `timeout`, from the look-up of its name to the end of its TLS handshake.
    pub(super) fn new(names: Names, tls: Option<Arc<ClientConfig>>, timeout: Duration) -> Self {
        Self { names, tls, timeout }
    }

    async fn connect(self, host: &str, port: u16) -> Result<Answers, Fault> {
        let deadline = Instant::now() + self.timeout;
        let late = |stage| move |_| Fault::Late(stage);

        let addresses = timeout_at(deadline, self.names.addresses(host, port)).await;
        let addresses = addresses
            .map_err(late(Stage::Name))?
            .map_err(|error| match error.kind() {
                // Look-ups of other names hang.
                std::io::ErrorKind::ResourceBusy => Fault::Late(Stage::Name),
                _ => Fault::NameUnknown(error.to_string()),
            })?;
        if addresses.is_empty() {
            return Err(Fault::NameUnknown("it has no address".to_owned()));
        }

        let connected = attempts::first_connected(order::interleaved(addresses), TcpStream::connect);
        let tcp = timeout_at(deadline, connected).await;
        let tcp = tcp
            .map_err(late(Stage::Connect))?
            .map_err(|error| Fault::of_connecting(&error))?;

        let Some(tls) = self.tls else {
            return Ok(Answers::new(Box::new(tcp)));
        };
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Fault::NameUnknown("it is no name that a certificate can hold".to_owned()))?;
        let tls = timeout_at(deadline, TlsConnector::from(tls).connect(name, tcp)).await;
        let tls = tls
            .map_err(late(Stage::Handshake))?
            .map_err(|error| Fault::of_handshake(&error))?;
        Ok(Answers::new(Box::new(tls)))
    }
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
