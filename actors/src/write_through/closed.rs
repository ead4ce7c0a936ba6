//! Whose identities nobody takes in at the moment, so that they do not take the room of others; shared by all HTTP workers.
use std::collections::HashMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use foldhash::quality::RandomState;

use super::losses::Why;
use super::sighting::Target;

/// The targets that are closed. Only what is news asks for them.
#[derive(Default)]
pub(super) struct Closed {
    targets: RwLock<HashMap<Target, Turned, RandomState>>,
}

/// Why a target is closed, and how often somebody was turned away since the actor looked.
struct Turned {
    why: Why,
    times: AtomicU64,
}

impl Closed {
    /// Whether a target is closed; it counts as turned away then.
    pub(super) fn turns_away(&self, target: Target) -> bool {
        let targets = self.targets.read().unwrap_or_else(PoisonError::into_inner);
        let turned = targets.get(&target);
        if let Some(turned) = turned {
            turned.times.fetch_add(1, Ordering::Relaxed);
        }
        turned.is_some()
    }

    /// Closes these targets and opens all others. Tells how often, and why, somebody was turned away since the last time.
    pub(super) fn replace(&self, closed: impl IntoIterator<Item = (Target, Why)>) -> Vec<(u64, Why)> {
        let closed = closed.into_iter().map(|(target, why)| {
            let times = AtomicU64::new(0);
            (target, Turned { why, times })
        });
        let closed = closed.collect();
        let before = {
            let mut targets = self.targets.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *targets, closed)
        };
        let turned = before.into_values();
        turned
            .map(|Turned { why, times }| (times.into_inner(), why))
            .filter(|(times, _)| *times > 0)
            .collect()
    }
}

impl fmt::Debug for Closed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Closed").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use engine::KeyKind;

    use super::*;
    use crate::keys::EnvironmentId;

    #[test]
    fn who_is_turned_away_is_counted_with_the_reason() {
        let environment = EnvironmentId::after(None);
        let [one, other] = [KeyKind::Client, KeyKind::Server].map(|kind| Target { environment, kind });
        let closed = Closed::default();
        assert!(!closed.turns_away(one));
        assert_eq!(closed.replace([(one, Why::KeyRejected(403))]), []);
        assert!(closed.turns_away(one) && closed.turns_away(one) && !closed.turns_away(other));
        assert_eq!(
            closed.replace([(other, Why::NoRoom)]),
            [(2, Why::KeyRejected(403))]
        );
        assert!(!closed.turns_away(one) && closed.turns_away(other));
        assert_eq!(closed.replace([]), [(1, Why::NoRoom)]);
    }
}
