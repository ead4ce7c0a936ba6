//! Why a flag is what it is.
//!
//! Value, state and reason are those of the evaluation that answers requests, and so is whether each segment matches; here they are
//! put into words. Pure, and bounded: documents have thousands of features, segments and overrides.
//!
//! # Layout
//! - [`Environment::explain`] makes an [`Explanation`] (`report`), which `text` writes for people.
//! - `features`: each feature, from the segments that override it. `segments`: each segment, and the `conditions` that keep it
//!   from matching, with `remarks` on what surprises people about them; `comparisons`: those on comparisons.
//! - `subject`: the identity. `nearest`: names that are nearly another one. `words`: values and types.
mod comparisons;
mod conditions;
mod features;
mod nearest;
mod remarks;
mod report;
mod segments;
mod subject;
mod text;
mod words;

use crate::document::Document;
use crate::environment::Environment;
use crate::environment::compile::DocumentSource;
use crate::{DocumentError, Identity, KeyKind};
use conditions::Asked;
use nearest::Effort;

pub use report::{
    Bucket, Candidate, ExplainedCondition, ExplainedFeature, ExplainedIdentity, ExplainedOption,
    ExplainedSegment, ExplainedSplit, ExplainedTrait, Explanation, FoundValue, NearestIdentifier, Outcome,
    SegmentSplit,
};

/// More segments of an explanation are counted, not told.
const MOST_SEGMENTS: usize = 1000;

/// What is to be explained.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// What the key may see that asks.
    pub kind: KeyKind,
    /// Who is asked about; `None`: nobody, as `flags/` answers.
    pub identity: Option<&'q Identity<'q>>,
    /// The exact name of one feature; `None`: all.
    pub feature: Option<&'q str>,
}

/// Why nothing is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ExplainError {
    /// The environment has no feature of this name. This one has nearly the same.
    UnknownFeature(Option<String>),
    /// The document is none.
    Document(DocumentError),
}

impl std::fmt::Display for ExplainError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::UnknownFeature(None) => f.write_str("the environment has no feature of this name"),
            Self::UnknownFeature(Some(near)) => write!(
                f,
                "the environment has no feature of this name; it has {near:?}: misspelt?"
            ),
            Self::Document(error) => write!(f, "the document cannot be read: {error}"),
        }
    }
}

impl std::error::Error for ExplainError {}

impl Environment {
    /// Explains an answer of this environment; `document` is the one that it was compiled from, or that is served of it. Takes
    /// its time (as long as the document takes to be read, and some 0.2 s at most beside): not for a request's thread.
    ///
    /// # Errors
    /// Where it has no such feature. Hidden ones are explained too.
    pub fn explain(&self, document: &Document, question: Question<'_>) -> Result<Explanation, ExplainError> {
        let Question {
            kind,
            identity,
            feature,
        } = question;
        let place = match feature {
            None => None,
            Some(name) => Some(
                self.feature_place(name)
                    .ok_or_else(|| self.unknown_feature(name))?,
            ),
        };
        let source = DocumentSource::read(document).map_err(ExplainError::Document)?;
        let examination = self.examine(kind, identity, place);
        let asked = Asked::new(self, identity, self.takes_traits(kind));
        let told = examination.segments.iter().take(MOST_SEGMENTS);
        Ok(Explanation {
            environment: self.name().to_owned(),
            key: match kind {
                KeyKind::Client => "client-side",
                KeyKind::Server => "server-side",
            },
            identity: identity.map(|identity| subject::explain_identity(self, identity, asked.traits_count)),
            notes: self.notes(&asked),
            features: features::explain(&examination, &source),
            segments: told.map(|own| segments::explain(own, &source, &asked)).collect(),
            segments_left_out: examination.segments.len().saturating_sub(MOST_SEGMENTS),
        })
    }

    /// What holds for the whole answer.
    fn notes(&self, asked: &Asked<'_>) -> Vec<String> {
        let mut notes = Vec::new();
        if self.stops_serving_flags() {
            notes.push(
                "the organisation has stopped serving flags: every request is answered 403; what follows would be \
                 answered otherwise"
                    .to_owned(),
            );
        }
        match asked.identity {
            None => notes.push(
                "without an identity there are no segments (but those that ask for other flags alone), no identity \
                 overrides and no multivariate options, as flags/ answers"
                    .to_owned(),
            ),
            Some(identity) if !asked.traits_count && !identity.traits().is_empty() => notes.push(
                "the environment takes no traits with client-side keys (allow_client_traits is off): those sent do not \
                 count"
                    .to_owned(),
            ),
            Some(_) => {}
        }
        notes
    }

    fn unknown_feature(&self, name: &str) -> ExplainError {
        let near = nearest::nearest(name, self.feature_names(), &Effort::new());
        ExplainError::UnknownFeature(near.map(|(near, _)| near.to_owned()))
    }
}
