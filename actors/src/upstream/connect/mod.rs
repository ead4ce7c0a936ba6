//! Connecting to any of a name's addresses, as RFC 8305 ("Happy Eyeballs") says: a route that swallows packets, of one
//! address family above all, costs a quarter of a second and not the document. awc by itself tries the next address only
//! after an error, which such a route does not give for minutes.
//!
//! # Layout
//! - [`Connect`]: the service that awc asks for connections; TLS and the timeout over all of it stay awc's.
//! - [`Names`] (`names`): from a host to its addresses; one look-up a host at a time.
//! - `order`: the order in which addresses are tried; pure.
//! - `attempts`: when the next one is tried, and which of them wins.
use actix_rt::net::TcpStream;
use actix_service::Service;
use actix_tls::connect::{ConnectError, ConnectInfo, Connection};
use awc::http::Uri;
use futures::future::LocalBoxFuture;

mod attempts;
mod names;
mod order;

pub use names::Names;

/// Opens connections.
#[derive(Debug, Clone)]
pub(super) struct Connect {
    names: Names,
}

impl Connect {
    pub(super) fn new(names: Names) -> Self {
        Self { names }
    }
}

impl Service<ConnectInfo<Uri>> for Connect {
    type Response = Connection<Uri, TcpStream>;
    type Error = ConnectError;
    type Future = LocalBoxFuture<'static, Result<Self::Response, Self::Error>>;

    actix_service::always_ready!();

    fn call(&self, asked: ConnectInfo<Uri>) -> Self::Future {
        let names = self.names.clone();
        Box::pin(async move {
            let addresses = names.addresses(asked.hostname(), asked.port()).await;
            let addresses = addresses.map_err(|error| ConnectError::Resolver(Box::new(error)))?;
            if addresses.is_empty() {
                return Err(ConnectError::NoRecords);
            }
            let connected = attempts::first_connected(order::interleaved(addresses), TcpStream::connect);
            let stream = connected.await.map_err(ConnectError::Io)?;
            Ok(Connection::new(asked.request().clone(), stream))
        })
    }
}
