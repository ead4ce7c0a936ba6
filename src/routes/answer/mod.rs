//! Building answers: constant headers, and bodies that are ready where they can be.
//!
//! # Layout
//! - `preconditions`: whether the caller holds the current copy already.
//! - `encodings`: which content coding the caller accepts best.
//! - `caching`: how answers may be cached.
//! - `bodies`: the answers themselves.
//! - `held_body`: large ones that exist for one request only, and what they may take together.
mod bodies;
mod caching;
mod encodings;
mod held_body;
mod preconditions;

pub use bodies::ready;
pub(super) use bodies::{forwarded, note, nothing, single};
pub(crate) use bodies::{json, options, refused, stream};
pub(super) use encodings::prefers_gzip;
#[cfg(any(test, feature = "fuzzing"))]
pub(super) use preconditions::fuzz_date;
