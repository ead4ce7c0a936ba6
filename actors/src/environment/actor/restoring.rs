//! Documents that no fetch gave: those that were stored before the start, and fallbacks; and having the store keep those that
//! one did.
use std::time::{Duration, Instant};

use actix::prelude::*;
use engine::UpdatedAt;

use super::follow::cancel;
use super::{EnvironmentActor, News};
use crate::environment::entry::Origin;
use crate::environment::loading::{Loaded, Loading, fallback_problem, read_fallback};
use crate::keys::EnvironmentId;
use crate::store::Stored;
use crate::upstream::FetchFailure;

/// The first fetch waits for what is stored at most so long: a disk may hang. What comes later is served where upstream has given
/// nothing by then.
const RESTORE_PATIENCE: Duration = Duration::from_secs(1);

/// The fallback waits for the first answer at most so long, so that it is not served for the moment that an ordinary fetch
/// takes.
const FALLBACK_PATIENCE: Duration = Duration::from_secs(1);

impl EnvironmentActor {
    /// Has an environment served that was just added: what is stored first, then whatever its source gives.
    pub(super) fn begin(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let (Some(store), Some(environment)) = (&self.store, entry.stored_as()) else {
            self.fetch_first(id, ctx);
            return;
        };
        entry.is_restoring = true;
        let (store, label, generation) = (store.clone(), entry.report.label(None), entry.generation);
        let stored = async move { store.restore(environment, label).await };
        ctx.spawn(stored.into_actor(self).map(move |stored, actor, ctx| {
            if actor.is_at(id, generation) {
                actor.load_stored(id, generation, stored, ctx);
            }
        }));
        ctx.run_later(RESTORE_PATIENCE, move |actor, ctx| {
            if actor.is_at(id, generation) {
                actor.restoring_is_over(id, ctx);
            }
        });
    }

