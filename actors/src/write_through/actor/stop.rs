//! The stop, before which what waits is written as far as the time allows.
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures::{StreamExt as _, stream};
use tokio::time::timeout;

use super::{Outcome, WriteThrough};
use crate::write_through::batch::Batch;
use crate::write_through::doubts::Doubts;

/// The calls of a stop, at most: no upstream takes more of them in its time, and each has its body ready.
const LAST_CALLS: usize = 256;

impl WriteThrough {
    /// The calls that would write everything that waits, each with the number of its identities.
    fn last_calls(&mut self) -> Vec<(usize, impl Future<Output = Outcome> + use<>)> {
        self.take_in();
        let mut calls = Vec::new();
        while calls.len() < LAST_CALLS
            && !self.standing.is_down()
            && !self.pace.is_waiting(Instant::now())
            && let Some(call) = self.next_call()
        {
            calls.push((call.batch.len(), self.sent(&call)));
        }
        calls
    }

    /// Identities that wait, are held, or are under way in a call that began before the stop.
    pub(super) fn left(&self) -> usize {
        let halves: usize = self.halves.iter().map(Batch::len).sum();
        let held: usize = self.doubts.values().map(Doubts::len).sum();
        self.pending.len() + halves + held + *self.under_way.borrow()
    }

    /// Tells of everything that is not written, now that nothing more will be.
    fn tell_the_rest(&mut self, last_unwritten: usize, is_late: bool) {
        let left = self.left() + last_unwritten;
        let ended = u64::try_from(left).unwrap_or(u64::MAX);
        self.shared.counts.ended.add(ended);
        self.shared.waiting.set(0);
        if left > 0 {
            let why = if self.standing.is_down() {
                "it is away"
            } else if is_late {
                "there was no time for them"
            } else {
                "it did not take them"
            };
            log::warn!("the stop leaves {left} identities not written to upstream: {why}");
        }
        if let Some((identities, why)) = self.losses.rest() {
            log::warn!("{identities} times before the stop an identity was not written to upstream: {why}");
        }
    }
}

/// An orderly stop, before which what waits is written as far as the time allows.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(in crate::write_through) struct Stop {
    pub(in crate::write_through) patience: Duration,
}

impl Handler<Stop> for WriteThrough {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, Stop { patience }: Stop, _ctx: &mut Context<Self>) -> Self::Result {
        // Now, and not when it has written: whoever waits for it may give up before, and end the thread.
        self.lifeline.disarm();
        let calls = self.last_calls();
        let at_once = self.options.at_once.max(1);
        let counts = Arc::clone(&self.shared.counts);
        let mut under_way = self.under_way.subscribe();
        let flushing = async move {
            let mut unwritten = calls.iter().map(|(identities, _)| identities).sum::<usize>();
            let calls = calls.into_iter().map(|(identities, sent)| async move {
                let is_written = sent.await.is_ok_and(|answer| answer.status.is_success());
                if is_written { identities } else { 0 }
            });
            let mut outcomes = stream::iter(calls).buffer_unordered(at_once);
            let all = async {
                while let Some(written) = outcomes.next().await {
                    unwritten -= written;
                    counts.written.add(u64::try_from(written).unwrap_or(u64::MAX));
                }
                // Those that began before: upstream may have taken them. An error: the actor is gone.
                let _ = under_way.wait_for(|identities| *identities == 0).await;
            };
            let is_late = timeout(patience, all).await.is_err();
            (unwritten, is_late)
        };
        Box::pin(flushing.into_actor(self).map(|(unwritten, is_late), this, ctx| {
            this.tell_the_rest(unwritten, is_late);
            ctx.stop();
        }))
    }
}
