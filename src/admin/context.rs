//! What the resources of the admin port answer from.
use std::sync::Arc;
use std::time::{Instant, SystemTime};

use actix_web::HttpRequest;
use actors::environment::EnvironmentHandle;
use actors::sse_hub::SseHubHandle;
use tokio::sync::watch;

use super::status::{Rates, Report, Shared, Viewers};
use crate::error::ApiError;
use crate::live::Live;
use crate::metrics::{Sources, SwitchedParts};
use crate::server::Places;
use crate::service_state::ServiceState;
use crate::settings::{AdminSettings, ListenHost, Secret};

/// The handles that the resources need; the one application data of the admin server's `App`. Clones share what is behind them.
#[derive(Debug, Clone)]
pub(crate) struct AdminContext {
    /// The owner of the environments.
    pub environments: EnvironmentHandle,
    /// The hub that event streams subscribe to.
    pub hub: SseHubHandle,
    /// Whether the process drains or has lost an actor, and what has become of the newest configuration.
    pub state: Arc<ServiceState>,
    /// The connections of the public port.
    pub places: Places,
    /// How many HTTP workers the public port has.
    pub workers: usize,
    /// When the process began to serve.
    pub started: Started,
    /// The parts that a configuration switches on and off. Every server tells of them, and so do the figures that are sent to a
    /// collector, with a port or without.
    pub parts: Live<SwitchedParts>,
    /// Who is let in: each server's own, for who is asked for no token at one address must not be let in at another.
    pub access: Live<Access>,
    /// How many requests a second there are.
    pub rates: Rates,
    /// What a scrape of metrics asks.
    pub metrics: Sources,
    /// How the process fares, as it was asked for last.
    pub reports: Shared<Report>,
    /// The places of pages that follow the status.
    pub viewers: Viewers,
    /// Its sender is gone when the server ends that this was given to.
    pub server_ends: watch::Receiver<()>,
}

/// When the process began to serve, on both clocks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Started {
    /// For the time since.
    pub instant: Instant,
    /// For people.
    pub wall: SystemTime,
}

impl Started {
    /// Now.
    pub(crate) fn now() -> Self {
        Self {
            instant: Instant::now(),
            wall: SystemTime::now(),
        }
    }
}

/// Who is let in.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// `admin.host`: a name that requests may ask for.
    pub host: ListenHost,
    /// `admin.token`.
    pub token: Option<Secret>,
}

impl Access {
    /// By these settings.
    pub(crate) fn of(settings: &AdminSettings) -> Self {
        Self {
            host: settings.host.clone(),
            token: settings.token.clone(),
        }
    }
}

impl AdminContext {
    /// The context of a process that begins to serve.
    pub(crate) fn new(
        (environments, hub): (EnvironmentHandle, SseHubHandle),
        state: Arc<ServiceState>,
        (places, workers): (Places, usize),
        metrics: Sources,
        parts: SwitchedParts,
        access: Access,
    ) -> Self {
        // Each server has an end of its own.
        let (_, server_ends) = watch::channel(());
        Self {
            environments,
            hub,
            state,
            places,
            workers,
            started: Started::now(),
            parts: Live::new(parts),
            access: Live::new(access),
            rates: Rates::default(),
            metrics,
            reports: Shared::default(),
            viewers: Viewers::default(),
            server_ends,
        }
    }

    /// Finds the context of the server that this request came to.
    ///
    /// # Errors
    /// Where the `App` was built without it, which only a mistake in `server` can bring about.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Self, ApiError> {
        request.app_data::<Self>().ok_or(ApiError::Unavailable)
    }
}
