//! One identity as a request carried it, with what of it is to be stored.
use std::fmt;

use engine::{Identity, KeyKind};

use super::seen::Content;
use crate::keys::EnvironmentId;

/// What a sighting takes beside its texts, at most: its place in a list, which may be half empty, and what the allocator rounds
/// up.
const OVERHEAD: usize = 256;

/// Whose environment an identity is, and with which kind of key it may be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Target {
    pub(super) environment: EnvironmentId,
    pub(super) kind: KeyKind,
}

/// An identity to be written. Its texts lie one behind the other, so that a sighting is few pieces of memory. Its debug format
/// holds none of them.
pub(super) struct Sighting {
    pub(super) target: Target,
    /// Whose it is, as a hash of the environment and the identifier.
    pub(super) subject: u64,
    /// What was noted of the subject.
    pub(super) content: Content,
    text: String,
    /// Where each text ends: the identifier's, then those of each trait's key and value; a value that is as long as nothing is
    /// none, for JSON is never empty.
    ends: Vec<usize>,
}

impl Sighting {
    pub(super) fn new(target: Target, subject: u64, content: Content, identity: &Identity<'_>) -> Self {
        let mut sighting = Self {
            target,
            subject,
            content,
            text: identity.identifier().to_owned(),
            ends: Vec::new(),
        };
        sighting.ends.push(sighting.text.len());
        for stored in identity.lasting_traits() {
            sighting.push(stored.key);
            sighting.push(stored.value.as_deref().unwrap_or_default());
        }
        sighting
    }

    fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.ends.push(self.text.len());
    }

    /// Its identifier.
    pub(super) fn identifier(&self) -> &str {
        self.texts().next().unwrap_or_default()
    }

    /// Its traits: keys, and values as JSON; those without are to be taken away.
    pub(super) fn traits(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        let mut texts = self.texts();
        texts.next();
        std::iter::from_fn(move || {
            let (key, value) = (texts.next()?, texts.next()?);
            Some((key, Some(value).filter(|value| !value.is_empty())))
        })
    }

    /// How many bytes it takes.
    pub(super) fn bytes(&self) -> usize {
        self.text.capacity() + self.ends.capacity() * size_of::<usize>() + OVERHEAD
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let places = starts.zip(self.ends.iter().copied());
        places.map(|(start, end)| self.text.get(start..end).unwrap_or_default())
    }
}

impl fmt::Debug for Sighting {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sighting")
            .field("target", &self.target)
            .field("bytes", &self.bytes())
            .finish_non_exhaustive()
    }
}
