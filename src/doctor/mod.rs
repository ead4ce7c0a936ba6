//! `edge-proxy doctor`: examines a configuration and everything around it, step by step, so that the first step which fails names
//! the cause. What is asked, read and compared is what the proxy itself asks, reads and compares. Nothing is changed: a file
//! is written to the store's directory and deleted, and a proxy that runs keeps its port, its lock and its place.
//!
//! # Layout
//! - `mod.rs`: [`examine`]: all checks beside one another, within [`PATIENCE`].
//! - `examination`: what they share, and those that are asked for together; `key_pairs`: all key pairs;
//!   `telemetry`: all collectors.
//! - `finding`: [`Finding`]; `report`: [`Report`], as lines and as JSON.
//! - `configuration`: options that are not what is meant (`secrets`: keys and tokens; `clients`: who may ask); pure.
//! - `address`: the way to a URL's origin: name, connection, proxy (`way`), TLS (`shown`, `certificate`).
//! - `client_certificate`: how upstream knows this proxy.
//! - `environment`: a key pair at upstream: HTTP and key (`cause`: why there is no document); `file`: a key pair's files;
//!   `document`: what either gives; `clock`.
//! - `realtime`: Flagsmith's realtime service.
//! - `telemetry`: collectors of OpenTelemetry.
//! - `store`: `persistence.directory`; `look`: what its disk says.
//! - `listening`: the ports, a proxy that runs there (`look`: what they say, `admin`: who has that port); `server_certificate`: the
//!   server's own.
//! - `system`: open files, threads; `container`: the limits of cgroups.
mod address;
mod admin;
mod certificate;
mod client_certificate;
mod clock;
mod configuration;
mod container;
mod document;
mod environment;
mod examination;
mod file;
mod finding;
mod listening;
mod realtime;
mod report;
mod server_certificate;
mod store;
mod system;
mod telemetry;
mod way;

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actors::environment::{DocumentSource, EnvironmentOptions};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::settings::{ConfigurationSource, Loaded};
use container::Container;
use examination::Examination;
use finding::Subject;
use listening::Running;

pub use container::CgroupFiles;
pub use finding::{Finding, Verdict};
pub use report::Report;

/// How long all of it may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long the configuration's files may take of it.
const LOADING: Duration = Duration::from_secs(10);
/// How long may be looked whether a proxy runs, which is not known else.
const LOOKING: Duration = Duration::from_secs(3);
/// A check that had so long and does not end has something that hangs.
const ENOUGH: Duration = Duration::from_secs(15);

/// Examines a configuration. Needs a running actix `System`, on whose thread nothing else is to wait: starts and checks take their
/// moment there.
pub async fn examine(source: &Arc<ConfigurationSource>, cgroups: &CgroupFiles) -> Report {
    let begun = Instant::now();
    let loading = Arc::clone(source);
    let findings = match aside(begun + LOADING, move || loading.load()).await {
        Err(Unended::Late) => vec![configuration::hangs(source.path())],
        Err(Unended::NoThread(error)) => vec![system::no_thread(&error)],
        Ok(Err(error)) => vec![configuration::unusable(&error)],
        Ok(Ok(loaded)) => examine_loaded(loaded, source, cgroups, begun + PATIENCE).await,
    };
    Report { findings }
}

async fn examine_loaded(
    Loaded {
        settings, notices, ..
    }: Loaded,
    source: &Arc<ConfigurationSource>,
    cgroups: &CgroupFiles,
    until: Instant,
) -> Vec<Finding> {
    let settings = Arc::new(settings);
    let (looking, configured) = (Arc::clone(&settings), Arc::clone(source));
    let running = aside(Instant::now() + LOOKING, move || {
        Running::look(&configured, &looking)
    })
    .await;
    let running = running.unwrap_or(Running::Perhaps);
    // Before there are threads and files of these checks.
    let limits = system::limits(&settings, &running);
    let container = Container::read(cgroups);
    let examination = Examination::new(&settings, container.room, until);
    let certificates = examination.certificates().await;
    let hanging = certificates
        .as_ref()
        .filter(|finding| finding.verdict == Verdict::Failure);
    let obstacle = hanging.map(|finding| format!("see {}", finding.check));
    let (environments, realtime, collectors, store, server, client_certificate) = futures::join!(
        examination.environments(obstacle.as_deref()),
        examination.realtime(obstacle.as_deref()),
        examination.telemetry(obstacle.as_deref()),
        examination.store(),
        examination.server(running),
        examination.client_certificate(),
    );
    let documents = environments.documents;
    let mut findings = configuration::examine(&settings, &notices, source.path(), &documents);
    findings.extend(client_certificate);
    findings.extend(certificates);
    findings.extend(environments.findings);
    findings.extend(realtime.map(|told| told(&documents)).into_iter().flatten());
    findings.extend(collectors);
    findings.extend(store.map(|told| told(&documents)).into_iter().flatten());
    findings.extend(server);
    findings.extend(limits);
    findings.extend(system::container(&settings, &container, &documents));
    findings
}

