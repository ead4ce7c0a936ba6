//! What the routes share.
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use actix::Addr;
use actix_web::HttpRequest;
use actors::analytics::{Tallies, WorkerTally};
use actors::environment::EnvironmentHandle;
use actors::forwarding::ForwardingHandle;
use actors::replica::EnvironmentReplica;
use actors::sse_hub::SseHubHandle;
use actors::store::StoreHandle;
use actors::write_through::WriteThroughHandle;

use crate::budget::Budgets;
use crate::error::ApiError;
use crate::live::{Live, Reader};
use crate::routes::{BodyLimits, HeavyEvaluations, RefusedStreams, StreamOptions};
use crate::server::tls::ServedCertificate;
use crate::service_state::ServiceState;
use crate::settings::Secret;

/// What the routes of all HTTP workers share.
#[derive(Debug)]
pub(crate) struct SharedServices {
    /// The owner of the environments.
    pub environments: EnvironmentHandle,
    /// The hub that event streams subscribe to.
    pub hub: SseHubHandle,
    /// What sends writes on to upstream.
    pub forwarding: ForwardingHandle,
    /// Whether the process drains or has lost an actor.
    pub state: Arc<ServiceState>,
    /// What all requests together may hold.
    pub budgets: Budgets,
    /// Identities that take more work than others can wait for.
    pub heavy: HeavyEvaluations,
    /// What a new configuration changes meanwhile.
    pub options: Live<RouteOptions>,
    /// Where the last good documents are kept; `None`: nowhere.
    pub store: Option<StoreHandle>,
    /// What `server.tls` has at the moment.
    pub certificate: Option<Arc<ServedCertificate>>,
}

/// What routes do by options that a new configuration changes meanwhile.
#[derive(Debug, Clone)]
pub(crate) struct RouteOptions {
    /// What a request's body may cost.
    pub body_limits: BodyLimits,
    /// What writes identities to upstream; `None` where `forward_identities` is off.
    pub write_through: Option<WriteThroughHandle>,
    /// Where evaluations are counted; `None`: nowhere (`analytics`).
    pub tallies: Option<Arc<Tallies>>,
    /// `health_check.stale_is_unready`.
    pub stale_is_unready: bool,
    /// How event streams and refusals are timed.
    pub streams: StreamOptions,
    /// Event streams that are refused slowly.
    pub refused_streams: Arc<RefusedStreams>,
    /// `realtime.authentication_token` that `queue-change` asks for; without one there is no such path.
    pub authentication_token: Option<Secret>,
}

/// What the routes of one HTTP worker share; the one application data of its `App`.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    /// The worker's own replica, on its thread.
    pub replica: Addr<EnvironmentReplica>,
    /// What a new configuration changes meanwhile.
    pub options: Rc<Reader<RouteOptions>>,
    /// Where the worker counts evaluations.
    tally: RefCell<Option<OwnTally>>,
    /// What it shares with the other workers.
    pub shared: Arc<SharedServices>,
}

/// A worker's tally, and whose it is.
#[derive(Debug, Clone)]
struct OwnTally {
    tallies: Arc<Tallies>,
    tally: WorkerTally,
}

impl Services {
    /// Starts the replica of a worker. Call it on the worker's thread.
    pub(crate) fn start(shared: &Arc<SharedServices>) -> Self {
        Self {
            replica: shared.environments.start_replica(),
            options: shared.options.reader().renewed(),
            tally: RefCell::default(),
            shared: Arc::clone(shared),
        }
    }

    /// What a request's body may cost.
    pub(crate) fn body_limits(&self) -> BodyLimits {
        self.options.with(|options| options.body_limits)
    }

    /// Where the worker counts evaluations; `None`: nowhere.
    pub(crate) fn tally(&self) -> Option<WorkerTally> {
        let tallies = self.options.with(|options| options.tallies.clone());
        let mut own = self.tally.borrow_mut();
        own.take_if(|own| {
            !tallies
                .as_ref()
                .is_some_and(|tallies| Arc::ptr_eq(tallies, &own.tallies))
        });
        let tallies = tallies?;
        let own = own.get_or_insert_with(|| OwnTally {
            tally: tallies.register(),
            tallies,
        });
        Some(own.tally.clone())
    }

    /// Finds the services of the worker that this request runs on.
    ///
    /// # Errors
    /// Where the `App` was built without them, which only a mistake in the composition root can bring about.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Self, ApiError> {
        request.app_data::<Self>().ok_or(ApiError::Unavailable)
    }
}
