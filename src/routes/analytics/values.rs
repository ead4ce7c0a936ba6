//! The values within the bodies of `analytics/flags/`, borrowed where they have no escapes.
use std::borrow::Cow;
use std::fmt;

use actors::analytics::MOST_COUNT;
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// The characters of an identifier: core's column holds no more, and one that is longer fails all of its batch.
pub(super) const MOST_CHARACTERS: usize = 2_000;

/// A text, copied only where it has escapes.
pub(super) struct Text<'b>(pub(super) Cow<'b, str>);

impl<'b> Deserialize<'b> for Text<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'b> Visitor<'b> for TextVisitor {
            type Value = Text<'b>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E>(self, text: &'b str) -> Result<Text<'b>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E>(self, text: &str) -> Result<Text<'b>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
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

    /// An identifier that is missing or can be stored; `None`: the entry cannot count.
    pub(super) fn identity(self) -> Option<Option<Cow<'b, str>>> {
        match self {
            Self::Text(text) if text.chars().nth(MOST_CHARACTERS).is_none() => Some(Some(text)),
            Self::Null => Some(None),
            _ => None,
        }
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

impl<'b> Deserialize<'b> for Scalar<'b> {
    fn deserialize<D: Deserializer<'b>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ScalarVisitor)
    }
}

struct ScalarVisitor;

impl<'b> Visitor<'b> for ScalarVisitor {
    type Value = Scalar<'b>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    /// Zero adds nothing.
    fn visit_u64<E>(self, number: u64) -> Result<Scalar<'b>, E> {
        let count = u32::try_from(number).ok();
        let count = count.filter(|count| (1..=MOST_COUNT).contains(count));
        Ok(count.map_or(Scalar::Other, Scalar::Count))
    }

    /// It is below zero: it would take from what others have counted.
    fn visit_i64<E>(self, _: i64) -> Result<Scalar<'b>, E> {
        Ok(Scalar::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Scalar<'b>, E> {
        Ok(Scalar::Other)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Scalar<'b>, E> {
        Ok(Scalar::Truth(truth))
    }

    fn visit_unit<E>(self) -> Result<Scalar<'b>, E> {
        Ok(Scalar::Null)
    }

    fn visit_borrowed_str<E>(self, text: &'b str) -> Result<Scalar<'b>, E> {
        Ok(Scalar::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Scalar<'b>, E> {
        Ok(Scalar::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'b>>(self, mut items: A) -> Result<Scalar<'b>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }

    fn visit_map<A: MapAccess<'b>>(self, mut entries: A) -> Result<Scalar<'b>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Scalar::Other)
    }
}
