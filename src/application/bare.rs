//! The proxy's server without the proxy: another App on the same sockets, clocks and budgets.
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_http::body::MessageBody;
use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_web::Error;
use actix_web::dev::AppConfig;
use actors::lifeline::Lifelines;

use super::{Limits, ListenError, StartError, connection_terms, listening, server_options};
use crate::budget::Budgets;
use crate::layers::{LayerOptions, Layers};
use crate::live::Live;
use crate::metrics::Metrics;
use crate::server::tls::Tls;
use crate::server::{self, BoundListener, Serving};
use crate::service_state::ServiceState;
use crate::settings::Settings;

/// The proxy's server around another App, without actors, layers and routes. The benchmark compares with it: what it costs
/// beyond actix-web's own server is the server's part of a request, and what the proxy costs beyond it is the rest.
pub struct BareServer {
    addresses: Vec<SocketAddr>,
    serving: Serving,
}

impl BareServer {
    /// Binds the sockets that the settings ask for, and treats connections as the proxy does by these settings and limits.
    /// It calls `app` once for each worker and socket. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the address cannot be bound, or the certificate cannot be used.
    pub fn build<F, I, S, B>(settings: &Settings, limits: &Limits, app: F) -> Result<Self, StartError>
    where
        F: Fn() -> I + Send + Clone + 'static,
        I: IntoServiceFactory<S, Request>,
        S: ServiceFactory<Request, Config = AppConfig, Error = Error> + 'static,
        S::Response: Into<Response<B>> + 'static,
        S::InitError: fmt::Debug,
        S::Service: 'static,
        B: MessageBody + 'static,
    {
        let tls = settings.server.tls.as_ref();
        let tls = tls.map(|tls| Tls::load(tls, limits.file_period)).transpose()?;
        let terms = tls.map(|tls| tls.terms);
        let listeners = listening::bind(&settings.server.host, settings.server.port)?;
        let addresses = listeners.iter().map(BoundListener::address).collect();
        let budgets = Budgets::of(&settings.server.door);
        let places = limits.places(settings);
        let state = Arc::new(ServiceState::new(Lifelines::new()));
        let layer_options = Live::new(LayerOptions::new(settings, &Metrics::default(), None));
        let layers = Layers::new(
            layer_options,
            &settings.server.path_prefix,
            Arc::clone(&state),
            &budgets,
        );
        let refusals = layers.refusals();
        let connections = Live::new(connection_terms(settings));
        let shared = (places, budgets, connections);
        let options = server_options(settings, limits, shared, refusals, terms, &state);
        let refused = |source| ListenError::new(&settings.server.host, source);
        let serving = server::serve(listeners, options, app).map_err(refused)?;
        Ok(Self { addresses, serving })
    }

    /// Where it listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// Serves until the process ends.
    ///
    /// # Errors
    /// Where the server cannot start its workers.
    pub async fn run(self) -> io::Result<()> {
        self.serving.server.await
    }
}
