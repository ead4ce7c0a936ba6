//! Signals that end nothing, and SIGQUIT, which does, as the real program gets them.
use std::fs::File;
use std::io::Write as _;
use std::process::Command;
use std::time::Instant;

use serde_json::json;
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::program::Program;
use test_support::wait::PATIENCE;

use crate::harness::{CLIENT_KEY, Connection, Proxy, ProxyOptions, Request, command};

/// Their default is to kill.
const ENDING_NOTHING: [&str; 2] = ["USR1", "USR2"];

fn count(log: &str, text: &str) -> usize {
    log.lines().filter(|line| line.contains(text)).count()
}

/// Every one of them has its line, which comes once.
fn assert_told_once(log: &str) {
    for name in ENDING_NOTHING {
        assert_eq!(count(log, &format!("SIG{name} ")), 1, "{name}: {log}");
    }
}

/// A folder with the fixture, still without a configuration.
fn folder() -> TempDir {
    let directory = TempDir::new().unwrap();
    std::fs::write(directory.path().join("environment.json"), FIXTURE).unwrap();
    directory
}

fn configuration() -> String {
    json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "document_path": "environment.json"}],
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
        "logging": {"enable_access_log": true},
    })
    .to_string()
}

#[test]
fn usr1_and_usr2_end_nothing_and_say_what_they_do_not_do() {
    let mut proxy = Proxy::start(ProxyOptions::default());
    let mut kept = proxy.connect();
    for name in ENDING_NOTHING.into_iter().chain(["PIPE"]) {
        proxy.signal(name);
        let flags = kept.send(&Request::get("/api/v1/flags/").key(CLIENT_KEY));
        assert_eq!(flags.status, 200, "{name}");
    }
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_told_once(&log);
}

/// The program waits for the writer of a pipe, so that the signals come at a moment that the test knows.
#[test]
fn hup_usr1_and_usr2_end_nothing_before_the_configuration_is_read() {
    const FROM_A_PIPE: &str =
        "SIGHUP has no effect: configuration file config.json is no file, such as a pipe";
    let directory = folder();
    let path = directory.path().join("config.json");
    assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
    let starting = Program::start(&mut command(directory.path()));
    // This waits until the program has opened it too.
    let mut pipe = File::options().write(true).open(&path).unwrap();
    for name in ENDING_NOTHING.into_iter().chain(["HUP"]) {
        starting.signal(name);
    }
    pipe.write_all(configuration().as_bytes()).unwrap();
    drop(pipe);
    let mut proxy = Proxy::of(starting, directory);
    proxy
        .program()
        .wait_for_lines(1, |line| line.contains(FROM_A_PIPE));
    proxy.signal("TERM");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_told_once(&log);
    assert_eq!(count(&log, "SIGHUP"), 1, "{log}");
}

#[test]
fn quit_stops_it_as_term_does() {
    // Longer than its end is waited for, so that it ends by the second signal alone.
    let drain = (100 * PATIENCE).as_secs();
    let mut proxy = Proxy::start(ProxyOptions {
        config: json!({"server": {"drain_seconds": drain, "shutdown_timeout_seconds": 2 * drain}}),
        ..ProxyOptions::default()
    });
    proxy.signal("QUIT");
    // A drain, which SIGINT does not have: everything is served, and answers end their connections.
    while proxy
        .connect()
        .send(&Request::get("/proxy/health/readiness"))
        .status
        == 200
    {}
    let flags = proxy
        .connect()
        .send(&Request::get("/api/v1/flags/").key(CLIENT_KEY));
    assert_eq!((flags.status, flags.header("connection")), (200, Some("close")));
    proxy.signal("QUIT");
    let (status, log) = proxy.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

/// A log that goes to a file is bounded where files are; a write past it fails, and the proxy goes on.
#[test]
fn a_log_file_that_may_not_grow_further_ends_nothing() {
    let directory = folder();
    std::fs::write(directory.path().join("config.json"), configuration()).unwrap();
    // A block or two: room for the lines of the start, and for none of 100 requests.
    let start = format!("ulimit -f 2 && exec {} 2>log", env!("CARGO_BIN_EXE_edge-proxy"));
    let mut program = Command::new("sh");
    program
        .args(["-c", &start])
        .env_clear()
        .env("TMPDIR", directory.path());
    let mut program = Program::start(program.current_dir(directory.path()));
    let asked = Instant::now();
    let address = loop {
        let log = std::fs::read_to_string(directory.path().join("log")).unwrap_or_default();
        if let Some((_, rest)) = log.split_once("listening on http://")
            && let Some((address, _)) = rest.split_once('\n')
        {
            break address.parse().unwrap();
        }
        assert!(asked.elapsed() < PATIENCE, "it says where it listens: {log}");
    };
    let mut connection = Connection::open(address);
    for _ in 0..100 {
        let liveness = connection.send(&Request::get("/proxy/health/liveness"));
        assert_eq!(liveness.status, 200);
    }
    program.signal("TERM");
    let (status, _) = program.wait();
    assert_eq!(status.code(), Some(0), "{status}");
}
