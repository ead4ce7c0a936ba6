//! The counts of one HTTP worker between two looks of the actor.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use super::counts::{Counting, Counts};
use super::labels::LabelsRef;
use super::room::Room;
use super::totals::Totals;
use crate::keys::{ById, EnvironmentId};

/// What the counts of one worker may take. The actor comes for them every ten seconds, and earlier where half of it is taken.
pub const TALLY_BYTES: usize = 4 * 1024 * 1024;

/// The counts of one worker; pure.
#[derive(Debug)]
struct Tally {
    environments: ById<Counts>,
    room: Room,
    /// The sum of all counts.
    waiting: u64,
    /// What was of features that the environments do not have.
    unknown: u64,
    /// Whether the actor was asked to come for them.
    has_called: bool,
}

/// What a worker has counted.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) environments: ById<Counts>,
    /// What found no room.
    pub(super) lost: u64,
    /// What was of features that the environments do not have.
    pub(super) unknown: u64,
}

/// The tallies of all workers. They outlive their workers, so that nothing is lost with one that dies.
#[derive(Debug)]
pub struct Tallies {
    of_workers: Mutex<Vec<Arc<Mutex<Tally>>>>,
    bytes: usize,
    half_full: Arc<Notify>,
}

impl Tallies {
    /// Those of no worker yet; each may take so many bytes.
    pub fn new(bytes: usize) -> Self {
        Self {
            of_workers: Mutex::default(),
            bytes,
            half_full: Arc::default(),
        }
    }

    /// One more worker counts.
    pub fn register(&self) -> WorkerTally {
        let tally = Arc::new(Mutex::new(Tally {
            environments: ById::default(),
            room: Room::new(self.bytes),
            waiting: 0,
            unknown: 0,
            has_called: false,
        }));
        lock(&self.of_workers).push(Arc::clone(&tally));
        WorkerTally {
            tally,
            half_full: Arc::clone(&self.half_full),
        }
    }

    /// Takes what each worker has counted. No worker waits longer than for the exchange of two maps.
    pub(super) fn take(&self) -> Vec<Taken> {
        let mut of_workers = lock(&self.of_workers);
        let taken = of_workers
            .iter()
            .map(|tally| lock(tally).take(self.bytes))
            .collect();
        // Nobody else counts there once its worker is gone; it may have counted since.
        of_workers.retain(|tally| Arc::strong_count(tally) > 1 || !lock(tally).environments.is_empty());
        taken
    }

    /// What the workers have counted, and the actor has not taken yet.
    pub fn waiting(&self) -> u64 {
        let mut totals = Totals::default();
        self.add_to(&mut totals);
        totals.waiting
    }

    /// Adds what the workers have counted and nobody has taken yet. No worker waits longer than for three additions.
    pub(super) fn add_to(&self, totals: &mut Totals) {
        for tally in lock(&self.of_workers).iter() {
            let tally = lock(tally);
            totals.waiting = totals.waiting.saturating_add(tally.waiting);
            totals.unknown = totals.unknown.saturating_add(tally.unknown);
            totals.lost.no_room = totals.lost.no_room.saturating_add(tally.room.lost());
        }
    }

    /// Resolves when the tally of a worker is half full.
    pub(super) async fn half_full(&self) {
        self.half_full.notified().await;
    }

    #[cfg(test)]
    fn workers(&self) -> usize {
        lock(&self.of_workers).len()
    }
}

/// Where one worker counts.
#[derive(Debug, Clone)]
pub struct WorkerTally {
    tally: Arc<Mutex<Tally>>,
    half_full: Arc<Notify>,
}

impl WorkerTally {
    /// Counts what one request says of one environment. Only the actor asks for the same lock, every ten seconds.
    pub fn count(&self, id: EnvironmentId, labels: LabelsRef<'_>, count: impl FnOnce(&mut Counting<'_>)) {
        let mut tally = lock(&self.tally);
        let Tally {
            environments,
            room,
            waiting,
            unknown,
            has_called,
        } = &mut *tally;
        let mut counting = environments.entry(id).or_default().counting(labels, room);
        count(&mut counting);
        *waiting = waiting.saturating_add(counting.added);
        *unknown = unknown.saturating_add(counting.unknown);
        if room.is_half_full() && !*has_called {
            *has_called = true;
            self.half_full.notify_one();
        }
    }
}

