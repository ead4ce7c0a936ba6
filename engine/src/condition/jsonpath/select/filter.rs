//! Whether a filter's expression holds.
use std::borrow::Cow;
use std::cmp::Ordering;

use super::functions::{self, Outcome, Single};
use super::{Search, Stopped};
use crate::condition::Raised;
use crate::condition::budget::{Budget, COMPARISON};
use crate::condition::jsonpath::node::{Node, member};
use crate::condition::jsonpath::query::{Comparator, Expression, FilterQuery, Function, Operand};
use crate::python::{Integer, PyValue};

impl Expression {
    fn holds<'v>(&'v self, current: Node<'v>, search: &mut Search<'v>) -> Result<bool, Stopped> {
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
                Ok(comparator.holds(left.single(), right.single(), search.budget)?)
            }
        }
    }
}

impl Operand {
    /// Whether a test of this succeeds.
    pub(super) fn is_truthy<'v>(
        &'v self,
        current: Node<'v>,
        search: &mut Search<'v>,
    ) -> Result<bool, Stopped> {
        Ok(self.evaluate(current, search)?.is_truthy())
    }

    pub(super) fn evaluate<'v>(
        &'v self,
        current: Node<'v>,
        search: &mut Search<'v>,
    ) -> Result<Outcome<'v>, Stopped> {
        match self {
            Self::Literal(value) => Ok(Outcome::Value(Cow::Borrowed(value))),
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
    fn evaluate<'v>(&'v self, current: Node<'v>, search: &mut Search<'v>) -> Result<Outcome<'v>, Stopped> {
        if !self.is_relative {
            return search.all(&self.query, search.root).map(Outcome::Nodes);
        }
        match current.value() {
            // The library takes the current value for the root (`$`) of filters further in.
            _ if current.is_container() => search.within(current, &self.query).map(Outcome::Nodes),
            // The library's `@` on such a value is the value itself, whose truth counts, not its existence.
            Some(value) if self.query.is_empty() => Ok(Outcome::Value(Cow::Borrowed(value))),
            _ => Ok(Outcome::Nodes(Vec::new())),
        }
    }
}

impl Function {
    fn call<'v>(&'v self, current: Node<'v>, search: &mut Search<'v>) -> Result<Outcome<'v>, Stopped> {
        Ok(match self {
            Self::Length(argument) => functions::length(&argument.evaluate(current, search)?, search.budget)?,
            Self::Count(argument) => functions::count(&argument.evaluate(current, search)?),
            Self::Value(argument) => functions::value(argument.evaluate(current, search)?),
            Self::Match {
                text,
                pattern,
                is_whole,
            } => {
                let text = text.evaluate(current, search)?;
                pattern.matches(text, *is_whole, current, search)?
            }
        })
    }
}

impl Comparator {
    fn holds(
        self,
        left: Option<Single<'_>>,
        right: Option<Single<'_>>,
        budget: &Budget,
    ) -> Result<bool, Raised> {
        budget.spend(COMPARISON)?;
        let (left, right) = (left.as_ref().map(Single::node), right.as_ref().map(Single::node));
        let values = left.and_then(Node::value).zip(right.and_then(Node::value));
        let is_equal = match (left, right, values) {
            (None, None, _) => true,
            // At this level, and not below, the library tells 1 from true.
            (_, _, Some((left, right))) => {
                is_boolean(left) == is_boolean(right) && equal(left, right, budget)?
            }
            // The whole context is like itself alone.
            (Some(Node::Context(_)), Some(Node::Context(_)), None) => true,
            _ => false,
        };
        let order = || values.and_then(|(left, right)| order(left, right));
        Ok(match self {
            Self::Equal => is_equal,
            Self::NotEqual => !is_equal,
            Self::Less => order() == Some(Ordering::Less),
            Self::Greater => order() == Some(Ordering::Greater),
            Self::LessOrEqual => is_equal || order() == Some(Ordering::Less),
            Self::GreaterOrEqual => is_equal || order() == Some(Ordering::Greater),
        })
    }
}

fn is_boolean(value: &PyValue) -> bool {
    matches!(value, PyValue::Boolean(_))
}

/// Python's `==`.
fn equal(left: &PyValue, right: &PyValue, budget: &Budget) -> Result<bool, Raised> {
    budget.spend(COMPARISON)?;
    Ok(match (left, right) {
        (PyValue::None, PyValue::None) => true,
        (PyValue::String(left), PyValue::String(right)) => {
            budget.spend_many(left.len().min(right.len()) / BYTES_COMPARED)?;
            left == right
        }
        (PyValue::List(left), PyValue::List(right)) => {
            left.len() == right.len()
                && all(left.iter().zip(right), |(left, right)| equal(left, right, budget))?
        }
        (PyValue::Dict(left), PyValue::Dict(members)) => {
            left.len() == members.len()
                && all(left, |(name, value)| match member(right, name, budget)? {
                    Some(other) => equal(value, other, budget),
                    None => Ok(false),
                })?
        }
        _ => order_of_numbers(left, right) == Some(Ordering::Equal),
    })
}

/// Bytes of strings that are compared in one step.
const BYTES_COMPARED: usize = 16;

fn all<T>(
    items: impl IntoIterator<Item = T>,
    holds: impl Fn(T) -> Result<bool, Raised>,
) -> Result<bool, Raised> {
    for item in items {
        if !holds(item)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn order(left: &PyValue, right: &PyValue) -> Option<Ordering> {
    match (left, right) {
        (PyValue::String(left), PyValue::String(right)) => Some(left.cmp(right)),
        _ => order_of_numbers(left, right),
    }
}

/// Booleans are numbers in Python.
fn order_of_numbers(left: &PyValue, right: &PyValue) -> Option<Ordering> {
    let as_integer = |value: &PyValue| match value {
        PyValue::Boolean(boolean) => Some(Integer::Small((*boolean).into())),
        _ => None,
    };
    match (left, right) {
        (PyValue::Boolean(_), _) => order_of_numbers(&PyValue::Integer(as_integer(left)?), right),
        (_, PyValue::Boolean(_)) => order_of_numbers(left, &PyValue::Integer(as_integer(right)?)),
        (PyValue::Integer(left), PyValue::Integer(right)) => Some(left.cmp(right)),
        (PyValue::Integer(left), PyValue::Float(right)) => left.partial_cmp_float(*right),
        (PyValue::Float(left), PyValue::Integer(right)) => {
            right.partial_cmp_float(*left).map(Ordering::reverse)
        }
        (PyValue::Float(left), PyValue::Float(right)) => left.partial_cmp(right),
        _ => None,
    }
}
