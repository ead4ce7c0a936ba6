//! Writes of callers that are sent on to Flagsmith's API while they wait: traits, and identities in bulk.
//!
//! One actor on a thread of its own sends them all, and not each HTTP worker its own: so the connections to upstream, the
//! descriptors and the memory that they take are bounded for the process, an idle connection serves every worker, and no
//! worker makes a TLS handshake. A message to it costs microseconds, the call milliseconds.
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::actor_thread::ActorThread;
use crate::counts::Counter;
use crate::lifeline::{Lifeline, Lifelines};
use crate::trace::{self, TraceContext};
use crate::upstream::{
    ForwardAnswer, ForwardFailure, ForwardRequest, Forwarder, News, Reconnect, Standing, UpstreamOptions,
};

/// How many calls are under way at a time, at most: each holds a connection, a body and an answer of some MiB, and core takes
/// 15 ms to a second for each.
pub const AT_ONCE: usize = 32;

/// How long a call may take: with the way to the caller and back, less than the 4 s that Kotlin's SDK gives a whole call.
const CALL_TIMEOUT: Duration = Duration::from_millis(3_500);

/// How much longer the actor, whose handlers take microseconds, may take to answer before it counts as dead.
const SLACK: Duration = Duration::from_millis(250);

/// How long the actor may take to hear of a stop, or of another way to upstream.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// How calls are bounded. Fields so that tests can shorten them.
#[derive(Debug, Clone, Copy)]
pub struct ForwardingOptions {
    /// How many calls are under way at a time, at most.
    pub at_once: usize,
    /// How long a whole call may take.
    pub timeout: Duration,
}

impl Default for ForwardingOptions {
    fn default() -> Self {
        Self {
            at_once: AT_ONCE,
            timeout: CALL_TIMEOUT,
        }
    }
}

/// Why a call has no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotForwarded {
    /// As many calls are under way as may be.
    Busy,
    /// Upstream gives no answer; why. The operator has been told.
    Failed(ForwardFailure),
    /// The actor is gone, or does not answer.
    Unavailable,
}

/// Counts of calls since the start.
#[derive(Debug, Default)]
pub struct ForwardingCounts {
    /// Those that upstream has answered, whatever it said.
    pub answered: Counter,
    /// Those without an answer.
    pub unanswered: Counter,
}

/// What routes and the composition root hold of the actor.
#[derive(Debug, Clone)]
pub struct ForwardingHandle {
    address: Addr<Forwarding>,
    thread: ActorThread,
    places: Arc<Semaphore>,
    timeout: Duration,
    counts: Arc<ForwardingCounts>,
}

impl ForwardingHandle {
    /// Starts the actor on a thread of its own. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system allows no thread for it.
    pub fn start(
        options: ForwardingOptions,
        upstream: UpstreamOptions,
        lifelines: &Lifelines,
    ) -> io::Result<Self> {
        let (thread, arbiter) = ActorThread::start()?;
        let lifeline = lifelines.guard("Forwarding");
        let timeout = options.timeout;
        let address = Forwarding::start_in_arbiter(&arbiter, move |_| Forwarding {
            upstream,
            timeout,
            forwarder: None,
            standing: Standing::default(),
            lifeline,
        });
        Ok(Self {
            address,
            thread,
            places: Arc::new(Semaphore::new(options.at_once.min(Semaphore::MAX_PERMITS))),
            timeout,
            counts: Arc::default(),
        })
    }

    /// What became of calls since the start.
    pub fn counts(&self) -> &ForwardingCounts {
        &self.counts
    }

    /// Whether another call may begin, for callers who would have to read a body first.
    pub fn has_place(&self) -> bool {
        self.places.available_permits() > 0
    }

    /// Sends a request on and waits for its answer, within the time that a call may take. A call goes on where its caller
    /// does not wait any more.
    ///
    /// # Errors
    /// Why there is no answer.
    pub async fn forward(&self, request: ForwardRequest) -> Result<ForwardAnswer, NotForwarded> {
        let outcome = self.call(request).await;
        match &outcome {
            Ok(_) => self.counts.answered.add(1),
            // It was never a call.
            Err(NotForwarded::Busy) => {}
            Err(NotForwarded::Failed(_) | NotForwarded::Unavailable) => self.counts.unanswered.add(1),
        }
        outcome
    }

