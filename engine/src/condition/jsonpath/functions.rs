//! The functions of RFC 9535, 2.4.
use std::borrow::Cow;

use regex_automata::meta;
use regex_automata::{Anchored, Input};

use super::filter::{Operand, Outcome};
use super::select::{Search, Stopped};
use crate::python::{Integer, PyValue};

/// How large a pattern may become when compiled, in bytes.
const MAX_PATTERN_SIZE: usize = 1 << 17;

/// The types of RFC 9535, 2.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Type {
    Value,
    Logical,
}

#[derive(Debug, Clone)]
pub(in crate::condition) enum Function {
    Length(Operand),
    Count(Operand),
    Value(Operand),
    Match {
        text: Operand,
        pattern: Operand,
        is_whole: bool,
    },
}

impl Function {
    /// A call of a function. `None`: there is none, or its arguments' number or types are wrong.
    pub(super) fn new(name: &str, arguments: Vec<Operand>) -> Option<Self> {
        let mut arguments = arguments.into_iter();
        let function = match name {
            "length" => Self::Length(arguments.next().filter(is_value)?),
            "count" => Self::Count(arguments.next().filter(is_nodes)?),
            "value" => Self::Value(arguments.next().filter(is_nodes)?),
            "match" | "search" => {
                let text = arguments.next().filter(is_value)?;
                Self::Match {
                    text,
                    pattern: arguments.next().filter(is_value)?,
                    is_whole: name == "match",
                }
            }
            _ => return None,
        };
        arguments.next().is_none().then_some(function)
    }

    pub(super) fn returns(&self) -> Type {
        match self {
            Self::Length(_) | Self::Count(_) | Self::Value(_) => Type::Value,
            Self::Match { .. } => Type::Logical,
        }
    }

    pub(super) fn call<'v>(
        &self,
        current: &'v PyValue,
        search: &mut Search<'v>,
    ) -> Result<Outcome<'v>, Stopped> {
        Ok(match self {
            Self::Length(argument) => {
                let length = match argument.evaluate(current, search)?.single().as_deref() {
                    Some(PyValue::String(string)) => string.chars().count(),
                    Some(PyValue::List(elements)) => elements.len(),
                    Some(PyValue::Dict(members)) => members.len(),
                    _ => return Ok(Outcome::Nothing),
                };
                number(length)
            }
            Self::Count(argument) => match argument.evaluate(current, search)? {
                Outcome::Nodes(nodes) => number(nodes.len()),
                Outcome::Nothing => number(0),
                Outcome::Value(_) => number(1),
            },
            Self::Value(argument) => match argument.evaluate(current, search)? {
                Outcome::Nodes(nodes) => match nodes.as_slice() {
                    [node] => Outcome::Value(Cow::Borrowed(*node)),
                    _ => Outcome::Nothing,
                },
                other => other,
            },
            Self::Match {
                text,
                pattern,
                is_whole,
            } => {
                let (text, pattern) = (
                    text.evaluate(current, search)?,
                    pattern.evaluate(current, search)?,
                );
                let is_match = match (text.single().as_deref(), pattern.single().as_deref()) {
                    (Some(PyValue::String(text)), Some(PyValue::String(pattern))) => {
                        matches(text, pattern, *is_whole)
                    }
                    _ => false,
                };
                Outcome::Value(Cow::Owned(PyValue::Boolean(is_match)))
            }
        })
    }
}

fn number(length: usize) -> Outcome<'static> {
    let length = i64::try_from(length).unwrap_or(i64::MAX);
    Outcome::Value(Cow::Owned(PyValue::Integer(Integer::Small(length))))
}

fn is_value(operand: &Operand) -> bool {
    match operand {
        Operand::Literal(_) => true,
        Operand::Query(query) => query.query.is_singular(),
        Operand::Function(function) => function.returns() == Type::Value,
        Operand::Logical(_) => false,
    }
}

fn is_nodes(operand: &Operand) -> bool {
    matches!(operand, Operand::Query(_))
}

fn matches(text: &str, pattern: &str, is_whole: bool) -> bool {
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

/// From I-Regexp (RFC 9485) to the `regex` crate's syntax. `None`: it holds what I-Regexp has not.
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
