//! The MODULO operator.
use super::{Raised, Value};
use crate::python::{PyValue, parse_float};

/// What a MODULO condition's value means.
#[derive(Debug, PartialEq)]
pub(super) enum Modulo {
    /// From `divisor|remainder`.
    Of { divisor: f64, remainder: f64 },
    /// Never matches.
    Never,
    /// The value is no string: Python raises when it is asked about a number.
    Raises,
}

impl Modulo {
    pub(super) fn new(value: &PyValue) -> Self {
        match value {
            PyValue::String(text) => Self::parse(text).unwrap_or(Self::Never),
            other if other.is_truthy() => Self::Raises,
            _ => Self::Never,
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (divisor, remainder) = text.split_once('|')?;
        Some(Self::Of {
            divisor: parse_float(divisor)?,
            remainder: parse_float(remainder)?,
        })
    }

    /// Whether a number, or a boolean as 1 or 0, leaves the remainder.
    pub(super) fn matches(&self, value: &Value<'_>) -> Result<bool, Raised> {
        let dividend = match value {
            Value::Boolean(boolean) => Some(f64::from(*boolean)),
            Value::Integer(integer) => integer.to_float(),
            Value::Float(float) => Some(*float),
            Value::String(_) => return Ok(false),
        };
        match self {
            Self::Never => Ok(false),
            Self::Raises => Err(Raised),
            Self::Of { divisor: 0.0, .. } => Err(Raised),
            // `None`: Python raises OverflowError.
            Self::Of { divisor, remainder } => {
                Ok(floored_remainder(dividend.ok_or(Raised)?, *divisor) == *remainder)
            }
        }
    }
}

/// Python's `%` of floats: the remainder has the divisor's sign.
fn floored_remainder(dividend: f64, divisor: f64) -> f64 {
    let remainder = dividend % divisor;
    let is_other_sign = remainder != 0.0 && (remainder < 0.0) != (divisor < 0.0);
    if is_other_sign {
        remainder + divisor
    } else {
        remainder
    }
}
