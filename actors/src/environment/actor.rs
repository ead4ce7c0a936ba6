//! The thin shell around [`EnvironmentState`]: fetches, timers, messages. Handlers are O(1).
use std::fmt;
use std::sync::Arc;

use actix::prelude::*;
use engine::UpdatedAt;
use tokio::sync::watch;

use super::apply::{Context as ApplyContext, Workshop};
use super::entry::Entry;
use super::events::{Action, FetchEnd, FetchPlan, Moment};
use super::messages::{Refresh, Statuses, Stop};
use super::options::{DocumentSource, EnvironmentOptions, EnvironmentUpdated, PollingOptions};
use super::publisher::{Publisher, release};
use super::registry::Registry;
use super::source::Fetched;
use super::versions::Verdict;
use crate::keys::EnvironmentIndex;
use crate::lifeline::{Lifeline, Lifelines};
use crate::replica::Panic;
use crate::served::ServedEnvironment;
use crate::upstream::{FetchFailure, Upstream};

/// What the actor is made from, on its own thread.
pub(super) struct Parts {
    pub(super) environments: Vec<EnvironmentOptions>,
    pub(super) polling: PollingOptions,
    pub(super) listener: Option<Recipient<EnvironmentUpdated>>,
    pub(super) registry: Arc<Registry>,
    pub(super) acknowledged: watch::Sender<u64>,
    pub(super) lifelines: Lifelines,
}

/// Owns the documents, polls, publishes.
pub(super) struct EnvironmentActor {
    entries: Vec<Entry>,
    publisher: Publisher,
    listener: Option<Recipient<EnvironmentUpdated>>,
    workshop: Workshop,
    lifeline: Lifeline,
}

impl EnvironmentActor {
    /// Makes the awc client, which belongs to this thread, and reads the root certificates where TLS is needed.
    pub(super) fn new(parts: Parts) -> Self {
        let Parts {
            environments,
            polling,
            listener,
            registry,
            acknowledged,
            lifelines,
        } = parts;
        let lifeline = lifelines.guard("EnvironmentActor");
        let is_polling = environments
            .iter()
            .any(|each| matches!(each.source, DocumentSource::Upstream));
        let upstream = if is_polling {
            Upstream::new(&polling.api_url, polling.timeout)
        } else {
            Err(FetchFailure::Unusable)
        };
        let entries = environments.into_iter().enumerate();
        let entries =
            entries.map(|(index, options)| Entry::new(EnvironmentIndex(index), options, &polling, &upstream));
        Self {
            entries: entries.collect(),
            publisher: Publisher::new(registry, acknowledged, lifelines),
            listener,
            workshop: Workshop::new(),
            lifeline,
        }
    }

