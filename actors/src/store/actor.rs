//! The thin shell around the folder: takes documents, and has a blocking thread write them.
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::*;
use tokio::sync::oneshot;

use super::folder::{Folder, Survey};
use super::format::Stored;
use super::pending::{Item, Pending};
use super::recovery::Occupant;
use super::standing::Standing;
use super::trouble::Trouble;
use crate::keys::KeyDigest;
use crate::lifeline::Lifeline;
use crate::threads::Threads;

/// The disk does one thing after the other: what is asked for later must not be done before.
const AT_ONCE: usize = 1;

/// What the actor is made from, on its own thread.
pub(super) struct Parts {
    pub(super) folder: Arc<Folder>,
    pub(super) retry: Duration,
    /// The configured environments, by their digests' digits.
    pub(super) configured: HashSet<String>,
    pub(super) lifeline: Lifeline,
}

/// Owns what is still to be written.
pub(super) struct StoreActor {
    folder: Arc<Folder>,
    threads: Arc<Threads>,
    retry: Duration,
    configured: HashSet<String>,
    pending: Pending,
    standing: Standing,
    /// Whether this process is the one that writes.
    is_owner: bool,
    /// Tries again after a failure.
    timer: Option<SpawnHandle>,
    /// Told when there is nothing more to write, or no way to.
    stops: Vec<oneshot::Sender<()>>,
    lifeline: Lifeline,
}

impl StoreActor {
    pub(super) fn new(parts: Parts) -> Self {
        Self {
            folder: parts.folder,
            threads: Arc::new(Threads::new("store", AT_ONCE)),
            retry: parts.retry,
            configured: parts.configured,
            pending: Pending::default(),
            standing: Standing::default(),
            is_owner: false,
            timer: None,
            stops: Vec::new(),
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
                        actor.write(ctx);
                    }
                    Err(trouble) => actor.failed(&trouble, ctx),
                }),
        );
    }

    /// Writes what waits, one after the other.
    fn write(&mut self, ctx: &mut Context<Self>) {
        // After a failure the timer tries.
        if self.standing.is_failing() && self.timer.is_some() {
            return;
        }
        let Some(item) = self.pending.begin() else {
            self.tell_stops();
            return;
        };
        let kept = self.on_disk(|folder| {
            let kept = folder.keep(&item.stored);
            (item, kept)
        });
        ctx.spawn(kept.into_actor(self).map(|kept, actor, ctx| match kept {
            Some((item, Ok(()))) => {
                actor.pending.written();
                let updated_at = item.stored.served.to_rfc3339();
                log::debug!("{}: its document of {updated_at} is stored", item.label);
                actor.succeeded();
                actor.write(ctx);
            }
            Some((item, Err(trouble))) => {
                actor.pending.failed(item);
                actor.failed(&trouble, ctx);
            }
            // The document is lost to the store, until the next one comes.
            None => {
                actor.pending.written();
                actor.failed(&no_thread(), ctx);
            }
        }));
    }

    fn succeeded(&mut self) {
        let line = self.standing.succeeded(self.folder.path());
        if let Some((level, line)) = line {
            log::log!(level, "{line}");
        }
    }

    fn failed(&mut self, trouble: &Trouble, ctx: &mut Context<Self>) {
        if let Some((level, line)) = self.standing.failed(trouble, self.folder.path()) {
            log::log!(level, "{line}");
        }
        if let Some(timer) = self.timer.take() {
            ctx.cancel_future(timer);
        }
        // Where the folder itself has gone, so has the lock in it.
        self.is_owner &= !trouble.is_about_folder();
        let wait = self.standing.wait(self.retry);
        self.timer = Some(ctx.run_later(wait, |actor, ctx| {
            actor.timer = None;
            if actor.is_owner {
                actor.write(ctx);
            } else {
                actor.take_folder(ctx);
            }
        }));
        self.tell_stops();
    }

    /// Tells of files that are no use to this process.
    fn tell_of(&self, survey: &Survey) {
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
        let known = survey
            .environments
            .iter()
            .filter(|digits| self.configured.contains(*digits));
        let unknown = survey.environments.len() - known.count();
        if unknown > 0 {
            log::info!(
                "persistence.directory ({folder}): documents of {unknown} environments that are not configured here are left \
                 as they are; delete them where nobody needs them any more"
            );
        }
    }

    fn tell_stops(&mut self) {
        if self.pending.is_empty() || self.standing.is_failing() {
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
    }
}

/// Asks for what is stored of an environment.
#[derive(Message)]
#[rtype(result = "Option<Stored>")]
pub(super) struct Restore {
    pub(super) environment: KeyDigest,
    pub(super) label: String,
}

impl Handler<Restore> for StoreActor {
    type Result = ResponseActFuture<Self, Option<Stored>>;

    fn handle(&mut self, Restore { environment, label }: Restore, _: &mut Self::Context) -> Self::Result {
        let recovered = self.on_disk(move |folder| folder.restore(environment));
        Box::pin(recovered.into_actor(self).map(move |recovered, actor, ctx| {
            let recovered = recovered?;
            for complaint in &recovered.complaints {
                log::warn!("{label}: {complaint}");
            }
            let stored = recovered.stored?;
            if recovered.occupant != Occupant::Whole {
                // The previous document is the only one, until it is the current one, too.
                let stored = stored.clone();
                actor.pending.put(Item { stored, label });
                actor.write(ctx);
            }
            Some(stored)
        }))
    }
}

/// Stores a document.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Keep(pub(super) Item);

impl Handler<Keep> for StoreActor {
    type Result = ();

    fn handle(&mut self, Keep(item): Keep, ctx: &mut Self::Context) {
        self.pending.put(item);
        self.write(ctx);
    }
}

/// An orderly stop; the reply comes when all is written, or cannot be.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Stop;

impl Handler<Stop> for StoreActor {
    type Result = ResponseActFuture<Self, ()>;

    fn handle(&mut self, _: Stop, _: &mut Self::Context) -> Self::Result {
        self.lifeline.disarm();
        let (stop, stopped) = oneshot::channel();
        self.stops.push(stop);
        self.tell_stops();
        let stopped = async move {
            let _ = stopped.await;
        };
        Box::pin(
            stopped
                .into_actor(self)
                .map(|(), _, ctx: &mut Context<Self>| ctx.stop()),
        )
    }
}
