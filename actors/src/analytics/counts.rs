//! The counts of one environment, by labels; pure.
use std::fmt;

use hashbrown::hash_map::EntryRef;
use hashbrown::{Equivalent, HashMap};

use super::batch::{Batch, BatchSize, Content};
use super::labels::{Labels, LabelsRef};
use super::room::{Cost, Room};

/// The sets of labels that are kept apart: a fleet of browsers has some hundred values of `User-Agent`. What comes under
/// further ones is counted without labels, so that its sum is right all the same.
const MOST_LABELS: usize = 500;

/// One evaluation as `analytics/flags/` of version 2 has it, as a request carries it. `Debug` shows no identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EvaluationRef<'r> {
    /// The feature's name.
    pub feature: &'r str,
    /// The identity's identifier.
    pub identity: Option<&'r str>,
    /// Whether the flag was enabled.
    pub enabled: bool,
}

/// The same, kept. `Debug` shows no identifier.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Evaluation {
    pub(super) feature: Box<str>,
    pub(super) identity: Option<Box<str>>,
    pub(super) enabled: bool,
}

impl Evaluation {
    pub(super) fn borrowed(&self) -> EvaluationRef<'_> {
        EvaluationRef {
            feature: &self.feature,
            identity: self.identity.as_deref(),
            enabled: self.enabled,
        }
    }
}

impl From<EvaluationRef<'_>> for Evaluation {
    fn from(evaluation: EvaluationRef<'_>) -> Self {
        Self {
            feature: evaluation.feature.into(),
            identity: evaluation.identity.map(Into::into),
            enabled: evaluation.enabled,
        }
    }
}

impl Equivalent<Evaluation> for EvaluationRef<'_> {
    fn equivalent(&self, kept: &Evaluation) -> bool {
        *self == kept.borrowed()
    }
}

impl fmt::Debug for EvaluationRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation")
            .field("feature", &self.feature)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrowed().fmt(f)
    }
}

/// What was counted under one set of labels.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Version 1: evaluations by feature.
    pub(super) features: HashMap<Box<str>, u64>,
    /// Version 2.
    pub(super) evaluations: HashMap<Evaluation, u64>,
}

impl Sheet {
    fn is_empty(&self) -> bool {
        self.features.is_empty() && self.evaluations.is_empty()
    }
}

/// What was counted for one environment.
#[derive(Debug, Default)]
pub(super) struct Counts {
    by_labels: HashMap<Labels, Sheet>,
}

