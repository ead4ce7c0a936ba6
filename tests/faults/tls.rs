//! TLS: clients that do not finish a handshake, that send anything else, and certificates that cannot be used.
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::{ClientConfig, ClientConnection};
use serde_json::json;
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::findings::{Findings, grouped};
use test_support::http::{Connection, Request, connect};
use test_support::tls::{Certificate, Files, client};
use test_support::wait::PATIENCE;

use super::Row;
use crate::harness::{Proxy, volume};

const GROUP: &str = "tls";

/// Fewer answers say nothing about what was lost.
const LEAST_ANSWERS: u64 = 100;

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            group: GROUP,
            name: "handshakes abandoned",
            run: abandoned,
        },
        Row {
            group: GROUP,
            name: "anything else than a handshake",
            run: garbage,
        },
        Row {
            group: GROUP,
            name: "renewal with a key that does not match",
            run: bad_key,
        },
        Row {
            group: GROUP,
            name: "renewals under load",
            run: renewals,
        },
    ]
}

/// A proxy that speaks TLS, and its files.
struct Secured {
    proxy: Proxy,
    files: Files,
    certificate: Certificate,
}

impl Secured {
    fn start() -> Self {
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("environment.json"), FIXTURE).unwrap();
        let certificate = Certificate::valid();
        let files = Files::write(directory.path(), &certificate);
        let config = json!({
            "environment_key_pairs": [{"client_side_key": "client-key", "document_path": "environment.json"}],
            "server": {"tls": {"certificate": files.certificate, "key": files.key}},
        });
        let proxy = Proxy::start_in(directory, &config, |_| ());
        let secured = Self {
            proxy,
            files,
            certificate,
        };
        let terms = terms([&secured.certificate]);
        let begun = Instant::now();
        while Connection::open_tls(secured.proxy.address, &terms)
            .send(&flags())
            .status
            != 200
        {
            assert!(begun.elapsed() < PATIENCE, "it serves");
        }
        secured
    }

    fn readiness(&self, terms: &Arc<ClientConfig>) -> u16 {
        let probe = Request::get("/proxy/health/readiness");
        Connection::open_tls(self.proxy.address, terms)
            .send(&probe)
            .status
    }
}

fn terms<'a>(trusted: impl IntoIterator<Item = &'a Certificate>) -> Arc<ClientConfig> {
    let mut terms = client(trusted);
    terms.resumption = Resumption::disabled();
    Arc::new(terms)
}

fn flags() -> Request {
    Request::get("/api/v1/flags/").key("client-key")
}

/// Good clients, over kept connections and new ones, while something happens; how many of their requests were answered,
/// and how many were not.
fn while_served(address: SocketAddr, terms: &Arc<ClientConfig>, happens: impl FnOnce()) -> (u64, u64) {
    let (answered, lost, is_over) = (AtomicU64::new(0), AtomicU64::new(0), AtomicBool::new(false));
    let is_answered = |connection: &mut Connection| {
        let answer = connection.try_send(&flags());
        answer.is_ok_and(|answer| answer.status == 200)
    };
    let count = |was_answered: bool| {
        let counter = if was_answered { &answered } else { &lost };
        counter.fetch_add(1, Ordering::Relaxed);
        was_answered
    };
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let mut kept = Connection::open_tls(address, terms);
                while !is_over.load(Ordering::Relaxed) {
                    if !count(is_answered(&mut kept)) {
                        break;
                    }
                }
            });
            scope.spawn(|| {
                while !is_over.load(Ordering::Relaxed) {
                    let new = Connection::try_open_tls(address, terms);
                    count(new.is_ok_and(|mut new| is_answered(&mut new)));
                }
            });
        }
        happens();
        // What happens may be over before they have begun.
        let begun = Instant::now();
        while answered.load(Ordering::Relaxed) < LEAST_ANSWERS && begun.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(1));
        }
        is_over.store(true, Ordering::Relaxed);
    });
    (answered.into_inner(), lost.into_inner())
}

fn tell(findings: &mut Findings, (answered, lost): (u64, u64)) -> Result<(), String> {
    findings.clients(format!("{} answers over TLS, {lost} lost", grouped(answered)));
    findings.lost(lost);
    match (answered, lost) {
        (0, _) => Err("nobody was answered".to_owned()),
        (_, 0) => Ok(()),
        _ => Err(format!("{lost} requests were lost")),
    }
}

/// Waits until it has no more descriptors than before.
fn until_closed(proxy: &Proxy, before: usize) -> Result<(), String> {
    let begun = Instant::now();
    while proxy.descriptors() > before {
        if begun.elapsed() > PATIENCE {
            return Err(format!("{} descriptors, {before} before", proxy.descriptors()));
        }
        thread::sleep(Duration::from_millis(20));
    }
    Ok(())
}

