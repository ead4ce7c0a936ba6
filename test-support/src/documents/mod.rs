//! Environment documents.
//!
//! # Layout
//! - `parts.rs`: what every document is put together from. `banner.rs`: the smallest ones, of one feature.
//! - `fixture.rs`: one with a feature of each sort.
mod banner;
mod fixture;
mod parts;

pub use banner::{document, later_page, page};
pub use fixture::{
    FIXTURE, HEAVY_IDENTIFIER, fixture, heavy_identity, with_heavy_segment, with_many_features,
};
pub use parts::{environment, feature_state, identity_override, uuid};
