//! Heads and bodies that come a byte at a time, and connections over which nothing comes.
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::findings::{Findings, grouped};
use test_support::wait::PATIENCE;

use super::scene::{Asked, BadClient, CLIENT_KEY, Scene, flags};
use crate::harness::{is_full, volume};

/// Between two bytes of each of them.
const PAUSE: Duration = Duration::from_millis(250);

/// The share of a sample that 99 of 100 do not pass.
fn p99(times: &mut [Duration]) -> Duration {
    times.sort_unstable();
    times[(times.len() * 99 / 100).min(times.len() - 1)]
}

/// One bad client, over and over: what it sends byte by byte, on a new connection or behind an answer.
struct Slow {
    address: SocketAddr,
    client: BadClient,
    is_kept: bool,
    bytes: Vec<u8>,
    sent: usize,
    /// How many of its connections ended with 408.
    timed_out: u64,
    /// How many ended otherwise.
    ended: u64,
}

impl Slow {
    fn start(address: SocketAddr, number: u64) -> Self {
        let bytes = match number % 4 {
            // A head that has no end.
            0 | 1 => format!(
                "GET /api/v1/flags/ HTTP/1.1\r\nHost: p\r\nX: {}",
                "x".repeat(2_000)
            ),
            // Blank lines before one.
            2 => "\r\n".repeat(1_000),
            // A body that has none.
            _ => format!("{{\"identifier\":\"{}", "x".repeat(2_000)),
        };
        let mut slow = Self {
            client: BadClient::connect(address).expect("a connection"),
            address,
            is_kept: number % 8 >= 4,
            bytes: bytes.into_bytes(),
            sent: 0,
            timed_out: 0,
            ended: 0,
        };
        slow.begin(number);
        slow
    }

    fn begin(&mut self, number: u64) {
        if self.is_kept {
            self.client.write(&flags().bytes()).expect("a request");
            assert_eq!(self.client.status(), Some(200));
        }
        if number % 4 == 3 {
            let head = format!(
                "POST /api/v1/identities/ HTTP/1.1\r\nHost: p\r\nX-Environment-Key: {CLIENT_KEY}\r\nContent-Length: 5000\r\n\r\n"
            );
            self.client.write(head.as_bytes()).expect("a head");
        }
        self.client.0.set_nonblocking(true).expect("a socket");
        self.sent = 0;
    }

    /// Sends another byte, or connects anew where the proxy has ended the connection.
    fn go_on(&mut self, number: u64) {
        let byte = &self.bytes[self.sent % self.bytes.len()..][..1];
        self.sent += 1;
        let is_written = self.client.0.write(byte).is_ok();
        let mut answer = [0; 4096];
        let mut seen = Vec::new();
        let is_open = loop {
            match self.client.0.read(&mut answer) {
                Ok(0) => break false,
                Ok(read) => seen.extend_from_slice(&answer[..read]),
                Err(error) => break error.kind() == ErrorKind::WouldBlock && is_written,
            }
        };
        if seen.windows(12).any(|text| text == b"HTTP/1.1 408") {
            self.timed_out += 1;
        } else if !is_open {
            self.ended += 1;
        }
        if !is_open || !seen.is_empty() && seen.windows(12).any(|text| text == b"HTTP/1.1 408") {
            self.client = BadClient::connect(self.address).expect("a connection");
            self.begin(number);
        }
    }
}

/// Sends for this long, and on until as many have timed out as there are senders: a machine may have more to do than it can.
fn send_slowly(senders: &mut [Slow], time: Duration) {
    let begun = Instant::now();
    let have_timed_out = |senders: &[Slow]| {
        let timed_out: u64 = senders.iter().map(|slow| slow.timed_out).sum();
        timed_out >= senders.len() as u64
    };
    while begun.elapsed() < time || !have_timed_out(senders) && begun.elapsed() < time + PATIENCE {
        let sweep = Instant::now();
        for (slow, number) in senders.iter_mut().zip(0..) {
            slow.go_on(number);
        }
        thread::sleep(PAUSE.saturating_sub(sweep.elapsed()));
    }
}

/// Connections over which nothing comes: new ones, and kept ones.
fn idle(address: SocketAddr, count: u64) -> Vec<BadClient> {
    let idle = (0..count).map(|number| {
        let mut client = BadClient::connect(address).expect("a connection");
        if number % 2 == 0 {
            client.write(&flags().bytes()).expect("a request");
            assert_eq!(client.status(), Some(200));
        }
        client
    });
    idle.collect()
}

pub(super) fn slow_and_idle(findings: &mut Findings) -> Result<(), String> {
    // As they are by default, or shorter where nobody waits so long.
    let (head, body) = volume((1.0, 2.0), (5.0, 10.0));
    let scene = Scene::start(
        FIXTURE,
        json!({"request_head_timeout_seconds": head, "request_body_timeout_seconds": body}),
    );
    let (clients, rounds) = (volume(100, 1_000), volume(1, 4));
    let time = Duration::from_secs(volume(3, 15));
    let (mut without, mut with) = (Vec::new(), Vec::new());
    let (mut timed_out, mut ended) = (0, 0);
    for _ in 0..rounds {
        let good = scene.good_client();
        thread::sleep(time);
        without.append(&mut served(good.end(), findings)?);

        let mut senders: Vec<_> = (0..clients)
            .map(|number| Slow::start(scene.address(), number))
            .collect();
        let _idle = idle(scene.address(), clients);
        let good = scene.good_client();
        send_slowly(&mut senders, time);
        with.append(&mut served(good.end(), findings)?);
        timed_out += senders.iter().map(|slow| slow.timed_out).sum::<u64>();
        ended += senders.iter().map(|slow| slow.ended).sum::<u64>();
    }
    findings.tried(rounds * clients * 2);
    findings.clients(format!(
        "{} of them got 408 in time, {} ended otherwise",
        grouped(timed_out),
        grouped(ended)
    ));
    if timed_out < rounds * clients {
        return Err(format!(
            "only {timed_out} of {} slow senders got 408",
            rounds * clients
        ));
    }
    findings.clients(format!(
        "beside them {} answers, all 200 and right",
        grouped(with.len() as u64)
    ));
    let (without, with) = (p99(&mut without), p99(&mut with));
    if is_full() {
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        findings.clients(format!(
            "p99 beside them {:.0} µs, {:.0} without: {ratio:.2} ×",
            with.as_secs_f64() * 1e6,
            without.as_secs_f64() * 1e6
        ));
        if ratio > 2.0 {
            return Err(format!("p99 is {ratio:.2} times that without them"));
        }
    }
    let good = scene.good_client();
    scene.end(good, findings)
}

/// The times of a good client, none of whose requests may have failed.
fn served(asked: Asked, findings: &mut Findings) -> Result<Vec<Duration>, String> {
    findings.lost(asked.failures.len() as u64);
    match asked.failures.first() {
        Some(failure) => Err(format!("a request failed: {failure}")),
        None => Ok(asked.times),
    }
}
