//! What the actor is sent.
use std::time::{Duration, Instant};

use actix::prelude::*;
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use super::{AnalyticsActor, has_one_version};
use crate::analytics::Totals;
use crate::upstream::{Forwarder, Reconnect};

/// Sends what there is at once. Resolves when there is nothing more to send, or what there is must wait.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::analytics) struct Flush {
    pub(in crate::analytics) done: Option<oneshot::Sender<()>>,
}

impl Handler<Flush> for AnalyticsActor {
    type Result = ();

    fn handle(&mut self, Flush { done }: Flush, ctx: &mut Self::Context) {
        for queue in self.entries.values_mut().filter_map(|entry| entry.queue.as_mut()) {
            queue.hurry();
        }
        self.flushed.extend(done);
        self.collect(ctx);
    }
}

/// An orderly stop; the reply comes when what is unsent is handed over, or the disk has not taken it in this time.
#[derive(Message)]
#[rtype(result = "()")]
pub(in crate::analytics) struct Stop {
    pub(in crate::analytics) patience: Duration,
}

impl Handler<Stop> for AnalyticsActor {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, Stop { patience }: Stop, _: &mut Self::Context) -> Self::Result {
        self.lifeline.disarm();
        let until = Instant::now() + patience;
        let is_free = timeout_at(until.into(), self.free_disk());
        let handed_over = is_free
            .into_actor(self)
            .then(move |is_free, actor, _| actor.hand_over(is_free.is_ok(), until).into_actor(actor));
        Box::pin(handed_over.map(|(), _, ctx: &mut Context<Self>| ctx.stop()))
    }
}

impl Handler<Reconnect> for AnalyticsActor {
    type Result = ();

    fn handle(&mut self, Reconnect(upstream): Reconnect, _ctx: &mut Self::Context) {
        self.folds = has_one_version(&upstream);
        self.forwarder = Forwarder::new(&upstream, self.options.timeout);
    }
}

/// Asks for the sums since the start.
#[derive(Message)]
#[rtype(result = "Totals")]
pub(in crate::analytics) struct AskTotals;

impl Handler<AskTotals> for AnalyticsActor {
    type Result = MessageResult<AskTotals>;

    fn handle(&mut self, _: AskTotals, _: &mut Self::Context) -> Self::Result {
        let queues = self.entries.values().filter_map(|entry| entry.queue.as_ref());
        let waiting = queues.fold(0_u64, |sum, queue| sum.saturating_add(queue.waiting()));
        // While the disk takes what the actor has left, its queues are gone.
        let waiting = waiting.saturating_add(self.left().unwrap_or_default());
        let mut totals = self.counts.totals(waiting);
        self.tallies.add_to(&mut totals);
        MessageResult(totals)
    }
}

#[cfg(feature = "fault-injection")]
impl Handler<crate::fault::Panic> for AnalyticsActor {
    type Result = ();
    #[expect(clippy::panic, reason = "fault injection is what this message is for")]
    fn handle(&mut self, _msg: crate::fault::Panic, _ctx: &mut Self::Context) {
        panic!("injected into the AnalyticsActor");
    }
}
