//! Whether a filter's expression holds.
use std::borrow::Cow;
use std::cmp::Ordering;

use super::functions::{self, Outcome};
use super::{Search, Stopped};
use crate::condition::jsonpath::query::{Comparator, Expression, FilterQuery, Function, Operand};
use crate::python::{Integer, PyValue};

impl Expression {
    fn holds<'v>(&self, current: &'v PyValue, search: &mut Search<'v>) -> Result<bool, Stopped> {
        match self {
            Self::Any(parts) => {
                for part in parts {
                    if part.is_truthy(current, search)? {
                        return Ok(true);
                    }
                }
                Ok(false)
            }
            Self::All(parts) => {
                for part in parts {
                    if !part.is_truthy(current, search)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Self::Not(part) => Ok(!part.is_truthy(current, search)?),
            Self::Compare(left, comparator, right) => {
                let (left, right) = (left.evaluate(current, search)?, right.evaluate(current, search)?);
                Ok(comparator.holds(left.single(), right.single()))
            }
        }
    }
}

impl Operand {
    /// Whether a test of this succeeds.
    pub(super) fn is_truthy<'v>(
        &self,
        current: &'v PyValue,
        search: &mut Search<'v>,
    ) -> Result<bool, Stopped> {
        Ok(self.evaluate(current, search)?.is_truthy())
    }

    pub(super) fn evaluate<'v>(
        &self,
        current: &'v PyValue,
        search: &mut Search<'v>,
    ) -> Result<Outcome<'v>, Stopped> {
        match self {
            Self::Literal(value) => Ok(Outcome::Value(Cow::Owned(value.clone()))),
            Self::Query(query) => query.evaluate(current, search),
            Self::Function(function) => function.call(current, search),
            Self::Logical(expression) => {
                let holds = expression.holds(current, search)?;
                Ok(Outcome::Value(Cow::Owned(PyValue::Boolean(holds))))
            }
        }
    }
}

impl FilterQuery {
    fn evaluate<'v>(&self, current: &'v PyValue, search: &mut Search<'v>) -> Result<Outcome<'v>, Stopped> {
        if !self.is_relative {
            return search.all(&self.query, search.root).map(Outcome::Nodes);
        }
        match current {
            // The library takes the current value for the root (`$`) of filters further in.
            PyValue::List(_) | PyValue::Dict(_) => search.within(current, &self.query).map(Outcome::Nodes),
            // The library's `@` on such a value is the value itself, whose truth counts, not its existence.
            _ if self.query.segments.is_empty() => Ok(Outcome::Value(Cow::Borrowed(current))),
            _ => Ok(Outcome::Nodes(Vec::new())),
        }
    }
}

impl Function {
    fn call<'v>(&self, current: &'v PyValue, search: &mut Search<'v>) -> Result<Outcome<'v>, Stopped> {
        Ok(match self {
            Self::Length(argument) => functions::length(argument.evaluate(current, search)?),
            Self::Count(argument) => functions::count(&argument.evaluate(current, search)?),
            Self::Value(argument) => functions::value(argument.evaluate(current, search)?),
            Self::Match {
                text,
                pattern,
                is_whole,
            } => {
                let text = text.evaluate(current, search)?;
                functions::matches(text, pattern.evaluate(current, search)?, *is_whole)
            }
        })
    }
}

impl Comparator {
    fn holds(self, left: Option<Cow<'_, PyValue>>, right: Option<Cow<'_, PyValue>>) -> bool {
        let is_equal = match (&left, &right) {
            (None, None) => true,
            (Some(left), Some(right)) => {
                // At this level, and not below, the library tells 1 from true.
                let are_booleans = |value: &PyValue| matches!(value, PyValue::Boolean(_));
                are_booleans(left) == are_booleans(right) && equal(left, right)
            }
            _ => false,
        };
        let order = || {
            left.as_ref()
                .zip(right.as_ref())
                .and_then(|(left, right)| order(left, right))
        };
        match self {
            Self::Equal => is_equal,
            Self::NotEqual => !is_equal,
            Self::Less => order() == Some(Ordering::Less),
            Self::Greater => order() == Some(Ordering::Greater),
            Self::LessOrEqual => is_equal || order() == Some(Ordering::Less),
            Self::GreaterOrEqual => is_equal || order() == Some(Ordering::Greater),
        }
    }
}

/// Python's `==`.
fn equal(left: &PyValue, right: &PyValue) -> bool {
    match (left, right) {
        (PyValue::None, PyValue::None) => true,
        (PyValue::String(left), PyValue::String(right)) => left == right,
        (PyValue::List(left), PyValue::List(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(left, right)| equal(left, right))
        }
        (PyValue::Dict(left), PyValue::Dict(members)) => {
            left.len() == members.len()
                && left
                    .iter()
                    .all(|(name, value)| right.member(name).is_some_and(|other| equal(value, other)))
        }
        _ => order_of_numbers(left, right) == Some(Ordering::Equal),
    }
}

fn order(left: &PyValue, right: &PyValue) -> Option<Ordering> {
    match (left, right) {
        (PyValue::String(left), PyValue::String(right)) => Some(left.cmp(right)),
        _ => order_of_numbers(left, right),
    }
}

/// Booleans are numbers in Python.
fn order_of_numbers(left: &PyValue, right: &PyValue) -> Option<Ordering> {
    let as_number = |value: &PyValue| match value {
        PyValue::Boolean(boolean) => Some(PyValue::Integer(Integer::Small((*boolean).into()))),
        PyValue::Integer(_) | PyValue::Float(_) => Some(value.clone()),
        _ => None,
    };
    match (as_number(left)?, as_number(right)?) {
        (PyValue::Integer(left), PyValue::Integer(right)) => Some(left.cmp(&right)),
        (PyValue::Integer(left), PyValue::Float(right)) => left.partial_cmp_float(right),
        (PyValue::Float(left), PyValue::Integer(right)) => {
            right.partial_cmp_float(left).map(Ordering::reverse)
        }
        (PyValue::Float(left), PyValue::Float(right)) => left.partial_cmp(&right),
        _ => None,
    }
}
