//! Stop under full load: every request that is accepted is answered.
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;
use test_support::documents::{FIXTURE, document};
use test_support::findings::{Findings, grouped};
use test_support::http::{Connection, Request};
use test_support::program::crossed_the_end;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::Row;
use crate::harness::{Proxy, volume};

const GROUP: &str = "stop";

pub(crate) fn rows() -> Vec<Row> {
    vec![
        Row {
            group: GROUP,
            name: "SIGTERM with a drain",
            run: |findings| stop("TERM", Duration::from_millis(500), findings),
        },
        Row {
            group: GROUP,
            name: "SIGTERM without a drain",
            run: |findings| stop("TERM", Duration::ZERO, findings),
        },
        Row {
            group: GROUP,
            name: "SIGINT",
            run: |findings| stop("INT", Duration::ZERO, findings),
        },
    ]
}

const CLIENT_KEY: &str = "client-key";
/// What is lost is lost at once; a full load may make the rest wait.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the clients of one stop saw.
#[derive(Default)]
struct Seen {
    answered: AtomicU64,
    lost: AtomicU64,
    wrong: AtomicU64,
    streams_ended: AtomicU64,
    streams_cut: AtomicU64,
}

impl Seen {
    fn add(to: &AtomicU64) {
        to.fetch_add(1, Ordering::Relaxed);
    }
}

fn stop(signal: &str, drain: Duration, findings: &mut Findings) -> Result<(), String> {
    let (clients, streams, rounds) = (volume(48, 256), volume(16, 200), volume(2, 5));
    let (mut answered, mut crossed) = (0, 0);
    for round in 0..rounds {
        let upstream = ScriptedUpstream::start(|_| Answer::ok(FIXTURE));
        let mut proxy = Proxy::start(&json!({
            "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": "ser.server-key"}],
            "api_url": upstream.api_url(),
            // What is lost is not to be what a machine that is too busy has no time for.
            "server": {"drain_seconds": drain.as_secs_f64(), "shutdown_timeout_seconds": PATIENCE.as_secs()},
        }));
        proxy.wait_until_ready();
        let seen = Seen::default();
        thread::scope(|scope| {
            let (address, seen) = (proxy.address, &seen);
            for _ in 0..streams {
                let stream = open_stream(&proxy);
                scope.spawn(move || listen(stream, seen));
            }
            for client in 0..clients {
                // Three of four keep their connections.
                scope.spawn(move || send_until_refused(address, client % 4 != 0, seen));
            }
            while seen.answered.load(Ordering::Relaxed) < 10 * clients {
                thread::yield_now();
            }
            // A document is on its way too.
            upstream.script(|_| Answer::ok(document("changed", "2030-01-01T00:00:00Z")));
            proxy.signal(signal);
        });
        let (status, log) = proxy.wait();
        let Seen {
            answered: answered_now,
            lost,
            wrong,
            streams_ended,
            streams_cut,
        } = seen;
        answered += answered_now.into_inner();
        let (lost, cut) = (lost.into_inner(), streams_cut.into_inner());
        let of_round = crossed_the_end(&log).min(lost);
        let lost = lost - of_round;
        crossed += of_round;
        findings.lost(lost + cut);
        let wrong = wrong.into_inner();
        if status.code() != Some(0) || lost + cut + wrong > 0 || streams_ended.into_inner() != streams {
            return Err(format!(
                "round {round}: {lost} requests lost, {wrong} answered otherwise than 200, {cut} of {streams} streams cut, \
                 {status}: {log}"
            ));
        }
    }
    findings.clients(format!(
        "{} answers in {rounds} stops, all 200, and {} requests that crossed the end of a kept connection; {} streams, all ended \
         cleanly",
        grouped(answered),
        grouped(crossed),
        grouped(rounds * streams)
    ));
    Ok(())
}

fn open_stream(proxy: &Proxy) -> Connection {
    let mut stream = Connection::try_open_patiently(proxy.address, PATIENCE).unwrap();
    stream.write_request(&Request::get(&format!("/sse/environments/{CLIENT_KEY}/stream")));
    assert_eq!(stream.read_head().status, 200);
    stream
}

/// Reads a stream to its last chunk.
fn listen(mut stream: Connection, seen: &Seen) {
    let rest = stream.rest();
    Seen::add(if rest.ends_with(b"\r\n0\r\n\r\n") {
        &seen.streams_ended
    } else {
        &seen.streams_cut
    });
}

/// Sends one request after the other, until no connection can be made any more.
fn send_until_refused(address: SocketAddr, is_keeping: bool, seen: &Seen) {
    let requests = [
        Request::get("/api/v1/flags/").key(CLIENT_KEY),
        Request::post("/api/v1/identities/", r#"{"identifier":"bob"}"#).key(CLIENT_KEY),
        Request::get("/api/v1/environment-document/").key("ser.server-key"),
        Request::post("/api/v1/analytics/flags/", r#"{"banner":1}"#).key(CLIENT_KEY),
    ];
    let mut kept = None;
    for request in requests.iter().cycle() {
        let open = || Connection::try_open_patiently(address, PATIENCE).ok();
        // As every client looks that keeps connections.
        let usable = kept.take().filter(|kept: &Connection| !kept.has_ended());
        let Some(mut connection) = usable.or_else(open) else {
            return;
        };
        match connection.try_send(request) {
            Ok(answer) => {
                Seen::add(if answer.status == 200 {
                    &seen.answered
                } else {
                    &seen.wrong
                });
                if is_keeping && answer.header("connection") != Some("close") {
                    kept = Some(connection);
                }
            }
            Err(_) => Seen::add(&seen.lost),
        }
    }
}
