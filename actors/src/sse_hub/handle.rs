//! What routes and the composition root hold of the hub.
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::options::{HubOptions, Refusal};
use super::slot::Subscription;
use super::{Counts, Drain, SseHub, Subscribe};
use crate::environment::EnvironmentUpdated;
use crate::keys::EnvironmentIndex;
use crate::lifeline::Lifelines;
use crate::replica::Panic;

/// How long a request waits for the hub. Its handlers take microseconds: past this it is dead or starved.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

/// The hub, as routes see it.
#[derive(Debug, Clone)]
pub struct SseHubHandle {
    address: Addr<SseHub>,
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
    /// Starts the hub on an arbiter of its own, for so many environments. Needs a running actix `System`.
    pub fn start(environments: usize, options: HubOptions, lifelines: &Lifelines) -> Self {
        let lifeline = lifelines.guard("SseHub");
        let hub = move |_: &mut Context<SseHub>| SseHub::new(environments, options, lifeline);
        Self {
            address: SseHub::start_in_arbiter(&Arbiter::new().handle(), hub),
        }
    }

    /// Where the EnvironmentActor tells of new content, once all replicas serve it.
    pub fn listener(&self) -> Recipient<EnvironmentUpdated> {
        self.address.clone().recipient()
    }

    /// Subscribes to an environment.
    ///
    /// # Errors
    /// When the hub is full, draining or dead.
    pub async fn subscribe(&self, index: EnvironmentIndex) -> Result<Admitted, Refusal> {
        // If this gives up waiting, the answer is dropped where it arrives, and the subscription with it.
        let answer = self
            .address
            .send(Subscribe { index })
            .timeout(ANSWER_WITHIN)
            .await;
        answer.unwrap_or(Err(Refusal::Unavailable))
    }

    /// Subscribers by environment, in the order of configuration; `None`: the hub does not answer.
    pub async fn counts(&self) -> Option<HubCounts> {
        self.address.send(Counts).timeout(ANSWER_WITHIN).await.ok()
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

    /// Makes the actor panic: for tests of the death watch.
    #[doc(hidden)]
    pub fn inject_panic(&self) {
        self.address.do_send(Panic);
    }
}

/// The hub's answer to [`SseHubHandle::counts`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HubCounts {
    /// Subscribers by environment, in the order of configuration.
    pub by_environment: Vec<usize>,
    /// Whether streams are being ended.
    pub is_draining: bool,
}
