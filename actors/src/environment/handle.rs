use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use engine::UpdatedAt;
use tokio::sync::watch;

use super::actor::{EnvironmentActor, Parts};
use super::configuration::Configuration;
use super::counts::DocumentCounts;
use super::history::Announcer;
use super::listeners::Listeners;
use super::messages::{Configure, Refresh, Statuses, Stop};
use super::options::{
    ActorOptions, ConfiguredEnvironment, EnvironmentEvent, EnvironmentOptions, PollingOptions,
};
use super::registry::Registry;
use super::status::EnvironmentStatus;
use crate::actor_thread::ActorThread;
use crate::keys::{EnvironmentId, KeyTable};
use crate::lifeline::Lifelines;
use crate::replica::{EnvironmentReplica, RequestTotals};
use crate::served::Snapshot;
use crate::upstream::UpstreamOptions;

/// How long the actor, whose handlers take microseconds, may take to answer before it counts as dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);
/// How long a new configuration may take to reach every replica and every listener.
const CONFIGURE_TIMEOUT: Duration = Duration::from_secs(20);

/// What routes and main hold of the EnvironmentActor.
#[derive(Debug, Clone)]
pub struct EnvironmentHandle {
    actor: Addr<EnvironmentActor>,
    thread: ActorThread,
    registry: Arc<Registry>,
    acknowledged: watch::Receiver<u64>,
    configured: watch::Receiver<Arc<[ConfiguredEnvironment]>>,
    /// Between two beats of a replica.
    beat: Duration,
    counts: Arc<DocumentCounts>,
    lifelines: Lifelines,
}

/// The EnvironmentActor is dead or does not answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unavailable;

impl EnvironmentHandle {
    /// Starts the actor on a thread of its own; the first fetches begin at once. Needs a running actix `System`.
    ///
    /// `listeners` hear of every [`EnvironmentEvent`]; `lifelines` of every death.
    ///
    /// # Errors
    /// Where the system allows no thread for it.
    pub fn start(
        environments: Vec<EnvironmentOptions>,
        options: ActorOptions,
        listeners: Vec<Recipient<EnvironmentEvent>>,
        lifelines: &Lifelines,
    ) -> io::Result<Self> {
        let mut configuration = Configuration::default();
        configuration.replace(environments);
        let registry = Arc::new(Registry::new(Snapshot::empty(configuration.key_table())));
        let (acknowledged_sender, acknowledged) = watch::channel(0);
        let (configured_sender, configured) = watch::channel(configuration.environments().into());
        let beat = options.replicas.beat;
        let counts = Arc::<DocumentCounts>::default();
        let parts = Parts {
            configuration,
            options,
            listeners: Listeners(listeners),
            registry: Arc::clone(&registry),
            acknowledged: acknowledged_sender,
            configured: configured_sender,
            counts: Arc::clone(&counts),
            lifelines: lifelines.clone(),
        };
        // Before any replica can resolve a key: who asks for an environment's events must find it known.
        parts.tell_of_all();
        let (thread, arbiter) = ActorThread::start()?;
        let actor = EnvironmentActor::start_in_arbiter(&arbiter, |_| EnvironmentActor::new(parts));
        Ok(Self {
            actor,
            thread,
            registry,
            acknowledged,
            configured,
            beat,
            counts,
            lifelines: lifelines.clone(),
        })
    }

    /// Starts a replica on the current thread and registers it (called by the HTTP worker factory).
    pub fn start_replica(&self) -> Addr<EnvironmentReplica> {
        self.registry.register(|newest, beat, requests| {
            let lifeline = self.lifelines.guard_within_worker("EnvironmentReplica");
            let replica = EnvironmentReplica::new(newest, beat, requests, self.beat, lifeline).start();
            let recipient = replica.clone().recipient();
            (replica, recipient)
        })
    }

    /// Puts a whole new list of environments in force: some are added, some removed, some get other keys or another
    /// source; the others are not touched. When this returns, every replica resolves the new keys and none of the old
    /// ones, and the streams of removed environments are ending.
    ///
    /// # Errors
    /// When the actor does not answer; what it had begun goes on.
    pub async fn configure(&self, environments: Vec<EnvironmentOptions>) -> Result<(), Unavailable> {
        self.reconfigure(environments, None, None).await
    }

    /// Does the same, and from then on polls by other rules and reaches upstream in another way, where they are given. Where
    /// `api_url` is another one all that is polled is fetched from there at once.
    ///
    /// # Errors
    /// When the actor does not answer; what it had begun goes on.
    pub async fn reconfigure(
        &self,
        environments: Vec<EnvironmentOptions>,
        polling: Option<PollingOptions>,
        upstream: Option<UpstreamOptions>,
    ) -> Result<(), Unavailable> {
        self.actor
            .send(Configure {
                environments,
                polling,
                upstream,
            })
            .timeout(CONFIGURE_TIMEOUT)
            .await
            .map_err(|_| Unavailable)
    }

    /// The environments in force, in the order of the configuration, to read and to wait on.
    pub fn configured(&self) -> watch::Receiver<Arc<[ConfiguredEnvironment]>> {
        self.configured.clone()
    }

    /// Fetches an environment now, unconditionally, as Flagsmith asks by a push; repeated while older than `announced`.
    /// Returns at once. Bursts are thinned out by the actor; the caller bounds how many arrive (they are authenticated).
    pub fn refresh(&self, id: EnvironmentId, announced: Option<UpdatedAt>) {
        self.announce(id, announced, Announcer::Push);
    }

    /// The same as Flagsmith's realtime service asks.
    pub fn refresh_for_stream(&self, id: EnvironmentId, announced: Option<UpdatedAt>) {
        self.announce(id, announced, Announcer::Stream);
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by who may announce changes: authenticated pushes and Flagsmith's realtime service"
    )]
    fn announce(&self, id: EnvironmentId, announced: Option<UpdatedAt>, by: Announcer) {
        self.actor.do_send(Refresh { id, announced, by });
    }

    /// How each environment fares, in the order of the configuration.
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

    /// How many requests brought a key of each environment so far, those of workers that have stopped included.
    pub fn requests(&self) -> RequestTotals {
        self.registry.requests()
    }

    /// How long documents took since the start.
    pub fn counts(&self) -> &DocumentCounts {
        &self.counts
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

    /// Stops the actor in good order and ends its thread: no further fetch, no death. Requests go on from the replicas'
    /// last snapshot. Waits at most `patience` for the thread; whether it is gone. A document that is being compiled, and a
    /// look at a file, end on threads of their own, which end with them.
    pub async fn stop(&self, patience: Duration) -> bool {
        // A dead actor does not answer; its thread ends all the same.
        let _ = self.actor.send(Stop).timeout(ANSWER_TIMEOUT).await;
        self.thread.end(patience).await
    }

    /// Makes the actor panic: for tests of the death watch.
    #[cfg(feature = "fault-injection")]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test sends it once; nobody answers it"
    )]
    pub fn inject_panic(&self) {
        self.actor.do_send(crate::fault::Panic);
    }
}
