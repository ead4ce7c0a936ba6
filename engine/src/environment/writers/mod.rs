//! Writers: they make answers of an evaluation's choices.
//!
//! # Layout
//! - `bytes`: writes the bodies that Flagsmith's API answers. `gzip`: writes them in gzip. `flags`: gives each flag with its parts.
mod bytes;
mod flags;
mod gzip;

pub(super) use bytes::{flag, flag_count, flags, identity, identity_flag};
pub(super) use flags::Flags;
pub(super) use gzip::identity_gzip;
