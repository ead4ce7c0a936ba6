//! Snapshots to replicas, acknowledged.
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use actix::MailboxError;
use futures::future::join_all;
use tokio::sync::watch;

use super::apply::Workshop;
use super::registry::{Registry, Replaced};
use crate::keys::{EnvironmentId, KeyTable};
use crate::lifeline::Lifelines;
use crate::replica::Publish;
use crate::served::{ServedEnvironment, Snapshot};

/// A replica's handler takes microseconds. One that does not reply for this long is dead, or its worker blocked.
const ACKNOWLEDGEMENT_TIMEOUT: Duration = Duration::from_secs(5);
/// How often, and how many times, it is looked whether requests in flight still hold what was replaced.
const RELEASE_PERIOD: Duration = Duration::from_secs(1);
const RELEASE_LOOKS: usize = 60;

/// Publishes; knows no decisions.
#[derive(Debug)]
pub(super) struct Publisher {
    registry: Arc<Registry>,
    acknowledged: watch::Sender<u64>,
    lifelines: Lifelines,
}

impl Publisher {
    pub(super) fn new(
        registry: Arc<Registry>,
        acknowledged: watch::Sender<u64>,
        lifelines: Lifelines,
    ) -> Self {
        Self {
            registry,
            acknowledged,
            lifelines,
        }
    }

    /// What is served now, or on its way to the replicas.
    pub(super) fn served(&self, id: EnvironmentId) -> Option<Arc<ServedEnvironment>> {
        self.registry.newest().environment(id).cloned()
    }

    /// Publishes this environment's new content; gives what it replaces.
    pub(super) fn publish(
        &self,
        id: EnvironmentId,
        served: Arc<ServedEnvironment>,
    ) -> impl Future<Output = Option<Arc<ServedEnvironment>>> + use<> {
        let acknowledged = self.send(self.registry.replace(|newest| newest.with(id, served)));
        async move { acknowledged.await.environment(id).cloned() }
    }

    /// Publishes other keys, without the environments that `removed` names; gives what those served.
    pub(super) fn configure(
        &self,
        keys: Arc<KeyTable>,
        removed: Vec<EnvironmentId>,
    ) -> impl Future<Output = Vec<Arc<ServedEnvironment>>> + use<> {
        let next = self.registry.replace(|newest| newest.configured(keys, &removed));
        let acknowledged = self.send(next);
        async move {
            let previous = acknowledged.await;
            removed
                .iter()
                .filter_map(|id| previous.environment(*id).cloned())
                .collect()
        }
    }

    /// Sends the newest snapshot to every replica, in the order of calls. The future resolves when each has acknowledged
    /// it or is struck off, and gives the snapshot before it.
    fn send(&self, replaced: Replaced) -> impl Future<Output = Arc<Snapshot>> + use<> {
        let Replaced {
            newest,
            previous,
            replicas,
        } = replaced;
        let version = newest.version;
        let acknowledgements = replicas.into_iter().map(|(id, replica)| {
            let reply = replica
                .send(Publish(Arc::clone(&newest)))
                .timeout(ACKNOWLEDGEMENT_TIMEOUT);
            async move { (id, reply.await) }
        });
        let acknowledgements = join_all(acknowledgements.collect::<Vec<_>>());
        let (registry, acknowledged) = (Arc::clone(&self.registry), self.acknowledged.clone());
        let lifelines = self.lifelines.clone();
        async move {
            for (id, reply) in acknowledgements.await {
                if let Err(error) = reply {
                    if matches!(error, MailboxError::Timeout) {
                        log::error!(
                            "an EnvironmentReplica does not answer: its worker is blocked or it is dead"
                        );
                        lifelines.report_death("EnvironmentReplica");
                    }
                    registry.strike_off(id);
                }
            }
            acknowledged.send_if_modified(|known| {
                let is_newer = version > *known;
                *known = version.max(*known);
                is_newer
            });
            // Held until here, so that no replica's thread frees what it lets go of.
            previous
        }
    }
}

/// Frees a replaced environment on a blocking thread (50 MB take long) once no request in flight holds it any more.
/// Where one holds it beyond a minute, it is freed with that request.
pub(super) async fn release(replaced: Arc<ServedEnvironment>, workshop: Workshop) {
    for _ in 0..RELEASE_LOOKS {
        if Arc::strong_count(&replaced) == 1 {
            break;
        }
        actix_rt::time::sleep(RELEASE_PERIOD).await;
    }
    workshop.free(replaced).await;
}
