use std::time::{Duration, Instant};

/// How long upstream's own `updated_at` is waited for when content came before it.
pub(super) const SETTLE_LIMIT: Duration = Duration::from_secs(3);
/// The first wait between the fetches of that time; they double up to the last.
pub(super) const SETTLE_FIRST_WAIT: Duration = Duration::from_millis(250);
const SETTLE_LAST_WAIT: Duration = Duration::from_secs(1);

/// The wait for upstream's own number.
#[derive(Debug, Clone, Copy)]
pub(super) struct Settling {
    /// When it is over, whatever is under way then.
    pub(super) deadline: Instant,
    /// When to ask for the number next.
    pub(super) next: Instant,
    wait: Duration,
}

impl Settling {
    /// A fetch ended without the number; `known`: the wait that goes on.
    pub(super) fn after(known: Option<Self>, now: Instant) -> Self {
        let known = known.unwrap_or(Self {
            deadline: now + SETTLE_LIMIT,
            next: now,
            wait: SETTLE_FIRST_WAIT,
        });
        Self {
            next: now + known.wait,
            wait: known.wait.saturating_mul(2).min(SETTLE_LAST_WAIT),
            ..known
        }
    }

    /// A fetch begins.
    pub(super) fn started(&mut self, now: Instant) {
        self.next = now + self.wait;
    }
}
