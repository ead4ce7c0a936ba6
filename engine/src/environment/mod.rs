//! The compiled environment and what it answers.
//!
//! # Layout
//! - `compile`: from a document to an [`Environment`]. `compiled`: what that is.
//! - `evaluation`: which feature states are chosen, and why. `examination`: the same, with what they were chosen from.
//! - `writers`: they make the bodies of Flagsmith's API, or a [`Flag`] each, of the choices. [`Body`]: what they make.
mod body;
pub(crate) mod compile;
mod compiled;
pub(crate) mod evaluation;
pub(crate) mod examination;
mod flag;
#[cfg(test)]
mod tests;
mod writers;

use crate::{Identity, KeyKind, LightWork, Warning};
use evaluation::{Choices, Evaluation};
use writers::Flags;

pub use body::Body;
pub use compiled::Environment;
pub use flag::{Flag, FlagFeature, Reason};

/// An evaluation takes more work than a light one may.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooMuchWork;

impl Environment {
    /// The environment's id, as JSON text.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The environment's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The client-side key that the document names, `api_key`; may be empty. Never for a log.
    pub fn client_side_key(&self) -> &str {
        self.key_prefix.strip_suffix('_').unwrap_or_default()
    }

    /// Whether the organisation has stopped serving flags.
    pub fn stops_serving_flags(&self) -> bool {
        self.stops_serving_flags
    }

    /// Whether it has a feature of exactly this name, hidden from client-side keys or not.
    pub fn has_feature(&self, name: &str) -> bool {
        self.features.named(name).is_some()
    }

    /// The body of `flags/`: every visible flag's default, a JSON array in document order.
    pub fn flags(&self, kind: KeyKind) -> Vec<u8> {
        writers::flags(self, kind)
    }

    /// How many flags the body of `flags/` has.
    pub fn flag_count(&self, kind: KeyKind) -> usize {
        writers::flag_count(self, kind)
    }

    /// The body of `flags/?feature=name`: an exact name first, then without case. `None`: unknown or hidden.
    pub fn flag(&self, kind: KeyKind, name: &str) -> Option<Vec<u8>> {
        writers::flag(self, kind, name)
    }

    /// The body of `identities/`: identifier, the echo of the traits, the flags.
    pub fn identity_answer(&self, kind: KeyKind, identity: &Identity<'_>) -> Vec<u8> {
        let takes_traits = self.takes_traits(kind);
        writers::identity(
            &Evaluation::new(self, Some(identity), takes_traits),
            kind,
            identity,
            takes_traits,
        )
    }

    /// As [`Self::identity_answer`], for a thread that others wait for.
    ///
    /// # Errors
    /// Where it takes more than that: how much more, only the whole evaluation tells.
    pub fn light_identity_answer(
        &self,
        kind: KeyKind,
        identity: &Identity<'_>,
        work: LightWork,
    ) -> Result<Vec<u8>, TooMuchWork> {
        let takes_traits = self.takes_traits(kind);
        let evaluation = Evaluation::light(self, identity, takes_traits, work);
        let answer = writers::identity(&evaluation, kind, identity, takes_traits);
        if evaluation.is_given_up() {
            return Err(TooMuchWork);
        }
        Ok(answer)
    }

    /// As [`Self::identity_answer`], in gzip where the plain body has at least so many bytes. It is plain too where ready pieces make
    /// little of it, because the identity sent thousands of bytes.
    pub fn identity_answer_gzip(&self, kind: KeyKind, identity: &Identity<'_>, least: usize) -> Body {
        let takes_traits = self.takes_traits(kind);
        let evaluation = Evaluation::new(self, Some(identity), takes_traits);
        writers::identity_gzip(&evaluation, kind, identity, takes_traits, least)
    }

    /// As [`Self::identity_answer_gzip`], for a thread that others wait for.
    ///
    /// # Errors
    /// As [`Self::light_identity_answer`].
    pub fn light_identity_answer_gzip(
        &self,
        kind: KeyKind,
        identity: &Identity<'_>,
        least: usize,
        work: LightWork,
    ) -> Result<Body, TooMuchWork> {
        let takes_traits = self.takes_traits(kind);
        let evaluation = Evaluation::light(self, identity, takes_traits, work);
        let answer = writers::identity_gzip(&evaluation, kind, identity, takes_traits, least);
        if evaluation.is_given_up() {
            return Err(TooMuchWork);
        }
        Ok(answer)
    }

