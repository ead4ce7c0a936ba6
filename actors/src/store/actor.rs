//! The thin shell around the folder: takes documents, and has a blocking thread write them.
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::counts::StoreCounts;
use super::folder::{Folder, Kept};
use super::health::StoreHealth;
use super::pending::{Item, Pending};
use super::standing::Standing;
use super::trouble::Trouble;
use crate::keys::KeyDigest;
use crate::lifeline::Lifeline;
use crate::threads::Threads;

mod followers;
mod handlers;
mod news;

pub(super) use followers::Follow;
use followers::Followers;
pub(crate) use followers::{Found, LookAgain};
pub(super) use handlers::{AskWaiting, Configured, Keep, Restore, Stop};

/// What the actor is made from, on its own thread.
pub(super) struct Parts {
    pub(super) folder: Arc<Folder>,
    pub(super) health: StoreHealth,
    pub(super) retry: Duration,
    /// How often it is looked whether the folder is still the one that this process has.
    pub(super) look: Duration,
    pub(super) configured: HashSet<KeyDigest>,
    pub(super) counts: Arc<StoreCounts>,
    pub(super) lifeline: Lifeline,
}

/// Owns what is still to be written.
pub(super) struct StoreActor {
    folder: Arc<Folder>,
    health: StoreHealth,
    threads: Arc<Threads>,
    retry: Duration,
    look: Duration,
    configured: HashSet<KeyDigest>,
    pending: Pending,
    /// What was written last of each environment, for a folder that turns out to be another one. They are the bytes of what is
    /// served.
    written: HashMap<KeyDigest, Written>,
    /// What the operator has heard of each environment's files.
    complaints: HashMap<KeyDigest, Vec<String>>,
    standing: Standing,
    /// Whether this process is the one that writes.
    is_owner: bool,
    /// Who hears of what another process has stored.
    followers: Followers,
    /// Whether anything that the disk was asked for has failed.
    has_failed: bool,
    /// Which time the folder was taken, as far as was noticed.
    times_taken: u64,
    /// The disk is looked at.
    is_looking: bool,
    /// Tries again after a failure.
    timer: Option<SpawnHandle>,
    /// Told when there is nothing more to write, or no way to.
    stops: Vec<oneshot::Sender<()>>,
    counts: Arc<StoreCounts>,
    lifeline: Lifeline,
}

/// What was written, and which time the folder was taken then: it may be another one by the time that the actor hears of it.
struct Written {
    item: Item,
    taken: u64,
}

