//! What the routes share.
use std::sync::Arc;

use actix::Addr;
use actix_web::HttpRequest;
use actors::analytics::{Tallies, WorkerTally};
use actors::environment::EnvironmentHandle;
use actors::forwarding::ForwardingHandle;
use actors::replica::EnvironmentReplica;
use actors::sse_hub::SseHubHandle;
use actors::write_through::WriteThroughHandle;

use crate::budget::Budgets;
use crate::error::ApiError;
use crate::routes::{BodyLimits, HeavyEvaluations, RefusedStreams, StreamOptions};
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
    /// What writes identities to upstream; `None` where `forward_identities` is off.
    pub write_through: Option<WriteThroughHandle>,
    /// Where evaluations are counted; `None`: nowhere (`analytics`).
    pub tallies: Option<Arc<Tallies>>,
    /// Whether the process drains or has lost an actor.
    pub state: Arc<ServiceState>,
    /// What a request's body may cost.
    pub body_limits: BodyLimits,
    /// What all requests together may hold.
    pub budgets: Budgets,
    /// Identities that take more work than others can wait for.
    pub heavy: HeavyEvaluations,
    /// `health_check.stale_is_unready`.
    pub stale_is_unready: bool,
    /// How event streams and refusals are timed.
    pub streams: StreamOptions,
    /// Event streams that are refused slowly.
    pub refused_streams: RefusedStreams,
    /// `realtime.authentication_token` that `queue-change` asks for.
    pub authentication_token: Option<Secret>,
}

/// What the routes of one HTTP worker share; the one application data of its `App`.
#[derive(Debug, Clone)]
pub(crate) struct Services {
    /// The worker's own replica, on its thread.
    pub replica: Addr<EnvironmentReplica>,
    /// Where the worker counts evaluations.
    pub tally: Option<WorkerTally>,
    /// What it shares with the other workers.
    pub shared: Arc<SharedServices>,
}

impl Services {
    /// Starts the replica and the tally of a worker. Call it on the worker's thread.
    pub(crate) fn start(shared: &Arc<SharedServices>) -> Self {
        Self {
            replica: shared.environments.start_replica(),
            tally: shared.tallies.as_ref().map(|tallies| tallies.register()),
            shared: Arc::clone(shared),
        }
    }

    /// Finds the services of the worker that this request runs on.
    ///
    /// # Errors
    /// Where the `App` was built without them, which only a mistake in the composition root can bring about.
    pub(crate) fn of(request: &HttpRequest) -> Result<&Self, ApiError> {
        request.app_data::<Self>().ok_or(ApiError::Unavailable)
    }
}
