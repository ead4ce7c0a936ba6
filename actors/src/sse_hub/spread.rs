//! The pace at which subscribers are told and streams are ended: those told at once refetch at once.
use std::time::{Duration, Instant};

/// How often the next part of a spread is told. Short, for those told in one step refetch at once: in steps of 20 ms
/// they came in bursts of 100, behind which other requests waited for 2 ms.
pub(super) const STEP: Duration = Duration::from_millis(2);
/// Below this many subscribers the automatic spread tells all at once.
const AUTOMATIC_SPREAD_FROM: usize = 500;
/// What the automatic spread allows to be told, and so to refetch, in a second.
const TOLD_PER_SECOND: u32 = 5_000;
/// The longest automatic spread.
const LONGEST_AUTOMATIC_SPREAD: Duration = Duration::from_secs(10);
/// How many streams end in a second of a drain: their SDKs reconnect elsewhere, which costs more than a refetch.
pub(super) const ENDED_PER_SECOND: u32 = 1_000;

/// The window over which one change is told: subscribers told at once refetch at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotifySpread {
    /// None below 500 subscribers of the environment, else subscribers / 5,000 seconds, 10 s at most.
    Auto,
    /// Always this long; zero = at once.
    Fixed(Duration),
}

impl NotifySpread {
    /// The window for this many subscribers.
    pub fn window(self, subscribers: usize) -> Duration {
        match self {
            Self::Auto if subscribers < AUTOMATIC_SPREAD_FROM => Duration::ZERO,
            Self::Auto => pace(subscribers, TOLD_PER_SECOND).min(LONGEST_AUTOMATIC_SPREAD),
            Self::Fixed(window) => window,
        }
    }
}

/// How long `count` takes at so many a second.
pub(super) fn pace(count: usize, per_second: u32) -> Duration {
    Duration::from_secs(u64::try_from(count).unwrap_or(u64::MAX)) / per_second
}

/// How many of `total` are due at `now`, when a window began at `started`.
pub(super) fn due(total: usize, started: Instant, window: Duration, now: Instant) -> usize {
    let elapsed = now.saturating_duration_since(started) + STEP;
    if elapsed >= window {
        return total;
    }
    let share = elapsed.as_micros() * total as u128 / window.as_micros().max(1);
    usize::try_from(share).unwrap_or(total).min(total)
}

/// How long the next of `total` has been waited for, `visited` being past: a turn at most.
pub(super) fn waited(
    total: usize,
    visited: usize,
    started: Instant,
    window: Duration,
    now: Instant,
) -> Duration {
    let turn = window / u32::try_from(total.max(1)).unwrap_or(u32::MAX);
    let past = turn.saturating_mul(u32::try_from(visited).unwrap_or(u32::MAX));
    now.saturating_duration_since(started)
        .saturating_sub(past)
        .min(turn)
}
