//! Telling the listeners of what all replicas serve.
use actix::prelude::*;
use engine::UpdatedAt;

use super::EnvironmentActor;
use crate::environment::options::EnvironmentEvent;
use crate::keys::EnvironmentId;

impl EnvironmentActor {
    /// Tells of a number that all replicas serve. While what is stored is being read, which may be what subscribers were told
    /// before the start, that waits for a time.
    pub(super) fn tell_of_update(
        &mut self,
        id: EnvironmentId,
        updated_at: UpdatedAt,
        ctx: &mut Context<Self>,
    ) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        match entry.patience_for_stored() {
            Some(patience) => {
                if entry.untold.replace(updated_at).is_none() {
                    ctx.run_later(patience, move |actor, _| actor.tell_untold(id));
                }
            }
            None => {
                entry.untold = None;
                self.tell(id, updated_at);
            }
        }
    }

    /// Tells of what waited for that. A number that is about to be raised never was any news.
    pub(super) fn tell_untold(&mut self, id: EnvironmentId) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let untold = entry.untold.take();
        if let Some(updated_at) = untold.filter(|_| !entry.state.is_below_floor()) {
            self.tell(id, updated_at);
        }
    }

    fn tell(&mut self, id: EnvironmentId, updated_at: UpdatedAt) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        let (is_news, has_told) = (
            entry.state.published(updated_at),
            std::mem::replace(&mut entry.has_told, true),
        );
        if is_news {
            self.listeners.tell(EnvironmentEvent::Updated(id, updated_at));
        } else if !has_told {
            self.listeners.tell(EnvironmentEvent::Restored(id, updated_at));
        }
    }
}
