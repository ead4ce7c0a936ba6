//! What becomes of a batch when its call has ended.
use std::sync::atomic::Ordering;
use std::time::Instant;

use engine::KeyKind;

use super::call::of_trait;
use super::{Call, Outcome, WriteThrough};
use crate::upstream::{ForwardFailure, News};
use crate::write_through::batch::Batch;
use crate::write_through::losses::Why;
use crate::write_through::pending::End;
use crate::write_through::seen::Content;
use crate::write_through::sighting::Target;
use crate::write_through::verdict::Verdict;

impl WriteThrough {
    /// Makes of an outcome what it means; whether further calls may begin at once.
    pub(super) fn settle(&mut self, call: Call, outcome: Outcome) -> bool {
        let now = Instant::now();
        self.tell(outcome.as_ref().map(|_| ()), now);
        let Call {
            batch,
            is_bulk,
            place,
            elsewhere,
        } = call;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(_) => {
                self.pace.failed(None, f64::from(fastrand::f32()), now);
                self.put_back(batch);
                return false;
            }
        };
        match Verdict::of(&answer, is_bulk) {
            Verdict::Later(retry_after) => {
                self.pace.failed(retry_after, f64::from(fastrand::f32()), now);
                self.put_back(batch);
                return false;
            }
            Verdict::Written => {
                self.note_written(&batch, place, now);
                self.forget_what_is_older(&batch, elsewhere);
            }
            Verdict::NoBulk => {
                if self.without_bulk_until.is_none() {
                    log::info!("upstream has no bulk-identities/: identities are written one by one");
                }
                self.without_bulk_until = Some(now + self.options.without_bulk);
                self.put_back(batch);
            }
            Verdict::KeyRejected if self.is_for_another_key(&batch, place) => {
                if batch.is_part {
                    self.halves.push_front(batch);
                } else {
                    self.put_back(batch);
                }
            }
            Verdict::KeyRejected | Verdict::Failed => self.doubt(batch, answer.status.as_u16(), now),
            Verdict::Refused if batch.len() > 1 => self.halve(batch),
            Verdict::Refused => self.lose(batch, Why::Refused(answer.status.as_u16())),
        }
        self.pace.answered();
        true
    }

    fn note_written(&mut self, batch: &Batch, place: usize, now: Instant) {
        let target = batch.target;
        if target.kind == KeyKind::Server
            && let Some(keys) = self.server_side_keys.get_mut(&target.environment)
        {
            keys.good = place;
        }
        let doubts = self.doubts.entry(target).or_default();
        doubts.acquit(batch);
        for (suspect, status) in doubts.written(now) {
            self.lose(suspect, Why::Refused(status));
        }
        for entry in batch.entries() {
            self.shared.written.note(entry.subject, Content::PRESENCE);
            for written in entry.traits() {
                let (place, content) = of_trait(&self.shared.hashes, entry.subject, written);
                self.shared.written.note(place, content);
            }
        }
        let written = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.shared.counts.written.add(written);
        self.pending.release(batch);
    }

    /// Forgets what was written, where somebody else has written since the call began: which of them came last nobody knows.
    fn forget_what_is_older(&self, batch: &Batch, elsewhere: u64) {
        if self.shared.elsewhere.load(Ordering::SeqCst) == elsewhere {
            return;
        }
        for entry in batch.entries() {
            for written in entry.traits() {
                let (place, content) = of_trait(&self.shared.hashes, entry.subject, written);
                self.shared.written.forget(place, content);
            }
        }
    }

    /// Whether a rejected batch is to be sent with another key. Turns to the next server-side key after the one in this place,
    /// unless all of them have had their turn since one wrote something.
    fn is_for_another_key(&mut self, batch: &Batch, place: usize) -> bool {
        let target = batch.target;
        if target.kind == KeyKind::Client || self.rejected.contains_key(&target) {
            return false;
        }
        // Another call has turned to it.
        if place != self.place(target.environment) {
            return true;
        }
        let count = {
            let configured = self.configured.borrow();
            let mut environments = configured.iter();
            environments
                .find(|environment| environment.id == target.environment)
                .map_or(0, |environment| environment.options.server_side_keys.len())
        };
        // What is refused as a part has been refused with all of them.
        if count == 0 || batch.is_part {
            return false;
        }
        let keys = self.server_side_keys.entry(target.environment).or_default();
        keys.place = (place + 1) % count;
        keys.place != keys.good
    }

    /// Puts back what could not be written, unless its key has been rejected meanwhile: it would wait in the room of others.
    fn put_back(&mut self, batch: Batch) {
        match self.rejected.get(&batch.target) {
            Some((_, why)) => self.lose(batch, *why),
            None => self.pending.put_back(batch, End::Front),
        }
    }

    pub(super) fn lose_waiting(&mut self, target: Target, why: Why) {
        for half in self.take_halves(target) {
            self.lose(half, why);
        }
        let waiting = self.pending.drop_target(target);
        self.losses
            .add(u64::try_from(waiting.len()).unwrap_or(u64::MAX), why);
        for entry in waiting {
            self.shared.seen.forget(entry.subject, entry.content);
        }
    }

    pub(super) fn lose(&mut self, batch: Batch, why: Why) {
        self.pending.release(&batch);
        self.losses
            .add(u64::try_from(batch.len()).unwrap_or(u64::MAX), why);
        // It would be refused again each time that it is seen: it is news when it changes.
        if matches!(why, Why::Refused(_)) {
            return;
        }
        for entry in batch.into_entries() {
            self.shared.seen.forget(entry.subject, entry.content);
        }
    }

    fn tell(&mut self, outcome: Result<(), &ForwardFailure>, now: Instant) {
        match self.standing.note(outcome, now) {
            Some(News::Fails(failure, _)) => {
                log::warn!("identities do not reach upstream and wait meanwhile: {failure}");
            }
            Some(News::Works) => log::info!("identities reach upstream again"),
            None => {}
        }
    }
}
