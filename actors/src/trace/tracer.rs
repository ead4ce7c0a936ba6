use std::sync::Arc;

use super::caller::Caller;
use super::open::Trace;
use super::queue::SpanQueue;
use super::sampler::Sampler;
use super::span::{Outcome, SpanKind};

/// Begins traces, and takes their spans when they end. Clones are one.
#[derive(Debug, Clone)]
pub struct Tracer {
    sampler: Sampler,
    queue: Arc<SpanQueue>,
}

impl Tracer {
    /// One whose spans go into this queue.
    pub fn new(sampler: Sampler, queue: Arc<SpanQueue>) -> Self {
        Self { sampler, queue }
    }

    /// Begins work of its own, or the caller's, where there is one.
    pub fn begin(&self, caller: Caller) -> Trace {
        Trace::begin(self.sampler, caller)
    }

    /// Ends what [`begin`](Self::begin) began, with all its children. Where it is not recorded, `outcome` is not asked.
    pub fn end(&self, trace: Trace, kind: SpanKind, outcome: impl FnOnce() -> Outcome) {
        if let Some(spans) = trace.end(kind, outcome) {
            self.queue.push(spans);
        }
    }
}