impl Tally {
    fn take(&mut self, bytes: usize) -> Taken {
        let lost = self.room.take_lost();
        self.room = Room::new(bytes);
        self.has_called = false;
        self.waiting = 0;
        Taken {
            environments: std::mem::take(&mut self.environments),
            lost,
            unknown: std::mem::take(&mut self.unknown),
        }
    }
}

/// A panic while it was locked leaves sums that are right as far as they go.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::analytics::batch::MOST_COUNT;
    use crate::analytics::evaluation::EvaluationRef;

    const MAIN: EnvironmentId = EnvironmentId::after(None);
    const OTHER: EnvironmentId = EnvironmentId::after(Some(MAIN));

    fn sums(tallies: &Tallies) -> Vec<(EnvironmentId, u64)> {
        let taken = tallies.take().into_iter().flat_map(|taken| taken.environments);
        let mut sums: Vec<_> = taken.map(|(id, counts)| (id, counts.sum())).collect();
        sums.sort();
        sums
    }

    fn count(worker: &WorkerTally, id: EnvironmentId, feature: &str, count: u64) {
        worker.count(id, LabelsRef::default(), |counting| {
            counting.feature(feature, count, |_| true)
        });
    }

    #[test]
    fn what_workers_count_is_taken_once_and_outlives_them() {
        let tallies = Tallies::new(TALLY_BYTES);
        let (one, two) = (tallies.register(), tallies.register());
        count(&one, MAIN, "a", 1);
        count(&one, OTHER, "a", 2);
        count(&two, MAIN, "a", 4);
        drop(two);
        assert_eq!(sums(&tallies), [(MAIN, 1), (MAIN, 4), (OTHER, 2)]);
        assert_eq!(tallies.workers(), 1);
        assert_eq!(sums(&tallies), []);
        count(&one, MAIN, "a", 8);
        assert_eq!(sums(&tallies), [(MAIN, 8)]);
    }

    #[test]
    fn what_nobody_has_taken_yet_is_in_the_sums() {
        let tallies = Tallies::new(TALLY_BYTES);
        let sums = || {
            let mut totals = Totals::default();
            tallies.add_to(&mut totals);
            (totals.waiting, totals.unknown, totals.lost.no_room)
        };
        let (one, two) = (tallies.register(), tallies.register());
        count(&one, MAIN, "a", 1);
        count(&one, MAIN, "a", 2);
        count(&two, OTHER, "b", u64::from(MOST_COUNT) + 4);
        one.count(MAIN, LabelsRef::default(), |counting| {
            counting.feature("z", 8, |_| false);
            let evaluation = EvaluationRef {
                feature: "z",
                identity: None,
                enabled: true,
            };
            counting.evaluation(evaluation, 16, |_| false);
        });
        assert_eq!(sums(), (u64::from(MOST_COUNT) + 3, 24, 4));
        let taken = tallies.take();
        assert_eq!(taken.iter().map(|taken| taken.unknown).sum::<u64>(), 24);
        assert_eq!(sums(), (0, 0, 0));
    }

    #[test]
    fn a_panicking_worker_loses_nothing() {
        let tallies = Tallies::new(TALLY_BYTES);
        let worker = tallies.register();
        count(&worker, MAIN, "a", 1);
        let panicked = std::thread::spawn(move || {
            worker.count(MAIN, LabelsRef::default(), |counting| {
                counting.feature("a", 1, |_| true);
                std::panic::resume_unwind(Box::new("injected"));
            });
        });
        assert!(panicked.join().is_err());
        assert_eq!(sums(&tallies), [(MAIN, 2)]);
    }

    #[test]
    fn the_actor_is_called_once_when_a_tally_is_half_full() {
        let tallies = Tallies::new(2_000);
        let worker = tallies.register();
        let mut number = 0;
        let mut fill = || {
            for _ in 0..20 {
                number += 1;
                count(&worker, MAIN, &format!("feature {number}"), 1);
            }
        };
        count(&worker, MAIN, "feature", 1);
        assert!(tallies.half_full().now_or_never().is_none());
        fill();
        assert!(tallies.half_full().now_or_never().is_some());
        fill();
        assert!(tallies.half_full().now_or_never().is_none());
        let taken = tallies.take();
        assert_eq!(taken[0].environments[&MAIN].sum() + taken[0].lost, 41);
        assert!(taken[0].lost > 0);
        fill();
        assert!(tallies.half_full().now_or_never().is_some());
    }
}
