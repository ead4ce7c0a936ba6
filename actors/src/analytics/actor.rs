//! The thin shell around the queues: timers, requests to upstream, messages.
use std::fmt;
use std::rc::Rc;
use std::sync::{Arc, PoisonError};
use std::time::Instant;

use actix::prelude::*;
use awc::http::Method;
use awc::http::header::{self, HeaderValue};
use tokio::sync::{Semaphore, oneshot, watch};

use super::batch::{Batch, Version};
use super::entry::Entry;
use super::outcome::Outcome;
use super::queue::Next;
use super::record::Kept;
use super::report::{Losses, Report};
use super::tally::{Taken, Tallies};
use super::{AT_ONCE, AnalyticsCounts, AnalyticsOptions, Left, UnsentStore};
use crate::environment::{ConfiguredEnvironment, EnvironmentHandle};
use crate::keys::{ById, EnvironmentId, EnvironmentKey};
use crate::lifeline::Lifeline;
use crate::upstream::{ForwardFailure, ForwardRequest, Forwarder, UpstreamOptions, asked_wait};

mod disk;
mod following;
mod handlers;
mod over_restarts;

use disk::Disk;
use over_restarts::Keeping;

pub(super) use handlers::{AskTotals, Flush, Stop};

/// Every period varies by this much, so that many proxies do not send in step.
const JITTER: f64 = 0.1;

/// What the actor is made from, on its own thread.
pub(super) struct Parts {
    pub(super) options: AnalyticsOptions,
    pub(super) upstream: UpstreamOptions,
    pub(super) environments: EnvironmentHandle,
    pub(super) configured: watch::Receiver<Arc<[ConfiguredEnvironment]>>,
    /// What was configured when workers could begin to count: the thread may come later than a new configuration.
    pub(super) at_start: Arc<[ConfiguredEnvironment]>,
    pub(super) tallies: Arc<Tallies>,
    pub(super) store: Option<Box<dyn UnsentStore>>,
    pub(super) counts: Arc<AnalyticsCounts>,
    pub(super) left: Left,
    pub(super) lifeline: Lifeline,
}

/// Merges what the workers count, and sends it on.
pub(super) struct AnalyticsActor {
    options: AnalyticsOptions,
    environments: EnvironmentHandle,
    configured: watch::Receiver<Arc<[ConfiguredEnvironment]>>,
    tallies: Arc<Tallies>,
    forwarder: Result<Forwarder, ForwardFailure>,
    /// One permit for each call that may be under way.
    calls: Rc<Semaphore>,
    /// Whether `api_url` names no version that another could stand beside.
    folds: bool,
    entries: ById<Entry>,
    /// Who keeps what is unsent.
    disk: Option<Disk>,
    /// What a process before has left, as far as its environments are not configured.
    kept: Kept,
    keeping: Keeping,
    counts: Arc<AnalyticsCounts>,
    /// What it leaves when it ends.
    left: Left,
    /// For what belongs to no environment.
    report: Report,
    /// Told when a flush has nothing more to wait for.
    flushed: Vec<oneshot::Sender<()>>,
    lifeline: Lifeline,
}

impl AnalyticsActor {
    pub(super) fn new(parts: Parts) -> Self {
        let mut actor = Self {
            folds: has_one_version(&parts.upstream),
            forwarder: Forwarder::new(&parts.upstream, parts.options.timeout),
            configured: parts.configured,
            options: parts.options,
            environments: parts.environments,
            tallies: parts.tallies,
            calls: Rc::new(Semaphore::new(AT_ONCE)),
            entries: ById::default(),
            disk: parts.store.map(Disk::new),
            kept: Kept::default(),
            keeping: Keeping::default(),
            counts: parts.counts,
            left: parts.left,
            report: Report::default(),
            flushed: Vec::new(),
            lifeline: parts.lifeline,
        };
        actor.follow(&parts.at_start);
        actor
    }

    /// Takes what the workers have counted, and sends what can be sent.
    fn collect(&mut self, ctx: &mut Context<Self>) {
        // Its queues are gone; what comes now stays with the workers' tallies.
        if self.left().is_some() {
            return;
        }
        self.follow_newest();
        self.take_over(ctx);
        for taken in self.tallies.take() {
            self.merge(taken);
        }
        self.entries.values_mut().for_each(Entry::looked);
        self.keep_known();
        self.keep_unsent(self.options.period / 2, ctx);
        let ids: Vec<_> = self.entries.keys().copied().collect();
        for id in ids {
            self.advance(id, ctx);
        }
        self.tell_losses();
        self.tell_flushed();
    }

