//! What the process as a whole holds while an application runs and after it has stopped. A test binary of its own, since
//! the threads, descriptors and memory of the whole process are counted; hence one test at a time.
#![cfg(target_os = "linux")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in test functions; this is what those share"
)]
mod bodies;
mod configuration;
mod holdings;
mod leftovers;
mod process;
mod unread;
