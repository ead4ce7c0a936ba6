//! The proxy as a process of its own: signals, exit codes, what it writes.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::documents::FIXTURE;
use test_support::http::{Connection, Request, Response};
use test_support::program::Program;
use test_support::wait::PATIENCE;

use super::app::{CLIENT_KEY, SERVER_KEY, merge};

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
    program: Program,
    directory: TempDir,
    /// As it was written last.
    config: Value,
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
        let program = Program::start(command.envs(options.variables));
        Self {
            config,
            ..Self::of(program, directory)
        }
    }

    /// Waits until a program that was started in this folder serves its document.
    pub(crate) fn of(program: Program, directory: TempDir) -> Self {
        let address = address_after(&program, "listening on http://");
        Self::listening_at(program, directory, address)
    }

    /// The same where it is known at which address it listens.
    pub(crate) fn listening_at(program: Program, directory: TempDir, address: SocketAddr) -> Self {
        wait_until_ready(address);
        Self {
            address,
            program,
            directory,
            config: Value::Null,
        }
    }

    /// Where its admin port is now, which it tells at INFO.
    pub(crate) fn admin(&self) -> SocketAddr {
        // The first time it may still be on its way.
        address_after(&self.program, ADMIN);
        let written = self.written();
        let (_, rest) = written.rsplit_once(ADMIN).unwrap();
        address_at(rest).unwrap()
    }

    /// Lays this over the configuration, has the file read again, and waits until it is in force.
    pub(crate) fn reload(&mut self, over: &Value) {
        let is_read = |line: &str| line.contains("the configuration was read again");
        let before = self.written().lines().filter(|line| is_read(line)).count();
        merge(&mut self.config, over);
        let (path, next) = (self.folder().join("config.json"), self.folder().join("next.json"));
        std::fs::write(&next, self.config.to_string()).unwrap();
        // At one moment, without a shell between the two: a file that is there for a while is read because of that, too, and
        // whoever waits for one line would go on before the other.
        std::fs::rename(next, path).unwrap();
        self.hang_up();
        self.program.wait_for_lines(before + 1, is_read);
    }

    /// Sends SIGHUP, at once.
    fn hang_up(&self) {
        let id = i32::try_from(self.program.id()).ok().and_then(Pid::from_raw);
        kill_process(id.expect("a process"), Signal::HUP).unwrap();
    }

    /// Writes the configuration file in place.
    pub(crate) fn write_config(&self, bytes: &[u8]) {
        std::fs::write(self.directory.path().join("config.json"), bytes).unwrap();
    }

    /// The folder of its configuration.
    pub(crate) fn folder(&self) -> &Path {
        self.directory.path()
    }

    /// The file that the environment is read from.
    pub(crate) fn document_path(&self) -> PathBuf {
        self.directory.path().join("environment.json")
    }

    /// The program, for its log.
    pub(crate) fn program(&self) -> &Program {
        &self.program
    }

    /// All that it has written so far.
    pub(crate) fn written(&self) -> String {
        self.program.written()
    }

    /// Sends one request to the admin port.
    pub(crate) fn ask_admin(&self, request: Request) -> Response {
        let admin = self.admin();
        Connection::open(admin).send(&request.header("Host", &admin.to_string()))
    }

    /// Opens a connection.
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address)
    }

    /// Sends a signal, by the name that a shell's `kill` knows.
    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Waits for its end; what it wrote comes along.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        self.program.wait()
    }
}

/// What comes before the admin port's address in the log.
const ADMIN: &str = "the admin port is http://";

/// Waits for the address that the program tells after these words.
fn address_after(program: &Program, words: &str) -> SocketAddr {
    program.find_line(|line| {
        let (_, rest) = line.split_once(words)?;
        address_at(rest)
    })
}

fn address_at(text: &str) -> Option<SocketAddr> {
    let end = text
        .find(|c: char| !(c.is_ascii_digit() || ".:[]".contains(c)))
        .unwrap_or(text.len());
    text[..end].parse().ok()
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

/// The program with nothing of the test's own environment, in a directory with or without a `config.json`, which takes its
/// temporary files too.
pub(crate) fn command(directory: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-proxy"));
    command
        .env_clear()
        .env("TMPDIR", directory)
        .current_dir(directory)
        .stdin(Stdio::null());
    command
}
