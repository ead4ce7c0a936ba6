//! What is to be written, merged by identity, and put into batches; pure.
use std::collections::{HashMap, HashSet, VecDeque, hash_map};
use std::fmt;

use foldhash::quality::RandomState;

use super::batch::{Batch, Entry};
use super::sighting::{Sighting, Target};

/// Identities that wait for their turn, within a bound of bytes that counts those under way too.
pub(super) struct Pending {
    identities: HashMap<u64, (Target, Entry), RandomState>,
    /// The order in which each target's came.
    queues: HashMap<Target, VecDeque<u64>, RandomState>,
    /// Identities under way: what is newer of them waits until that is settled, or it could come first.
    under_way: HashSet<u64, RandomState>,
    /// The targets that something waits for, in the order of their turns.
    turns: VecDeque<Target>,
    /// What waits and what is under way.
    bytes: usize,
    most_bytes: usize,
}

/// What a batch may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    pub(super) identities: usize,
    pub(super) bytes: usize,
}

impl Pending {
    /// Nothing waits; at most so many bytes will.
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            identities: HashMap::default(),
            queues: HashMap::default(),
            under_way: HashSet::default(),
            turns: VecDeque::new(),
            bytes: 0,
            most_bytes,
        }
    }

    /// Whether there is no room worth a mention, but for what is newer of what waits.
    pub(super) fn is_full(&self) -> bool {
        self.bytes >= self.most_bytes - self.most_bytes / 16
    }

    /// Adds a sighting; what is new of an identity that waits goes over what is older. `false`: there is no room for it.
    pub(super) fn add(&mut self, sighting: &Sighting) -> bool {
        if self.bytes >= self.most_bytes {
            return false;
        }
        let entry = Entry::of(sighting);
        if self.bytes + entry.bytes() > self.most_bytes {
            return false;
        }
        let Some((target, waiting)) = self.identities.get_mut(&sighting.subject) else {
            self.wait(sighting.target, entry, End::Back);
            return true;
        };
        // Two identities of one hash: the newer one is written when it is seen again.
        if waiting.identifier != entry.identifier {
            return false;
        }
        // Either kind of key may write it, or it would not be here; it stays in its queue.
        debug_assert_eq!(target.environment, sighting.target.environment);
        let before = waiting.bytes();
        waiting.update(entry);
        self.bytes = self.bytes + waiting.bytes() - before;
        true
    }

    /// Puts back what could not be written: before everything else, and under what has come since.
    pub(super) fn put_back(&mut self, batch: Batch) {
        let target = batch.target;
        for mut entry in batch.into_entries().into_iter().rev() {
            self.under_way.remove(&entry.subject);
            self.bytes = self.bytes.saturating_sub(entry.bytes());
            match self.identities.get_mut(&entry.subject) {
                None => self.wait(target, entry, End::Front),
                Some((_, waiting)) if waiting.identifier == entry.identifier => {
                    self.bytes = self.bytes.saturating_sub(waiting.bytes());
                    std::mem::swap(waiting, &mut entry);
                    waiting.update(entry);
                    self.bytes += waiting.bytes();
                }
                Some(_) => {}
            }
        }
    }

    /// Takes the identities of the next batch, of the target whose turn it is. `filter` takes off what need not be written; what
    /// it says `false` to is done.
    pub(super) fn next_batch(
        &mut self,
        limits: BatchLimits,
        mut filter: impl FnMut(&mut Entry) -> bool,
    ) -> Option<Batch> {
        for _ in 0..self.turns.len() {
            let target = self.turns.pop_front()?;
            let batch = self.take(target, limits, &mut filter);
            if self.queues.get(&target).is_some_and(|queue| !queue.is_empty()) {
                self.turns.push_back(target);
            } else {
                self.queues.remove(&target);
            }
            if batch.len() > 0 {
                return Some(batch);
            }
        }
        None
    }

    fn take(
        &mut self,
        target: Target,
        limits: BatchLimits,
        filter: &mut impl FnMut(&mut Entry) -> bool,
    ) -> Batch {
        let mut batch = Batch::new(target);
        let (mut bytes, mut too_early) = (0, Vec::new());
        while batch.len() < limits.identities && bytes < limits.bytes {
            let queue = self.queues.get_mut(&target);
            let Some(subject) = queue.and_then(VecDeque::pop_front) else {
                break;
            };
            if self.under_way.contains(&subject) {
                too_early.push(subject);
                continue;
            }
            let Some((_, mut entry)) = self.identities.remove(&subject) else {
                continue;
            };
            self.bytes = self.bytes.saturating_sub(entry.bytes());
            if filter(&mut entry) {
                // It counts until it is written or lost.
                self.bytes += entry.bytes();
                bytes += entry.bytes();
                self.under_way.insert(subject);
                batch.push(entry);
            }
        }
        if let Some(queue) = self.queues.get_mut(&target) {
            too_early
                .into_iter()
                .rev()
                .for_each(|subject| queue.push_front(subject));
        }
        batch
    }

    /// A batch is written, or lost.
    pub(super) fn release(&mut self, batch: &Batch) {
        self.bytes = self.bytes.saturating_sub(batch.bytes());
        for entry in batch.entries() {
            self.under_way.remove(&entry.subject);
        }
    }

    /// How many identities wait.
    pub(super) fn len(&self) -> usize {
        self.identities.len()
    }

    /// Takes whatever of a target waits: there is nowhere to write it to.
    pub(super) fn drop_target(&mut self, target: Target) -> Vec<Entry> {
        self.turns.retain(|turn| *turn != target);
        let subjects = self.queues.remove(&target).unwrap_or_default();
        let dropped = subjects
            .into_iter()
            .filter_map(|subject| self.identities.remove(&subject))
            .map(|(_, entry)| entry);
        let dropped: Vec<Entry> = dropped.collect();
        self.bytes = self.bytes.saturating_sub(dropped.iter().map(Entry::bytes).sum());
        dropped
    }

    /// The targets of what waits.
    pub(super) fn targets(&self) -> Vec<Target> {
        self.turns.iter().copied().collect()
    }

    fn wait(&mut self, target: Target, entry: Entry, end: End) {
        self.bytes += entry.bytes();
        let queue = match self.queues.entry(target) {
            hash_map::Entry::Occupied(queue) => queue.into_mut(),
            hash_map::Entry::Vacant(place) => {
                self.turns.push_back(target);
                place.insert(VecDeque::new())
            }
        };
        match end {
            End::Front => queue.push_front(entry.subject),
            End::Back => queue.push_back(entry.subject),
        }
        self.identities.insert(entry.subject, (target, entry));
    }
}

/// An end of a queue.
enum End {
    Front,
    Back,
}

impl fmt::Debug for Pending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pending")
            .field("identities", &self.identities.len())
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
