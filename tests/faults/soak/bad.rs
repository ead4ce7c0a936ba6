//! Clients that do what they should not.
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use test_support::findings::grouped;
use test_support::http::{Connection, Request};

use crate::harness::environments::ENVIRONMENTS;

/// How often each of [`ACTS`] was done.
#[derive(Default)]
pub(super) struct Tried([AtomicU64; ACTS.len()]);

impl Tried {
    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|count| count.load(Ordering::Relaxed)).sum()
    }

    pub(super) fn summary(&self) -> String {
        let counts = ACTS.iter().zip(&self.0);
        let counts =
            counts.map(|((name, _), count)| format!("{} × {name}", grouped(count.load(Ordering::Relaxed))));
        counts.collect::<Vec<_>>().join(", ")
    }
}

pub(super) type Act = (&'static str, fn(SocketAddr) -> Option<()>);

/// What they do; `None`: the proxy did not let them, which is its right.
pub(super) const ACTS: [Act; 7] = [
    ("random bytes", random_bytes),
    ("slow heads", slow_head),
    ("bodies that are cut", cut_body),
    ("unread answers", unread_answers),
    ("unknown keys", unknown_key),
    ("large bodies", large_body),
    ("idle connections", idle),
];

/// Does it again and again until then.
pub(super) fn act_until(end: Instant, address: SocketAddr, (name, act): Act, tried: &Tried) {
    let place = ACTS
        .iter()
        .position(|(known, _)| *known == name)
        .expect("one of them");
    while Instant::now() < end {
        let _ = act(address);
        tried.0[place].fetch_add(1, Ordering::Relaxed);
        thread::sleep(Duration::from_millis(fastrand::u64(5..50)));
    }
}

fn random_bytes(address: SocketAddr) -> Option<()> {
    let mut connection = Connection::try_open(address).ok()?;
    let bytes: Vec<u8> = std::iter::repeat_with(|| fastrand::u8(..))
        .take(fastrand::usize(1..4000))
        .collect();
    connection.try_write(&bytes);
    connection.try_finish();
    connection.rest();
    Some(())
}

fn slow_head(address: SocketAddr) -> Option<()> {
    let mut connection = Connection::try_open(address).ok()?;
    for byte in b"GET /api/v1/flags/ HTTP/1.1\r\nHost: proxy\r\n" {
        connection.try_write(&[*byte]);
        thread::sleep(Duration::from_millis(20));
    }
    Some(())
}

fn cut_body(address: SocketAddr) -> Option<()> {
    let mut connection = Connection::try_open(address).ok()?;
    connection.try_write(
        b"POST /api/v1/identities/ HTTP/1.1\r\nHost: proxy\r\nX-Environment-Key: unknown\r\nContent-Length: 500\r\n\r\n{\"ident",
    );
    Some(())
}

/// Leaves with answers on their way, so that the connection is reset.
fn unread_answers(address: SocketAddr) -> Option<()> {
    let mut connection = Connection::try_open(address).ok()?;
    let request = Request::get("/api/v1/environment-document/").key(ENVIRONMENTS[0].server_side_key);
    connection.try_write(&request.bytes().repeat(20));
    Some(())
}

fn unknown_key(address: SocketAddr) -> Option<()> {
    let mut connection = Connection::try_open(address).ok()?;
    for _ in 0..50 {
        let key = format!("unknown-{}", fastrand::u64(..));
        let answer = connection
            .try_send(&Request::get("/api/v1/flags/").key(&key))
            .ok()?;
        assert_eq!(answer.status, 401);
    }
    Some(())
}

fn large_body(address: SocketAddr) -> Option<()> {
    let mut connection = Connection::try_open(address).ok()?;
    let request =
        Request::post("/api/v1/identities/", vec![b' '; 2_000_000]).key(ENVIRONMENTS[0].client_side_key);
    connection.try_write(&request.bytes());
    connection.rest();
    Some(())
}

fn idle(address: SocketAddr) -> Option<()> {
    let connection = Connection::try_open(address).ok()?;
    thread::sleep(Duration::from_secs(2));
    drop(connection);
    Some(())
}
