//! A condition's operator and value, prepared.
use std::cmp::Ordering;
use std::sync::Arc;

use super::casting::{Cast, Comparison, Operand, to_float};
use super::in_values::InValues;
use super::modulo::Modulo;
use super::regex::{Regex, RegexCache};
use super::{Budget, Raised, Value};
use crate::hashing::hashed_percentage;
use crate::python::{Integer, PyValue};

/// A condition without its property: the operator and its value, prepared for every type a trait can have.
#[derive(Debug)]
pub(crate) struct Matcher(Kind);

#[derive(Debug)]
enum Kind {
    Compare(Operator, Operand),
    Contains(Operand),
    NotContains(Box<str>),
    In(InValues),
    Regex(Arc<Regex>),
    Modulo(Modulo),
    IsSet,
    IsNotSet,
    PercentageSplit {
        segment_id: Box<str>,
        limit: Cast<f64>,
    },
    /// An operator that the engine does not know.
    Never,
    /// Raises whatever the property's value is.
    Raises,
    /// Raises where the property is set.
    RaisesIfSet,
}

/// Where a value falls in a PERCENTAGE_SPLIT, in percent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Split {
    pub bucket: f64,
    /// The condition holds up to here.
    pub limit: f64,
}

#[derive(Debug, Clone, Copy)]
enum Operator {
    Equal,
    NotEqual,
    Greater,
    GreaterInclusive,
    Less,
    LessInclusive,
}

impl Operator {
    fn holds(self, comparison: Comparison) -> bool {
        match comparison {
            Comparison::Fails => false,
            Comparison::Unordered => matches!(self, Self::NotEqual),
            Comparison::Of(ordering) => match self {
                Self::Equal => ordering == Ordering::Equal,
                Self::NotEqual => ordering != Ordering::Equal,
                Self::Greater => ordering == Ordering::Greater,
                Self::GreaterInclusive => ordering != Ordering::Less,
                Self::Less => ordering == Ordering::Less,
                Self::LessInclusive => ordering != Ordering::Greater,
            },
        }
    }
}

impl Matcher {
    /// Prepares a condition. Conditions of one cache share equal patterns. The text is a problem worth a warning: the
    /// condition raises, or its operator is unknown. It says what follows, and never repeats the condition's value.
    pub(crate) fn compile(
        operator: &str,
        value: &PyValue,
        segment_id: &str,
        regexes: &mut RegexCache,
    ) -> (Self, Option<String>) {
        let compare = |operator| (Kind::Compare(operator, Operand::new(value)), None);
        let (kind, problem) = match operator {
            "EQUAL" => compare(Operator::Equal),
            "NOT_EQUAL" => compare(Operator::NotEqual),
            "GREATER_THAN" => compare(Operator::Greater),
            "GREATER_THAN_INCLUSIVE" => compare(Operator::GreaterInclusive),
            "LESS_THAN" => compare(Operator::Less),
            "LESS_THAN_INCLUSIVE" => compare(Operator::LessInclusive),
            "CONTAINS" => (Kind::Contains(Operand::new(value)), None),
            "NOT_CONTAINS" => (Kind::NotContains(value.text().into()), None),
            "IN" => InValues::new(value).map_or_else(in_problem, |values| (Kind::In(values), None)),
            "REGEX" => regex(regexes, value),
            "MODULO" => modulo(value),
            "IS_SET" => (Kind::IsSet, None),
            "IS_NOT_SET" => (Kind::IsNotSet, None),
            "PERCENTAGE_SPLIT" => percentage_split(value, segment_id),
            _ => (
                Kind::Never,
                Some(format!(
                    "unknown operator {operator:?}; the condition does not hold"
                )),
            ),
        };
        (Self(kind), problem)
    }

    /// Whether this is PERCENTAGE_SPLIT. There a blank property means the identity's key, as it is: not coerced.
    pub(crate) fn splits_by_percentage(&self) -> bool {
        matches!(self.0, Kind::PercentageSplit { .. })
    }

    /// Where the property's value falls in a PERCENTAGE_SPLIT; `None`: it is none, or its value cannot be split.
    pub(crate) fn split(&self, value: &Value<'_>) -> Option<Split> {
        let Kind::PercentageSplit { segment_id, limit } = &self.0 else {
            return None;
        };
        let Cast::To(limit) = limit else { return None };
        Some(Split {
            bucket: value.with_text(|text| hashed_percentage(segment_id, text)),
            limit: *limit,
        })
    }

