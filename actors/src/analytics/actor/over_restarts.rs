//! What one process leaves to the next: handed over by a stop, and kept now and then meanwhile, for one that is killed.
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use actix::prelude::*;
use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;
use tokio::time::timeout_at;

use super::{AnalyticsActor, label};
use crate::analytics::counts::Counts;
use crate::analytics::entry::Entry;
use crate::analytics::record::{self, Kept};
use crate::analytics::room::Room;
use crate::keys::{EnvironmentId, KeyDigest};

/// After something was sent, or could not be, what is on disk is wrong for so long: a process that is killed then leaves it to be
/// sent again, or loses it.
const UNTIL_KEPT: Duration = Duration::from_secs(1);
/// What is kept at most for each second between two times: in a long outage there are 64 MiB of it.
const BYTES_A_SECOND: u64 = 1024 * 1024;

/// What is on disk.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    /// Whether it was asked what processes before have left. Until then nothing may be kept in its place.
    is_taken: bool,
    /// Whether there is anything.
    is_there: bool,
    /// What was written last.
    digest: Option<[u8; 32]>,
    last: Option<Instant>,
    /// How long that counts for, by its size.
    pace: Duration,
    /// Writes what upstream has left of it.
    timer: Option<SpawnHandle>,
    /// Whether the disk is at work.
    is_busy: bool,
    /// How often something was to be kept at most that was not, for the disk was at work.
    missed: Option<Duration>,
    /// Told when the disk is at work no longer; from then on nothing is begun any more.
    stop: Option<oneshot::Sender<()>>,
    is_stopping: bool,
}

impl AnalyticsActor {
    /// Takes what processes before have left, and what another one leaves that ends meanwhile.
    pub(super) fn take_over(&mut self, ctx: &mut Context<Self>) {
        let Some(disk) = self.disk.clone().filter(|_| self.is_disk_free()) else {
            return;
        };
        self.keeping.is_busy = true;
        let left = disk.take(!self.keeping.is_taken);
        ctx.spawn(left.into_actor(self).map(|left, actor, ctx| {
            actor.keeping.is_taken = true;
            match left {
                Some(Ok(kept)) => actor.take_in(kept, ctx),
                Some(Err(record::Foreign)) => log::warn!(
                    "the evaluation counts that were kept on disk are of another version, or no such file; they are left out"
                ),
                None => {}
            }
            actor.disk_is_free(ctx);
        }));
    }

    fn take_in(&mut self, kept: Kept, ctx: &mut Context<Self>) {
        self.keeping.is_there = true;
        if kept.is_damaged {
            log::warn!("some evaluation counts that were kept on disk cannot be read; they are lost");
        }
        for (digest, counts) in kept.environments {
            let mut room = Room::new(usize::MAX);
            let known = self.kept.environments.entry(digest).or_default();
            known.merge(counts, false, &mut room);
        }
        // Each environment has its own.
        let configured = Arc::clone(&self.configured.borrow_and_update());
        self.follow(&configured);
        let ids: Vec<_> = self.entries.keys().copied().collect();
        for id in ids {
            self.advance(id, ctx);
        }
    }

    fn is_disk_free(&self) -> bool {
        !(self.keeping.is_busy || self.keeping.is_stopping)
    }

    /// The disk has done what it was asked.
    fn disk_is_free(&mut self, ctx: &mut Context<Self>) {
        self.keeping.is_busy = false;
        if let Some(stop) = self.keeping.stop.take() {
            // Who asked may have given up.
            let _ = stop.send(());
        } else if let Some(at_most_once_in) = self.keeping.missed.take() {
            self.keep_unsent(at_most_once_in, ctx);
        }
    }

