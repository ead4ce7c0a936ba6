//! Start, memory, and what applying a document takes.
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bench::child::Server;
use bench::cpu;
use bench::documents::{HUGE, LARGE, Profile, SIZING};
use bench::statistics::Sample;
use test_support::http::{Request, ask};

use super::options::Options;
use super::report::Report;
use super::requests::{flags_request, start_proxy};

const MEBIBYTE: f64 = (1 << 20) as f64;

/// The wait between the moment a document is served and the reading of memory.
const SETTLED: Duration = Duration::from_secs(30);

/// The memory that a proxy without a document may take; the limits for documents come on top of it.
const BASE: f64 = 12.0 * MEBIBYTE;

/// Measures every row that is wanted.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    start(options, report)?;
    idle(options, report)?;
    for (name, what, profile, repetitions) in [
        ("apply-sizing", "sizing", SIZING, 9),
        ("apply-large", "sizing + 9,000 identity overrides", LARGE, 5),
        ("apply-huge", "sizing + 100,000 identity overrides", HUGE, 3),
    ] {
        if options.wants(name) {
            apply(name, what, profile, options.repetitions(repetitions), report)?;
        }
    }
    for (name, what, profile) in [
        ("memory-large", "sizing + 9,000 identity overrides", LARGE),
        ("memory-huge", "sizing + 100,000 identity overrides", HUGE),
    ] {
        if options.wants(name) {
            memory(name, what, profile, options, report)?;
        }
    }
    Ok(())
}

fn demonstration() -> (&'static Path, Request) {
    let request = Request::get("/api/v1/flags/").key("demo_client_side_key");
    (Path::new("config/config.json"), request)
}

fn start(options: &Options, report: &mut Report) -> io::Result<()> {
    const NAME: &str = "start";
    if !options.wants(NAME) {
        return Ok(());
    }
    let (config, request) = demonstration();
    let mut milliseconds = Vec::new();
    for _ in 0..options.repetitions(21) {
        let server = Server::start_proxy_on(config)?;
        server.wait_for(&request, 200)?;
        milliseconds.push(server.started.elapsed().as_secs_f64() * 1e3);
    }
    report.measured(
        NAME,
        "from exec to the first answered request",
        &Sample::new(milliseconds),
        "ms",
    );
    Ok(())
}

fn idle(options: &Options, report: &mut Report) -> io::Result<()> {
    const NAME: &str = "memory-idle";
    if !options.wants(NAME) {
        return Ok(());
    }
    let (config, request) = demonstration();
    let server = Server::start_proxy_on(config)?;
    server.wait_for(&request, 200)?;
    thread::sleep(settled(options));
    let resident = mebibytes(server.memory()?.resident);
    report.measured(
        NAME,
        "resident memory, demonstration environment",
        &Sample::new([resident]),
        "MiB",
    );
    Ok(())
}

/// CPU of the process from a changed file to the first answer from it.
fn apply(
    name: &str,
    what: &str,
    profile: Profile,
    repetitions: usize,
    report: &mut Report,
) -> io::Result<()> {
    let server = start_proxy(profile)?;
    let request = flags_request();
    let mut milliseconds = Vec::new();
    let mut size = 0;
    for edition in (1..).take(repetitions + 1) {
        let document = profile.document(edition);
        size = document.len();
        let mark = format!("edition {edition:010}");
        let before = cpu::time(server.process());
        server.replace_document(&document)?;
        wait_for_edition(&server, &request, &mark)?;
        let spent = cpu::time(server.process()).saturating_sub(before);
        // The first change takes memory from the system, which the later ones use again.
        if edition > 1 {
            milliseconds.push(spent.as_secs_f64() * 1e3);
        }
        thread::sleep(Duration::from_millis(1500));
    }
    let what = format!("applying {what}, {:.1} MB: CPU", megabytes(size));
    report.measured(name, &what, &Sample::new(milliseconds), "ms");
    Ok(())
}

/// Asks seldom, because asking costs what is measured.
fn wait_for_edition(server: &Server, request: &Request, mark: &str) -> io::Result<()> {
    const PATIENCE: Duration = Duration::from_secs(60);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        thread::sleep(Duration::from_millis(50));
        let response = ask(server.address, request)?;
        if response
            .body
            .windows(mark.len())
            .any(|window| window == mark.as_bytes())
        {
            return Ok(());
        }
    }
    Err(io::Error::other("the changed document is not served"))
}

/// Memory after a document and after another one took its place, in multiples of the document beyond the base.
fn memory(
    name: &str,
    what: &str,
    profile: Profile,
    options: &Options,
    report: &mut Report,
) -> io::Result<()> {
    let server = start_proxy(profile)?;
    thread::sleep(settled(options));
    let first = server.memory()?;
    let document = profile.document(1);
    server.replace_document(&document)?;
    wait_for_edition(&server, &flags_request(), "edition 0000000001")?;
    thread::sleep(settled(options));
    let second = server.memory()?;
    let size = document.len();
    // Documents and memory are far below 2^52 bytes.
    #[allow(clippy::cast_precision_loss)]
    let times = |bytes: u64| (bytes as f64 - BASE) / size as f64;
    let what = format!("{what}, {:.1} MB", megabytes(size));
    for (name, what, memory) in [
        (name.to_owned(), what.clone(), first),
        (format!("{name}-again"), format!("{what}, changed once"), second),
    ] {
        let resident = format!(
            "(resident memory − 12 MiB) / document: {what} ({:.0} MiB)",
            mebibytes(memory.resident)
        );
        report.measured(
            &format!("{name}-settled"),
            &resident,
            &Sample::new([times(memory.resident)]),
            "×",
        );
        let peak = format!("the same at the peak: {what} ({:.0} MiB)", mebibytes(memory.peak));
        report.measured(
            &format!("{name}-peak"),
            &peak,
            &Sample::new([times(memory.peak)]),
            "×",
        );
    }
    Ok(())
}

fn settled(options: &Options) -> Duration {
    if options.quick {
        Duration::from_secs(3)
    } else {
        SETTLED
    }
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / MEBIBYTE
}

#[allow(clippy::cast_precision_loss, reason = "far below 2^52 bytes")]
fn megabytes(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}
