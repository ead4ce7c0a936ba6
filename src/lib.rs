//! A self-hosted Flagsmith edge proxy.
//!
//! # Layout
//! - [`application`]: the composition root, which tests use too.
//! - [`cli`]: the command line.
//! - [`settings`]: configuration file and environment variables.
//! - [`logging`]: formats and levels.
//! - [`routes`]: one file a resource; `routes/mod.rs` is the URL table.
//! - [`error`]: the one place that knows status codes.
//! - [`layers`]: around the routes: who is told, what a drain ends, CORS.
//! - [`server`]: the HTTP server under the application: listener, sockets, stop signal, open files.
//! - [`service_state`]: whether the process drains or has lost an actor.
#![warn(unreachable_pub)]

pub mod application;
pub mod cli;
mod error;
mod layers;
pub mod logging;
pub mod routes;
pub mod server;
mod service_state;
pub mod settings;

/// Event streams need an allocator with size classes. Each holds two buffers of 8 KiB of which it touches one page; the
/// system's allocator (glibc) cuts them at ever new places, so that over the hours every page has been touched: 15,000
/// streams that reconnect every 30 s grew by a fifth in two minutes. Its background threads give back what a replaced
/// document leaves behind: without, resident memory half a minute after a change of 5 MB is 4.5 times the document beyond
/// what the process takes idle.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
