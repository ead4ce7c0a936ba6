//! The counts of one environment, by labels; pure.
use std::time::Instant;

use hashbrown::HashMap;
use hashbrown::hash_map::EntryRef;

use super::batch::{Batch, BatchSize, Content, Version};
use super::evaluation::{Evaluation, EvaluationRef};
use super::labels::{Labels, LabelsRef};
use super::room::{Cost, Room};
use super::sheet::{Sheet, add, evaluation_cost, feature_cost, put_back};

/// The sets of labels that are kept apart: a fleet of browsers has some hundred values of `User-Agent`. What comes under
/// further ones is counted without labels, so that its sum is right all the same.
pub(super) const MOST_LABELS: usize = 500;

/// What was counted for one environment.
#[derive(Debug, Default)]
pub(super) struct Counts {
    by_labels: HashMap<Labels, Sheet>,
    /// The number of the last turn: what comes new, and what was just sent, is behind all that waits.
    turn: u64,
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
                .then(|| new.insert_with_key(labels.into(), Sheet::new(self.turn))),
        };
        Counting {
            sheet,
            room,
            added: 0,
            unknown: 0,
        }
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

    /// Evaluations become counts of their features.
    pub(super) fn fold(&mut self, room: &mut Room) {
        for sheet in self.by_labels.values_mut() {
            for (evaluation, count) in sheet.evaluations.drain() {
                room.give_back(evaluation_cost(evaluation.borrowed()));
                let cost = feature_cost(&evaluation.feature);
                put_back(&mut sheet.features, evaluation.feature, count, cost, room);
            }
        }
    }

    /// Takes out what fits in one request to upstream of this version. The sets of labels take turns; those that are held are
    /// left out. `None`: there is nothing.
    pub(super) fn take_batch(
        &mut self,
        version: Version,
        size: BatchSize,
        is_held: impl Fn(&Labels) -> bool,
        room: &mut Room,
    ) -> Option<Batch> {
        self.drop_empty_sheets(room);
        let (labels, sheet) = self
            .by_labels
            .iter_mut()
            .filter(|(labels, sheet)| sheet.has(version) && !is_held(labels))
            .min_by_key(|(_, sheet)| sheet.turn)?;
        self.turn += 1;
        sheet.turn = self.turn;
        let content = match version {
            Version::One => {
                Content::Features(size.take(&mut sheet.features, |feature| feature_cost(feature), room))
            }
            Version::Two => {
                let cost = |evaluation: &Evaluation| evaluation_cost(evaluation.borrowed());
                Content::Evaluations(size.take(&mut sheet.evaluations, cost, room))
            }
        };
        Some(Batch {
            labels: labels.clone(),
            content,
        })
    }

    /// When something of this version may be sent, where `held` gives until when a set of labels is held; `None`: there is
    /// nothing.
    pub(super) fn ready(
        &self,
        version: Version,
        now: Instant,
        held: impl Fn(&Labels) -> Option<Instant>,
    ) -> Option<Instant> {
        let sheets = self.by_labels.iter().filter(|(_, sheet)| sheet.has(version));
        sheets.map(|(labels, _)| held(labels).unwrap_or(now)).min()
    }

    /// The sets of labels under which there is something of this version.
    pub(super) fn sets(&self, version: Version) -> usize {
        self.by_labels.values().filter(|sheet| sheet.has(version)).count()
    }

    /// Puts a batch back that upstream has not taken, whether or not there is room.
    pub(super) fn put_back(&mut self, batch: Batch, room: &mut Room) {
        let Batch { labels, content } = batch;
        let bytes = labels.borrowed().bytes();
        let sheet = self.by_labels.entry(labels).or_insert_with(|| {
            room.take_anyway(Cost::Sheet(bytes));
            Sheet::new(self.turn)
        });
        match content {
            Content::Features(counts) => {
                for (feature, count) in counts {
                    let cost = feature_cost(&feature);
                    put_back(&mut sheet.features, feature, count.into(), cost, room);
                }
            }
            Content::Evaluations(counts) => {
                for (evaluation, count) in counts {
                    let cost = evaluation_cost(evaluation.borrowed());
                    put_back(&mut sheet.evaluations, evaluation, count.into(), cost, room);
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
    /// What was added.
    pub(super) added: u64,
    /// What was of features that are not known, and is not added.
    pub(super) unknown: u64,
}

impl Counting<'_> {
    /// Adds evaluations of a feature. Allocates nothing where it was counted before; else the feature counts if it is
    /// known.
    pub fn feature(&mut self, feature: &str, count: u64, is_known: impl FnOnce(&str) -> bool) {
        let counted = self
            .sheet
            .as_mut()
            .and_then(|sheet| sheet.features.get_mut(feature));
        if let Some(sum) = counted {
            self.added = self.added.saturating_add(add(sum, count, self.room));
        } else if !is_known(feature) {
            self.pass_over(count);
        } else if let Some(sheet) = &mut self.sheet
            && self.room.take(feature_cost(feature))
        {
            let sum = sheet.features.entry(feature.into()).or_default();
            self.added = self.added.saturating_add(add(sum, count, self.room));
        } else {
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
        let counted = self
            .sheet
            .as_mut()
            .and_then(|sheet| sheet.evaluations.get_mut(&evaluation));
        if let Some(sum) = counted {
            self.added = self.added.saturating_add(add(sum, count, self.room));
        } else if !is_known(evaluation.feature) {
            self.pass_over(count);
        } else if let Some(sheet) = &mut self.sheet
            && self.room.take(evaluation_cost(evaluation))
        {
            let sum = sheet.evaluations.entry(evaluation.into()).or_default();
            self.added = self.added.saturating_add(add(sum, count, self.room));
        } else {
            self.room.lose(count);
        }
    }

    fn pass_over(&mut self, count: u64) {
        self.unknown = self.unknown.saturating_add(count);
    }
}

#[cfg(test)]
mod tests;
