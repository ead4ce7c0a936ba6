//! Starting the programs, and asking through them.
//!
//! # Layout
//! - `installed`: where a program is, or why its test is skipped.
//! - `flagsmith`: the upstream, with two environments. `edge`: the proxy itself.
//! - `front`: a program in front of it, on a port of the system's choice.
//! - `client`: requests with what they must be answered, and many clients at a time.
mod client;
mod edge;
mod flagsmith;
mod front;
mod installed;

pub(crate) use client::{Line, Tally, ask_all, mixed_requests, offers};
pub(crate) use edge::{Edge, Events};
pub(crate) use flagsmith::{Environment, Flagsmith, ONE, TWO, Version};
pub(crate) use front::{Front, TempFolder};
pub(crate) use installed::installed;
