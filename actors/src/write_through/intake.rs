//! What HTTP workers leave for the actor: never more than so many bytes, and nobody waits.
//!
//! It is divided by subject, and not by worker: two sightings of one identity by different workers keep their order, and
//! workers seldom meet. Only what is news comes here.
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::sighting::Sighting;

/// Parts, each with a lock of its own that is held for some ten nanoseconds.
const PARTS: usize = 16;

/// The queue.
pub(super) struct Intake {
    parts: [Mutex<Part>; PARTS],
    /// The most bytes of each part.
    most: usize,
}

#[derive(Default)]
struct Part {
    waiting: Vec<Sighting>,
    bytes: usize,
}

impl Intake {
    /// Holds this many bytes at most.
    pub(super) fn new(bytes: usize) -> Self {
        Self {
            parts: Default::default(),
            most: bytes / PARTS,
        }
    }

    /// Leaves a sighting; gives it back where there is no room.
    pub(super) fn push(&self, sighting: Sighting) -> Result<(), Sighting> {
        let Some(part) = self.part(sighting.subject) else {
            return Err(sighting);
        };
        let bytes = part.bytes + sighting.bytes();
        if bytes > self.most {
            return Err(sighting);
        }
        let mut part = part;
        part.bytes = bytes;
        part.waiting.push(sighting);
        Ok(())
    }

    /// Whether there is no room for another one of this subject, whatever its size.
    pub(super) fn is_full(&self, subject: u64) -> bool {
        self.part(subject).is_none_or(|part| part.bytes >= self.most)
    }

    /// Takes everything, in the order in which it came for each subject.
    pub(super) fn drain(&self) -> impl Iterator<Item = Sighting> {
        self.parts.iter().flat_map(|part| {
            let mut part = lock(part);
            part.bytes = 0;
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
        let target = Target {
            environment: EnvironmentId::after(None),
            kind: KeyKind::Client,
        };
        let identity = Identity::from_query(Some(identifier), || [0; 16]).unwrap();
        Sighting::new(target, subject, Content::PRESENCE, &identity)
    }

    #[test]
    fn one_subject_keeps_its_order_and_nothing_is_there_twice() {
        let intake = Intake::new(1 << 20);
        for number in 0..100 {
            intake.push(sighting(number % 10, &number.to_string())).unwrap();
        }
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
        let intake = Intake::new(16 * 1_024);
        for _ in 0..2 {
            let taken = (0..1_000)
                .filter(|_| intake.push(sighting(1, "i")).is_ok())
                .count();
            assert!((1..=8).contains(&taken), "{taken}: 1 KiB is one part's");
            assert!(intake.push(sighting(2, "i")).is_ok(), "another part");
            assert!(intake.drain().count() > 1);
        }
        assert!(intake.push(sighting(1, &"x".repeat(2_000))).is_err());
        assert!(!intake.is_full(1));
    }
}
