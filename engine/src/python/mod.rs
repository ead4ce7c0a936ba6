//! Python's numbers and texts, which the reference engine's results depend on.
use std::fmt;

use num_bigint::BigInt;
use serde_json::value::RawValue;

/// Python's `int`: exact at any size.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Integer {
    /// Fits 64 bits.
    Small(i64),
    /// Fits not.
    Big(BigInt),
}

impl fmt::Display for Integer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Small(number) => number.fmt(f),
            Self::Big(number) => number.fmt(f),
        }
    }
}

/// A JSON value as Python reads it.
#[derive(Debug, Clone, PartialEq)]
pub enum PyValue {
    /// `null`.
    None,
    /// `true` or `false`.
    Boolean(bool),
    /// A number without fraction and exponent.
    Integer(Integer),
    /// Any other number.
    Float(f64),
    /// A string; lone surrogates are U+FFFD.
    String(String),
    /// An array.
    List(Vec<PyValue>),
    /// An object in its own order; of duplicate names the last value at the first's place.
    Dict(Vec<(String, PyValue)>),
}

/// Why a JSON value cannot be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PyValueError {
    /// Not JSON (or what Python takes for it).
    NotJson,
    /// Nested too deeply.
    TooDeep,
    /// An integer of more digits than Python converts (4300).
    TooManyDigits,
}

impl PyValue {
    /// Reads a value of a document or a request.
    ///
    /// # Errors
    /// Where it is nested too deeply, or an integer too long.
    pub fn from_json(_json: &RawValue) -> Result<Self, PyValueError> {
        todo!()
    }
    /// Python's `str()` of the value.
    pub fn text(&self) -> String {
        todo!()
    }
}

/// Python's `int(text)`. `None`: Python raises ValueError.
pub fn parse_int(_text: &str) -> Option<Integer> {
    todo!()
}

/// Python's `float(text)`. `None`: Python raises ValueError.
pub fn parse_float(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// Python's `repr()` of a float.
pub fn float_text(_number: f64) -> String {
    todo!()
}
