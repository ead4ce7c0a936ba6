//! Building answers: constant headers, and bodies that are ready where they can be.
//!
//! # Layout
//! - `preconditions`: whether the caller holds the current copy already.
//! - `encodings`: which content coding the caller accepts best.
//! - `bodies`: the answers themselves.
//! - `held_body`: large ones that exist for one request only, and what they may take together.
mod bodies;
mod encodings;
mod held_body;
mod preconditions;

pub use bodies::ready;
pub(crate) use bodies::refused;
pub(super) use bodies::{json, single};