/// The first bytes of a client.
fn hello(terms: &Arc<ClientConfig>) -> Vec<u8> {
    let name = "localhost".try_into().unwrap();
    let mut bytes = Vec::new();
    let mut session = ClientConnection::new(Arc::clone(terms), name).unwrap();
    session.write_tls(&mut bytes).unwrap();
    bytes
}

fn abandoned(findings: &mut Findings) -> Result<(), String> {
    let secured = Secured::start();
    let terms = terms([&secured.certificate]);
    let (hello, address) = (hello(&terms), secured.proxy.address);
    let (left, held) = (volume(200, 1_000), volume(100, 1_000));
    let before = secured.proxy.descriptors();
    let seen = while_served(address, &terms, || {
        for number in 0..left {
            let mut socket = connect(address).unwrap();
            let begun = usize::try_from(number).unwrap() * 7 % (hello.len() + 1);
            socket.write_all(&hello[..begun]).unwrap();
        }
        // Those who wait for something else.
        let mut held: Vec<_> = (0..held)
            .map(|number| {
                let mut socket = connect(address).unwrap();
                let begun = usize::try_from(number).unwrap() * 7 % hello.len();
                socket.write_all(&hello[..begun]).unwrap();
                socket
            })
            .collect();
        for socket in &mut held {
            // Ended by the proxy, with an alert or without.
            let _ = socket.read_to_end(&mut Vec::new());
        }
    });
    findings.tried(left + held);
    findings.readiness(secured.readiness(&terms).to_string());
    tell(findings, seen)?;
    until_closed(&secured.proxy, before)
}

fn garbage(findings: &mut Findings) -> Result<(), String> {
    let secured = Secured::start();
    let terms = terms([&secured.certificate]);
    let (hello, address) = (hello(&terms), secured.proxy.address);
    let inputs = volume(500, 20_000);
    let before = secured.proxy.descriptors();
    let mut random = fastrand::Rng::with_seed(12);
    let seen = while_served(address, &terms, || {
        for number in 0..inputs {
            let mut bytes: Vec<u8> = match number % 4 {
                0 => (0..random.usize(1..300)).map(|_| random.u8(..)).collect(),
                1 => [0x16, 3, 1]
                    .into_iter()
                    .chain((0..random.usize(1..300)).map(|_| random.u8(..)))
                    .collect(),
                2 => b"GET / HTTP/1.1\r\nHost: proxy\r\n\r\n".to_vec(),
                _ => hello.clone(),
            };
            if number % 4 == 3 {
                let at = random.usize(..bytes.len());
                bytes[at] ^= random.u8(1..);
            }
            let mut socket = connect(address).unwrap();
            // It may be refused before it is all there.
            let _ = socket.write_all(&bytes);
        }
    });
    findings.tried(inputs);
    findings.readiness(secured.readiness(&terms).to_string());
    tell(findings, seen)?;
    until_closed(&secured.proxy, before)
}

fn bad_key(findings: &mut Findings) -> Result<(), String> {
    let secured = Secured::start();
    let next = Certificate::valid();
    let terms = terms([&secured.certificate, &next]);
    let mut fresh_after = Duration::ZERO;
    let seen = while_served(secured.proxy.address, &terms, || {
        secured.files.replace_certificate(&next.certificate);
        const TOLD: &str = "the files of server.tls have changed";
        secured
            .proxy
            .program()
            .find_line(|line| (line.contains(TOLD) && line.contains("does not match")).then_some(()));
        findings.log(format!("{TOLD}, … does not match"));
        findings.readiness(secured.readiness(&terms).to_string());
        secured.files.replace_key(&next.key);
        fresh_after = until_shown(secured.proxy.address, &terms, &next);
    });
    findings.tried(1);
    findings.fresh_after(fresh_after);
    tell(findings, seen)
}

fn renewals(findings: &mut Findings) -> Result<(), String> {
    let secured = Secured::start();
    let pairs: Vec<_> = (0..volume(4, 40)).map(|_| Certificate::valid()).collect();
    let terms = terms(pairs.iter().chain([&secured.certificate]));
    let mut fresh_after = Duration::ZERO;
    let seen = while_served(secured.proxy.address, &terms, || {
        for pair in &pairs {
            secured.files.replace_certificate(&pair.certificate);
            secured.files.replace_key(&pair.key);
            fresh_after = fresh_after.max(until_shown(secured.proxy.address, &terms, pair));
        }
    });
    findings.fresh_after(fresh_after);
    tell(findings, seen)
}

/// Waits until new connections get this certificate; how long that took.
fn until_shown(address: SocketAddr, terms: &Arc<ClientConfig>, expected: &Certificate) -> Duration {
    let begun = Instant::now();
    loop {
        let connection = Connection::open_tls(address, terms);
        if connection.session().peer_certificates().unwrap()[0] == *expected.der() {
            return begun.elapsed();
        }
        assert!(begun.elapsed() < PATIENCE, "the certificate is renewed");
        thread::sleep(Duration::from_millis(10));
    }
}
