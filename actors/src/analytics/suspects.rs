//! The sets of labels that upstream did not take; pure.
use std::time::{Duration, Instant};

use hashbrown::HashMap;

use super::counts::MOST_LABELS;
use super::labels::Labels;

/// So many times a set of labels may fail, others having arrived since the time before, until its counts are sent without labels.
const MOST_FAILURES: u32 = 2;
/// So long they are sent without. Then upstream is asked again.
const WITHOUT_LABELS: Duration = Duration::from_secs(600);

#[derive(Debug)]
struct Suspect {
    /// Failures in a row.
    failures: u32,
    /// Those before which others arrived.
    beside_others: u32,
    /// What [`Suspects::arrived`] was at the last failure.
    arrived: u64,
    /// It is held until then.
    not_before: Option<Instant>,
    /// Its counts are sent without labels until then.
    without_labels: Option<Instant>,
}

/// The sets of labels that failed last, of one environment and version.
#[derive(Debug, Default)]
pub(super) struct Suspects {
    by_labels: HashMap<Labels, Suspect>,
    /// Batches that upstream has taken.
    arrived: u64,
    /// Different sets that failed, and none arrived since.
    in_a_row: usize,
}

impl Suspects {
    /// Different sets of labels that failed, where none has arrived since.
    pub(super) fn in_a_row(&self) -> usize {
        self.in_a_row
    }

    /// How often this one has failed in a row.
    pub(super) fn failures(&self, labels: &Labels) -> u32 {
        self.by_labels.get(labels).map_or(0, |suspect| suspect.failures)
    }

    /// Until when a set of labels is held.
    pub(super) fn held(&self, labels: &Labels) -> Option<Instant> {
        self.by_labels.get(labels)?.not_before
    }

    /// Whether it is to be sent without labels.
    pub(super) fn is_without_labels(&self, labels: &Labels, now: Instant) -> bool {
        let suspect = self.by_labels.get(labels);
        suspect
            .and_then(|suspect| suspect.without_labels)
            .is_some_and(|until| now < until)
    }

    /// Upstream has taken a batch under these.
    pub(super) fn arrived(&mut self, labels: &Labels) {
        self.by_labels.remove(labels);
        self.arrived += 1;
        self.in_a_row = 0;
    }

    /// Upstream has not; `hold`: how long they are to wait.
    pub(super) fn failed(&mut self, labels: &Labels, now: Instant, hold: Option<Duration>) {
        self.make_place(labels, now);
        let arrived = self.arrived;
        let suspect = self.by_labels.entry(labels.clone()).or_insert(Suspect {
            failures: 0,
            beside_others: 0,
            arrived,
            not_before: None,
            without_labels: None,
        });
        let is_beside_others = suspect.arrived < arrived;
        if suspect.failures == 0 || is_beside_others {
            self.in_a_row += 1;
        }
        suspect.failures = suspect.failures.saturating_add(1);
        suspect.beside_others += u32::from(is_beside_others);
        suspect.arrived = arrived;
        suspect.not_before = hold.map(|hold| now + hold);
        if suspect.beside_others >= MOST_FAILURES && *labels != Labels::default() {
            suspect.beside_others = 0;
            suspect.not_before = None;
            suspect.without_labels = Some(now + WITHOUT_LABELS);
        }
    }

    /// No more of them than of sheets: whoever invents labels takes no memory.
    fn make_place(&mut self, labels: &Labels, now: Instant) {
        if self.by_labels.len() < MOST_LABELS || self.by_labels.contains_key(labels) {
            return;
        }
        self.by_labels.retain(|_, suspect| {
            let waits = [suspect.not_before, suspect.without_labels];
            waits.into_iter().flatten().any(|until| now < until)
        });
        if self.by_labels.len() >= MOST_LABELS {
            self.by_labels.clear();
        }
    }

    /// The process is about to end: nothing is held any more.
    pub(super) fn hurry(&mut self) {
        for suspect in self.by_labels.values_mut() {
            suspect.not_before = None;
        }
    }
}
