//! The actor: takes what workers left, and calls upstream in its turn.
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use actix::prelude::*;
use engine::KeyKind;
use foldhash::quality::RandomState;
use tokio::sync::watch;

use super::batch::Batch;
use super::doubts::Doubts;
use super::losses::{Losses, Why};
use super::pace::{Pace, PaceOptions};
use super::pending::Pending;
use super::sighting::Target;
use super::{Shared, WriteThroughOptions};
use crate::environment::{ConfiguredEnvironment, DocumentSource};
use crate::keys::ById;
use crate::lifeline::Lifeline;
use crate::upstream::{ForwardAnswer, ForwardFailure, Forwarder, Reconnect, Standing, UpstreamOptions};

mod call;
mod outcome;
mod refusals;
mod stop;

use call::Call;

pub(super) use stop::Stop;

/// What a call gave.
type Outcome = Result<ForwardAnswer, ForwardFailure>;

/// Places of an environment's server-side keys.
#[derive(Debug, Clone, Copy, Default)]
struct Keys {
    /// Of the one in use.
    place: usize,
    /// Of the one that wrote something last.
    good: usize,
}

/// Writes identities to upstream.
pub(super) struct WriteThrough {
    shared: Arc<Shared>,
    options: WriteThroughOptions,
    upstream: UpstreamOptions,
    /// Made when the first call needs it: it belongs to this thread, and may read files.
    forwarder: Option<Result<Forwarder, ForwardFailure>>,
    configured: watch::Receiver<Arc<[ConfiguredEnvironment]>>,
    pending: Pending,
    /// Parts of batches that upstream refused as a whole.
    halves: VecDeque<Batch>,
    pace: Pace,
    /// Until when `bulk-identities/` is not tried.
    without_bulk_until: Option<Instant>,
    /// Targets whose keys upstream rejects: until when they are left alone, and what it answered.
    rejected: HashMap<Target, (Instant, Why), RandomState>,
    /// Targets of which something was written or refused, and what is known of them.
    doubts: HashMap<Target, Doubts, RandomState>,
    /// Which of each environment's server-side keys is used, where it is not the first.
    server_side_keys: ById<Keys>,
    standing: Standing,
    /// Identities that calls under way are to write.
    under_way: watch::Sender<usize>,
    losses: Losses,
    lifeline: Lifeline,
}

impl WriteThrough {
    pub(super) fn new(
        shared: Arc<Shared>,
        options: WriteThroughOptions,
        upstream: UpstreamOptions,
        configured: watch::Receiver<Arc<[ConfiguredEnvironment]>>,
        lifeline: Lifeline,
    ) -> Self {
        let counts = Arc::clone(&shared.counts);
        let pace = PaceOptions {
            calls_a_second: options.calls_a_second,
            at_once: options.at_once,
            shortest_wait: options.waits.0,
            longest_wait: options.waits.1,
        };
        Self {
            shared,
            upstream,
            forwarder: None,
            configured,
            pending: Pending::new(options.pending_bytes),
            halves: VecDeque::new(),
            pace: Pace::new(pace, Instant::now()),
            without_bulk_until: None,
            rejected: HashMap::default(),
            doubts: HashMap::default(),
            server_side_keys: ById::default(),
            standing: Standing::default(),
            under_way: watch::Sender::new(0),
            losses: Losses::counted(counts),
            options,
            lifeline,
        }
    }

    /// Looks at what the workers left, and at what may be written.
    fn look(&mut self, ctx: &mut Context<Self>) {
        self.take_in();
        self.decide_on_suspects();
        self.begin_calls(ctx);
        self.close_and_open();
        self.shared.waiting.set(self.left());
        if let Some((identities, why)) = self.losses.news(Instant::now()) {
            log::warn!(
                "{identities} times an identity was not written to upstream, and will be when it is seen again: {why}"
            );
        }
        #[cfg(test)]
        self.shared.looks.note(!self.has_work() && self.pace.is_idle());
        // After the work, so that a stall brings no burst.
        ctx.run_later(self.options.period, Self::look);
    }

