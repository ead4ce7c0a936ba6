//! JSONPath (RFC 9535) as the reference's library reads and evaluates it.
//!
//! A crate does not serve: the library takes hyphens in names, and differs from the RFC in filters (`?@` on a value that
//! is falsy in Python; booleans have an order); objects are visited in their own order; and the work must be bounded.
//!
//! # Layout
//! - `parse`: text → [`Query`], with `filter_parse` for what stands after a `?`, over `cursor`.
//! - `select`: which values a query finds.
//! - `filter`: whether a filter's expression holds.
mod cursor;
mod filter;
mod filter_parse;
mod functions;
mod parse;
mod select;
#[cfg(test)]
mod tests;

use filter::Operand;

/// A compiled query.
#[derive(Debug, Clone)]
pub struct Query {
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
pub(super) enum PathError {
    /// Not JSONPath: the reference takes it for a trait's name.
    Syntax,
    /// The reference raises: an unknown function, wrong types, an index out of range.
    Raised,
}

impl Query {
    /// The query from its `skipped`th segment on.
    pub(super) fn after(mut self, skipped: usize) -> Self {
        self.segments.drain(..skipped.min(self.segments.len()));
        self
    }

    /// Whether it finds one value at most.
    pub(super) fn is_singular(&self) -> bool {
        self.segments.iter().all(Segment::is_singular)
    }
}

impl Segment {
    pub(super) fn is_singular(&self) -> bool {
        !self.descends
            && matches!(
                self.selectors.as_slice(),
                [Selector::Name(_) | Selector::Index(_)]
            )
    }
}
