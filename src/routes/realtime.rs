//! What the realtime routes of all HTTP workers share.
use std::sync::Arc;
use std::time::Duration;

use actix_web::HttpRequest;
use actors::sse_hub::SseHubHandle;
use tokio::sync::Semaphore;

use crate::error::ApiError;
use crate::settings::Secret;

/// How event streams and refusals are timed. Durations are fields so that tests can shorten them.
#[derive(Debug, Clone)]
pub struct StreamOptions {
    /// `realtime.max_stream_age_seconds`: streams end after this, each between 0.9 and 1.1 of it. `None` = never.
    pub max_age: Option<Duration>,
    /// Longest time between two heartbeats.
    pub heartbeat: Duration,
    /// Shortest time for which an unknown environment's refusal is held; the longest is twice this.
    pub refusal_hold: Duration,
    /// How many refusals are held at a time; past it they are answered at once.
    pub held_refusals: usize,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            max_age: Some(Duration::from_secs(30)),
            heartbeat: Duration::from_secs(15),
            refusal_hold: Duration::from_secs(1),
            held_refusals: 1_000,
        }
    }
}

/// What the realtime routes of all HTTP workers share; application data of their `App`s.
#[derive(Debug, Clone)]
pub struct Realtime {
    /// The hub that streams subscribe to.
    pub hub: SseHubHandle,
    /// How streams are timed.
    pub streams: Arc<StreamOptions>,
    /// `realtime.authentication_token` that `queue-change` asks for.
    pub authentication_token: Option<Secret>,
    /// One permit for each refusal that may be held.
    pub refusals: Arc<Semaphore>,
}

impl Realtime {
    /// For all workers of a process.
    pub fn new(hub: SseHubHandle, streams: StreamOptions, authentication_token: Option<Secret>) -> Self {
        let refusals = Arc::new(Semaphore::new(streams.held_refusals.min(Semaphore::MAX_PERMITS)));
        Self {
            hub,
            streams: Arc::new(streams),
            authentication_token,
            refusals,
        }
    }

    /// That of the worker which this request runs on.
    ///
    /// # Errors
    /// Where the App was built without, which only a mistake in the composition root can bring about.
    pub fn of(request: &HttpRequest) -> Result<&Self, ApiError> {
        request.app_data::<Self>().ok_or(ApiError::Unavailable)
    }
}
