//! The actor: takes what workers left, and calls upstream in its turn.
use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasher as _;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use actix::prelude::*;
use awc::http::Method;
use awc::http::header::{CONTENT_TYPE, HeaderValue};
use engine::KeyKind;
use foldhash::quality::RandomState;
use futures::StreamExt as _;
use futures::stream;
use tokio::sync::watch;
use tokio::time::timeout;

use super::batch::{Batch, Entry, Trait};
use super::losses::{Losses, Why};
use super::pace::{Pace, PaceOptions};
use super::pending::{BatchLimits, Pending};
use super::seen::{Content, Seen};
use super::sighting::Target;
use super::verdict::Verdict;
use super::{Shared, WriteThroughOptions};
use crate::environment::{ConfiguredEnvironment, DocumentSource};
use crate::keys::{ById, EnvironmentKey};
use crate::lifeline::Lifeline;
use crate::upstream::{
    ForwardAnswer, ForwardFailure, ForwardRequest, Forwarder, News, Standing, UpstreamOptions,
};

/// Bytes of one call's identities, after which no further one is added: a quarter of what servers take by default.
const BATCH_BYTES: usize = 256 * 1024;

/// How long a target whose key upstream rejects is left alone, as the poller leaves it.
const REJECTED_PAUSE: Duration = Duration::from_secs(60);

/// The calls of a stop, at most: no upstream takes more of them in its time, and each has its body ready.
const LAST_CALLS: usize = 256;

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
    /// Until when targets are left alone.
    paused: HashMap<Target, Instant, RandomState>,
    /// How many server-side keys of each environment upstream has rejected in turn.
    rejected_keys: ById<usize>,
    standing: Standing,
    losses: Losses,
    lifeline: Lifeline,
}

/// A batch under way.
struct Call {
    batch: Batch,
    is_bulk: bool,
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
            paused: HashMap::default(),
            rejected_keys: ById::default(),
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
        self.shared
            .is_full
            .store(self.pending.is_full(), Ordering::Relaxed);
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

    /// Takes what the workers left. Environments from files have nowhere to write to.
    fn take_in(&mut self) {
        let turned_away = self.shared.turned_away.swap(0, Ordering::Relaxed);
        self.losses.add(turned_away, Why::NoRoom);
        let configured = self.configured.borrow().clone();
        let has_upstream: ById<()> = configured
            .iter()
            .filter(|environment| environment.options.source == DocumentSource::Upstream)
            .map(|environment| (environment.id, ()))
            .collect();
        for sighting in self.shared.intake.drain() {
            if has_upstream.contains_key(&sighting.target.environment) && !self.pending.add(&sighting) {
                self.shared.seen.forget(sighting.subject, sighting.content);
                self.losses.add(1, Why::NoRoom);
            }
        }
        for target in self.pending.targets() {
            if !has_upstream.contains_key(&target.environment) {
                self.pending.drop_target(target);
            }
        }
        self.rejected_keys.retain(|id, _| has_upstream.contains_key(id));
        let now = Instant::now();
        self.paused.retain(|_, until| *until > now);
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
                return Some(Call { batch, is_bulk });
            }
            self.pending.put_back(batch);
        }
        let limits = BatchLimits {
            identities: if is_bulk { self.options.batch_identities } else { 1 },
            bytes: BATCH_BYTES,
        };
        let (paused, written, hashes) = (&self.paused, &self.written, &self.shared.hashes);
        let batch = self.pending.next_batch(
            limits,
            |target| !paused.contains_key(&target),
            |entry| leave_news(entry, written, hashes),
        );
        batch.map(|batch| Call { batch, is_bulk })
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
            forwarder?.forward(&request).await
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
        let rejected = self.rejected_keys.get(&target.environment).copied();
        let place = rejected
            .unwrap_or(0)
            .checked_rem(options.server_side_keys.len())?;
        options.server_side_keys.get(place).cloned()
    }

    /// Makes of an outcome what it means; whether further calls may begin at once.
    fn settle(&mut self, call: Call, outcome: Outcome) -> bool {
        let now = Instant::now();
        self.tell(outcome.as_ref().map(|_| ()), now);
        let Call { batch, is_bulk } = call;
        let answer = match outcome {
            Ok(answer) => answer,
            Err(_) => {
                self.pace.failed(None, f64::from(fastrand::f32()), now);
                self.pending.put_back(batch);
                return false;
            }
        };
        match Verdict::of(&answer, is_bulk) {
            Verdict::Later(retry_after) => {
                self.pace.failed(retry_after, f64::from(fastrand::f32()), now);
                self.pending.put_back(batch);
                return false;
            }
            Verdict::Written => self.note_written(&batch),
            Verdict::NoBulk => {
                if self.without_bulk_until.is_none() {
                    log::info!("upstream has no bulk-identities/: identities are written one by one");
                }
                self.without_bulk_until = Some(now + self.options.without_bulk);
                self.pending.put_back(batch);
            }
            Verdict::KeyRejected => {
                let target = batch.target;
                if target.kind == KeyKind::Server {
                    let rejected = self.rejected_keys.entry(target.environment).or_default();
                    *rejected = rejected.wrapping_add(1);
                }
                self.paused.insert(target, now + REJECTED_PAUSE);
                self.lose(batch, Why::KeyRejected(answer.status.as_u16()));
            }
            Verdict::Refused if batch.len() > 1 => self.halves.extend(batch.halves()),
            Verdict::Refused => self.lose(batch, Why::Refused(answer.status.as_u16())),
        }
        self.pace.answered();
        true
    }

    fn note_written(&mut self, batch: &Batch) {
        for entry in batch.entries() {
            self.written.note(entry.subject, Content::PRESENCE);
            for written in entry.traits() {
                let (place, content) = of_trait(&self.shared.hashes, entry.subject, written);
                self.written.note(place, content);
            }
        }
        self.pending.release(batch);
    }

    fn lose(&mut self, batch: Batch, why: Why) {
        self.pending.release(&batch);
        self.losses
            .add(u64::try_from(batch.len()).unwrap_or(u64::MAX), why);
        for entry in batch.into_entries() {
            self.shared.seen.forget(entry.subject, entry.content);
        }
    }

    fn tell(&mut self, outcome: Result<(), &ForwardFailure>, now: Instant) {
        match self.standing.note(outcome, now) {
            Some(News::Fails(failure, _)) => {
                log::warn!("identities do not reach upstream and wait meanwhile: {failure}");
            }
            Some(News::Works) => log::info!("identities reach upstream again"),
            None => {}
        }
    }

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

/// An orderly stop, before which what waits is written as far as the time allows.
#[derive(Debug, Message)]
#[rtype(result = "()")]
pub(super) struct Stop {
    pub(super) patience: Duration,
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
