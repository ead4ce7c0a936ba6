//! Compiled segments.
use super::answer::Answer;
use crate::condition::{Matcher, Query};
use crate::python::PyValue;

/// A segment, its rules and what it overrides.
#[derive(Debug)]
pub(crate) struct Segment {
    pub name: Box<str>,
    pub rules: Box<[Rule]>,
    /// In the order of the features.
    pub overrides: Box<[SegmentOverride]>,
}

/// A feature state that holds for the identities in a segment.
#[derive(Debug)]
pub(crate) struct SegmentOverride {
    /// The place among the contested features.
    pub contested: u32,
    /// The place among all overrides of the feature by priority, ties in document order: the lowest wins.
    pub rank: u32,
    pub answer: Answer,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub kind: RuleKind,
    pub conditions: Box<[Condition]>,
    pub rules: Box<[Rule]>,
}

/// How a rule combines its conditions, and its sub-rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RuleKind {
    All,
    Any,
    None,
    /// Not understood: the reference raises where there is anything to combine.
    Unknown,
}

#[derive(Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "almost all conditions match; a box would cost each a cache miss"
)]
pub(crate) enum Condition {
    /// One that the reference engine would raise on, or could not even load.
    Raising,
    Matching {
        source: Source,
        matcher: Matcher,
    },
}

/// Where a condition's value comes from.
#[derive(Debug)]
pub(crate) enum Source {
    /// The trait in this slot.
    Trait(u32),
    /// The identity's key, as it is: a percentage split without a property.
    IdentityKey,
    /// A path; the trait named like the whole path where it finds nothing.
    Path { path: Path, fallback: u32 },
}

/// A JSONPath, as far as it could be resolved without an identity.
#[derive(Debug)]
pub(crate) enum Path {
    IdentityIdentifier,
    IdentityKey,
    IdentityTrait(u32),
    /// What the path finds in every evaluation.
    Constant(Option<PyValue>),
    /// Part of the result of another feature; `None`: the environment lacks it.
    Flag {
        feature: Option<u32>,
        rest: Query,
    },
    /// Anything below `$.identity`.
    Identity(Query),
    /// Anything else: the whole evaluation context is needed.
    Context(Query),
    /// The reference raises on it.
    Raising,
}
