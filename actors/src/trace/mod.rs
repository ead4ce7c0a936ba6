//! What is traced: requests, polls and what they bring about, as spans of one trace.
//!
//! It knows nothing of collectors: finished spans go into a bounded queue, from which the process sends them on.
//!
//! # Layout
//! - [`Tracer`] (`tracer`): begins and ends whole traces; [`Sampler`] (`sampler`): which of them are recorded.
//! - [`Trace`], [`Child`] (`open`): spans that have begun.
//! - [`Span`] (`span`): one that has ended, with what is known of it.
//! - `current`: what this thread works on: log lines and requests to upstream name it.
//! - [`Caller`] (`caller`): the context that comes with a request, and what is sent on, by W3C Trace Context and Baggage.
//! - [`TraceId`], [`SpanId`] (`ids`).
//! - [`SpanQueue`] (`queue`): finished spans on their way to whoever sends them.
mod caller;
mod current;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod ids;
mod open;
mod queue;
mod sampler;
mod span;
mod tracer;

pub use caller::{Caller, Propagators, TraceContext};
pub use current::{Entered, Within, current, current_ids, enter, within};
pub use ids::{SpanId, TraceId};
pub use open::{Child, Trace, begin};
pub use queue::{QueueOptions, SpanQueue};
pub use sampler::{RootSampler, Sampler};
pub use span::{Attribute, Outcome, Span, SpanKind, Text, Value};
pub use tracer::Tracer;
