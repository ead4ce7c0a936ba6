//! Identities that are written in one call, and the bodies that say so; pure.
use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use super::seen::Content;
use super::sighting::{Sighting, Target};

/// What an entry and each of its traits take beside their texts, about.
const OVERHEAD: usize = 128;
const TRAIT_OVERHEAD: usize = 64;

/// One identity to be written. Its debug format holds nothing of it.
#[derive(Clone)]
pub(super) struct Entry {
    /// As a hash of the environment and the identifier.
    pub(super) subject: u64,
    /// What was noted of it last.
    pub(super) content: Content,
    pub(super) identifier: Box<str>,
    /// Values as JSON, by key; `None`: the trait is to be taken away.
    pub(super) traits: BTreeMap<Box<str>, Option<Box<str>>>,
}

impl Entry {
    pub(super) fn of(sighting: &Sighting) -> Self {
        let traits = sighting.traits();
        Self {
            subject: sighting.subject,
            content: sighting.content,
            identifier: sighting.identifier().into(),
            traits: traits
                .map(|(key, value)| (key.into(), value.map(Into::into)))
                .collect(),
        }
    }

    /// Lays what is newer over it.
    pub(super) fn update(&mut self, newer: Self) {
        self.content = newer.content;
        self.traits.extend(newer.traits);
    }

    /// How many bytes it takes, about.
    pub(super) fn bytes(&self) -> usize {
        let traits = self
            .traits
            .iter()
            .map(|(key, value)| TRAIT_OVERHEAD + key.len() + value.as_ref().map_or(0, |value| value.len()));
        OVERHEAD + self.identifier.len() + traits.sum::<usize>()
    }

    /// Writes it as both `identities/` and `bulk-identities/` take it.
    fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(br#"{"identifier":"#);
        write_string(out, &self.identifier);
        out.extend_from_slice(br#","traits":["#);
        for (index, (key, value)) in self.traits.iter().enumerate() {
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
}

impl Batch {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            entries: Vec::new(),
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
        };
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
