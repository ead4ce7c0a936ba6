//! What a condition is asked about.
use std::borrow::Cow;
use std::fmt::{self, Write};

use super::Raised;
use crate::python::{Integer, PyValue, float_text};

/// A property's value as conditions see it. "Not set" is `None` of an `Option`.
#[derive(Clone, PartialEq)]
pub(crate) enum Value<'a> {
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
    /// A string as conditions see it: wholly `-?[0-9]+` is an integer, wholly `-?[0-9]+\.[0-9]+` a float.
    ///
    /// # Errors
    /// Where it is an integer of more digits than Python converts (4300).
    pub(crate) fn coerce(text: &'a str) -> Result<Self, Raised> {
        let string = || Self::String(Cow::Borrowed(text));
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        if !unsigned.starts_with(|first: char| first.is_ascii_digit()) {
            return Ok(string());
        }
        let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        match unsigned.split_once('.') {
            None if is_digits(unsigned) => Integer::from_ascii(text).map(Self::Integer).ok_or(Raised),
            Some((whole, fraction)) if is_digits(whole) && is_digits(fraction) => {
                Ok(text.parse().map_or_else(|_| string(), Self::Float))
            }
            _ => Ok(string()),
        }
    }

    /// What a path found: `None` (not set) for null, lists and objects; strings are coerced.
    ///
    /// # Errors
    /// As [`Self::coerce`].
    pub(crate) fn from_found(found: &'a PyValue) -> Result<Option<Self>, Raised> {
        Ok(Some(match found {
            PyValue::None | PyValue::List(_) | PyValue::Dict(_) => return Ok(None),
            PyValue::Boolean(boolean) => Self::Boolean(*boolean),
            PyValue::Integer(integer) => Self::Integer(integer.clone()),
            PyValue::Float(float) => Self::Float(*float),
            PyValue::String(string) => Self::coerce(string)?,
        }))
    }

    /// Python's `str()` of the value: `True`, `7`, `1.0`.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Boolean(true) => Cow::Borrowed("True"),
            Self::Boolean(false) => Cow::Borrowed("False"),
            Self::Integer(integer) => Cow::Owned(integer.to_string()),
            Self::Float(float) => Cow::Owned(float_text(*float)),
            Self::String(string) => Cow::Borrowed(string),
        }
    }

    /// The same, borrowed from nothing.
    pub(crate) fn to_owned_value<'o>(&self) -> Value<'o> {
        match self {
            Self::Boolean(boolean) => Value::Boolean(*boolean),
            Self::Integer(integer) => Value::Integer(integer.clone()),
            Self::Float(float) => Value::Float(*float),
            Self::String(string) => Value::String(Cow::Owned(string.as_ref().to_owned())),
        }
    }

    /// Calls `read` with [`Self::text`], without an allocation for an integer of 64 bits.
    pub(super) fn with_text<T>(&self, read: impl FnOnce(&str) -> T) -> T {
        if let Self::Integer(Integer::Small(number)) = self {
            let mut digits = Digits::default();
            if write!(digits, "{number}").is_ok() {
                return read(digits.as_str());
            }
        }
        read(&self.text())
    }
}

/// Shows the type alone: never a trait's value in a log.
impl fmt::Debug for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Boolean(_) => "Boolean",
            Self::Integer(_) => "Integer",
            Self::Float(_) => "Float",
            Self::String(_) => "String",
        })
    }
}

/// The decimal text of a 64-bit integer: 19 digits and a sign at most.
#[derive(Default)]
struct Digits {
    bytes: [u8; 20],
    length: usize,
}

impl Digits {
    fn as_str(&self) -> &str {
        self.bytes
            .get(..self.length)
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl Write for Digits {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        self.bytes
            .get_mut(self.length..end)
            .ok_or(fmt::Error)?
            .copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
