//! Segments that read the result of other flags (`$.flags.NAME…`).
//!
//! The reference resolves a flag when a condition first reads it, and cuts cycles: a flag in a cycle has no result, and a
//! segment whose evaluation cut one does not match, because its verdict would rest on the flag's absence. The order in
//! which it does so decides the outcome, so this follows it step by step.
use std::cell::{Cell, RefCell};

use hashbrown::{HashMap, HashSet};

use super::choice::Choice;
use crate::condition::budget::NESTED;
use crate::condition::{Budget, Raised};
use crate::environment::compiled::{DependencyIndex, Environment, IdentityOverride, SegmentOverride};

/// Flags that depend on each other deeper than this are not resolved. The reference's own recursion ends after 58 with the
/// plainest rules.
const DEEPEST_CHAIN: usize = 64;
/// Evaluates the segment in a place.
type Matches<'m> = &'m dyn Fn(u32) -> bool;

/// The state of resolving flags in one evaluation.
pub(super) struct Dependencies<'e> {
    environment: &'e Environment,
    /// What the identity overrides itself.
    own: &'e [IdentityOverride],
    index: &'e DependencyIndex,
    /// The flags being resolved, outermost first.
    resolving: RefCell<Vec<u32>>,
    /// The flags found to be in a cycle.
    cyclic: RefCell<HashSet<u32>>,
    /// How many cycles have been cut.
    cuts: Cell<u32>,
    resolved: RefCell<HashMap<u32, Choice<'e>>>,
    verdicts: RefCell<HashMap<u32, bool>>,
}

impl<'e> Dependencies<'e> {
    pub(super) fn new(
        environment: &'e Environment,
        index: &'e DependencyIndex,
        own: &'e [IdentityOverride],
    ) -> Self {
        Self {
            environment,
            own,
            index,
            resolving: RefCell::default(),
            cyclic: RefCell::default(),
            cuts: Cell::new(0),
            resolved: RefCell::default(),
            verdicts: RefCell::default(),
        }
    }

    /// What was chosen for a feature whose flag a condition has read. This holds over a plain evaluation: it was found
    /// with cycles cut.
    pub(super) fn choice(&self, feature: u32) -> Option<Choice<'e>> {
        self.resolved.borrow().get(&feature).copied()
    }

    /// Whether a feature's flag was found to be in a cycle: its reason says so.
    pub(super) fn is_cyclic(&self, feature: u32) -> bool {
        self.cyclic.borrow().contains(&feature)
    }

    /// The features whose flags conditions have read, in document order.
    pub(super) fn read_features(&self) -> Vec<u32> {
        // No flag is both: one in a cycle is not resolved.
        let (resolved, cyclic) = (self.resolved.borrow(), self.cyclic.borrow());
        let mut features: Vec<u32> = resolved.keys().chain(&*cyclic).copied().collect();
        features.sort_unstable();
        features
    }

    /// Whether a segment matches without having cut a cycle.
    pub(super) fn segment_matches_soundly(&self, place: u32, matches: Matches<'_>) -> bool {
        let cuts = self.cuts.get();
        let matches = matches(place);
        matches && self.cuts.get() == cuts
    }

    /// What is chosen for a feature whose flag a condition reads; `None`: its flag cannot be resolved.
    ///
    /// # Errors
    /// Where flags depend on each other too deep, or the evaluation's budget ends.
    pub(super) fn read(
        &self,
        feature: u32,
        budget: &Budget,
        matches: Matches<'_>,
    ) -> Result<Option<Choice<'e>>, Raised> {
        if self.choice(feature).is_none() {
            self.resolve(feature, budget, matches)?;
        }
        Ok(self.choice(feature))
    }

    fn resolve(&self, feature: u32, budget: &Budget, matches: Matches<'_>) -> Result<(), Raised> {
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
        let choice = self.choose(feature, budget, matches);
        self.resolving.borrow_mut().pop();
        let choice = choice?;
        if !self.cyclic.borrow().contains(&feature) {
            self.resolved
                .borrow_mut()
                .extend(choice.map(|choice| (feature, choice)));
        }
        Ok(())
    }

    /// Evaluates every segment that overrides the feature, the winner known or not: each may cut a cycle.
    fn choose(
        &self,
        feature: u32,
        budget: &Budget,
        matches: Matches<'_>,
    ) -> Result<Option<Choice<'e>>, Raised> {
        let environment = self.environment;
        let mut winner: Option<&SegmentOverride> = None;
        let segments = self.index.segments.get(feature as usize);
        for place in segments.map_or(&[][..], Vec::as_slice) {
            budget.spend(NESTED)?;
            if !self.segment_matches(*place, matches) {
                continue;
            }
            let overrides = environment
                .segments
                .get(*place as usize)
                .map_or(&[][..], |segment| &*segment.overrides);
            let found = overrides.binary_search_by_key(&feature, |candidate| candidate.feature);
            let candidate = found.ok().and_then(|found| overrides.get(found));
            winner = match (candidate, winner) {
                (Some(candidate), Some(winner)) if candidate.rank >= winner.rank => Some(winner),
                (candidate, winner) => candidate.or(winner),
            };
        }
        let mut own = self.own.iter();
        Ok(match (own.find(|own| own.feature == feature), winner) {
            (Some(own), _) => Some(Choice::of_identity(own)),
            (None, Some(winner)) => Some(Choice::of_segment(winner)),
            (None, None) => Choice::default_of(environment, feature),
        })
    }

    fn segment_matches(&self, place: u32, matches: Matches<'_>) -> bool {
        if let Some(verdict) = self.verdicts.borrow().get(&place) {
            return *verdict;
        }
        let cuts = self.cuts.get();
        let matches = matches(place);
        if self.cuts.get() != cuts {
            return false;
        }
        self.verdicts.borrow_mut().insert(place, matches);
        matches
    }
}
