//! Analytics: SDKs send how often they have evaluated which feature; the counts are summed here and sent on to Flagsmith's API in
//! batches, off every request's path.
//!
//! # Layout
//! - [`AnalyticsHandle`]: what the composition root holds; [`AnalyticsOptions`] (`options`): how it is timed and bounded.
//! - [`Tallies`], [`WorkerTally`] (`tally`): where each HTTP worker counts.
//! - [`LabelsRef`] (`labels`): what tells applications and SDKs apart. `counts`: sums by labels; `room`: their bound.
//! - `actor`: the thin shell: takes the tallies, sends batches; an `entry` for each environment; `report`: its log.
//! - `queue`: the decisions of one environment, pure; `lane`: those of one version, `pace` its waits, `suspects` the labels that
//!   upstream did not take; `batch`: one request; `outcome`: what came of it.
//! - [`AnalyticsCounts`], [`Totals`] (`totals`): what became of counts since the process began.
//! - `record`: what is unsent, in bytes that outlive the process; [`UnsentStore`]: who keeps them.
//!
//! # How often a count arrives
//! Once, as far as upstream says what it has done. A batch is gone when the head of an answer of success has come; it stays where the request
//! was never sent, or where the answer says that nothing was done (429, 5xx, 401, 403). Where a batch was sent and no answer
//! came, nobody knows, and the choice is to send it again: an outage that swallows answers would else lose everything that comes
//! meanwhile. So that an upstream which counts and does not answer counts little twice, it is asked with a single count until it
//! answers again. What it refuses for good (400, 404) is dropped, counted and told, after a
//! batch was halved down to the entry that is at fault.
//!
//! # One that upstream does not take
//! Whoever sends counts chooses labels, and something before upstream may answer 403 or 500 to some. The sets of labels take turns;
//! one that fails waits alone, and one that keeps failing while others arrive is sent without labels. Where several fail in a row
//! upstream is asked with single counts, by turns without labels and with, and left alone while it takes none.
use std::io;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout_at};

mod actor;
mod batch;
mod counts;
mod entry;
mod evaluation;
mod labels;
mod lane;
mod options;
mod outcome;
mod pace;
mod queue;
mod record;
mod report;
mod room;
mod sheet;
mod suspects;
mod tally;
mod totals;

pub use batch::MOST_COUNT;
pub use counts::Counting;
pub use evaluation::EvaluationRef;
pub use labels::LabelsRef;
pub use options::{AT_ONCE, AnalyticsOptions};
pub(crate) use record::is_unsent_file;
pub use report::Losses;
pub use tally::{TALLY_BYTES, Tallies, WorkerTally};
pub use totals::{AnalyticsCounts, Totals};

use actor::{AnalyticsActor, AskTotals, Flush, Parts, Stop};

use crate::actor_thread::ActorThread;
use crate::environment::{EnvironmentHandle, Unavailable};
use crate::lifeline::{Lifelines, Release};
use crate::upstream::{Reconnect, UpstreamOptions};

/// How long the actor, whose handlers take milliseconds at most, may take to answer before it counts as dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// What a stop keeps of its time at least, if it has twice that, for handing over what could not be sent, and for the thread's end.
const FOR_HAND_OVER: Duration = Duration::from_millis(200);
/// And this part of it: on a busy machine both take their time, as everything does.
const PART_FOR_HAND_OVER: u32 = 8;

/// Keeps what is unsent over restarts. It is called on a thread of its own, which may wait for a disk, one call at a time.
pub trait UnsentStore: Send {
    /// Gives what processes before have left, in the format of `record`: whoever takes it sends it. Empty: nothing. It may stay
    /// kept until [`UnsentStore::keep`] says what is left of it.
    fn take(&mut self) -> Vec<u8>;

    /// Gives what could not be taken at the start, for another process had it still; asked again and again.
    fn take_more(&mut self) -> Vec<u8> {
        Vec::new()
    }

    /// Keeps these bytes, which may be none, in place of what was kept. Whether it could.
    fn keep(&mut self, unsent: &[u8]) -> bool;
}

