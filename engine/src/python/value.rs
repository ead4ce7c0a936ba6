//! A JSON value as Python sees it, and its texts.
use std::fmt::{self, Write};
use std::sync::LazyLock;

use super::classes::{self, Class};
use super::{Integer, float_text};

/// A JSON value as Python reads it.
#[derive(Clone, PartialEq)]
pub(crate) enum PyValue {
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
    /// An object in its own order. The last value of a name counts, at the place of the first.
    Dict(Vec<(String, PyValue)>),
}

impl PyValue {
    /// Python's `str()` of the value.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::String(string) => string.clone(),
            other => {
                let mut text = String::new();
                other.write_repr(&mut text);
                text
            }
        }
    }

    /// Python's truth of the value: false for what is empty or zero.
    pub(crate) fn is_truthy(&self) -> bool {
        match self {
            Self::None => false,
            Self::Boolean(boolean) => *boolean,
            Self::Integer(integer) => *integer != Integer::Small(0),
            Self::Float(float) => *float != 0.0,
            Self::String(string) => !string.is_empty(),
            Self::List(elements) => !elements.is_empty(),
            Self::Dict(members) => !members.is_empty(),
        }
    }

    /// The member of an object.
    pub(crate) fn member(&self, name: &str) -> Option<&Self> {
        match self {
            Self::Dict(members) => members
                .iter()
                .find(|(member, _)| member == name)
                .map(|(_, value)| value),
            _ => None,
        }
    }

    /// Python's `repr()`; the depth is bounded by that of [`Self::from_json`].
    fn write_repr(&self, text: &mut String) {
        match self {
            Self::None => text.push_str("None"),
            Self::Boolean(true) => text.push_str("True"),
            Self::Boolean(false) => text.push_str("False"),
            Self::Integer(integer) => {
                // Writing to a String never fails.
                let _ = write!(text, "{integer}");
            }
            Self::Float(float) => text.push_str(&float_text(*float)),
            Self::String(string) => write_string_repr(string, text),
            Self::List(elements) => {
                text.push('[');
                for (index, element) in elements.iter().enumerate() {
                    text.push_str(if index > 0 { ", " } else { "" });
                    element.write_repr(text);
                }
                text.push(']');
            }
            Self::Dict(members) => {
                text.push('{');
                for (index, (name, value)) in members.iter().enumerate() {
                    text.push_str(if index > 0 { ", " } else { "" });
                    write_string_repr(name, text);
                    text.push_str(": ");
                    value.write_repr(text);
                }
                text.push('}');
            }
        }
    }
}

/// Shows the type alone: the value may be a trait's.
impl fmt::Debug for PyValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Boolean(_) => "Boolean",
            Self::Integer(_) => "Integer",
            Self::Float(_) => "Float",
            Self::String(_) => "String",
            Self::List(_) => "List",
            Self::Dict(_) => "Dict",
        })
    }
}

/// What Python's `str.isprintable` refuses, besides the blank: the categories "Other" and "Separator".
static NOT_PRINTABLE: LazyLock<Class> = LazyLock::new(|| classes::named(r"[\p{C}\p{Z}]"));

fn write_string_repr(string: &str, text: &mut String) {
    let quote = if string.contains('\'') && !string.contains('"') {
        '"'
    } else {
        '\''
    };
    text.push(quote);
    for character in string.chars() {
        match character {
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            '\\' => text.push_str("\\\\"),
            _ if character == quote => text.extend(['\\', quote]),
            ' '..='~' => text.push(character),
            _ if NOT_PRINTABLE.contains(character) => {
                let code = u32::from(character);
                // Writing to a String never fails.
                let _ = match code {
                    0..=0xff => write!(text, "\\x{code:02x}"),
                    0x100..=0xffff => write!(text, "\\u{code:04x}"),
                    _ => write!(text, "\\U{code:08x}"),
                };
            }
            _ => text.push(character),
        }
    }
    text.push(quote);
}
