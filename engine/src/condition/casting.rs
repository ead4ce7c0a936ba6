//! A condition's value, cast beforehand to every type a property's value can have.
use std::cmp::Ordering;

use super::semver::Version;
use super::{Raised, Value};
use crate::python::{Integer, PyValue, parse_float, parse_int};

/// What Python's cast of the condition's value to a type gives.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cast<T> {
    To(T),
    /// ValueError or TypeError, which the reference takes for "does not match".
    Fails,
    /// Any other exception.
    Raises,
}

impl<T> Cast<T> {
    fn from_option(result: Option<T>) -> Self {
        result.map_or(Self::Fails, Self::To)
    }

    fn get(&self) -> Result<Option<&T>, Raised> {
        match self {
            Self::To(value) => Ok(Some(value)),
            Self::Fails => Ok(None),
            Self::Raises => Err(Raised),
        }
    }
}

/// What strings are compared with.
#[derive(Debug)]
enum StringOperand {
    Text(Box<str>),
    /// From `text:semver`: `version` where the text is one.
    Semver {
        text: Box<str>,
        version: Option<Version<Box<str>>>,
    },
    /// Python raises TypeError when it looks for the suffix.
    Fails,
}

/// A condition's value, cast to every type.
#[derive(Debug)]
pub(super) struct Operand {
    boolean: bool,
    integer: Cast<Integer>,
    float: Cast<f64>,
    string: StringOperand,
}

impl Operand {
    pub(super) fn new(value: &PyValue) -> Self {
        Self {
            boolean: !matches!(value, PyValue::String(text) if text == "False" || text == "false"),
            integer: to_integer(value),
            float: to_float(value),
            string: StringOperand::new(value),
        }
    }

    /// [`Self::compare`] for integers of 64 bits, by far the most frequent values. `None`: either is something else.
    #[inline]
    pub(super) fn compare_small(&self, value: &Value<'_>) -> Option<Ordering> {
        match (value, &self.integer) {
            (Value::Integer(Integer::Small(number)), Cast::To(Integer::Small(other))) => {
                Some(number.cmp(other))
            }
            _ => None,
        }
    }

    /// How the property's value compares with this, cast to the value's type.
    pub(super) fn compare(&self, value: &Value<'_>) -> Result<Comparison, Raised> {
        Ok(match value {
            Value::Boolean(boolean) => Comparison::Of(boolean.cmp(&self.boolean)),
            Value::Integer(integer) => self
                .integer
                .get()?
                .map_or(Comparison::Fails, |other| Comparison::Of(integer.cmp(other))),
            Value::Float(float) => match self.float.get()? {
                Some(other) => float
                    .partial_cmp(other)
                    .map_or(Comparison::Unordered, Comparison::Of),
                None => Comparison::Fails,
            },
            Value::String(string) => match &self.string {
                StringOperand::Text(text) => Comparison::Of(str::cmp(string, text)),
                StringOperand::Semver {
                    version: Some(version),
                    ..
                } => Version::parse(string).map_or(Comparison::Fails, |parsed| {
                    Comparison::Of(parsed.compare(version))
                }),
                StringOperand::Semver { version: None, .. } | StringOperand::Fails => Comparison::Fails,
            },
        })
    }

    /// What [`Self::compare`] takes for a long text. Plain texts are compared by many bytes at once.
    pub(super) fn steps_to_compare(&self, text: &str) -> usize {
        match &self.string {
            StringOperand::Text(other) => text.len().min(other.len()) / 16,
            StringOperand::Semver { .. } => text.len(),
            StringOperand::Fails => 0,
        }
    }

    /// Whether the property's value contains this: a string as a part; a version as its prerelease or build.
    pub(super) fn is_contained_in(&self, value: &Value<'_>) -> Result<bool, Raised> {
        match value {
            Value::Boolean(_) => Ok(false),
            // Containment in a number is no match, but the cast comes first and may raise.
            Value::Integer(_) => self.integer.get().map(|_| false),
            Value::Float(_) => self.float.get().map(|_| false),
            Value::String(string) => Ok(match &self.string {
                StringOperand::Text(text) => string.contains(&**text),
                StringOperand::Semver { text, .. } => {
                    Version::parse(string).is_some_and(|version| version.has_part(text))
                }
                StringOperand::Fails => false,
            }),
        }
    }
}

/// How two values compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Comparison {
    Of(Ordering),
    /// One of them is not a number: unequal, and nothing else holds.
    Unordered,
    /// They cannot be compared: nothing holds, not even "unequal".
    Fails,
}

impl StringOperand {
    fn new(value: &PyValue) -> Self {
        match value {
            PyValue::String(text) => match text.strip_suffix(":semver") {
                Some(text) => Self::Semver {
                    text: text.into(),
                    version: Version::parse(text).map(|version| version.into_owned()),
                },
                None => Self::Text(text.as_str().into()),
            },
            // Python can slice a list, so the engine goes on to compare its text.
            PyValue::None | PyValue::List(_) => Self::Text(value.text().into()),
            PyValue::Boolean(_) | PyValue::Integer(_) | PyValue::Float(_) | PyValue::Dict(_) => Self::Fails,
        }
    }
}

/// Python's `int(value)`.
fn to_integer(value: &PyValue) -> Cast<Integer> {
    match value {
        PyValue::String(text) => Cast::from_option(parse_int(text)),
        PyValue::Boolean(boolean) => Cast::To(Integer::Small((*boolean).into())),
        PyValue::Integer(integer) => Cast::To(integer.clone()),
        PyValue::Float(float) if float.is_nan() => Cast::Fails,
        // Infinity: OverflowError.
        PyValue::Float(float) => Integer::from_float(*float).map_or(Cast::Raises, Cast::To),
        PyValue::None | PyValue::List(_) | PyValue::Dict(_) => Cast::Fails,
    }
}

/// Python's `float(value)`.
pub(super) fn to_float(value: &PyValue) -> Cast<f64> {
    match value {
        PyValue::String(text) => Cast::from_option(parse_float(text)),
        PyValue::Boolean(boolean) => Cast::To((*boolean).into()),
        // Too large: OverflowError.
        PyValue::Integer(integer) => integer.to_float().map_or(Cast::Raises, Cast::To),
        PyValue::Float(float) => Cast::To(*float),
        PyValue::None | PyValue::List(_) | PyValue::Dict(_) => Cast::Fails,
    }
}