/// What the composition root holds of the actor.
#[derive(Debug, Clone)]
pub struct AnalyticsHandle {
    address: Addr<AnalyticsActor>,
    thread: ActorThread,
    release: Release,
    tallies: Arc<Tallies>,
    counts: Arc<AnalyticsCounts>,
    left: Left,
}

/// What an actor has left unsent that has ended in good order; `None`: it has not.
type Left = Arc<Mutex<Option<u64>>>;

impl AnalyticsHandle {
    /// Starts the actor on a thread of its own. It sends for the environments that `environments` has in force, each with its
    /// client-side key. `store`: who keeps what is unsent; without one it ends with the process. `counts`: where it counts what
    /// becomes of them. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system allows no thread for it.
    pub fn start(
        options: AnalyticsOptions,
        upstream: UpstreamOptions,
        environments: EnvironmentHandle,
        store: Option<Box<dyn UnsentStore>>,
        counts: Arc<AnalyticsCounts>,
        lifelines: &Lifelines,
    ) -> io::Result<Self> {
        let left = Left::default();
        let mut configured = environments.configured();
        let at_start = Arc::clone(&configured.borrow_and_update());
        let tallies = Arc::new(Tallies::new(options.tally_bytes));
        let (thread, arbiter) = ActorThread::start()?;
        let lifeline = lifelines.guard("AnalyticsActor");
        let release = lifeline.release();
        let parts = Parts {
            options,
            upstream,
            environments,
            configured,
            at_start,
            tallies: Arc::clone(&tallies),
            store,
            counts: Arc::clone(&counts),
            left: Arc::clone(&left),
            lifeline,
        };
        let address = AnalyticsActor::start_in_arbiter(&arbiter, move |_| AnalyticsActor::new(parts));
        Ok(Self {
            address,
            thread,
            release,
            tallies,
            counts,
            left,
        })
    }

    /// Where the workers count.
    pub fn tallies(&self) -> Arc<Tallies> {
        Arc::clone(&self.tallies)
    }

    /// The sums since the process began; also of an actor that has ended in good order.
    ///
    /// # Errors
    /// When the actor does not answer.
    pub async fn totals(&self) -> Result<Totals, Unavailable> {
        if let Ok(totals) = self.address.send(AskTotals).timeout(ANSWER_TIMEOUT).await {
            return Ok(totals);
        }
        let left = *self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut totals = self.counts.totals(left.ok_or(Unavailable)?);
        self.tallies.add_to(&mut totals);
        Ok(totals)
    }

    /// Sends in this way from now on; calls under way end as they began.
    pub async fn reconnect(&self, upstream: UpstreamOptions) {
        // A dead actor does not answer; its lifeline tells.
        let _ = self
            .address
            .send(Reconnect(upstream))
            .timeout(ANSWER_TIMEOUT)
            .await;
    }

    /// Begins to send what there is now, and waits for nothing.
    #[expect(
        clippy::disallowed_methods,
        reason = "bounded by design: once, when the process begins to stop"
    )]
    pub fn begin_flush(&self) {
        self.address.do_send(Flush { done: None });
    }

    /// Sends what there is now. Resolves when upstream has it, or what is left must wait, after `patience` at the latest.
    pub async fn flush(&self, patience: Duration) {
        let end = Instant::now() + patience;
        let (done, is_done) = oneshot::channel();
        if timeout_at(end, self.address.send(Flush { done: Some(done) }))
            .await
            .is_ok()
        {
            let _ = timeout_at(end, is_done).await;
        }
    }

    /// Sends what there is, hands over what cannot be sent, and ends the thread. Waits at most `patience`; whether the thread
    /// is gone. Nothing may be counted any more.
    pub async fn stop(&self, patience: Duration) -> bool {
        let end = Instant::now() + patience;
        let for_hand_over = FOR_HAND_OVER.min(patience / 2).max(patience / PART_FOR_HAND_OVER);
        self.flush(patience - for_hand_over).await;
        self.release.now();
        // Where it is dead it does not answer; its thread ends all the same.
        let patience = ANSWER_TIMEOUT.min(patience);
        let stop = Stop {
            patience: patience * 3 / 4,
        };
        let _ = self.address.send(stop).timeout(patience).await;
        self.thread
            .end(end.saturating_duration_since(Instant::now()))
            .await
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
}
