use std::time::Duration;

use super::tally::TALLY_BYTES;

/// How often counts are sent: SDKs send theirs every ten seconds.
const PERIOD: Duration = Duration::from_secs(10);

/// How long upstream may take to answer. Nobody waits for it, and an answer that is not waited for leaves in doubt what was
/// counted.
const TIMEOUT: Duration = Duration::from_secs(15);

/// How many calls to upstream are under way at a time, at most; the environments take turns. Core takes some milliseconds for
/// each.
pub const AT_ONCE: usize = 8;

/// What all counts that wait for upstream may take. A count takes some hundred bytes: this is half a million of them.
const QUEUES_BYTES: usize = 64 * 1024 * 1024;

/// What those of one environment may take of it, where there are few environments.
const QUEUE_BYTES: usize = 8 * 1024 * 1024;

/// How counts are gathered and sent. Fields so that tests can shorten them.
#[derive(Debug, Clone)]
pub struct AnalyticsOptions {
    /// Between two looks at what the workers have counted; what has come is sent then.
    pub period: Duration,
    /// How long a whole call to upstream may take.
    pub timeout: Duration,
    /// What the counts of one worker may take between two looks, in bytes.
    pub tally_bytes: usize,
    /// What all counts that wait for upstream may take, in bytes.
    pub queues_bytes: usize,
}

impl Default for AnalyticsOptions {
    fn default() -> Self {
        Self {
            period: PERIOD,
            timeout: TIMEOUT,
            tally_bytes: TALLY_BYTES,
            queues_bytes: QUEUES_BYTES,
        }
    }
}

impl AnalyticsOptions {
    /// What each of so many environments may take: the same part, so that none takes another's room.
    pub(super) fn queue_bytes(&self, environments: usize) -> usize {
        (self.queues_bytes / environments.max(1)).min(QUEUE_BYTES)
    }
}
