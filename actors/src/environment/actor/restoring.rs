//! Documents that no fetch gave: those that were stored before the start, and fallbacks; and having the store keep those that
//! one did.
use std::path::Path;
use std::time::Instant;

use actix::prelude::*;
use engine::UpdatedAt;

use super::follow::cancel;
use super::{EnvironmentActor, News};
use crate::environment::entry::Origin;
use crate::environment::events::Moment;
use crate::environment::loading::{Loaded, Loading, fallback_problem, read_fallback};
use crate::environment::state::Known;
use crate::environment::status::ChangeSource;
use crate::environment::versions::Record;
use crate::keys::EnvironmentId;
use crate::store::Stored;
use crate::upstream::FetchFailure;

impl EnvironmentActor {
    /// Has an environment served that was just added: what is stored first, then whatever its source gives.
    pub(super) fn begin(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        if !self.restore(id, ctx) {
            self.fetch_first(id, ctx);
            return;
        }
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.is_restoring = true;
        let generation = entry.generation;
        ctx.run_later(self.patience.stored, move |actor, ctx| {
            if actor.is_at(id, generation) {
                actor.restoring_is_over(id, ctx);
            }
        });
    }

    /// Asks for what is stored of an environment; whether anything can be.
    pub(super) fn restore(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) -> bool {
        let Some(entry) = self.entries.get_mut(&id) else {
            return false;
        };
        let (Some(store), Some(environment)) = (&self.store, entry.stored_as()) else {
            return false;
        };
        entry.awaits_stored = Some(Instant::now());
        let (store, label, sources) = (store.clone(), entry.report.label(None), entry.sources);
        let stored = async move { store.restore(environment, label).await };
        ctx.spawn(stored.into_actor(self).map(move |stored, actor, ctx| {
            if actor.is_of(id, sources) {
                actor.load_stored(id, stored, false, ctx);
            }
        }));
        true
    }

