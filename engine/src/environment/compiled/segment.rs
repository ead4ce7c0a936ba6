//! Compiled segments.
use super::answer::{Answer, Span};
use crate::condition::{Matcher, Query};
use crate::python::PyValue;

/// A segment, its rules and what it overrides.
#[derive(Debug)]
pub(crate) struct Segment {
    pub name: Box<str>,
    /// It depends on other flags and on nothing that takes an identity: it counts without one.
    pub needs_no_identity: bool,
    /// It asks who is in a cohort, which cannot be known here.
    pub asks_for_cohorts: bool,
    pub rules: Box<[Rule]>,
    /// In the order of the features, each feature once.
    pub overrides: Box<[SegmentOverride]>,
    /// The same with neighbours joined. `None`: some depend on the identity.
    pub runs: Option<Box<[OverrideRun]>>,
}

/// Overrides of neighbouring features whose answers lie side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct OverrideRun {
    /// The first feature, and the one after the last.
    pub features: (u32, u32),
    pub json: Span,
}

impl OverrideRun {
    /// Joins what can be; `None` where an answer depends on the identity.
    pub(crate) fn join(overrides: &[SegmentOverride]) -> Option<Box<[Self]>> {
        let mut runs: Vec<Self> = Vec::new();
        for own in overrides {
            let SegmentOverride { feature, answer, .. } = own;
            if answer.is_multivariate() {
                return None;
            }
            match runs.last_mut() {
                Some(last) if last.features.1 == *feature && last.json.end == answer.json.start => {
                    last.features.1 += 1;
                    last.json.end = answer.json.end;
                }
                _ => runs.push(Self {
                    features: (*feature, feature + 1),
                    json: answer.json,
                }),
            }
        }
        Some(runs.into())
    }
}

/// A feature state that holds for the identities in a segment.
#[derive(Debug)]
pub(crate) struct SegmentOverride {
    /// The place of the segment.
    pub segment: u32,
    pub feature: u32,
    /// The place among the contested features.
    pub contested: u32,
    /// The place among all overrides of the feature in order of priority, then of the document: the lowest wins.
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
