//! What a query is made of.
//!
//! These types hold each other, as RFC 9535's grammar does: a filter holds queries, and a query holds filters.
use std::sync::Arc;

use super::pattern::Compiled;
use crate::condition::regex::Room;
use crate::python::PyValue;

/// A compiled query.
#[derive(Debug, Clone)]
pub(crate) struct Query {
    pub(super) segments: Vec<Segment>,
}

/// One step of a query.
#[derive(Debug, Clone)]
pub(super) struct Segment {
    /// `..`: from the node itself and everything below.
    pub(super) descends: bool,
    pub(super) selectors: Vec<Selector>,
}

/// What a step takes of a node.
#[derive(Debug, Clone)]
pub(super) enum Selector {
    Name(String),
    Wildcard,
    Index(i64),
    Slice {
        start: Option<i64>,
        stop: Option<i64>,
        step: i64,
    },
    Filter(Operand),
}

/// Why a text is no query.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::condition) enum PathError {
    /// Not JSONPath: the reference takes it for a trait's name.
    Syntax,
    /// The reference raises: an unknown function, wrong types, an index out of range.
    Raised,
}

impl Query {
    /// The name that each step takes; `None`: it takes something else, or more.
    pub(in crate::condition) fn names(&self) -> Vec<Option<&str>> {
        self.segments.iter().map(Segment::name).collect()
    }

    /// Whether a step filters.
    pub(in crate::condition) fn has_filter(&self) -> bool {
        self.segments.iter().any(Segment::filters)
    }

    /// The query without its first `skipped` steps.
    pub(in crate::condition) fn after(mut self, skipped: usize) -> Self {
        self.segments.drain(..skipped.min(self.segments.len()));
        self
    }

    /// Whether it finds the value that it starts from.
    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// Whether it finds one value at most.
    pub(super) fn is_singular(&self) -> bool {
        self.segments.iter().all(Segment::is_singular)
    }
}

impl Segment {
    fn is_singular(&self) -> bool {
        !self.descends
            && matches!(
                self.selectors.as_slice(),
                [Selector::Name(_) | Selector::Index(_)]
            )
    }

    fn filters(&self) -> bool {
        self.selectors
            .iter()
            .any(|selector| matches!(selector, Selector::Filter(_)))
    }

    fn name(&self) -> Option<&str> {
        match self.selectors.as_slice() {
            [Selector::Name(name)] if !self.descends => Some(name),
            _ => None,
        }
    }
}

/// What combines operands.
#[derive(Debug, Clone)]
pub(super) enum Expression {
    Any(Vec<Operand>),
    All(Vec<Operand>),
    Not(Operand),
    Compare(Operand, Comparator, Operand),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// What is tested, compared, or given to a function.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    Literal(PyValue),
    Query(FilterQuery),
    Function(Box<Function>),
    Logical(Box<Expression>),
}

/// A query within a filter. It starts at the current value (`@`) or the root (`$`).
#[derive(Debug, Clone)]
pub(super) struct FilterQuery {
    pub(super) is_relative: bool,
    pub(super) query: Query,
}

/// The types of RFC 9535, 2.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Value,
    Logical,
}

/// A call of a function with its arguments.
#[derive(Debug, Clone)]
pub(super) enum Function {
    Length(Operand),
    Count(Operand),
    Value(Operand),
    Match {
        text: Operand,
        pattern: Pattern,
        is_whole: bool,
    },
}

/// The pattern of `match` or `search`.
#[derive(Debug, Clone)]
pub(super) enum Pattern {
    /// Compiled with the query. `None`: it matches nothing.
    Literal(Option<Arc<Compiled>>),
    /// Found by each search anew.
    Computed(Operand),
}

impl Pattern {
    fn new(operand: Operand, is_whole: bool, room: &mut Room) -> Self {
        match operand {
            Operand::Literal(PyValue::String(pattern)) => {
                Self::Literal(Compiled::new(&pattern, is_whole, Some(room)).map(Arc::new))
            }
            Operand::Literal(_) => Self::Literal(None),
            computed => Self::Computed(computed),
        }
    }
}

impl Function {
    /// A call of a function. `None`: there is none, or its arguments' number or types are wrong.
    pub(super) fn new(name: &str, arguments: Vec<Operand>, room: &mut Room) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let function = match name {
            "length" => Self::Length(arguments.next().filter(is_value)?),
            "count" => Self::Count(arguments.next().filter(is_nodes)?),
            "value" => Self::Value(arguments.next().filter(is_nodes)?),
            "match" | "search" => {
                let text = arguments.next().filter(is_value)?;
                let pattern = arguments.next().filter(is_value)?;
                let is_whole = name == "match";
                Self::Match {
                    text,
                    pattern: Pattern::new(pattern, is_whole, room),
                    is_whole,
                }
            }
            _ => return None,
        };
        arguments.next().is_none().then_some(function)
    }

    pub(super) fn returns(&self) -> Type {
        match self {
            Self::Length(_) | Self::Count(_) | Self::Value(_) => Type::Value,
            Self::Match { .. } => Type::Logical,
        }
    }
}

fn is_value(operand: &Operand) -> bool {
    match operand {
        Operand::Literal(_) => true,
        Operand::Query(query) => query.query.is_singular(),
        Operand::Function(function) => function.returns() == Type::Value,
        Operand::Logical(_) => false,
    }
}

fn is_nodes(operand: &Operand) -> bool {
    matches!(operand, Operand::Query(_))
}