    /// Begins nothing more on the disk. Resolves when it is at work no longer.
    pub(super) fn free_disk(&mut self) -> oneshot::Receiver<()> {
        let (stop, is_free) = oneshot::channel();
        self.keeping.is_stopping = true;
        if self.keeping.is_busy {
            self.keeping.stop = Some(stop);
        } else {
            let _ = stop.send(());
        }
        is_free
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
    pub(super) fn keep_unsent(&mut self, at_most_once_in: Duration, ctx: &mut Context<Self>) {
        let (now, pace) = (Instant::now(), self.keeping.pace.max(at_most_once_in));
        let is_due = self
            .keeping
            .last
            .is_none_or(|last| now.saturating_duration_since(last) >= pace);
        let Some(disk) = self.disk.clone().filter(|_| is_due) else {
            return;
        };
        if !(self.keeping.is_there || self.is_delayed()) {
            return;
        }
        if !self.is_disk_free() {
            let missed = self.keeping.missed.unwrap_or(at_most_once_in);
            self.keeping.missed = Some(missed.min(at_most_once_in));
            return;
        }
        if !self.keeping.is_taken {
            return;
        }
        let file = self.unsent_file();
        let digest: [u8; 32] = Sha256::digest(&file).into();
        self.keeping.last = Some(now);
        let seconds = u64::try_from(file.len()).unwrap_or(u64::MAX) / BYTES_A_SECOND;
        self.keeping.pace = Duration::from_secs(seconds);
        if self.keeping.digest == Some(digest) {
            return;
        }
        self.keeping.is_busy = true;
        let is_there = !file.is_empty();
        ctx.spawn(disk.keep(file).into_actor(self).map(move |is_kept, actor, ctx| {
            if is_kept {
                actor.keeping.digest = Some(digest);
                actor.keeping.is_there = is_there;
            }
            actor.disk_is_free(ctx);
        }));
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
        file_of(waiting.chain(in_batches).chain(of_others))
    }

    /// Upstream has taken something, or has not: what is on disk is brought up to that soon.
    pub(super) fn keep_soon(&mut self, ctx: &mut Context<Self>) {
        if self.keeping.timer.is_none() && (self.keeping.is_there || self.is_delayed()) {
            self.keeping.timer = Some(ctx.run_later(UNTIL_KEPT, |actor, ctx| {
                actor.keeping.timer = None;
                actor.keep_unsent(Duration::ZERO, ctx);
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

    /// Hands over what is unsent, to a disk that is free or not; it is waited for until then.
    pub(super) fn hand_over(&mut self, is_free: bool, until: Instant) -> LocalBoxFuture<'static, ()> {
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
            .collect();
        // Of environments that are not configured: these stay on disk where it takes nothing now, and are in no sum of this process.
        let of_others = std::mem::take(&mut self.kept.environments);
        let sum = unsent
            .iter()
            .fold(0_u64, |sum, (_, counts)| sum.saturating_add(counts.sum()));
        let (counts, left) = (Arc::clone(&self.counts), Arc::clone(&self.left));
        let leave = move |unsent| *left.lock().unwrap_or_else(PoisonError::into_inner) = Some(unsent);
        leave(sum);
        let has_disk = self.disk.is_some();
        let disk = self.disk.take().filter(|_| is_free && self.keeping.is_taken);
        let all = unsent.iter().map(|(digest, counts)| (*digest, counts));
        let file = file_of(all.chain(of_others.iter().map(|(digest, counts)| (*digest, counts))));
        async move {
            let is_kept = match disk {
                Some(disk) => timeout_at(until.into(), disk.keep(file)).await.unwrap_or(false),
                None => false,
            };
            if is_kept || sum == 0 {
                return;
            }
            counts.ended.add(sum);
            leave(0);
            if has_disk {
                log::warn!(
                    "{sum} evaluation counts end with the process: they could be neither sent nor kept"
                );
            } else {
                log::warn!(
                    "{sum} evaluation counts end with the process, because they could not be sent: {why}"
                );
            }
        }
        .boxed_local()
    }
}

/// These counts as they are kept; empty where there are none.
fn file_of<'c>(environments: impl IntoIterator<Item = (KeyDigest, &'c Counts)>) -> Vec<u8> {
    let file = record::write(environments);
    if record::is_empty(&file) { Vec::new() } else { file }
}
