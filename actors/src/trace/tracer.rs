use std::sync::Arc;
use std::time::Instant;

use super::caller::{Caller, Propagators};
use super::open::Trace;
use super::queue::SpanQueue;
use super::sampler::Sampler;
use super::span::{Outcome, SpanKind};

/// Begins traces, and takes their spans when they end. Clones are one.
#[derive(Debug, Clone)]
pub struct Tracer {
    sampler: Sampler,
    propagators: Propagators,
    queue: Arc<SpanQueue>,
}

impl Tracer {
    /// One whose spans go into this queue. It takes callers' contexts and passes them on.
    pub fn new(sampler: Sampler, queue: Arc<SpanQueue>) -> Self {
        Self {
            sampler,
            propagators: Propagators::default(),
            queue,
        }
    }

    /// The same, which takes and passes on these alone.
    #[must_use]
    pub fn with_propagators(self, propagators: Propagators) -> Self {
        Self { propagators, ..self }
    }

    /// What is taken of a caller's context.
    pub fn propagators(&self) -> Propagators {
        self.propagators
    }

    /// Begins work of its own, or the caller's, where there is one.
    pub fn begin(&self, caller: Caller) -> Trace {
        self.begin_at(caller, Instant::now())
    }

    /// The same, which began at this moment.
    pub fn begin_at(&self, caller: Caller, begun: Instant) -> Trace {
        Trace::begin(self.sampler, self.propagators, caller, begun)
    }

    /// Ends what [`begin`](Self::begin) began, with all its children. Where it is not recorded, `outcome` is not asked.
    pub fn end(&self, trace: Trace, kind: SpanKind, outcome: impl FnOnce() -> Outcome) {
        self.end_at(trace, kind, outcome, Instant::now());
    }

    /// The same, which ended at this moment.
    pub fn end_at(&self, trace: Trace, kind: SpanKind, outcome: impl FnOnce() -> Outcome, ended: Instant) {
        if let Some(spans) = trace.end(kind, outcome, ended) {
            self.queue.push(spans);
        }
    }
}
