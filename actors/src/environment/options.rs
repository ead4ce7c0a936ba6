use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use actix::prelude::*;
use engine::UpdatedAt;

use crate::keys::{EnvironmentIndex, EnvironmentKey};

/// Where one environment's document comes from.
#[derive(Debug, Clone)]
pub enum DocumentSource {
    /// Polled from the Flagsmith API with the first server-side key; on 401/403 the next one.
    Upstream,
    /// Read from a file, which is watched for change.
    File(PathBuf),
}

/// One configured environment.
#[derive(Debug, Clone)]
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
    /// `api_url` without a trailing slash.
    pub api_url: String,
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
            api_url: "https://edge.api.flagsmith.com/api/v1".to_owned(),
            period: Duration::from_secs(10),
            timeout: Duration::from_secs(5),
            unconditional_period: Duration::from_secs(60),
            file_period: Duration::from_millis(500),
            grace_period: Some(Duration::from_secs(30)),
        }
    }
}

/// Told after all replicas acknowledged new content.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct EnvironmentUpdated {
    /// Which environment.
    pub index: EnvironmentIndex,
    /// The served `updated_at`.
    pub updated_at: UpdatedAt,
}

/// One environment's health.
#[derive(Debug, Clone)]
pub struct EnvironmentStatus {
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
