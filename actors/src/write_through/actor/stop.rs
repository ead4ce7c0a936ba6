//! The stop, before which what waits is written as far as the time allows.
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures::{StreamExt as _, stream};
use tokio::time::timeout;

use super::{Outcome, WriteThrough};

/// The calls of a stop, at most: no upstream takes more of them in its time, and each has its body ready.
const LAST_CALLS: usize = 256;

impl WriteThrough {
    /// The calls that would write everything that waits.
    fn last_calls(&mut self) -> Vec<impl Future<Output = (usize, Outcome)> + use<>> {
        self.take_in();
        let mut calls = Vec::new();
        while calls.len() < LAST_CALLS
            && !self.standing.is_down()
            && !self.pace.is_waiting(Instant::now())
            && let Some(call) = self.next_call()
        {
            let (identities, sent) = (call.batch.len(), self.sent(&call));
            calls.push(async move { (identities, sent.await) });
        }
        calls
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
        let calls = self.last_calls();
        let (at_once, is_down) = (self.options.at_once.max(1), self.standing.is_down());
        let left = self.pending.len();
        let flushing = async move {
            let mut unwritten = left;
            let calls = calls.into_iter().map(|call| async move {
                let (identities, outcome) = call.await;
                let is_written = outcome.is_ok_and(|answer| answer.status.is_success());
                if is_written { 0 } else { identities }
            });
            let mut outcomes = stream::iter(calls).buffer_unordered(at_once);
            let all = async {
                while let Some(identities) = outcomes.next().await {
                    unwritten += identities;
                }
            };
            let is_late = timeout(patience, all).await.is_err();
            (unwritten, is_late)
        };
        Box::pin(
            flushing
                .into_actor(self)
                .map(move |(unwritten, is_late), this, ctx| {
                    if is_late {
                        log::warn!("the stop leaves identities that were not written to upstream");
                    } else if unwritten > 0 {
                        let why = if is_down {
                            "it is away"
                        } else {
                            "it did not take them"
                        };
                        log::warn!("the stop leaves {unwritten} identities not written to upstream: {why}");
                    }
                    this.lifeline.disarm();
                    ctx.stop();
                }),
        )
    }
}