    /// Whether an environment is still there and was not reconfigured or assigned another document.
    fn is_at(&self, id: EnvironmentId, generation: u64) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.generation == generation)
    }

    fn load_stored(
        &mut self,
        id: EnvironmentId,
        generation: u64,
        stored: Option<Stored>,
        ctx: &mut Context<Self>,
    ) {
        let Some((entry, stored)) = self.entries.get(&id).zip(stored) else {
            self.restoring_is_over(id, ctx);
            return;
        };
        let loading = Loading::Stored {
            is_of_this_source: entry.is_of_its_source(&stored),
            stored: stored.clone(),
        };
        let workshop = self.workshop.clone();
        let loaded = async move { workshop.load(loading).await };
        ctx.spawn(loaded.into_actor(self).map(move |loaded, actor, ctx| {
            if actor.is_at(id, generation) {
                actor.restored(id, &stored, loaded, ctx);
            }
        }));
    }

    fn restored(
        &mut self,
        id: EnvironmentId,
        stored: &Stored,
        loaded: Result<Loaded, FetchFailure>,
        ctx: &mut Context<Self>,
    ) {
        // The source may have been quicker than the disk.
        if self.publisher.served(id).is_none() {
            match loaded {
                Ok(loaded) if self.is_of_another(id, stored, &loaded) => {
                    if let Some(entry) = self.entries.get(&id) {
                        entry.report.restores_none_of_another();
                    }
                }
                Ok(loaded) => {
                    let is_told = stored.told >= Some(stored.served);
                    let news = match (stored.is_unsettled, is_told) {
                        (true, _) => News::Untold,
                        (false, true) => News::Told,
                        (false, false) => News::Change,
                    };
                    self.assign(id, loaded, Origin::Stored, stored.told, ctx, news);
                    if let Some(entry) = self.entries.get_mut(&id) {
                        entry.restored(stored);
                    }
                }
                Err(failure) => {
                    if let Some(entry) = self.entries.get(&id) {
                        entry.report.cannot_restore(&failure);
                    }
                }
            }
        }
        self.restoring_is_over(id, ctx);
    }

    /// Whether a stored document is known to be another environment's: it was fetched with other keys or from elsewhere, before a
    /// mistake in the pair was mended, and names another client-side key. What these keys themselves gave is theirs to answer for.
    fn is_of_another(&self, id: EnvironmentId, stored: &Stored, loaded: &Loaded) -> bool {
        let is_of_this_source = self
            .entries
            .get(&id)
            .is_some_and(|entry| entry.is_of_its_source(stored));
        let named = loaded.served.environment.client_side_key();
        !is_of_this_source && self.configuration.foreign(id, named).is_some()
    }

    fn restoring_is_over(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        if let Some(entry) = self.entries.get_mut(&id)
            && std::mem::take(&mut entry.is_restoring)
        {
            self.fetch_first(id, ctx);
        }
    }

    /// Begins to fetch. The fallback is served where nothing has come in time.
    fn fetch_first(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        self.advance(id, ctx);
        if self.publisher.served(id).is_none() {
            ctx.run_later(FALLBACK_PATIENCE, move |actor, ctx| actor.fall_back(id, ctx));
        }
    }

    /// Reads the fallback document of an environment that has nothing to serve.
    pub(super) fn fall_back(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        let fallback = self
            .configuration
            .options(id)
            .and_then(|options| options.fallback.clone());
        let (Some(path), Some(entry)) = (fallback, self.entries.get_mut(&id)) else {
            return;
        };
        if entry.is_falling_back || self.publisher.served(id).is_some() {
            return;
        }
        entry.is_falling_back = true;
        let (workshop, generation) = (self.workshop.clone(), entry.generation);
        let loaded = async move {
            let file = path.clone();
            let read = workshop.look(&path, move || read_fallback(&file)).await;
            let document = read.unwrap_or(Err(FetchFailure::Apply))?;
            workshop.load(Loading::Fallback(document)).await
        };
        ctx.spawn(loaded.into_actor(self).map(move |loaded, actor, ctx| {
            if actor.is_at(id, generation) {
                actor.fell_back(id, loaded, ctx);
            }
        }));
    }

    fn fell_back(
        &mut self,
        id: EnvironmentId,
        loaded: Result<Loaded, FetchFailure>,
        ctx: &mut Context<Self>,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.is_falling_back = false;
        match loaded {
            Ok(loaded) if self.publisher.served(id).is_none() => {
                self.assign(id, loaded, Origin::Fallback, None, ctx, News::Change);
            }
            Ok(_) => {}
            Err(failure) => {
                let problem = Some(fallback_problem(failure));
                if entry.fallback_problem != problem {
                    entry
                        .report
                        .cannot_fall_back(problem.as_deref().unwrap_or_default());
                    entry.fallback_problem = problem;
                }
            }
        }
    }

    /// Serves what no fetch gave. One that is under way begins anew.
    fn assign(
        &mut self,
        id: EnvironmentId,
        loaded: Loaded,
        origin: Origin,
        told: Option<UpdatedAt>,
        ctx: &mut Context<Self>,
        news: News,
    ) {
        let Loaded {
            versions,
            served,
            warnings,
        } = loaded;
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        cancel(entry.interrupt(), ctx);
        entry.state.restore(Instant::now(), versions, told);
        entry.origin = origin;
        let name = served.environment.name();
        entry.report.warnings(&warnings, Some(name));
        entry.report.falls_back_on(origin, served.updated_at, name);
        self.tell_whose_it_is(id, &served);
        self.publish(id, served, news, ctx);
        self.fetch_first(id, ctx);
    }

    /// Has the store keep what is served, where that is news to it.
    pub(super) fn keep(&mut self, id: EnvironmentId) {
        let (Some(store), Some(served)) = (&self.store, self.publisher.served(id)) else {
            return;
        };
        if let Some(entry) = self.entries.get_mut(&id)
            && let Some(stored) = entry.news_for_store(&served)
        {
            store.keep(stored, entry.report.label(Some(served.environment.name())));
        }
    }
}
