//! The environment's features and their defaults.
use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::super::flag::{FlagFeature, Reason};
use super::answer::{Answer, FlagSpans, Span, metadata, offset};
use crate::KeyKind;

/// The features in document order.
#[derive(Debug, Default)]
pub(crate) struct Features {
    pub list: Vec<Feature>,
    hasher: DefaultHashBuilder,
    /// Places in `list`, found by exact name.
    by_name: HashTable<u32>,
    /// Places in `list` in the order of the lower-case names, then of the document.
    by_lowercase: Vec<u32>,
    /// The features whose answer may differ from the default without an identity override, in document order.
    pub contested: Vec<u32>,
    /// The features whose default depends on the identity, in document order.
    pub multivariate: Vec<(u32, Answer)>,
    /// Whether some answers are for server-side keys only.
    pub any_server_only: bool,
    /// The defaults for server-side keys, then those for client-side keys where they differ.
    pub defaults: Vec<Defaults>,
    /// What holds in place of defaults without an identity, in document order: segments that read nothing but other flags and
    /// the environment override it.
    pub without_identity: Vec<(u32, Answer)>,
}

#[derive(Debug)]
pub(crate) struct Feature {
    /// What its flag reports.
    pub reported: FlagFeature,
    pub enabled: bool,
    /// Never shown to client-side keys.
    pub server_only: bool,
    /// A segment or an identity overrides it; the reason of its default says so.
    pub targeted: bool,
    /// What it answers by default, where that depends on the identity or segments read flags.
    pub default: Option<Answer>,
    /// The place in [`Features::contested`].
    pub contested: Option<u32>,
}

/// The default flags that a kind of key may see, as identities get them: their JSON, each with a comma behind.
#[derive(Debug, Default)]
pub(crate) struct Defaults {
    pub bytes: Vec<u8>,
    /// Where each feature's flag starts, and the end: one more than there are features. Flags that are hidden or depend on the
    /// identity are empty.
    pub starts: Vec<u32>,
    /// Where each feature's value starts.
    pub values: Vec<u32>,
}

impl Defaults {
    /// The flags of the features from `first` up to `end`.
    pub(crate) fn range(&self, first: u32, end: u32) -> (u32, u32) {
        let start = |feature: u32| self.starts.get(feature as usize).copied().unwrap_or(0);
        (start(first), start(end))
    }

    pub(crate) fn flag(&self, feature: u32) -> &[u8] {
        let (start, end) = self.range(feature, feature.saturating_add(1));
        self.bytes.get(start as usize..end as usize).unwrap_or_default()
    }

    /// A flag up to its value's end: what all callers get of it.
    pub(crate) fn flag_without_reason(&self, feature: u32) -> &[u8] {
        let spans = self.spans(feature);
        let (start, _) = self.range(feature, feature.saturating_add(1));
        let flag = self.bytes.get(start as usize..spans.value.end as usize);
        flag.unwrap_or_default()
    }

    /// A visible flag's value, JSON.
    pub(crate) fn value(&self, feature: u32) -> &str {
        self.text(self.spans(feature).value)
    }

    /// A visible flag's metadata, JSON.
    pub(crate) fn metadata(&self, feature: u32) -> Option<&str> {
        metadata(self.text(self.spans(feature).end))
    }

    fn spans(&self, feature: u32) -> FlagSpans {
        let (_, end) = self.range(feature, feature.saturating_add(1));
        let value = self.values.get(feature as usize).copied().unwrap_or(end);
        FlagSpans::find(&self.bytes, value, end)
    }

    fn text(&self, span: Span) -> &str {
        std::str::from_utf8(span.of(&self.bytes)).unwrap_or_default()
    }
}

impl Feature {
    /// Why its flag is the default.
    pub(crate) fn default_reason(&self) -> Reason<'static> {
        if self.targeted {
            Reason::Default
        } else {
            Reason::Static
        }
    }
}

impl Features {
    pub(crate) fn defaults(&self, kind: KeyKind) -> Option<&Defaults> {
        match kind {
            KeyKind::Server => self.defaults.first(),
            KeyKind::Client => self.defaults.last(),
        }
    }

    pub(crate) fn get(&self, feature: u32) -> Option<&Feature> {
        self.list.get(feature as usize)
    }

    /// The features in document order; each name is given once.
    pub(crate) fn new(list: Vec<Feature>) -> Self {
        let mut features = Self {
            list,
            ..Self::default()
        };
        let Self {
            list,
            hasher,
            by_name,
            by_lowercase,
            ..
        } = &mut features;
        let name = |place: u32| {
            list.get(place as usize)
                .map_or("", |feature| &*feature.reported.name)
        };
        by_lowercase.extend(0..offset(list.len()));
        for place in &*by_lowercase {
            by_name.insert_unique(hasher.hash_one(name(*place)), *place, |other| {
                hasher.hash_one(name(*other))
            });
        }
        by_lowercase.sort_by_cached_key(|place| name(*place).to_lowercase());
        features
    }

    /// A feature by its exact name.
    pub(crate) fn named(&self, name: &str) -> Option<u32> {
        let hash = self.hasher.hash_one(name);
        self.by_name
            .find(hash, |place| self.name(*place) == name)
            .copied()
    }

    fn name(&self, place: u32) -> &str {
        self.get(place).map_or("", |feature| &*feature.reported.name)
    }

    /// What holds without an identity, where that is not the default.
    pub(crate) fn override_without_identity(&self, feature: u32) -> Option<&Answer> {
        let found = self
            .without_identity
            .binary_search_by_key(&feature, |(place, _)| *place);
        self.without_identity.get(found.ok()?).map(|(_, answer)| answer)
    }

    /// The features whose names differ from this one in case alone, in document order.
    pub(crate) fn named_in_any_case(&self, name: &str) -> impl Iterator<Item = u32> {
        let wanted = name.to_lowercase();
        let lowercase = |place: &u32| self.name(*place).to_lowercase();
        let first = self
            .by_lowercase
            .partition_point(|place| lowercase(place) < wanted);
        let rest = self.by_lowercase.get(first..).unwrap_or_default().iter();
        rest.take_while(move |place| lowercase(place) == wanted).copied()
    }
}
