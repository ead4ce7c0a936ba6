use std::time::Duration;

use actors::upstream::Fault;

/// Why something was not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// In words that hold nothing of what was sent, nor of the answer.
    pub(super) why: String,
    /// Whether another attempt may have another outcome.
    pub(super) may_be_retried: bool,
    /// What the collector asks to wait before it.
    pub(super) wait: Option<Duration>,
}

impl Refusal {
    /// Another attempt would be refused, too.
    pub(super) fn last(why: impl Into<String>) -> Self {
        Self {
            why: why.into(),
            may_be_retried: false,
            wait: None,
        }
    }

    /// Another attempt may be taken.
    pub(super) fn passing(why: impl Into<String>, wait: Option<Duration>) -> Self {
        Self {
            why: why.into(),
            may_be_retried: true,
            wait,
        }
    }

    pub(super) fn late() -> Self {
        Self::passing("it does not answer in time (OTEL_EXPORTER_OTLP_TIMEOUT)", None)
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::passing(fault.to_string(), None)
    }
}
