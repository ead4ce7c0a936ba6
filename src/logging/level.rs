//! The level of the log, which an operator can change while the process runs.
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{current, logger};
use crate::settings::{LogLevel, LoggingSettings};

/// What lines are written by; `None`: logging has not started.
static IN_FORCE: Mutex<Option<InForce>> = Mutex::new(None);

struct InForce {
    settings: LoggingSettings,
    /// The level that an operator has set beside the configuration's own.
    changed: Option<LogLevel>,
}

impl InForce {
    fn level(&self) -> Level {
        let configured = self.settings.level;
        Level {
            in_force: self.changed.unwrap_or(configured),
            configured,
        }
    }
}

/// What is logged, and what would be without an operator's change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Level {
    /// What is logged now.
    pub in_force: LogLevel,
    /// What the configuration says.
    pub configured: LogLevel,
}

/// Notes what the process has started to log by.
pub(super) fn start(settings: &LoggingSettings) {
    *lock() = Some(InForce {
        settings: settings.clone(),
        changed: None,
    });
}

/// Logs by other settings from now on; a level that an operator has set is forgotten. Changes nothing where they are in force
/// already, or logging has not started.
pub(super) fn reconfigure(settings: &LoggingSettings) {
    let mut in_force = lock();
    let Some(in_force) = in_force.as_mut() else { return };
    if in_force.changed.is_none() && in_force.settings == *settings {
        return;
    }
    current::replace(logger(settings));
    *in_force = InForce {
        settings: settings.clone(),
        changed: None,
    };
}

/// Tells the level; `None` where logging has not started.
pub(crate) fn level() -> Option<Level> {
    lock().as_ref().map(InForce::level)
}

/// Logs at this level until the next configuration is in force or the process ends, and tells the level before; `None`
/// where logging has not started: nothing changes then.
pub(crate) fn change_level(level: LogLevel) -> Option<Level> {
    let mut in_force = lock();
    let in_force = in_force.as_mut()?;
    let before = in_force.level();
    in_force.changed = (level != before.configured).then_some(level);
    // Under the lock, so that two changes at a time leave what is noted here.
    current::replace(logger(&LoggingSettings {
        level,
        ..in_force.settings.clone()
    }));
    Some(before)
}

fn lock() -> MutexGuard<'static, Option<InForce>> {
    // A change is one assignment, so it is whole.
    IN_FORCE.lock().unwrap_or_else(PoisonError::into_inner)
}
