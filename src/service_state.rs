//! What the process as a whole is doing. Readiness and liveness answer from it.
use std::sync::atomic::{AtomicBool, Ordering};

use actors::lifeline::Lifelines;
use tokio::sync::watch;

/// Shared by the composition root, which writes it, and the health routes, which read it.
#[derive(Debug, Default)]
pub(crate) struct ServiceState {
    lifelines: Lifelines,
    draining: AtomicBool,
    /// Whether nothing waits on purpose any more.
    waits_ended: watch::Sender<bool>,
}

impl ServiceState {
    /// Starts as a process that serves, with the lifelines of its actors.
    pub(crate) fn new(lifelines: Lifelines) -> Self {
        Self {
            lifelines,
            draining: AtomicBool::new(false),
            waits_ended: watch::Sender::new(false),
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

    /// Ends all waits that are on purpose alone, such as that of a refusal which is held: nobody can come back any more, and
    /// the stop is not to wait for them.
    pub(crate) fn end_waits(&self) {
        self.waits_ended.send_replace(true);
    }

    /// Tells whether they have ended.
    pub(crate) fn have_waits_ended(&self) -> bool {
        *self.waits_ended.borrow()
    }

    /// Resolves when they have ended.
    pub(crate) async fn waits_end(&self) {
        // An error: the sender is gone, which is this very state.
        let _ = self.waits_ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// Tells whether every actor lives. Once one has died this stays false, and the process ends soon.
    pub(crate) fn is_alive(&self) -> bool {
        self.lifelines.is_alive()
    }
}
