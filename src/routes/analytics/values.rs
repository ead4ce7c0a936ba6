//! The values within the bodies of `analytics/flags/`, borrowed where they have no escapes.
use std::borrow::Cow;
use std::fmt;

use actors::analytics::MOST_COUNT;
use serde::Deserialize;
use serde::de::{Deserializer, Visitor};
use serde_json::value::RawValue;

/// The characters of an identifier: core's column holds no more, and one that is longer fails all of its batch.
pub(super) const MOST_CHARACTERS: usize = 2_000;

/// A text, copied only where it has escapes; `None`: it has half a surrogate pair, which Python reads and no database holds.
pub(super) struct Text<'b>(pub(super) Option<Cow<'b, str>>);

impl<'b> Deserialize<'b> for Text<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'b> Visitor<'b> for TextVisitor {
            type Value = Text<'b>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_bytes<E>(self, text: &'b [u8]) -> Result<Text<'b>, E> {
                Ok(Text(std::str::from_utf8(text).ok().map(Cow::Borrowed)))
            }

            fn visit_bytes<E>(self, text: &[u8]) -> Result<Text<'b>, E> {
                let text = std::str::from_utf8(text).ok();
                Ok(Text(text.map(|text| Cow::Owned(text.to_owned()))))
            }
        }

        // As bytes: as a text, half a surrogate pair is a mistake of the whole body.
        deserializer.deserialize_bytes(TextVisitor)
    }
}

/// A value, as far as it may count.
pub(super) enum Scalar<'b> {
    Text(Cow<'b, str>),
    /// Of at least one, and no more than can be stored.
    Count(u32),
    Truth(bool),
    Null,
    /// Whatever else.
    Other,
}

impl<'b> Scalar<'b> {
    pub(super) fn text(self) -> Option<Cow<'b, str>> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An identifier that is missing or can be stored, as core stores it; `None`: the entry cannot count, and would fail all
    /// of its batch.
    pub(super) fn identity(self) -> Option<Option<Cow<'b, str>>> {
        let identity = match self {
            Self::Text(text) => stripped(text),
            Self::Null => return Some(None),
            _ => return None,
        };
        let is_storable = !identity.is_empty()
            && !identity.contains('\0')
            && identity.chars().nth(MOST_CHARACTERS).is_none();
        is_storable.then_some(Some(identity))
    }

    pub(super) fn truth(self) -> Option<bool> {
        match self {
            Self::Truth(truth) => Some(truth),
            _ => None,
        }
    }

    pub(super) fn count(self) -> Option<u32> {
        match self {
            Self::Count(count) => Some(count),
            _ => None,
        }
    }
}

/// Without the white space around it, as Python's `str.strip`, with which core begins.
fn stripped(text: Cow<'_, str>) -> Cow<'_, str> {
    let is_space = |c: char| c.is_whitespace() || ('\x1c'..='\x1f').contains(&c);
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.trim_matches(is_space)),
        Cow::Owned(text) => Cow::Owned(text.trim_matches(is_space).to_owned()),
    }
}

/// Whatever its value is, one entry is no mistake of the whole body: it is read on its own.
impl<'b> Deserialize<'b> for Scalar<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        let value = <&RawValue>::deserialize(deserializer)?.get();
        Ok(match value.as_bytes() {
            b"true" => Self::Truth(true),
            b"false" => Self::Truth(false),
            b"null" => Self::Null,
            [b'"', ..] => match serde_json::from_str(value) {
                Ok(Text(Some(text))) => Self::Text(text),
                _ => Self::Other,
            },
            // Zero adds nothing; what is below would take from what others have counted.
            [b'0'..=b'9', ..] => match value.parse() {
                Ok(count @ 1..=MOST_COUNT) => Self::Count(count),
                _ => Self::Other,
            },
            _ => Self::Other,
        })
    }
}