/// Why nothing has come of work that blocks.
#[derive(Debug)]
enum Unended {
    Late,
    /// The system gives no thread for it.
    NoThread(io::Error),
}

impl Unended {
    /// What is to be said of a check; `begun`: when it began.
    fn told(&self, subject: &Subject, check: &'static str, begun: Instant) -> Finding {
        match self {
            Self::Late => late(subject, check, begun.elapsed()),
            Self::NoThread(error) => subject.failure(check, no_thread(error), system::MORE_THREADS),
        }
    }
}

fn no_thread(error: &io::Error) -> String {
    format!("the system gives no thread for it ({error})")
}

/// Runs what blocks on a thread of its own, which nothing waits for at the end.
async fn aside<T: Send + 'static>(
    until: Instant,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Unended> {
    let (sender, outcome) = oneshot::channel();
    let work = move || {
        // Nobody may wait any more.
        let _ = sender.send(work());
    };
    thread::Builder::new().spawn(work).map_err(Unended::NoThread)?;
    let outcome = timeout_at(until, outcome).await.map_err(|_| Unended::Late)?;
    // It has panicked.
    outcome.map_err(|_| Unended::Late)
}

fn is_polled(pair: &EnvironmentOptions) -> bool {
    pair.source == DocumentSource::Upstream
}

/// A check that has not ended; `had`: how long it was tried. Where that was short, others before it took the time, and nothing is
/// known of it.
fn late(subject: &Subject, check: &'static str, had: Duration) -> Finding {
    let patience = PATIENCE.as_secs();
    if had < ENOUGH {
        return subject.warning(
            check,
            format!("not examined: no time was left of the {patience} s that all checks have"),
            "see what of the rest takes long; where it is the number of key pairs, examine fewer at once (ENVIRONMENT_KEY_PAIRS)",
        );
    }
    subject.failure(
        check,
        format!("it does not end within the {patience} s that all checks have"),
        "see what is slow: upstream, its network, a file system, or this machine's processors",
    )
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    #[test]
    fn what_had_no_time_is_no_failure() {
        let subject = Subject::new("server");
        assert_eq!(late(&subject, "port", Duration::ZERO).verdict, Verdict::Warning);
        assert_eq!(late(&subject, "port", ENOUGH).verdict, Verdict::Failure);
    }

    /// As on a file system that hangs.
    #[actix_web::test]
    async fn what_blocks_is_waited_for_no_longer() {
        let (release, blocked) = mpsc::channel::<()>();
        let hanging = aside(Instant::now(), move || blocked.recv().is_ok()).await;
        assert!(matches!(hanging, Err(Unended::Late)), "{hanging:?}");
        drop(release);
        let ending = aside(Instant::now() + PATIENCE, || 1).await;
        assert!(matches!(ending, Ok(1)), "{ending:?}");
    }

    /// The clock goes on where nothing else does.
    #[actix_web::test]
    async fn a_configuration_that_is_not_read_to_its_end_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        tokio::time::pause();
        let begun = Instant::now();
        let source = Arc::new(ConfigurationSource::new(Some(&path), []));
        let report = examine(&source, &CgroupFiles::default()).await;
        let found: Vec<_> = report
            .findings
            .iter()
            .map(|finding| (finding.check, finding.verdict))
            .collect();
        assert_eq!(found, [("file", Verdict::Failure)]);
        assert!(report.findings[0].detail.contains("a pipe that nobody writes to"));
        assert!(begun.elapsed() < PATIENCE);
    }
}
