use std::path::PathBuf;
use std::time::Duration;

use actix::prelude::*;
use engine::UpdatedAt;

use crate::keys::{EnvironmentId, EnvironmentKey};
use crate::store::StoreHandle;
use crate::trace::Tracer;
use crate::upstream::UpstreamOptions;

/// Where one environment's document comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DocumentSource {
    /// Polled from the Flagsmith API with the first server-side key; on 401/403 the next one.
    Upstream,
    /// Read from a file, which is watched for change.
    File(PathBuf),
}

/// One configured environment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EnvironmentOptions {
    /// Public key.
    pub client_side_key: EnvironmentKey,
    /// Secret keys; may be empty for a file source.
    pub server_side_keys: Vec<EnvironmentKey>,
    /// Where the document comes from.
    pub source: DocumentSource,
    /// `fallback_document_path`: the document that is served while upstream has given none and none is stored.
    pub fallback: Option<PathBuf>,
}

/// When a document is fetched without a condition: some changes never move its number, so that 304 hides them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnconditionalFetches {
    /// At every poll while that costs upstream little and nobody announces changes, else once a minute.
    WhileCheap,
    /// After this time at the latest; zero = always.
    Every(Duration),
}

/// How documents are polled. Durations are fields so that tests can shorten them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PollingOptions {
    /// `api_poll_frequency_seconds`.
    pub period: Duration,
    /// `api_poll_timeout_seconds`: the whole fetch.
    pub timeout: Duration,
    /// `api_poll_unconditional_seconds`.
    pub unconditional: UnconditionalFetches,
    /// How often a file source looks for a change.
    pub file_period: Duration,
    /// `health_check.environment_update_grace_period_seconds`; `None` = never stale.
    pub grace_period: Option<Duration>,
}

impl Default for PollingOptions {
    /// The defaults of http.md's configuration table.
    fn default() -> Self {
        Self {
            period: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            unconditional: UnconditionalFetches::WhileCheap,
            file_period: Duration::from_millis(500),
            grace_period: Some(Duration::from_secs(30)),
        }
    }
}

/// How the HTTP workers' replicas are watched. Durations are fields so that tests can shorten them.
#[derive(Debug, Clone, Copy)]
pub struct ReplicaOptions {
    /// Between two beats of a worker.
    pub beat: Duration,
    /// A replica that takes longer to acknowledge a snapshot is late: its handler takes microseconds.
    pub late_after: Duration,
    /// A worker whose beat has stood still for so long, while the machine was not starved, counts as dead. Long, for the end
    /// of the process loses whatever the other workers do.
    pub dead_after: Duration,
}

impl Default for ReplicaOptions {
    fn default() -> Self {
        Self {
            beat: Duration::from_secs(1),
            late_after: Duration::from_secs(5),
            dead_after: Duration::from_secs(60),
        }
    }
}

/// What the EnvironmentActor is started with, besides the environments.
#[derive(Debug, Clone)]
pub struct ActorOptions {
    /// How documents are polled.
    pub polling: PollingOptions,
    /// How Flagsmith is reached.
    pub upstream: UpstreamOptions,
    /// How the HTTP workers' replicas are watched.
    pub replicas: ReplicaOptions,
    /// Where the last good documents are kept over restarts; `None`: nowhere.
    pub store: Option<StoreHandle>,
    /// What traces polls; `None`: nothing does.
    pub tracer: Option<Tracer>,
    /// What is waited for before an environment serves something that is next best. A field so that tests can change it.
    pub patience: Patience,
}

/// What is waited for, at most so long, before an environment serves something that is next best.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The first fetch waits for what is stored: a disk may hang. What comes later is served where upstream has given nothing by
    /// then.
    pub stored: Duration,
    /// The fallback waits for the first answer, so that it is not served for the moment that an ordinary fetch takes.
    pub answer: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            stored: Duration::from_secs(1),
            answer: Duration::from_secs(1),
        }
    }
}

impl ActorOptions {
    /// The usual options for this upstream.
    pub fn new(polling: PollingOptions, upstream: UpstreamOptions) -> Self {
        Self {
            polling,
            upstream,
            replicas: ReplicaOptions::default(),
            store: None,
            tracer: None,
            patience: Patience::default(),
        }
    }
}

/// What those hear who follow the environments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Message)]
#[rtype(result = "()")]
pub enum EnvironmentEvent {
    /// It is configured from now on. Told before any of its keys opens it.
    Added(EnvironmentId),
    /// It has new content, under this served `updated_at`. Told after all replicas acknowledged the content.
    Updated(EnvironmentId, UpdatedAt),
    /// It has content that was stored before the start, under this served `updated_at`, of which subscribers were told then.
    Restored(EnvironmentId, UpdatedAt),
    /// It is configured no longer. Told after all replicas acknowledged that none of its keys opens it.
    Removed(EnvironmentId),
}

/// One environment of the configuration in force, in the order of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfiguredEnvironment {
    /// Its id.
    pub id: EnvironmentId,
    /// What it is configured to.
    pub options: EnvironmentOptions,
}
