//! One version's way to upstream, of one environment: the decisions, pure.
use std::time::{Duration, Instant};

use super::batch::{Batch, BatchSize, Version};
use super::counts::Counts;
use super::labels::Labels;
use super::outcome::Failure;
use super::pace::Pace;
use super::queue::Change;
use super::room::Room;
use super::suspects::Suspects;

/// After upstream found a batch too large, the next ones have half of its entries. So many good ones in a row double that
/// again.
const GOOD_BATCHES: u32 = 50;
/// So many different sets of labels fail in a row until upstream is asked whether it takes anything.
const MOST_SUSPECTS: usize = 3;
/// So many entries of a halved batch are refused, and none is taken, until the rest of it is dropped: no one entry is at fault.
const MOST_REFUSED: u32 = 8;

/// The way of one version.
#[derive(Debug)]
pub(super) struct Lane {
    version: Version,
    pace: Pace,
    suspects: Suspects,
    /// How often upstream was asked, in a row, if it takes anything at all.
    asked: u32,
    /// The parts of a batch that upstream has refused, to find the entry that is at fault; the last is the next.
    parts: Vec<Batch>,
    /// Entries that were refused one by one since something was taken.
    refused: u32,
    /// The most entries of a batch.
    entries: usize,
    good_batches: u32,
    /// Upstream was sent a batch and did not answer. Until it answers again it is asked with a single count: an upstream that
    /// counts and does not answer then counts little twice.
    is_in_doubt: bool,
    failure: Option<Failure>,
}

impl Lane {
    pub(super) fn new(version: Version, random: fastrand::Rng) -> Self {
        Self {
            version,
            pace: Pace::new(random),
            suspects: Suspects::default(),
            asked: 0,
            parts: Vec::new(),
            refused: 0,
            entries: BatchSize::FULL.entries,
            good_batches: 0,
            is_in_doubt: false,
            failure: None,
        }
    }

    /// Why counts do not arrive.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.failure.as_ref()
    }

    /// Nothing goes this way any more, so nothing fails on it.
    pub(super) fn forgive(&mut self) {
        self.failure = None;
    }

    /// The parts of a refused batch.
    pub(super) fn parts(&self) -> &[Batch] {
        &self.parts
    }

    /// Takes those parts.
    pub(super) fn take_parts(&mut self) -> Vec<Batch> {
        std::mem::take(&mut self.parts)
    }

    /// When the next batch may be sent; `None`: there is none.
    pub(super) fn ready(&self, unsent: &Counts, now: Instant) -> Option<Instant> {
        let ready = if self.parts.is_empty() {
            let held = |labels: &Labels| self.suspects.held(labels).filter(|_| !self.asks());
            unsent.ready(self.version, now, held)?
        } else {
            now
        };
        Some(self.pace.not_before().map_or(ready, |until| until.max(ready)))
    }

    /// Whether upstream is asked if it takes anything at all.
    fn asks(&self) -> bool {
        self.suspects.in_a_row() >= MOST_SUSPECTS
    }

    /// Takes out the next batch.
    pub(super) fn take_batch(&mut self, unsent: &mut Counts, room: &mut Room, now: Instant) -> Option<Batch> {
        if let Some(part) = self.parts.pop() {
            return Some(part);
        }
        let asks = self.asks();
        let size = if self.is_in_doubt || asks {
            BatchSize::PROBE
        } else {
            BatchSize {
                entries: self.entries,
                ..BatchSize::FULL
            }
        };
        let is_held = |labels: &Labels| !asks && self.suspects.held(labels).is_some_and(|until| now < until);
        let mut batch = unsent.take_batch(self.version, size, is_held, room)?;
        // By turns without labels, which have failed, and with: what stands before upstream may want some.
        let asks_without = asks && self.asked.is_multiple_of(2);
        if asks_without || self.suspects.is_without_labels(&batch.labels, now) {
            batch.labels = Labels::default();
        }
        Some(batch)
    }

    /// Upstream has taken a batch.
    pub(super) fn counted(&mut self, labels: &Labels) -> Option<Change> {
        self.is_in_doubt = false;
        self.refused = 0;
        self.asked = 0;
        self.suspects.arrived(labels);
        self.pace.succeeded();
        self.good_batches += 1;
        if self.good_batches >= GOOD_BATCHES {
            self.good_batches = 0;
            self.entries = self.entries.saturating_mul(2).min(BatchSize::FULL.entries);
        }
        self.failure.take().map(|_| Change::Recovered)
    }

    /// Upstream has not taken a batch, and says so; `sets`: so many sets of labels wait.
    pub(super) fn not_counted(
        &mut self,
        labels: &Labels,
        sets: usize,
        (failure, retry_after): (Failure, Option<Duration>),
        now: Instant,
    ) -> Option<Change> {
        let asked = self.note_asked();
        if asked || failure.is_upstreams() || retry_after.is_some() {
            if !asked && (failure == Failure::RateLimited || retry_after.is_some()) {
                self.suspects.failed(labels, now, None);
            }
            self.pace.failed(now, failure.is_lasting(), retry_after);
            return self.fails(failure).map(Change::Failing);
        }
        let failures = self.suspects.failures(labels);
        let hold = self.pace.wait(failures, failure.is_lasting());
        self.suspects.failed(labels, now, Some(hold));
        // One that fails beside others that arrive is no news.
        let fails = self.suspects.in_a_row() >= sets.min(MOST_SUSPECTS);
        fails.then(|| self.fails(failure).map(Change::Failing)).flatten()
    }

    /// A batch was sent, and no answer came.
    pub(super) fn doubtful(&mut self, labels: &Labels, failure: Failure, now: Instant) -> Option<Change> {
        self.is_in_doubt = true;
        if !self.note_asked() {
            self.suspects.failed(labels, now, None);
        }
        self.pace.failed(now, failure.is_lasting(), None);
        self.fails(failure).map(Change::Failing)
    }

    /// Whether what failed was asked; it is then noted.
    fn note_asked(&mut self) -> bool {
        let asks = self.asks();
        self.asked = self.asked.wrapping_add(asks.into());
        asks
    }

    /// A batch of so many entries is too large.
    pub(super) fn too_large(&mut self, entries: usize) {
        self.entries = entries / 2;
        self.good_batches = 0;
        self.is_in_doubt = false;
    }

    /// Upstream refuses a batch for good. Gives what is to be dropped of it, and the rest where nothing is taken at all.
    pub(super) fn refuses(&mut self, mut batch: Batch, failure: Failure) -> (u64, Option<Change>) {
        self.is_in_doubt = false;
        if failure.may_be_of_one_entry()
            && let Some(half) = batch.split_off()
        {
            self.parts.extend([half, batch]);
            return (0, None);
        }
        let mut dropped = batch.sum();
        self.refused += 1;
        if self.refused >= MOST_REFUSED {
            let rest = self.take_parts();
            dropped = rest
                .iter()
                .fold(dropped, |sum, part| sum.saturating_add(part.sum()));
        }
        (dropped, self.fails(failure).map(Change::Refusing))
    }

    /// Notes a failure, and gives it where it is news.
    fn fails(&mut self, failure: Failure) -> Option<Failure> {
        let is_news = self.failure.as_ref() != Some(&failure);
        self.failure = Some(failure.clone());
        is_news.then_some(failure)
    }

    /// The process is about to end: what waits for no more than our own patience goes now.
    pub(super) fn hurry(&mut self) {
        self.pace.hurry();
        self.suspects.hurry();
    }
}
