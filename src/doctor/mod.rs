//! `edge-proxy doctor`: examines a configuration and everything around it, step by step, so that the first step which fails names
//! the cause. What is asked, read and compared is what the proxy itself asks, reads and compares. Nothing is changed: a file
//! is written to the store's directory and deleted, and a proxy that runs keeps its port, its lock and its place.
//!
//! # Layout
//! - `mod.rs`: [`examine`]: all checks beside one another, within [`PATIENCE`].
//! - `examination`: what they share, and those that are asked for together; `key_pairs`: all key pairs.
//! - `finding`: [`Finding`]; `report`: [`Report`], as lines and as JSON.
//! - `configuration`: options that are not what is meant (`secrets`: keys and tokens; `clients`: who may ask); pure.
//! - `address`: the way to a URL's origin: name, connection, proxy (`way`), TLS (`shown`, `certificate`).
//! - `client_certificate`: how upstream knows this proxy.
//! - `environment`: a key pair at upstream: HTTP and key (`cause`: why there is no document); `file`: a key pair's files;
//!   `document`: what either gives; `clock`.
//! - `realtime`: Flagsmith's realtime service.
//! - `store`: `persistence.directory`; `look`: what its disk says.
//! - `listening`: the ports, a proxy that runs there; `server_certificate`: the server's own.
//! - `system`: open files, threads; `container`: the limits of cgroups.
mod address;
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
mod way;

use std::sync::Arc;
use std::thread;
use std::time::Duration;

use actors::environment::{DocumentSource, EnvironmentOptions};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

use crate::settings::ConfigurationSource;
use container::Container;
use examination::Examination;
use finding::Subject;

pub use container::CgroupFiles;
pub use finding::{Finding, Verdict};
pub use report::Report;

/// How long all of it may take.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// Examines a configuration. Needs a running actix `System`, on whose thread nothing else is to wait: starts and checks take their
/// moment there.
pub async fn examine(source: &Arc<ConfigurationSource>, cgroups: &CgroupFiles) -> Report {
    let until = Instant::now() + PATIENCE;
    let loading = Arc::clone(source);
    let loaded = match aside(until, move || loading.load()).await {
        None => {
            return Report {
                findings: vec![configuration::hangs(source.path())],
            };
        }
        Some(Err(error)) => {
            return Report {
                findings: vec![configuration::unusable(&error)],
            };
        }
        Some(Ok(loaded)) => loaded,
    };
    let mut findings = configuration::examine(&loaded, source.path());
    // Before there are threads and files of these checks.
    let limits = system::limits(&loaded.settings);
    let settings = Arc::new(loaded.settings);
    let container = Container::read(cgroups);
    let examination = Examination::new(&settings, container.room, until);
    let (environments, realtime, store, server) = futures::join!(
        examination.environments(),
        examination.realtime(),
        examination.store(),
        examination.server(source),
    );
    let sizes: Vec<usize> = environments
        .documents
        .iter()
        .map(|document| document.bytes)
        .collect();
    findings.extend(examination.client_certificate().await);
    findings.extend(environments.findings);
    findings.extend(
        realtime
            .map(|realtime| realtime(&environments.documents))
            .into_iter()
            .flatten(),
    );
    findings.extend(store.map(|store| store(&sizes)).into_iter().flatten());
    findings.extend(server);
    findings.extend(limits);
    findings.extend(system::container(&settings, &container, &sizes));
    Report { findings }
}

/// Runs what blocks on a thread of its own, which nothing waits for at the end; `None`: it does not end in time.
async fn aside<T: Send + 'static>(until: Instant, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, outcome) = oneshot::channel();
    let work = move || {
        // Nobody may wait any more.
        let _ = sender.send(work());
    };
    thread::Builder::new().spawn(work).ok()?;
    timeout_at(until, outcome).await.ok()?.ok()
}

fn is_polled(pair: &EnvironmentOptions) -> bool {
    pair.source == DocumentSource::Upstream
}

fn out_of_time(subject: &Subject, check: &'static str) -> Finding {
    subject.failure(
        check,
        format!(
            "it does not end within the {} s that all checks have",
            PATIENCE.as_secs()
        ),
        "see what is slow: upstream, its network, a file system, this machine's processors, or very many key pairs",
    )
}
