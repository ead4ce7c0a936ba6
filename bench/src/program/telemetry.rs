//! What requests pay for their spans: beside the same proxy without any, with a collector that takes them, one that is gone and
//! one that never answers.
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use bench::child::{Server, Start};
use bench::cpu;
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

/// Measures each collector beside none.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    for collector in [Collector::Takes, Collector::IsGone, Collector::Hangs] {
        if options.wants(collector.name()) {
            beside_none(&collector, options, report)?;
        }
    }
    Ok(())
}

/// Both are asked at the same time: other work on the machine slows both down, and hides neither. A sender that keeps a core busy
/// would slow both down, too: so what each takes of the CPU is compared as well.
fn beside_none(collector: &Collector, options: &Options, report: &mut Report) -> io::Result<()> {
    const ROUND: Duration = Duration::from_secs(4);
    let (address, _listener) = collector.start()?;
    let traced = Start {
        collector: Some(address),
        ..Start::default()
    };
    let (plain, traced) = (start_proxy(SIMPLE)?, start_proxy_with(SIMPLE, traced)?);
    both([&plain, &traced], ROUND)?;
    let (mut without, mut with) = (Vec::new(), Vec::new());
    for pair in 0..options.repetitions(36) {
        // Whoever is asked first in one pair is second in the next one.
        let [plain, traced] = match pair % 2 {
            0 => both([&plain, &traced], ROUND)?,
            _ => both([&traced, &plain], ROUND).map(|[traced, plain]| [plain, traced])?,
        };
        without.push(plain);
        with.push(traced);
    }
    let mut compare = |name: &str, what: &str, unit: &str, of: fn(&Load) -> f64| {
        let [with, without] = [&with, &without].map(|loads| loads.iter().map(of));
        let ratios = Sample::new(
            with.clone()
                .zip(without.clone())
                .map(|(with, without)| with / without),
        );
        let [with, without] = [Sample::new(with).median(), Sample::new(without).median()];
        let what = format!(
            "{what} of flags at 1000 a second, each with its spans, {} ({with:.0} {unit}), beside that without any ({without:.0} {unit})",
            collector.what(),
        );
        report.measured(name, &what, &ratios, "×");
    };
    compare(collector.name(), "p99", "µs", |load| load.p99);
    let name = format!("cpu-of-{}", collector.name());
    compare(&name, "CPU", "ms a round", |load| load.cpu.as_secs_f64() * 1e3);
    Ok(())
}

/// What a server was like in one round.
struct Load {
    /// Microseconds.
    p99: f64,
    cpu: Duration,
}

/// Two servers that are asked at the same time.
fn both(servers: [&Server; 2], duration: Duration) -> io::Result<[Load; 2]> {
    let load = |server: &Server| {
        let before = cpu::time(server.process());
        let p99 = paced(server.address, duration)?.quantile(0.99);
        let cpu = cpu::time(server.process()).saturating_sub(before);
        io::Result::Ok(Load { p99, cpu })
    };
    thread::scope(|scope| {
        let [first, second] = servers.map(|server| scope.spawn(move || load(server)));
        let failed = |_| io::Error::other("a client failed");
        Ok([first.join().map_err(failed)??, second.join().map_err(failed)??])
    })
}
