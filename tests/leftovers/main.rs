//! What an application leaves behind in its process: nothing. A test binary of its own, since the threads and descriptors
//! of the whole process are counted.
#![cfg(target_os = "linux")]
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in test functions; this is what those share"
)]
use std::collections::BTreeMap;
use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::time::Instant;

use edge_proxy::application::{Application, Limits, Outcome};
use edge_proxy::settings::Settings;
use serde_json::json;
use test_support::documents::FIXTURE;
use test_support::http::{Connection, Request};
use test_support::wait::PATIENCE;
use tokio::sync::oneshot;

/// What the process holds: threads by name, and descriptors by what they are.
#[derive(Debug, PartialEq, Eq)]
struct Holdings {
    threads: BTreeMap<String, usize>,
    descriptors: BTreeMap<String, usize>,
}

impl Holdings {
    fn now() -> Self {
        let mut threads = BTreeMap::new();
        for task in fs::read_dir("/proc/self/task").unwrap().flatten() {
            // It may have ended since the folder was read.
            if let Ok(name) = fs::read_to_string(task.path().join("comm")) {
                // The allocator's own, which come as memory is used.
                if !name.starts_with("jemalloc") {
                    *threads.entry(name.trim().to_owned()).or_default() += 1;
                }
            }
        }
        let mut descriptors = BTreeMap::new();
        for descriptor in fs::read_dir("/proc/self/fd").unwrap().flatten() {
            if let Ok(target) = fs::read_link(descriptor.path()) {
                let target = target.display().to_string();
                // `socket:[7]`, `anon_inode:[eventpoll]`, `pipe:[8]`
                let kind = target.split(":[").next().unwrap().to_owned();
                if !kind.starts_with("/proc/") {
                    *descriptors.entry(kind).or_default() += 1;
                }
            }
        }
        Self { threads, descriptors }
    }
}

fn settings(upstream: SocketAddr, folder: &tempfile::TempDir) -> Settings {
    let path = folder.path().join("config.json");
    let document = folder.path().join("environment.json");
    fs::write(&document, FIXTURE).unwrap();
    let config = json!({
        "environment_key_pairs": [
            {"client_side_key": "file", "document_path": "environment.json"},
            {"client_side_key": "polled", "server_side_key": "ser.polled"},
        ],
        "api_url": format!("http://{upstream}/api/v1"),
        "realtime": {"upstream_url": format!("http://{upstream}")},
        "server": {"host": "127.0.0.1", "port": 0},
    });
    fs::write(&path, config.to_string()).unwrap();
    Settings::load(Some(&path), [("WEB_CONCURRENCY".to_owned(), "2".to_owned())])
        .unwrap()
        .settings
}

/// Serves, is used, and stops.
fn live(settings: &Settings) {
    let outcome = actix::System::new().block_on(async {
        let application = Application::build(settings, Limits::default()).unwrap();
        let address = application.addresses()[0];
        let (stop, stopped) = oneshot::channel::<()>();
        let user = std::thread::spawn(move || {
            use_it(address);
            stop.send(()).unwrap();
        });
        let outcome = application
            .run_until_stopped(async { stopped.await.unwrap() })
            .await;
        user.join().unwrap();
        outcome
    });
    assert_eq!(outcome.unwrap(), Outcome::Stopped);
}

/// A connection that is kept, and a stream that is open when the stop comes.
fn use_it(address: SocketAddr) {
    let mut flags = Connection::open(address);
    let request = Request::get("/api/v1/flags/").key("file");
    let deadline = Instant::now() + PATIENCE;
    while flags.send(&request).status != 200 {
        assert!(Instant::now() < deadline, "no document in time");
    }
    let mut stream = Connection::open(address);
    stream.write_request(&Request::get("/sse/environments/file/stream"));
    assert_eq!(stream.read_head().status, 200);
}

#[test]
fn no_thread_timer_or_socket_is_left_after_a_stop() {
    // An upstream that takes connections and never answers: fetches and streams are under way when the stop comes.
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let settings = settings(upstream.local_addr().unwrap(), &folder);
    // The first runtime of a process opens a pair of sockets for signals, which stays for the process.
    actix::System::new().block_on(async {});
    let before = Holdings::now();
    for _ in 0..3 {
        live(&settings);
    }
    // Whoever joins the threads may itself be about to end.
    let deadline = Instant::now() + PATIENCE;
    while Holdings::now() != before {
        if Instant::now() > deadline {
            assert_eq!(Holdings::now(), before);
        }
        std::thread::yield_now();
    }
}
