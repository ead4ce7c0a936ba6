//! What one environment still has to send: the decisions, pure.
use std::time::{Duration, Instant};

use super::batch::{Batch, Version};
use super::counts::Counts;
use super::lane::Lane;
use super::outcome::{Failure, Outcome};
use super::room::Room;

/// Between two batches of one environment: upstream has others to serve, and 500 sets of labels still take five seconds.
const GAP: Duration = Duration::from_millis(10);
/// After a batch that was not taken.
const GAP_AFTER_FAILURE: Duration = Duration::from_millis(100);
/// Where upstream has no version 2, evaluations are sent as counts of their features for so long; then it is asked again.
const WITHOUT_VERSION_2: Duration = Duration::from_secs(600);

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
    /// Upstream has no version 2; evaluations are sent as counts of their features.
    Folding(Failure),
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
    one: Lane,
    two: Lane,
    /// Which version went last: the other one is next.
    last: Version,
    /// Before this nothing is sent.
    gap_until: Option<Instant>,
    /// Whether the process is about to end: there are no gaps then.
    hurries: bool,
    folds_until: Option<Instant>,
    /// Counts that upstream has taken.
    forwarded: u64,
    /// Counts that upstream refuses for good.
    refused: u64,
}

impl Queue {
    /// Of so many bytes.
    pub(super) fn new(bytes: usize, mut random: fastrand::Rng) -> Self {
        Self {
            unsent: Counts::default(),
            room: Room::new(bytes),
            batch: None,
            two: Lane::new(Version::Two, random.fork()),
            one: Lane::new(Version::One, random),
            last: Version::Two,
            gap_until: None,
            hurries: false,
            folds_until: None,
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
        let batches = self.batch.iter().chain(self.one.parts()).chain(self.two.parts());
        batches.fold(self.unsent.sum(), |sum, batch| sum.saturating_add(batch.sum()))
    }

    /// Whether there is nothing to send and nothing under way.
    pub(super) fn is_empty(&self) -> bool {
        let has_parts = !self.one.parts().is_empty() || !self.two.parts().is_empty();
        self.batch.is_none() && !has_parts && self.unsent.is_empty()
    }

    /// What waits, but for what is in batches already.
    pub(super) fn unsent(&self) -> &Counts {
        &self.unsent
    }

    /// What is in batches that were not taken yet.
    pub(super) fn in_batches(&self) -> Counts {
        let (mut counts, mut room) = (Counts::default(), Room::new(usize::MAX));
        let batches = self.batch.iter().chain(self.one.parts()).chain(self.two.parts());
        for batch in batches {
            counts.put_back(batch.clone(), &mut room);
        }
        counts
    }

    /// Why counts do not arrive.
    pub(super) fn failure(&self) -> Option<&Failure> {
        self.one.failure().or(self.two.failure())
    }

    /// Whether there is something that upstream may take: something of a version that does not fail.
    pub(super) fn has_hope(&self) -> bool {
        let lanes = [(Version::One, &self.one), (Version::Two, &self.two)];
        self.batch.is_some()
            || lanes.into_iter().any(|(version, lane)| {
                lane.failure().is_none() && (!lane.parts().is_empty() || self.unsent.sets(version) > 0)
            })
    }

    /// What to do next.
    pub(super) fn next(&mut self, now: Instant) -> Next {
        if self.batch.is_some() {
            return Next::Nothing;
        }
        if self.folds_until.is_some_and(|until| now < until) {
            self.unsent.fold(&mut self.room);
        }
        let lanes = match self.last {
            Version::One => [&mut self.two, &mut self.one],
            Version::Two => [&mut self.one, &mut self.two],
        };
        let mut first: Option<Instant> = None;
        for lane in lanes {
            let Some(ready) = lane.ready(&self.unsent, now) else {
                continue;
            };
            let ready = self.gap_until.map_or(ready, |until| until.max(ready));
            if ready <= now {
                self.batch = lane.take_batch(&mut self.unsent, &mut self.room, now);
            }
            if let Some(batch) = &self.batch {
                self.last = batch.version();
                return Next::Send;
            }
            first = Some(first.map_or(ready, |first| first.min(ready)));
        }
        first.map_or(Next::Nothing, Next::Wait)
    }

    /// The batch that is under way.
    pub(super) fn batch(&self) -> Option<&Batch> {
        self.batch.as_ref()
    }

    /// What came of the batch under way.
    pub(super) fn ended(&mut self, now: Instant, outcome: Outcome) -> Option<Change> {
        let batch = self.batch.take()?;
        self.gap_until = (!self.hurries).then(|| match outcome {
            Outcome::Counted => now + GAP,
            _ => now + GAP_AFTER_FAILURE,
        });
        let version = batch.version();
        let (labels, sum, entries) = (batch.labels.clone(), batch.sum(), batch.len());
        let lane = match version {
            Version::One => &mut self.one,
            Version::Two => &mut self.two,
        };
        match outcome {
            Outcome::Counted => {
                self.forwarded = self.forwarded.saturating_add(sum);
                lane.counted(&labels)
            }
            Outcome::NotCounted(failure, retry_after) => {
                self.unsent.put_back(batch, &mut self.room);
                let sets = self.unsent.sets(version);
                lane.not_counted(&labels, sets, (failure, retry_after), now)
            }
            Outcome::Doubtful(failure) => {
                self.unsent.put_back(batch, &mut self.room);
                lane.doubtful(&labels, failure, now)
            }
            Outcome::TooLarge if entries > 1 => {
                lane.too_large(entries);
                self.unsent.put_back(batch, &mut self.room);
                None
            }
            Outcome::Refused(failure) if version == Version::Two && failure.is_missing_endpoint() => {
                self.fold(now, batch);
                Some(Change::Folding(failure))
            }
            Outcome::TooLarge => self.refuse(batch, Failure::Status(413)),
            Outcome::Refused(failure) => self.refuse(batch, failure),
        }
    }

    fn refuse(&mut self, batch: Batch, failure: Failure) -> Option<Change> {
        let lane = match batch.version() {
            Version::One => &mut self.one,
            Version::Two => &mut self.two,
        };
        let (dropped, change) = lane.refuses(batch, failure);
        self.refused = self.refused.saturating_add(dropped);
        change
    }

    /// Sends evaluations as counts of their features from now on.
    fn fold(&mut self, now: Instant, batch: Batch) {
        self.folds_until = Some(now + WITHOUT_VERSION_2);
        for part in self.two.take_parts().into_iter().chain([batch]) {
            self.unsent.put_back(part, &mut self.room);
        }
        self.unsent.fold(&mut self.room);
        self.two.forgive();
    }

    /// The process is about to end: what waits for no more than our own patience goes now.
    pub(super) fn hurry(&mut self) {
        self.hurries = true;
        self.gap_until = None;
        self.one.hurry();
        self.two.hurry();
    }

    /// Ends it, and gives what is unsent, what is under way included: whether that is counted nobody knows then.
    pub(super) fn into_unsent(mut self) -> Counts {
        let parts = self.one.take_parts().into_iter().chain(self.two.take_parts());
        for batch in parts.chain(self.batch.take()) {
            self.unsent.put_back(batch, &mut self.room);
        }
        self.unsent
    }
}

#[cfg(test)]
mod tests;
