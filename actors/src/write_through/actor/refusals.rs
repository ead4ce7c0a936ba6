//! What upstream refuses: one identity, or all of a target's.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::WriteThrough;
use crate::write_through::batch::Batch;
use crate::write_through::doubts::Finding;
use crate::write_through::losses::Why;
use crate::write_through::pending::End;
use crate::write_through::sighting::Target;

/// How long a target whose key upstream rejects is left alone, as the poller leaves it.
const REJECTED_PAUSE: Duration = Duration::from_secs(60);

impl WriteThrough {
    /// Looks for what is refused in both halves: the first is halved on before the second has its turn, so that single
    /// identities come soon.
    pub(super) fn halve(&mut self, batch: Batch) {
        for half in batch.halves().into_iter().rev() {
            self.halves.push_front(half);
        }
    }

    /// A batch was refused in a way that may be about all of its target.
    pub(super) fn doubt(&mut self, batch: Batch, status: u16, now: Instant) {
        let target = batch.target;
        if let Some((_, why)) = self.rejected.get(&target) {
            return self.lose(batch, *why);
        }
        let doubts = self.doubts.entry(target).or_default();
        if doubts.is_waiting(now) {
            return self.pending.put_back(batch, End::Front);
        }
        if batch.len() > 1 {
            doubts.refused();
            return self.halve(batch);
        }
        doubts.refused_alone(batch, status);
        // This call is under way still.
        let has_more = self.has_more(target) || self.pace.under_way() > 1;
        self.decide(target, has_more, now);
    }

    /// Decides on identities that were refused alone, where nothing comes any more that could tell.
    pub(super) fn decide_on_suspects(&mut self) {
        if self.pace.under_way() > 0 {
            return;
        }
        let held = self.doubts.iter().filter(|(_, doubts)| doubts.len() > 0);
        let targets: Vec<Target> = held.map(|(target, _)| *target).collect();
        for target in targets {
            let has_more = self.has_more(target);
            self.decide(target, has_more, Instant::now());
        }
    }

    fn has_more(&self, target: Target) -> bool {
        self.pending.has(target) || self.halves.iter().any(|half| half.target == target)
    }

    fn decide(&mut self, target: Target, has_more: bool, now: Instant) {
        let doubts = self.doubts.entry(target).or_default();
        match doubts.finding(has_more, now) {
            Finding::Open => {}
            Finding::Suspects => {
                for (suspect, status) in doubts.begin_anew() {
                    self.lose(suspect, Why::Refused(status));
                }
            }
            Finding::Unwell => {
                let suspects = doubts.unwell(self.options.waits, f64::from(fastrand::f32()), now);
                for half in self.take_halves(target).into_iter().rev() {
                    self.pending.put_back(half, End::Front);
                }
                // One of them may be what upstream fails at: others are tried before it.
                for (suspect, _) in suspects {
                    self.pending.put_back(suspect, End::Back);
                }
            }
            Finding::KeyRejected(status) => {
                let why = Why::KeyRejected(status);
                let suspects = doubts.rejected();
                self.rejected.insert(target, (now + REJECTED_PAUSE, why));
                for (suspect, _) in suspects {
                    self.lose(suspect, why);
                }
                self.lose_waiting(target, why);
            }
        }
    }

    /// Takes the halves of a target, in their order.
    pub(super) fn take_halves(&mut self, target: Target) -> VecDeque<Batch> {
        let (of_target, others) = self.halves.drain(..).partition(|half| half.target == target);
        self.halves = others;
        of_target
    }
}
