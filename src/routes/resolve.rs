//! From the environment key of a request, in its header or its path, to the environment that it opens.
use std::sync::Arc;

use actix_web::http::header::{HeaderName, HeaderValue};
use actix_web::web::Path;
use actix_web::{FromRequest as _, HttpRequest};
use actors::keys::EnvironmentId;
use actors::replica::{Resolution, Resolve, ResolveClientSide};
use actors::served::ServedEnvironment;
use engine::{Environment, KeyKind};

use crate::error::ApiError;
use crate::routes::Services;

pub(super) const X_ENVIRONMENT_KEY: HeaderName = HeaderName::from_static("x-environment-key");

/// An environment as the caller's key may see it.
#[derive(Debug)]
pub(super) struct Resolved {
    /// Which environment.
    pub id: EnvironmentId,
    /// What the key may see.
    pub kind: KeyKind,
    /// The environment as it is served now. A request keeps to it even where another is published meanwhile.
    pub environment: Arc<ServedEnvironment>,
}

impl Resolved {
    /// What evaluates.
    pub(super) fn served(&self) -> &Environment {
        &self.environment.environment
    }
}

/// Asks the worker's replica what `X-Environment-Key` opens; of repeated headers the first counts.
///
/// It needs no timeout: the replica runs on this very thread and answers without waiting, or is gone and says so at
/// once.
///
/// # Errors
/// 401 for a missing or unknown key, 503 before the first document, 403 where the organisation is disabled.
pub(super) async fn resolve(request: &HttpRequest) -> Result<Resolved, ApiError> {
    let services = Services::of(request)?;
    let key: HeaderValue = request
        .headers()
        .get(X_ENVIRONMENT_KEY)
        .ok_or(ApiError::UnknownKey)?
        .clone();
    match services.replica.send(Resolve { key }).await {
        Ok(Resolution::Ready {
            id,
            kind,
            environment,
        }) => {
            if environment.environment.stops_serving_flags() {
                return Err(ApiError::ServingStopped);
            }
            Ok(Resolved {
                id,
                kind,
                environment,
            })
        }
        Ok(Resolution::NotReady { .. }) => Err(ApiError::NotReady),
        Ok(Resolution::Unknown) => Err(ApiError::UnknownKey),
        Err(_) => Err(ApiError::Unavailable),
    }
}

/// An environment that may have no document yet.
#[derive(Debug)]
pub(super) struct Known {
    /// Which environment.
    pub id: EnvironmentId,
    /// `None` before its first document.
    pub environment: Option<Arc<ServedEnvironment>>,
}

/// Asks likewise, for what needs no document.
///
/// # Errors
/// 401 for a missing or unknown key, 403 where the organisation is disabled.
pub(super) async fn resolve_known(request: &HttpRequest) -> Result<Known, ApiError> {
    let services = Services::of(request)?;
    let key: HeaderValue = request
        .headers()
        .get(X_ENVIRONMENT_KEY)
        .ok_or(ApiError::UnknownKey)?
        .clone();
    match services.replica.send(Resolve { key }).await {
        Ok(Resolution::Ready { environment, .. }) if environment.environment.stops_serving_flags() => {
            Err(ApiError::ServingStopped)
        }
        Ok(Resolution::Ready { id, environment, .. }) => Ok(Known {
            id,
            environment: Some(environment),
        }),
        Ok(Resolution::NotReady { id, .. }) => Ok(Known {
            id,
            environment: None,
        }),
        Ok(Resolution::Unknown) => Err(ApiError::UnknownKey),
        Err(_) => Err(ApiError::Unavailable),
    }
}

/// Asks the worker's replica which environment has the client-side key that the path names; `None` where none has.
///
/// # Errors
/// 503 where the replica is gone.
pub(crate) async fn environment_of_path(request: &HttpRequest) -> Result<Option<EnvironmentId>, ApiError> {
    // The extractor decodes it: what is no text names no environment.
    let Ok(client_side_key) = Path::<String>::extract(request).await else {
        return Ok(None);
    };
    let client_side_key = client_side_key.into_inner();
    let replica = &Services::of(request)?.replica;
    match replica.send(ResolveClientSide { client_side_key }).await {
        Ok(Resolution::Ready { id, .. } | Resolution::NotReady { id, .. }) => Ok(Some(id)),
        Ok(Resolution::Unknown) => Ok(None),
        Err(_) => Err(ApiError::Unavailable),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use actix_web::test::TestRequest;
    use actors::environment::{ActorOptions, EnvironmentHandle, PollingOptions};
    use actors::fault::Panic;
    use actors::forwarding::{ForwardingHandle, ForwardingOptions};
    use actors::lifeline::Lifelines;
    use actors::sse_hub::{HubOptions, SseHubHandle};
    use actors::upstream::UpstreamOptions;

    use super::*;
    use crate::budget::{Budgets, ByteBudget};
    use crate::live::Live;
    use crate::routes::{
        BodyLimits, HeavyEvaluations, RefusedStreams, RouteOptions, SharedServices, StreamOptions,
    };
    use crate::service_state::ServiceState;

    #[actix_web::test]
    async fn a_dead_replica_is_503_and_the_end_of_liveness() {
        let lifelines = Lifelines::new();
        let environments = EnvironmentHandle::start(
            Vec::new(),
            ActorOptions::new(PollingOptions::default(), UpstreamOptions::new("")),
            Vec::new(),
            &lifelines,
        )
        .unwrap();
        let hub = SseHubHandle::start(HubOptions::default(), &lifelines).unwrap();
        let forwarding =
            ForwardingHandle::start(ForwardingOptions::default(), UpstreamOptions::new(""), &lifelines)
                .unwrap();
        let state = Arc::new(ServiceState::new(lifelines));
        let streams = StreamOptions::default();
        let services = Services::start(&Arc::new(SharedServices {
            environments,
            hub,
            forwarding,
            state: Arc::clone(&state),
            budgets: Budgets {
                request_bodies: ByteBudget::new(0),
                unsent_answers: ByteBudget::new(0),
            },
            heavy: HeavyEvaluations::new(1, 1),
            options: Live::new(RouteOptions {
                body_limits: BodyLimits {
                    bytes: 0,
                    duration: Duration::ZERO,
                },
                write_through: None,
                tallies: None,
                stale_is_unready: false,
                refused_streams: Arc::new(RefusedStreams::new(&streams)),
                streams,
                authentication_token: None,
            }),
            store: None,
            certificate: None,
        }));
        let replica = services.replica.clone();
        let request = TestRequest::default()
            .insert_header(("X-Environment-Key", "key"))
            .app_data(services)
            .to_http_request();
        assert_eq!(resolve(&request).await.err(), Some(ApiError::UnknownKey));
        assert!(state.is_alive());

        assert!(replica.send(Panic).await.is_err());
        assert_eq!(resolve(&request).await.err(), Some(ApiError::Unavailable));
        assert!(!state.is_alive());
    }
}
