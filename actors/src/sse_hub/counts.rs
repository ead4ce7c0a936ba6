//! What the hub's streams were told, and how late.
use crate::counts::{Counter, WorkHistogram};

/// Counts of one hub since its start.
#[derive(Debug, Default)]
pub struct StreamCounts {
    /// Streams that were admitted.
    pub opened: Counter,
    /// From when the hub heard of a change, which every worker serves by then, until a stream took it to send it; in
    /// nanoseconds. A spread is part of it, and what a stream never took is not there.
    pub deliveries: WorkHistogram,
    /// Changes that were no news, told to who connected after them.
    pub replays: Counter,
}
