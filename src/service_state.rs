//! What the process as a whole is doing. Readiness and liveness answer from it.
use std::sync::atomic::{AtomicBool, Ordering};

use actors::lifeline::Lifelines;

/// Shared by the composition root, which writes it, and the health routes, which read it.
#[derive(Debug, Default)]
pub(crate) struct ServiceState {
    lifelines: Lifelines,
    draining: AtomicBool,
}

impl ServiceState {
    /// Starts as a process that serves, with the lifelines of its actors.
    pub(crate) fn new(lifelines: Lifelines) -> Self {
        Self {
            lifelines,
            draining: AtomicBool::new(false),
        }
    }

    /// Notes that the stop has begun: readiness fails and answers end their connections. Nothing else changes.
    pub(crate) fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Tells whether the stop has begun.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Tells whether every actor lives. Once one has died this stays false, and the process ends soon.
    pub(crate) fn is_alive(&self) -> bool {
        self.lifelines.is_alive()
    }
}
