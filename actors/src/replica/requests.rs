//! How many requests brought a key of each environment.
//!
//! Each worker counts its own, so that a request pays for an addition that nobody else writes to.
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::keys::EnvironmentId;

/// Counts by the numbers of environments.
type Counts = Arc<[AtomicU64]>;

/// What one worker counts in. It alone writes; whoever holds its [`Reader`] looks.
#[derive(Debug)]
pub(crate) struct RequestCounts {
    counts: Counts,
    reader: Reader,
}

/// Reads what one worker has counted.
#[derive(Debug, Clone)]
pub(crate) struct Reader(Arc<Mutex<Counts>>);

/// Sums of what workers have counted, by environment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestTotals(Vec<u64>);

impl RequestCounts {
    /// With nothing counted.
    pub(crate) fn new() -> Self {
        let counts: Counts = Arc::new([]);
        Self {
            reader: Reader(Arc::new(Mutex::new(Arc::clone(&counts)))),
            counts,
        }
    }

    pub(crate) fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// Counts one request.
    pub(super) fn count(&mut self, id: EnvironmentId) {
        if self.counts.len() <= id.place() {
            self.grow(id);
        }
        if let Some(count) = self.counts.get(id.place()) {
            // One thread alone writes, so that it needs no locked instruction.
            count.store(count.load(Ordering::Relaxed).wrapping_add(1), Ordering::Relaxed);
        }
    }

    /// Makes room for an environment that is new. Numbers are never given twice, so that the room grows with every one that was
    /// ever configured.
    #[cold]
    fn grow(&mut self, id: EnvironmentId) {
        let room = id.place().saturating_add(1).next_power_of_two();
        let known = self.counts.iter().map(|count| count.load(Ordering::Relaxed));
        let grown = known.chain(std::iter::repeat(0)).take(room);
        self.counts = grown.map(AtomicU64::new).collect();
        *self.reader.lock() = Arc::clone(&self.counts);
    }
}

impl Reader {
    fn lock(&self) -> MutexGuard<'_, Counts> {
        // A change is one assignment, so it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RequestTotals {
    /// Adds what a worker has counted so far.
    pub(crate) fn add(&mut self, reader: &Reader) {
        let counts = Arc::clone(&reader.lock());
        if self.0.len() < counts.len() {
            self.0.resize(counts.len(), 0);
        }
        for (sum, count) in self.0.iter_mut().zip(counts.iter()) {
            *sum = sum.wrapping_add(count.load(Ordering::Relaxed));
        }
    }

    /// How many requests brought a key of this environment.
    pub fn of(&self, id: EnvironmentId) -> u64 {
        self.0.get(id.place()).copied().unwrap_or(0)
    }

    /// Those of all environments.
    pub fn sum(&self) -> u64 {
        self.0.iter().fold(0, |sum, count| sum.wrapping_add(*count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> EnvironmentId {
        let mut id = EnvironmentId::after(None);
        for _ in 1..number {
            id = EnvironmentId::after(Some(id));
        }
        id
    }

    #[test]
    fn what_workers_count_is_added_up_while_environments_come() {
        let (mut one, mut other) = (RequestCounts::new(), RequestCounts::new());
        let readers = [one.reader(), other.reader()];
        for number in [1, 1, 1, 40, 1] {
            one.count(id(number));
        }
        for number in [9, 1, 9, 9, 1, 9] {
            other.count(id(number));
        }
        let mut totals = RequestTotals::default();
        readers.iter().for_each(|reader| totals.add(reader));
        let of = [1, 2, 9, 40, 1_000].map(|number| totals.of(id(number)));
        assert_eq!((of, totals.sum()), ([6, 0, 4, 1, 0], 11));
    }
}