    /// Whether the condition holds for the property's value (`None`: not set).
    ///
    /// # Errors
    /// The reference engine raises here, or the evaluation's budget is spent.
    pub(crate) fn matches(&self, value: Option<&Value<'_>>, budget: &Budget) -> Result<bool, Raised> {
        let Some(value) = value else {
            return match self.0 {
                Kind::Raises => Err(Raised),
                Kind::IsNotSet => Ok(true),
                _ => Ok(false),
            };
        };
        match &self.0 {
            Kind::Compare(operator, operand) => Ok(operator.holds(match operand.compare_small(value) {
                Some(ordering) => Comparison::Of(ordering),
                None => {
                    self.spend(value, budget)?;
                    operand.compare(value)?
                }
            })),
            Kind::Contains(operand) => {
                self.spend(value, budget)?;
                operand.is_contained_in(value)
            }
            Kind::NotContains(text) => {
                self.spend(value, budget)?;
                Ok(matches!(value, Value::String(string) if !string.contains(&**text)))
            }
            Kind::In(values) => {
                self.spend(value, budget)?;
                Ok(values.contains(value))
            }
            Kind::Regex(regex) => {
                self.spend(value, budget)?;
                value.with_text(|text| regex.matches_start(text, budget))
            }
            Kind::Modulo(modulo) => modulo.matches(value),
            Kind::IsSet => Ok(true),
            Kind::IsNotSet | Kind::Never => Ok(false),
            Kind::PercentageSplit { segment_id, limit } => match limit {
                Cast::To(limit) => {
                    self.spend(value, budget)?;
                    value.with_text(|text| {
                        budget.spend_hash(segment_id, text)?;
                        Ok(hashed_percentage(segment_id, text) <= *limit)
                    })
                }
                Cast::Fails => Ok(false),
                Cast::Raises => Err(Raised),
            },
            Kind::Raises | Kind::RaisesIfSet => Err(Raised),
        }
    }
}

/// A text up to this many bytes costs nothing beside the condition itself.
const SHORT: usize = 64;

impl Matcher {
    /// Counts what a condition takes on a long text, or on an integer past 64 bits.
    #[inline]
    fn spend(&self, value: &Value<'_>, budget: &Budget) -> Result<(), Raised> {
        match value {
            Value::String(text) if text.len() > SHORT => budget.spend_many(self.steps_for(text)),
            Value::Integer(number @ Integer::Big(_)) => match self.0 {
                Kind::In(_) | Kind::Regex(_) | Kind::PercentageSplit { .. } => {
                    budget.spend_digits(number.most_digits(), false)
                }
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }

    /// What looking at a long text takes. Regexes and hashes count for themselves.
    fn steps_for(&self, text: &str) -> usize {
        match &self.0 {
            Kind::Compare(_, operand) => operand.steps_to_compare(text),
            // Looking for a text takes up to 3.3 ns a byte.
            Kind::Contains(_) | Kind::NotContains(_) => text.len() * 2,
            Kind::In(_) => text.len() / 2,
            _ => 0,
        }
    }
}

const SEGMENT_WILL_NOT_MATCH: &str = "the segment will not match where it comes to this condition";

fn in_problem() -> (Kind, Option<String>) {
    (
        Kind::Raises,
        Some(format!(
            "IN condition: the value is neither a list nor a string; {SEGMENT_WILL_NOT_MATCH}"
        )),
    )
}

fn regex(regexes: &mut RegexCache, value: &PyValue) -> (Kind, Option<String>) {
    match regexes.compile(value.text()) {
        Ok(regex) => (Kind::Regex(regex), None),
        Err(error) => (
            Kind::RaisesIfSet,
            Some(format!("REGEX condition: {error}; {SEGMENT_WILL_NOT_MATCH}")),
        ),
    }
}

fn modulo(value: &PyValue) -> (Kind, Option<String>) {
    let modulo = Modulo::new(value);
    let problem = match modulo {
        Modulo::Raises => Some("the value is no string"),
        Modulo::Of { divisor: 0.0, .. } => Some("the divisor is 0"),
        Modulo::Of { .. } | Modulo::Never => None,
    };
    (
        Kind::Modulo(modulo),
        problem.map(|problem| format!("MODULO condition: {problem}; {SEGMENT_WILL_NOT_MATCH}")),
    )
}

fn percentage_split(value: &PyValue, segment_id: &str) -> (Kind, Option<String>) {
    let limit = match value {
        // TypeError, which the reference does not expect here.
        PyValue::None | PyValue::List(_) | PyValue::Dict(_) => Cast::Raises,
        _ => to_float(value),
    };
    let problem = (limit == Cast::Raises)
        .then(|| format!("PERCENTAGE_SPLIT condition: the value is no number; {SEGMENT_WILL_NOT_MATCH}"));
    (
        Kind::PercentageSplit {
            segment_id: segment_id.into(),
            limit,
        },
        problem,
    )
}
