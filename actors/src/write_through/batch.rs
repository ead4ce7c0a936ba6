//! Identities that are written in one call, and the bodies that say so; pure.
use std::fmt;

use bytes::Bytes;

use super::seen::Content;
use super::sighting::{Sighting, Target};

/// What an entry and each of its traits take beside their texts, at most: their places in a map and a list, which may be half
/// empty, and what the allocator rounds up.
const OVERHEAD: usize = 320;
const TRAIT_OVERHEAD: usize = 96;

/// One identity to be written. Its debug format holds nothing of it.
#[derive(Clone)]
pub(super) struct Entry {
    /// As a hash of the environment and the identifier.
    pub(super) subject: u64,
    /// What was noted of it last.
    pub(super) content: Content,
    pub(super) identifier: Box<str>,
    traits: Vec<Trait>,
}

/// A trait to be written.
#[derive(Clone)]
pub(super) struct Trait {
    pub(super) key: Box<str>,
    /// As JSON; `None`: the trait is to be taken away.
    pub(super) value: Option<Box<str>>,
}

impl Entry {
    pub(super) fn of(sighting: &Sighting) -> Self {
        let traits = sighting.traits().map(|(key, value)| Trait {
            key: key.into(),
            value: value.map(Into::into),
        });
        let mut entry = Self {
            subject: sighting.subject,
            content: sighting.content,
            identifier: sighting.identifier().into(),
            traits: traits.collect(),
        };
        entry.keep_last();
        entry
    }

    /// Lays what is newer over it.
    pub(super) fn update(&mut self, newer: Self) {
        self.content = newer.content;
        self.traits.extend(newer.traits);
        self.keep_last();
    }

    /// Its traits by key, each once.
    pub(super) fn traits(&self) -> &[Trait] {
        &self.traits
    }

    /// Takes off the traits that this is not true of.
    pub(super) fn retain(&mut self, is_kept: impl Fn(&Trait) -> bool) {
        self.traits.retain(is_kept);
    }

    /// Of several traits with one key the last counts. Their number is the caller's choice, so their order is what finds them.
    fn keep_last(&mut self) {
        // Stable, so that the last of one key stays the last.
        self.traits.sort_by(|one, other| one.key.cmp(&other.key));
        self.traits.reverse();
        self.traits.dedup_by(|earlier, later| earlier.key == later.key);
        self.traits.reverse();
        self.traits.shrink_to_fit();
    }

    /// How many bytes it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let traits = self.traits.iter().map(|written| {
            TRAIT_OVERHEAD + written.key.len() + written.value.as_ref().map_or(0, |value| value.len())
        });
        OVERHEAD + self.identifier.len() + traits.sum::<usize>()
    }

    /// Writes it as both `identities/` and `bulk-identities/` take it.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"identifier":"#);
        write_string(out, &self.identifier);
        out.extend_from_slice(br#","traits":["#);
        for (index, Trait { key, value }) in self.traits.iter().enumerate() {
            if index > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br#"{"trait_key":"#);
            write_string(out, key);
            out.extend_from_slice(br#","trait_value":"#);
            out.extend_from_slice(value.as_deref().unwrap_or("null").as_bytes());
            out.push(b'}');
        }
        out.extend_from_slice(b"]}");
    }
}

/// As JSON.
fn write_string(out: &mut Vec<u8>, text: &str) {
    // Writing to memory does not fail.
    let _ = serde_json::to_writer(out, text);
}

/// Identities of one target.
#[derive(Debug, Clone)]
pub(super) struct Batch {
    pub(super) target: Target,
    entries: Vec<Entry>,
    /// Whether it is a part of one that was refused.
    pub(super) is_part: bool,
}

impl Batch {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            entries: Vec::new(),
            is_part: false,
        }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push(entry);
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(super) fn into_entries(self) -> Vec<Entry> {
        self.entries
    }

    pub(super) fn bytes(&self) -> usize {
        self.entries.iter().map(Entry::bytes).sum()
    }

    /// Both halves, so that what upstream refuses of many is found.
    pub(super) fn halves(mut self) -> [Self; 2] {
        let second = self.entries.split_off(self.entries.len() / 2);
        let second = Self {
            target: self.target,
            entries: second,
            is_part: true,
        };
        self.is_part = true;
        [self, second]
    }

    /// The body of `POST bulk-identities/`, as Go's `BulkIdentify` writes it.
    pub(super) fn bulk_body(&self) -> Bytes {
        let mut body = br#"{"data":["#.to_vec();
        for (index, entry) in self.entries.iter().enumerate() {
            if index > 0 {
                body.push(b',');
            }
            entry.write(&mut body);
        }
        body.extend_from_slice(b"]}");
        body.into()
    }

    /// The body of `POST identities/` for its first identity.
    pub(super) fn single_body(&self) -> Bytes {
        let mut body = Vec::new();
        if let Some(entry) = self.entries.first() {
            entry.write(&mut body);
        }
        body.into()
    }
}

impl fmt::Debug for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entry")
            .field("traits", &self.traits.len())
            .finish_non_exhaustive()
    }
}