impl StoreActor {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            folder: parts.folder,
            threads: Arc::clone(parts.health.threads()),
            health: parts.health,
            retry: parts.retry,
            look: parts.look,
            configured: parts.configured,
            pending: Pending::default(),
            written: HashMap::new(),
            complaints: HashMap::new(),
            standing: Standing::default(),
            followers: Followers::default(),
            has_failed: false,
            is_owner: false,
            times_taken: 0,
            is_looking: false,
            timer: None,
            stops: Vec::new(),
            counts: parts.counts,
            lifeline: parts.lifeline,
        }
    }

    /// Runs work on the disk; what the disk was asked before comes first.
    fn on_disk<T: Send + 'static, W: FnOnce(&Folder) -> T + Send + 'static>(
        &self,
        work: W,
    ) -> impl Future<Output = Option<T>> + use<T, W> {
        let (threads, folder) = (Arc::clone(&self.threads), Arc::clone(&self.folder));
        async move {
            let silence = format!(
                "persistence.directory ({}): the disk has not answered for 10 s: documents are served as ever, and are stored once \
                 it answers; check it",
                folder.path().display()
            );
            threads.run_watched(&silence, move || work(&folder)).await
        }
    }

    /// Takes the folder for this process, if it can be had.
    fn take_folder(&mut self, ctx: &mut Context<Self>) {
        let taken = self.on_disk(|folder| {
            folder.own()?;
            // What cannot be listed can perhaps be written to all the same.
            Ok(folder.tidy().unwrap_or_default())
        });
        ctx.spawn(
            taken
                .into_actor(self)
                .map(|taken, actor, ctx| match taken.unwrap_or(Err(no_thread())) {
                    Ok(survey) => {
                        actor.tell_of(&survey);
                        actor.is_owner = true;
                        actor.succeeded();
                        actor.notice_another_folder();
                        actor.pending.again();
                        actor.write(ctx);
                    }
                    Err(trouble) => actor.failed(&trouble, ctx),
                }),
        );
    }

    /// Writes what waits, one after the other.
    fn write(&mut self, ctx: &mut Context<Self>) {
        if self.has_no_folder() {
            return;
        }
        let Some(item) = self.pending.begin() else {
            self.tell_stops();
            return;
        };
        let stored = item.stored.clone();
        let kept = self.on_disk(move |folder| {
            folder.own()?;
            // Before it is written: what is written twice does no harm.
            let taken = folder.times_taken();
            folder.keep(&stored).map(|kept| (kept, taken))
        });
        ctx.spawn(kept.into_actor(self).map(|kept, actor, ctx| {
            actor.wrote(item, kept.unwrap_or(Err(no_thread())), ctx);
        }));
    }

    fn wrote(&mut self, item: Item, kept: Result<(Kept, u64), Trouble>, ctx: &mut Context<Self>) {
        if let Ok((_, taken)) = &kept {
            self.pending.written();
            let (item, taken) = (item.clone(), *taken);
            self.written
                .insert(item.stored.environment, Written { item, taken });
        }
        let is_another = self.notice_another_folder();
        match kept {
            Ok((kept, _)) => {
                self.counts.written.add(1);
                let updated_at = item.stored.served.to_rfc3339();
                log::debug!(
                    "{}: {}",
                    item.label,
                    match &kept {
                        Kept::Written | Kept::WrittenOver(_) =>
                            format!("its document of {updated_at} is stored"),
                        Kept::IsThere | Kept::IsNewer(_) => format!(
                            "another process has stored its document of {updated_at}, or a newer one, which is kept"
                        ),
                    }
                );
                if let Kept::WrittenOver(found) | Kept::IsNewer(found) = kept {
                    self.followers.tell_found(found);
                }
                // One that the disk does not take is no reason to say that all is well.
                if !self.pending.has_set_back() {
                    self.succeeded();
                }
            }
            Err(trouble) => {
                self.pending.failed(item);
                self.failed(&trouble, ctx);
            }
        }
        if is_another {
            // It may hold what another process has left.
            self.take_folder(ctx);
        }
        self.write(ctx);
    }

    /// Whether the timer tries before anything can be written.
    fn has_no_folder(&self) -> bool {
        self.timer.is_some() && !self.is_owner
    }

    /// Stores everything anew that was stored before the folder was taken last: it may be another one. Whether anything was.
    fn notice_another_folder(&mut self) -> bool {
        let times_taken = self.folder.times_taken();
        let before = std::mem::replace(&mut self.times_taken, times_taken);
        // Whatever the disk was asked for since the start it was asked as the one that writes.
        let is_begin = before == 0 && !self.has_failed;
        if times_taken != before && !is_begin {
            // What was read in it may be older than what another process has left.
            let waits = |environment: &KeyDigest| {
                self.written.contains_key(environment) || self.pending.newest(*environment).is_some()
            };
            let unread = self.configured.iter().filter(|each| !waits(each));
            self.followers.tell_of_another_folder(unread.copied().collect());
        }
        let elsewhere = self.written.extract_if(|_, written| written.taken < times_taken);
        let elsewhere: Vec<_> = elsewhere.collect();
        if elsewhere.is_empty() {
            return false;
        }
        log::info!(
            "persistence.directory ({}) is another directory than before, or its lock file is another: everything is stored anew",
            self.folder.path().display()
        );
        for (environment, Written { item, .. }) in elsewhere {
            if self.pending.newest(environment).is_none() {
                self.pending.put(item);
            }
        }
        true
    }

    /// Looks whether the folder is still the one that this process has, also where nothing is to be written.
    fn look(&mut self, ctx: &mut Context<Self>) {
        if !self.is_owner || self.is_looking {
            return;
        }
        self.is_looking = true;
        let looked = self.on_disk(|folder| folder.own());
        ctx.spawn(looked.into_actor(self).map(|looked, actor, ctx| {
            actor.is_looking = false;
            match looked.unwrap_or(Err(no_thread())) {
                Ok(_) if actor.notice_another_folder() => actor.take_folder(ctx),
                Ok(_) if !actor.pending.has_set_back() => actor.succeeded(),
                Ok(_) => {}
                Err(trouble) => actor.failed(&trouble, ctx),
            }
        }));
    }

    fn tell_stops(&mut self) {
        if self.pending.is_idle() || self.has_no_folder() {
            for stop in self.stops.drain(..) {
                // Who asked may have given up.
                let _ = stop.send(());
            }
        }
    }
}

fn no_thread() -> Trouble {
    Trouble::of("get a thread for it")(std::io::ErrorKind::OutOfMemory.into())
}

impl fmt::Debug for StoreActor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreActor")
            .field("waiting", &self.pending.waiting())
            .finish_non_exhaustive()
    }
}

impl Actor for StoreActor {
    type Context = Context<Self>;

    fn started(&mut self, ctx: &mut Self::Context) {
        self.take_folder(ctx);
        ctx.run_interval(self.look, Self::look);
    }
}

#[cfg(test)]
mod tests;
