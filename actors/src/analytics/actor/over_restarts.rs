//! What one process leaves to the next: handed over by a stop, and kept now and then meanwhile, for one that is killed.
use std::time::{Duration, Instant};

use actix::prelude::*;
use sha2::{Digest as _, Sha256};

use super::{AnalyticsActor, label};
use crate::analytics::entry::Entry;
use crate::analytics::record;
use crate::analytics::room::Room;
use crate::keys::EnvironmentId;

/// After something was sent, or could not be, what is on disk is wrong for so long: a process that is killed then leaves it to be
/// sent again, or loses it.
const UNTIL_KEPT: Duration = Duration::from_secs(1);
/// What is kept at most for each second between two times: in a long outage there are 64 MiB of it.
const BYTES_A_SECOND: u64 = 1024 * 1024;

/// What is on disk.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// Whether there is anything.
    is_there: bool,
    /// What was written last.
    digest: Option<[u8; 32]>,
    last: Option<Instant>,
    /// How long that counts for, by its size.
    pace: Duration,
    /// Writes what upstream has left of it.
    timer: Option<SpawnHandle>,
}

impl AnalyticsActor {
    /// Takes what processes before have left.
    pub(super) fn take_over(&mut self) {
        if let Some(store) = &mut self.store {
            let file = store.take();
            self.take_in(&file);
        }
    }

    /// Takes what another process has left that ended meanwhile.
    pub(super) fn take_over_more(&mut self) {
        let file = self
            .store
            .as_mut()
            .map_or_else(Vec::new, |store| store.take_more());
        if !file.is_empty() {
            self.take_in(&file);
            // Each environment has its own.
            self.follow();
        }
    }

    fn take_in(&mut self, file: &[u8]) {
        self.keeping.is_there = !file.is_empty();
        match record::read(file) {
            Ok(kept) => {
                if kept.is_damaged {
                    log::warn!("some evaluation counts that were kept on disk cannot be read; they are lost");
                }
                for (digest, counts) in kept.environments {
                    let mut room = Room::new(usize::MAX);
                    let known = self.kept.environments.entry(digest).or_default();
                    known.merge(counts, false, &mut room);
                }
            }
            Err(record::Foreign) => log::warn!(
                "the evaluation counts that were kept on disk are of another version, or no such file; they are left out"
            ),
        }
    }

    /// Whether there are counts that do not arrive as they come. Those that do are on disk never: a process that is killed loses
    /// some seconds of them, and sends none twice.
    fn is_delayed(&self) -> bool {
        let newest = self.environments.newest();
        self.entries.iter().any(|(id, entry)| {
            let has_counts = entry.queue.as_ref().is_some_and(|queue| !queue.is_empty());
            has_counts && (entry.failure().is_some() || newest.environment(*id).is_none())
        })
    }

    /// Has what is unsent kept, at most once in this time.
    pub(super) fn keep_unsent(&mut self, at_most_once_in: Duration) {
        let (now, pace) = (Instant::now(), self.keeping.pace.max(at_most_once_in));
        let is_due = self
            .keeping
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= pace);
        if self.store.is_none() || !is_due || !(self.keeping.is_there || self.is_delayed()) {
            return;
        }
        let file = self.unsent_file();
        let digest: [u8; 32] = Sha256::digest(&file).into();
        self.keeping.last = Some(now);
        let seconds = u64::try_from(file.len()).unwrap_or(u64::MAX) / BYTES_A_SECOND;
        self.keeping.pace = Duration::from_secs(seconds);
        let is_news = self.keeping.digest != Some(digest);
        let Some(store) = self.store.as_mut().filter(|_| is_news) else {
            return;
        };
        if store.keep(&file) {
            self.keeping.digest = Some(digest);
            self.keeping.is_there = !file.is_empty();
        }
    }

    /// Everything that upstream has not taken; empty where there is nothing.
    fn unsent_file(&self) -> Vec<u8> {
        let entries = self.entries.values();
        let queues: Vec<_> = entries
            .filter_map(|entry| Some((entry.digest(), entry.queue.as_ref()?)))
            .collect();
        let in_batches: Vec<_> = queues
            .iter()
            .map(|(digest, queue)| (*digest, queue.in_batches()))
            .collect();
        let waiting = queues.iter().map(|(digest, queue)| (*digest, queue.unsent()));
        let in_batches = in_batches.iter().map(|(digest, counts)| (*digest, counts));
        let of_others = self
            .kept
            .environments
            .iter()
            .map(|(digest, counts)| (*digest, counts));
        let file = record::write(waiting.chain(in_batches).chain(of_others));
        if record::is_empty(&file) { Vec::new() } else { file }
    }

    /// Upstream has taken something, or has not: what is on disk is brought up to that soon.
    pub(super) fn keep_soon(&mut self, ctx: &mut Context<Self>) {
        if self.keeping.timer.is_none() && (self.keeping.is_there || self.is_delayed()) {
            self.keeping.timer = Some(ctx.run_later(UNTIL_KEPT, |actor, _| {
                actor.keeping.timer = None;
                actor.keep_unsent(Duration::ZERO);
            }));
        }
    }

    /// Why counts are unsent.
    fn why_unsent(&self) -> String {
        if let Some(failure) = self.entries.values().find_map(Entry::failure) {
            return failure.to_string();
        }
        let newest = self.environments.newest();
        let is_unknown = |id: &EnvironmentId, entry: &Entry| {
            let has_counts = entry.queue.as_ref().is_some_and(|queue| !queue.is_empty());
            has_counts && newest.environment(*id).is_none()
        };
        if self.entries.iter().any(|(id, entry)| is_unknown(id, entry)) {
            "no document of their environment has come, which says what features there are".to_owned()
        } else {
            "there was no time for them; upstream is slow".to_owned()
        }
    }

    /// Hands over what is unsent.
    pub(super) fn hand_over(&mut self) {
        for taken in self.tallies.take() {
            self.merge(taken);
        }
        self.tell_losses();
        for (id, entry) in &mut self.entries {
            entry.report.end(&label(&self.environments, *id));
        }
        self.report.end("analytics");
        let why = self.why_unsent();
        let unsent: Vec<_> = std::mem::take(&mut self.entries)
            .into_values()
            .filter_map(|entry| Some((entry.digest(), entry.queue?.into_unsent())))
            .chain(std::mem::take(&mut self.kept.environments))
            .collect();
        let sum = unsent
            .iter()
            .fold(0_u64, |sum, (_, counts)| sum.saturating_add(counts.sum()));
        let Some(store) = &mut self.store else {
            if sum > 0 {
                log::warn!(
                    "{sum} evaluation counts end with the process, because they could not be sent: {why}"
                );
            }
            return;
        };
        let file = if sum > 0 {
            record::write(unsent.iter().map(|(digest, counts)| (*digest, counts)))
        } else {
            Vec::new()
        };
        if !store.keep(&file) && sum > 0 {
            log::warn!("{sum} evaluation counts end with the process: they could be neither sent nor kept");
        }
    }
}
