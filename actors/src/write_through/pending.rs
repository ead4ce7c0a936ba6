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

    /// Takes the identities of the next batch, of a target that `may` be written to and whose turn it is. `filter` takes off
    /// what need not be written; what it says `false` to is done.
    pub(super) fn next_batch(
        &mut self,
        limits: BatchLimits,
        may: impl Fn(Target) -> bool,
        mut filter: impl FnMut(&mut Entry) -> bool,
    ) -> Option<Batch> {
        for _ in 0..self.turns.len() {
            let target = self.turns.pop_front()?;
            if may(target) {
                let batch = self.take(target, limits, &mut filter);
                if self.queues.get(&target).is_some_and(|queue| !queue.is_empty()) {
                    self.turns.push_back(target);
                } else {
                    self.queues.remove(&target);
                }
                if batch.len() > 0 {
                    return Some(batch);
                }
            } else {
                self.turns.push_back(target);
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
    pub(super) fn drop_target(&mut self, target: Target) {
        self.turns.retain(|turn| *turn != target);
        for subject in self.queues.remove(&target).unwrap_or_default() {
            if let Some((_, entry)) = self.identities.remove(&subject) {
                self.bytes = self.bytes.saturating_sub(entry.bytes());
            }
        }
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
mod tests {
    use engine::{Identity, KeyKind};

    use super::*;
    use crate::keys::EnvironmentId;
    use crate::write_through::seen::Content;

    const LIMITS: BatchLimits = BatchLimits {
        identities: 3,
        bytes: 1 << 20,
    };

    fn target(number: u32) -> Target {
        let environments = std::iter::successors(Some(EnvironmentId::after(None)), |last| {
            Some(EnvironmentId::after(Some(*last)))
        });
        Target {
            environment: environments.take(number as usize + 1).last().unwrap(),
            kind: KeyKind::Client,
        }
    }

    fn sighting(target: Target, number: u64, traits: &str) -> Sighting {
        let body = format!(r#"{{"identifier":"i{number}","traits":[{traits}]}}"#);
        let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
        Sighting::new(target, number, Content::of(number), &identity)
    }

    fn set(key: &str, value: u32) -> String {
        format!(r#"{{"trait_key":"{key}","trait_value":{value}}}"#)
    }

    fn next(pending: &mut Pending) -> Option<Batch> {
        pending.next_batch(LIMITS, |_| true, |_| true)
    }

    fn body(batch: &Batch) -> String {
        String::from_utf8(batch.bulk_body().to_vec()).unwrap()
    }

    #[test]
    fn what_is_newer_of_an_identity_goes_over_what_is_older() {
        let mut pending = Pending::new(1 << 20);
        let unset = r#"{"trait_key":"c","trait_value":null}"#;
        for traits in [
            [set("a", 1), set("b", 1)].join(","),
            set("a", 2),
            [set("c", 3), set("c", 4)].join(","),
            unset.to_owned(),
        ] {
            assert!(pending.add(&sighting(target(0), 7, &traits)));
        }
        let batch = next(&mut pending).unwrap();
        assert_eq!(
            body(&batch),
            r#"{"data":[{"identifier":"i7","traits":[{"trait_key":"a","trait_value":2},{"trait_key":"b","trait_value":1},{"trait_key":"c","trait_value":null}]}]}"#
        );
        assert_eq!(batch.single_body(), body(&batch)[9..body(&batch).len() - 2]);

        // Upstream did not take it, and meanwhile something changed.
        pending.add(&sighting(target(0), 7, &set("a", 3)));
        assert!(next(&mut pending).is_none(), "it could come first");
        pending.put_back(batch);
        let again = body(&next(&mut pending).unwrap());
        assert!(
            again.contains(r#""a","trait_value":3"#) && again.contains(r#""b","trait_value":1"#),
            "{again}"
        );
        assert!(next(&mut pending).is_none());
    }

    #[test]
    fn batches_are_bounded_and_targets_take_turns() {
        let mut pending = Pending::new(1 << 20);
        for number in 0..7 {
            pending.add(&sighting(target(0), number, ""));
            pending.add(&sighting(target(1), 100 + number, ""));
        }
        let mut batches = Vec::new();
        while let Some(batch) = next(&mut pending) {
            batches.push((batch.target == target(0), batch.len()));
            pending.release(&batch);
        }
        let turns = [
            (true, 3),
            (false, 3),
            (true, 3),
            (false, 3),
            (true, 1),
            (false, 1),
        ];
        assert_eq!(batches, turns);

        pending.add(&sighting(target(0), 1, ""));
        pending.add(&sighting(target(1), 2, ""));
        let of_second = pending
            .next_batch(LIMITS, |may| may == target(1), |_| true)
            .unwrap();
        assert_eq!(of_second.target, target(1));
        pending.drop_target(target(0));
        assert_eq!((pending.len(), pending.targets()), (0, Vec::new()));
    }

    #[test]
    fn bytes_count_until_they_are_written_or_lost() {
        let one = Entry::of(&sighting(target(0), 0, &set("a", 1))).bytes();
        let mut pending = Pending::new(3 * one);
        for number in 0..3 {
            assert!(pending.add(&sighting(target(0), number, &set("a", 1))));
        }
        assert!(!pending.add(&sighting(target(0), 3, &set("a", 1))));
        let batch = next(&mut pending).unwrap();
        assert!(
            !pending.add(&sighting(target(0), 3, &set("a", 1))),
            "it is under way"
        );
        pending.put_back(batch);
        assert!(!pending.add(&sighting(target(0), 3, &set("a", 1))));
        let batch = next(&mut pending).unwrap();
        pending.release(&batch);
        assert_eq!(pending.bytes, 0);
        assert!(pending.add(&sighting(target(0), 3, &set("a", 1))));

        let filtered = pending.next_batch(LIMITS, |_| true, |_| false);
        assert!(filtered.is_none());
        assert_eq!((pending.len(), pending.bytes), (0, 0));
    }

    #[test]
    fn two_identities_of_one_hash_are_not_mixed() {
        let mut pending = Pending::new(1 << 20);
        let first = sighting(target(0), 1, &set("a", 1));
        let mut second = sighting(target(0), 2, &set("b", 1));
        second.subject = first.subject;
        assert!(pending.add(&first));
        assert!(!pending.add(&second));
        assert!(body(&next(&mut pending).unwrap()).contains("i1"));
    }

    #[test]
    fn nothing_of_an_identity_is_shown() {
        let mut pending = Pending::new(1 << 20);
        let sighting = sighting(target(0), 1, r#"{"trait_key":"s3cret","trait_value":"s3cret"}"#);
        pending.add(&sighting);
        let shown = format!("{pending:?} {sighting:?} {:?}", next(&mut pending).unwrap());
        assert!(!shown.contains("s3cret") && !shown.contains("i1"), "{shown}");
    }
}
