//! What becomes of a batch when its call has ended.
use std::collections::VecDeque;
use std::time::{Duration, Instant};

use engine::KeyKind;

use super::{Call, Outcome, WriteThrough, of_trait};
use crate::upstream::{ForwardFailure, News};
use crate::write_through::batch::Batch;
use crate::write_through::losses::Why;
use crate::write_through::pending::End;
use crate::write_through::seen::Content;
use crate::write_through::sighting::Target;
use crate::write_through::verdict::Verdict;

/// How long a target whose key upstream rejects is left alone, as the poller leaves it.
const REJECTED_PAUSE: Duration = Duration::from_secs(60);

impl WriteThrough {
    /// Makes of an outcome what it means; whether further calls may begin at once.
    pub(super) fn settle(&mut self, call: Call, outcome: Outcome) -> bool {
        let now = Instant::now();
        self.tell(outcome.as_ref().map(|_| ()), now);
        let Call {
            batch,
            is_bulk,
            place,
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
            Verdict::Written => self.note_written(&batch),
            Verdict::NoBulk => {
                if self.without_bulk_until.is_none() {
                    log::info!("upstream has no bulk-identities/: identities are written one by one");
                }
                self.without_bulk_until = Some(now + self.options.without_bulk);
                self.put_back(batch);
            }
            Verdict::KeyRejected if self.has_another_key(batch.target, place) => self.put_back(batch),
            Verdict::KeyRejected => {
                let (target, why) = (batch.target, Why::KeyRejected(answer.status.as_u16()));
                self.rejected.insert(target, (now + REJECTED_PAUSE, why));
                self.lose(batch, why);
                self.lose_waiting(target, why);
            }
            Verdict::Refused if batch.len() > 1 => self.halves.extend(batch.halves()),
            Verdict::Refused => self.lose(batch, Why::Refused(answer.status.as_u16())),
        }
        self.pace.answered();
        true
    }

    fn note_written(&mut self, batch: &Batch) {
        for entry in batch.entries() {
            self.written.note(entry.subject, Content::PRESENCE);
            for written in entry.traits() {
                let (place, content) = of_trait(&self.shared.hashes, entry.subject, written);
                self.written.note(place, content);
            }
        }
        self.pending.release(batch);
    }

    /// Turns to the next server-side key after the one in this place, unless all of them have had their turn.
    fn has_another_key(&mut self, target: Target, place: usize) -> bool {
        if self.rejected.contains_key(&target) {
            return false;
        }
        // Another call has turned to it.
        if target.kind == KeyKind::Server && place != self.place(target.environment) {
            return true;
        }
        let keys = {
            let configured = self.configured.borrow();
            let mut environments = configured.iter();
            environments
                .find(|environment| environment.id == target.environment)
                .map_or(0, |environment| environment.options.server_side_keys.len())
        };
        if target.kind == KeyKind::Client || keys == 0 {
            return false;
        }
        let next = (place + 1) % keys;
        self.server_side_keys.insert(target.environment, next);
        next != 0
    }

    /// Puts back what could not be written, unless its key has been rejected meanwhile: it would wait in the room of others.
    fn put_back(&mut self, batch: Batch) {
        match self.rejected.get(&batch.target) {
            Some((_, why)) => self.lose(batch, *why),
            None => self.pending.put_back(batch, End::Front),
        }
    }

    fn lose_waiting(&mut self, target: Target, why: Why) {
        let (of_target, others) = self.halves.drain(..).partition(|half| half.target == target);
        self.halves = others;
        let of_target: VecDeque<Batch> = of_target;
        for half in of_target {
            self.lose(half, why);
        }
        let waiting = self.pending.drop_target(target);
        self.losses
            .add(u64::try_from(waiting.len()).unwrap_or(u64::MAX), why);
        for entry in waiting {
            self.shared.seen.forget(entry.subject, entry.content);
        }
    }

    fn lose(&mut self, batch: Batch, why: Why) {
        self.pending.release(&batch);
        self.losses
            .add(u64::try_from(batch.len()).unwrap_or(u64::MAX), why);
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
