//! A self-hosted Flagsmith edge proxy.
//!
//! # Layout
//! - [`application`]: the composition root, which tests use too.
//! - [`cli`]: the command line.
//! - [`settings`]: configuration file and environment variables.
//! - [`logging`]: formats and levels.
//! - [`routes`]: one file a resource; `routes/mod.rs` is the URL table.
//! - [`error`]: the one place that knows status codes.
//! - [`cors`], [`access_log`], [`drain`]: layers around the routes.
//! - [`compression`], [`conditional`]: what a request accepts, and what it holds already.
//! - [`open_files`]: how many connections the system allows.
//! - [`server`]: the HTTP server under the application; [`stop_signal`]: how its connections hear of a stop.
//! - [`service_state`]: whether the process drains or has lost an actor.
pub mod access_log;
pub mod application;
pub mod cli;
pub mod compression;
pub mod conditional;
pub mod cors;
pub mod drain;
pub mod error;
pub mod logging;
pub mod open_files;
pub mod routes;
pub mod server;
pub mod service_state;
pub mod settings;
pub mod stop_signal;

/// Event streams need an allocator with size classes. Each holds two buffers of 8 KiB of which it touches one page; the
/// system's allocator (glibc) cuts them at ever new places, so that over the hours every page has been touched: 15,000
/// streams that reconnect every 30 s grew by a fifth in two minutes. Its background threads give back what a replaced
/// document leaves behind: without, resident memory half a minute after a change of 5 MB is 4.5 times the document beyond
/// what the process takes idle.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
