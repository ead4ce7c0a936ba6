//! What a request costs the server, beside the same server without the part in question.
//!
//! CPU time per request of the server's process holds on a noisy machine where requests per second do not; rounds of
//! the servers compared are interleaved, and medians are given.
//!
//! # Layout
//! - `main.rs` and what is below `src/program/`: `make bench`, the whole table.
//! - `bin/bare.rs`: the bare handler that the proxy is compared with.
//! - `bin/replica-message.rs`: the same handler with and without asking its worker's replica.
//! - [`comparison`]: interleaved rounds. [`load`], [`http2`]: requests without a pause. [`cpu`]: the server's CPU time.
//! - [`child`]: servers as processes of their own. [`documents`]: what is served.
//!   [`hostile`]: what takes most work. [`clients`]: what SDKs send. [`statistics`]: medians and quartiles.
#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to go on with"
)]

pub mod child;
pub mod clients;
pub mod comparison;
pub mod cpu;
pub mod documents;
pub mod hostile;
pub mod http2;
pub mod load;
pub mod statistics;
