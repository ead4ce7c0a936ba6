//! The measurements.
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use super::arguments::Arguments;
use super::figures::{median, millis, open_files, percentile, processor_time, resident_kib};
use super::fleet::{self, Fleet, Manner};
use super::herd;
use super::http::{is_serving, queue_change};
use super::refused;
use super::server::{Options, Server};
use super::upstream::Upstream;

/// Runs the mode that the command line names; whether its promises held.
pub(crate) async fn run(arguments: &Arguments) -> bool {
    match arguments.mode.as_str() {
        "fan-out" => fan_out(arguments).await,
        "churn" => churn(arguments).await,
        "stuck" => stuck(arguments).await,
        "herd" => herd::herd(arguments).await,
        "drain" => drain(arguments).await,
        "refused" => refused::refused(arguments).await,
        mode => panic!("no mode {mode}: fan-out, churn, stuck, herd, drain or refused"),
    }
}

/// Prints a figure beside its promise.
pub(crate) fn judge(figure: &str, value: f64, promised: f64) -> bool {
    let holds = value <= promised;
    println!(
        "{} {figure}: {value:.2} (at most {promised:.2})",
        if holds { "  ok" } else { "FAIL" }
    );
    holds
}

pub(crate) async fn start(arguments: &Arguments, options: Options) -> (Upstream, Server) {
    let upstream = Upstream::start();
    let server = Server::start(
        &upstream,
        &Options {
            spread: arguments.text("spread", &options.spread),
            ..options
        },
    );
    // The first poll of an hour's period is spread over minutes.
    queue_change(server.address, upstream.change()).await;
    is_serving(server.address).await;
    (upstream, server)
}

/// One change, from its announcement to its last delivery; the latencies of those that came in time.
pub(crate) async fn tell(upstream: &Upstream, server: &Server, fleet: &Fleet) -> Vec<Duration> {
    // The proxy spaces the push fetches of one environment by half a second.
    tokio::time::sleep(Duration::from_millis(600)).await;
    let updated_at = upstream.change();
    fleet.board.await_change(updated_at);
    queue_change(server.address, updated_at).await;
    let all = fleet.len();
    fleet
        .board
        .until(
            |board| board.latencies.borrow().len() >= all,
            Duration::from_secs(20),
        )
        .await;
    fleet.board.latencies.borrow().clone()
}

async fn fan_out(arguments: &Arguments) -> bool {
    let count = arguments.number("streams", 15_000);
    let (upstream, server) = start(arguments, Options::default()).await;
    let before = resident_kib(server.pid());
    let opening = Instant::now();
    let fleet = Fleet::open(server.address, count, Manner::Once).await;
    println!(
        "{count} streams opened in {:.1} s",
        opening.elapsed().as_secs_f64()
    );
    tokio::time::sleep(Duration::from_secs(2)).await;
    let kib = resident_kib(server.pid()).saturating_sub(before) as f64 / count as f64;
    let mut holds = judge("KiB a stream", kib, 12.0);

    let (idle_from, used) = (Instant::now(), processor_time(server.pid()));
    tokio::time::sleep(Duration::from_secs(5)).await;
    let idle = (processor_time(server.pid()) - used).as_secs_f64() / idle_from.elapsed().as_secs_f64();
    println!("     idle: {:.1} % of one core", idle * 100.0);

    let mut costs = Vec::new();
    for change in 1..=arguments.number("changes", 5) {
        let (from, used) = (Instant::now(), processor_time(server.pid()));
        let latencies = tell(&upstream, &server, &fleet).await;
        tokio::time::sleep(Duration::from_millis(200)).await;
        let busy = (processor_time(server.pid()) - used).as_secs_f64() - idle * from.elapsed().as_secs_f64();
        costs.push(busy * 1e6 / latencies.len().max(1) as f64);
        println!(
            "     change {change}: delivered {} of {count}; p50 {:.0} ms, p99 {:.0} ms, last {:.0} ms; \
             {:.1} µs of server CPU a delivery",
            latencies.len(),
            millis(percentile(&latencies, 0.5)),
            millis(percentile(&latencies, 0.99)),
            millis(percentile(&latencies, 1.0)),
            costs.last().copied().unwrap_or(f64::NAN)
        );
        holds &= latencies.len() == count;
    }
    holds & judge("µs of server CPU a delivery, median", median(costs), 15.0)
}

