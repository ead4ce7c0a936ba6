//! How event streams are timed.
use std::time::Duration;

/// How event streams and refusals are timed. Durations are fields so that tests can shorten them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamOptions {
    /// `realtime.max_stream_age_seconds`: streams end after this, each between 0.9 and 1.1 of it. `None`: never.
    pub max_age: Option<Duration>,
    /// The longest time between two heartbeats.
    pub heartbeat: Duration,
    /// The shortest time from the request for a stream to its refusal; the longest is twice this.
    pub refusal_hold: Duration,
    /// How many refusals are held at a time, as far as there are places for them.
    pub held_refusals: usize,
    /// The shortest time for which a client is put off that is refused past [`Self::held_refusals`]; the longest is twice
    /// this.
    pub put_off: Duration,
    /// How many clients are put off at a time, as far as there are places for them; past it they are refused at once.
    pub put_offs: usize,
}

impl Default for StreamOptions {
    fn default() -> Self {
        Self {
            max_age: Some(Duration::from_secs(30)),
            heartbeat: Duration::from_secs(15),
            refusal_hold: Duration::from_secs(1),
            held_refusals: 1_000,
            put_off: Duration::from_secs(3),
            // Each takes about what a subscriber takes.
            put_offs: 10_000,
        }
    }
}