    /// Closes the environments that have no room and the targets whose keys are rejected: what they would leave would be lost
    /// at the next look.
    fn close_and_open(&mut self) {
        let full = self.pending.full().flat_map(|environment| {
            [KeyKind::Client, KeyKind::Server].map(|kind| (Target { environment, kind }, Why::NoRoom))
        });
        let rejected = self.rejected.iter().map(|(target, (_, why))| (*target, *why));
        for (identities, why) in self.shared.closed.replace(full.chain(rejected)) {
            self.losses.add(identities, why);
        }
    }

    /// Takes what the workers left. Environments from files have nowhere to write to.
    fn take_in(&mut self) {
        let turned_away = self.shared.turned_away.swap(0, Ordering::Relaxed);
        self.losses.add(turned_away, Why::NoRoom);
        let now = Instant::now();
        self.rejected.retain(|_, (until, _)| *until > now);
        let configured = self.configured.borrow().clone();
        let has_upstream: ById<()> = configured
            .iter()
            .filter(|environment| environment.options.source == DocumentSource::Upstream)
            .map(|environment| (environment.id, ()))
            .collect();
        self.pending.share(has_upstream.len());
        self.shared.intake.share(has_upstream.len());
        for sighting in self.shared.intake.drain() {
            if !has_upstream.contains_key(&sighting.target.environment) {
                continue;
            }
            // What waits for a key would take the room of other environments.
            let lost = match self.rejected.get(&sighting.target) {
                Some((_, why)) => Some(*why),
                None => (!self.pending.add(&sighting)).then_some(Why::NoRoom),
            };
            if let Some(why) = lost {
                self.shared.seen.forget(sighting.subject, sighting.content);
                self.losses.add(1, why);
            }
        }
        for target in self.pending.targets() {
            if !has_upstream.contains_key(&target.environment) {
                self.pending.drop_target(target);
            }
        }
        self.server_side_keys
            .retain(|id, _| has_upstream.contains_key(id));
        self.doubts
            .retain(|target, doubts| doubts.len() > 0 || has_upstream.contains_key(&target.environment));
    }

    fn begin_calls(&mut self, ctx: &mut Context<Self>) {
        while self.has_work() && self.pace.begin(Instant::now()) {
            match self.next_call() {
                Some(call) => self.begin(call, ctx),
                None => {
                    self.pace.unused();
                    break;
                }
            }
        }
    }

    fn has_work(&self) -> bool {
        let has_suspects = || self.doubts.values().any(|doubts| doubts.len() > 0);
        !self.halves.is_empty() || self.pending.len() > 0 || has_suspects()
    }

    fn begin(&mut self, call: Call, ctx: &mut Context<Self>) {
        let sent = self.sent(&call);
        self.under_way
            .send_modify(|identities| *identities += call.batch.len());
        let calling = async move {
            let outcome = sent.await;
            (call, outcome)
        };
        // At most as many as may be under way.
        ctx.spawn(calling.into_actor(self).map(|(call, outcome), this, ctx| {
            let ended = call.batch.len();
            if this.settle(call, outcome) {
                this.begin_calls(ctx);
            }
            // Last: a stop waits until none is under way.
            this.under_way.send_modify(|identities| *identities -= ended);
        }));
    }
}

impl Handler<Reconnect> for WriteThrough {
    type Result = ();

    fn handle(&mut self, Reconnect(upstream): Reconnect, _ctx: &mut Context<Self>) {
        self.upstream = upstream;
        self.forwarder = None;
        // What is known of upstream was of the other one.
        self.without_bulk_until = None;
        self.rejected.clear();
    }
}

impl Actor for WriteThrough {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_later(self.options.period, Self::look);
    }
}
