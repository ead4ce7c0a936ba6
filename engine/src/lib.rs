//! Flagsmith environment documents, compiled once and evaluated per request, as Flagsmith's own (Python) engine does.
//!
//! The crate is pure: no async, no I/O, no actors.
//!
//! # Layout
//! - `document`: one fetched environment document: checked, merged from its pages, compared by content, served.
//! - `environment`: the compiled [`Environment`] and what it answers.
//! - `explain`: why a flag is what it is, for people.
//! - `identity`: what a caller of `identities/` sends.
//! - `condition`: segment conditions: operators, values, regexes, JSONPath.
//! - `gzip`: answers in gzip, put together from ready pieces.
//! - `hashing`: percentage hashes.
//! - `fuzz`: fuzz targets, behind the feature `fuzzing`.
//! - `python`: Python's numbers and texts, which the reference engine's results depend on.

mod condition;
mod document;
mod environment;
pub mod explain;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
mod gzip;
mod hashing;
mod identity;
mod json;
mod key_kind;
mod python;
mod updated_at;
mod warning;

pub use condition::{LightWork, MOST_STEPS};
pub use document::{ContentDigest, Document, DocumentError};
pub use environment::{Body, Environment, Flag, FlagFeature, Reason, TooMuchWork};
pub use identity::{Identity, IdentityError, LastingTrait};
pub use key_kind::KeyKind;
pub use updated_at::UpdatedAt;
pub use warning::Warning;
