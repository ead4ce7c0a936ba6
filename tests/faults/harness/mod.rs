//! What rows are made from.
//!
//! # Layout
//! - [`Proxy`]: the real program. [`volume`]: how much of something.
#[allow(dead_code, reason = "each row uses what it needs of it")]
mod proxy;
mod volume;

pub(crate) use proxy::Proxy;
pub(crate) use volume::volume;
