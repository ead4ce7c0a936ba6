//! The compiled environment and what it answers.
//!
//! # Layout
//! - `compile`: from a document to an [`Environment`].
//! - `features`, `segment`, `identity_overrides`, `answer`: what it is compiled to.
//! - `subject`: one identity as conditions see it. `evaluation`: which segments match, which overrides win.
//! - `dependencies`: segments that read the result of other flags. `context`: the reference's evaluation context, for
//!   paths that need it.
//! - `body`: the answers' bytes; `run`: copying neighbours together. `flag`: results for diagnostics and tests.
mod answer;
mod body;
mod compile;
mod context;
mod dependencies;
mod evaluation;
mod features;
mod flag;
mod identity_overrides;
mod run;
mod segment;
mod subject;
#[cfg(test)]
mod tests;

use std::fmt;

use hashbrown::HashMap;

use crate::python::PyValue;
use crate::{Identity, KeyKind};
use answer::Answers;
use dependencies::DependencyIndex;
use evaluation::Evaluation;
use features::Features;
use identity_overrides::IdentityOverrides;
use segment::Segment;

pub use flag::Flag;

/// A compiled environment document: immutable, shared by all who evaluate against it.
pub struct Environment {
    id: Box<str>,
    name: Box<str>,
    /// What identity keys start with: the environment's key and an underscore.
    key_prefix: Box<str>,
    hides_disabled_flags: bool,
    allows_client_traits: bool,
    stops_serving_flags: bool,
    features: Features,
    /// In document order.
    segments: Vec<Segment>,
    /// The places of the segments that override a feature: no other needs evaluating.
    overriding_segments: Vec<u32>,
    /// The slot of each trait that a segment reads.
    trait_slots: HashMap<Box<str>, u32>,
    answers: Answers,
    identity_overrides: IdentityOverrides,
    /// The evaluation context without an identity, where a path needs it.
    context: Option<PyValue>,
    /// Where segments read flags.
    dependencies: Option<DependencyIndex>,
}

impl Environment {
    /// The environment's id, as JSON text.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The environment's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether the organisation is disabled from serving flags.
    pub fn stops_serving_flags(&self) -> bool {
        self.stops_serving_flags
    }

    /// The body of `flags/`: every visible flag's default, a JSON array in document order.
    pub fn flags(&self, kind: KeyKind) -> Vec<u8> {
        body::flags(self, kind)
    }

    /// The body of `flags/?feature=name`: an exact name first, then without case. `None`: unknown or hidden.
    pub fn flag(&self, kind: KeyKind, name: &str) -> Option<Vec<u8>> {
        body::flag(self, kind, name)
    }

    /// The body of `identities/`: identifier, the echo of the traits, the flags.
    pub fn identity_answer(&self, kind: KeyKind, identity: &Identity<'_>) -> Vec<u8> {
        let takes_traits = self.takes_traits(kind);
        body::identity(
            &Evaluation::new(self, Some(identity), takes_traits),
            kind,
            identity,
            takes_traits,
        )
    }

    /// The body of `identities/?feature=name` (exact name). `None`: unknown or hidden.
    pub fn identity_flag(&self, kind: KeyKind, identity: &Identity<'_>, name: &str) -> Option<Vec<u8>> {
        let feature = self.features.named(name)?;
        body::identity_flag(
            &Evaluation::new(self, Some(identity), self.takes_traits(kind)),
            kind,
            feature,
        )
    }

    /// The names of the segments that the identity is in, in document order; `None`: without an identity, as evaluation
    /// contexts of Flagsmith's engine may be. For diagnostics and tests: it evaluates every segment.
    pub fn matching_segments<'i>(&self, identity: impl Into<Option<&'i Identity<'i>>>) -> Vec<&str> {
        let evaluation = Evaluation::new(self, identity.into(), true);
        let matches = evaluation.all_segments();
        self.segments
            .iter()
            .zip(matches)
            .filter(|(_, matches)| *matches)
            .map(|(segment, _)| &*segment.name)
            .collect()
    }

    /// Every flag that a server-side key may see, in document order; `None`: without an identity, which `flags/` is
    /// not: here segments that need no identity do count, as in Flagsmith's engine. For diagnostics and tests.
    pub fn evaluate<'i>(&self, identity: impl Into<Option<&'i Identity<'i>>>) -> Vec<Flag> {
        flag::parse(&body::evaluated_flags(&Evaluation::new(
            self,
            identity.into(),
            true,
        )))
    }

    /// Whether traits sent with this kind of key count.
    fn takes_traits(&self, kind: KeyKind) -> bool {
        self.allows_client_traits || kind == KeyKind::Server
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
