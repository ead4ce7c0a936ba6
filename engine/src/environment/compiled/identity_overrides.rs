//! Identity overrides, found by identifier. Kept compact: a document may hold a hundred thousand.
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::answer::{Answer, Span, offset};

/// All identity overrides of an environment.
#[derive(Debug, Default)]
pub(crate) struct IdentityOverrides {
    hasher: DefaultHashBuilder,
    /// Places in `identities`.
    by_identifier: HashTable<u32>,
    identities: Vec<OverriddenIdentity>,
    /// The identifiers' text.
    identifiers: String,
    /// By identity, then in the order of the features.
    overrides: Vec<IdentityOverride>,
}

#[derive(Debug)]
struct OverriddenIdentity {
    identifier: Span,
    /// The first of its overrides; they end where the next identity's start.
    first: u32,
}

/// A feature state that holds for one identity.
#[derive(Debug)]
pub(crate) struct IdentityOverride {
    pub feature: u32,
    pub answer: Answer,
}

impl IdentityOverrides {
    /// The overrides of an identity, in the order of the features.
    pub(crate) fn of(&self, identifier: &str) -> &[IdentityOverride] {
        if self.identities.is_empty() {
            return &[];
        }
        let hash = self.hasher.hash_one(identifier);
        let found = self
            .by_identifier
            .find(hash, |place| self.identifier(*place) == identifier);
        let Some(place) = found.map(|place| *place as usize) else {
            return &[];
        };
        let start = self
            .identities
            .get(place)
            .map_or(0, |identity| identity.first as usize);
        let end = self
            .identities
            .get(place + 1)
            .map_or(self.overrides.len(), |next| next.first as usize);
        self.overrides.get(start..end).unwrap_or_default()
    }

    /// The identifiers, in document order.
    pub(crate) fn identifiers(&self) -> impl Iterator<Item = &str> {
        (0..offset(self.identities.len())).map(|place| self.identifier(place))
    }

    fn identifier(&self, place: u32) -> &str {
        let span = self
            .identities
            .get(place as usize)
            .map_or(Span::default(), |identity| identity.identifier);
        self.identifiers
            .get(span.start as usize..span.end as usize)
            .unwrap_or_default()
    }
}

/// Gathers identity overrides in document order.
#[derive(Default)]
pub(crate) struct IdentityOverridesBuilder {
    built: IdentityOverrides,
    /// The place of the identity, and its override.
    gathered: Vec<(u32, IdentityOverride)>,
}

impl IdentityOverridesBuilder {
    pub(crate) fn reserve(&mut self, identities: usize) {
        let IdentityOverrides {
            hasher,
            by_identifier,
            identities: known,
            identifiers,
            ..
        } = &mut self.built;
        known.reserve_exact(identities);
        self.gathered.reserve(identities);
        by_identifier.reserve(identities, |place| hash_of(hasher, known, identifiers, *place));
    }

    /// The place of an identity, a new one where the identifier is new.
    pub(crate) fn identity(&mut self, identifier: &str) -> u32 {
        let IdentityOverrides {
            hasher,
            by_identifier,
            identities,
            identifiers,
            ..
        } = &mut self.built;
        let hash = hasher.hash_one(identifier);
        let is_same = |place: &u32| text_of(identities, identifiers, *place) == identifier;
        if let Some(place) = by_identifier.find(hash, is_same) {
            return *place;
        }
        let place = offset(identities.len());
        let start = offset(identifiers.len());
        identifiers.push_str(identifier);
        let identifier = Span {
            start,
            end: offset(identifiers.len()),
        };
        identities.push(OverriddenIdentity { identifier, first: 0 });
        by_identifier.insert_unique(hash, place, |other| {
            hash_of(hasher, identities, identifiers, *other)
        });
        place
    }

    pub(crate) fn push(&mut self, identity: u32, feature: u32, answer: Answer) {
        self.gathered
            .push((identity, IdentityOverride { feature, answer }));
    }

    /// The first of several overrides of a feature for one identity counts.
    pub(crate) fn build(self) -> IdentityOverrides {
        let Self {
            mut built,
            mut gathered,
        } = self;
        gathered.sort_by_key(|(identity, own)| (*identity, own.feature));
        gathered.dedup_by_key(|(identity, own)| (*identity, own.feature));
        let mut next = 0;
        for (place, (identity, _)) in gathered.iter().enumerate() {
            while next <= *identity {
                if let Some(known) = built.identities.get_mut(next as usize) {
                    known.first = offset(place);
                }
                next += 1;
            }
        }
        for known in built.identities.iter_mut().skip(next as usize) {
            known.first = offset(gathered.len());
        }
        built.overrides = gathered.into_iter().map(|(_, own)| own).collect();
        built.overrides.shrink_to_fit();
        built.identifiers.shrink_to_fit();
        built
    }
}

fn text_of<'a>(identities: &[OverriddenIdentity], identifiers: &'a str, place: u32) -> &'a str {
    let span = identities
        .get(place as usize)
        .map_or(Span::default(), |identity| identity.identifier);
    identifiers
        .get(span.start as usize..span.end as usize)
        .unwrap_or_default()
}

fn hash_of(
    hasher: &DefaultHashBuilder,
    identities: &[OverriddenIdentity],
    identifiers: &str,
    place: u32,
) -> u64 {
    hasher.hash_one(text_of(identities, identifiers, place))
}
