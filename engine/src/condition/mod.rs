//! Segment conditions: operators, values, regexes, JSONPath.
//!
//! # Layout
//! - [`Value`]: what a condition is asked about: a trait, or what a path found.
//! - [`Matcher`]: the operator and the condition's value, prepared for every type a trait can have.
//! - [`Property`]: where a condition finds its value; [`Path`] and [`Query`] where that is a JSONPath.
//! - `fuzz`: what holds of whatever a pattern, a path or a version says.
//! - [`Budget`]: bounds the work of one evaluation. [`RegexCache`]: shares what a document's patterns have in common.

pub(crate) mod budget;
mod casting;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod in_values;
mod jsonpath;
mod matcher;
mod modulo;
mod property;
mod regex;
mod semver;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use budget::Budget;
pub use budget::{LightWork, MOST_STEPS};
pub(crate) use jsonpath::{Context, Node, Query};
pub(crate) use matcher::{Matcher, Split};
pub(crate) use property::{Path, Property};
pub(crate) use regex::{RegexCache, Room};
pub(crate) use value::Value;

/// Whether a text is a semantic version, as `…:semver` conditions read it.
pub(crate) fn is_semantic_version(text: &str) -> bool {
    semver::Version::parse(text).is_some()
}

/// The reference engine raises an exception here, or a bound is reached: the segment does not match for this identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Raised;
