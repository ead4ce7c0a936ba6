//! Signals that the real program gets, and what its clients see of them.
use std::fs::File;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use tempfile::TempDir;
use test_support::program::{Program, crossed_the_end};
use test_support::wait::PATIENCE;

use crate::harness::{CLIENT_KEY, Connection, Proxy, ProxyOptions, Request, command};

/// Longer than the end of a process is waited for.
const LONG: Duration = PATIENCE.saturating_mul(100);
/// Clients at the same moment.
const CLIENTS: usize = 64;
/// Stops of each kind.
const ROUNDS: usize = 2;

fn draining_for(drain: Duration) -> Proxy {
    Proxy::start(ProxyOptions {
        config: json!({"server": {
            "drain_seconds": drain.as_secs_f64(),
            // What is lost is not to be what a machine that is too busy has no time for.
            "shutdown_timeout_seconds": (LONG * 2).as_secs(),
            // A request in flight stays so.
            "request_body_timeout_seconds": 3_600,
        }}),
        ..ProxyOptions::default()
    })
}

fn flags() -> Request {
    Request::get("/api/v1/flags/").key(CLIENT_KEY)
}

fn identity() -> Request {
    Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key(CLIENT_KEY)
}

/// Sends the head of a request of which the body never comes; it is in flight then.
fn start_request(connection: &mut Connection) {
    connection.write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: client-key\r\n\
          Expect: 100-continue\r\nContent-Length: 20\r\n\r\n",
    );
    assert_eq!(connection.read_head().status, 100);
}

fn wait_until_it_drains(proxy: &Proxy) {
    while proxy
        .connect()
        .send(&Request::get("/proxy/health/readiness"))
        .status
        == 200
    {}
}

#[test]
fn after_sigterm_new_connections_are_served_for_the_drain() {
    // Long enough for some to come, on a slow and busy machine.
    const DRAIN: Duration = Duration::from_secs(4);
    let mut proxy = draining_for(DRAIN);
    let mut kept = proxy.connect();
    assert_eq!(kept.send(&flags()).status, 200);
    let asked = Instant::now();
    proxy.signal("TERM");
    wait_until_it_drains(&proxy);
    while let Ok(mut new) = Connection::try_open(proxy.address) {
        let answer = new.send(&flags());
        assert_eq!((answer.status, answer.header("connection")), (200, Some("close")));
    }
    let served = asked.elapsed();
    assert!(served >= DRAIN, "{served:?}");
    assert!(
        kept.is_closed(),
        "what was idle all the time is closed at the end"
    );
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn the_second_signal_ends_the_process_at_once() {
    for (second, code) in [("TERM", 143), ("INT", 130)] {
        let mut proxy = draining_for(LONG);
        let mut in_flight = proxy.connect();
        start_request(&mut in_flight);
        proxy.signal("TERM");
        wait_until_it_drains(&proxy);
        proxy.signal(second);
        let (status, log) = proxy.wait();
        assert_eq!(status.code(), Some(code), "{log}");
    }
}

#[test]
fn the_second_signal_is_no_failure_where_nothing_was_cut() {
    let mut proxy = draining_for(LONG);
    let mut idle = proxy.connect();
    assert_eq!(idle.send(&flags()).status, 200);
    proxy.signal("TERM");
    wait_until_it_drains(&proxy);
    proxy.signal("TERM");
    assert!(idle.is_closed());
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn a_request_that_crosses_the_end_of_its_connection_is_counted() {
    assert_eq!(crossed_at_an_end(false), 0);
    // It comes within the second for which the proxy reads on, unless the machine stands still: one of three does.
    assert!((0..3).any(|_| crossed_at_an_end(true) == 1));
}

/// How many requests the proxy says have crossed the end of the only connection, where one has or not.
fn crossed_at_an_end(is_crossed: bool) -> u64 {
    let mut proxy = draining_for(Duration::ZERO);
    let mut kept = proxy.connect();
    assert_eq!(kept.send(&flags()).status, 200);
    assert!(!kept.has_ended());
    proxy.signal("INT");
    assert!(kept.is_closed() && kept.has_ended());
    if is_crossed {
        kept.try_write(&flags().bytes());
    }
    kept.try_finish();
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    crossed_the_end(&log)
}

/// What the clients of one stop saw.
#[derive(Default)]
struct Seen {
    answered: AtomicUsize,
    lost: AtomicUsize,
}

/// Sends one request after the other, until no connection can be made any more.
fn send_until_refused(address: SocketAddr, is_keeping: bool, seen: &Seen) {
    let requests = [flags(), identity()];
    let mut kept = None;
    for request in requests.iter().cycle() {
        // As every client looks that keeps connections.
        let usable = kept.take().filter(|kept: &Connection| !kept.has_ended());
        let Some(mut connection) = usable.or_else(|| Connection::try_open(address).ok()) else {
            return;
        };
        match connection.try_send(request) {
            Ok(answer) => {
                assert_eq!(answer.status, 200);
                seen.answered.fetch_add(1, Ordering::Relaxed);
                if is_keeping && answer.header("connection") != Some("close") {
                    kept = Some(connection);
                }
            }
            Err(_) => {
                seen.lost.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

#[test]
fn a_stop_under_full_load_loses_no_request() {
    for (signal, drain) in [("TERM", 500), ("TERM", 0), ("INT", 0)] {
        for round in 0..ROUNDS {
            let mut proxy = draining_for(Duration::from_millis(drain));
            let seen = Seen::default();
            thread::scope(|scope| {
                for client in 0..CLIENTS {
                    let (address, seen) = (proxy.address, &seen);
                    // Three of four keep their connections.
                    scope.spawn(move || send_until_refused(address, client % 4 != 0, seen));
                }
                while seen.answered.load(Ordering::Relaxed) < 10 * CLIENTS {
                    thread::yield_now();
                }
                proxy.signal(signal);
            });
            let (status, log) = proxy.wait();
            assert_eq!(status.code(), Some(0), "{log}");
            let (answered, lost) = (seen.answered.into_inner(), seen.lost.into_inner());
            assert_eq!(
                u64::try_from(lost).unwrap().saturating_sub(crossed_the_end(&log)),
                0,
                "of {answered}, {signal} with a drain of {drain} ms, round {round}"
            );
        }
    }
}

/// The program waits for the writer of a pipe, so that the signal comes at a moment that the test knows.
#[test]
fn a_signal_before_the_configuration_is_read_ends_the_process_in_good_order() {
    for signal in ["TERM", "INT"] {
        let directory = TempDir::new().unwrap();
        let path = directory.path().join("config.json");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let mut starting = Program::start(&mut command(directory.path()));
        // This waits until the program has opened it too; nothing is ever written.
        let _configuration = File::options().write(true).open(&path).unwrap();
        starting.signal(signal);
        let (status, log) = starting.wait();
        assert_eq!(status.code(), Some(0), "{signal}: {log}");
    }
}
