use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;

use super::actor::{
    AskWaiting, Configured, Follow, Found, Keep, LookAgain, Parts, Restore, Stop, StoreActor,
};
use super::counts::StoreCounts;
use super::folder::Folder;
use super::format::Stored;
use super::health::{StoreHealth, StoreTrouble};
use super::pending::Item;
use super::unsent::UnsentFile;
use crate::actor_thread::ActorThread;
use crate::analytics::UnsentStore;
use crate::keys::{EnvironmentKey, KeyDigest};
use crate::lifeline::Lifelines;

/// How long the actor, whose handlers take microseconds, may take to answer.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What a store is started with.
#[derive(Debug, Clone)]
pub struct StoreOptions {
    /// `persistence.directory`; it is made where there is none.
    pub directory: PathBuf,
    /// The wait after the first failure; it doubles up to a minute. A folder that another process has is looked at each time.
    pub retry: Duration,
    /// How often it is looked whether the directory is still the one that this process has.
    pub look: Duration,
    /// The client-side keys of the configured environments, to tell of documents that are nobody's.
    pub environments: Vec<EnvironmentKey>,
}

impl StoreOptions {
    /// The usual options for a store in this directory.
    pub fn new(directory: PathBuf, environments: Vec<EnvironmentKey>) -> Self {
        Self {
            directory,
            retry: Duration::from_secs(5),
            look: Duration::from_secs(30),
            environments,
        }
    }
}

/// What the composition root and the EnvironmentActor hold of the StoreActor.
#[derive(Debug, Clone)]
pub struct StoreHandle {
    actor: Addr<StoreActor>,
    thread: ActorThread,
    folder: Arc<Folder>,
    health: StoreHealth,
    counts: Arc<StoreCounts>,
}

impl StoreHandle {
    /// Starts the actor on a thread of its own, and waits for no disk. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system allows no thread for it.
    pub fn start(options: StoreOptions, lifelines: &Lifelines) -> io::Result<Self> {
        let folder = Arc::new(Folder::new(options.directory));
        let health = StoreHealth::new();
        let counts = Arc::<StoreCounts>::default();
        let parts = Parts {
            folder: Arc::clone(&folder),
            health: health.clone(),
            counts: Arc::clone(&counts),
            retry: options.retry,
            look: options.look,
            configured: options.environments.iter().map(KeyDigest::of).collect(),
            lifeline: lifelines.guard("StoreActor"),
        };
        let (thread, arbiter) = ActorThread::start()?;
        let actor = StoreActor::start_in_arbiter(&arbiter, move |_| StoreActor::new(parts));
        Ok(Self {
            actor,
            thread,
            folder,
            health,
            counts,
        })
    }

    /// What was written since the start.
    pub fn counts(&self) -> &StoreCounts {
        &self.counts
    }

    /// Why documents are not stored now, if they are not. Waits for nobody.
    pub fn trouble(&self) -> Option<StoreTrouble> {
        self.health.trouble()
    }

    /// Where evaluation counts that could not be sent are kept.
    pub fn unsent(&self) -> Box<dyn UnsentStore> {
        Box::new(UnsentFile::new(Arc::clone(&self.folder)))
    }

    /// Reads what is stored of an environment, after all that was asked of the disk before; it may hang. `label`: what logs call
    /// the environment.
    pub(crate) async fn restore(&self, environment: KeyDigest, label: String) -> Option<Stored> {
        // The store is dead, or the disk's thread: then nothing is stored.
        self.actor
            .send(Restore { environment, label })
            .await
            .ok()
            .flatten()
    }

    /// Stores this in the place of what was kept before of its environment. Returns at once.
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by design: fetches of one environment never overlap, and the actor, which waits for no disk, keeps the \
                  newest of each"
    )]
    pub(crate) fn keep(&self, stored: Stored, label: String) {
        self.actor.do_send(Keep(Item { stored, label }));
    }

    /// How many documents are still to be written; `None`: the actor does not answer.
    pub async fn waiting(&self) -> Option<usize> {
        self.actor.send(AskWaiting).timeout(ANSWER_TIMEOUT).await.ok()
    }

    /// From now on these hear of what another process has stored. Returns at once.
    #[expect(
        clippy::disallowed_methods,
        reason = "one a process, and the actor waits for no disk"
    )]
    pub(crate) fn follow(&self, found: Recipient<Found>, look_again: Recipient<LookAgain>) {
        self.actor.do_send(Follow { found, look_again });
    }

    /// These are the environments that are configured from now on. Returns at once.
    #[expect(
        clippy::disallowed_methods,
        reason = "one a reload, and the actor waits for no disk"
    )]
    pub(crate) fn configured<'a>(&self, client_side_keys: impl Iterator<Item = &'a EnvironmentKey>) {
        let configured = client_side_keys.map(KeyDigest::of).collect();
        self.actor.do_send(Configured(configured));
    }

    /// Writes what is still to be written, where the disk takes it, and ends the thread. Waits at most `patience`; whether the
    /// thread is gone.
    pub async fn stop(&self, patience: Duration) -> bool {
        let written = self.actor.send(Stop).timeout(patience * 3 / 4).await;
        self.thread.end(patience / 4).await && written.is_ok()
    }

    /// Makes the disk hang until the sender has gone: for tests.
    #[cfg(feature = "fault-injection")]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test sends it once; nobody answers it"
    )]
    pub fn inject_hang(&self, until: std::sync::mpsc::Receiver<()>) {
        self.actor.do_send(crate::fault::Hang(until));
    }
}
