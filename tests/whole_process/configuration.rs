//! New lists of environments, one after the other, under load.
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Instant;

use actors::environment::{DocumentSource, EnvironmentHandle, EnvironmentOptions};
use actors::keys::EnvironmentKey;
use serde_json::json;
use test_support::documents::{FIXTURE, document};
use test_support::http::{Connection, Request};
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::wait;

use crate::holdings::{Holdings, resident_memory};
use crate::process::{alone, serve, settings};

const LISTS: usize = 1_000;
/// After so many lists, everything that is kept has been made.
const WARM: usize = 250;
const STREAMS: usize = 200;
const CONNECTIONS: usize = 4;
/// Environments that come and go beside the one that stays.
const OTHERS: usize = 8;
const STAYS: &str = "stays";
/// Memory that may have grown from the 250th list to the last, in bytes: a compiled fixture kept for each would take 20 MiB.
const GROWTH: usize = 8 << 20;

/// One of the other environments, which is in the list or not.
struct Other {
    number: usize,
    is_listed: bool,
    rotation: usize,
    is_file: bool,
}

impl Other {
    fn server_side_key(&self) -> String {
        format!("ser.{}.{}", self.number, self.rotation)
    }

    fn options(&self, document_path: &Path) -> EnvironmentOptions {
        EnvironmentOptions {
            client_side_key: EnvironmentKey::new(format!("client{}", self.number)),
            server_side_keys: vec![EnvironmentKey::new(self.server_side_key())],
            source: if self.is_file {
                DocumentSource::File(document_path.to_owned())
            } else {
                DocumentSource::Upstream
            },
            fallback: None,
        }
    }
}

fn staying() -> EnvironmentOptions {
    EnvironmentOptions {
        client_side_key: EnvironmentKey::new(STAYS),
        server_side_keys: vec![EnvironmentKey::new("ser.stays")],
        source: DocumentSource::Upstream,
        fallback: None,
    }
}

/// Asks without a pause until `is_over`; gives how often. Every answer must be 200.
fn load(address: SocketAddr, is_over: Arc<AtomicBool>, answered: Arc<AtomicUsize>) -> JoinHandle<()> {
    std::thread::spawn(move || {
        let mut connection = Connection::open(address);
        let body = json!({"identifier": "alice", "traits": []}).to_string();
        let requests = [
            Request::get("/api/v1/flags/").key(STAYS),
            Request::post("/api/v1/identities/", body).key("ser.stays"),
        ];
        while !is_over.load(Ordering::SeqCst) {
            for request in &requests {
                assert_eq!(connection.send(request).status, 200);
                answered.fetch_add(1, Ordering::SeqCst);
            }
        }
    })
}

/// Changes one environment at random; gives a key that opens nothing any more, if there is one.
fn change(others: &mut [Other], random: &mut fastrand::Rng) -> Option<String> {
    let other = &mut others[random.usize(..OTHERS)];
    let key = other.server_side_key();
    if !other.is_listed {
        other.is_listed = true;
        return None;
    }
    match random.usize(..3) {
        0 => other.is_listed = false,
        1 => other.rotation += 1,
        _ => {
            other.is_file = !other.is_file;
            return None;
        }
    }
    Some(key)
}

fn reconfigure(address: SocketAddr, environments: &EnvironmentHandle, document_path: &Path) {
    let mut random = fastrand::Rng::with_seed(7);
    let mut others: Vec<Other> = (0..OTHERS)
        .map(|number| Other {
            number,
            is_listed: false,
            rotation: 0,
            is_file: false,
        })
        .collect();
    let mut connection = Connection::open(address);
    let mut warm = None;
    for number in 0..LISTS {
        let closed = change(&mut others, &mut random);
        let listed = others.iter().filter(|other| other.is_listed);
        let mut list: Vec<_> = listed.map(|other| other.options(document_path)).collect();
        list.insert(random.usize(..=list.len()), staying());
        wait(environments.configure(list)).unwrap();
        if let Some(key) = closed {
            let request = Request::get("/api/v1/flags/").key(&key);
            assert_eq!(connection.send(&request).status, 401, "list {number}");
        }
        if number == WARM {
            warm = Some((Holdings::now(), resident_memory()));
        }
    }
    let (holdings, memory) = warm.unwrap();
    let now = Holdings::now();
    assert_eq!(arbiters(&now), arbiters(&holdings), "actors");
    // An environment has a connection to upstream, and one that follows it; the scripted upstream is in this process as
    // well, with three descriptors for each. A leak would show for each of the lists.
    let most = OTHERS * 2 * 4;
    let (before, after) = (holdings.descriptors(), now.descriptors());
    assert!(after <= before + most, "{before} descriptors, then {after}");
    let grown = resident_memory().saturating_sub(memory);
    assert!(grown < GROWTH, "{grown} bytes more");
}

/// Threads that run actors, and not blocking work.
fn arbiters(holdings: &Holdings) -> usize {
    let named = holdings.threads.iter();
    named
        .filter(|(name, _)| name.starts_with("actix-rt"))
        .map(|(_, count)| count)
        .sum()
}

#[test]
fn a_thousand_lists_under_load_fail_no_request_and_cut_no_stream() {
    let _alone = alone();
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", "2024-12-26T16:18:08+00:00")));
    let folder = tempfile::tempdir().unwrap();
    let document_path = folder.path().join("environment.json");
    std::fs::write(&document_path, FIXTURE).unwrap();
    let settings = settings(
        &folder,
        json!({
            "environment_key_pairs": [{"client_side_key": STAYS, "server_side_key": "ser.stays"}],
            "api_url": upstream.api_url(),
            "api_poll_frequency_seconds": 3600,
            "realtime": {"max_stream_age_seconds": -1},
        }),
    );
    serve(&settings, move |address, environments| {
        let id = environments.configured().borrow()[0].id;
        wait(async {
            let mut acknowledged = environments.acknowledged();
            acknowledged.wait_for(|version| *version > 0).await.unwrap();
        });
        let mut streams: Vec<_> = (0..STREAMS)
            .map(|_| {
                let mut stream = Connection::open(address);
                stream.write_request(&Request::get("/sse/environments/stays/stream"));
                assert_eq!(stream.read_head().status, 200);
                stream
            })
            .collect();
        let (is_over, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let load: Vec<_> = (0..CONNECTIONS)
            .map(|_| load(address, Arc::clone(&is_over), Arc::clone(&answered)))
            .collect();
        let started = Instant::now();
        reconfigure(address, &environments, &document_path);
        let took = started.elapsed().as_secs_f64();
        is_over.store(true, Ordering::SeqCst);
        for load in load {
            load.join().expect("no failed request");
        }
        let requests = answered.load(Ordering::SeqCst);
        println!(
            "{LISTS} lists in {took:.1} s beside {:.0} requests/s",
            requests as f64 / took
        );

        upstream.script(|_| Answer::ok(document("two", "2025-01-01T00:00:00+00:00")));
        environments.refresh(id, None);
        for stream in &mut streams {
            let mut events = std::iter::from_fn(|| stream.chunk());
            assert!(events.any(|event| event.contains("1735689600")), "a cut stream");
        }
    });
}
