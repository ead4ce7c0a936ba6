//! What is made of an evaluation's choices.
//!
//! # Layout
//! - `bytes`: the bodies that Flagsmith's API answers. `flags`: each flag with its parts.
mod bytes;
mod flags;

pub(super) use bytes::{flag, flags, identity, identity_flag};
pub(super) use flags::Flags;
