//! What is to be written, merged by identity, and put into batches; pure.
use std::collections::{HashMap, HashSet, VecDeque, hash_map};
use std::fmt;

use foldhash::quality::RandomState;

use super::batch::{Batch, Entry};
use super::sighting::{Sighting, Target};
use crate::keys::{ById, EnvironmentId};

/// Identities that wait for their turn, within a bound of bytes that counts those under way too. Each environment has the same
/// part of it, so that none takes another's room.
pub(super) struct Pending {
    identities: HashMap<u64, (Target, Entry), RandomState>,
    /// The order in which each target's came.
    queues: HashMap<Target, VecDeque<u64>, RandomState>,
    /// Identities under way: what is newer of them waits until that is settled, or it could come first.
    under_way: HashSet<u64, RandomState>,
    /// The targets that something waits for, in the order of their turns.
    turns: VecDeque<Target>,
    /// What waits and what is under way of each environment that has any.
    bytes: ById<usize>,
    most_bytes: usize,
    /// How many environments share it.
    environments: usize,
}

/// What a batch may hold.
#[derive(Debug, Clone, Copy)]
pub(super) struct BatchLimits {
    pub(super) identities: usize,
    pub(super) bytes: usize,
}

impl Pending {
    /// Nothing waits; at most so many bytes will, of one environment.
    pub(super) fn new(most_bytes: usize) -> Self {
        Self {
            identities: HashMap::default(),
            queues: HashMap::default(),
            under_way: HashSet::default(),
            turns: VecDeque::new(),
            bytes: ById::default(),
            most_bytes,
            environments: 1,
        }
    }

    /// So many environments share the room.
    pub(super) fn share(&mut self, environments: usize) {
        self.environments = environments.max(1);
    }

    /// The environments that have no room worth a mention.
    pub(super) fn full(&self) -> impl Iterator<Item = EnvironmentId> {
        let share = self.most_bytes / self.environments;
        let is_full =
            move |(id, bytes): (&EnvironmentId, &usize)| (*bytes >= share - share / 16).then_some(*id);
        self.bytes.iter().filter_map(is_full)
    }

    fn has_room(&self, environment: EnvironmentId, more: usize) -> bool {
        let bytes = self.bytes.get(&environment).copied().unwrap_or(0);
        bytes.saturating_add(more) <= self.most_bytes / self.environments
    }

    fn grow(&mut self, environment: EnvironmentId, bytes: usize) {
        *self.bytes.entry(environment).or_default() += bytes;
    }

    fn shrink(&mut self, environment: EnvironmentId, bytes: usize) {
        if let hash_map::Entry::Occupied(mut held) = self.bytes.entry(environment) {
            *held.get_mut() = held.get().saturating_sub(bytes);
            if *held.get() == 0 {
                held.remove();
            }
        }
    }

    /// Adds a sighting; what is new of an identity that waits goes over what is older. `false`: there is no room for it.
    pub(super) fn add(&mut self, sighting: &Sighting) -> bool {
        let environment = sighting.target.environment;
        if !self.has_room(environment, 1) {
            return false;
        }
        let entry = Entry::of(sighting);
        if !self.has_room(environment, entry.bytes()) {
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
        debug_assert_eq!(target.environment, environment);
        let before = waiting.bytes();
        waiting.update(entry);
        let after = waiting.bytes();
        self.shrink(environment, before);
        self.grow(environment, after);
        true
    }

    /// Puts back what could not be written, under what has come since: at the front, so that it is the next, or at the back,
    /// where it may be at fault itself.
    pub(super) fn put_back(&mut self, batch: Batch, end: End) {
        let (target, environment) = (batch.target, batch.target.environment);
        for mut entry in batch.into_entries().into_iter().rev() {
            self.under_way.remove(&entry.subject);
            self.shrink(environment, entry.bytes());
            match self.identities.get_mut(&entry.subject) {
                None => self.wait(target, entry, end),
                Some((_, waiting)) if waiting.identifier == entry.identifier => {
                    let before = waiting.bytes();
                    std::mem::swap(waiting, &mut entry);
                    waiting.update(entry);
                    let after = waiting.bytes();
                    self.shrink(environment, before);
                    self.grow(environment, after);
                }
                Some(_) => {}
            }
        }
    }

    /// Takes the identities of the next batch, of the target whose turn it is and that has `limits`, or is left alone. `filter`
    /// takes off what need not be written; what it says `false` to is done.
    pub(super) fn next_batch(
        &mut self,
        limits: impl Fn(Target) -> Option<BatchLimits>,
        mut filter: impl FnMut(&mut Entry) -> bool,
    ) -> Option<Batch> {
        for _ in 0..self.turns.len() {
            let target = self.turns.pop_front()?;
            let Some(limits) = limits(target) else {
                self.turns.push_back(target);
                continue;
            };
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
            self.shrink(target.environment, entry.bytes());
            if filter(&mut entry) {
                // It counts until it is written or lost.
                self.grow(target.environment, entry.bytes());
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
        self.shrink(batch.target.environment, batch.bytes());
        for entry in batch.entries() {
            self.under_way.remove(&entry.subject);
        }
    }

    /// How many identities wait.
    pub(super) fn len(&self) -> usize {
        self.identities.len()
    }

    /// Whether anything of a target waits.
    pub(super) fn has(&self, target: Target) -> bool {
        self.queues.contains_key(&target)
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
        self.shrink(target.environment, dropped.iter().map(Entry::bytes).sum());
        dropped
    }

    /// The targets of what waits.
    pub(super) fn targets(&self) -> Vec<Target> {
        self.turns.iter().copied().collect()
    }

    fn wait(&mut self, target: Target, entry: Entry, end: End) {
        self.grow(target.environment, entry.bytes());
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
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
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
