//! Snapshots to replicas, acknowledged.
use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::MailboxError;
use actix::dev::RecipientRequest;
use futures::future::join_all;
use tokio::sync::watch;

use super::apply::Workshop;
use super::counts::DocumentCounts;
use super::registry::{Registry, Replaced, ReplicaId};
use crate::keys::{EnvironmentId, KeyTable};
use crate::replica::Publish;
use crate::served::{ServedEnvironment, Snapshot};

/// How often, and how many times, it is looked whether requests in flight still hold what was replaced.
const RELEASE_PERIOD: Duration = Duration::from_secs(1);
const RELEASE_LOOKS: usize = 60;

/// Publishes; knows no decisions.
#[derive(Debug)]
pub(super) struct Publisher {
    registry: Arc<Registry>,
    acknowledged: watch::Sender<u64>,
    late_after: Duration,
    counts: Arc<DocumentCounts>,
}

impl Publisher {
    pub(super) fn new(
        registry: Arc<Registry>,
        acknowledged: watch::Sender<u64>,
        late_after: Duration,
        counts: Arc<DocumentCounts>,
    ) -> Self {
        Self {
            registry,
            acknowledged,
            late_after,
            counts,
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

    /// Tells every replica of the newest snapshot, in the order of calls. The future resolves when each has acknowledged it,
    /// is struck off, or is late; it gives the snapshot before it.
    ///
    /// A late replica is waited for no longer, so that a worker that is stuck holds no change back from the others'
    /// clients. The message waits in its mailbox ahead of every later request for it, so that, once it goes on, it answers
    /// nothing older either.
    fn send(&self, replaced: Replaced) -> impl Future<Output = Arc<Snapshot>> + use<> {
        let Replaced {
            version,
            previous,
            message,
            replicas,
        } = replaced;
        let acknowledgements = replicas.into_iter().map(|(id, replica)| {
            // Sent now, so that publishes arrive in order.
            let reply = replica.send(message.clone());
            acknowledged(reply, Arc::clone(&self.registry), id, self.late_after)
        });
        let acknowledgements = join_all(acknowledgements.collect::<Vec<_>>());
        let (acknowledged, counts) = (self.acknowledged.clone(), Arc::clone(&self.counts));
        let sent = Instant::now();
        async move {
            acknowledgements.await;
            counts.published.observe_duration(sent.elapsed());
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

/// Waits until the replica replies or is late. Its reply is waited for all the same: actix forgets a message whose sender
/// waits no longer.
async fn acknowledged(
    reply: RecipientRequest<Publish>,
    registry: Arc<Registry>,
    id: ReplicaId,
    late_after: Duration,
) {
    let mut reply = Box::pin(reply);
    match tokio::time::timeout(late_after, &mut reply).await {
        Ok(outcome) => replied(outcome, &registry, id),
        Err(_) => {
            if registry.note_late(id, true) {
                log::warn!(
                    "an HTTP worker has not taken a new document for {} s: it is busy, or the machine is. The other \
                     workers serve it; this one will before its next answer",
                    late_after.as_secs()
                );
            }
            actix_rt::spawn(async move { replied(reply.await, &registry, id) });
        }
    }
}

fn replied(outcome: Result<(), MailboxError>, registry: &Registry, id: ReplicaId) {
    match outcome {
        Ok(()) if registry.note_late(id, false) => {
            log::info!("the HTTP worker that was late serves the newest documents");
        }
        Ok(()) => {}
        Err(_) => registry.strike_off(id),
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