    /// How many bytes of memory the ready pieces of answers in gzip take. This is for tests and measurements.
    #[doc(hidden)]
    pub fn gzip_memory(&self) -> usize {
        self.gzip.memory()
    }

    /// As [`Self::identity_flag`], for a thread that others wait for.
    ///
    /// # Errors
    /// As [`Self::light_identity_answer`].
    pub fn light_identity_flag(
        &self,
        kind: KeyKind,
        identity: &Identity<'_>,
        name: &str,
        work: LightWork,
    ) -> Result<Option<Vec<u8>>, TooMuchWork> {
        let Some(feature) = self.features.named(name) else {
            return Ok(None);
        };
        let evaluation = Evaluation::light(self, identity, self.takes_traits(kind), work);
        let flag = writers::identity_flag(&evaluation, kind, feature);
        if evaluation.is_given_up() {
            return Err(TooMuchWork);
        }
        Ok(flag)
    }

    /// The body of `identities/?feature=name` (exact name). `None`: unknown or hidden.
    pub fn identity_flag(&self, kind: KeyKind, identity: &Identity<'_>, name: &str) -> Option<Vec<u8>> {
        let feature = self.features.named(name)?;
        writers::identity_flag(
            &Evaluation::new(self, Some(identity), self.takes_traits(kind)),
            kind,
            feature,
        )
    }

    /// The names of the segments that match, in document order. Flagsmith's engine evaluates without an identity (`None`)
    /// too. This is for diagnostics and tests: it evaluates every segment.
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

    /// Visits every flag that this kind of key may see, in document order. Without an identity (`None`) the result may
    /// differ from `flags/`: segments that need no identity count here, as in Flagsmith's engine.
    pub fn evaluate<'e>(
        &'e self,
        kind: KeyKind,
        identity: impl Into<Option<&'e Identity<'e>>>,
        visit: impl FnMut(Flag<'e>),
    ) {
        let evaluation = Evaluation::new(self, identity.into(), self.takes_traits(kind));
        Flags::write(&Choices::new(&evaluation, kind), visit);
    }

    /// As [`Self::identity_answer`], with how many steps it took, which are at most
    /// [`MOST_STEPS`](crate::MOST_STEPS). This is for tests and measurements.
    #[doc(hidden)]
    pub fn identity_answer_counted(&self, kind: KeyKind, identity: &Identity<'_>) -> (Vec<u8>, u32) {
        let takes_traits = self.takes_traits(kind);
        let evaluation = Evaluation::new(self, Some(identity), takes_traits);
        let answer = writers::identity(&evaluation, kind, identity, takes_traits);
        (answer, evaluation.steps())
    }

    /// A warning for each segment that has taken more work than an evaluation may do since the last call, once each: it did not
    /// match then. After most evaluations there are none, which one load tells. The warnings name the segments, never what
    /// was sent.
    pub fn take_exhausted(&self) -> Vec<Warning> {
        if self.exhaustion.waits() {
            self.report_exhausted()
        } else {
            Vec::new()
        }
    }

    #[cold]
    fn report_exhausted(&self) -> Vec<Warning> {
        let (places, options) = self.exhaustion.take();
        let segments = places.into_iter().filter_map(|place| self.segments.get(place));
        let segments = segments.map(|segment| Warning {
            part: format!("segment {:?}", segment.name),
            problem:
                "its conditions take more work than one request may for what was sent; it does not match then"
                    .to_owned(),
        });
        let options = options.then(|| Warning {
            part: "multivariate features".to_owned(),
            problem: "their percentages take more work than one request may for the identifier sent; the last of them \
                      answer their control values then"
                .to_owned(),
        });
        segments.chain(options).collect()
    }

    /// How many evaluations of segments were cut, since the document was compiled, because they took more work than one
    /// request may do.
    pub fn exhausted_evaluations(&self) -> u64 {
        self.exhaustion.evaluations()
    }

    /// Whether traits sent with this kind of key count: those of a client-side key do unless the environment's
    /// `allow_client_traits` is off.
    pub fn takes_traits(&self, kind: KeyKind) -> bool {
        self.allows_client_traits || kind == KeyKind::Server
    }
}
