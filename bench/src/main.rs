//! `make bench`: the proxy beside a bare actix-web handler, what it takes to run, and what the engine takes; written to
//! `BENCHMARKS.md` and compared with `bench/limits.json`.
//!
//! # Layout
//! - `program/options.rs`: the command line. `program/report.rs`: the table. `program/limits.rs`: what may not be exceeded.
//! - `program/requests.rs`: CPU per request beside the bare handler; `program/cases.rs`: which requests.
//! - `program/tls.rs`: the same over TLS.
//! - `program/clients.rs`: the same as SDKs send them. `program/http2.rs`: over HTTP/2.
//! - `program/footprint.rs`: start, memory, applying.
//! - `program/scrape.rs`: how long a scrape of metrics takes.
//! - `program/disturbance.rs`: latency while documents change. `program/overload.rs`: latency under too much load.
//! - `program/telemetry.rs`: latency with spans, whatever their collector does. `program/evaluation.rs`: the engine alone.
//! - `program/machine.rs`: what it ran on.
#![allow(
    clippy::expect_used,
    reason = "a benchmark that cannot run has nothing to go on with"
)]
use std::io;
use std::process::ExitCode;

mod program;

use program::limits::Limits;
use program::options::{Options, USAGE};
use program::report::Report;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(options) = Options::parse(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(64);
    };
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("the benchmark failed: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Whether all is well: false where a limit is exceeded and `--check` asks.
fn run(options: &Options) -> io::Result<bool> {
    let limits = Limits::read(&options.limits)?;
    let mut report = Report::new(options, limits);
    program::requests::measure(options, &mut report);
    if !options.metrics {
        measure_the_rest(options, &mut report)?;
    }
    if let Some(path) = &options.write {
        std::fs::write(path, report.markdown())?;
        eprintln!("written: {}", path.display());
    }
    let exceeded = report.exceeded();
    for line in &exceeded {
        eprintln!("above its limit: {line}");
    }
    Ok(exceeded.is_empty() || !options.check)
}

fn measure_the_rest(options: &Options, report: &mut Report) -> io::Result<()> {
    program::tls::measure(options, report)?;
    program::clients::measure(options, report)?;
    program::http2::measure(options, report);
    program::footprint::measure(options, report)?;
    program::scrape::measure(options, report)?;
    program::disturbance::measure(options, report)?;
    program::overload::measure(options, report)?;
    program::telemetry::measure(options, report)?;
    program::evaluation::measure(options, report);
    Ok(())
}
