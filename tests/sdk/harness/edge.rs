//! The proxy itself, as a process.
use std::net::SocketAddr;
use std::process::Command;
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::http::{Request, ask};
use test_support::program::Program;
use test_support::reserved_port::ReservedPort;
use test_support::wait::PATIENCE;

use super::flagsmith::{CLIENT_SIDE_KEY, Flagsmith, SERVER_SIDE_KEY, announcement};

const FLAGS: &str = "/api/v1/flags/";

/// What opens `queue-change`.
const PUSH_TOKEN: &str = "push";

/// A proxy of [`Flagsmith`]'s environment; killed when this is dropped.
pub(crate) struct Edge {
    /// Where it listens, and does again after a restart.
    pub address: SocketAddr,
    /// `server.path_prefix`.
    prefix: &'static str,
    program: Program,
    directory: TempDir,
    /// Its port, while it does not run.
    _port: Option<ReservedPort>,
}

impl Edge {
    /// Starts it with these options beside those that every test needs, and waits until the environment is served.
    pub(crate) fn start(flagsmith: &Flagsmith, options: Value) -> Self {
        let edge = Self::start_unserved(flagsmith, options);
        edge.wait_until_served();
        edge
    }

    /// Starts it with everything below this path, and waits until the environment is served.
    pub(crate) fn start_below(flagsmith: &Flagsmith, prefix: &'static str) -> Self {
        let edge = Self::listening(flagsmith, json!({}), prefix);
        edge.wait_until_served();
        edge
    }

    /// Starts it, and waits only until it listens.
    pub(crate) fn start_unserved(flagsmith: &Flagsmith, options: Value) -> Self {
        Self::listening(flagsmith, options, "")
    }

    fn listening(flagsmith: &Flagsmith, options: Value, prefix: &'static str) -> Self {
        let directory = TempDir::new().unwrap();
        let mut config = configuration(flagsmith);
        merge(&mut config, options);
        if !prefix.is_empty() {
            merge(&mut config, json!({"server": {"path_prefix": prefix}}));
        }
        std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
        let (program, address) = run(&directory, 0);
        Self {
            address,
            prefix,
            program,
            directory,
            _port: None,
        }
    }

    /// Starts it again, at the same address, after it was killed.
    pub(crate) fn start_again(&mut self) {
        (self.program, _) = run(&self.directory, self.address.port());
        self._port = None;
        self.wait_until_served();
    }

    /// Kills it, so that nothing ends in order.
    pub(crate) fn kill(&mut self) {
        self.program.signal("KILL");
        self.program.wait();
        self._port = Some(ReservedPort::at(self.address));
    }

    /// Stops it in order, as an orchestrator does, and waits for its end.
    pub(crate) fn stop(&mut self) {
        self.program.signal("TERM");
        self.program.wait();
    }

    /// Stops it as a person at a terminal does, and waits for its end.
    pub(crate) fn interrupt(&mut self) {
        self.program.signal("INT");
        self.program.wait();
    }

    /// What an SDK is given as its API URL.
    pub(crate) fn api_url(&self) -> String {
        format!("http://{}{}/api/v1/", self.address, self.prefix)
    }

    /// What an SDK is given as the URL of realtime updates.
    pub(crate) fn realtime_url(&self) -> String {
        format!("http://{}{}/", self.address, self.prefix)
    }

    /// Where this is on its admin port, once that is open.
    pub(crate) fn admin_url(&self, path: &str) -> String {
        let told = |line: &str| Some(line.split_once("the admin port is ")?.1.to_owned());
        format!("{}{path}", self.program.find_line(told))
    }

    /// Tells it that there is a new document, as Flagsmith does.
    pub(crate) fn push(&self, version: u32) {
        let path = format!("/sse/environments/{CLIENT_SIDE_KEY}/queue-change");
        let push = Request::post(&path, announcement(version))
            .header("Authorization", &format!("Token {PUSH_TOKEN}"));
        assert_eq!(ask(self.address, &push).unwrap().status, 200);
    }

    /// How many requests its access log has of this route with this status.
    pub(crate) fn answered(&self, route: &str, status: u16) -> usize {
        let written = self.program.written();
        written.lines().filter(|line| says(line, route, status)).count()
    }

    /// All that it has written so far.
    pub(crate) fn written(&self) -> String {
        self.program.written()
    }

    /// Waits until so many requests of this route were answered with this status.
    pub(crate) fn wait_until_answered(&self, route: &str, status: u16, count: usize) {
        self.program
            .wait_for_lines(count, |line| says(line, route, status));
    }

    /// How many streams are open.
    pub(crate) fn subscribers(&self) -> u64 {
        let health = ask(self.address, &Request::get("/proxy/health")).unwrap();
        let health: Value = serde_json::from_slice(&health.body).unwrap();
        health["environments"][0]["subscribers"].as_u64().unwrap()
    }

    /// Waits until so many streams are open.
    pub(crate) fn wait_for_subscribers(&self, count: u64) {
        until(|| self.subscribers() == count, || self.program.written());
    }

    /// Waits until flags are answered, and its access log says so, which is written beside the answer.
    pub(crate) fn wait_until_served(&self) {
        let flags = Request::get(&format!("{}{FLAGS}", self.prefix)).key(CLIENT_SIDE_KEY);
        let served = || ask(self.address, &flags).is_ok_and(|answer| answer.status == 200);
        until(served, || self.program.written());
        self.wait_until_answered(&format!("{}{FLAGS}", self.prefix), 200, 1);
    }
}

/// Whether a line of the access log is one of this route with this status, and no preflight.
fn says(line: &str, route: &str, status: u16) -> bool {
    line.contains(&format!("route={route} status={status} ")) && !line.contains("method=OPTIONS")
}

/// Asks again and again until it holds.
fn until(holds: impl Fn() -> bool, explain: impl Fn() -> String) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < PATIENCE, "{}", explain());
        std::thread::yield_now();
    }
}

fn run(directory: &TempDir, port: u16) -> (Program, SocketAddr) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_edge-proxy"));
    command.env_clear().env("TMPDIR", directory.path());
    command.current_dir(directory.path());
    command.env("SERVER", json!({"host": "127.0.0.1", "port": port}).to_string());
    let program = Program::start(&mut command);
    let address = program.find_line(|line| line.split_once("listening on http://")?.1.parse().ok());
    (program, address)
}

fn configuration(flagsmith: &Flagsmith) -> Value {
    json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_SIDE_KEY, "server_side_key": SERVER_SIDE_KEY}],
        "api_url": flagsmith.upstream.api_url(),
        // Changes come by being pushed.
        "api_poll_frequency_seconds": 3600,
        "logging": {"enable_access_log": true},
        "realtime": {"authentication_token": PUSH_TOKEN, "max_stream_age_seconds": -1},
    })
}

fn merge(config: &mut Value, options: Value) {
    match (config, options) {
        (Value::Object(config), Value::Object(options)) => {
            for (name, value) in options {
                merge(config.entry(name).or_insert(Value::Null), value);
            }
        }
        (config, value) => *config = value,
    }
}
