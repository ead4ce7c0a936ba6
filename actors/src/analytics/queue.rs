//! What one environment still has to send: the decisions, pure.
use std::time::Instant;

use super::batch::{Batch, BatchSize};
use super::counts::Counts;
use super::outcome::{Failure, Outcome};
use super::pace::Pace;
use super::room::Room;

/// After upstream found a batch too large, the next ones have half of its entries. So many good ones in a row double that
/// again.
const GOOD_BATCHES: u32 = 50;

/// What to do next for one environment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// There is nothing to send, or a batch is under way.
    Nothing,
    /// Something is to be sent, but not before this.
    Wait(Instant),
    /// Send [`Queue::batch`].
    Send,
}

/// What the operator is to hear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    /// Counts do not arrive any more; they are kept.
    Failing(Failure),
    /// Upstream refuses them for good; they are dropped.
    Refusing(Failure),
    /// They arrive again.
    Recovered,
}

/// The counts of one environment on their way to upstream.
#[derive(Debug)]
pub(super) struct Queue {
    unsent: Counts,
    room: Room,
    /// The batch that is under way.
    batch: Option<Batch>,
    pace: Pace,
    /// The most entries of a batch.
    entries: usize,
    good_batches: u32,
    /// Upstream was sent a batch and did not answer. Until it answers again it is asked with a single count: an upstream that
    /// counts and does not answer then counts little twice.
    is_in_doubt: bool,
    failure: Option<Failure>,
    /// Counts that upstream has taken.
    forwarded: u64,
    /// Counts that upstream refuses for good.
    refused: u64,
}

impl Queue {
    /// Of so many bytes.
    pub(super) fn new(bytes: usize, random: fastrand::Rng) -> Self {
        Self {
            unsent: Counts::default(),
            room: Room::new(bytes),
            batch: None,
            pace: Pace::new(random),
            entries: BatchSize::FULL.entries,
            good_batches: 0,
            is_in_doubt: false,
            failure: None,
            forwarded: 0,
            refused: 0,
        }
    }

    /// From now on it may take so many bytes.
    pub(super) fn resize(&mut self, bytes: usize) {
        self.room.resize(bytes);
    }

    /// Adds what was counted; `folds`: upstream knows version 1 alone.
    pub(super) fn add(&mut self, counts: Counts, folds: bool) {
        self.unsent.merge(counts, folds, &mut self.room);
    }

    /// Takes out what is of features that the environment does not have.
    pub(super) fn keep_known(&mut self, is_known: impl Fn(&str) -> bool) -> u64 {
        self.unsent.keep_known(is_known, &mut self.room)
    }

    /// What found no room since this was last asked.
    pub(super) fn take_lost(&mut self) -> u64 {
        self.room.take_lost()
    }

    /// What upstream has refused for good since this was last asked.
    pub(super) fn take_refused(&mut self) -> u64 {
        std::mem::take(&mut self.refused)
    }

    /// Counts that upstream has taken.
    pub(super) fn forwarded(&self) -> u64 {
        self.forwarded
    }

    /// Counts that are still here, those under way included.
    pub(super) fn waiting(&self) -> u64 {
        let under_way = self.batch.as_ref().map_or(0, Batch::sum);
        self.unsent.sum().saturating_add(under_way)
    }

    /// Whether there is nothing to send and nothing under way.
    pub(super) fn is_empty(&self) -> bool {
        self.batch.is_none() && self.unsent.is_empty()
    }

    /// Why counts do not arrive.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// What to do next.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if self.batch.is_some() || self.unsent.is_empty() {
            return Next::Nothing;
        }
        if let Some(not_before) = self.pace.not_before().filter(|not_before| *not_before > now) {
            return Next::Wait(not_before);
        }
        let size = if self.is_in_doubt {
            BatchSize::PROBE
        } else {
            BatchSize {
                entries: self.entries,
                ..BatchSize::FULL
            }
        };
        self.batch = self.unsent.take_batch(size, &mut self.room);
        if self.batch.is_some() {
            Next::Send
        } else {
            Next::Nothing
        }
    }

    /// The batch that is under way.
    pub(super) fn batch(&self) -> Option<&Batch> {
        self.batch.as_ref()
    }

    /// What came of the batch under way.
    pub(super) fn ended(&mut self, now: Instant, outcome: Outcome) -> Option<Change> {
        let batch = self.batch.take()?;
        match outcome {
            Outcome::Counted => {
                self.forwarded = self.forwarded.saturating_add(batch.sum());
                self.is_in_doubt = false;
                self.pace.succeeded();
                self.grow_batches();
                self.failure.take().map(|_| Change::Recovered)
            }
            Outcome::NotCounted(failure, retry_after) => {
                self.unsent.put_back(batch, &mut self.room);
                self.pace.failed(now, failure.is_lasting(), retry_after);
                self.fails(failure).map(Change::Failing)
            }
            Outcome::Doubtful(failure) => {
                self.unsent.put_back(batch, &mut self.room);
                self.is_in_doubt = true;
                self.pace.failed(now, failure.is_lasting(), None);
                self.fails(failure).map(Change::Failing)
            }
            Outcome::TooLarge if batch.len() > 1 => {
                self.entries = batch.len() / 2;
                self.good_batches = 0;
                self.is_in_doubt = false;
                self.unsent.put_back(batch, &mut self.room);
                None
            }
            Outcome::TooLarge => self.refuse(now, &batch, Failure::Status(413)),
            Outcome::Refused(failure) => self.refuse(now, &batch, failure),
        }
    }

    fn refuse(&mut self, now: Instant, batch: &Batch, failure: Failure) -> Option<Change> {
        self.refused = self.refused.saturating_add(batch.sum());
        self.is_in_doubt = false;
        self.pace.failed(now, failure.is_lasting(), None);
        self.fails(failure).map(Change::Refusing)
    }

    /// Notes a failure, and gives it where it is news.
    fn fails(&mut self, failure: Failure) -> Option<Failure> {
        let is_news = self.failure.as_ref() != Some(&failure);
        self.failure = Some(failure.clone());
        is_news.then_some(failure)
    }

    fn grow_batches(&mut self) {
        self.good_batches += 1;
        if self.good_batches >= GOOD_BATCHES {
            self.good_batches = 0;
            self.entries = self.entries.saturating_mul(2).min(BatchSize::FULL.entries);
        }
    }

    /// The process is about to end: what waits for no more than our own patience goes now.
    pub(super) fn hurry(&mut self) {
        self.pace.hurry();
    }

    /// Ends it, and gives what is unsent, what is under way included: whether that is counted nobody knows then.
    pub(super) fn into_unsent(mut self) -> Counts {
        if let Some(batch) = self.batch.take() {
            self.unsent.put_back(batch, &mut self.room);
        }
        self.unsent
    }
}

#[cfg(test)]
mod tests;
