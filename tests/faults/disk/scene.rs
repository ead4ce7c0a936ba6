//! A store, an upstream that gives documents by version, and processes on them.
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use test_support::http::{Request, Response};
use test_support::upstream::{Answer, ScriptedUpstream};
use test_support::wait::PATIENCE;

use super::environments::{ENVIRONMENTS, Environment, VALUE, answer, key_pairs, updated_at};
use crate::harness::Proxy;

/// The version that upstream has while it is away.
const AWAY: u32 = 0;

/// What one directory goes through.
pub(super) struct Scene {
    folder: TempDir,
    upstream: ScriptedUpstream,
    version: Arc<AtomicU32>,
}

impl Scene {
    /// An upstream with this version, and no store yet.
    pub(super) fn with_version(version: u32) -> Self {
        let version = Arc::new(AtomicU32::new(version));
        let given = Arc::clone(&version);
        let upstream = ScriptedUpstream::start(move |request| match given.load(Ordering::SeqCst) {
            AWAY => Answer::status(503),
            version => answer(request, version),
        });
        Self {
            folder: TempDir::new().unwrap(),
            upstream,
            version,
        }
    }

    /// From now on upstream has this version.
    pub(super) fn gives(&self, version: u32) {
        self.version.store(version, Ordering::SeqCst);
    }

    /// From now on upstream is away.
    pub(super) fn goes_away(&self) {
        self.gives(AWAY);
    }

    /// The folder in which the store is, or will be.
    pub(super) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The store.
    pub(super) fn directory(&self) -> PathBuf {
        self.folder.path().join("store")
    }

    /// What a process is started with: it is told of changes, and says what is stored.
    pub(super) fn config(&self) -> Value {
        json!({
            "environment_key_pairs": key_pairs(),
            "api_url": self.upstream.api_url(),
            "api_poll_frequency_seconds": 1,
            "persistence": {"directory": self.directory()},
            "realtime": {"authentication_token": "token"},
            "logging": {"log_level": "DEBUG"},
        })
    }

    /// Starts a process.
    pub(super) fn start(&self) -> Proxy {
        Proxy::start(&self.config())
    }

    /// Has this version stored by a process that is stopped then.
    pub(super) fn store(&self, version: u32) {
        self.gives(version);
        let mut proxy = self.start();
        wait_until_stored(&proxy, version);
        proxy.signal("INT");
        proxy.wait();
    }

    /// The store's files by their names, with what they hold.
    pub(super) fn files(&self) -> Vec<(String, Vec<u8>)> {
        let entries = fs::read_dir(self.directory()).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.path().is_file());
        let mut files: Vec<_> = files
            .map(|entry| {
                let name = entry.file_name().into_string().unwrap();
                (name, fs::read(entry.path()).unwrap())
            })
            .collect();
        files.sort();
        files
    }

    /// The paths of the newest documents.
    pub(super) fn documents(&self) -> Vec<PathBuf> {
        let files = self.files().into_iter();
        let documents = files.filter(|(name, _)| name.ends_with(".document"));
        documents.map(|(name, _)| self.directory().join(name)).collect()
    }
}

/// The line that says that this environment's document of this version is stored.
fn is_stored(line: &str, environment: &Environment, version: u32) -> bool {
    line.contains(&format!(
        "({:?}): its document of {} is stored",
        environment.name,
        updated_at(version)
    ))
}

/// Waits until both environments' documents of this version are stored.
pub(super) fn wait_until_stored(proxy: &Proxy, version: u32) {
    for environment in &ENVIRONMENTS {
        proxy
            .program()
            .wait_for_lines(1, |line| is_stored(line, environment, version));
    }
}

/// The newest version of an environment, up to this one, that a log says is stored.
pub(super) fn stored_in(log: &str, environment: &Environment, up_to: u32) -> Option<u32> {
    (1..=up_to)
        .rev()
        .find(|version| log.lines().any(|line| is_stored(line, environment, *version)))
}

/// The environment's flags.
pub(super) fn flags(proxy: &Proxy, environment: &Environment) -> Response {
    proxy.send(&Request::get("/api/v1/flags/").key(environment.client_side_key))
}

/// The version that an answer is of.
pub(super) fn version_of(answer: &Response) -> Result<u32, String> {
    if answer.status != 200 {
        return Err(format!("{} {}", answer.status, answer.text()));
    }
    let flags = answer.json();
    let given = flags[0]["feature_state_value"].as_str().unwrap_or_default();
    let version = given.strip_prefix(VALUE);
    let version = version.and_then(|version| version.parse().ok());
    version.ok_or_else(|| format!("an answer that is not whole: {flags}"))
}

/// Waits until both environments have a document: one may be read before the other.
pub(super) fn wait_until_served(proxy: &Proxy) {
    let begun = Instant::now();
    for environment in &ENVIRONMENTS {
        while flags(proxy, environment).status != 200 {
            assert!(begun.elapsed() < PATIENCE, "{} is served", environment.name);
        }
    }
}

/// Waits until both environments are of this version; gives how long that took, and every status on the way.
pub(super) fn wait_for_version(proxy: &Proxy, version: u32) -> Result<Duration, String> {
    let begun = Instant::now();
    for environment in &ENVIRONMENTS {
        while version_of(&flags(proxy, environment))? != version {
            if begun.elapsed() > PATIENCE {
                let served = version_of(&flags(proxy, environment))?;
                let log = proxy.written();
                return Err(format!("version {version} does not come, but {served}: {log}"));
            }
        }
    }
    Ok(begun.elapsed())
}

/// What readiness says, in a word.
pub(super) fn readiness(proxy: &Proxy) -> String {
    let answer = proxy.send(&Request::get("/proxy/health/readiness"));
    format!(
        "{} {}",
        answer.status,
        answer.json()["status"].as_str().unwrap_or_default()
    )
}

/// The lines of a log that hold this, each without what comes before it.
pub(super) fn lines_with(log: &str, text: &str) -> Vec<String> {
    let found = log
        .lines()
        .filter_map(|line| line.find(text).map(|at| line[at..].to_owned()));
    found.collect()
}

/// An error where a claim does not hold.
pub(super) fn claim(holds: bool, what: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(what()) }
}
