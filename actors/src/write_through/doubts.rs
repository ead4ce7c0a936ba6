//! Whether a 401, a 403 or a 500 is about one identity or about all of a target's; pure.
//!
//! Core answers 500 where its database does not hold an integer, and where it is not well; a firewall answers 403 where it
//! dislikes an identity, and core where the key is wrong. What tells them apart is whether anything else of the target is
//! written: batches are halved, and what is refused alone is held until that is known. What is refused alone by a 500, and again
//! after others were written, is at fault itself.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::batch::Batch;

/// Refusals in a row after which they are about the target and no identity: more than it takes to find a bad one in each of
/// the batches that are under way at a time, which is seven each, and few enough calls to be in vain.
const MOST_IN_ROW: u32 = 32;

/// Identities that are remembered to have been refused alone by a 500.
const MOST_BLAMED: usize = 32;

/// How long what was written speaks for a key.
const RECENT: Duration = Duration::from_secs(60);

/// What is known of one target.
#[derive(Debug, Default)]
pub(super) struct Doubts {
    in_row: u32,
    /// Identities that were refused alone, each with the status.
    suspects: Vec<(Batch, u16)>,
    /// Identities that a 500 refused alone, by their subjects, and when first; the oldest first.
    blamed: VecDeque<(u64, Instant)>,
    last_written: Option<Instant>,
    waits: u32,
    wait_until: Option<Instant>,
}

/// What to do with a target that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// Go on: it is not known yet.
    Open,
    /// Upstream is not well for it: everything is put back.
    Unwell,
    /// Its key is rejected; the status.
    KeyRejected(u16),
    /// It is about the suspects alone.
    Suspects,
}

impl Doubts {
    /// Something of the target was written: what was refused beside it is refused for what it is.
    pub(super) fn written(&mut self, now: Instant) -> Vec<(Batch, u16)> {
        (self.in_row, self.waits, self.wait_until) = (0, 0, None);
        self.last_written = Some(now);
        std::mem::take(&mut self.suspects)
    }

    /// These were written: nothing speaks against them any more.
    pub(super) fn acquit(&mut self, batch: &Batch) {
        if !self.blamed.is_empty() {
            let is_written = |subject: u64| batch.entries().iter().any(|entry| entry.subject == subject);
            self.blamed.retain(|(subject, _)| !is_written(*subject));
        }
    }

    /// Whether others of the target were written after it was refused alone for the first time.
    fn is_at_fault(&self, identity: &Batch) -> bool {
        let subject = identity.entries().first().map(|entry| entry.subject);
        let mut blamed = self.blamed.iter();
        let first = blamed.find(|(blamed, _)| Some(*blamed) == subject);
        first.is_some_and(|(_, first)| self.last_written.is_some_and(|written| written > *first))
    }

    /// A batch was refused, that is halved.
    pub(super) fn refused(&mut self) {
        self.in_row = self.in_row.saturating_add(1);
    }

    /// An identity was refused alone.
    pub(super) fn refused_alone(&mut self, identity: Batch, status: u16) {
        self.refused();
        self.suspects.push((identity, status));
    }

    /// What follows from it; `has_more`: other identities of the target are about to be written.
    pub(super) fn finding(&self, has_more: bool, now: Instant) -> Finding {
        let Some((_, status)) = self.suspects.last() else {
            return Finding::Open;
        };
        if self.in_row < self.most() && has_more {
            return Finding::Open;
        }
        if *status >= 500 {
            let are_at_fault = self.suspects.iter().all(|(batch, _)| self.is_at_fault(batch));
            return if are_at_fault {
                Finding::Suspects
            } else {
                Finding::Unwell
            };
        }
        let is_recent = |at: Instant| now.saturating_duration_since(at) < RECENT;
        if self.in_row < self.most() && self.last_written.is_some_and(is_recent) {
            Finding::Suspects
        } else {
            Finding::KeyRejected(*status)
        }
    }

    /// Upstream is not well for the target: it is left alone for about so long at first and at most. What is to be put back.
    /// `spread` is random, from 0 to 1.
    pub(super) fn unwell(
        &mut self,
        (shortest, longest): (Duration, Duration),
        spread: f64,
        now: Instant,
    ) -> Vec<(Batch, u16)> {
        for (batch, status) in &self.suspects {
            let subjects = batch.entries().iter().map(|entry| entry.subject);
            for subject in subjects.filter(|_| *status >= 500) {
                if self.blamed.iter().all(|(blamed, _)| *blamed != subject) {
                    self.blamed.push_back((subject, now));
                }
            }
        }
        let too_many = self.blamed.len().saturating_sub(MOST_BLAMED);
        self.blamed.drain(..too_many);
        // Calls that end together are one failure.
        if !self.is_waiting(now) {
            let doubled = shortest.saturating_mul(1_u32 << self.waits.min(16));
            self.waits = self.waits.saturating_add(1);
            self.wait_until = Some(now + doubled.min(longest).mul_f64(0.5 + spread / 2.0));
        }
        self.begin_anew()
    }

