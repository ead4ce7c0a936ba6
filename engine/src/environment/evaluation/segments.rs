//! Which segments match.
//!
//! Rules are evaluated in the reference's order and as lazily, because where it would raise depends on it: a raise that is
//! reached makes the segment not match.
use std::borrow::Cow;
use std::cell::Cell;

use super::dependencies::Dependencies;
use super::found::Found;
use super::subject::Subject;
use crate::Identity;
use crate::condition::budget::NESTED;
use crate::condition::{Budget, LightWork, Node, Raised, Value};
use crate::environment::compiled::{
    Condition, Environment, IdentityOverride, Multivariate, MultivariateOption, Path, Rule, RuleKind,
    Segment, Source, offset,
};

/// How many rules may be evaluated one inside the other. A document's nesting bounds the rules of one segment, but rules
/// may read flags that depend on further segments. The reference's recursion ends near this bound.
const DEEPEST_RULES: u32 = 200;

/// One evaluation of an environment: for an identity, or without.
pub(crate) struct Evaluation<'e> {
    pub(super) environment: &'e Environment,
    pub(super) subject: Subject<'e>,
    pub(super) budget: Budget,
    /// How many rules are being evaluated, one inside the other.
    depth: Cell<u32>,
    /// Whether segments count that need an identity, or could.
    all_count: bool,
    pub(super) dependencies: Option<Dependencies<'e>>,
}

impl<'e> Evaluation<'e> {
    pub(crate) fn new(
        environment: &'e Environment,
        identity: Option<&'e Identity<'e>>,
        takes_traits: bool,
    ) -> Self {
        Self::within(Budget::new(), environment, identity, takes_traits)
    }

    /// What holds on `flags/`: the segments count that depend on flags and on nothing that takes an identity. Core leaves all
    /// others out there, where they hold without an identity too.
    pub(crate) fn without_identity(environment: &'e Environment) -> Self {
        Self {
            all_count: false,
            ..Self::new(environment, None, false)
        }
    }

    /// An evaluation that is given up where it takes more than a little work: see [`Self::is_given_up`].
    pub(crate) fn light(
        environment: &'e Environment,
        identity: &'e Identity<'e>,
        takes_traits: bool,
        work: LightWork,
    ) -> Self {
        Self::within(Budget::light(work), environment, Some(identity), takes_traits)
    }

    fn within(
        budget: Budget,
        environment: &'e Environment,
        identity: Option<&'e Identity<'e>>,
        takes_traits: bool,
    ) -> Self {
        let dependencies = environment.dependencies.as_ref().map(|index| {
            let own = identity.map(|identity| environment.identity_overrides.of(identity.identifier()));
            Dependencies::new(environment, index, own.unwrap_or_default())
        });
        Self {
            environment,
            subject: Subject::new(environment, identity, takes_traits, &budget),
            budget,
            depth: Cell::new(0),
            all_count: true,
            dependencies,
        }
    }

