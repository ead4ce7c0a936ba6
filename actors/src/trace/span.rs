use std::ops::Deref;
use std::sync::Arc;

use super::caller::State;
use super::ids::{SpanId, TraceId};

/// A span that has ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    /// Its trace.
    pub trace_id: TraceId,
    /// Itself.
    pub span_id: SpanId,
    /// The span that it is a part of; `None`: it is the first of its trace.
    pub parent: Option<SpanId>,
    /// Whether that one is another process's.
    pub has_remote_parent: bool,
    /// What kind of work it was.
    pub kind: SpanKind,
    /// When it began, in nanoseconds of the Unix epoch.
    pub start: u64,
    /// When it ended, likewise; never before `start`.
    pub end: u64,
    /// What is known of it.
    pub outcome: Outcome,
    pub(super) state: Option<State>,
}

impl Span {
    /// The `tracestate` that its trace carries; empty: none.
    pub fn trace_state(&self) -> &str {
        self.state.as_ref().map_or("", State::text)
    }
}

/// What a span was, as is known when it ends. Nothing in it is a key, an identifier, a trait or a path.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// What it is called.
    pub name: Text,
    /// What is known of it.
    pub attributes: Vec<Attribute>,
    /// Why it failed, where it did; may be empty.
    pub failure: Option<Text>,
}

impl Outcome {
    /// One without a failure.
    pub fn new(name: impl Into<Text>, attributes: Vec<Attribute>) -> Self {
        Self {
            name: name.into(),
            attributes,
            failure: None,
        }
    }
}

/// A text.
#[derive(Debug, Clone)]
pub enum Text {
    /// One that the program has.
    Constant(&'static str),
    /// One that many spans have.
    Shared(Arc<str>),
    /// One of this span alone.
    Own(String),
}

impl Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Constant(text) => text,
            Self::Shared(text) => text,
            Self::Own(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for Text {}

impl From<&'static str> for Text {
    fn from(text: &'static str) -> Self {
        Self::Constant(text)
    }
}

impl From<Arc<str>> for Text {
    fn from(text: Arc<str>) -> Self {
        Self::Shared(text)
    }
}

impl From<String> for Text {
    fn from(text: String) -> Self {
        Self::Own(text)
    }
}

/// A name and its value.
pub type Attribute = (&'static str, Value);

/// The value of an attribute.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Yes or no.
    Truth(bool),
    /// A number.
    Number(i64),
    /// A text.
    Text(Text),
}

impl From<bool> for Value {
    fn from(truth: bool) -> Self {
        Self::Truth(truth)
    }
}

impl From<u16> for Value {
    fn from(number: u16) -> Self {
        Self::Number(number.into())
    }
}

impl From<usize> for Value {
    fn from(number: usize) -> Self {
        Self::Number(i64::try_from(number).unwrap_or(i64::MAX))
    }
}

impl<T: Into<Text>> From<T> for Value {
    fn from(text: T) -> Self {
        Self::Text(text.into())
    }
}

/// What kind of work a span was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SpanKind {
    /// Work within this process.
    Internal,
    /// A request to it.
    Server,
    /// A request of its own to another.
    Client,
}
