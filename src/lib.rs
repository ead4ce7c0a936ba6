//! A self-hosted Flagsmith edge proxy.
//!
//! # Layout
//! - [`application`]: the composition root, which tests use too.
//! - [`cli`]: the command line.
//! - [`settings`]: configuration file and environment variables.
//! - [`logging`]: formats and levels.
//! - [`routes`]: one file a resource; `routes/mod.rs` is the URL table.
//! - [`error`]: the one place that knows status codes.
pub mod application;
pub mod cli;
pub mod error;
pub mod logging;
pub mod routes;
pub mod settings;
