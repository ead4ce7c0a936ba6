//! What a document is compiled to.
//!
//! # Layout
//! - [`Features`]: the environment's features and their defaults. [`Segment`]: rules, and what a segment overrides.
//!   [`IdentityOverrides`]: what single identities override.
//! - [`Exhaustion`]: which segments have taken all the work that an evaluation may do.
//! - [`Answers`]: what each feature state answers, as ready bytes with the places of their parts; [`Multivariate`]: the
//!   options among them. [`ReadyGzip`]: the same bytes, compressed.
mod answer;
mod exhaustion;
mod features;
mod identity_overrides;
mod multivariate;
mod ready_gzip;
mod segment;

use std::fmt;

use hashbrown::HashMap;

use crate::KeyKind;
use crate::python::PyValue;

pub(super) use answer::{
    Answer, Answers, CIRCULAR_DEPENDENCY, END, FlagParts, IDENTITY_OVERRIDE_END, Span, metadata, offset,
};
pub(super) use exhaustion::Exhaustion;
pub(super) use features::{Defaults, Feature, Features};
pub(super) use identity_overrides::{IdentityOverride, IdentityOverrides, IdentityOverridesBuilder};
pub(super) use multivariate::{CONTROL, Multivariate, MultivariateOption};
pub(super) use ready_gzip::{FeatureGzip, ReadyGzip, START, SegmentGzip};
pub(super) use segment::{Condition, OverrideRun, Path, Rule, RuleKind, Segment, SegmentOverride, Source};

/// A compiled environment document: immutable, shared by all who evaluate against it.
pub struct Environment {
    pub(super) id: Box<str>,
    pub(super) name: Box<str>,
    /// What identity keys start with: the environment's key and an underscore.
    pub(super) key_prefix: Box<str>,
    pub(super) hides_disabled_flags: bool,
    pub(super) allows_client_traits: bool,
    pub(super) stops_serving_flags: bool,
    pub(super) features: Features,
    /// In document order.
    pub(super) segments: Vec<Segment>,
    /// The places of the segments that override a feature: no other needs evaluating.
    pub(super) overriding_segments: Vec<u32>,
    /// The slot of each trait that a segment reads.
    pub(super) trait_slots: HashMap<Box<str>, u32>,
    pub(super) answers: Answers,
    pub(super) identity_overrides: IdentityOverrides,
    /// The evaluation context without an identity, where a path needs it.
    pub(super) context: Option<PyValue>,
    /// Where segments read flags.
    pub(super) dependencies: Option<DependencyIndex>,
    pub(super) exhaustion: Exhaustion,
    /// What answers in gzip are put together from.
    pub(super) gzip: ReadyGzip,
}

/// What resolving the flags that segments read needs to know.
#[derive(Debug)]
pub(super) struct DependencyIndex {
    /// The segments that override each feature, in document order, one entry an override.
    pub(super) segments: Vec<Vec<u32>>,
}

impl Environment {
    /// Whether a chosen feature state is hidden from a kind of key.
    pub(super) fn hides(&self, kind: KeyKind, feature: &Feature, answer: &Answer) -> bool {
        kind == KeyKind::Client && (answer.server_only || feature.server_only)
            || self.hides_disabled_flags && !answer.enabled
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never the key, nor identifiers.
        f.debug_struct("Environment")
            .field("id", &self.id)
            .field("name", &self.name)
            .field("features", &self.features.list.len())
            .field("segments", &self.segments.len())
            .finish_non_exhaustive()
    }
}
