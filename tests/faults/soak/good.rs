//! The clients that may lose nothing.
use std::io;
use std::net::SocketAddr;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use test_support::findings::grouped;
use test_support::http::{Connection, Request, Response};

use super::weather::Weather;
use crate::harness::environments::{ENVIRONMENTS, Environment};

/// What all of them saw.
#[derive(Default)]
pub(super) struct Seen {
    answers: AtomicU64,
    not_modified: AtomicU64,
    connections: AtomicU64,
    streams: AtomicU64,
    events: AtomicU64,
    lost: Mutex<Vec<String>>,
}

impl Seen {
    pub(super) fn summary(&self) -> String {
        let count = |of: &AtomicU64| grouped(of.load(Ordering::Relaxed));
        format!(
            "{} × 200 or 304 ({}) over {} connections, {} streams with {} events, {} failed",
            count(&self.answers),
            count(&self.not_modified),
            count(&self.connections),
            count(&self.streams),
            count(&self.events),
            self.lost_count()
        )
    }

    pub(super) fn lost_count(&self) -> u64 {
        self.lost.lock().unwrap().len() as u64
    }

    pub(super) fn first_lost(&self) -> Option<String> {
        self.lost.lock().unwrap().first().cloned()
    }

    fn lost(&self, what: String) {
        self.lost.lock().unwrap().push(what);
    }

    fn add(counter: &AtomicU64) {
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// One poll after the other, as SDKs send them, on connections that are kept for a while.
pub(super) fn ask_until(end: Instant, address: SocketAddr, weather: &Weather, seen: &Seen) {
    while Instant::now() < end {
        let environment = &ENVIRONMENTS[fastrand::usize(0..ENVIRONMENTS.len())];
        if let Err(error) = poll(end, address, environment, weather, seen) {
            seen.lost(error.to_string());
        }
    }
}

/// Asks over one connection, for a random number of rounds.
fn poll(
    end: Instant,
    address: SocketAddr,
    environment: &Environment,
    weather: &Weather,
    seen: &Seen,
) -> io::Result<()> {
    let mut connection = Connection::try_open(address)?;
    Seen::add(&seen.connections);
    let mut newest = 0;
    let mut etag = None::<String>;
    for _ in 0..fastrand::u32(1..200) {
        for request in requests(environment, etag.as_deref()) {
            let answer = connection.try_send(&request)?;
            let is_flags = answer.header("etag").is_some() && answer.header("last-modified").is_none();
            check(&answer, &mut newest, weather, seen);
            if is_flags {
                etag = answer.header("etag").map(str::to_owned);
            }
            if answer.header("connection") == Some("close") {
                return Ok(());
            }
        }
        if Instant::now() > end {
            return Ok(());
        }
        thread::sleep(Duration::from_millis(fastrand::u64(1..30)));
    }
    Ok(())
}

fn requests(environment: &Environment, etag: Option<&str>) -> [Request; 4] {
    let (client, server) = (environment.client_side_key, environment.server_side_key);
    let flags = Request::get("/api/v1/flags/").key(client);
    let flags = match etag {
        Some(etag) => flags.header("If-None-Match", etag),
        None => flags,
    };
    let age = fastrand::u32(0..100);
    let traits =
        format!(r#"{{"identifier":"identity-{age}","traits":[{{"trait_key":"age","trait_value":{age}}}]}}"#);
    [
        flags,
        Request::post("/api/v1/identities/", traits).key(client),
        Request::get("/api/v1/environment-document/").key(server),
        Request::post("/api/v1/analytics/flags/", r#"{"banner":1}"#).key(client),
    ]
}

/// 200 or 304, and never an older version than this connection had before.
fn check(answer: &Response, newest: &mut u32, weather: &Weather, seen: &Seen) {
    match answer.status {
        200 => Seen::add(&seen.answers),
        304 => {
            Seen::add(&seen.answers);
            return Seen::add(&seen.not_modified);
        }
        status => return seen.lost(format!("{status}: {}", String::from_utf8_lossy(&answer.body))),
    }
    let text = String::from_utf8_lossy(&answer.body);
    let Some((_, value)) = text.split_once(r#""feature_state_value":"value "#) else {
        // What is counted is answered with `{}`.
        if text != "{}" {
            seen.lost(format!("no flags in {text}"));
        }
        return;
    };
    let version = value.split('"').next().and_then(|version| version.parse().ok());
    match version {
        Some(version) if (*newest..=weather.version()).contains(&version) => *newest = version,
        version => seen.lost(format!(
            "version {version:?} after {newest}, {} is the newest",
            weather.version()
        )),
    }
}

/// One stream after the other: some are left before they end.
pub(super) fn listen_until(end: Instant, address: SocketAddr, place: usize, seen: &Seen) {
    let key = ENVIRONMENTS[place % ENVIRONMENTS.len()].client_side_key;
    let request = Request::get(&format!("/sse/environments/{key}/stream"));
    while Instant::now() < end {
        if let Err(error) = listen(address, &request, seen) {
            seen.lost(format!("a stream: {error}"));
        }
    }
}

fn listen(address: SocketAddr, request: &Request, seen: &Seen) -> io::Result<()> {
    let mut connection = Connection::try_open(address)?;
    connection.write_request(request);
    let head = connection.read_head();
    if head.status != 200 {
        return Err(io::Error::other(format!("{}", head.status)));
    }
    Seen::add(&seen.streams);
    let leaves_after = if fastrand::bool() {
        fastrand::usize(0..4)
    } else {
        usize::MAX
    };
    for _ in 0..leaves_after {
        match connection.try_chunk()? {
            Some(frame) if frame.contains("environment_updated") => Seen::add(&seen.events),
            Some(_) => {}
            None => break,
        }
    }
    Ok(())
}
