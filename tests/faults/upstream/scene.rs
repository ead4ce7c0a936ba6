//! An upstream that is well or not, the proxy on it, and clients that ask throughout.
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::upstream::{Answer, ReceivedRequest, ScriptedUpstream};
use test_support::wait::PATIENCE;

use crate::harness::environments::{ENVIRONMENTS, Environment, good, key_pairs, value};
use crate::harness::{Clients, Proxy, Seen};

/// The poll period of all rows.
pub(crate) const PERIOD: Duration = Duration::from_secs(1);
/// How much longer a wait may be than it is meant.
pub(crate) const JITTER: f64 = 1.1;
/// What fetching, compiling, publishing and being asked may take on a slow and busy machine.
pub(crate) const WORK: Duration = Duration::from_secs(1);
/// How long a line of the log is waited for: 10,000 pages take their time.
const LINE_PATIENCE: Duration = Duration::from_secs(120);
/// Rounds of the clients while a fault is watched: some two seconds.
const WATCHED_ROUNDS: u64 = 20;

/// How an upstream that is not well answers; the number is the version of the document that it would give.
pub(crate) type Answering = fn(&ReceivedRequest, u32) -> Answer;

/// An upstream, the proxy on it, and its clients.
pub(crate) struct Scene {
    pub(crate) upstream: Arc<ScriptedUpstream>,
    pub(crate) proxy: Proxy,
    pub(crate) clients: Clients,
}

/// What a scene is set with.
pub(crate) struct Setting {
    /// Upstream's name in place of its address.
    pub(crate) name: Option<&'static str>,
    /// Options beside those of every row.
    pub(crate) config: Value,
    /// Completes the command, or replaces it.
    pub(crate) command: fn(&mut Command),
    /// Variables that the test does not know before.
    pub(crate) variables: Vec<(&'static str, String)>,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            name: None,
            config: json!({}),
            command: |_| (),
            variables: Vec::new(),
        }
    }
}

/// Answers like this from now on; `answers` counts.
pub(crate) fn answer_by(
    upstream: &ScriptedUpstream,
    (answering, version): (Answering, u32),
    answers: &Arc<AtomicU64>,
) {
    let answers = Arc::clone(answers);
    upstream.script(move |request| {
        answers.fetch_add(1, Ordering::Relaxed);
        answering(request, version)
    });
}

impl Scene {
    /// Starts the proxy on this upstream.
    pub(crate) fn start(upstream: Arc<ScriptedUpstream>, folder: TempDir, setting: &Setting) -> Self {
        let address = upstream.address();
        let host = setting
            .name
            .map_or_else(|| address.ip().to_string(), str::to_owned);
        let mut config = json!({
            "environment_key_pairs": key_pairs(),
            "api_url": format!("http://{host}:{}/api/v1", address.port()),
            "api_poll_frequency_seconds": PERIOD.as_secs_f64(),
            // One stream is to be open all the time.
            "realtime": {"max_stream_age_seconds": -1},
        });
        for (option, value) in setting.config.as_object().into_iter().flatten() {
            config[option] = value.clone();
        }
        let variables = setting.variables.iter().map(|(name, value)| (name, value));
        let proxy = Proxy::start_in(folder, &config, |command| {
            command.envs(variables);
            (setting.command)(command);
        });
        let clients = Clients::of(proxy.address);
        Self {
            upstream,
            proxy,
            clients,
        }
    }

    /// Lets the clients watch for a while.
    pub(crate) fn watch(&self) {
        self.clients.wait_for_rounds(WATCHED_ROUNDS);
    }

    /// Waits until the log has such a line of every environment.
    pub(crate) fn wait_for_line(&self, text: &str) {
        for environment in &ENVIRONMENTS {
            let label = format!("environment {}", environment.id);
            let has_one = |written: &str| {
                let mut lines = written.lines();
                lines.any(|line| line.contains(&label) && line.contains(text))
            };
            let begun = Instant::now();
            while !has_one(&self.proxy.written()) {
                let written = self.proxy.written();
                assert!(begun.elapsed() < LINE_PATIENCE, "no line {text:?}: {written}");
                thread::sleep(Duration::from_millis(10));
            }
        }
    }

    /// Upstream is well from now on, and has this version.
    pub(crate) fn is_well(&self, version: u32) -> Instant {
        self.upstream.script(move |request| good(request, version));
        Instant::now()
    }

    /// Waits until all clients have this version, and gives how long after `since` that was.
    ///
    /// # Errors
    /// Where it takes longer than `most`, and what is allowed for the work.
    pub(crate) fn fresh_after(
        &self,
        version: u32,
        since: Instant,
        most: Duration,
    ) -> Result<Duration, String> {
        let before = self.clients.standstill();
        // Longer, so that the message can say how long it took.
        let fresh = self.clients.wait_for_value(&value(version), most + PERIOD * 15);
        let most = most + WORK + self.clients.standstill().saturating_sub(before);
        match fresh.map(|fresh| fresh.saturating_duration_since(since)) {
            Some(after) if after <= most => Ok(after),
            Some(after) => Err(format!("fresh flags after {after:?}, {most:?} are allowed")),
            None => Err(format!(
                "no fresh flags ({}) of version {version} after {:?}; the log: {}",
                self.clients.newest(),
                since.elapsed(),
                self.proxy.written()
            )),
        }
    }

    /// How many requests came for this environment from then on, and how long after it the first of them.
    pub(crate) fn asked(&self, environment: &Environment, since: Instant) -> (usize, Option<Duration>) {
        let requests = self.upstream.requests();
        let mut after = requests
            .iter()
            .filter(|request| Environment::of(request) == *environment)
            .filter_map(|request| request.at.checked_duration_since(since));
        let first = after.next();
        (after.count() + usize::from(first.is_some()), first)
    }

    /// Stops everything after so many events, which must come; gives what clients saw and what the program wrote.
    ///
    /// # Errors
    /// Where it does not stop in good order.
    pub(crate) fn end(self, events: usize) -> Result<(Seen, String), String> {
        self.clients.wait_for_events(events, PATIENCE);
        let seen = self.clients.end();
        let mut proxy = self.proxy;
        proxy.signal("TERM");
        let (status, written) = proxy.wait();
        match status.code() {
            Some(0) => Ok((seen, written)),
            _ => Err(format!("{status}: {written}")),
        }
    }
}
