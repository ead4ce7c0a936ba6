//! What HTTP workers leave for the actor: never more than so many bytes, and nobody waits.
//!
//! It is divided by subject, and not by worker: two sightings of one identity by different workers keep their order, and
//! workers seldom meet. Only what is news comes here. Each environment has the same part of the room, and room for one sighting
//! of any size.
use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sighting::Sighting;
use crate::keys::{ById, EnvironmentId};

/// Parts, each with a lock of its own that is held for some ten nanoseconds.
const PARTS: usize = 16;

/// The queue.
pub(super) struct Intake {
    parts: [Mutex<Part>; PARTS],
    /// The bytes of each part that environments share.
    most: usize,
    /// How many environments share it.
    environments: AtomicUsize,
}

#[derive(Default)]
struct Part {
    waiting: Vec<Sighting>,
    bytes: usize,
    /// What of them is each environment's.
    of_each: ById<usize>,
}

impl Part {
    fn of(&self, environment: EnvironmentId) -> usize {
        self.of_each.get(&environment).copied().unwrap_or(0)
    }
}

/// What became of a sighting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    /// It waits for the actor.
    Waits,
    /// It is no news any more: another worker was faster.
    NoNews,
    /// It is news, and there is no room for it.
    NoRoom,
}

impl Intake {
    /// Holds this many bytes at most, and as many more of sightings that are larger than an environment's part.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            parts: Default::default(),
            most: bytes / PARTS,
            environments: AtomicUsize::new(1),
        }
    }

    /// So many environments share the room.
    pub(super) fn share(&self, environments: usize) {
        self.environments.store(environments.max(1), Ordering::Relaxed);
    }

    /// Leaves a sighting, where `note` says that it is news. Both happen at once, so that the last of two sightings of one
    /// subject is the last that is noted and the last that is written.
    pub(super) fn push(&self, sighting: Sighting, note: impl FnOnce() -> bool) -> Left {
        let share = self.share_of_each();
        let Some(mut part) = self.part(sighting.subject) else {
            return Left::NoRoom;
        };
        if !note() {
            return Left::NoNews;
        }
        let (environment, bytes) = (sighting.target.environment, sighting.bytes());
        let held = part.of(environment);
        let is_first = held == 0 && part.bytes + bytes <= self.most;
        if held + bytes > share && !is_first {
            return Left::NoRoom;
        }
        part.bytes += bytes;
        part.of_each.insert(environment, held + bytes);
        part.waiting.push(sighting);
        Left::Waits
    }

    /// Whether an environment has no room for another one of this subject, whatever its size.
    pub(super) fn is_full(&self, environment: EnvironmentId, subject: u64) -> bool {
        let share = self.share_of_each();
        self.part(subject)
            .is_none_or(|part| part.bytes > 0 && part.of(environment) >= share)
    }

    fn share_of_each(&self) -> usize {
        self.most / self.environments.load(Ordering::Relaxed).max(1)
    }

    /// Takes everything, in the order in which it came for each subject.
    pub(super) fn drain(&self) -> impl Iterator<Item = Sighting> {
        self.parts.iter().flat_map(|part| {
            let mut part = lock(part);
            part.bytes = 0;
            part.of_each.clear();
            std::mem::take(&mut part.waiting)
        })
    }

    fn part(&self, subject: u64) -> Option<MutexGuard<'_, Part>> {
        // The lowest bits; the highest find places in tables.
        let place = usize::try_from(subject % PARTS as u64).ok()?;
        self.parts.get(place).map(lock)
    }
}

fn lock(part: &Mutex<Part>) -> MutexGuard<'_, Part> {
    // Every change under the lock is whole before the next can panic.
    part.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Intake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Intake").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use engine::{Identity, KeyKind};

    use super::*;
    use crate::keys::EnvironmentId;
    use crate::write_through::seen::Content;
    use crate::write_through::sighting::Target;

    fn sighting(subject: u64, identifier: &str) -> Sighting {
        sighting_of(EnvironmentId::after(None), subject, identifier)
    }

    fn sighting_of(environment: EnvironmentId, subject: u64, identifier: &str) -> Sighting {
        let target = Target {
            environment,
            kind: KeyKind::Client,
        };
        let identity = Identity::from_query(Some(identifier), || [0; 16]).unwrap();
        Sighting::new(target, subject, Content::PRESENCE, &identity)
    }

    fn push(intake: &Intake, sighting: Sighting) -> bool {
        intake.push(sighting, || true) == Left::Waits
    }

    #[test]
    fn one_subject_keeps_its_order_and_nothing_is_there_twice() {
        let intake = Intake::new(1 << 20);
        for number in 0..100 {
            assert!(push(&intake, sighting(number % 10, &number.to_string())));
        }
        assert_eq!(intake.push(sighting(1, "x"), || false), Left::NoNews);
        let drained: Vec<_> = intake.drain().collect();
        assert_eq!(drained.len(), 100);
        for subject in 0..10 {
            let of_subject = drained.iter().filter(|sighting| sighting.subject == subject);
            let numbers: Vec<u64> = of_subject
                .map(|sighting| sighting.identifier().parse().unwrap())
                .collect();
            assert!(numbers.is_sorted(), "{numbers:?}");
        }
        assert_eq!(intake.drain().count(), 0);
    }

    #[test]
    fn bytes_are_bounded_and_given_back() {
        let (intake, environment) = (Intake::new(16 * 1_024), EnvironmentId::after(None));
        for _ in 0..2 {
            let taken = (0..1_000).filter(|_| push(&intake, sighting(1, "i"))).count();
            assert!((1..=8).contains(&taken), "{taken}: 1 KiB is one part's");
            assert!(push(&intake, sighting(2, "i")), "another part");
            assert!(intake.drain().count() > 1);
        }
        assert!(!push(&intake, sighting(1, &"x".repeat(2_000))));
        assert!(!intake.is_full(environment, 1));
    }

    #[test]
    fn no_environment_takes_the_room_of_another() {
        let intake = Intake::new(16 * 4_096);
        intake.share(2);
        let one = EnvironmentId::after(None);
        let other = EnvironmentId::after(Some(one));
        let large = "x".repeat(1_500);
        assert!(push(&intake, sighting_of(one, 1, &large)));
        assert!(!push(&intake, sighting_of(one, 1, &large)));
        for _ in 0..100 {
            push(&intake, sighting_of(one, 1, "i"));
        }
        let taken = (0..100).filter(|_| push(&intake, sighting_of(other, 1, "i")));
        assert!(taken.count() >= 4, "2 KiB are its part");
        assert!(intake.drain().any(|left| left.target.environment == one));
        assert!(
            push(&intake, sighting_of(one, 1, &"€".repeat(1_000))),
            "larger than its part"
        );
        assert!(!push(&intake, sighting_of(one, 1, "i")));
        assert!(push(&intake, sighting_of(other, 1, "i")));
    }
}
