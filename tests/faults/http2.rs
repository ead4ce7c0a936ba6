//! HTTP/2 floods and slow readers: each from several connections at a time, while others ask for flags.
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::findings::{Findings, grouped};
use test_support::http::{Connection, Request};
use test_support::http2::{Frame, FrameConnection, block, code, flag, kind, remembered};
use test_support::wait::PATIENCE;

use super::Row;
use crate::harness::{Proxy, volume};

const GROUP: &str = "http2";
const CLIENT_KEY: &str = "client-key";
const STREAM: &str = "/sse/environments/client-key/stream";
const FLAGS: &str = "/api/v1/flags/";

/// Frames that one connection sends at most: each flood ends far before that.
const MOST_FRAMES: u32 = 2_000_000;

/// What the process may grow by while it is attacked, in KiB.
const MOST_GROWTH_KIB: u64 = 48 * 1024;

pub(crate) fn rows() -> Vec<Row> {
    let row = |name, run| Row {
        group: GROUP,
        name,
        run,
    };
    vec![
        row("rapid reset (CVE-2023-44487)", |findings| {
            flood(findings, |number| {
                let stream = 2 * number + 1;
                let request = Frame::get(stream, STREAM, CLIENT_KEY).bytes();
                [request, Frame::reset(stream, code::CANCEL).bytes()].concat()
            })
        }),
        row("CONTINUATION flood", |findings| {
            flood(findings, |number| match number {
                0 => Frame::new(kind::HEADERS, flag::END_STREAM, 1, block(&[(":method", "GET")])).bytes(),
                _ => Frame::new(kind::CONTINUATION, 0, 1, block(&[("x-more", &"x".repeat(200))])).bytes(),
            })
        }),
        row("SETTINGS flood", |findings| {
            flood(findings, |number| Frame::setting(4, number % 60_000).bytes())
        }),
        row("PING flood", |findings| {
            flood(findings, |_| Frame::new(kind::PING, 0, 0, [7; 8]).bytes())
        }),
        row("empty DATA flood", |findings| {
            flood(findings, |number| match number {
                0 => post(1).bytes(),
                _ => Frame::new(kind::DATA, 0, 1, Vec::new()).bytes(),
            })
        }),
        row("empty HEADERS flood", |findings| {
            flood(findings, |number| {
                let flags = flag::END_STREAM | flag::END_HEADERS;
                Frame::new(kind::HEADERS, flags, 2 * number + 1, Vec::new()).bytes()
            })
        }),
        row("HPACK bomb", |findings| {
            flood(findings, |number| {
                let head = block(&[
                    (":method", "GET"),
                    (":scheme", "http"),
                    (":authority", "proxy"),
                    (":path", FLAGS),
                ]);
                let field = match number {
                    0 => remembered("x-bomb", &"x".repeat(4_000)),
                    // A byte each time, which stands for 4,000.
                    _ => vec![0x80 | 62; 16_000],
                };
                let flags = flag::END_STREAM | flag::END_HEADERS;
                Frame::new(kind::HEADERS, flags, 2 * number + 1, [head, field].concat()).bytes()
            })
        }),
        row("zero windows (slow read)", zero_windows),
    ]
}

fn post(stream: u32) -> Frame {
    let fields = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "proxy"),
        (":path", "/api/v1/identities/"),
        ("x-environment-key", CLIENT_KEY),
    ];
    Frame::request(stream, 0, &fields)
}

fn start() -> Proxy {
    let proxy = Proxy::start_with(
        &json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "environment.json"}],
            "server": {"h2c": true},
        }),
        |command| {
            let folder = command.get_current_dir().expect("its folder");
            std::fs::write(folder.join("environment.json"), FIXTURE).unwrap();
        },
    );
    proxy.wait_until_ready();
    proxy
}

/// What is observed of the process while it is attacked.
struct Watched {
    proxy: Proxy,
    resident_kib: u64,
    descriptors: usize,
}

impl Watched {
    fn start() -> Self {
        let proxy = start();
        // What the first connections leave behind is no growth.
        for _ in 0..4 {
            assert_eq!(proxy.send(&flags()).status, 200);
        }
        Self {
            resident_kib: proxy.resident_kib(),
            descriptors: proxy.descriptors(),
            proxy,
        }
    }