    /// Whether an environment is still there and was not reconfigured or assigned another document.
    fn is_at(&self, id: EnvironmentId, generation: u64) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.generation == generation)
    }

    /// Whether an environment is still there and was not reconfigured.
    fn is_of(&self, id: EnvironmentId, sources: u64) -> bool {
        self.entries
            .get(&id)
            .is_some_and(|entry| entry.sources == sources)
    }

    /// `is_raised`: its number is not the stored one.
    pub(super) fn load_stored(
        &mut self,
        id: EnvironmentId,
        stored: Option<Stored>,
        is_raised: bool,
        ctx: &mut Context<Self>,
    ) {
        let Some((entry, stored)) = self.entries.get(&id).zip(stored) else {
            self.nothing_is_restored(id, ctx);
            return;
        };
        let (sources, loading) = (
            entry.sources,
            Loading::Stored {
                is_of_this_source: entry.is_of_its_source(&stored),
                stored: stored.clone(),
            },
        );
        let workshop = self.workshop.clone();
        let loaded = async move { workshop.load(loading).await };
        ctx.spawn(loaded.into_actor(self).map(move |loaded, actor, ctx| {
            if actor.is_of(id, sources) {
                actor.restored(id, (stored, is_raised), loaded, ctx);
            }
        }));
    }

    fn restored(
        &mut self,
        id: EnvironmentId,
        (mut stored, is_raised): (Stored, bool),
        loaded: Result<Loaded, FetchFailure>,
        ctx: &mut Context<Self>,
    ) {
        let loaded = self.usable(id, &stored, loaded, ctx);
        let content = loaded.as_ref().and_then(|loaded| loaded.versions.record());
        let content = content.map(|record| record.content);
        let served = self.publisher.served(id);
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let known = Known {
            content,
            served: stored.served,
            upstream: stored.upstream.filter(|_| entry.is_of_its_source(&stored)),
            told: stored.told,
        };
        let gives_way =
            served.is_none() || entry.origin == Origin::Fallback || entry.state.is_overtaken_by(&known);
        let Some(loaded) = loaded else {
            self.know(id, known, ctx);
            return;
        };
        if !gives_way {
            // The source was quicker than the disk.
            self.release([loaded.served], ctx);
            self.know(id, known, ctx);
            return;
        }
        if let Some(served) = served.filter(|served| served.updated_at >= stored.served) {
            // The number never falls.
            stored.served = Moment::now().updated_at().max(served.updated_at.next());
            self.load_stored(id, Some(stored), true, ctx);
            return;
        }
        let news = match stored.is_unsettled {
            true => News::Untold,
            false => News::Change,
        };
        // What subscribers of this process were not told they do not know.
        let told = entry.state.told().or(stored.told);
        self.assign(id, loaded, Origin::Stored, told, ctx, news);
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.awaits_stored = None;
            if !is_raised {
                entry.restored(&stored);
            }
        }
    }

    /// What was loaded of a stored document, where it may be served; else the operator hears of it.
    fn usable(
        &mut self,
        id: EnvironmentId,
        stored: &Stored,
        loaded: Result<Loaded, FetchFailure>,
        ctx: &mut Context<Self>,
    ) -> Option<Loaded> {
        let is_of_another = loaded
            .as_ref()
            .is_ok_and(|loaded| self.is_of_another(id, stored, loaded));
        let entry = self.entries.get_mut(&id)?;
        match loaded {
            Ok(loaded) if is_of_another => {
                entry.is_stored_useless = true;
                entry.report.restores_none_of_another();
                self.release([loaded.served], ctx);
                None
            }
            Ok(loaded) => Some(loaded),
            Err(failure) => {
                entry.is_stored_useless = true;
                entry.report.cannot_restore(&failure);
                None
            }
        }
    }

    /// Goes on without what is stored.
    pub(super) fn nothing_is_restored(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.awaits_stored = None;
        if entry.is_restoring {
            self.restoring_is_over(id, ctx);
        } else if self.publisher.served(id).is_none() {
            self.look_at_fallback(id, ctx);
        } else {
            self.tell_untold(id);
            self.keep(id);
        }
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

    /// Begins to fetch. The fallback is served where nothing has come in time, and looked at in any case.
    fn fetch_first(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        self.advance(id, ctx);
        ctx.run_later(self.patience.answer, move |actor, ctx| {
            actor.look_at_fallback(id, ctx);
        });
    }

    /// Looks, where a fetch has failed, for what an environment can serve that has nothing, or its fallback: something may be stored
    /// that was not there before, as on a volume that is mounted late.
    pub(super) fn fall_back(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        let is_served = self.publisher.served(id).is_some();
        let Some(entry) = self.entries.get(&id) else {
            return;
        };
        if is_served && entry.origin != Origin::Fallback {
            return;
        }
        let may_ask = entry.awaits_stored.is_none() && !entry.is_stored_useless;
        let asks = may_ask && self.restore(id, ctx);
        if !asks && !is_served {
            self.look_at_fallback(id, ctx);
        }
    }

    /// Reads an environment's fallback document: serves it where nothing better is served, and tells where it cannot be used,
    /// which is better known before an outage.
    pub(super) fn look_at_fallback(&mut self, id: EnvironmentId, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let Some(path) = self
            .configuration
            .options(id)
            .and_then(|options| options.fallback.clone())
        else {
            entry.fallback_problem = None;
            return;
        };
        if entry.is_falling_back {
            return;
        }
        entry.is_falling_back = true;
        let (workshop, generation) = (self.workshop.clone(), entry.generation);
        let (loading, served) = (path.clone(), entry.state.record().map(|record| record.served));
        let loaded = async move {
            let file = loading.clone();
            let read = workshop.look(&loading, move || read_fallback(&file)).await;
            let document = read.unwrap_or(Err(FetchFailure::Apply))?;
            workshop.load(Loading::Fallback { document, served }).await
        };
        ctx.spawn(loaded.into_actor(self).map(move |loaded, actor, ctx| {
            if actor.is_at(id, generation) {
                actor.fell_back(id, &path, loaded, ctx);
            }
        }));
    }

    fn fell_back(
        &mut self,
        id: EnvironmentId,
        path: &Path,
        loaded: Result<Loaded, FetchFailure>,
        ctx: &mut Context<Self>,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.is_falling_back = false;
        let options = self.configuration.options(id);
        if options.is_some_and(|options| options.fallback.as_deref() != Some(path)) {
            // Another one was configured meanwhile.
            self.look_at_fallback(id, ctx);
            return;
        }
        let content = |record: Option<Record<_>>| record.map(|record| record.content);
        let (is_served, told) = (self.publisher.served(id).is_some(), entry.state.told());
        match loaded {
            Ok(loaded) => {
                let is_another = content(loaded.versions.record()) != content(entry.state.record());
                if entry.fallback_problem.take().is_some() {
                    entry.report.can_fall_back();
                }
                // It is newer.
                if !is_served && entry.patience_for_stored().is_some() {
                    return;
                }
                if !is_served || entry.origin == Origin::Fallback && is_another {
                    self.assign(id, loaded, Origin::Fallback, told, ctx, News::Change);
                }
            }
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
        let source = match origin {
            Origin::Fallback => ChangeSource::Seed,
            _ => ChangeSource::Store,
        };
        entry.history.loaded(Moment::now(), source);
        let name = served.environment.name();
        entry.report.warnings(&warnings, Some(name));
        entry.report.falls_back_on(origin, served.updated_at, name);
        self.tell_whose_it_is(id, &served);
        self.publish(id, served, news, ctx);
        if origin == Origin::Fallback {
            self.advance(id, ctx);
        } else {
            self.fetch_first(id, ctx);
        }
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
