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
            Source::Path {
                path: Path::Flag { feature, rest },
                fallback,
            } => match self.flag_value(*feature, rest)? {
                Some(value) => holds(Some(&value)),
                None => holds(self.subject.trait_value(*fallback)?),
            },
            Source::Path { path, fallback } => match self.path_value(path)? {
                Some(value) => holds(Some(&value)),
                None => holds(self.subject.trait_value(*fallback)?),
            },
        }
    }

    /// What a path finds; `None` where it finds nothing, null, a list or an object.
    fn path_value<'v>(&'v self, path: &'v Path) -> Result<Option<Value<'v>>, Raised> {
        let found = match path {
            Path::IdentityIdentifier => return self.subject.identifier().map(Value::coerce).transpose(),
            Path::IdentityKey => return self.subject.key().map(Value::coerce).transpose(),
            Path::IdentityTrait(slot) => return Ok(self.subject.trait_value(*slot)?.cloned()),
            Path::Constant(value) => Some(value),
            Path::Identity(query) => query.first(self.subject.identity_context()),
            Path::Context(query) => query.first(self.subject.context()),
            Path::Flag { .. } | Path::Raising => return Err(Raised),
        };
        found.map_or(Ok(None), Value::from_found)
    }

    /// What a path finds in the result of another flag.
    fn flag_value(&self, feature: Option<u32>, rest: &Query) -> Result<Option<Value<'static>>, Raised> {
        let (Some(dependencies), Some(feature)) = (&self.dependencies, feature) else {
            return Ok(None);
        };
        let Some(result) = dependencies.read(self, feature)? else {
            return Ok(None);
        };
        let Some(found) = rest.first(&result) else {
            return Ok(None);
        };
        Ok(Value::from_found(found)?.map(|value| match value {
            Value::Boolean(boolean) => Value::Boolean(boolean),
            Value::Integer(integer) => Value::Integer(integer),
            Value::Float(float) => Value::Float(float),
            Value::String(text) => Value::String(Cow::Owned(text.into_owned())),
        }))
    }
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
