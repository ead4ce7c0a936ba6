//! All that a scrape asks: the counters as they are, and the actors by messages that they answer in microseconds.
use std::sync::{Arc, OnceLock};
use std::time::{SystemTime, UNIX_EPOCH};

use actors::analytics::AnalyticsHandle;
use actors::environment::{EnvironmentHandle, EnvironmentStatus};
use actors::forwarding::ForwardingHandle;
use actors::sse_hub::SseHubHandle;
use actors::store::StoreHandle;
use actors::write_through::WriteThroughHandle;

use super::Metrics;
use super::exposition::{self, Format};
use super::reading::{
    ConfigurationReading, ConnectionsReading, DocumentsReading, EnvironmentReading, HeldReading,
    IdentitiesReading, Reading, ServedReading, StoreReading, StreamsReading,
};
use crate::budget::Budgets;
use crate::logging;
use crate::process::{ProcessReading, Started};
use crate::server::tls::ServedCertificate;
use crate::server::{Places, Protocol};
use crate::service_state::{ConfigurationStanding, ServiceState};

/// What a scrape asks. Clones ask the same.
#[derive(Debug, Clone)]
pub(crate) struct Sources {
    metrics: Metrics,
    environments: EnvironmentHandle,
    hub: SseHubHandle,
    forwarding: ForwardingHandle,
    server: ServerSources,
    started: Started,
    /// The environments as they were when the server had ended, before their actors do.
    last_environments: Arc<OnceLock<Vec<EnvironmentReading>>>,
}

/// The parts that a configuration switches on and off.
#[derive(Debug, Clone)]
pub(crate) struct SwitchedParts {
    /// Where documents are kept; `None` where `persistence.directory` is not set.
    pub store: Option<StoreHandle>,
    /// What writes identities to upstream; `None` where `forward_identities` is off.
    pub write_through: Option<WriteThroughHandle>,
    /// What sends evaluation counts to upstream; `None` where `analytics` is off.
    pub analytics: Option<AnalyticsHandle>,
}

/// What is known of the public port.
#[derive(Debug, Clone)]
pub(crate) struct ServerSources {
    /// Its connections.
    pub places: Places,
    /// What its requests hold.
    pub budgets: Budgets,
    /// What has become of new configurations.
    pub state: Arc<ServiceState>,
    /// What `server.tls` has at the moment.
    pub certificate: Option<Arc<ServedCertificate>>,
}

impl Sources {
    /// Those of a process that has started.
    pub(crate) fn new(
        metrics: Metrics,
        (environments, hub, forwarding): (EnvironmentHandle, SseHubHandle, ForwardingHandle),
        server: ServerSources,
    ) -> Self {
        Self {
            metrics,
            environments,
            hub,
            forwarding,
            server,
            started: Started::find(),
            last_environments: Arc::default(),
        }
    }

    /// Asks all of them, and gives what they say as text. An actor that does not answer within two seconds is left out.
    pub(crate) async fn scrape(&self, parts: &SwitchedParts, format: Format) -> String {
        exposition::encode(self.read(parts).await, format)
    }

    /// Keeps what there is to say of the environments, for a scrape after their actors have ended: the last that a collector is
    /// sent.
    pub(crate) async fn keep_environments(&self) {
        if let Some(environments) = self.environments().await {
            let _ = self.last_environments.set(environments);
        }
    }

    async fn read(&self, parts: &SwitchedParts) -> Reading {
        let totals = async {
            match &parts.analytics {
                Some(analytics) => analytics.totals().await.ok(),
                None => None,
            }
        };
        let (environments, analytics) = tokio::join!(self.environments(), totals);
        let ServerSources {
            places,
            budgets,
            state,
            certificate,
        } = &self.server;
        let (documents, streams, writes) = (
            self.environments.counts(),
            self.hub.told(),
            self.forwarding.counts(),
        );
        Reading {
            requests: self.metrics.totals(),
            refusals: self.metrics.refusals(),
            connections: Protocol::ALL.map(|protocol| connections(places, protocol)).into(),
            most_connections: places.served(),
            held: HeldReading {
                bodies: budgets.request_bodies.held(),
                answers: budgets.unsent_answers.held(),
            },
            environments,
            documents: DocumentsReading {
                applied: documents.applied.read(),
                published: documents.published.read(),
            },
            streams: StreamsReading {
                opened: streams.opened.get(),
                deliveries: streams.deliveries.read(),
                replays: streams.replays.get(),
            },
            analytics,
            identities: parts.write_through.as_ref().map(identities),
            writes: (writes.answered.get(), writes.unanswered.get()),
            store: parts.store.as_ref().map(|store| StoreReading {
                written: store.counts().written.get(),
                failed: store.counts().failed.get(),
            }),
            configuration: configuration(state),
            certificate_expires: certificate.as_ref().map(|served| seconds(served.expires())),
            lost_log_lines: logging::lost_lines(),
            process: ProcessReading::take(),
            started: self.started.seconds(),
        }
    }

    async fn environments(&self) -> Option<Vec<EnvironmentReading>> {
        if let Some(last) = self.last_environments.get() {
            return Some(last.clone());
        }
        let (statuses, counts) = tokio::join!(self.environments.statuses(), self.hub.counts());
        let streams = counts.map(|counts| counts.by_environment);
        let snapshot = self.environments.newest();
        let requests = self.environments.requests();
        let read = |status: EnvironmentStatus| {
            let id = status.environment;
            let served = snapshot.environment(id).map(|served| ServedReading {
                bytes: served.document.plain.len(),
                updated_at: micros_as_seconds(served.updated_at.as_micros()),
            });
            EnvironmentReading {
                id: id.to_string(),
                name: status.name.unwrap_or_default(),
                status: status.status,
                age: status.age.map(|age| age.as_secs_f64()),
                served,
                fetches: status.fetches.by_outcome().to_vec(),
                warnings: u64::try_from(status.warnings.count).unwrap_or(u64::MAX),
                streams: streams
                    .as_ref()
                    .map(|streams| streams.get(&id).copied().unwrap_or(0)),
                requests: requests.of(id),
            }
        };
        Some(statuses.ok()?.into_iter().map(read).collect())
    }
}

fn connections(places: &Places, protocol: Protocol) -> ConnectionsReading {
    let (open, opened) = places.of_protocol(protocol);
    ConnectionsReading {
        protocol,
        open,
        opened,
    }
}

fn identities(write_through: &WriteThroughHandle) -> IdentitiesReading {
    let counts = write_through.counts();
    IdentitiesReading {
        written: counts.written.get(),
        dropped: [
            ("no_room", counts.no_room.get()),
            ("refused", counts.refused.get()),
            ("key_rejected", counts.key_rejected.get()),
            ("ended", counts.ended.get()),
        ],
        waiting: write_through.waiting(),
    }
}

fn configuration(state: &ServiceState) -> ConfigurationReading {
    ConfigurationReading {
        followed: state.reloads().followed.get(),
        refused: state.reloads().refused.get(),
        is_in_force: state.configuration() == ConfigurationStanding::InForce,
    }
}

fn seconds(time: SystemTime) -> f64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

#[expect(clippy::cast_precision_loss, reason = "exact until the year 2255")]
fn micros_as_seconds(micros: i64) -> f64 {
    micros as f64 / 1e6
}