async fn churn(arguments: &Arguments) -> bool {
    let count = arguments.number("streams", 15_000);
    let age = arguments.number("age", 30);
    let options = Options {
        max_stream_age_seconds: i64::try_from(age).unwrap_or(30),
        ..Options::default()
    };
    let (_upstream, server) = start(arguments, options).await;
    let files_before = open_files(server.pid());
    let started = Instant::now();
    let fleet = Fleet::open(server.address, count, Manner::Again).await;
    tokio::time::sleep(Duration::from_secs(30).saturating_sub(started.elapsed())).await;
    let early = resident_kib(server.pid());
    let opened_early = fleet.board.opened.get();
    tokio::time::sleep(Duration::from_secs(arguments.number("seconds", 120) as u64)).await;
    let late = resident_kib(server.pid());
    let board = Rc::clone(&fleet.board);
    let connects = (board.opened.get() - opened_early) as f64 / arguments.number("seconds", 120) as f64;
    println!(
        "     {connects:.0} connects a second; {} streams ended cleanly",
        board.ended_cleanly.get()
    );
    drop(fleet);
    // A client that vanished is noticed by the heartbeats.
    let gone = Instant::now();
    while open_files(server.pid()) > files_before && gone.elapsed() < Duration::from_secs(60) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    judge("refused", board.refused.get() as f64, 0.0)
        & judge("cut", board.cut.get() as f64, 0.0)
        & judge(
            "memory at the end, of that after 30 s",
            late as f64 / early as f64,
            1.1,
        )
        & judge(
            "descriptors left",
            open_files(server.pid()).saturating_sub(files_before) as f64,
            0.0,
        )
}

async fn stuck(arguments: &Arguments) -> bool {
    let (readers, stuck) = (arguments.number("streams", 5_000), arguments.number("stuck", 500));
    let options = Options {
        send_buffer: 4096,
        spread: "0".to_owned(),
        ..Options::default()
    };
    let (upstream, server) = start(arguments, options).await;
    let fleet = Fleet::open(server.address, readers, Manner::Once).await;
    let mut p99 = [Vec::new(), Vec::new()];
    for run in 0..arguments.number("runs", 5) {
        println!("     without: run {run}");
        let latencies = tell(&upstream, &server, &fleet).await;
        assert_eq!(
            latencies.len(),
            readers,
            "a change was not delivered to everybody"
        );
        p99[0].push(millis(percentile(&latencies, 0.99)));
    }
    let mut never_read = Vec::new();
    for place in 0..stuck {
        never_read.push(
            fleet::connect(server.address, place, 2048)
                .await
                .expect("the server accepts"),
        );
    }
    // Changes until writes to them block: what the kernel holds of a stream is a few KiB.
    let mut changes = 0;
    while unsent(server.address) < stuck && changes < 500 {
        tell(&upstream, &server, &fleet).await;
        changes += 1;
    }
    println!(
        "     {} of {stuck} are blocked after {changes} changes",
        unsent(server.address)
    );
    let before = resident_kib(server.pid());
    for _ in 0..arguments.number("runs", 5) {
        let latencies = tell(&upstream, &server, &fleet).await;
        assert_eq!(
            latencies.len(),
            readers,
            "a change was not delivered to everybody"
        );
        p99[1].push(millis(percentile(&latencies, 0.99)));
    }
    let grown = resident_kib(server.pid()).saturating_sub(before) as f64;
    let [without, with] = p99.map(median);
    println!("     p99 {without:.1} ms without, {with:.1} ms with them");
    drop(never_read);
    judge("p99 of the others, of that without", with / without, 1.5) & judge("KiB grown", grown, 1024.0)
}

/// How many of the server's connections hold bytes that the peer does not take, by `/proc/net/tcp`.
fn unsent(server: SocketAddr) -> usize {
    let table = std::fs::read_to_string("/proc/net/tcp").unwrap_or_default();
    let port = format!(":{:04X}", server.port());
    let is_unsent = |line: &&str| {
        let mut columns = line.split_whitespace();
        columns.nth(1).is_some_and(|local| local.ends_with(&port))
            && columns
                .nth(2)
                .is_some_and(|queues| !queues.starts_with("00000000:"))
    };
    table.lines().filter(is_unsent).count()
}

async fn drain(arguments: &Arguments) -> bool {
    let count = arguments.number("streams", 5_000);
    let (_upstream, mut server) = start(arguments, Options::default()).await;
    let fleet = Fleet::open(server.address, count, Manner::Once).await;
    server.terminate();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let meanwhile = Fleet::open(server.address, 1, Manner::Once).await;
    println!("     meanwhile: {} refused", meanwhile.board.refused.get());
    let (code, took) = server.ended().await;
    fleet
        .board
        .until(|board| board.open.get() == 0, Duration::from_secs(1))
        .await;
    let took = took + Duration::from_millis(500);
    println!("     exit code {code:?}");
    (code == Some(0))
        & (meanwhile.board.refused.get() == 1)
        & judge("seconds until the exit", took.as_secs_f64(), 10.0)
        & judge(
            "streams not ended with their last chunk",
            (count - fleet.board.ended_cleanly.get()) as f64,
            0.0,
        )
}