    /// The environment that is evaluated.
    pub(crate) fn environment(&self) -> &'e Environment {
        self.environment
    }

    /// The option that the identity gets, if any; `None`: there is no identity.
    pub(crate) fn option<'m>(
        &self,
        multivariate: &'m Multivariate,
    ) -> Option<Option<&'m MultivariateOption>> {
        let key = self.subject.key()?;
        if !self.budget.spend_option(&multivariate.key, key) {
            if !self.is_given_up() {
                self.environment.exhaustion.note_options();
            }
            return Some(None);
        }
        Some(multivariate.choose(key))
    }

    /// Whether it was light and took more than that, so that its outcome is none.
    pub(crate) fn is_given_up(&self) -> bool {
        self.budget.is_too_little()
    }

    /// How many steps were taken so far.
    pub(crate) fn steps(&self) -> u32 {
        self.budget.spent()
    }

    /// What the identity overrides itself, in the order of the features.
    pub(super) fn own_overrides(&self) -> &'e [IdentityOverride] {
        self.subject.own_overrides()
    }

    /// The features whose flags conditions have read, in document order.
    pub(super) fn read_features(&self) -> Vec<u32> {
        self.dependencies
            .as_ref()
            .map_or_else(Vec::new, Dependencies::read_features)
    }

    /// Whether each segment matches, in document order.
    pub(crate) fn all_segments(&self) -> Vec<bool> {
        (0..offset(self.environment.segments.len()))
            .map(|place| match &self.dependencies {
                Some(dependencies) => {
                    dependencies.segment_matches_soundly(place, &|place| self.segment_matches(place))
                }
                None => self.segment_matches(place),
            })
            .collect()
    }

    /// Whether a segment counts: without an identity most do not.
    pub(crate) fn counts(&self, segment: &Segment) -> bool {
        self.all_count || segment.needs_no_identity
    }

    /// The key that the identity's percentages are hashed from; `None`: there is no identity.
    pub(crate) fn identity_key(&self) -> Option<&str> {
        self.subject.key()
    }

    pub(super) fn segment_matches(&self, place: u32) -> bool {
        let segment = self.environment.segments.get(place as usize);
        let segment = segment.filter(|segment| self.counts(segment));
        segment.is_some_and(|segment| self.matches(place, segment))
    }

    /// A segment without rules never matches; all its rules must hold.
    pub(super) fn matches(&self, place: u32, segment: &Segment) -> bool {
        let matches =
            !segment.rules.is_empty() && segment.rules.iter().all(|rule| self.rule_holds(rule) == Ok(true));
        if self.budget.take_refusal() {
            self.environment.exhaustion.note_segment(place);
        }
        matches
    }

    /// Evaluates both parts, the conditions first, because either may raise.
    pub(super) fn rule_holds(&self, rule: &Rule) -> Result<bool, Raised> {
        let depth = self.depth.get();
        if depth >= DEEPEST_RULES {
            return Err(Raised);
        }
        if self.dependencies.is_some() {
            self.budget.spend(NESTED)?;
        }
        self.depth.set(depth + 1);
        let holds = self.parts_hold(rule);
        self.depth.set(depth);
        holds
    }

    fn parts_hold(&self, rule: &Rule) -> Result<bool, Raised> {
        let conditions = combine(rule.kind, &rule.conditions, |condition| {
            self.condition_holds(condition)
        })?;
        let rules = combine(rule.kind, &rule.rules, |rule| self.rule_holds(rule))?;
        Ok(conditions && rules)
    }

    pub(super) fn condition_holds(&self, condition: &Condition) -> Result<bool, Raised> {
        if self.dependencies.is_some() {
            self.budget.spend(NESTED)?;
        }
        let Condition::Matching { source, matcher } = condition else {
            return Err(Raised);
        };
        self.with_value(source, |value| matcher.matches(value, &self.budget))
    }

    /// Calls `read` with what a source holds; `None`: not set.
    #[inline]
    pub(super) fn with_value<T>(
        &self,
        source: &Source,
        read: impl FnOnce(Option<&Value<'_>>) -> Result<T, Raised>,
    ) -> Result<T, Raised> {
        match source {
            Source::Trait(slot) => read(self.subject.trait_value(*slot)?),
            Source::IdentityKey => read(
                self.subject
                    .key()
                    .map(|key| Value::String(Cow::Borrowed(key)))
                    .as_ref(),
            ),
            Source::Path { path, fallback } => match self.find(path)? {
                Found::Value(value) => read(Some(&value)),
                Found::Null => read(None),
                Found::Nothing => read(self.subject.trait_value(*fallback)?),
            },
        }
    }

    pub(super) fn find<'v>(&'v self, path: &'v Path) -> Result<Found<'v>, Raised> {
        let found = match path {
            Path::IdentityIdentifier => return self.coerced(self.subject.identifier()),
            Path::IdentityKey => return self.coerced(self.subject.key()),
            Path::IdentityTrait(slot) => {
                let value = self.subject.trait_value(*slot)?.cloned();
                return Ok(value.map_or(Found::Nothing, Found::Value));
            }
            Path::Constant(value) => value.as_ref(),
            Path::Identity(query) => {
                let identity = self.subject.identity_context(&self.budget)?;
                query.first(Node::Value(identity), &self.budget)?
            }
            Path::Context(query) => {
                let context = Node::Context(self.subject.context(&self.budget)?);
                query.first(context, &self.budget)?
            }
            Path::Flag { feature, rest } => return self.find_in_flag(*feature, rest),
            Path::Raising => return Err(Raised),
        };
        Found::of(found, &self.budget)
    }

    fn coerced<'v>(&self, text: Option<&'v str>) -> Result<Found<'v>, Raised> {
        let Some(text) = text else {
            return Ok(Found::Nothing);
        };
        self.budget.spend_text(text)?;
        Value::coerce(text).map(Found::Value)
    }
}

/// Combines parts lazily; an empty part holds for every kind.
fn combine<T>(
    kind: RuleKind,
    parts: &[T],
    mut holds: impl FnMut(&T) -> Result<bool, Raised>,
) -> Result<bool, Raised> {
    if parts.is_empty() {
        return Ok(true);
    }
    let stops_at = match kind {
        RuleKind::All => false,
        RuleKind::Any | RuleKind::None => true,
        RuleKind::Unknown => return Err(Raised),
    };
    for part in parts {
        if holds(part)? == stops_at {
            return Ok(kind == RuleKind::Any);
        }
    }
    Ok(kind != RuleKind::Any)
}
