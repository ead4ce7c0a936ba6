//! Segments that read the result of other flags (`$.flags.NAME…`).
//!
//! The reference resolves a flag when a condition first reads it, and cuts cycles: a flag in a cycle has no result, and a
//! segment whose evaluation cut one does not match, because its verdict would rest on the flag's absence. The order in
//! which it does so decides the outcome, so this follows it step by step.
use std::cell::{Cell, RefCell};

use hashbrown::{HashMap, HashSet};

use super::answer::Answer;
use super::evaluation::Evaluation;
use crate::condition::Raised;
use crate::python::PyValue;

/// Flags that depend on each other deeper than this are not resolved. The reference's own recursion ends after 58 with the
/// plainest rules.
const DEEPEST_CHAIN: usize = 64;
/// How often every condition may be evaluated, and what small environments may spend beyond. Without cycles it is twice:
/// for its own segment and for a flag that depends on it. Flags in cycles are resolved anew at every read, and densely
/// connected ones would never end.
const MOST_EVALUATIONS: u32 = 4;
const FREE_EVALUATIONS: u32 = 2_000;

/// What resolving flags needs to know of the environment.
#[derive(Debug)]
pub(crate) struct DependencyIndex {
    /// The segments that override each feature, in document order, one entry an override.
    segments: Vec<Vec<u32>>,
    /// How many conditions one evaluation may evaluate.
    most_conditions: u32,
}

impl DependencyIndex {
    pub(crate) fn new(segments: Vec<Vec<u32>>, conditions: u32) -> Self {
        let most_conditions = conditions
            .saturating_mul(MOST_EVALUATIONS)
            .saturating_add(FREE_EVALUATIONS);
        Self {
            segments,
            most_conditions,
        }
    }
}

/// The state of resolving flags in one evaluation.
pub(crate) struct Dependencies<'e> {
    index: &'e DependencyIndex,
    /// The flags being resolved, outermost first.
    resolving: RefCell<Vec<u32>>,
    /// The flags found to be in a cycle.
    cyclic: RefCell<HashSet<u32>>,
    /// How many cycles have been cut.
    cuts: Cell<u32>,
    /// How many conditions may yet be evaluated.
    conditions_left: Cell<u32>,
    resolved: RefCell<HashMap<u32, Outcome<'e>>>,
    verdicts: RefCell<HashMap<u32, bool>>,
}

/// How a feature's flag came out.
#[derive(Clone, Copy)]
pub(crate) enum Outcome<'e> {
    Default,
    Segment { answer: &'e Answer, place: u32 },
    Identity { answer: &'e Answer },
}

impl<'e> Dependencies<'e> {
    pub(crate) fn new(index: &'e DependencyIndex) -> Self {
        Self {
            index,
            resolving: RefCell::default(),
            cyclic: RefCell::default(),
            cuts: Cell::new(0),
            conditions_left: Cell::new(index.most_conditions),
            resolved: RefCell::default(),
            verdicts: RefCell::default(),
        }
    }

    /// How a flag came out, where a condition has read it. This holds over a plain evaluation: it was found with cycles
    /// cut.
    pub(crate) fn outcome(&self, feature: u32) -> Option<Outcome<'e>> {
        self.resolved.borrow().get(&feature).copied()
    }

    /// The features whose flags conditions have read, in document order.
    pub(crate) fn read_features(&self) -> Vec<u32> {
        let mut features: Vec<u32> = self.resolved.borrow().keys().copied().collect();
        features.sort_unstable();
        features
    }

    /// Counts a condition.
    pub(crate) fn spend(&self) -> Result<(), Raised> {
        self.conditions_left
            .set(self.conditions_left.get().checked_sub(1).ok_or(Raised)?);
        Ok(())
    }

    /// Whether a segment matches without having cut a cycle.
    pub(crate) fn segment_matches_soundly(&self, evaluation: &Evaluation<'e>, place: u32) -> bool {
        let cuts = self.cuts.get();
        let matches = evaluation.segment_matches(place);
        matches && self.cuts.get() == cuts
    }

    /// The result of a flag as the reference has it; `None`: unresolved.
    pub(crate) fn read(&self, evaluation: &Evaluation<'e>, feature: u32) -> Result<Option<PyValue>, Raised> {
        if self.outcome(feature).is_none() {
            self.resolve(evaluation, feature)?;
        }
        Ok(self
            .outcome(feature)
            .and_then(|outcome| super::context::flag_result(evaluation, feature, outcome)))
    }

    fn resolve(&self, evaluation: &Evaluation<'e>, feature: u32) -> Result<(), Raised> {
        let depth = {
            let resolving = self.resolving.borrow();
            if let Some(start) = resolving.iter().position(|other| *other == feature) {
                self.cyclic.borrow_mut().extend(resolving.iter().skip(start));
                self.cuts.set(self.cuts.get() + 1);
                return Ok(());
            }
            resolving.len()
        };
        if depth >= DEEPEST_CHAIN {
            return Err(Raised);
        }
        self.resolving.borrow_mut().push(feature);
        let outcome = self.find_outcome(evaluation, feature);
        self.resolving.borrow_mut().pop();
        if !self.cyclic.borrow().contains(&feature) {
            self.resolved.borrow_mut().insert(feature, outcome);
        }
        Ok(())
    }

    /// Evaluates every segment that overrides the feature, the winner known or not: each may cut a cycle.
    fn find_outcome(&self, evaluation: &Evaluation<'e>, feature: u32) -> Outcome<'e> {
        let environment = evaluation.environment;
        let contested = environment
            .features
            .get(feature)
            .and_then(|feature| feature.contested);
        let mut winner: Option<(u32, Outcome<'e>)> = None;
        for place in self
            .index
            .segments
            .get(feature as usize)
            .map_or(&[][..], Vec::as_slice)
        {
            if !self.segment_matches(evaluation, *place) {
                continue;
            }
            let overrides = environment
                .segments
                .get(*place as usize)
                .map_or(&[][..], |segment| &*segment.overrides);
            for candidate in overrides
                .iter()
                .filter(|candidate| Some(candidate.contested) == contested)
            {
                if winner.is_none_or(|(rank, _)| candidate.rank < rank) {
                    winner = Some((
                        candidate.rank,
                        Outcome::Segment {
                            answer: &candidate.answer,
                            place: *place,
                        },
                    ));
                }
            }
        }
        let identifier = evaluation.subject.identifier().unwrap_or_default();
        let own = environment
            .identity_overrides
            .of(identifier)
            .iter()
            .find(|own| own.feature == feature);
        match own.filter(|_| evaluation.subject.identifier().is_some()) {
            Some(own) => Outcome::Identity { answer: &own.answer },
            None => winner.map_or(Outcome::Default, |(_, outcome)| outcome),
        }
    }

    fn segment_matches(&self, evaluation: &Evaluation<'e>, place: u32) -> bool {
        if let Some(verdict) = self.verdicts.borrow().get(&place) {
            return *verdict;
        }
        let cuts = self.cuts.get();
        let matches = evaluation.segment_matches(place);
        if self.cuts.get() != cuts {
            return false;
        }
        self.verdicts.borrow_mut().insert(place, matches);
        matches
    }
}
