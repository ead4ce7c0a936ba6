//! What routes and the composition root hold of the hub.
use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::counts::StreamCounts;
use super::options::{HubOptions, Refusal};
use super::slot::Subscription;
use super::{Admits, Counts, Drain, Reconfigure, SseHub, Stop, Subscribe};
use crate::actor_thread::ActorThread;
use crate::environment::EnvironmentEvent;
use crate::keys::{ById, EnvironmentId};
use crate::lifeline::Lifelines;

/// How long a request waits for the hub. Its handlers take microseconds: past this it is dead or starved.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The hub, as routes see it.
#[derive(Debug, Clone)]
pub struct SseHubHandle {
    address: Addr<SseHub>,
    thread: ActorThread,
    counts: Arc<StreamCounts>,
}

/// An admitted subscriber.
#[derive(Debug)]
pub struct Admitted {
    /// Tells of changes; dropping it unsubscribes.
    pub subscription: Subscription,
    /// The window over which this environment's subscribers would be told of a change now. Reconnects after a
    /// restart are spread likewise.
    pub spread: Duration,
}

impl SseHubHandle {
    /// Starts the hub on a thread of its own. It knows no environment until its listener hears of one. Needs a running
    /// actix `System`.
    ///
    /// # Errors
    /// Where the system allows no thread for it.
    pub fn start(options: HubOptions, lifelines: &Lifelines) -> io::Result<Self> {
        let (thread, arbiter) = ActorThread::start()?;
        let lifeline = lifelines.guard("SseHub");
        let counts = Arc::<StreamCounts>::default();
        let of_hub = Arc::clone(&counts);
        let hub = move |_: &mut Context<SseHub>| SseHub::new(options, of_hub, lifeline);
        let address = SseHub::start_in_arbiter(&arbiter, hub);
        Ok(Self {
            address,
            thread,
            counts,
        })
    }

    /// Where the EnvironmentActor tells of its environments and of their new content.
    pub fn listener(&self) -> Recipient<EnvironmentEvent> {
        self.address.clone().recipient()
    }

    /// Subscribes to an environment.
    ///
    /// # Errors
    /// When the hub does not know the environment, or is full, draining or dead.
    pub async fn subscribe(&self, id: EnvironmentId) -> Result<Admitted, Refusal> {
        // If this gives up waiting, the answer is dropped where it arrives, and the subscription with it.
        let answer = self.address.send(Subscribe { id }).timeout(ANSWER_WITHIN).await;
        answer.unwrap_or(Err(Refusal::Unavailable))
    }

    /// Tells whether a subscription to an environment would be admitted now.
    ///
    /// # Errors
    /// As those of [`Self::subscribe`].
    pub async fn admits(&self, id: EnvironmentId) -> Result<(), Refusal> {
        let answer = self.address.send(Admits { id }).timeout(ANSWER_WITHIN).await;
        answer.unwrap_or(Err(Refusal::Unavailable))
    }

    /// What was told since the start.
    pub fn told(&self) -> &StreamCounts {
        &self.counts
    }

    /// Subscribers by environment; `None`: the hub does not answer.
    pub async fn counts(&self) -> Option<HubCounts> {
        self.address.send(Counts).timeout(ANSWER_WITHIN).await.ok()
    }

    /// Admits and tells by other options from now on. Nobody's stream ends by that, but those that there is no
    /// [`HubOptions::room`] for.
    pub async fn reconfigure(&self, options: HubOptions) {
        // A dead hub does not answer; its lifeline tells.
        let _ = self
            .address
            .send(Reconfigure(options))
            .timeout(ANSWER_WITHIN)
            .await;
    }

    /// Refuses new subscribers and ends all streams cleanly, spread over at most `window`; waits until the last one
    /// is gone, at most `patience` longer than that.
    pub async fn drain(&self, window: Duration, patience: Duration) {
        let (done, is_done) = oneshot::channel();
        if self
            .address
            .send(Drain { window, done })
            .timeout(ANSWER_WITHIN)
            .await
            .is_err()
        {
            log::warn!("the SseHub does not answer: open streams are cut when the process ends");
            return;
        }
        if actix_rt::time::timeout(window + patience, is_done).await.is_err() {
            log::warn!(
                "some event streams did not end within the drain window and are cut when the process ends"
            );
        }
    }

    /// Stops the hub in good order, ends whatever streams it still has, and ends its thread. Waits at most `patience` for
    /// that; whether the thread is gone.
    pub async fn stop(&self, patience: Duration) -> bool {
        // A dead hub does not answer; its thread ends all the same.
        let _ = self.address.send(Stop).timeout(ANSWER_WITHIN).await;
        self.thread.end(patience).await
    }

    /// Makes the actor panic: for tests of the death watch.
    #[cfg(feature = "fault-injection")]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test sends it once; nobody answers it"
    )]
    pub fn inject_panic(&self) {
        self.address.do_send(crate::fault::Panic);
    }

    /// Keeps the hub from answering for as long as what it returns lives: for tests of those who wait for it.
    #[cfg(feature = "fault-injection")]
    #[expect(
        clippy::disallowed_methods,
        reason = "a test sends it once; nobody answers it"
    )]
    pub fn inject_hold(&self) -> std::sync::mpsc::Sender<()> {
        let (hold, held) = std::sync::mpsc::channel();
        self.address.do_send(crate::fault::Hold(held));
        hold
    }
}

/// The hub's answer to [`SseHubHandle::counts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubCounts {
    /// Subscribers by environment.
    pub by_environment: ById<usize>,
    /// Whether streams are being ended.
    pub is_draining: bool,
}
