//! What tests of this crate and of those above it share.
#![allow(dead_code, reason = "each test binary uses its part")]

pub mod documents;
pub mod scripted_upstream;
