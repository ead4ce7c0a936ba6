//! The death watch: a panic in a handler ends an actor for good and nothing else notices, `Supervisor` included.
//!
//! Each actor owns a [`Lifeline`]; when it is dropped without [`Lifeline::disarm`], its actor is dead. [`Lifelines`]
//! is what liveness and `main` hold.
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::watch;

/// The lifelines of all actors of one process.
#[derive(Clone)]
pub struct Lifelines {
    state: watch::Sender<State>,
}

#[derive(Clone, Copy, Default)]
struct State {
    first_death: Option<&'static str>,
    is_disarmed: bool,
}

impl Lifelines {
    /// With every actor alive.
    pub fn new() -> Self {
        Self {
            state: watch::Sender::new(State::default()),
        }
    }

    /// The guard of an actor that lives as long as the process; `name` is what a log says of its death.
    pub fn guard(&self, name: &'static str) -> Lifeline {
        Lifeline {
            lifelines: self.clone(),
            name,
            rule: Rule::Always,
            is_released: Arc::default(),
        }
    }

    /// The guard of an actor that goes with its HTTP worker: only a panic (or [`Lifelines::report_death`]) is its
    /// death, for workers stop and restart in good order and drop their actors without a word.
    pub fn guard_within_worker(&self, name: &'static str) -> Lifeline {
        Lifeline {
            lifelines: self.clone(),
            name,
            rule: Rule::Panic,
            is_released: Arc::default(),
        }
    }

    /// Whether no actor has died.
    pub fn is_alive(&self) -> bool {
        self.state.borrow().first_death.is_none()
    }

    /// Resolves with its name when the first actor dies; at once where one has.
    pub async fn first_death(&self) -> &'static str {
        let mut states = self.state.subscribe();
        let death = states
            .wait_for(|state| state.first_death.is_some())
            .await
            .map(|state| state.first_death);
        match death {
            Ok(Some(name)) => name,
            // The sender lives in `self`, so the channel cannot close; should it all the same, nobody has died.
            _ => std::future::pending().await,
        }
    }

    /// Says that an actor is dead although its guard lives: it did not answer in time.
    pub fn report_death(&self, name: &'static str) {
        self.state.send_if_modified(|state| {
            let is_first = state.first_death.is_none() && !state.is_disarmed;
            if is_first {
                state.first_death = Some(name);
            }
            is_first
        });
    }

    /// An orderly stop of the process has begun: from now on no actor's end is a death.
    pub fn disarm(&self) {
        self.state.send_modify(|state| state.is_disarmed = true);
    }
}

impl Default for Lifelines {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Lifelines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = *self.state.borrow();
        f.debug_struct("Lifelines")
            .field("first_death", &state.first_death)
            .field("is_disarmed", &state.is_disarmed)
            .finish()
    }
}

/// When the drop of a guard is a death.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Always,
    Panic,
    Never,
}

/// One actor's guard, owned by the actor.
#[derive(Debug)]
pub struct Lifeline {
    lifelines: Lifelines,
    name: &'static str,
    rule: Rule,
    is_released: Arc<AtomicBool>,
}

/// Takes one actor's guard off from outside: its owner ends it, whether it still hears of that or not.
#[derive(Debug, Clone)]
pub(crate) struct Release(Arc<AtomicBool>);

impl Release {
    /// From now on the actor's end is no death.
    pub(crate) fn now(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Lifeline {
    /// The actor stops in good order.
    pub fn disarm(&mut self) {
        self.rule = Rule::Never;
    }

    /// For whoever may end the actor while the process goes on.
    pub(crate) fn release(&self) -> Release {
        Release(Arc::clone(&self.is_released))
    }
}

impl Drop for Lifeline {
    fn drop(&mut self) {
        let is_death = match self.rule {
            Rule::Always => true,
            Rule::Panic => std::thread::panicking(),
            Rule::Never => false,
        };
        if is_death && !self.is_released.load(Ordering::SeqCst) {
            self.lifelines.report_death(self.name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_dropped_guard_is_a_death_and_the_first_one_is_named() {
        let lifelines = Lifelines::new();
        let (first, second) = (lifelines.guard("First"), lifelines.guard("Second"));
        assert!(lifelines.is_alive());
        drop(second);
        drop(first);
        assert!(!lifelines.is_alive());
        assert_eq!(lifelines.first_death().await, "Second");
    }

    #[test]
    fn a_disarmed_guard_may_go() {
        let lifelines = Lifelines::new();
        let mut guard = lifelines.guard("Actor");
        guard.disarm();
        drop(guard);
        assert!(lifelines.is_alive());
    }

    #[test]
    fn a_guard_that_its_owner_released_may_go() {
        let lifelines = Lifelines::new();
        let guard = lifelines.guard("Actor");
        guard.release().now();
        drop(guard);
        assert!(lifelines.is_alive());
    }

    #[test]
    fn nothing_dies_once_the_process_stops_in_good_order() {
        let lifelines = Lifelines::new();
        let guard = lifelines.guard("Actor");
        lifelines.disarm();
        drop(guard);
        lifelines.report_death("Other");
        assert!(lifelines.is_alive());
    }

    #[test]
    fn an_actor_within_a_worker_dies_by_panic_alone() {
        let lifelines = Lifelines::new();
        drop(lifelines.guard_within_worker("Replica"));
        assert!(lifelines.is_alive());

        let guard = lifelines.guard_within_worker("Replica");
        let panicked = std::thread::spawn(move || {
            let _guard = guard;
            std::panic::resume_unwind(Box::new("injected"));
        });
        assert!(panicked.join().is_err());
        assert!(!lifelines.is_alive());
    }
}
