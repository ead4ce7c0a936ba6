//! What requests pay for their spans: beside the same proxy without any, with a collector that takes them, one that is gone and
//! one that never answers.
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bench::child::{Server, Start};
use bench::documents::SIMPLE;
use bench::statistics::Sample;

use super::disturbance::paced;
use super::options::Options;
use super::report::Report;
use super::requests::{start_proxy, start_proxy_with};

/// A collector.
enum Collector {
    /// It takes whatever comes.
    Takes,
    /// Nobody listens.
    IsGone,
    /// It lets everybody connect, and answers nobody.
    Hangs,
}

impl Collector {
    fn name(&self) -> &'static str {
        match self {
            Self::Takes => "p99-traced",
            Self::IsGone => "p99-traced-collector-gone",
            Self::Hangs => "p99-traced-collector-hangs",
        }
    }

    fn what(&self) -> &'static str {
        match self {
            Self::Takes => "with a collector that takes them",
            Self::IsGone => "with a collector that is gone",
            Self::Hangs => "with a collector that never answers",
        }
    }

    /// Starts it, until what comes along is dropped.
    fn start(&self) -> io::Result<(SocketAddr, Option<TcpListener>)> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        match self {
            Self::IsGone => Ok((address, None)),
            // The system connects whom nobody accepts.
            Self::Hangs => Ok((address, Some(listener))),
            Self::Takes => Ok((start_collector()?, None)),
        }
    }
}

/// Starts a collector that takes whatever comes, until the end of this process.
pub(crate) fn start_collector() -> io::Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        for connection in listener.incoming().flatten() {
            thread::spawn(move || take(connection));
        }
    });
    Ok(address)
}

/// Answers each request of a connection, of a length that is said in advance.
fn take(mut connection: TcpStream) -> io::Result<()> {
    let mut bytes = Vec::new();
    let mut piece = [0; 64 * 1024];
    loop {
        let read = connection.read(&mut piece)?;
        if read == 0 {
            return Ok(());
        }
        bytes.extend_from_slice(piece.get(..read).unwrap_or_default());
        while let Some(end) = end_of_request(&bytes) {
            bytes.drain(..end);
            connection.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")?;
        }
    }
}

/// Where the first request ends; `None`: it is not whole.
fn end_of_request(bytes: &[u8]) -> Option<usize> {
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let fields = std::str::from_utf8(bytes.get(..head)?).ok()?.to_ascii_lowercase();
    let (_, length) = fields.split_once("content-length:")?;
    let length: usize = length.lines().next()?.trim().parse().ok()?;
    (bytes.len() >= head + length).then_some(head + length)
}

/// Measures each collector beside none, by turns.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    for collector in [Collector::Takes, Collector::IsGone, Collector::Hangs] {
        if options.wants(collector.name()) {
            beside_none(&collector, options, report)?;
        }
    }
    Ok(())
}

/// The pairs are many and short: a moment in which the machine had other work spoils one or two of them, and not the median.
fn beside_none(collector: &Collector, options: &Options, report: &mut Report) -> io::Result<()> {
    const ROUND: Duration = Duration::from_secs(2);
    let (address, _listener) = collector.start()?;
    let traced = Start {
        collector: Some(address),
        ..Start::default()
    };
    let (plain, traced) = (start_proxy(SIMPLE)?, start_proxy_with(SIMPLE, traced)?);
    let p99 = |server: &Server| io::Result::Ok(paced(server.address, ROUND)?.quantile(0.99));
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for server in [&plain, &traced] {
        paced(server.address, ROUND)?;
    }
    for pair in 0..options.repetitions(36) {
        // Whoever comes first in one pair comes second in the next one.
        if pair % 2 == 0 {
            without.push(p99(&plain)?);
            with.push(p99(&traced)?);
        } else {
            with.push(p99(&traced)?);
            without.push(p99(&plain)?);
        }
    }
    let ratios = Sample::new(with.iter().zip(&without).map(|(with, without)| with / without));
    let what = format!(
        "p99 of flags at 1000 a second, each with its spans, {} ({:.0} µs), beside that without any ({:.0} µs)",
        collector.what(),
        Sample::new(with).median(),
        Sample::new(without).median()
    );
    report.measured(collector.name(), &what, &ratios, "×");
    Ok(())
}
