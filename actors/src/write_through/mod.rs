//! Identity write-through: identities and traits that requests carry reach upstream in the background, so that its dashboard,
//! its segments and its identity pages fill although flags come from here.
//!
//! # Layout
//! - [`WriteThroughHandle`]: what routes tell of each identity: a hash, and for what is news a place in a queue.
//! - `sighting`: one identity as a request carried it.
//! - `seen`: what was seen last, in a table of a fixed size; `intake`: the queue, of a fixed size too; `closed`: whose
//!   identities are not taken in at the moment. All workers share them.
//! - `actor`: takes what is in the queue, and calls upstream; `actor/outcome`: what becomes of each batch; `actor/stop`.
//! - `pending`: what is to be written, merged by identity; `batch`: what is written in one call.
//! - `pace`: how fast; `verdict`: what an answer means; `doubts`: whom a refusal is about;
//!   `counts`: how many were written and lost; `losses`: what was not written, and what the log says of it.
use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use actix::prelude::*;
use engine::{Identity, KeyKind};
use foldhash::quality::RandomState;
use tokio::sync::watch;

mod actor;
mod batch;
mod closed;
mod counts;
mod doubts;
mod intake;
mod losses;
mod pace;
mod pending;
mod seen;
mod sighting;
mod verdict;

pub use counts::WriteThroughCounts;

use actor::{Stop, WriteThrough};
use closed::Closed;
use intake::{Intake, Left};
use seen::{Content, Seen};
use sighting::{Sighting, Target};

use crate::actor_thread::ActorThread;
use crate::counts::Level;
use crate::environment::ConfiguredEnvironment;
use crate::keys::EnvironmentId;
use crate::lifeline::{Lifelines, Release};
use crate::upstream::{Reconnect, UpstreamOptions};

/// How long the actor, whose handlers take milliseconds at most, may take to answer before it counts as dead.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The part of the patience of a stop that what waits may take; the rest is for the end of the thread.
const FLUSHING: f64 = 0.7;

/// How identities are written. Fields so that tests can change them.
#[derive(Debug, Clone)]
pub struct WriteThroughOptions {
    /// Identities, and traits, of which it is remembered what was written last: 8 bytes each.
    pub remembered: usize,
    /// What HTTP workers may leave between two looks, in bytes; twice that of large identities. Environments share it evenly.
    pub intake_bytes: usize,
    /// What may wait, and be under way, in bytes. Environments share it evenly.
    pub pending_bytes: usize,
    /// Between two looks at what the workers left.
    pub period: Duration,
    /// Calls to upstream a second, over time.
    pub calls_a_second: f64,
    /// Calls under way at a time.
    pub at_once: usize,
    /// How long a call may take.
    pub call_timeout: Duration,
    /// Identities of one call; Go's SDK sends a hundred at most.
    pub batch_identities: usize,
    /// About how long upstream is left alone after a failure, and while failures go on.
    pub waits: (Duration, Duration),
    /// How long identities are written one by one after upstream has said that it knows no `bulk-identities/`: it may learn it
    /// by an update, and a gateway's 404 passes.
    pub without_bulk: Duration,
}

impl Default for WriteThroughOptions {
    /// 8 MiB for each of both memories, 4 MiB (twice that, of large identities) and 16 MiB for what waits: 40 MiB at most.
    fn default() -> Self {
        Self {
            remembered: 1 << 20,
            intake_bytes: 4 * 1024 * 1024,
            pending_bytes: 16 * 1024 * 1024,
            period: Duration::from_millis(250),
            calls_a_second: 50.0,
            at_once: 4,
            call_timeout: Duration::from_secs(10),
            batch_identities: 100,
            waits: (Duration::from_secs(1), Duration::from_secs(60)),
            without_bulk: Duration::from_secs(600),
        }
    }
}

/// What HTTP workers and the actor share.
#[derive(Debug)]
struct Shared {
    hashes: RandomState,
    /// What was seen last of each identity, and is written, or will be.
    seen: Seen,
    /// Which traits upstream has, and which identities.
    written: Seen,
    /// How often somebody else has written: what is under way meanwhile does not count as written.
    elsewhere: AtomicU64,
    intake: Intake,
    /// Where as much waits as may, or the key is rejected, so that there is no use in leaving more.
    closed: Closed,
    /// Sightings that found no room in the intake.
    turned_away: AtomicU64,
    counts: Arc<WriteThroughCounts>,
    /// Identities that wait, as the actor saw it at its last look.
    waiting: Level,
    #[cfg(test)]
    looks: tests::Looks,
}

/// What routes and the composition root hold.
#[derive(Debug, Clone)]
pub struct WriteThroughHandle {
    shared: Arc<Shared>,
    address: Addr<WriteThrough>,
    thread: ActorThread,
    release: Release,
}

