//! The SseHub: tells subscribed clients that their environment changed.
//!
//! It runs on an arbiter of its own and does work only for those who are told: there is no future per client in its
//! context, for every wake would poll them all (10,000 cost 0.8 ms a message).
//!
//! # Layout
//! - `topics`: the pure state: who is told what, and when.
//! - `spread`: the pace at which it happens.
//! - `slot`: what lies between the hub and one stream.
//! - `counts`: what was told, and how late.
//! - `options`: what the hub is started with, tells and refuses with.
//! - `handle`: what routes hold.
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix::prelude::*;
use engine::UpdatedAt;
use tokio::sync::oneshot;

mod counts;
mod handle;
mod options;
mod slot;
mod spread;
mod topics;

use slot::Slot;
use topics::{SubscriberKey, Topics};

pub use counts::StreamCounts;
pub use handle::{Admitted, HubCounts, SseHubHandle};
pub use options::{Change, HubOptions, Refusal};
pub use slot::Subscription;
pub use spread::NotifySpread;

use crate::environment::EnvironmentEvent;
use crate::keys::EnvironmentId;
use crate::lifeline::Lifeline;

/// Owns the topics. Its handlers are synchronous and answer at once.
#[derive(Debug)]
pub struct SseHub {
    topics: Topics<Arc<Slot>>,
    /// Whether an [`Advance`] is under way.
    is_advancing: bool,
    drained: Vec<oneshot::Sender<()>>,
    counts: Arc<StreamCounts>,
    lifeline: Lifeline,
}

impl SseHub {
    fn new(options: HubOptions, counts: Arc<StreamCounts>, lifeline: Lifeline) -> Self {
        Self {
            topics: Topics::new(options),
            is_advancing: false,
            drained: Vec::new(),
            counts,
            lifeline,
        }
    }

    fn advance(&mut self, ctx: &mut Context<Self>) {
        if let Some(delay) = self.topics.advance(Instant::now())
            && !self.is_advancing
        {
            self.is_advancing = true;
            ctx.notify_later(Advance, delay);
        }
    }

    fn report_if_drained(&mut self) {
        if self.topics.is_draining() && self.topics.count() == 0 {
            for done in self.drained.drain(..) {
                // Whoever asked may have given up waiting.
                let _ = done.send(());
            }
        }
    }
}

impl Actor for SseHub {
    type Context = Context<Self>;
}

impl Drop for SseHub {
    /// However the hub ends, by a panic too, its streams end cleanly: some SDKs never come back after a cut.
    fn drop(&mut self) {
        self.topics.end_all();
    }
}

#[derive(Message)]
#[rtype(result = "Result<Admitted, Refusal>")]
struct Subscribe {
    id: EnvironmentId,
}

/// Whether a subscription would be admitted.
#[derive(Message)]
#[rtype(result = "Result<(), Refusal>")]
struct Admits {
    id: EnvironmentId,
}

#[derive(Message)]
#[rtype(result = "()")]
struct Unsubscribe {
    id: EnvironmentId,
    key: SubscriberKey,
}

#[derive(Message)]
#[rtype(result = "HubCounts")]
struct Counts;

#[derive(Message)]
#[rtype(result = "()")]
struct Drain {
    window: Duration,
    done: oneshot::Sender<()>,
}

/// Admits and tells by other options from now on.
#[derive(Message)]
#[rtype(result = "()")]
struct Reconfigure(HubOptions);

/// An orderly stop.
#[derive(Message)]
#[rtype(result = "()")]
struct Stop;

/// Tells and ends those who are due.
#[derive(Message)]
#[rtype(result = "()")]
struct Advance;

impl Handler<Subscribe> for SseHub {
    type Result = Result<Admitted, Refusal>;

    fn handle(&mut self, Subscribe { id }: Subscribe, ctx: &mut Context<Self>) -> Self::Result {
        let slot = Arc::new(Slot::default());
        let key = self.topics.subscribe(id, Arc::clone(&slot), Instant::now())?;
        self.counts.opened.add(1);
        let subscription = Subscription::new(slot, ctx.address(), Arc::clone(&self.counts), (id, key));
        Ok(Admitted {
            subscription,
            spread: self.topics.window(id),
        })
    }
}

impl Handler<Admits> for SseHub {
    type Result = Result<(), Refusal>;

    fn handle(&mut self, Admits { id }: Admits, _ctx: &mut Context<Self>) -> Self::Result {
        self.topics.admits(id)
    }
}

impl Handler<Unsubscribe> for SseHub {
    type Result = ();

    fn handle(&mut self, Unsubscribe { id, key }: Unsubscribe, _ctx: &mut Context<Self>) {
        self.topics.unsubscribe(id, key);
        self.report_if_drained();
    }
}

impl Handler<EnvironmentEvent> for SseHub {
    type Result = ();

    fn handle(&mut self, event: EnvironmentEvent, ctx: &mut Context<Self>) {
        let now = Instant::now();
        match event {
            EnvironmentEvent::Added(id) => self.topics.add(id),
            EnvironmentEvent::Updated(id, updated_at) => {
                self.topics.notify(id, updated_at, now, UpdatedAt::now());
            }
            EnvironmentEvent::Restored(id, updated_at) => {
                self.topics.restore(id, updated_at, now, UpdatedAt::now());
            }
            EnvironmentEvent::Removed(id) => self.topics.remove(id, now),
        }
        self.advance(ctx);
    }
}

impl Handler<Counts> for SseHub {
    type Result = MessageResult<Counts>;

    fn handle(&mut self, _: Counts, _ctx: &mut Context<Self>) -> Self::Result {
        MessageResult(HubCounts {
            by_environment: self.topics.counts(),
            is_draining: self.topics.is_draining(),
        })
    }
}

impl Handler<Drain> for SseHub {
    type Result = ();

    fn handle(&mut self, Drain { window, done }: Drain, ctx: &mut Context<Self>) {
        self.topics.drain(window, Instant::now());
        self.drained.push(done);
        self.advance(ctx);
        self.report_if_drained();
    }
}

impl Handler<Reconfigure> for SseHub {
    type Result = ();

    fn handle(&mut self, Reconfigure(options): Reconfigure, ctx: &mut Context<Self>) {
        self.topics.change_options(options, Instant::now());
        self.advance(ctx);
    }
}

impl Handler<Advance> for SseHub {
    type Result = ();

    fn handle(&mut self, _: Advance, ctx: &mut Context<Self>) {
        self.is_advancing = false;
        self.advance(ctx);
    }
}

impl Handler<Stop> for SseHub {
    type Result = ();

    fn handle(&mut self, _: Stop, ctx: &mut Context<Self>) {
        self.lifeline.disarm();
        ctx.stop();
    }
}

#[cfg(feature = "fault-injection")]
impl Handler<crate::fault::Panic> for SseHub {
    type Result = ();

    #[expect(clippy::panic, reason = "fault injection is what this message is for")]
    fn handle(&mut self, _: crate::fault::Panic, _ctx: &mut Context<Self>) {
        panic!("injected into the SseHub");
    }
}

#[cfg(feature = "fault-injection")]
impl Handler<crate::fault::Hold> for SseHub {
    type Result = ();

    fn handle(&mut self, hold: crate::fault::Hold, _ctx: &mut Context<Self>) {
        // It ends with an error, when nobody holds the other end.
        let _ = hold.0.recv();
    }
}

#[cfg(test)]
mod tests;
