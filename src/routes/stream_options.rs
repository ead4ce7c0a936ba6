//! How event streams are timed.
use std::time::Duration;

use tokio::sync::Semaphore;

/// How event streams and refusals are timed. Durations are fields so that tests can shorten them.
#[derive(Debug, Clone)]
pub struct StreamOptions {
    /// `realtime.max_stream_age_seconds`: streams end after this, each between 0.9 and 1.1 of it. `None`: never.
    pub max_age: Option<Duration>,
    /// The longest time between two heartbeats.
    pub heartbeat: Duration,
    /// The shortest time for which the refusal of an unknown environment is held; the longest is twice this.
    pub refusal_hold: Duration,
    /// How many refusals are held at a time; past it they come at once.
    pub held_refusals: usize,
}

impl StreamOptions {
    /// Makes one permit for each refusal that may be held.
    pub(crate) fn refusal_permits(&self) -> Semaphore {
        Semaphore::new(self.held_refusals.min(Semaphore::MAX_PERMITS))
    }
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
