//! Tells a dead HTTP worker from a busy one.
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::options::ReplicaOptions;
use super::registry::Registry;
use crate::lifeline::Lifelines;

/// Looks at the workers' beats at regular times.
#[derive(Debug)]
pub(super) struct WorkerWatch {
    registry: Arc<Registry>,
    options: ReplicaOptions,
    lifelines: Lifelines,
    last_look: Option<Instant>,
}

impl WorkerWatch {
    pub(super) fn new(registry: Arc<Registry>, options: ReplicaOptions, lifelines: Lifelines) -> Self {
        Self {
            registry,
            options,
            lifelines,
            last_look: None,
        }
    }

    /// Reports the death of a worker whose beat has stood still for too long. Gives when to look again.
    pub(super) fn look(&mut self, now: Instant) -> Duration {
        let period = self.options.beat;
        let since_last = self
            .last_look
            .replace(now)
            .map_or(Duration::ZERO, |last| now.saturating_duration_since(last));
        let standing = self.registry.look(since_last, period);
        if standing >= self.options.dead_after {
            log::error!(
                "an HTTP worker has stood still for {} s although the machine is not starved",
                standing.as_secs()
            );
            self.lifelines.report_death("EnvironmentReplica");
        }
        period
    }
}
