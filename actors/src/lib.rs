//! The actors of the edge proxy. No HTTP server here: routes reach them through handles and messages.
//!
//! # Layout
//! - [`environment`]: the EnvironmentActor: owns the documents, polls, publishes.
//! - [`replica`]: one EnvironmentReplica a HTTP worker: what routes ask.
//! - [`served`]: what is published: snapshots of served environments with their ready bodies.
//! - [`keys`]: environment keys and what they open.
//! - [`upstream`]: fetching documents from the Flagsmith API, and sending requests on to it.
//! - [`forwarding`]: writes of callers that are sent on to it.
//! - [`write_through`]: identities that requests carry, written to it in the background.
//! - [`sse_hub`]: the SseHub: who is subscribed to which environment, and telling them of a change.
//! - [`upstream_stream`]: listening to Flagsmith's realtime service for changes.
//! - [`analytics`]: the counts of evaluations that SDKs send, summed and sent on to upstream.
//! - [`store`]: what survives a restart, on disk.
//! - [`lifeline`]: the death watch on every actor. [`actor_thread`]: the thread of one actor, which ends with it.
//! - [`trace`]: what requests and polls bring about, as spans, and the context that goes with them.
//! - [`no_pipe`]: files that are read without waiting for anybody.
//! - [`in_line`]: names from outside within a line of the program's own.
//! - [`counts`]: counters of all of them, for whoever looks.
//! - [`threads`]: blocking work, beside the threads that others wait for.
//! - `fuzz`: fuzz targets, behind the feature `fuzzing`.
//! - `fault`: breaking an actor on purpose, for tests.
pub mod actor_thread;
pub mod analytics;
pub mod counts;
pub mod environment;
#[cfg(feature = "fault-injection")]
pub mod fault;
pub mod forwarding;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
pub mod in_line;
pub mod keys;
pub mod lifeline;
pub mod no_pipe;
pub mod replica;
pub mod served;
pub mod sse_hub;
pub mod store;
pub mod threads;
pub mod trace;
pub mod upstream;
pub mod upstream_stream;
pub mod write_through;
