//! One evaluation of version 2, as it comes and as it is kept.
use std::fmt;

use hashbrown::Equivalent;

/// One evaluation as `analytics/flags/` of version 2 has it, as a request carries it. `Debug` shows no identifier.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct EvaluationRef<'r> {
    /// The feature's name.
    pub feature: &'r str,
    /// The identity's identifier.
    pub identity: Option<&'r str>,
    /// Whether the flag was enabled.
    pub enabled: bool,
}

/// The same, kept. `Debug` shows no identifier.
#[derive(Clone, PartialEq, Eq, Hash)]
pub(super) struct Evaluation {
    pub(super) feature: Box<str>,
    pub(super) identity: Option<Box<str>>,
    pub(super) enabled: bool,
}

impl Evaluation {
    pub(super) fn borrowed(&self) -> EvaluationRef<'_> {
        EvaluationRef {
            feature: &self.feature,
            identity: self.identity.as_deref(),
            enabled: self.enabled,
        }
    }
}

impl From<EvaluationRef<'_>> for Evaluation {
    fn from(evaluation: EvaluationRef<'_>) -> Self {
        Self {
            feature: evaluation.feature.into(),
            identity: evaluation.identity.map(Into::into),
            enabled: evaluation.enabled,
        }
    }
}

impl Equivalent<Evaluation> for EvaluationRef<'_> {
    fn equivalent(&self, kept: &Evaluation) -> bool {
        *self == kept.borrowed()
    }
}

impl fmt::Debug for EvaluationRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Evaluation")
            .field("feature", &self.feature)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Evaluation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.borrowed().fmt(f)
    }
}
