//! What a scrape tells, as plain data: everything that is asked is in it, and nothing is asked for the text.
use actors::analytics::Totals;
use actors::counts::Distribution;

use super::requests::RequestTotals;
use crate::error::Reason;
use crate::process::ProcessReading;
use crate::server::Protocol;

/// All of it at one moment. What does not answer, or is switched off, is `None`.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) requests: RequestTotals,
    pub(super) refusals: Vec<(Reason, u64)>,
    pub(super) connections: Vec<ConnectionsReading>,
    /// How many are served at a time.
    pub(super) most_connections: usize,
    pub(super) held: HeldReading,
    pub(super) environments: Option<Vec<EnvironmentReading>>,
    pub(super) documents: DocumentsReading,
    pub(super) streams: StreamsReading,
    pub(super) analytics: Option<Totals>,
    pub(super) identities: Option<IdentitiesReading>,
    /// Writes of callers that were sent on to upstream: those with an answer, and those without.
    pub(super) writes: (u64, u64),
    pub(super) store: Option<StoreReading>,
    pub(super) configuration: ConfigurationReading,
    /// When the certificate of `server.tls` expires, in seconds since 1970.
    pub(super) certificate_expires: Option<f64>,
    pub(super) lost_log_lines: u64,
    pub(super) process: ProcessReading,
    /// When the process was started, in seconds since 1970.
    pub(super) started: Option<f64>,
}

/// Connections of one protocol.
#[derive(Debug)]
pub(super) struct ConnectionsReading {
    pub(super) protocol: Protocol,
    pub(super) open: usize,
    pub(super) opened: usize,
}

/// What requests hold of the budgets of the process, in bytes.
#[derive(Debug)]
pub(super) struct HeldReading {
    pub(super) bodies: usize,
    pub(super) answers: usize,
}

/// One environment.
#[derive(Debug, Clone)]
pub(super) struct EnvironmentReading {
    /// The number that logs have.
    pub(super) id: String,
    /// The document's; empty before the first one.
    pub(super) name: String,
    /// As health has it.
    pub(super) status: &'static str,
    /// Seconds since its source last gave or confirmed its document; `None`: it has not.
    pub(super) age: Option<f64>,
    /// What is served; `None`: nothing.
    pub(super) served: Option<ServedReading>,
    /// Fetches by what came of them.
    pub(super) fetches: Vec<(&'static str, u64)>,
    /// Parts of the document that could not be understood.
    pub(super) warnings: u64,
    /// Open event streams; `None`: the hub does not answer.
    pub(super) streams: Option<usize>,
    /// Requests that brought one of its keys.
    pub(super) requests: u64,
}

/// A document that is served.
#[derive(Debug, Clone)]
pub(super) struct ServedReading {
    pub(super) bytes: usize,
    /// The served `updated_at`, in seconds since 1970.
    pub(super) updated_at: f64,
}

/// Documents of all environments, in nanoseconds.
#[derive(Debug)]
pub(super) struct DocumentsReading {
    pub(super) applied: Distribution,
    pub(super) published: Distribution,
}

/// Event streams of all environments.
#[derive(Debug)]
pub(super) struct StreamsReading {
    pub(super) opened: u64,
    /// In nanoseconds.
    pub(super) deliveries: Distribution,
    pub(super) replays: u64,
}

/// Identities that are written to upstream.
#[derive(Debug)]
pub(super) struct IdentitiesReading {
    pub(super) written: u64,
    /// Those that were not, by reason.
    pub(super) dropped: [(&'static str, u64); 4],
    pub(super) waiting: u64,
}

/// What the store has written.
#[derive(Debug)]
pub(super) struct StoreReading {
    pub(super) written: u64,
    pub(super) failed: u64,
}

/// What has become of new configurations.
#[derive(Debug)]
pub(super) struct ConfigurationReading {
    pub(super) followed: u64,
    pub(super) refused: u64,
    /// Whether all of the newest one is in force.
    pub(super) is_in_force: bool,
}
