//! The environments as they are configured and served.
use std::sync::Arc;

use actix::prelude::*;

use super::AnalyticsActor;
use crate::analytics::entry::Entry;
use crate::analytics::report::Losses;
use crate::environment::ConfiguredEnvironment;
use crate::keys::EnvironmentId;

impl AnalyticsActor {
    /// Follows each configuration as it comes, not at the next look alone: an environment that comes and goes between two looks
    /// would have no entry, and its counts no key.
    pub(super) fn watch_configuration(&mut self, ctx: &mut Context<Self>) {
        let mut configured = self.configured.clone();
        let changed = async move { configured.changed().await };
        ctx.spawn(changed.into_actor(self).map(|changed, actor, ctx| {
            // An error: nobody configures any more.
            if changed.is_ok() {
                actor.follow_newest();
                actor.watch_configuration(ctx);
            }
        }));
    }

    /// Follows the newest configuration, if it has not yet.
    pub(super) fn follow_newest(&mut self) {
        if self.configured.has_changed().unwrap_or(false) {
            let configured = Arc::clone(&self.configured.borrow_and_update());
            self.follow(&configured);
        }
    }

    /// Follows a configuration: each environment has an entry.
    pub(super) fn follow(&mut self, configured: &[ConfiguredEnvironment]) {
        let bytes = self.options.queue_bytes(configured.len());
        let mut removed = 0_u64;
        for entry in self.entries.values_mut() {
            entry.is_removed = true;
        }
        for environment in configured {
            let random = fastrand::Rng::new();
            if let Some(entry) = self.entries.get_mut(&environment.id) {
                entry.is_removed = false;
                removed = removed.saturating_add(entry.reconfigure(environment, bytes, random));
            } else {
                let entry = Entry::new(environment, bytes, random);
                self.entries.insert(environment.id, entry);
            }
            if let Some(entry) = self.entries.get_mut(&environment.id)
                && let Some(kept) = self.kept.environments.remove(&entry.digest())
            {
                entry.add(kept, self.folds, &self.counts);
            }
        }
        self.lose(Losses {
            removed,
            ..Losses::default()
        });
    }

    /// Takes out what is of features that the environments do not have, as far as their documents are known.
    pub(super) fn keep_known(&mut self) {
        let newest = self.environments.newest();
        for (id, entry) in &mut self.entries {
            if let (Some(queue), Some(served)) = (&mut entry.queue, newest.environment(*id)) {
                let unknown = queue.keep_known(|feature| served.environment.has_feature(feature));
                self.counts.unknown.add(unknown);
            }
        }
    }

    /// Takes out an environment that is configured no longer.
    pub(super) fn remove(&mut self, id: EnvironmentId) {
        if let Some(queue) = self.entries.remove(&id).and_then(|entry| entry.queue) {
            self.lose(Losses {
                removed: queue.into_unsent().sum(),
                ..Losses::default()
            });
        }
    }
}
