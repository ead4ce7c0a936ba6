//! The configuration: a JSON file and environment variables, which the official Edge Proxy reads too.
//!
//! Source of names, defaults and precedence: the Edge Proxy 2.23 documentation
//! (<https://docs.flagsmith.com/deployment-self-hosting/edge-proxy>). Options that only we have say so.
//!
//! # Layout
//! - `mod.rs`: [`Settings::load`]; `types`: what it gives.
//! - `configuration_source`, `file_content`: where a process has it from, to be read again.
//! - `changes`: what a new configuration changes of the one in force, and which of it needs a restart.
//! - `schema`: the names of all options; `variables`, `sources`: file and variables merged under them.
//! - `field`: one option read as what it should be; `url` likewise.
//! - `sections`, `key_pairs`, `process`: each part read into its type; `telemetry`: the variables `OTEL_*`.
//! - `effective`: printed with keys masked, for `--check`.
//! - `error`: what ends the start; `notice`: what does not; `secret`, `trusted`: small types.
use std::path::Path;

use actors::environment::{DocumentSource, check_document};

mod changes;
mod configuration_source;
mod effective;
mod error;
mod field;
mod file_content;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod key_pairs;
mod notice;
mod process;
mod schema;
mod secret;
mod sections;
mod sources;
mod telemetry;
mod trusted;
mod types;
mod url;
mod variables;

pub use changes::Followed;
pub use configuration_source::{ConfigurationSource, Remains};
use effective::MASK;
pub use error::{Origin, SettingsError};
pub use file_content::FileContent;
pub use notice::Notice;
pub use secret::Secret;
pub use sections::{AdminSettings, DoorSettings};
pub use telemetry::{ExcludedPaths, Export, MetricSettings, OtlpProtocol, TelemetrySettings, TraceSettings};
pub use trusted::TrustedProxies;
pub(crate) use types::LOG_LINE_FIELDS;
pub use types::{
    AllowedOrigins, HealthCheckSettings, ListenHost, LogFormat, LogLevel, LoggingSettings, NotifySpread,
    PersistenceSettings, ProcessSettings, ProxyProtocol, RealtimeSettings, ServerSettings, Settings,
    TlsSettings, UpstreamSettings,
};

use sources::Sources;
use variables::Variables;

/// What [`Settings::load`] gives.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration.
    pub settings: Settings,
    /// What to log once, when the logger is up.
    pub notices: Vec<Notice>,
    /// What the configuration file held.
    pub file: FileContent,
}

impl Settings {
    /// Reads the configuration from the file and the variables, which win.
    ///
    /// Its parameters are those of [`ConfigurationSource::new`].
    ///
    /// # Errors
    /// Where an option cannot be understood, the first one: the start must end with exit code 78 and this one line.
    pub fn load(
        config_path: Option<&Path>,
        variables: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Loaded, SettingsError> {
        ConfigurationSource::new(config_path, variables).load()
    }

    /// Reads the documents that are files: without its `document_path` an environment has no flags, and a fallback is of no use in
    /// an outage where it cannot be used. `check` calls it; a process that serves goes on without, and tells of it. Blocks.
    ///
    /// Gives what is wrong with each that is missing, cannot be read, or is no environment document.
    pub fn check_documents(&self) -> Vec<SettingsError> {
        let mut faults = Vec::new();
        for (pair, environment) in self.environments.iter().enumerate() {
            let own = match &environment.source {
                DocumentSource::File(path) => Some(("document_path", path)),
                DocumentSource::Upstream => None,
            };
            let fallback = environment.fallback.as_ref();
            let fallback = fallback.map(|path| ("fallback_document_path", path));
            for (option, path) in own.into_iter().chain(fallback) {
                if let Err(problem) = check_document(path) {
                    faults.push(SettingsError::Document {
                        pair,
                        option,
                        path: path.clone(),
                        problem,
                    });
                }
            }
        }
        faults
    }

    fn from_sources(
        sources: &Sources,
        variables: &Variables,
        notices: &mut Vec<Notice>,
    ) -> Result<Self, SettingsError> {
        sources.endpoint_caches(notices)?;
        let environments = key_pairs::read(sources, notices)?;
        let api_url = match sources.field("api_url") {
            Some(field) => url::base_url(&field, "https://flagsmith.example.com/api/v1")?,
            None => "https://edge.api.flagsmith.com/api/v1".to_owned(),
        };
        let realtime = sources.realtime()?;
        let urls: Vec<&str> = [Some(&api_url), realtime.upstream_url.as_ref()]
            .into_iter()
            .flatten()
            .map(String::as_str)
            .collect();
        let process = process::read(variables, &urls, notices)?;
        let settings = Self {
            environments,
            api_url,
            realtime,
            process,
            api_poll_frequency: sources.seconds("api_poll_frequency_seconds", 10, 1.0)?,
            api_poll_timeout: sources.seconds("api_poll_timeout_seconds", 5, 0.001)?,
            api_poll_unconditional: sources.api_poll_unconditional()?,
            allow_origins: sources.allow_origins(notices)?,
            forward_identities: sources.forward_identities()?,
            logging: sources.logging(notices)?,
            server: sources.server(notices)?,
            health_check: sources.health_check()?,
            analytics: sources.boolean("analytics", true)?,
            upstream: sources.upstream()?,
            persistence: sources.persistence()?,
            admin: sources.admin(notices)?,
        };
        sources.check_ports(&settings)?;
        Ok(settings)
    }
}

#[cfg(test)]
mod tests;
