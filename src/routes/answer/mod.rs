//! Building answers: constant headers, and bodies that are ready where they can be.
//!
//! # Layout
//! - `preconditions`: whether the caller holds the current copy already.
//! - `encodings`: which content coding the caller accepts best.
//! - `bodies`: the answers themselves.
mod bodies;
mod encodings;
mod preconditions;

pub use bodies::ready;
pub(super) use bodies::{json, refused, single};
