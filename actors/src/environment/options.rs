use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use actix::prelude::*;
use engine::UpdatedAt;

use crate::keys::{EnvironmentId, EnvironmentKey};

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
}

/// How documents are polled. Durations are fields so that tests can shorten them.
#[derive(Debug, Clone)]
pub struct PollingOptions {
    /// `api_poll_frequency_seconds`.
    pub period: Duration,
    /// `api_poll_timeout_seconds`: the whole fetch.
    pub timeout: Duration,
    /// `api_poll_unconditional_seconds`: longest time between unconditional fetches; zero = always.
    pub unconditional_period: Duration,
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
            unconditional_period: Duration::from_secs(60),
            file_period: Duration::from_millis(500),
            grace_period: Some(Duration::from_secs(30)),
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

/// One environment's health.
#[derive(Debug, Clone)]
pub struct EnvironmentStatus {
    /// Which environment.
    pub environment: EnvironmentId,
    /// Name from the document; `None` before the first.
    pub name: Option<String>,
    /// Id from the document as JSON text.
    pub id: Option<String>,
    /// `ok`, `stale`, `not updated`, `key rejected`.
    pub status: &'static str,
    /// Whether a document is served.
    pub is_served: bool,
    /// Whether its last successful poll is within the period and the grace period.
    pub is_fresh: bool,
    /// When upstream last answered well.
    pub last_successful_update: Option<SystemTime>,
}