    /// Does what is to be done next for one environment.
    fn advance(&mut self, index: EnvironmentIndex, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(index.0) else {
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
                entry.timer = Some(ctx.run_later(wait, move |actor, ctx| actor.advance(index, ctx)));
            }
            Action::Fetch(plan) => self.fetch(index, plan, ctx),
            Action::Settle(updated_at) => self.settle(index, updated_at, ctx),
        }
    }

    fn fetch(&mut self, index: EnvironmentIndex, plan: FetchPlan, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get(index.0) else {
            return;
        };
        let context = ApplyContext {
            versions: entry.state.versions(),
            trust: entry.state.trust(),
            served: self.publisher.served(index),
        };
        let fetch = entry.source.clone().fetch(plan, context, self.workshop.clone());
        ctx.spawn(
            fetch
                .into_actor(self)
                .map(move |fetched, actor, ctx| actor.fetched(index, fetched, ctx)),
        );
    }

    fn fetched(&mut self, index: EnvironmentIndex, fetched: Fetched, ctx: &mut Context<Self>) {
        let before = self.publisher.served(index);
        let Some(entry) = self.entries.get_mut(index.0) else {
            return;
        };
        let Fetched {
            source,
            end,
            served,
            warnings,
        } = fetched;
        entry.source = source;
        let is_settled = !matches!(
            end,
            FetchEnd::Document {
                verdict: Verdict::ServeUnsettled(_),
                ..
            }
        );
        let is_compiled = matches!(
            end,
            FetchEnd::Document {
                verdict: Verdict::Serve(_) | Verdict::ServeUnsettled(_),
                ..
            }
        );
        let name = served
            .as_ref()
            .or(before.as_ref())
            .map(|served| served.environment.name().to_owned());
        if is_compiled {
            entry.report.warnings(&warnings, name.as_deref());
        }
        if let Some(change) = entry.state.ended(Moment::now(), end) {
            entry.report.change(&change, name.as_deref());
        }
        if let Some(served) = served {
            entry.report.serves(served.updated_at, name.as_deref());
            self.publish(index, served, is_settled, ctx);
        }
        self.advance(index, ctx);
    }

    /// Upstream's own number did not come in time: serves the content under one of ours.
    fn settle(&mut self, index: EnvironmentIndex, updated_at: UpdatedAt, ctx: &mut Context<Self>) {
        let (served, workshop) = (self.publisher.served(index), self.workshop.clone());
        let restamp = async move {
            match served {
                Some(served) => workshop.restamp(served, updated_at).await.map(Some),
                None => Ok(None),
            }
        };
        ctx.spawn(restamp.into_actor(self).map(move |restamped, actor, ctx| {
            match restamped {
                Ok(Some(served)) => actor.publish(index, served, true, ctx),
                Ok(None) => {}
                Err(failure) => log::error!("environment {}: {failure}", index.0 + 1),
            }
            if let Some(entry) = actor.entries.get_mut(index.0) {
                entry.state.settled();
            }
            actor.advance(index, ctx);
        }));
    }

    /// Serve first, then tell: the listener hears when every replica has acknowledged.
    fn publish(
        &mut self,
        index: EnvironmentIndex,
        served: Arc<ServedEnvironment>,
        is_settled: bool,
        ctx: &mut Context<Self>,
    ) {
        let updated_at = served.updated_at;
        let published = self.publisher.publish(index, served);
        ctx.spawn(published.into_actor(self).map(move |replaced, actor, ctx| {
            if is_settled {
                actor.tell(EnvironmentUpdated { index, updated_at });
            }
            if let Some(replaced) = replaced {
                ctx.spawn(release(replaced, actor.workshop.clone()).into_actor(actor));
            }
        }));
    }

    fn tell(&mut self, update: EnvironmentUpdated) {
        let Some(entry) = self.entries.get_mut(update.index.0) else {
            return;
        };
        if entry.state.published(update.updated_at)
            && let Some(listener) = &self.listener
        {
            // Bounded by design: at most one a fetch, and fetches of one environment never overlap.
            listener.do_send(update);
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
        for index in 0..self.entries.len() {
            self.advance(EnvironmentIndex(index), ctx);
        }
    }

    fn stopped(&mut self, _ctx: &mut Self::Context) {
        // The arbiter is this actor's own.
        Arbiter::current().stop();
    }
}

impl Handler<Refresh> for EnvironmentActor {
    type Result = ();
    fn handle(&mut self, Refresh { index, announced }: Refresh, ctx: &mut Self::Context) {
        if let Some(entry) = self.entries.get_mut(index.0) {
            entry.state.announce(Moment::now(), announced);
            self.advance(index, ctx);
        }
    }
}

impl Handler<Statuses> for EnvironmentActor {
    type Result = MessageResult<Statuses>;
    fn handle(&mut self, _msg: Statuses, _ctx: &mut Self::Context) -> Self::Result {
        let now = Moment::now();
        let entries = self.entries.iter().enumerate();
        MessageResult(
            entries
                .map(|(index, entry)| {
                    entry.status(self.publisher.served(EnvironmentIndex(index)).as_deref(), now)
                })
                .collect(),
        )
    }
}

impl Handler<Stop> for EnvironmentActor {
    type Result = ();
    fn handle(&mut self, _msg: Stop, ctx: &mut Self::Context) {
        self.lifeline.disarm();
        ctx.stop();
    }
}

impl Handler<Panic> for EnvironmentActor {
    type Result = ();
    #[expect(clippy::panic, reason = "fault injection is what this message is for")]
    fn handle(&mut self, _msg: Panic, _ctx: &mut Self::Context) {
        panic!("injected into the EnvironmentActor");
    }
}
