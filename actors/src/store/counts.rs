//! What a store has written.
use crate::counts::Counter;

/// Counts of one StoreActor since its start.
#[derive(Debug, Default)]
pub struct StoreCounts {
    /// Documents that are on the disk.
    pub written: Counter,
    /// Attempts that failed; each is tried again.
    pub failed: Counter,
}
