//! The thin shell around [`EnvironmentState`](super::state::EnvironmentState): fetches, timers, messages. Handlers are
//! O(1), but for a new configuration.
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use actix::prelude::*;
use engine::UpdatedAt;
use tokio::sync::watch;

use super::apply::{Context as ApplyContext, Workshop};
use super::configuration::Configuration;
use super::counts::DocumentCounts;
use super::entry::{Entry, Origin};
use super::events::{Action, FetchEnd, FetchPlan, Moment};
use super::listeners::Listeners;
use super::options::{ActorOptions, ConfiguredEnvironment, EnvironmentEvent, Patience, PollingOptions};
use super::polls;
use super::publisher::{Publisher, release};
use super::registry::Registry;
use super::source::{Client, Fetched, Source};
use super::versions::Verdict;
use super::worker_watch::WorkerWatch;
use crate::keys::{ById, EnvironmentId};
use crate::lifeline::{Lifeline, Lifelines};
use crate::served::ServedEnvironment;
use crate::store::StoreHandle;
use crate::trace::{SpanKind, Trace, Tracer};
use crate::upstream::FetchFailure;

mod follow;
mod handlers;
mod knowing;
mod restoring;
mod telling;

/// What the actor is made from, on its own thread.
pub(super) struct Parts {
    pub(super) configuration: Configuration,
    pub(super) options: ActorOptions,
    pub(super) listeners: Listeners,
    pub(super) registry: Arc<Registry>,
    pub(super) acknowledged: watch::Sender<u64>,
    pub(super) configured: watch::Sender<Arc<[ConfiguredEnvironment]>>,
    pub(super) counts: Arc<DocumentCounts>,
    pub(super) lifelines: Lifelines,
}

impl Parts {
    /// Tells the listeners of the environments that are there from the start.
    pub(super) fn tell_of_all(&self) {
        for ConfiguredEnvironment { id, .. } in self.configuration.environments() {
            self.listeners.tell(EnvironmentEvent::Added(*id));
        }
    }
}

/// What content that is published means to those who follow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum News {
    /// They are told, unless they were before.
    Change,
    /// They are not told yet: its number will follow.
    Untold,
}

/// Owns the documents, polls, publishes.
pub(super) struct EnvironmentActor {
    configuration: Configuration,
    entries: ById<Entry>,
    polling: PollingOptions,
    client: Client,
    publisher: Publisher,
    watch: WorkerWatch,
    listeners: Listeners,
    configured: watch::Sender<Arc<[ConfiguredEnvironment]>>,
    workshop: Workshop,
    store: Option<StoreHandle>,
    tracer: Option<Tracer>,
    patience: Patience,
    lifeline: Lifeline,
}

impl EnvironmentActor {
    pub(super) fn new(parts: Parts) -> Self {
        let lifeline = parts.lifelines.guard("EnvironmentActor");
        let document_memory = parts.options.upstream.document_memory.clone();
        let mut actor = Self {
            entries: ById::default(),
            client: Client::new(parts.options.upstream, parts.options.polling.timeout),
            polling: parts.options.polling,
            watch: WorkerWatch::new(
                Arc::clone(&parts.registry),
                parts.options.replicas,
                parts.lifelines,
            ),
            publisher: Publisher::new(
                parts.registry,
                parts.acknowledged,
                parts.options.replicas.late_after,
                Arc::clone(&parts.counts),
            ),
            listeners: parts.listeners,
            configured: parts.configured,
            workshop: Workshop::new(document_memory, parts.counts),
            store: parts.options.store,
            tracer: parts.options.tracer,
            patience: parts.options.patience,
            lifeline,
            configuration: parts.configuration,
        };
        let ids: Vec<_> = actor
            .configuration
            .environments()
            .iter()
            .map(|each| each.id)
            .collect();
        ids.into_iter().for_each(|id| actor.add(id));
        actor
    }

