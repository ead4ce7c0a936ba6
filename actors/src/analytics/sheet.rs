//! What was counted under one set of labels.
use std::hash::Hash;

use hashbrown::HashMap;

use super::batch::{MOST_COUNT, Version};
use super::evaluation::{Evaluation, EvaluationRef};
use super::room::{Cost, Room};

/// What was counted under one set of labels.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    /// Version 1: evaluations by feature.
    pub(super) features: HashMap<Box<str>, u64>,
    /// Version 2.
    pub(super) evaluations: HashMap<Evaluation, u64>,
    /// Those with lower numbers are sent before.
    pub(super) turn: u64,
}

impl Sheet {
    pub(super) fn new(turn: u64) -> Self {
        Self {
            turn,
            ..Self::default()
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.features.is_empty() && self.evaluations.is_empty()
    }

    pub(super) fn has(&self, version: Version) -> bool {
        match version {
            Version::One => !self.features.is_empty(),
            Version::Two => !self.evaluations.is_empty(),
        }
    }
}

/// What the count of a feature takes.
pub(super) fn feature_cost(feature: &str) -> Cost {
    Cost::Feature(feature.len())
}

/// What the count of an evaluation takes.
pub(super) fn evaluation_cost(evaluation: EvaluationRef<'_>) -> Cost {
    Cost::Evaluation(evaluation.feature.len() + evaluation.identity.map_or(0, str::len))
}

/// Adds to a count, whether or not there is room.
pub(super) fn put_back<K: Hash + Eq>(
    counts: &mut HashMap<K, u64>,
    key: K,
    count: u64,
    cost: Cost,
    room: &mut Room,
) {
    let sum = counts.entry(key).or_insert_with(|| {
        room.take_anyway(cost);
        0
    });
    add(sum, count, room);
}

/// Adds up to what one request can carry for one entry: it would else cost upstream requests without end. What is beyond is lost.
/// Gives what was added.
pub(super) fn add(sum: &mut u64, count: u64, room: &mut Room) -> u64 {
    let (before, all) = (*sum, sum.saturating_add(count));
    *sum = all.min(MOST_COUNT.into());
    room.lose(all - *sum);
    *sum - before
}
