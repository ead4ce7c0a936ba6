//! The real program.
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::http::{Connection, Request, Response, ask};
use test_support::program::Program;
use test_support::wait::PATIENCE;

/// The real program; killed when this is dropped.
pub(crate) struct Proxy {
    /// Where it listens.
    pub(crate) address: SocketAddr,
    program: Program,
    directory: TempDir,
}

impl Proxy {
    /// Starts it with this configuration on a port of the system's choice, and waits until it listens.
    pub(crate) fn start(config: &Value) -> Self {
        Self::start_with(config, |_| ())
    }

    /// The same, with a command that is completed, such as by variables.
    pub(crate) fn start_with(config: &Value, complete: impl FnOnce(&mut Command)) -> Self {
        let directory = TempDir::new().unwrap();
        Self::start_in(directory, config, complete)
    }

    /// The same, in a folder that may hold something already.
    pub(crate) fn start_in(directory: TempDir, config: &Value, complete: impl FnOnce(&mut Command)) -> Self {
        let mut own = json!({
            "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
            "logging": {"log_level": "INFO", "enable_access_log": false},
        });
        merge(&mut own, config);
        std::fs::write(directory.path().join("config.json"), own.to_string()).unwrap();
        let mut command = command(directory.path());
        complete(&mut command);
        Self::of(Program::start(&mut command), directory)
    }

    /// Waits until a program that was started in this folder listens.
    pub(crate) fn of(program: Program, directory: TempDir) -> Self {
        let address = program.find_line(|line| {
            let (_, url) = line.split_once("listening on http")?;
            let (_, rest) = url.split_once("://")?;
            let end = rest
                .find(|c: char| !(c.is_ascii_digit() || ".:[]".contains(c)))
                .unwrap_or(rest.len());
            rest[..end].parse().ok()
        });
        Self {
            address,
            program,
            directory,
        }
    }

    /// Its folder, in which `config.json` lies.
    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// The program, for signals, its log and its end.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends one request on a connection of its own.
    pub(crate) fn send(&self, request: &Request) -> Response {
        ask(self.address, request).unwrap()
    }

    /// What readiness says.
    pub(crate) fn readiness(&self) -> u16 {
        self.send(&Request::get("/proxy/health/readiness")).status
    }

    /// Asks for readiness until it is 200.
    pub(crate) fn wait_until_ready(&self) {
        let begun = Instant::now();
        while self.readiness() != 200 {
            assert!(begun.elapsed() < PATIENCE, "the proxy becomes ready");
        }
    }

    /// All that it has written so far.
    pub(crate) fn written(&self) -> String {
        self.program.written()
    }

    /// Sends a signal, by the name that a shell's `kill` knows.
    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Waits for its end; what it wrote comes along.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        self.program.wait()
    }

    /// For how long the thread of its that has waited longest for a core has done so, because others had it; nothing where the
    /// system does not tell.
    pub(crate) fn delayed(&self) -> Duration {
        let path = format!("/proc/{}/task", self.program.id());
        let threads = std::fs::read_dir(path).into_iter().flatten().flatten();
        // The second number, in nanoseconds (Documentation/scheduler/sched-stats.rst of Linux).
        let delayed = threads.filter_map(|thread| {
            let told = std::fs::read_to_string(thread.path().join("schedstat")).ok()?;
            told.split_whitespace().nth(1)?.parse::<u64>().ok()
        });
        Duration::from_nanos(delayed.max().unwrap_or_default())
    }

    /// Resident memory, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let path = format!("/proc/{}/status", self.program.id());
        let status = std::fs::read_to_string(path).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kibibytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
        kibibytes.parse().unwrap()
    }

    /// Open descriptors.
    pub(crate) fn descriptors(&self) -> usize {
        let path = format!("/proc/{}/fd", self.program.id());
        std::fs::read_dir(path).unwrap().count()
    }
}

/// The program with nothing of the test's own environment, in this folder.
pub(crate) fn command(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-proxy"));
    command.env_clear().env("TMPDIR", folder).current_dir(folder);
    command
}

/// Lays one configuration over another: objects are merged, everything else is replaced.
fn merge(into: &mut Value, over: &Value) {
    match (into, over) {
        (Value::Object(into), Value::Object(over)) => {
            for (key, value) in over {
                merge(into.entry(key).or_insert(Value::Null), value);
            }
        }
        (into, over) => *into = over.clone(),
    }
}
