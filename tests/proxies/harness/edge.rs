//! The proxy itself, as a process.
use std::net::SocketAddr;
use std::process::{Command, ExitStatus};
use std::time::Instant;

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::http::{Request, ask};
use test_support::program::Program;
use test_support::upstream::ScriptedUpstream;
use test_support::wait::PATIENCE;

use super::{Environment, Flagsmith, Line, ONE, TWO, Version};

/// What opens `queue-change`.
const PUSH_TOKEN: &str = "push";

/// A proxy of [`Flagsmith`]'s two environments; killed when this is dropped.
pub(crate) struct Edge {
    /// Where it listens.
    pub address: SocketAddr,
    program: Program,
    _directory: TempDir,
}

impl Edge {
    /// Starts it with this `server`, and waits until it is healthy: both environments are served.
    pub(crate) fn start(flagsmith: &Flagsmith, server: Value) -> Self {
        let directory = TempDir::new().unwrap();
        let config = configuration(&flagsmith.upstream, server);
        std::fs::write(directory.path().join("config.json"), config.to_string()).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_edge-proxy"));
        command.env_clear().env("TMPDIR", directory.path());
        let program = Program::start(command.current_dir(directory.path()));
        let address = program.find_line(|line| line.split_once("listening on http://")?.1.parse().ok());
        let edge = Self {
            address,
            program,
            _directory: directory,
        };
        edge.wait_until_all_are_served();
        edge
    }

    fn wait_until_all_are_served(&self) {
        let begun = Instant::now();
        let served = |keys: Environment| {
            let flags = Request::get("/api/v1/flags/").key(keys.client_side_key);
            ask(self.address, &flags).unwrap().status == 200
        };
        while !(served(ONE) && served(TWO)) {
            assert!(begun.elapsed() < PATIENCE, "{}", self.program.written());
        }
    }

    /// Waits until somebody has asked for this path, or one below it: its access log says so.
    pub(crate) fn wait_until_asked(&self, path: &str) {
        self.program.find_line(|line| line.contains(path).then_some(()));
    }

    /// Subscribes to the events of an environment, past whoever stands in front.
    pub(crate) fn subscribe(&self, environment: Environment) -> Events {
        Events::of(self.address, environment)
    }

    /// Tells it that there is a new document, as Flagsmith does.
    pub(crate) fn push(&self, environment: Environment, version: Version) {
        let path = format!("/sse/environments/{}/queue-change", environment.client_side_key);
        let body = json!({"updated_at": version.updated_at()}).to_string();
        let push = Request::post(&path, body).header("Authorization", &format!("Token {PUSH_TOKEN}"));
        assert_eq!(ask(self.address, &push).unwrap().status, 200);
    }

    /// Sends it a signal, by the name that a shell's `kill` knows.
    pub(crate) fn signal(&self, name: &str) {
        self.program.signal(name);
    }

    /// Waits for its end.
    pub(crate) fn wait(&mut self) -> (ExitStatus, String) {
        self.program.wait()
    }
}

fn configuration(upstream: &ScriptedUpstream, mut server: Value) -> Value {
    server["host"] = "127.0.0.1".into();
    server["port"] = 0.into();
    let pair = |keys: Environment| json!({"client_side_key": keys.client_side_key, "server_side_key": keys.server_side_key});
    json!({
        "environment_key_pairs": [pair(ONE), pair(TWO)],
        "api_url": upstream.api_url(),
        "server": server,
        "logging": {"enable_access_log": true},
        // Streams that do not end: whoever holds back what they carry holds it back for ever.
        "realtime": {"authentication_token": PUSH_TOKEN, "max_stream_age_seconds": -1},
    })
}

/// An open event stream.
pub(crate) struct Events(Line);

impl Events {
    /// Subscribes at this address, which may be that of a program in front.
    pub(crate) fn of(address: SocketAddr, environment: Environment) -> Self {
        let path = format!("/sse/environments/{}/stream", environment.client_side_key);
        let mut line = Line::open(address);
        let head = line.ask_head(&Request::get(&path));
        assert_eq!(head.status, 200);
        Self(line)
    }

    /// Waits for the event of this version.
    pub(crate) fn until_told(&mut self, version: Version) {
        let expected = format!("\"updated_at\": {}", version.seconds());
        // Programs in front may cut and join chunks.
        let mut text = String::new();
        while !text.contains(&expected) {
            text += &self.0.chunk().expect("the stream goes on");
        }
    }
}
