//! The proxy of these rows, its upstream and its configuration file.
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use test_support::documents::document;
use test_support::http::{Request, Response};
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};
use test_support::wait::PATIENCE;

use crate::harness::Proxy;

/// Within this what a configuration adds is served, and what it takes away is not.
pub(super) const AT_ONCE: Duration = Duration::from_secs(2);
/// The client-side key of the environment that stays.
pub(super) const KEY: &str = "stays";
pub(super) const OLD: &str = "2024-01-01T00:00:00+00:00";

pub(super) const READ_AGAIN: &str = "the configuration was read again";
pub(super) const REFUSED: &str = "the configuration is refused, and the one before stays in force: ";

/// The proxy, its upstream and its configuration file.
pub(super) struct Scene {
    pub(super) upstream: ScriptedUpstream,
    pub(super) proxy: Proxy,
}

/// A document that names the key it was asked with.
pub(super) fn answer(request: &ReceivedRequest) -> Answer {
    match request.target.as_str() {
        target if target.contains("/environment-document") => {
            let key = request.header("X-Environment-Key").unwrap_or("none");
            let client_side_key = key.trim_start_matches("ser.");
            Answer::ok(document(key, OLD).replace("client-key", client_side_key))
        }
        target if target.starts_with("/sse/") => Answer::event_stream(),
        _ => Answer::ok("{}"),
    }
}

pub(super) fn pair(name: &str) -> Value {
    json!({"client_side_key": name, "server_side_key": format!("ser.{name}")})
}

/// A configuration of these key pairs.
pub(super) fn config(api_url: &str, pairs: &[Value]) -> Value {
    json!({
        "environment_key_pairs": pairs,
        "api_url": api_url,
        "api_poll_frequency_seconds": 3600,
        "server": {"host": "127.0.0.1", "port": 0, "drain_seconds": 0},
        "realtime": {"max_stream_age_seconds": -1},
    })
}

impl Scene {
    pub(super) fn start() -> Self {
        let upstream = ScriptedUpstream::start(answer);
        let proxy = Proxy::start(&config(&upstream.api_url(), &[pair(KEY)]));
        proxy.wait_until_ready();
        Self { upstream, proxy }
    }

    pub(super) fn config(&self, pairs: &[Value]) -> Value {
        config(&self.upstream.api_url(), pairs)
    }

    pub(super) fn path(&self) -> PathBuf {
        self.proxy.folder().join("config.json")
    }

    pub(super) fn lines(&self, text: &str) -> usize {
        self.proxy
            .written()
            .lines()
            .filter(|line| line.contains(text))
            .count()
    }

    /// Waits until this was logged so often.
    pub(super) fn wait_for(&self, times: usize, text: &str) {
        self.proxy
            .program()
            .wait_for_lines(times, |line| line.contains(text));
    }

    pub(super) fn flags(&self, key: &str) -> Response {
        self.proxy.send(&Request::get("/api/v1/flags/").key(key))
    }

    /// How long until flags are answered like this.
    pub(super) fn until(&self, key: &str, is_so: impl Fn(&Response) -> bool) -> Duration {
        let begun = Instant::now();
        while !is_so(&self.flags(key)) {
            assert!(begun.elapsed() < PATIENCE, "{key}: {}", self.proxy.written());
            thread::sleep(Duration::from_millis(5));
        }
        begun.elapsed()
    }

    pub(super) fn standing(&self) -> Value {
        let health = self.proxy.send(&Request::get("/proxy/health"));
        assert_eq!(health.status, 200);
        health.json()["configuration"].take()
    }
}

/// Replaces the file as editors and deployments do.
pub(super) fn replace(path: &Path, content: &str) {
    let next = path.with_extension("next");
    fs::write(&next, content).unwrap();
    fs::rename(next, path).unwrap();
}

pub(super) fn overwrite(path: &Path, content: &str) {
    fs::write(path, content).unwrap();
}

pub(super) fn within(time: Duration, most: Duration) -> Result<(), String> {
    if time <= most {
        Ok(())
    } else {
        Err(format!("it took {time:?}, more than {most:?}"))
    }
}