impl WriteThroughHandle {
    /// Starts the actor on a thread of its own; `configured` says with which keys to write, `counts` is where it counts
    /// what becomes of identities. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system allows no thread for it.
    pub fn start(
        options: WriteThroughOptions,
        upstream: UpstreamOptions,
        configured: watch::Receiver<Arc<[ConfiguredEnvironment]>>,
        counts: Arc<WriteThroughCounts>,
        lifelines: &Lifelines,
    ) -> io::Result<Self> {
        let shared = Arc::new(Shared {
            hashes: RandomState::default(),
            seen: Seen::new(options.remembered),
            written: Seen::new(options.remembered),
            elsewhere: AtomicU64::new(0),
            intake: Intake::new(options.intake_bytes),
            closed: Closed::default(),
            turned_away: AtomicU64::new(0),
            counts,
            waiting: Level::default(),
            #[cfg(test)]
            looks: tests::Looks::default(),
        });
        let (thread, arbiter) = ActorThread::start()?;
        let lifeline = lifelines.guard("WriteThrough");
        let release = lifeline.release();
        let of_actor = Arc::clone(&shared);
        let address = WriteThrough::start_in_arbiter(&arbiter, move |_| {
            WriteThrough::new(of_actor, options, upstream, configured, lifeline)
        });
        Ok(Self {
            shared,
            address,
            thread,
            release,
        })
    }

    /// What became of identities since the process began.
    pub fn counts(&self) -> &WriteThroughCounts {
        &self.shared.counts
    }

    /// Identities that wait, as the actor saw it at its last look.
    pub fn waiting(&self) -> u64 {
        self.shared.waiting.get()
    }

    /// Notes an identity that a request carried, with a key of this kind that may set traits. It never waits: what is no news
    /// costs a hash, and what finds no room is news again when it is seen again.
    pub fn see(&self, environment: EnvironmentId, kind: KeyKind, identity: &Identity<'_>) {
        if identity.is_transient() {
            return;
        }
        let Shared {
            hashes,
            seen,
            intake,
            closed,
            turned_away,
            ..
        } = &*self.shared;
        let subject = hashes.hash_one((environment, identity.identifier()));
        let content = content(hashes, identity);
        if seen.holds(subject, content) {
            return;
        }
        let target = Target { environment, kind };
        if closed.turns_away(target) {
            return;
        }
        if intake.is_full(environment, subject) {
            turned_away.fetch_add(1, Ordering::Relaxed);
            return;
        }
        let sighting = Sighting::new(target, subject, content, identity);
        if intake.push(sighting, || seen.note(subject, content)) == Left::NoRoom {
            seen.forget(subject, content);
            turned_away.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Notes that somebody else has written traits of an identity to upstream: those that it has, and the one with this key. They
    /// are news again, whatever they are.
    pub fn written_elsewhere(&self, environment: EnvironmentId, identity: &Identity<'_>, key: Option<&str>) {
        let Shared {
            hashes,
            seen,
            written,
            ..
        } = &*self.shared;
        self.shared.elsewhere.fetch_add(1, Ordering::SeqCst);
        let subject = hashes.hash_one((environment, identity.identifier()));
        let keys = identity.lasting_traits().map(|stored| stored.key);
        for key in keys.chain(key) {
            written.forget_subject(place_of_trait(hashes, subject, key));
        }
        // Last, so that whoever sees it as news finds the traits forgotten.
        seen.forget_subject(subject);
    }

    /// Writes in this way from now on; calls under way end as they began.
    pub async fn reconnect(&self, upstream: UpstreamOptions) {
        // A dead actor does not answer; its lifeline tells.
        let _ = self
            .address
            .send(Reconnect(upstream))
            .timeout(ANSWER_TIMEOUT)
            .await;
    }

    /// Writes what waits, as far as the time allows, stops the actor in good order and ends its thread. Takes at most
    /// `patience`; whether the thread is gone.
    pub async fn stop(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        let stop = Stop {
            patience: patience.mul_f64(FLUSHING),
        };
        self.release.now();
        // A dead actor does not answer; its thread ends all the same.
        let _ = self.address.send(stop).timeout(patience).await;
        self.thread
            .end(until.saturating_duration_since(Instant::now()))
            .await
    }
}

/// A trait's place among those that are written.
fn place_of_trait(hashes: &RandomState, subject: u64, key: &str) -> u64 {
    hashes.hash_one((subject, key))
}

/// What of an identity is to be stored, in short.
fn content(hashes: &RandomState, identity: &Identity<'_>) -> Content {
    let mut traits = identity.lasting_traits().peekable();
    if traits.peek().is_none() {
        return Content::PRESENCE;
    }
    let mut hasher = hashes.build_hasher();
    for stored in traits {
        stored.key.hash(&mut hasher);
        stored.value.as_deref().unwrap_or_default().hash(&mut hasher);
    }
    Content::of(hasher.finish())
}

#[cfg(test)]
mod tests;
