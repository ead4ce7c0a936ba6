//! Which segments match.
//!
//! Rules are evaluated in the reference's order and as lazily, because where it would raise depends on it: a raise that is
//! reached makes the segment not match.
use std::borrow::Cow;
use std::cell::{Cell, RefCell};

use super::choice::Choice;
use super::dependencies::Dependencies;
use super::subject::Subject;
use crate::Identity;
use crate::condition::{Query, Raised, RegexBudget, Value};
use crate::environment::compiled::{
    Condition, Environment, IdentityOverride, Path, Rule, RuleKind, Segment, Source, offset,
};
use crate::environment::flag::Flag;
use crate::python::PyValue;

/// How many rules may be evaluated one inside the other. A document's nesting bounds the rules of one segment, but rules
/// may read flags that depend on further segments. The reference's recursion ends near this bound.
const DEEPEST_RULES: u32 = 200;

/// One evaluation of an environment: for an identity, or without.
pub(crate) struct Evaluation<'e> {
    pub(super) environment: &'e Environment,
    subject: Subject<'e>,
    budget: RefCell<RegexBudget>,
    /// How many rules are being evaluated, one inside the other.
    depth: Cell<u32>,
    pub(super) dependencies: Option<Dependencies<'e>>,
}

impl<'e> Evaluation<'e> {
    pub(crate) fn new(
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
            subject: Subject::new(environment, identity, takes_traits),
            budget: RefCell::new(RegexBudget::new()),
            depth: Cell::new(0),
            dependencies,
        }
    }

    /// The environment that is evaluated.
    pub(crate) fn environment(&self) -> &'e Environment {
        self.environment
    }

    /// The key that percentages are hashed from; `None`: there is no identity.
    pub(crate) fn identity_key(&self) -> Option<&str> {
        self.subject.key()
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

    /// What was chosen for a feature whose flag a condition has read.
    pub(super) fn read_choice(&self, feature: u32) -> Option<Choice<'e>> {
        self.dependencies.as_ref()?.choice(feature)
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

    /// A segment without rules never matches; all its rules must hold.
    fn segment_matches(&self, place: u32) -> bool {
        let segment = self.environment.segments.get(place as usize);
        segment.is_some_and(|segment| self.matches(segment))
    }

    pub(super) fn matches(&self, segment: &Segment) -> bool {
        !segment.rules.is_empty() && segment.rules.iter().all(|rule| self.rule_holds(rule) == Ok(true))
    }

    /// Evaluates both parts, the conditions first, because either may raise.
    fn rule_holds(&self, rule: &Rule) -> Result<bool, Raised> {
        let depth = self.depth.get();
        if depth >= DEEPEST_RULES {
            return Err(Raised);
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

    fn condition_holds(&self, condition: &Condition) -> Result<bool, Raised> {
        if let Some(dependencies) = &self.dependencies {
            dependencies.spend()?;
        }
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
        let choice = match self.dependencies.as_ref().zip(feature) {
            Some((dependencies, feature)) => {
                dependencies.read(feature, &|place| self.segment_matches(place))?
            }
            None => None,
        };
        let flag = choice.and_then(|choice| choice.flag(self.environment, self.subject.key()));
        let result = flag.and_then(Flag::to_python).unwrap_or(PyValue::None);
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
