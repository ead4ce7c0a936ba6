//! The values of an IN condition.
use std::collections::HashSet;

use super::Value;
use crate::python::{Integer, PyValue, PyValueError};

/// Up to this many values a scan is faster than a hash.
const SCANNED: usize = 8;

/// The texts that an IN condition lists, and the integers among them.
#[derive(Debug)]
pub(super) struct InValues {
    texts: Texts,
    /// What 64-bit integers among the texts look like in decimal, sorted.
    integers: Box<[i64]>,
}

#[derive(Debug)]
enum Texts {
    Few(Box<[Box<str>]>),
    Many(HashSet<Box<str>>),
}

impl InValues {
    /// Reads a list, a JSON array as string, or a comma separated string. `None`: Python raises.
    pub(super) fn new(value: &PyValue) -> Option<Self> {
        let texts: HashSet<Box<str>> = match value {
            PyValue::List(elements) => elements.iter().map(|element| element.text().into()).collect(),
            PyValue::String(text) => match json_array(text) {
                Ok(elements) => elements.iter().map(|element| element.text().into()).collect(),
                Err(PyValueError::NotJson) => text.split(',').map(Box::from).collect(),
                Err(PyValueError::TooDeep) => return None,
            },
            _ => return None,
        };
        let mut integers: Vec<i64> = texts.iter().filter_map(|text| as_decimal(text)).collect();
        integers.sort_unstable();
        let few = texts.len() <= SCANNED;
        let texts = if few {
            Texts::Few(texts.into_iter().collect())
        } else {
            Texts::Many(texts)
        };
        Some(Self {
            texts,
            integers: integers.into(),
        })
    }

    /// Strings by their text, integers by their decimal text; booleans and floats never.
    pub(super) fn contains(&self, value: &Value<'_>) -> bool {
        match value {
            Value::Boolean(_) | Value::Float(_) => false,
            Value::Integer(Integer::Small(number)) => self.integers.binary_search(number).is_ok(),
            Value::Integer(Integer::Big(number)) => self.contains_text(&number.to_string()),
            Value::String(string) => self.contains_text(string),
        }
    }

    fn contains_text(&self, text: &str) -> bool {
        match &self.texts {
            Texts::Few(texts) => texts.iter().any(|listed| **listed == *text),
            Texts::Many(texts) => texts.contains(text),
        }
    }
}

fn json_array(text: &str) -> Result<Vec<PyValue>, PyValueError> {
    if !text.starts_with('[') {
        return Err(PyValueError::NotJson);
    }
    match PyValue::from_json_text(text)? {
        PyValue::List(elements) => Ok(elements),
        _ => Err(PyValueError::NotJson),
    }
}

/// The integer whose decimal text this is; not of `+1`, `01` or `-0`.
fn as_decimal(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok()?;
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let is_canonical = if number == 0 {
        text == "0"
    } else {
        unsigned.starts_with(|first: char| ('1'..='9').contains(&first))
    };
    is_canonical.then_some(number)
}
