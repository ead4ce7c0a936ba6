//! What the process as a whole is doing: what readiness and liveness answer from.
use std::sync::atomic::{AtomicBool, Ordering};

/// Shared by the composition root, which writes it, and the health routes, which read it.
#[derive(Debug, Default)]
pub struct ServiceState {
    draining: AtomicBool,
    actor_lost: AtomicBool,
}

impl ServiceState {
    /// A process that serves.
    pub fn new() -> Self {
        Self::default()
    }

    /// The stop has begun: readiness fails from now on, everything else answers as before.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Release);
    }

    /// Whether the stop has begun.
    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// An actor has died: liveness fails from now on, and the process ends soon.
    pub fn lose_actor(&self) {
        self.actor_lost.store(true, Ordering::Release);
    }

    /// Whether every actor lives.
    pub fn is_alive(&self) -> bool {
        !self.actor_lost.load(Ordering::Acquire)
    }
}
