//! The functions of RFC 9535, 2.4, and the values that they take and give.
use std::borrow::Cow;

use regex_automata::meta;
use regex_automata::{Anchored, Input};

use crate::python::{Integer, PyValue};

/// How large a pattern may become when compiled, in bytes.
const MAX_PATTERN_SIZE: usize = 1 << 17;

/// What an operand is for one value.
#[derive(Debug)]
pub(super) enum Outcome<'v> {
    /// RFC 9535's "Nothing"; also an empty list of nodes, which compares the same.
    Nothing,
    Nodes(Vec<&'v PyValue>),
    Value(Cow<'v, PyValue>),
}

impl<'v> Outcome<'v> {
    /// The one node's value; nothing for an empty list.
    pub(super) fn single(self) -> Option<Cow<'v, PyValue>> {
        match self {
            Self::Nothing => None,
            Self::Nodes(nodes) => nodes.first().map(|node| Cow::Borrowed(*node)),
            Self::Value(value) => Some(value),
        }
    }

    pub(super) fn is_truthy(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Nodes(nodes) => !nodes.is_empty(),
            Self::Value(value) => matches!(**value, PyValue::None) || value.is_truthy(),
        }
    }
}

/// `length` counts the characters of a string, the elements of a list, the members of an object.
pub(super) fn length(argument: Outcome<'_>) -> Outcome<'_> {
    match argument.single().as_deref() {
        Some(PyValue::String(string)) => number(string.chars().count()),
        Some(PyValue::List(elements)) => number(elements.len()),
        Some(PyValue::Dict(members)) => number(members.len()),
        _ => Outcome::Nothing,
    }
}

/// `count` counts the nodes that a query found.
pub(super) fn count(argument: &Outcome<'_>) -> Outcome<'static> {
    match argument {
        Outcome::Nodes(nodes) => number(nodes.len()),
        Outcome::Nothing => number(0),
        Outcome::Value(_) => number(1),
    }
}

/// `value` gives the only node that a query found.
pub(super) fn value(argument: Outcome<'_>) -> Outcome<'_> {
    match argument {
        Outcome::Nodes(nodes) => match nodes.as_slice() {
            [node] => Outcome::Value(Cow::Borrowed(*node)),
            _ => Outcome::Nothing,
        },
        other => other,
    }
}

/// `match` (`is_whole`) matches the whole text, `search` any part of it.
pub(super) fn matches(text: Outcome<'_>, pattern: Outcome<'_>, is_whole: bool) -> Outcome<'static> {
    let is_match = match (text.single().as_deref(), pattern.single().as_deref()) {
        (Some(PyValue::String(text)), Some(PyValue::String(pattern))) => {
            matches_text(text, pattern, is_whole)
        }
        _ => false,
    };
    Outcome::Value(Cow::Owned(PyValue::Boolean(is_match)))
}

fn number(length: usize) -> Outcome<'static> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    Outcome::Value(Cow::Owned(PyValue::Integer(Integer::Small(length))))
}

fn matches_text(text: &str, pattern: &str, is_whole: bool) -> bool {
    let Some(pattern) = translated(pattern) else {
        return false;
    };
    let pattern = if is_whole {
        format!(r"\A(?:{pattern})\z")
    } else {
        pattern
    };
    let config = meta::Config::new()
        .nfa_size_limit(Some(MAX_PATTERN_SIZE))
        .hybrid(false)
        .onepass(false);
    let anchored = if is_whole { Anchored::Yes } else { Anchored::No };
    match meta::Builder::new().configure(config).build(&pattern) {
        Ok(regex) => regex.is_match(Input::new(text).anchored(anchored)),
        Err(_) => false,
    }
}

/// From I-Regexp (RFC 9485) to the `regex` crate's syntax. `None`: the pattern is no I-Regexp.
fn translated(pattern: &str) -> Option<String> {
    let mut translated = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    let mut is_in_class = false;
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.next()?;
                if !matches!(escaped, '('..='+' | '-' | '.' | '?' | '['..='^' | 'n' | 'r' | 't' | '{'..='}' | 'p' | 'P')
                {
                    return None;
                }
                translated.extend(['\\', escaped]);
                continue;
            }
            '(' if !is_in_class && characters.peek() == Some(&'?') => return None,
            '*' | '+' | '?' | '}' if !is_in_class && matches!(characters.peek(), Some('?' | '*' | '+')) => {
                return None;
            }
            '.' if !is_in_class => {
                translated.push_str(r"[^\n\r]");
                continue;
            }
            '[' if is_in_class => return None,
            '[' => is_in_class = true,
            ']' => is_in_class = false,
            '&' | '~' if is_in_class => translated.push('\\'),
            _ => {}
        }
        translated.push(character);
    }
    Some(translated)
}