    /// Attacks it from several connections, and asks for flags on a kept one meanwhile.
    fn attacked_by(&self, attack: impl Fn(u64) + Sync) -> u64 {
        let mut answered = 0;
        thread::scope(|scope| {
            let attackers: Vec<_> = (0..volume(4, 32))
                .map(|number| {
                    let attack = &attack;
                    scope.spawn(move || attack(number))
                })
                .collect();
            let mut kept = Connection::open(self.proxy.address);
            while answered < 10 || attackers.iter().any(|attacker| !attacker.is_finished()) {
                assert_eq!(kept.send(&flags()).status, 200);
                answered += 1;
            }
        });
        answered
    }

    /// Checks that nothing is left of the attack.
    fn check(mut self, findings: &mut Findings, answered: u64, of: &str) -> Result<(), String> {
        let grown = self.proxy.resident_kib().saturating_sub(self.resident_kib);
        if grown > MOST_GROWTH_KIB {
            return Err(format!("it has grown by {grown} KiB"));
        }
        let begun = Instant::now();
        while self.proxy.descriptors() > self.descriptors {
            if begun.elapsed() > PATIENCE {
                return Err("descriptors are left".to_owned());
            }
        }
        let readiness = self.proxy.readiness();
        findings.clients(format!("{} answers, all 200; {of}", grouped(answered)));
        findings.readiness(readiness.to_string());
        self.proxy.signal("TERM");
        let (status, log) = self.proxy.wait();
        if readiness != 200 || status.code() != Some(0) || log.contains("panic") {
            return Err(format!("readiness {readiness}, {status}: {log}"));
        }
        findings.log(
            log.lines()
                .filter(|line| line.contains("floods"))
                .count()
                .to_string()
                + " lines of it",
        );
        Ok(())
    }
}

fn flags() -> Request {
    Request::get(FLAGS).key(CLIENT_KEY)
}

/// Sends frames over each connection until the server ends it, which it has to.
fn flood(findings: &mut Findings, frame: fn(u32) -> Vec<u8>) -> Result<(), String> {
    let watched = Watched::start();
    let address = watched.proxy.address;
    let sent = std::sync::atomic::AtomicU64::new(0);
    let answered = watched.attacked_by(|_| {
        for _ in 0..volume(2, 50) {
            let mut connection = FrameConnection::open(address, &[]);
            let mut writer = connection.duplicate();
            let flood = thread::spawn(move || {
                let mut number = 0;
                while number < MOST_FRAMES && writer.try_write(&frame(number)).is_ok() {
                    number += 1;
                }
                number
            });
            let end = connection
                .rest()
                .into_iter()
                .rfind(|frame| frame.kind == kind::GOAWAY);
            let number = flood.join().unwrap();
            assert!(number < MOST_FRAMES, "all of it is read");
            // A reset of the socket may overtake it.
            assert!(end.is_none_or(|end| end.code() == code::ENHANCE_YOUR_CALM));
            sent.fetch_add(number.into(), std::sync::atomic::Ordering::Relaxed);
        }
    });
    let sent = sent.into_inner();
    findings.tried(sent);
    watched.check(
        findings,
        answered,
        &format!("each flood ended, {} frames in all", grouped(sent)),
    )
}

/// Asks for much over each connection, and opens no window.
fn zero_windows(findings: &mut Findings) -> Result<(), String> {
    let watched = Watched::start();
    let address = watched.proxy.address;
    let answered = watched.attacked_by(|number| {
        let mut connection = FrameConnection::open(address, &[(4, 0)]);
        for stream in (1..200).step_by(2) {
            let path = if number % 2 == 0 { FLAGS } else { STREAM };
            connection.send(&Frame::get(stream, path, CLIENT_KEY));
        }
        for _ in 0..100 {
            connection.find(|frame| frame.kind == kind::HEADERS);
        }
        thread::sleep(Duration::from_millis(200));
    });
    let asked = volume(4, 32) * 100;
    findings.tried(asked);
    watched.check(
        findings,
        answered,
        &format!("{} heads without their bodies", grouped(asked)),
    )
}