    async fn call(&self, request: ForwardRequest) -> Result<ForwardAnswer, NotForwarded> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| NotForwarded::Busy)?;
        let call = Forward {
            request,
            place,
            context: trace::current(),
        };
        let answer = self.address.send(call).timeout(self.timeout + SLACK).await;
        answer
            .map_err(|_| NotForwarded::Unavailable)?
            .map_err(NotForwarded::Failed)
    }

    /// Sends requests on in this way from now on; calls under way end as they began.
    pub async fn reconnect(&self, upstream: UpstreamOptions) {
        // A dead actor does not answer; its lifeline tells.
        let _ = self
            .address
            .send(Reconnect(upstream))
            .timeout(ANSWER_TIMEOUT)
            .await;
    }

    /// Stops the actor in good order and ends its thread: calls under way are given up. Waits at most `patience` for that;
    /// whether the thread is gone.
    pub async fn stop(&self, patience: Duration) -> bool {
        // A dead actor does not answer; its thread ends all the same.
        let _ = self.address.send(Stop).timeout(ANSWER_TIMEOUT).await;
        self.thread.end(patience).await
    }
}

/// Sends requests on.
struct Forwarding {
    upstream: UpstreamOptions,
    timeout: Duration,
    /// Made when the first call needs it: it belongs to this thread, and may read files.
    forwarder: Option<Result<Forwarder, ForwardFailure>>,
    standing: Standing,
    lifeline: Lifeline,
}

impl Forwarding {
    fn forwarder(&mut self) -> Result<Forwarder, ForwardFailure> {
        let (upstream, timeout) = (&self.upstream, self.timeout);
        self.forwarder
            .get_or_insert_with(|| Forwarder::new(upstream, timeout))
            .clone()
    }

    /// Notes how a call ended, and tells the operator of a change.
    fn note(&mut self, outcome: Result<(), &ForwardFailure>) {
        match self.standing.note(outcome, Instant::now()) {
            Some(News::Fails(failure, calls)) => log::warn!(
                "writes of traits and identities do not reach upstream ({calls} so far) and are answered with 503: {failure}"
            ),
            Some(News::Works) => log::info!("writes of traits and identities reach upstream again"),
            None => {}
        }
    }
}

impl Actor for Forwarding {
    type Context = Context<Self>;
}

/// Asks to send a request on.
#[derive(Message)]
#[rtype(result = "Result<ForwardAnswer, ForwardFailure>")]
struct Forward {
    request: ForwardRequest,
    /// Given back at the end of the call.
    place: OwnedSemaphorePermit,
    /// What the caller's request is a part of, and upstream's work for it.
    context: Option<TraceContext>,
}

impl Handler<Forward> for Forwarding {
    type Result = ResponseActFuture<Self, Result<ForwardAnswer, ForwardFailure>>;

    fn handle(&mut self, forward: Forward, _ctx: &mut Context<Self>) -> Self::Result {
        let Forward {
            request,
            place,
            context,
        } = forward;
        let forwarder = self.forwarder();
        let call = async move {
            let _place = place;
            forwarder?.forward(&request).await
        };
        let call = trace::within(context.clone(), call);
        // At most as many futures as calls may be under way.
        Box::pin(call.into_actor(self).map(|answer, this, _ctx| {
            let _entered = context.map(trace::enter);
            this.note(answer.as_ref().map(|_| ()));
            answer
        }))
    }
}

impl Handler<Reconnect> for Forwarding {
    type Result = ();

    fn handle(&mut self, Reconnect(upstream): Reconnect, _ctx: &mut Context<Self>) {
        self.upstream = upstream;
        self.forwarder = None;
    }
}

/// An orderly stop.
#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

impl Handler<Stop> for Forwarding {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        self.lifeline.disarm();
        ctx.stop();
    }
}

#[cfg(feature = "fault-injection")]
impl Handler<crate::fault::Panic> for Forwarding {
    type Result = ();
    #[expect(clippy::panic, reason = "fault injection is what this message is for")]
    fn handle(&mut self, _msg: crate::fault::Panic, _ctx: &mut Self::Context) {
        panic!("injected into Forwarding");
    }
}

impl fmt::Debug for Forward {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.request.fmt(f)
    }
}

#[cfg(test)]
mod tests;
