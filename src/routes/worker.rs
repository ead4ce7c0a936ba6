//! What the routes of one HTTP worker share.
use std::sync::Arc;
use std::time::Duration;

use actix::Addr;
use actix_web::HttpRequest;
use actors::environment::EnvironmentHandle;
use actors::replica::EnvironmentReplica;

use crate::error::ApiError;
use crate::service_state::ServiceState;

/// What a request's body may cost.
#[derive(Debug, Clone, Copy)]
pub struct BodyLimits {
    /// Bytes.
    pub bytes: usize,
    /// From the request's head to the body's end.
    pub duration: Duration,
}

/// What the routes of one HTTP worker share; application data of its `App`.
#[derive(Debug, Clone)]
pub struct Worker {
    /// The worker's own replica, on its thread.
    pub replica: Addr<EnvironmentReplica>,
    /// The owner of the environments, for their health.
    pub environments: EnvironmentHandle,
    /// Whether the process drains or has lost an actor.
    pub service: Arc<ServiceState>,
    /// What a body may cost.
    pub body_limits: BodyLimits,
    /// `health_check.stale_is_unready`.
    pub stale_is_unready: bool,
}

impl Worker {
    /// The worker that this request runs on.
    ///
    /// # Errors
    /// Where the App was built without one, which only a mistake in the composition root can bring about.
    pub fn of(request: &HttpRequest) -> Result<&Self, ApiError> {
        request.app_data::<Self>().ok_or(ApiError::Unavailable)
    }
}
