//! Which segments match, which overrides win.
//!
//! Rules are evaluated in the reference's order and as lazily, because where it would raise depends on it: a raise that is
//! reached makes the segment not match.
use std::borrow::Cow;
use std::cell::RefCell;

use smallvec::{SmallVec, smallvec};

use super::Environment;
use super::answer::Answer;
use super::dependencies::Dependencies;
use super::segment::{Condition, Path, Rule, RuleKind, Source};
use super::subject::Subject;
use crate::Identity;
use crate::condition::{Query, Raised, RegexBudget, Value};
use crate::python::PyValue;

/// Environments with no more contested features need no allocation for the winners.
const CONTESTED_INLINE: usize = 64;

/// The segment override that holds for each contested feature; `None`: none does.
pub(crate) type Winners<'e> = SmallVec<[Option<Winner<'e>>; CONTESTED_INLINE]>;

/// A segment override that holds so far.
#[derive(Clone, Copy)]
pub(crate) struct Winner<'e> {
    rank: u32,
    pub answer: &'e Answer,
}

/// One evaluation of an environment: for an identity, or without.
pub(crate) struct Evaluation<'e> {
    pub environment: &'e Environment,
    pub subject: Subject<'e>,
    budget: RefCell<RegexBudget>,
    pub dependencies: Option<Dependencies<'e>>,
}

impl<'e> Evaluation<'e> {
    pub(crate) fn new(
        environment: &'e Environment,
        identity: Option<&'e Identity<'e>>,
        takes_traits: bool,
    ) -> Self {
        Self {
            environment,
            subject: Subject::new(environment, identity, takes_traits),
            budget: RefCell::new(RegexBudget::new()),
            dependencies: environment.dependencies.as_deref().map(Dependencies::new),
        }
    }

    /// Evaluates the segments that override something, in document order; per feature the override of the strictly
    /// lowest priority wins, of equal ones the first.
    pub(crate) fn winners(&self) -> Winners<'e> {
        let mut winners: Winners<'e> = smallvec![None; self.environment.features.contested.len()];
        if self.dependencies.is_some() {
            // Segments that override nothing count here: reading a flag resolves it.
            for (place, matches) in (0..).zip(self.all_segments()) {
                if matches {
                    self.apply_overrides(place, &mut winners);
                }
            }
            return winners;
        }
        for place in &self.environment.overriding_segments {
            if self.segment_matches(*place) {
                self.apply_overrides(*place, &mut winners);
            }
        }
        winners
    }

    fn apply_overrides(&self, place: u32, winners: &mut Winners<'e>) {
        let environment = self.environment;
        for candidate in environment
            .segments
            .get(place as usize)
            .map_or(&[][..], |segment| &*segment.overrides)
        {
            if let Some(holder) = winners.get_mut(candidate.contested as usize)
                && holder.is_none_or(|holder| candidate.rank < holder.rank)
            {
                *holder = Some(Winner {
                    rank: candidate.rank,
                    answer: &candidate.answer,
                });
            }
        }
    }

    /// Whether each segment matches, in document order.
    pub(crate) fn all_segments(&self) -> Vec<bool> {
        (0..super::answer::offset(self.environment.segments.len()))
            .map(|place| match &self.dependencies {
                Some(dependencies) => dependencies.segment_matches_soundly(self, place),
                None => self.segment_matches(place),
            })
            .collect()
    }

    /// A segment without rules never matches; all its rules must hold.
    pub(crate) fn segment_matches(&self, place: u32) -> bool {
        let Some(segment) = self.environment.segments.get(place as usize) else {
            return false;
        };
        !segment.rules.is_empty() && segment.rules.iter().all(|rule| self.rule_holds(rule) == Ok(true))
    }

    /// Both parts are evaluated, the conditions first: either may raise.
    fn rule_holds(&self, rule: &Rule) -> Result<bool, Raised> {
        let conditions = combine(rule.kind, &rule.conditions, |condition| {
            self.condition_holds(condition)
        })?;
        let rules = combine(rule.kind, &rule.rules, |rule| self.rule_holds(rule))?;
        Ok(conditions && rules)
    }

    fn condition_holds(&self, condition: &Condition) -> Result<bool, Raised> {
        let Condition::Matching { source, matcher } = condition else {
            return Err(Raised);
        };
        let holds = |value: Option<&Value<'_>>| matcher.matches(value, &mut self.budget.borrow_mut());
        match source {
            Source::Trait(slot) => holds(self.subject.trait_value(*slot)?),
            Source::IdentityKey => holds(
                self.subject
                    .key()
                    .map(|key| Value::String(Cow::Borrowed(key)))
                    .as_ref(),
            ),
            Source::Path { path, fallback } => match self.find(path)? {
                Found::Value(value) => holds(Some(&value)),
                Found::Null => holds(None),
                Found::Nothing => holds(self.subject.trait_value(*fallback)?),
            },
        }
    }

    fn find<'v>(&'v self, path: &'v Path) -> Result<Found<'v>, Raised> {
        let found = match path {
            Path::IdentityIdentifier => return coerced(self.subject.identifier()),
            Path::IdentityKey => return coerced(self.subject.key()),
            Path::IdentityTrait(slot) => {
                return Ok(match self.subject.trait_value(*slot)? {
                    Some(value) => Found::Value(value.clone()),
                    None if self.subject.is_null(*slot) => Found::Null,
                    None => Found::Nothing,
                });
            }
            Path::Constant(value) => value.as_ref(),
            Path::Identity(query) => query.first(self.subject.identity_context()),
            Path::Context(query) => query.first(self.subject.context()),
            Path::Flag { feature, rest } => return self.find_in_flag(*feature, rest),
            Path::Raising => return Err(Raised),
        };
        Found::of(found)
    }

    /// What a path finds in the result of another flag; an unresolved one is null.
    fn find_in_flag(&self, feature: Option<u32>, rest: &Query) -> Result<Found<'static>, Raised> {
        let dependencies = self.dependencies.as_ref().zip(feature);
        let result = dependencies.map_or(Ok(None), |(dependencies, feature)| {
            dependencies.read(self, feature)
        })?;
        let result = result.unwrap_or(PyValue::None);
        Ok(match Found::of(rest.first(&result))? {
            Found::Nothing => Found::Nothing,
            Found::Null => Found::Null,
            Found::Value(Value::Boolean(boolean)) => Found::Value(Value::Boolean(boolean)),
            Found::Value(Value::Integer(integer)) => Found::Value(Value::Integer(integer)),
            Found::Value(Value::Float(float)) => Found::Value(Value::Float(float)),
            Found::Value(Value::String(text)) => Found::Value(Value::String(Cow::Owned(text.into_owned()))),
        })
    }
}

/// What a path finds.
enum Found<'v> {
    /// Nothing, a list or an object: the trait named like the path is read.
    Nothing,
    /// Not set.
    Null,
    Value(Value<'v>),
}

impl<'v> Found<'v> {
    fn of(found: Option<&'v PyValue>) -> Result<Self, Raised> {
        match found {
            None => Ok(Self::Nothing),
            Some(PyValue::None) => Ok(Self::Null),
            Some(found) => Ok(Value::from_found(found)?.map_or(Self::Nothing, Self::Value)),
        }
    }
}

fn coerced(text: Option<&str>) -> Result<Found<'_>, Raised> {
    text.map_or(Ok(Found::Nothing), |text| Value::coerce(text).map(Found::Value))
}

/// Combines parts lazily; nothing to combine holds for every kind.
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