    fn add(&mut self, id: EnvironmentId) {
        if let Some(options) = self.configuration.options(id) {
            let entry = Entry::new(id, options, &self.polling, &mut self.client);
            self.entries.insert(id, entry);
        }
    }

    /// Does what is to be done next for one environment.
    fn advance(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id).filter(|entry| !entry.is_restoring) else {
            return;
        };
        if let Some(timer) = entry.timer.take() {
            ctx.cancel_future(timer);
        }
        let now = Moment::now();
        match entry.state.next(now) {
            Action::Busy => {}
            Action::Wait(until) => {
                let wait = until.saturating_duration_since(now.instant);
                entry.timer = Some(ctx.run_later(wait, move |actor, ctx| actor.advance(id, ctx)));
            }
            Action::Fetch(plan) => self.fetch(id, plan, ctx),
            Action::Settle(updated_at) => self.settle(id, updated_at, ctx),
        }
    }

    fn fetch(&mut self, id: EnvironmentId, plan: FetchPlan, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        let context = ApplyContext {
            versions: entry.state.versions(),
            trust: entry.state.trust(),
            served: self.publisher.served(id),
        };
        let fetch = entry.source.clone().fetch(plan, context, self.workshop.clone());
        let poll = polls::begin(self.tracer.as_ref(), &entry.source);
        let fetch = Trace::within(poll.as_ref(), fetch);
        let fetch = async move { (fetch.await, poll) };
        self.work(id, fetch, Self::fetched, ctx);
    }

    /// Runs an environment's work; `end` hears of it unless the environment was removed or reconfigured meanwhile. A
    /// cancelled future may still end, where it was ready already: hence the generation.
    fn work<T: 'static>(
        &mut self,
        id: EnvironmentId,
        work: impl Future<Output = T> + 'static,
        end: impl FnOnce(&mut Self, EnvironmentId, T, &mut Context<Self>) + 'static,
        ctx: &mut Context<Self>,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let generation = entry.generation;
        let ended = work.into_actor(self).map(move |outcome, actor: &mut Self, ctx| {
            let entry = actor.entries.get_mut(&id);
            if let Some(entry) = entry.filter(|entry| entry.generation == generation) {
                entry.work = None;
                end(actor, id, outcome, ctx);
            }
        });
        let handle = ctx.spawn(ended);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.work = Some(handle);
        }
    }

    fn fetched(
        &mut self,
        id: EnvironmentId,
        (fetched, poll): (Fetched, Option<Trace>),
        ctx: &mut Context<Self>,
    ) {
        let _entered = poll.as_ref().map(Trace::enter);
        let before = self.publisher.served(id);
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let Fetched {
            source,
            end,
            served,
            warnings,
        } = fetched;
        entry.source.learn(source);
        let now = Moment::now();
        match &entry.source {
            Source::File(_) => entry.history.looked(now, &end),
            Source::Upstream { .. } => entry.history.fetched(now, &end, entry.state.fetches_for_push()),
        }
        let verdict = match end {
            FetchEnd::Document { verdict, .. } => Some(verdict),
            _ => None,
        };
        let is_compiled = matches!(verdict, Some(Verdict::Serve(_) | Verdict::ServeUnsettled(_)));
        let news = match verdict {
            Some(Verdict::ServeUnsettled(_)) => News::Untold,
            _ => News::Change,
        };
        let is_failure = matches!(end, FetchEnd::Failure(_));
        if verdict.is_some() || matches!(end, FetchEnd::NotModified { .. }) {
            entry.origin = Origin::Source;
        }
        let name = served
            .as_ref()
            .or(before.as_ref())
            .map(|served| served.environment.name().to_owned());
        if let (Some(tracer), Some(poll)) = (&self.tracer, poll) {
            let outcome = || polls::refreshed(id, name.as_deref(), &end);
            tracer.end(poll, SpanKind::Internal, outcome);
        }
        if is_compiled {
            entry.report.warnings(&warnings, name.as_deref());
        }
        if let Some(change) = entry.state.ended(now, end) {
            entry.report.change(&change, name.as_deref());
        }
        if let Some(served) = served {
            entry.report.serves(served.updated_at, name.as_deref());
            self.tell_whose_it_is(id, &served);
            self.publish(id, served, news, ctx);
        } else {
            // Upstream's number may have moved alone, or stands for what another had given.
            self.keep(id);
        }
        // Where a key is rejected, the next one is tried at once.
        let is_failing = self
            .entries
            .get(&id)
            .is_some_and(|entry| entry.state.failure().is_some());
        if is_failure && is_failing {
            self.fall_back(id, ctx);
        }
        self.advance(id, ctx);
    }

    /// Tells the operator where a document is not its key pair's own.
    fn tell_whose_it_is(&mut self, id: EnvironmentId, served: &ServedEnvironment) {
        let foreign = self
            .configuration
            .foreign(id, served.environment.client_side_key());
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.report.belongs(foreign, served.environment.name());
        }
    }

    /// Upstream's own number did not come in time: serves the content under one of ours.
    fn settle(&mut self, id: EnvironmentId, updated_at: UpdatedAt, ctx: &mut Context<Self>) {
        let (served, workshop) = (self.publisher.served(id), self.workshop.clone());
        let restamp = async move {
            match served {
                Some(served) => workshop.restamp(served, updated_at).await.map(Some),
                None => Ok(None),
            }
        };
        self.work(id, restamp, Self::restamped, ctx);
    }

    fn restamped(
        &mut self,
        id: EnvironmentId,
        restamped: Result<Option<Arc<ServedEnvironment>>, FetchFailure>,
        ctx: &mut Context<Self>,
    ) {
        match restamped {
            Ok(Some(served)) => self.publish(id, served, News::Change, ctx),
            Ok(None) => {}
            Err(failure) => log::error!("environment {id}: {failure}"),
        }
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.state.settled();
        }
        self.advance(id, ctx);
    }

    /// Serve first, then tell: the listeners hear when every replica has acknowledged.
    fn publish(
        &mut self,
        id: EnvironmentId,
        served: Arc<ServedEnvironment>,
        news: News,
        ctx: &mut Context<Self>,
    ) {
        let updated_at = served.updated_at;
        let published = self.publisher.publish(id, Arc::clone(&served));
        ctx.spawn(published.into_actor(self).map(move |replaced, actor, ctx| {
            match news {
                News::Change => actor.tell_of_update(id, updated_at, ctx),
                News::Untold => {}
            }
            // Of what was overtaken meanwhile nothing is to be stored; the newer one has its own acknowledgement.
            let is_newest = actor
                .publisher
                .served(id)
                .is_some_and(|newest| Arc::ptr_eq(&newest, &served));
            drop(served);
            if is_newest {
                actor.keep(id);
            }
            actor.release(replaced, ctx);
        }));
    }

    /// Looks at the workers' beats, now and ever again.
    fn watch_workers(&mut self, ctx: &mut Context<Self>) {
        let next = self.watch.look(Instant::now());
        ctx.run_later(next, Self::watch_workers);
    }

    fn release(&self, replaced: impl IntoIterator<Item = Arc<ServedEnvironment>>, ctx: &mut Context<Self>) {
        for replaced in replaced {
            ctx.spawn(release(replaced, self.workshop.clone()).into_actor(self));
        }
    }
}

impl fmt::Debug for EnvironmentActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnvironmentActor")
            .field("environments", &self.entries.len())
            .finish_non_exhaustive()
    }
}

impl Actor for EnvironmentActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        if let Some(store) = &self.store {
            store.follow(ctx.address().recipient(), ctx.address().recipient());
        }
        let ids: Vec<_> = self.entries.keys().copied().collect();
        ids.into_iter().for_each(|id| self.begin(id, ctx));
        self.watch_workers(ctx);
    }
}