    /// What it has left unsent, once a stop has handed that over.
    fn left(&self) -> Option<u64> {
        *self.left.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn merge(&mut self, taken: Taken) {
        self.lose(Losses {
            no_room: taken.lost,
            ..Losses::default()
        });
        self.counts.unknown.add(taken.unknown);
        for (id, counts) in taken.environments {
            match self.entries.get_mut(&id) {
                Some(entry) => entry.add(counts, self.folds, &self.counts),
                None => self.lose(Losses {
                    removed: counts.sum(),
                    ..Losses::default()
                }),
            }
        }
    }

    /// Notes what was lost outside of any queue.
    fn lose(&mut self, losses: Losses) {
        self.counts.lose(losses);
        self.report.losses("analytics", losses, Instant::now());
    }

    fn tell_losses(&mut self) {
        let now = Instant::now();
        for (id, entry) in &mut self.entries {
            let losses = entry.take_losses();
            self.counts.lose(losses);
            entry.report.losses(&label(&self.environments, *id), losses, now);
        }
    }

    /// Does what is to be done next for one environment.
    fn advance(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        if let Some(timer) = entry.timer.take() {
            ctx.cancel_future(timer);
        }
        if entry.is_done() {
            self.remove(id);
            return;
        }
        // Before its first document nobody knows which of the features there are.
        let is_known = entry.is_removed || self.environments.newest().environment(id).is_some();
        let Some(queue) = entry.queue.as_mut().filter(|_| is_known) else {
            return;
        };
        match queue.next(Instant::now()) {
            Next::Nothing => {}
            Next::Wait(until) => {
                let wait = until.saturating_duration_since(Instant::now());
                entry.timer = Some(ctx.run_later(wait, move |actor, ctx| {
                    actor.advance(id, ctx);
                    actor.tell_flushed();
                }));
            }
            Next::Send => self.send(id, ctx),
        }
    }

    fn send(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        let entry = self.entries.get(&id);
        let Some((key, batch)) = entry.and_then(|entry| {
            let batch = entry.queue.as_ref()?.batch()?;
            Some((&entry.client_side_key, batch))
        }) else {
            return;
        };
        let (request, forwarder) = (request(key, batch), self.forwarder.clone());
        let calls = Rc::clone(&self.calls);
        let sent = async move {
            // An error: the semaphore is closed, which nobody does.
            let _turn = calls.acquire().await;
            let answer = match forwarder {
                Ok(forwarder) => forwarder.status(&request).await,
                Err(failure) => Err(failure),
            };
            match answer {
                Ok(answer) => {
                    let wait = answer.retry_after.and_then(|value| asked_wait(&value, None));
                    Outcome::of_answer(answer.status, wait)
                }
                Err(failure) => Outcome::of_failure(failure),
            }
        };
        ctx.spawn(sent.into_actor(self).map(move |outcome, actor, ctx| {
            actor.ended(id, outcome, ctx);
        }));
    }

    fn ended(&mut self, id: EnvironmentId, outcome: Outcome, ctx: &mut Context<Self>) {
        if let Some(entry) = self.entries.get_mut(&id)
            && let Some(queue) = &mut entry.queue
        {
            let before = queue.forwarded();
            let change = queue.ended(Instant::now(), outcome);
            self.counts.forwarded.add(queue.forwarded() - before);
            if let Some(change) = change {
                let label = label(&self.environments, id);
                entry.report.change(&label, &change, Instant::now());
            }
        }
        self.keep_soon(ctx);
        self.advance(id, ctx);
        self.tell_flushed();
    }

    fn tell_flushed(&mut self) {
        if !self.flushed.is_empty() && !self.entries.values().any(Entry::is_sending) {
            for flushed in self.flushed.drain(..) {
                // Who asked may have given up.
                let _ = flushed.send(());
            }
        }
    }

    /// Collects now and ever again.
    fn collect_again_and_again(&mut self, ctx: &mut Context<Self>) {
        self.collect(ctx);
        let jitter = 1.0 - JITTER + 2.0 * JITTER * fastrand::f64();
        ctx.run_later(self.options.period.mul_f64(jitter), Self::collect_again_and_again);
    }

    /// Collects whenever the tally of a worker is half full.
    fn watch_tallies(&mut self, ctx: &mut Context<Self>) {
        let tallies = Arc::clone(&self.tallies);
        let half_full = async move { tallies.half_full().await };
        ctx.spawn(half_full.into_actor(self).map(|(), actor, ctx| {
            actor.collect(ctx);
            actor.watch_tallies(ctx);
        }));
    }
}

/// Whether `api_url` names no version that another could stand beside.
pub(super) fn has_one_version(upstream: &UpstreamOptions) -> bool {
    !upstream.api_url.ends_with("/v1")
}

/// What logs call an environment.
fn label(environments: &EnvironmentHandle, id: EnvironmentId) -> String {
    match environments.newest().environment(id) {
        Some(served) => format!("environment {id} ({:?})", served.environment.name()),
        None => format!("environment {id}"),
    }
}

fn request(key: &EnvironmentKey, batch: &Batch) -> ForwardRequest {
    let content_type = (header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    ForwardRequest {
        method: Method::POST,
        path: match batch.version() {
            Version::One => "analytics/flags/",
            Version::Two => "../v2/analytics/flags/",
        },
        key: key.clone(),
        headers: std::iter::once(content_type).chain(batch.headers()).collect(),
        body: batch.body(),
        // Whoever counts it twice counts too much.
        is_repeatable: false,
    }
}

impl fmt::Debug for AnalyticsActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnalyticsActor")
            .field("environments", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl Actor for AnalyticsActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.watch_configuration(ctx);
        self.collect_again_and_again(ctx);
        self.watch_tallies(ctx);
    }
}
