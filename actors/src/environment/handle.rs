use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use engine::{KeyKind, UpdatedAt};
use tokio::sync::watch;

use super::actor::{EnvironmentActor, Parts};
use super::messages::{Refresh, Statuses, Stop};
use super::options::{EnvironmentOptions, EnvironmentStatus, EnvironmentUpdated, PollingOptions};
use super::registry::Registry;
use crate::keys::{EnvironmentIndex, KeyTable};
use crate::lifeline::Lifelines;
use crate::replica::{EnvironmentReplica, Panic};
use crate::served::Snapshot;

/// How long the actor, whose handlers take microseconds, may take to answer before it counts as dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What routes and main hold of the EnvironmentActor.
#[derive(Debug, Clone)]
pub struct EnvironmentHandle {
    actor: Addr<EnvironmentActor>,
    registry: Arc<Registry>,
    acknowledged: watch::Receiver<u64>,
    lifelines: Lifelines,
}

/// The EnvironmentActor is dead or does not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

impl EnvironmentHandle {
    /// Starts the actor on an arbiter of its own; the first fetches begin at once. Needs a running actix `System`.
    ///
    /// `listener` hears of every change of content after all replicas serve it; `lifelines` of every death.
    pub fn start(
        environments: Vec<EnvironmentOptions>,
        polling: PollingOptions,
        listener: Option<Recipient<EnvironmentUpdated>>,
        lifelines: &Lifelines,
    ) -> Self {
        let keys = Arc::new(key_table(&environments));
        let registry = Arc::new(Registry::new(Snapshot::empty(environments.len(), keys)));
        let (acknowledged_sender, acknowledged) = watch::channel(0);
        let parts = Parts {
            environments,
            polling,
            listener,
            registry: Arc::clone(&registry),
            acknowledged: acknowledged_sender,
            lifelines: lifelines.clone(),
        };
        let actor =
            EnvironmentActor::start_in_arbiter(&Arbiter::new().handle(), |_| EnvironmentActor::new(parts));
        Self {
            actor,
            registry,
            acknowledged,
            lifelines: lifelines.clone(),
        }
    }

    /// Starts a replica on the current thread and registers it (called by the HTTP worker factory).
    pub fn start_replica(&self) -> Addr<EnvironmentReplica> {
        self.registry.register(|newest| {
            let lifeline = self.lifelines.guard_within_worker("EnvironmentReplica");
            let replica = EnvironmentReplica::new(newest, lifeline).start();
            let recipient = replica.clone().recipient();
            (replica, recipient)
        })
    }

    /// Fetches an environment now, unconditionally; repeated while older than `announced`. Returns at once. Bursts are
    /// thinned out by the actor; the caller bounds how many arrive (they are authenticated).
    pub fn refresh(&self, index: EnvironmentIndex, announced: Option<UpdatedAt>) {
        self.actor.do_send(Refresh { index, announced });
    }

    /// Each environment's health, in the order of configuration.
    ///
    /// # Errors
    /// When the actor does not answer.
    pub async fn statuses(&self) -> Result<Vec<EnvironmentStatus>, Unavailable> {
        self.actor
            .send(Statuses)
            .timeout(ANSWER_TIMEOUT)
            .await
            .map_err(|_| Unavailable)
    }

    /// The newest snapshot; it may still be on its way to the replicas.
    pub fn newest(&self) -> Arc<Snapshot> {
        self.registry.newest()
    }

    /// The version of the newest snapshot that all replicas acknowledged, to wait on.
    pub fn acknowledged(&self) -> watch::Receiver<u64> {
        self.acknowledged.clone()
    }

    /// Which environment a key opens, and how: for callers without a replica at hand.
    pub fn keys(&self) -> Arc<KeyTable> {
        Arc::clone(&self.registry.newest().keys)
    }

    /// Stops the actor in good order: no further fetch, no death. Requests go on from the replicas' last snapshot.
    pub fn stop(&self) {
        self.actor.do_send(Stop);
    }

    /// Makes the actor panic: for tests of the death watch.
    #[doc(hidden)]
    pub fn inject_panic(&self) {
        self.actor.do_send(Panic);
    }
}

fn key_table(environments: &[EnvironmentOptions]) -> KeyTable {
    let mut table = KeyTable::default();
    for (index, environment) in environments.iter().enumerate() {
        let client_side = std::iter::once((&environment.client_side_key, KeyKind::Client));
        let server_side = environment
            .server_side_keys
            .iter()
            .map(|key| (key, KeyKind::Server));
        for (key, kind) in client_side.chain(server_side) {
            if !table.insert(key, EnvironmentIndex(index), kind) {
                log::warn!(
                    "key pair {}: one of its keys was given before and opens the earlier pair's environment; \
                     give every key once",
                    index + 1
                );
            }
        }
    }
    table
}
