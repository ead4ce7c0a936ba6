//! The actor: takes what workers left, and calls upstream in its turn.
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;

use actix::prelude::*;
use awc::http::Method;
use awc::http::header::{CONTENT_TYPE, HeaderValue};
use engine::KeyKind;
use foldhash::quality::RandomState;
use tokio::sync::watch;

use super::batch::{Batch, Entry, Trait};
use super::losses::{Losses, Why};
use super::pace::{Pace, PaceOptions};
use super::pending::{BatchLimits, End, Pending};
use super::seen::{Content, Seen};
use super::sighting::Target;
use super::{Shared, WriteThroughOptions};
use crate::environment::{ConfiguredEnvironment, DocumentSource};
use crate::keys::{ById, EnvironmentId, EnvironmentKey};
use crate::lifeline::Lifeline;
use crate::upstream::{ForwardAnswer, ForwardFailure, ForwardRequest, Forwarder, Standing, UpstreamOptions};

mod outcome;
mod stop;

pub(super) use stop::Stop;

/// Bytes of one call's identities, after which no further one is added: a quarter of what servers take by default.
const BATCH_BYTES: usize = 256 * 1024;

/// What a call gave.
type Outcome = Result<ForwardAnswer, ForwardFailure>;

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
    /// Which traits upstream has, and which identities.
    written: Seen,
    pace: Pace,
    /// Until when `bulk-identities/` is not tried.
    without_bulk_until: Option<Instant>,
    /// Targets whose keys upstream rejects: until when they are left alone, and what it answered.
    rejected: HashMap<Target, (Instant, Why), RandomState>,
    /// Which of each environment's server-side keys is used, where it is not the first.
    server_side_keys: ById<usize>,
    standing: Standing,
    losses: Losses,
    lifeline: Lifeline,
}

/// A batch under way.
struct Call {
    batch: Batch,
    is_bulk: bool,
    /// Which of the environment's server-side keys was in use when it began.
    place: usize,
}

impl WriteThrough {
    pub(super) fn new(
        shared: Arc<Shared>,
        options: WriteThroughOptions,
        upstream: UpstreamOptions,
        configured: watch::Receiver<Arc<[ConfiguredEnvironment]>>,
        lifeline: Lifeline,
    ) -> Self {
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
            written: Seen::new(options.remembered),
            pace: Pace::new(pace, Instant::now()),
            without_bulk_until: None,
            rejected: HashMap::default(),
            server_side_keys: ById::default(),
            standing: Standing::default(),
            losses: Losses::default(),
            options,
            lifeline,
        }
    }

    /// Looks at what the workers left, and at what may be written.
    fn look(&mut self, ctx: &mut Context<Self>) {
        self.take_in();
        self.begin_calls(ctx);
        self.close_and_open();
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
    }

    fn begin_calls(&mut self, ctx: &mut Context<Self>) {
        while self.has_work() && self.pace.begin(Instant::now()) {
            match self.next_call() {
                Some(call) => self.begin(call, ctx),
                None => {
                    self.pace.answered();
                    break;
                }
            }
        }
    }

    fn has_work(&self) -> bool {
        !self.halves.is_empty() || self.pending.len() > 0
    }

    fn next_call(&mut self) -> Option<Call> {
        let is_bulk = self
            .without_bulk_until
            .is_none_or(|until| Instant::now() >= until);
        while let Some(batch) = self.halves.pop_front() {
            if is_bulk || batch.len() == 1 {
                return Some(self.call(batch, is_bulk));
            }
            self.pending.put_back(batch, End::Front);
        }
        let limits = BatchLimits {
            identities: if is_bulk { self.options.batch_identities } else { 1 },
            bytes: BATCH_BYTES,
        };
        let (written, hashes) = (&self.written, &self.shared.hashes);
        let batch = self
            .pending
            .next_batch(limits, |entry| leave_news(entry, written, hashes));
        batch.map(|batch| self.call(batch, is_bulk))
    }

    fn call(&self, batch: Batch, is_bulk: bool) -> Call {
        let place = self.place(batch.target.environment);
        Call {
            batch,
            is_bulk,
            place,
        }
    }

    /// Which of an environment's server-side keys is in use.
    fn place(&self, environment: EnvironmentId) -> usize {
        self.server_side_keys.get(&environment).copied().unwrap_or(0)
    }

    fn begin(&mut self, call: Call, ctx: &mut Context<Self>) {
        let sent = self.sent(&call);
        let calling = async move {
            let outcome = sent.await;
            (call, outcome)
        };
        // At most as many as may be under way.
        ctx.spawn(calling.into_actor(self).map(|(call, outcome), this, ctx| {
            if this.settle(call, outcome) {
                this.begin_calls(ctx);
            }
        }));
    }

    /// The call of a batch, which does nothing before it is awaited.
    fn sent(&mut self, call: &Call) -> impl Future<Output = Outcome> + use<> {
        let (upstream, call_timeout) = (&self.upstream, self.options.call_timeout);
        let forwarder = self
            .forwarder
            .get_or_insert_with(|| Forwarder::new(upstream, call_timeout))
            .clone();
        let key = self.key(call.batch.target);
        let (path, body) = if call.is_bulk {
            ("bulk-identities/", call.batch.bulk_body())
        } else {
            ("identities/", call.batch.single_body())
        };
        async move {
            let request = ForwardRequest {
                method: Method::POST,
                path,
                key: key.ok_or(ForwardFailure::UnusableKey)?,
                headers: vec![(CONTENT_TYPE, HeaderValue::from_static("application/json"))],
                body,
                is_repeatable: true,
            };
            forwarder?.status(&request).await
        }
    }

    /// The key to write a target with; `None`: the environment is gone.
    fn key(&self, target: Target) -> Option<EnvironmentKey> {
        let configured = self.configured.borrow();
        let mut environments = configured.iter();
        let options = &environments
            .find(|environment| environment.id == target.environment)?
            .options;
        if target.kind == KeyKind::Client {
            return Some(options.client_side_key.clone());
        }
        let place = self
            .place(target.environment)
            .checked_rem(options.server_side_keys.len())?;
        options.server_side_keys.get(place).cloned()
    }
}

/// Takes off the traits that upstream has, and tells whether anything is left to be written.
fn leave_news(entry: &mut Entry, written: &Seen, hashes: &RandomState) -> bool {
    let subject = entry.subject;
    entry.retain(|sent| {
        let (place, content) = of_trait(hashes, subject, sent);
        !written.holds(place, content)
    });
    !entry.traits().is_empty() || !written.holds(subject, Content::PRESENCE)
}

/// A trait's place among those that are written, and its value in short.
fn of_trait(hashes: &RandomState, subject: u64, sent: &Trait) -> (u64, Content) {
    let place = hashes.hash_one((subject, &sent.key));
    (place, Content::of(hashes.hash_one(&sent.value)))
}

impl Actor for WriteThrough {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Context<Self>) {
        ctx.run_later(self.options.period, Self::look);
    }
}
