//! The functions of RFC 9535, 2.4, and the values that they take and give.
use std::borrow::Cow;

use super::{Search, Stopped};
use crate::condition::Raised;
use crate::condition::budget::{Budget, PATTERN, PATTERN_BYTE};
use crate::condition::jsonpath::node::Node;
use crate::condition::jsonpath::pattern::Compiled;
use crate::condition::jsonpath::query::Pattern;
use crate::python::{Integer, PyValue};

/// What an operand is for one value.
#[derive(Debug)]
pub(super) enum Outcome<'v> {
    /// RFC 9535's "Nothing"; also an empty list of nodes, which compares the same.
    Nothing,
    Nodes(Vec<Node<'v>>),
    Value(Cow<'v, PyValue>),
}

/// The one value of an outcome.
#[derive(Debug)]
pub(super) enum Single<'v> {
    Node(Node<'v>),
    Value(Cow<'v, PyValue>),
}

impl Single<'_> {
    pub(super) fn node(&self) -> Node<'_> {
        match self {
            Self::Node(node) => *node,
            Self::Value(value) => Node::Value(value),
        }
    }

    fn string(&self) -> Option<&str> {
        match self.node() {
            Node::Value(PyValue::String(string)) => Some(string),
            _ => None,
        }
    }
}

impl<'v> Outcome<'v> {
    /// The one node's value; nothing for an empty list.
    pub(super) fn single(self) -> Option<Single<'v>> {
        match self {
            Self::Nothing => None,
            Self::Nodes(nodes) => nodes.first().copied().map(Single::Node),
            Self::Value(value) => Some(Single::Value(value)),
        }
    }

    fn node(&self) -> Option<Node<'_>> {
        match self {
            Self::Nothing => None,
            Self::Nodes(nodes) => nodes.first().copied(),
            Self::Value(value) => Some(Node::Value(value)),
        }
    }

    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Nodes(nodes) => !nodes.is_empty(),
            Self::Value(value) => matches!(**value, PyValue::None) || value.is_truthy(),
        }
    }
}

/// `length` counts the characters of a string, the elements of a list, the members of an object.
pub(super) fn length(argument: &Outcome<'_>, budget: &Budget) -> Result<Outcome<'static>, Raised> {
    Ok(match argument.node() {
        Some(Node::Value(PyValue::String(string))) => {
            budget.spend_many(string.len() / BYTES_COUNTED)?;
            number(string.chars().count())
        }
        Some(node) if node.is_container() => number(node.children().count()),
        _ => Outcome::Nothing,
    })
}

/// Bytes of a string whose characters are counted in one step.
const BYTES_COUNTED: usize = 8;

/// `count` counts the nodes that a query found.
pub(super) fn count(argument: &Outcome<'_>) -> Outcome<'static> {
    match argument {
        Outcome::Nodes(nodes) => number(nodes.len()),
        Outcome::Nothing => number(0),
        Outcome::Value(_) => number(1),
    }
}

/// `value` gives the only node that a query found.
pub(super) fn value(argument: Outcome<'_>) -> Outcome<'_> {
    match argument {
        Outcome::Nodes(nodes) if nodes.len() == 1 => Outcome::Nodes(nodes),
        Outcome::Nodes(_) => Outcome::Nothing,
        other => other,
    }
}

fn number(length: usize) -> Outcome<'static> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    Outcome::Value(Cow::Owned(PyValue::Integer(Integer::Small(length))))
}

/// The pattern, no literal, that was compiled last in a search: filters mostly ask all values about one.
#[derive(Default)]
pub(super) struct LastPattern(Option<(String, Option<Compiled>)>);

impl Pattern {
    /// `match` (`is_whole`) matches the whole text, `search` any part of it.
    pub(super) fn matches<'v>(
        &'v self,
        text: Outcome<'v>,
        is_whole: bool,
        current: Node<'v>,
        search: &mut Search<'v>,
    ) -> Result<Outcome<'static>, Stopped> {
        let text = text.single();
        let text = text.as_ref().and_then(Single::string);
        let is_match = match self {
            Self::Literal(pattern) => match (text, pattern) {
                (Some(text), Some(pattern)) => pattern.matches(text, search.budget)?,
                _ => false,
            },
            Self::Computed(operand) => {
                let pattern = operand.evaluate(current, search)?.single();
                match (text, pattern.as_ref().and_then(Single::string)) {
                    (Some(text), Some(pattern)) => matches_computed(text, pattern, is_whole, search)?,
                    _ => false,
                }
            }
        };
        Ok(Outcome::Value(Cow::Owned(PyValue::Boolean(is_match))))
    }
}

fn matches_computed(
    text: &str,
    pattern: &str,
    is_whole: bool,
    search: &mut Search<'_>,
) -> Result<bool, Stopped> {
    let last = &mut search.pattern.0;
    if last.as_ref().is_none_or(|(last, _)| last != pattern) {
        search.budget.spend(PATTERN)?;
        search
            .budget
            .spend_many(pattern.len().saturating_mul(PATTERN_BYTE))?;
        *last = Some((pattern.to_owned(), Compiled::new(pattern, is_whole, None)));
    }
    match last {
        Some((_, Some(compiled))) => Ok(compiled.matches(text, search.budget)?),
        _ => Ok(false),
    }
}
