//! The engine from outside: against Flagsmith's Python pipeline, against core's recorded answers, and what always holds.
//!
//! # Layout
//! - `differential`: generated documents, compared live with the pipeline (`oracle` talks to it).
//! - `recorded`: cases that were recorded from the pipeline. `recorded_answers`: flags as core answered them.
//! - `bounds`: explanations of large documents.
//! - `claims`: whatever explanations claim, asked of the engine again.
//! - `explained`: explanations against answers. `blamed`: what they say against the pipeline, live.
//! - `properties`: what no document, no request body and no trait may do to the engine.
//! - `texts`: explanations as people read them; `odd`: what they say of odd documents.
//! - `tree`: JSON whose numbers keep their text; `shared_cases.rs` uses it too.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unreachable,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod blamed;
mod bounds;
mod claims;
mod differential;
mod explained;
mod odd;
mod oracle;
mod properties;
mod recorded;
mod recorded_answers;
mod texts;
mod tree;
