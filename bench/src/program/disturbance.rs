//! How much slower flags come while a document changes every second.
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use bench::child::Server;
use bench::documents::LARGE;
use bench::statistics::Sample;
use test_support::http::Connection;

use super::options::Options;
use super::report::Report;
use super::requests::{flags_request, start_proxy};

/// Requests a second, over all connections.
const RATE: u32 = 1000;
const CONNECTIONS: u32 = 16;
const NAME: &str = "p99-while-applying";

/// Measures with and without changes, by turns.
pub(crate) fn measure(options: &Options, report: &mut Report) -> io::Result<()> {
    if !options.wants(NAME) {
        return Ok(());
    }
    let round = Duration::from_secs(if options.quick { 4 } else { 10 });
    let editions: Vec<Vec<u8>> = (1..=4).map(|edition| LARGE.document(edition)).collect();
    let server = start_proxy(LARGE)?;
    paced(server.address, Duration::from_secs(1))?;
    let (mut calm, mut disturbed) = (Vec::new(), Vec::new());
    for _ in 0..options.repetitions(5) {
        calm.push(paced(server.address, round)?.quantile(0.99));
        disturbed.push(while_changing(&server, &editions, || paced(server.address, round))?.quantile(0.99));
        // The proxy frees the document that it replaced last.
        thread::sleep(Duration::from_secs(2));
    }
    let ratios = Sample::new(
        disturbed
            .iter()
            .zip(&calm)
            .map(|(disturbed, calm)| disturbed / calm),
    );
    let what = format!(
        "p99 of flags at {RATE} a second while 5 MB change every second ({:.0} µs), beside that without ({:.0} µs)",
        Sample::new(disturbed).median(),
        Sample::new(calm).median()
    );
    report.measured(NAME, &what, &ratios, "×");
    Ok(())
}

fn while_changing<T>(
    server: &Server,
    editions: &[Vec<u8>],
    work: impl FnOnce() -> io::Result<T>,
) -> io::Result<T> {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let changes = scope.spawn(|| {
            let mut next = Instant::now();
            for edition in editions.iter().cycle() {
                if done.load(Ordering::Acquire) {
                    break;
                }
                server.replace_document(edition)?;
                next += Duration::from_secs(1);
                thread::sleep(next.saturating_duration_since(Instant::now()));
            }
            io::Result::Ok(())
        });
        let outcome = work();
        done.store(true, Ordering::Release);
        changes
            .join()
            .map_err(|_| io::Error::other("the changes failed"))??;
        outcome
    })
}

/// Asks at a fixed rate, however late the answers are; microseconds from when a request was due to its answer.
pub(crate) fn paced(address: SocketAddr, duration: Duration) -> io::Result<Sample> {
    let period = Duration::from_secs(1) * CONNECTIONS / RATE;
    let start = Instant::now() + Duration::from_millis(50);
    thread::scope(|scope| {
        let connections: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                scope.spawn(move || {
                    paced_connection(
                        address,
                        start + period / CONNECTIONS * connection,
                        period,
                        duration,
                    )
                })
            })
            .collect();
        let mut latencies = Vec::new();
        for connection in connections {
            latencies.extend(
                connection
                    .join()
                    .map_err(|_| io::Error::other("a connection failed"))??,
            );
        }
        Ok(Sample::new(latencies))
    })
}

fn paced_connection(
    address: SocketAddr,
    start: Instant,
    period: Duration,
    duration: Duration,
) -> io::Result<Vec<f64>> {
    let mut connection = Connection::try_open(address)?;
    let request = flags_request();
    let mut latencies = Vec::new();
    let mut due = start;
    while due < start + duration {
        thread::sleep(due.saturating_duration_since(Instant::now()));
        connection.try_send(&request)?;
        latencies.push(due.elapsed().as_secs_f64() * 1e6);
        due += period;
    }
    Ok(latencies)
}
