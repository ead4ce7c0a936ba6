//! Start, memory, and what applying a document takes.
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use bench::child::{Memory, Server, Start};
use bench::cpu;
use bench::documents::{HUGE, LARGE, Profile, SIZING};
use bench::statistics::Sample;
use test_support::http::{Request, ask};

use super::options::Options;
use super::report::Report;
use super::requests::{flags_request, start_proxy_with};

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
            apply(name, what, profile, repetitions, options, report)?;
        }
    }
    for (name, what, profile) in [
        ("memory-sizing", "sizing", SIZING),
        ("memory-large", "sizing + 9,000 identity overrides", LARGE),
        ("memory-huge", "sizing + 100,000 identity overrides", HUGE),
    ] {
        let tells = is_large(profile) || options.beside.is_some();
        if tells && options.wants(name) {
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

/// The proxy with a document, and where there is another build to compare with, that one as well.
fn start_builds(profile: Profile, options: &Options) -> io::Result<Vec<Server>> {
    let other = options.beside.as_deref().map(Some);
    std::iter::once(None)
        .chain(other)
        .map(|build| {
            let start = Start {
                build,
                ..Start::default()
            };
            start_proxy_with(profile, start)
        })
        .collect()
}

/// CPU of the process from a changed file to the first answer from it.
fn apply(
    name: &str,
    what: &str,
    profile: Profile,
    repetitions: usize,
    options: &Options,
    report: &mut Report,
) -> io::Result<()> {
    let servers = start_builds(profile, options)?;
    let mut milliseconds = vec![Vec::new(); servers.len()];
    let mut size = 0;
    for edition in (1..).take(options.repetitions(repetitions) + 1) {
        let document = profile.document(edition);
        size = document.len();
        for (server, milliseconds) in servers.iter().zip(&mut milliseconds) {
            let before = cpu::time(server.process());
            replace_document(server, &document, edition)?;
            let spent = cpu::time(server.process()).saturating_sub(before);
            // The first change takes memory from the system, which the later ones use again.
            if edition > 1 {
                milliseconds.push(spent.as_secs_f64() * 1e3);
            }
        }
        thread::sleep(Duration::from_millis(1500));
    }
    let what = format!("applying {what}, {:.1} MB: CPU", megabytes(size));
    if let Some(own) = milliseconds.first() {
        report.measured(name, &what, &Sample::new(own.iter().copied()), "ms");
    }
    if let [own, other] = milliseconds.as_slice() {
        let ratios = own.iter().zip(other).map(|(own, other)| own / other);
        report.measured(
            &format!("{name}-beside"),
            &format!("{what}, beside the other build"),
            &Sample::new(ratios),
            "×",
        );
    }
    Ok(())
}

/// Replaces the proxy's document and waits until it is served.
fn replace_document(server: &Server, document: &[u8], edition: u32) -> io::Result<()> {
    server.replace_document(document)?;
    wait_for_edition(server, &flags_request(), &format!("edition {edition:010}"))
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
    let servers = start_builds(profile, options)?;
    let settled_memory = || -> io::Result<Vec<Memory>> {
        thread::sleep(settled(options));
        servers.iter().map(Server::memory).collect()
    };
    let first = settled_memory()?;
    let document = profile.document(1);
    for server in &servers {
        replace_document(server, &document, 1)?;
    }
    let second = settled_memory()?;
    let what = format!("{what}, {:.1} MB", megabytes(document.len()));
    for (name, what, memory) in [
        (name.to_owned(), what.clone(), first),
        (format!("{name}-again"), format!("{what}, changed once"), second),
    ] {
        if let (Some(own), true) = (memory.first(), is_large(profile)) {
            multiples(&name, &what, *own, document.len(), report);
        }
        if let [own, other] = memory.as_slice() {
            beside(&name, &what, *own, *other, report);
        }
    }
    Ok(())
}

/// Whether memory can be told in multiples of the document: the process alone takes more than a small one.
fn is_large(profile: Profile) -> bool {
    profile.identity_overrides > 0
}

fn multiples(name: &str, what: &str, memory: Memory, size: usize, report: &mut Report) {
    // Documents and memory are far below 2^52 bytes.
    #[allow(clippy::cast_precision_loss)]
    let times = |bytes: u64| Sample::new([(bytes as f64 - BASE) / size as f64]);
    let resident = format!(
        "(resident memory − 12 MiB) / document: {what} ({:.0} MiB)",
        mebibytes(memory.resident)
    );
    report.measured(
        &format!("{name}-settled"),
        &resident,
        &times(memory.resident),
        "×",
    );
    let peak = format!("the same at the peak: {what} ({:.0} MiB)", mebibytes(memory.peak));
    report.measured(&format!("{name}-peak"), &peak, &times(memory.peak), "×");
}

/// Memory beside that of the other build.
fn beside(name: &str, what: &str, own: Memory, other: Memory, report: &mut Report) {
    for (part, words, own, other) in [
        ("settled", "resident memory", own.resident, other.resident),
        ("peak", "memory at the peak", own.peak, other.peak),
    ] {
        let (own, other) = (mebibytes(own), mebibytes(other));
        let what = format!("{words}: {what} ({own:.1} MiB), beside the other build ({other:.1} MiB)");
        report.measured(
            &format!("{name}-{part}-beside"),
            &what,
            &Sample::new([own / other]),
            "×",
        );
    }
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
