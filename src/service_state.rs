//! What the process as a whole is doing. The health routes answer from it.
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use actors::counts::Counter;
use actors::lifeline::Lifelines;
use tokio::sync::watch;

/// Shared by the composition root, which writes it, and the health routes, which read it.
#[derive(Debug, Default)]
pub(crate) struct ServiceState {
    lifelines: Lifelines,
    draining: AtomicBool,
    /// Whether nothing waits on purpose any more.
    waits_ended: watch::Sender<bool>,
    configuration: Mutex<ConfigurationStanding>,
    reloads: Reloads,
}

/// How often a new configuration came while the process ran.
#[derive(Debug, Default)]
pub(crate) struct Reloads {
    /// All of it came into force, or all but what a restart alone can change.
    pub followed: Counter,
    /// None of it did, or a part.
    pub refused: Counter,
}

/// What has become of the newest configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum ConfigurationStanding {
    /// All of it is in force.
    #[default]
    InForce,
    /// None of it is, and the one before stays: why, in a line without keys.
    Refused(String),
    /// It is, but for these options, which a restart alone can change.
    NeedsRestart(Vec<&'static str>),
}

impl ServiceState {
    /// Starts as a process that serves, with the lifelines of its actors.
    pub(crate) fn new(lifelines: Lifelines) -> Self {
        Self {
            lifelines,
            draining: AtomicBool::new(false),
            waits_ended: watch::Sender::new(false),
            configuration: Mutex::default(),
            reloads: Reloads::default(),
        }
    }

    /// Notes what has become of the newest configuration.
    pub(crate) fn note_configuration(&self, standing: ConfigurationStanding) {
        let count = match standing {
            ConfigurationStanding::Refused(_) => &self.reloads.refused,
            _ => &self.reloads.followed,
        };
        *self.lock_configuration() = standing;
        // Whoever sees it counted sees it standing, too.
        count.add(1);
    }

    /// How often one came.
    pub(crate) fn reloads(&self) -> &Reloads {
        &self.reloads
    }

    /// Tells what has become of the newest configuration.
    pub(crate) fn configuration(&self) -> ConfigurationStanding {
        self.lock_configuration().clone()
    }

    fn lock_configuration(&self) -> MutexGuard<'_, ConfigurationStanding> {
        // A change is one assignment, so it is whole.
        self.configuration.lock().unwrap_or_else(PoisonError::into_inner)
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
