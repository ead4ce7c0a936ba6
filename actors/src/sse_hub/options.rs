//! What the hub is started with, tells and refuses with.
use std::time::{Duration, Instant};

use bytestring::ByteString;
use engine::UpdatedAt;

use super::spread::NotifySpread;

/// What the hub admits, and how it tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubOptions {
    /// `realtime.notify_spread_ms`.
    pub notify_spread: NotifySpread,
    /// `realtime.max_subscribers`, for the process.
    pub max_subscribers: usize,
    /// More streams than these leave requests no connection. Where so many have come in by earlier options, those above it
    /// end.
    pub room: usize,
    /// How long a change is replayed to those who connect: SDKs are between two streams for seconds.
    pub replay_age: Duration,
}

impl Default for HubOptions {
    fn default() -> Self {
        Self {
            notify_spread: NotifySpread::Auto,
            max_subscribers: usize::MAX,
            room: usize::MAX,
            replay_age: Duration::from_secs(5 * 60),
        }
    }
}

/// One change of an environment's content, built once and shared by all who are told.
#[derive(Debug, Clone)]
pub struct Change {
    /// The served `updated_at`.
    pub updated_at: UpdatedAt,
    /// The event's data. The number is written as the header is: some SDKs ignore an integer.
    pub data: ByteString,
    /// When the hub heard of it.
    pub since: Instant,
}

impl Change {
    pub(super) fn new(updated_at: UpdatedAt, since: Instant) -> Self {
        Self {
            updated_at,
            since,
            data: ByteString::from(format!("{{\"updated_at\": {updated_at}}}")),
        }
    }
}

/// Why a subscription is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// The environment is configured no longer.
    Unknown,
    /// `max_subscribers` are subscribed.
    Full,
    /// The process is ending.
    Draining,
    /// The hub is dead or does not answer in time.
    Unavailable,
}
