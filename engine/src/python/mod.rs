//! Python's numbers and texts, which the reference engine's results depend on.

pub(crate) mod classes;
mod digits;
mod float;
mod integer;
mod json;
#[cfg(test)]
mod tests;
mod value;

pub(crate) use float::{float_text, parse_float};
pub(crate) use integer::{Integer, parse_int};
pub(crate) use json::PyValueError;
pub(crate) use value::PyValue;

pub(crate) use integer::MAX_DIGITS;
