//! Borrowed JSON, where serde's derived types do not serve.
use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::python::PyValue;

/// A string, borrowed where it holds no escapes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Text<'a>(pub Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string")
            }
            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

/// The members of an object in their order, duplicates included.
pub(crate) struct Members<'a>(pub Vec<(Cow<'a, str>, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;
        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((Text(name), value)) = map.next_entry()? {
                    members.push((name, value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(MembersVisitor)
    }
}

/// The kinds of JSON value, told by the first byte of a valid text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Null,
    Boolean,
    Number,
    String,
    List,
    Object,
}

impl Kind {
    pub(crate) fn of(json: &str) -> Self {
        match json.as_bytes().trim_ascii_start().first() {
            Some(b'{') => Self::Object,
            Some(b'[') => Self::List,
            Some(b'"') => Self::String,
            Some(b't' | b'f') => Self::Boolean,
            Some(b'n') | None => Self::Null,
            Some(_) => Self::Number,
        }
    }
}

/// The string that a JSON string literal stands for; `None` where it is none, or holds a lone surrogate.
pub(crate) fn decode_string(json: &str) -> Option<Cow<'_, str>> {
    let inner = json.strip_prefix('"')?.strip_suffix('"')?;
    if memchr::memchr(b'\\', inner.as_bytes()).is_none() {
        return Some(Cow::Borrowed(inner));
    }
    serde_json::from_str(json).ok().map(Cow::Owned)
}

/// Appends a string as a JSON string literal.
pub(crate) fn write_string(out: &mut Vec<u8>, text: &str) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// Appends valid JSON without its insignificant blanks; all else stays byte for byte.
pub(crate) fn write_minified(out: &mut Vec<u8>, json: &str) {
    let mut rest = json.as_bytes();
    while !rest.is_empty() {
        let run = rest
            .iter()
            .position(|byte| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b'"'));
        let (plain, tail) = rest.split_at(run.unwrap_or(rest.len()));
        out.extend_from_slice(plain);
        let literal = if tail.first() == Some(&b'"') {
            string_literal_length(tail)
        } else {
            0
        };
        let (literal, tail) = tail.split_at(literal);
        out.extend_from_slice(literal);
        rest = if literal.is_empty() {
            tail.get(1..).unwrap_or_default()
        } else {
            tail
        };
    }
}

/// The length of the string literal that valid JSON starts with, quotes included.
pub(crate) fn string_literal_length(json: &[u8]) -> usize {
    let mut at = 1;
    while let Some(found) = json.get(at..).and_then(|rest| memchr::memchr2(b'"', b'\\', rest)) {
        at += found;
        if json.get(at) == Some(&b'"') {
            return at + 1;
        }
        at += 2;
    }
    json.len()
}

/// The length of the value that a text starts with, which is valid JSON up to the value's end.
pub(crate) fn value_length(json: &[u8]) -> usize {
    match json.first() {
        Some(b'"') => string_literal_length(json),
        Some(b'{' | b'[') => nested_length(json),
        _ => {
            let end = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\n' | b'\r' | b'\t');
            json.iter().position(end).unwrap_or(json.len())
        }
    }
}

/// The length of the list or object that a text starts with.
fn nested_length(json: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = json.get(at) {
        match byte {
            b'"' => at += string_literal_length(json.get(at..).unwrap_or_default()),
            b'{' | b'[' => {
                depth += 1;
                at += 1;
            }
            b'}' | b']' => {
                depth = depth.saturating_sub(1);
                at += 1;
                if depth == 0 {
                    return at;
                }
            }
            _ => at += 1,
        }
    }
    json.len()
}

/// A JSON text as Python reads it; `None` where Python refuses it.
pub(crate) fn to_python(json: &str) -> Option<PyValue> {
    PyValue::from_json(serde_json::from_str(json).ok()?).ok()
}
