//! What rows are made from.
//!
//! # Layout
//! - [`Proxy`]: the real program. [`volume`]: how much of something.
//! - `environments`: two environments and their documents, by versions, as upstream gives them.
//! - [`Clients`]: who asks them everything throughout a fault, with a `course` for each request, and a `stream`.
mod clients;
mod course;
pub(crate) mod environments;
#[allow(dead_code, reason = "each row uses what it needs of it")]
mod proxy;
mod stream;
mod volume;

pub(crate) use clients::{Clients, Seen};
pub(crate) use course::Sighting;
pub(crate) use proxy::Proxy;
pub(crate) use volume::{is_full, volume};