    /// Its key is rejected, for as long as the caller knows; one identity finds out then. What is lost.
    pub(super) fn rejected(&mut self) -> Vec<(Batch, u16)> {
        self.waits = self.waits.max(1);
        self.begin_anew()
    }

    /// The suspects, whose fate is known.
    pub(super) fn begin_anew(&mut self) -> Vec<(Batch, u16)> {
        self.in_row = 0;
        std::mem::take(&mut self.suspects)
    }

    /// Whether the target is left alone at the moment.
    pub(super) fn is_waiting(&self, now: Instant) -> bool {
        self.wait_until.is_some_and(|until| now < until)
    }

    /// Whether nothing of the target has been written since upstream was not well for it, or rejected its key: one identity finds out.
    pub(super) fn is_probing(&self) -> bool {
        self.waits > 0
    }

    /// Identities that are held.
    pub(super) fn len(&self) -> usize {
        self.suspects.len()
    }

    fn most(&self) -> u32 {
        if self.is_probing() { 1 } else { MOST_IN_ROW }
    }
}

#[cfg(test)]
mod tests {
    use engine::KeyKind;

    use super::*;
    use crate::keys::EnvironmentId;
    use crate::write_through::sighting::Target;

    fn batch() -> Batch {
        Batch::new(Target {
            environment: EnvironmentId::after(None),
            kind: KeyKind::Client,
        })
    }

    #[test]
    fn one_beside_others_that_are_written_is_refused_for_what_it_is() {
        for status in [403, 500] {
            let (mut doubts, now) = (Doubts::default(), Instant::now());
            for _ in 0..7 {
                doubts.refused();
            }
            doubts.refused_alone(batch(), status);
            assert_eq!(doubts.finding(true, now), Finding::Open);
            assert_eq!(doubts.written(now).len(), 1);
            assert_eq!((doubts.len(), doubts.is_waiting(now)), (0, false));
        }
    }

    #[test]
    fn where_nothing_is_written_it_is_the_target() {
        for (status, finding) in [(500, Finding::Unwell), (403, Finding::KeyRejected(403))] {
            let (mut doubts, now) = (Doubts::default(), Instant::now());
            doubts.written(now);
            for _ in 1..MOST_IN_ROW {
                doubts.refused_alone(batch(), status);
                assert_eq!(doubts.finding(true, now), Finding::Open);
            }
            doubts.refused_alone(batch(), status);
            assert_eq!(doubts.finding(true, now), finding);
            assert_eq!(doubts.begin_anew().len(), MOST_IN_ROW as usize);
        }
    }

    #[test]
    fn the_only_one_is_kept_and_speaks_against_a_key_that_has_written_nothing() {
        let now = Instant::now();
        let lone = |status, written: bool, later: Duration| {
            let mut doubts = Doubts::default();
            if written {
                doubts.written(now);
            }
            doubts.refused_alone(batch(), status);
            doubts.finding(false, now + later)
        };
        assert_eq!(lone(500, true, Duration::ZERO), Finding::Unwell);
        assert_eq!(lone(403, true, Duration::ZERO), Finding::Suspects);
        assert_eq!(lone(403, true, RECENT), Finding::KeyRejected(403));
        assert_eq!(lone(403, false, Duration::ZERO), Finding::KeyRejected(403));
    }

    #[test]
    fn a_target_for_which_upstream_is_not_well_is_left_alone_ever_longer() {
        let (mut doubts, mut now) = (Doubts::default(), Instant::now());
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            doubts.refused_alone(batch(), 500);
            let waits = (Duration::from_secs(1), Duration::from_secs(60));
            doubts.unwell(waits, 1.0, now);
            doubts.unwell(waits, 1.0, now);
            assert!(doubts.is_waiting(now + Duration::from_millis(wait * 1_000 - 1)));
            now += Duration::from_secs(wait);
            assert!(!doubts.is_waiting(now) && doubts.is_probing());
            doubts.refused_alone(batch(), 500);
            assert_eq!(doubts.finding(true, now), Finding::Unwell, "one finds out");
        }
        doubts.written(now);
        assert!(!doubts.is_probing());
    }
}
