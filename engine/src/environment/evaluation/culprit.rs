//! A condition, or a rule, that has to do with it that a segment matches or not, and what it was asked about.
use super::found::Found as Read;
use super::segments::Evaluation;
use crate::condition::{Node, Raised, Split, Value};
use crate::environment::compiled::{Condition, Path, Source};
use crate::python::PyValue;

/// What keeps a segment from matching, or makes it match.
#[derive(Debug, Default)]
pub(crate) struct Blame<'e> {
    /// In the order in which they are evaluated: the first is the first that failed.
    pub culprits: Vec<Culprit<'e>>,
    /// How many there are beyond.
    pub more: usize,
}

/// A condition, or a rule, that keeps a segment from matching.
#[derive(Debug)]
pub(crate) struct Culprit<'e> {
    pub place: Place,
    pub fault: Fault,
    pub asked: Asked<'e>,
}

/// What a condition was asked about.
#[derive(Debug, Default)]
pub(crate) struct Asked<'e> {
    pub found: Found<'e>,
    pub origin: Origin,
    /// Where it falls, where the condition is a percentage split.
    pub split: Option<Split>,
}

/// Where a rule is among the segment's, outermost first, and a condition in it; all from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub rules: Vec<u32>,
    pub condition: Option<u32>,
}

/// What is wrong with it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The condition does not hold.
    DoesNotHold,
    /// It holds.
    Holds,
    /// It cannot be evaluated, and was reached: no segment matches then.
    Raises,
    /// A rule without conditions and rules, which holds whatever its type is.
    EmptyRuleHolds,
    /// A rule of no known type that is not empty.
    UnknownType,
    /// Rules are nested, by way of flags that segments read, deeper than is evaluated.
    TooDeep,
}

/// What a condition found.
#[derive(Debug, Clone, Default)]
pub(crate) enum Found<'e> {
    Value(Value<'e>),
    NotSet,
    /// Reading it is what cannot be done.
    #[default]
    Unreadable,
}

/// A percentage split of a segment's conditions, whether it holds or not.
#[derive(Debug)]
pub(crate) struct PlacedSplit {
    pub place: Place,
    /// `None`: there is nothing to split by.
    pub split: Option<Split>,
}

/// Where a condition found its value, or would have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The trait of this slot, whatever way it is named: a path may name one, and a trait may be named like a path.
    Trait(u32),
    /// A path found this text, which is read as a number.
    NumberText(String),
    #[default]
    Elsewhere,
}

impl<'e> Evaluation<'e> {
    /// What a condition is asked about, and where that falls where it splits by percentage.
    pub(super) fn ask(&self, condition: &Condition) -> Asked<'e> {
        let Condition::Matching { source, matcher } = condition else {
            return Asked::default();
        };
        let read = |value: Option<&Value<'_>>| {
            let found = value.map_or(Found::NotSet, |value| Found::Value(value.to_owned_value()));
            Ok((found, value.and_then(|value| matcher.split(value))))
        };
        let (found, split) = self.with_value(source, read).unwrap_or_default();
        Asked {
            origin: self.origin(source, &found).unwrap_or_default(),
            found,
            split,
        }
    }

    /// Where a source holds what was found.
    fn origin(&self, source: &Source, found: &Found<'_>) -> Result<Origin, Raised> {
        let (path, fallback) = match source {
            Source::Trait(slot) => return Ok(Origin::Trait(*slot)),
            Source::IdentityKey => return Ok(Origin::Elsewhere),
            Source::Path { path, fallback } => (path, *fallback),
        };
        let is_found = !matches!(self.find(path)?, Read::Nothing);
        Ok(match (path, found) {
            // Where a path finds nothing the trait is read that is named like it.
            (_, Found::Value(_)) if !is_found => Origin::Trait(fallback),
            (Path::IdentityTrait(slot), _) => Origin::Trait(*slot),
            (_, Found::Value(Value::Integer(_) | Value::Float(_))) => self
                .text_found(path)?
                .map_or(Origin::Elsewhere, Origin::NumberText),
            _ => Origin::Elsewhere,
        })
    }

    /// The text that a path finds, before it is read as conditions read it; `None`: it finds something else.
    fn text_found(&self, path: &Path) -> Result<Option<String>, Raised> {
        let text = |found: Option<&PyValue>| match found {
            Some(PyValue::String(text)) => Some(text.clone()),
            _ => None,
        };
        Ok(match path {
            Path::IdentityIdentifier => self.subject.identifier().map(str::to_owned),
            Path::IdentityKey => self.subject.key().map(str::to_owned),
            Path::Constant(value) => text(value.as_ref()),
            Path::Identity(query) => {
                let identity = self.subject.identity_context(&self.budget)?;
                text(query.first(Node::Value(identity), &self.budget)?)
            }
            Path::Context(query) => {
                let context = Node::Context(self.subject.context(&self.budget)?);
                text(query.first(context, &self.budget)?)
            }
            Path::Flag { feature, rest } => {
                let result = self.flag_result(*feature)?;
                text(rest.first(Node::Value(&result), &self.budget)?)
            }
            Path::IdentityTrait(_) | Path::Raising => None,
        })
    }
}
