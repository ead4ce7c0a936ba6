//! The proxy as a process of its own: signals, exit codes, what it writes.
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::http::{Connection, Request};

use super::app::{CLIENT_KEY, SERVER_KEY, merge};

/// Longer than any start may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// What a [`Proxy`] is started with.
pub(crate) struct ProxyOptions {
    /// Options of `logging`.
    pub logging: Value,
    /// Further options of `config.json`.
    pub config: Value,
    /// Environment variables.
    pub variables: Vec<(&'static str, String)>,
}

impl Default for ProxyOptions {
    fn default() -> Self {
        Self {
            logging: json!({"log_level": "INFO", "enable_access_log": false}),
            config: json!({}),
            variables: Vec::new(),
        }
    }
}

/// The real program; killed when this is dropped.
pub(crate) struct Proxy {
    /// Where it listens.
    pub address: SocketAddr,
    child: Child,
    stderr: Option<JoinHandle<String>>,
    _directory: TempDir,
}

impl Proxy {
    /// Starts it on the fixture and waits until it serves the fixture.
    pub(crate) fn start(options: ProxyOptions) -> Self {
        let directory = TempDir::new().unwrap();
        std::fs::write(directory.path().join("environment.json"), FIXTURE).unwrap();
        let mut config = json!({
            "environment_key_pairs": [{
                "client_side_key": CLIENT_KEY,
                "server_side_key": SERVER_KEY,
                "document_path": "environment.json",
            }],
            "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
            "logging": options.logging,
        });
        merge(&mut config, &options.config);
        std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
        let mut command = command(directory.path());
        command.envs(options.variables).stderr(Stdio::piped());
        Self::of(command.spawn().unwrap(), directory)
    }

    /// Waits until a program that was started here, with its standard error piped, serves its document.
    pub(crate) fn of(mut child: Child, directory: TempDir) -> Self {
        let (address_sender, address) = mpsc::channel();
        let lines = BufReader::new(child.stderr.take().unwrap());
        let stderr = std::thread::spawn(move || collect(lines, &address_sender));
        let address = address
            .recv_timeout(PATIENCE)
            .expect("the proxy says where it listens");
        wait_until_ready(address);
        Self {
            address,
            child,
            stderr: Some(stderr),
            _directory: directory,
        }
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends a signal, by the name that a shell's `kill` knows.
    pub(crate) fn signal(&self, name: &str) {
        send_signal(self.child.id(), name);
    }

    /// Waits for its end; what it wrote to standard error comes along.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        let status = self.child.wait().unwrap();
        (status, self.stderr.take().unwrap().join().unwrap())
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Sends a signal to a process, by the name that a shell's `kill` knows.
pub(crate) fn send_signal(process: u32, name: &str) {
    // The shell's own kill: a slim image has no other.
    let kill = format!("kill -s {name} {process}");
    let status = Command::new("sh").args(["-c", &kill]).status().unwrap();
    assert!(status.success());
}

fn wait_until_ready(address: SocketAddr) {
    let started = Instant::now();
    while Connection::open(address)
        .send(&Request::get("/proxy/health/readiness"))
        .status
        != 200
    {
        assert!(started.elapsed() < PATIENCE, "the proxy becomes ready");
    }
}

/// The program with nothing of the test's own environment, in a directory with or without a `config.json`.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-proxy"));
    command.env_clear().current_dir(directory).stdin(Stdio::null());
    command
}

fn collect(mut lines: impl BufRead, address: &mpsc::Sender<SocketAddr>) -> String {
    let mut all = String::new();
    loop {
        let start = all.len();
        if lines.read_line(&mut all).unwrap_or(0) == 0 {
            return all;
        }
        if let Some((_, rest)) = all[start..].split_once("listening on http://") {
            let end = rest
                .find(|c: char| !(c.is_ascii_digit() || ".:[]".contains(c)))
                .unwrap_or(rest.len());
            if let Ok(found) = rest[..end].parse() {
                let _ = address.send(found);
            }
        }
    }
}
