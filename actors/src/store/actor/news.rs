//! How the store fares: for whoever asks, for the log, and for the next attempt.
use std::collections::HashSet;

use actix::prelude::*;

use super::StoreActor;
use crate::store::folder::Survey;
use crate::store::trouble::Trouble;

impl StoreActor {
    /// The disk has done what it was asked.
    pub(super) fn succeeded(&mut self) {
        self.health.note(None);
        let line = self.standing.succeeded(self.folder.path());
        if let Some((level, line)) = line {
            log::log!(level, "{line}");
        }
    }

    /// It has not: it is asked again later.
    pub(super) fn failed(&mut self, trouble: &Trouble, ctx: &mut Context<Self>) {
        self.counts.failed.add(1);
        self.has_failed = true;
        self.health.note(Some(trouble.clone()));
        if let Some((level, line)) = self.standing.failed(trouble, self.folder.path()) {
            log::log!(level, "{line}");
        }
        // Where the folder itself has gone, so has the lock in it.
        self.is_owner &= !trouble.ends_ownership();
        // Several documents may fail in one attempt.
        if self.timer.is_none() {
            let wait = self.standing.wait(self.retry);
            self.timer = Some(ctx.run_later(wait, Self::try_again));
        }
        self.tell_stops();
    }

    fn try_again(&mut self, ctx: &mut Context<Self>) {
        self.timer = None;
        if self.is_owner {
            self.pending.again();
            self.write(ctx);
        } else {
            self.take_folder(ctx);
        }
    }

    /// Tells of files that are no use to this process.
    pub(super) fn tell_of(&self, survey: &Survey) {
        let folder = self.folder.path().display();
        if survey.of_other_versions > 0 {
            log::warn!(
                "persistence.directory ({folder}): {} files are of another version of this program; they are skipped and left \
                 as they are",
                survey.of_other_versions
            );
        }
        if let Some(first) = survey.foreign.first() {
            let count = survey.foreign.len();
            log::warn!(
                "persistence.directory ({folder}): {count} files are not this program's, such as {first:?}; they are skipped \
                 and left as they are"
            );
        }
        let configured: HashSet<_> = self.configured.iter().map(ToString::to_string).collect();
        let known = survey
            .environments
            .iter()
            .filter(|digits| configured.contains(*digits));
        let unknown = survey.environments.len() - known.count();
        if unknown > 0 {
            log::info!(
                "persistence.directory ({folder}): documents of {unknown} environments that are not configured here are left \
                 as they are; delete them where nobody needs them any more"
            );
        }
    }
}
