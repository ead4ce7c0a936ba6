//! Segment conditions: operators, values, regexes, JSONPath.
use std::borrow::Cow;

use crate::python::{Integer, PyValue};

/// The reference engine raises an exception here: the segment does not match for this identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raised;

/// A property's value as conditions see it. "Not set" is `None` of an `Option`.
#[derive(Clone, PartialEq)]
pub enum Value<'a> {
    /// A boolean trait.
    Boolean(bool),
    /// An integer trait, or a string that looks like one.
    Integer(Integer),
    /// A float trait, or a string that looks like one.
    Float(f64),
    /// Any other string.
    String(Cow<'a, str>),
}

impl<'a> Value<'a> {
    /// A string as conditions see it: number-like ones are numbers.
    ///
    /// # Errors
    /// Where it is an integer of more digits than Python converts (4300).
    pub fn coerce(text: &'a str) -> Result<Self, Raised> {
        Ok(Self::String(Cow::Borrowed(text)))
    }
    /// A value found by a path: `None` (not set) for null, lists and objects.
    ///
    /// # Errors
    /// As [`Self::coerce`].
    pub fn from_found(_found: &'a PyValue) -> Result<Option<Self>, Raised> {
        todo!()
    }
    /// Python's `str()` of the value.
    pub fn text(&self) -> Cow<'_, str> {
        todo!()
    }
}

/// How many steps the regexes of one request may take.
#[derive(Debug)]
pub struct RegexBudget {}

impl RegexBudget {
    /// A fresh budget: one a request.
    pub fn new() -> Self {
        Self {}
    }
}

impl Default for RegexBudget {
    fn default() -> Self {
        Self::new()
    }
}

/// A condition without its property: the operator and its value, prepared for every type a trait can have.
#[derive(Debug)]
pub struct Matcher {}

impl Matcher {
    /// Prepares a condition. The text is a problem worth a warning: the condition raises, or never matches.
    pub fn compile(_operator: &str, _value: &PyValue, _segment_id: &str) -> (Self, Option<String>) {
        todo!()
    }
    /// Whether a blank or null property means the identity key: pass that as `value` then.
    pub fn splits_by_percentage(&self) -> bool {
        todo!()
    }
    /// Whether the condition holds for the property's value (`None`: not set).
    ///
    /// # Errors
    /// Where the reference engine raises.
    pub fn matches(&self, _value: Option<&Value<'_>>, _budget: &mut RegexBudget) -> Result<bool, Raised> {
        todo!()
    }
}

/// Where a condition finds its value.
#[derive(Debug)]
pub enum Property {
    /// The trait of this name.
    Trait(String),
    /// A JSONPath: read first; the trait named like the whole property where it finds nothing or no plain value.
    Path(Path),
}

/// A JSONPath over the evaluation context.
#[derive(Debug)]
pub enum Path {
    /// `$.identity.identifier`
    IdentityIdentifier,
    /// `$.identity.key`
    IdentityKey,
    /// `$.identity.traits.NAME`
    IdentityTrait(String),
    /// `$.environment.key`
    EnvironmentKey,
    /// `$.environment.name`
    EnvironmentName,
    /// `$.flags.NAME…`: `rest` applies to the flag's result.
    Flags {
        /// The flag's name.
        name: String,
        /// What to read of its result.
        rest: Query,
    },
    /// Any other path, over `{environment, identity, features, segments, flags}`.
    General(Query),
    /// A path on which the reference raises (e.g. an unknown function): every condition on it does.
    Raising,
}

/// A compiled RFC 9535 query.
#[derive(Debug)]
pub struct Query {}

impl Query {
    /// The first value the query finds. Objects are visited in their own order.
    pub fn first<'v>(&self, _context: &'v PyValue) -> Option<&'v PyValue> {
        todo!()
    }
}

impl Property {
    /// Reads a condition's property. Never fails: an invalid path is a trait's name.
    pub fn parse(_property: &str) -> Self {
        todo!()
    }
}