impl Counts {
    /// Where to add what comes under these labels.
    pub(super) fn counting<'c>(&'c mut self, labels: LabelsRef<'_>, room: &'c mut Room) -> Counting<'c> {
        let has_place = self.by_labels.len() < MOST_LABELS || self.by_labels.contains_key(&labels);
        let labels = if has_place { labels } else { LabelsRef::default() };
        let sheet = match self.by_labels.entry_ref(&labels) {
            EntryRef::Occupied(known) => Some(known.into_mut()),
            EntryRef::Vacant(new) => room
                .take(Cost::Sheet(labels.bytes()))
                .then(|| new.insert_with_key(labels.into(), Sheet::default())),
        };
        Counting { sheet, room }
    }

    /// Adds all of `other`; `folds`: evaluations become counts of their features.
    pub(super) fn merge(&mut self, other: Self, folds: bool, room: &mut Room) {
        for (labels, sheet) in other.by_labels {
            let mut counting = self.counting(labels.borrowed(), room);
            for (feature, count) in &sheet.features {
                counting.feature(feature, *count, |_| true);
            }
            for (evaluation, count) in &sheet.evaluations {
                if folds {
                    counting.feature(&evaluation.feature, *count, |_| true);
                } else {
                    counting.evaluation(evaluation.borrowed(), *count, |_| true);
                }
            }
        }
    }

    /// Takes out what is of features that the environment does not have; gives how many counts those are. Cores before
    /// 2026 drop a whole request for one such feature.
    pub(super) fn keep_known(&mut self, is_known: impl Fn(&str) -> bool, room: &mut Room) -> u64 {
        let mut dropped = 0_u64;
        let mut is_kept = |feature: &str, cost: Cost, count: u64| {
            let is_kept = is_known(feature);
            if !is_kept {
                room.give_back(cost);
                dropped = dropped.saturating_add(count);
            }
            is_kept
        };
        for sheet in self.by_labels.values_mut() {
            sheet
                .features
                .retain(|feature, count| is_kept(feature, feature_cost(feature), *count));
            sheet.evaluations.retain(|evaluation, count| {
                is_kept(
                    &evaluation.feature,
                    evaluation_cost(evaluation.borrowed()),
                    *count,
                )
            });
        }
        dropped
    }

    /// Takes out what fits in one request to upstream; `None`: there is nothing.
    pub(super) fn take_batch(&mut self, size: BatchSize, room: &mut Room) -> Option<Batch> {
        self.drop_empty_sheets(room);
        let (labels, sheet) = self.by_labels.iter_mut().next()?;
        let content = if sheet.features.is_empty() {
            let cost = |evaluation: &Evaluation| evaluation_cost(evaluation.borrowed());
            Content::Evaluations(size.take(&mut sheet.evaluations, cost, room))
        } else {
            Content::Features(size.take(&mut sheet.features, |feature| feature_cost(feature), room))
        };
        Some(Batch {
            labels: labels.clone(),
            content,
        })
    }

    /// Puts a batch back that upstream has not taken, whether or not there is room.
    pub(super) fn put_back(&mut self, batch: Batch, room: &mut Room) {
        let Batch { labels, content } = batch;
        let bytes = labels.borrowed().bytes();
        let sheet = self.by_labels.entry(labels).or_insert_with(|| {
            room.take_anyway(Cost::Sheet(bytes));
            Sheet::default()
        });
        match content {
            Content::Features(counts) => {
                for (feature, count) in counts {
                    let cost = feature_cost(&feature);
                    put_back(&mut sheet.features, feature, count, cost, room);
                }
            }
            Content::Evaluations(counts) => {
                for (evaluation, count) in counts {
                    let cost = evaluation_cost(evaluation.borrowed());
                    put_back(&mut sheet.evaluations, evaluation, count, cost, room);
                }
            }
        }
    }

    fn drop_empty_sheets(&mut self, room: &mut Room) {
        self.by_labels.retain(|labels, sheet| {
            let is_empty = sheet.is_empty();
            if is_empty {
                room.give_back(Cost::Sheet(labels.borrowed().bytes()));
            }
            !is_empty
        });
    }

    /// Whether nothing was counted.
    pub(super) fn is_empty(&self) -> bool {
        self.by_labels.values().all(Sheet::is_empty)
    }

    /// The sum of all counts.
    pub(super) fn sum(&self) -> u64 {
        let sheets = self.by_labels.values();
        let counts = sheets.flat_map(|sheet| sheet.features.values().chain(sheet.evaluations.values()));
        counts.fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// All of it, to be written.
    pub(super) fn sheets(&self) -> impl Iterator<Item = (&Labels, &Sheet)> {
        self.by_labels.iter().filter(|(_, sheet)| !sheet.is_empty())
    }
}

/// Adds what comes under one set of labels.
#[derive(Debug)]
pub struct Counting<'c> {
    /// `None`: there was no room for it.
    sheet: Option<&'c mut Sheet>,
    room: &'c mut Room,
}

impl Counting<'_> {
    /// Adds evaluations of a feature. Allocates nothing where it was counted before; else the feature counts if it is
    /// known.
    pub fn feature(&mut self, feature: &str, count: u64, is_known: impl FnOnce(&str) -> bool) {
        if let Some(sheet) = &mut self.sheet {
            if let Some(sum) = sheet.features.get_mut(feature) {
                *sum = sum.saturating_add(count);
                return;
            }
            if is_known(feature) {
                if self.room.take(feature_cost(feature)) {
                    sheet.features.insert(feature.into(), count);
                } else {
                    self.room.lose(count);
                }
            }
        } else if is_known(feature) {
            self.room.lose(count);
        }
    }

    /// Adds to the count of one evaluation, likewise.
    pub fn evaluation(
        &mut self,
        evaluation: EvaluationRef<'_>,
        count: u64,
        is_known: impl FnOnce(&str) -> bool,
    ) {
        if let Some(sheet) = &mut self.sheet {
            if let Some(sum) = sheet.evaluations.get_mut(&evaluation) {
                *sum = sum.saturating_add(count);
                return;
            }
            if is_known(evaluation.feature) {
                if self.room.take(evaluation_cost(evaluation)) {
                    sheet.evaluations.insert(evaluation.into(), count);
                } else {
                    self.room.lose(count);
                }
            }
        } else if is_known(evaluation.feature) {
            self.room.lose(count);
        }
    }
}

fn feature_cost(feature: &str) -> Cost {
    Cost::Feature(feature.len())
}

fn evaluation_cost(evaluation: EvaluationRef<'_>) -> Cost {
    Cost::Evaluation(evaluation.feature.len() + evaluation.identity.map_or(0, str::len))
}

fn put_back<K: std::hash::Hash + Eq>(
    counts: &mut HashMap<K, u64>,
    key: K,
    count: u32,
    cost: Cost,
    room: &mut Room,
) {
    let sum = counts.entry(key).or_insert_with(|| {
        room.take_anyway(cost);
        0
    });
    *sum = sum.saturating_add(count.into());
}

#[cfg(test)]
mod tests;
