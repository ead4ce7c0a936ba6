//! A self-hosted Flagsmith edge proxy.
//!
//! # Layout
//! - [`application`]: the composition root, which tests use too.
//! - `admin`: the admin port; one file a resource, `admin/mod.rs` is its URL table.
//! - [`cli`]: the command line; [`commands`]: what its commands do.
//! - [`doctor`]: `edge-proxy doctor`.
//! - `explain`: why a flag is what it is: `edge-proxy explain`, and the admin port's `/explain`.
//! - [`health_check`]: `edge-proxy health`.
//! - [`snapshot`]: `edge-proxy snapshot`.
//! - [`settings`]: the configuration file and the environment variables.
//! - [`logging`]: formats, levels and the access log's lines.
//! - [`server`]: the listener, its sockets, the stop signal and the limit of open files.
//! - `layers`: what holds for every request: who hears of it, how a drain ends its connection, its path, CORS.
//! - [`routes`]: one file a resource; `routes/mod.rs` is the URL table, `routes/answer/` builds the answers.
//! - `error`: why a request gets no regular answer; the one place that knows status codes.
//! - `fuzz`: fuzz targets, behind the feature `fuzzing`.
//! - `metrics`: what the process does, in numbers; `process`: what the system says of it.
//! - `budget`: bytes that the whole process may hold.
//! - `live`: values that requests read and a new configuration replaces.
//! - `loopback`: where a server of this machine is asked.
//! - `telemetry`: spans and figures for a collector, by OTLP.
//! - [`serving_record`]: where the process serves, for `edge-proxy health`.
//! - `service_state`: whether the process drains or has lost an actor.
//!
//! # The walk of an environment key
//! `X-Environment-Key` passes these rooms from the socket to the bytes of the answer, and none of them twice:
//! 1. [`server`]: a worker takes the connection and reads the request's head.
//! 2. `layers`: observe, closing answers, paths, CORS.
//! 3. `routes/flags.rs`, or another route, which the URL table finds.
//! 4. `routes/resolve.rs` takes the key from the headers and asks the worker's replica.
//! 5. `actors::replica` answers with the environment and what the key may see.
//! 6. `engine` evaluates, for the route that has the environment now.
//! 7. `routes/answer/` settles preconditions and the encoding, and builds the answer; `error` has its status where a
//!    request is refused.

mod admin;
pub mod application;
mod budget;
pub mod cli;
pub mod commands;
pub mod doctor;
mod error;
mod explain;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzz;
pub mod health_check;
mod layers;
mod live;
pub mod logging;
mod loopback;
mod metrics;
mod process;
pub mod routes;
pub mod server;
mod service_state;
pub mod serving_record;
pub mod settings;
pub mod snapshot;
mod telemetry;

/// Event streams need an allocator with size classes. Each holds two buffers of 8 KiB of which it touches one page; the
/// system's allocator (glibc) cuts them at ever new places, so that over the hours every page has been touched: 15,000
/// streams that reconnect every 30 s grew by a fifth in two minutes. Its background threads give back what a replaced
/// document leaves behind: without, resident memory half a minute after a change of 5 MB is 4.5 times the document beyond
/// what the process takes idle.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;
