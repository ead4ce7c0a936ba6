//! What clients may know of another process, by what it has stored: one before this one, or one beside it on the same directory.
use std::time::Instant;

use actix::prelude::*;
use engine::ContentDigest;

use super::EnvironmentActor;
use super::follow::cancel;
use crate::environment::state::Known;
use crate::keys::EnvironmentId;
use crate::store::{Found, LookAgain};

impl EnvironmentActor {
    /// What is stored takes the place of nothing, and its numbers hold all the same: what is served is never below them.
    pub(super) fn know(&mut self, id: EnvironmentId, known: Known<ContentDigest>, ctx: &mut Context<Self>) {
        let Some(entry) = self.entries.get_mut(&id) else {
            return;
        };
        entry.state.learn(known);
        let is_below_floor = entry.state.is_below_floor();
        if is_below_floor {
            // A fetch may take its time.
            cancel(entry.interrupt(), ctx);
            entry.state.interrupt();
        }
        self.nothing_is_restored(id, ctx);
        if is_below_floor {
            self.advance(id, ctx);
        }
    }
}

/// Another process, which had the directory, has stored something newer than this one was about to.
impl Handler<Found> for EnvironmentActor {
    type Result = ();

    fn handle(&mut self, Found(stored): Found, ctx: &mut Self::Context) {
        if let Some(id) = self.configuration.stored_as(stored.environment)
            && let Some(entry) = self.entries.get_mut(&id)
            && entry.stored_as() == Some(stored.environment)
        {
            entry.awaits_stored = Some(Instant::now());
            self.load_stored(id, Some(stored), false, ctx);
        }
    }
}

/// The directory has become this process's own, or is another one than before.
impl Handler<LookAgain> for EnvironmentActor {
    type Result = ();

    fn handle(&mut self, LookAgain(environments): LookAgain, ctx: &mut Self::Context) {
        for environment in environments {
            if let Some(id) = self.configuration.stored_as(environment)
                && let Some(entry) = self.entries.get_mut(&id)
                && entry.awaits_stored.is_none()
            {
                entry.is_stored_useless = false;
                self.restore(id, ctx);
            }
        }
    }
}
