//! Holds many event streams against an edge proxy of its own and measures what they cost.
//!
//! `cargo run --release --example sse_load -- MODE [--streams N] [--changes N] [--spread auto|MILLISECONDS] …`
//!
//! Each mode starts an upstream and a server (this program again, as a child process) and prints its figures:
//! - `fan-out`: KiB a stream, delivered of subscribed, latencies, server CPU a delivery (15,000 streams).
//! - `churn`: streams of 30 s that reconnect for two minutes: refusals, memory, descriptors left.
//! - `stuck`: deliveries to 5,000 beside 500 subscribers that never read, against those without them.
//! - `herd`: flag requests at 500 a second while 15,000 subscribers are told and refetch, with the spread and without.
//! - `drain`: SIGTERM with 5,000 open streams.
//! - `refused`: clients past the cap that come back at once, refused at once, held and put off: requests, CPU, KiB a client.
//!
//! # Layout
//! - [`arguments`], [`server`], [`upstream`]: what is run.
//! - [`fleet`]: the streams. [`http`]: requests beside them. [`figures`]: percentiles, memory, processor time.
//! - [`modes`], [`herd`], [`refused`]: the measurements.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs,
    reason = "a measurement that cannot go on fails by panicking"
)]
use std::process::ExitCode;

mod arguments;
mod figures;
mod fleet;
mod herd;
mod http;
mod modes;
mod refused;
mod server;
mod upstream;

use arguments::Arguments;

fn main() -> ExitCode {
    let arguments = Arguments::parse(std::env::args().skip(1));
    if arguments.mode == "serve" {
        return server::serve(&arguments);
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    edge_proxy::server::open_files::raise_limit();
    let measured = runtime.block_on(tokio::task::LocalSet::new().run_until(modes::run(&arguments)));
    if measured {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
