//! One environment as the actor holds it.
use actix::SpawnHandle;

use super::counts::Counts;
use super::outcome::Failure;
use super::queue::Queue;
use super::report::{Losses, Report};
use super::totals::AnalyticsCounts;
use crate::environment::{ConfiguredEnvironment, DocumentSource};
use crate::keys::{EnvironmentKey, KeyDigest};

/// How often the tallies are taken for an environment that is removed: what was counted before is there the first time, and what
/// requests count that had found it still, the second.
const LAST_LOOKS: u8 = 2;

/// One environment: its queue, its key, its log.
pub(super) struct Entry {
    /// `None`: it is read from a file, and there is no upstream for its counts.
    pub(super) queue: Option<Queue>,
    /// What its counts are sent with: core takes keys of either kind, and the client-side one may do least.
    pub(super) client_side_key: EnvironmentKey,
    /// Whether it is configured no longer. What it still has is sent, if it can be at once.
    pub(super) is_removed: bool,
    /// How often the tallies were taken since then.
    looks_since: u8,
    /// Wakes it for its next batch.
    pub(super) timer: Option<SpawnHandle>,
    pub(super) report: Report,
}

impl Entry {
    pub(super) fn new(configured: &ConfiguredEnvironment, bytes: usize, random: fastrand::Rng) -> Self {
        Self {
            queue: has_upstream(configured).then(|| Queue::new(bytes, random)),
            client_side_key: configured.options.client_side_key.clone(),
            is_removed: false,
            looks_since: 0,
            timer: None,
            report: Report::default(),
        }
    }

    /// Follows a new configuration; gives counts that have no way any more.
    pub(super) fn reconfigure(
        &mut self,
        configured: &ConfiguredEnvironment,
        bytes: usize,
        random: fastrand::Rng,
    ) -> u64 {
        self.client_side_key = configured.options.client_side_key.clone();
        match (&mut self.queue, has_upstream(configured)) {
            (Some(queue), true) => {
                queue.resize(bytes);
                0
            }
            (queue @ None, true) => {
                *queue = Some(Queue::new(bytes, random));
                0
            }
            (queue, false) => queue.take().map_or(0, |queue| queue.into_unsent().sum()),
        }
    }

    /// Adds what was counted; `folds`: upstream has version 1 alone.
    pub(super) fn add(&mut self, counts: Counts, folds: bool, became: &AnalyticsCounts) {
        match &mut self.queue {
            Some(queue) => queue.add(counts, folds),
            None => became.without_upstream.add(counts.sum()),
        }
    }

    pub(super) fn digest(&self) -> KeyDigest {
        KeyDigest::of(&self.client_side_key)
    }

    /// Whether a batch is under way.
    pub(super) fn is_sending(&self) -> bool {
        self.queue.as_ref().is_some_and(|queue| queue.batch().is_some())
    }

    /// Notes that the tallies were taken.
    pub(super) fn looked(&mut self) {
        self.looks_since = if self.is_removed {
            self.looks_since.saturating_add(1)
        } else {
            0
        };
    }

    /// Whether nothing is to be expected of an environment that is configured no longer.
    pub(super) fn is_done(&self) -> bool {
        let has_hope = self.queue.as_ref().is_some_and(Queue::has_hope);
        self.is_removed && self.looks_since >= LAST_LOOKS && !self.is_sending() && !has_hope
    }

    /// Takes what has been lost since this was last asked.
    pub(super) fn take_losses(&mut self) -> Losses {
        let Some(queue) = &mut self.queue else {
            return Losses::default();
        };
        Losses {
            no_room: queue.take_lost(),
            refused: queue.take_refused(),
            removed: 0,
        }
    }

    pub(super) fn failure(&self) -> Option<&Failure> {
        self.queue.as_ref().and_then(Queue::failure)
    }
}

fn has_upstream(configured: &ConfiguredEnvironment) -> bool {
    matches!(configured.options.source, DocumentSource::Upstream)
}
