//! Following a new configuration.
use std::collections::HashSet;

use actix::prelude::*;

use super::EnvironmentActor;
use crate::environment::configuration::Changes;
use crate::environment::options::EnvironmentEvent;
use crate::environment::source::Reached;
use crate::keys::EnvironmentId;

impl EnvironmentActor {
    /// Makes the entries that stay as they are configured follow the rules of polling and the way to upstream.
    pub(super) fn adjust(&mut self, changes: &Changes, reached: Reached, ctx: &mut Context<Self>) {
        let others: HashSet<_> = changes.removed.iter().chain(&changes.moved).collect();
        let ids: Vec<_> = self.entries.keys().copied().collect();
        for id in ids.into_iter().filter(|id| !others.contains(id)) {
            if let Some(options) = self.configuration.options(id)
                && let Some(entry) = self.entries.get_mut(&id)
            {
                let upstream = self.client.of(&options.source);
                let is_reached_anew = reached == Reached::Otherwise;
                entry.adjust(options, &self.polling, &upstream, is_reached_anew);
                self.advance(id, ctx);
            }
        }
    }

    /// Makes the entries follow the configuration; gives what was removed.
    pub(super) fn follow(&mut self, changes: Changes, ctx: &mut Context<Self>) -> Vec<EnvironmentId> {
        let Changes {
            added,
            moved,
            removed,
        } = changes;
        for id in &removed {
            let entry = self.entries.remove(id);
            for handle in entry.into_iter().flat_map(|entry| [entry.timer, entry.work]) {
                cancel(handle, ctx);
            }
        }
        // Whatever was wrong with a file may be mended. Those that begin anew look at theirs in time.
        let ids: Vec<_> = self.entries.keys().copied().collect();
        for id in ids {
            self.look_at_fallback(id, ctx);
        }
        for id in moved {
            if let Some(options) = self.configuration.options(id)
                && let Some(entry) = self.entries.get_mut(&id)
            {
                let awaits_stored = entry.awaits_stored.is_some();
                cancel(entry.reconfigure(options, &self.polling, &mut self.client), ctx);
                if self.publisher.served(id).is_none() {
                    self.begin(id, ctx);
                } else {
                    if awaits_stored {
                        // Its numbers hold whatever the source.
                        self.restore(id, ctx);
                    }
                    self.advance(id, ctx);
                    self.look_at_fallback(id, ctx);
                }
            }
        }
        for id in added {
            // Before its keys open it: who asks for its events must find it known.
            self.listeners.tell(EnvironmentEvent::Added(id));
            self.add(id);
            self.begin(id, ctx);
        }
        // A client-side key may have been corrected, this one's or another's.
        let ids: Vec<_> = self.entries.keys().copied().collect();
        for id in ids {
            if let Some(served) = self.publisher.served(id) {
                self.tell_whose_it_is(id, &served);
            }
            if let Some(options) = self.configuration.options(id)
                && let Some(entry) = self.entries.get_mut(&id)
                && entry.rename_in_store(options)
            {
                // A restart looks under the new key.
                self.keep(id);
            }
        }
        removed
    }
}

pub(super) fn cancel(handle: Option<SpawnHandle>, ctx: &mut Context<EnvironmentActor>) {
    if let Some(handle) = handle {
        ctx.cancel_future(handle);
    }
}
