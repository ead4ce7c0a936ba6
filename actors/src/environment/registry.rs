//! The replicas and the newest snapshot.
//!
//! A replica starts from the newest snapshot and is registered in one step, and a publish replaces the newest and
//! takes the list of replicas in one step. So for every replica and every snapshot either the one was built from the
//! other, or it is told of it: none is missed. No request takes the lock.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use actix::Recipient;

use crate::replica::{Beat, Publish, Pulse, Reader, RequestCounts, RequestTotals};
use crate::served::{Newest, Snapshot};

/// Tells replicas apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReplicaId(u64);

#[derive(Debug)]
pub(super) struct Registry {
    newest: Arc<Newest>,
    replicas: Mutex<Replicas>,
}

#[derive(Debug, Default)]
struct Replicas {
    list: Vec<Registered>,
    last_id: u64,
    /// What those have counted that have stopped: no sum ever falls.
    of_stopped: RequestTotals,
}

#[derive(Debug)]
struct Registered {
    id: ReplicaId,
    recipient: Recipient<Publish>,
    /// Gone with the replica.
    beat: Weak<Beat>,
    pulse: Pulse,
    requests: Reader,
    /// It has not acknowledged a snapshot in time, and the operator has been told.
    is_late: bool,
}

impl Registry {
    pub(super) fn new(newest: Snapshot) -> Self {
        Self {
            newest: Arc::new(Newest::new(newest)),
            replicas: Mutex::default(),
        }
    }

    pub(super) fn newest(&self) -> Arc<Snapshot> {
        self.newest.get()
    }

    /// Starts a replica from the newest snapshot and registers it.
    pub(super) fn register<T>(
        &self,
        start: impl FnOnce(Arc<Snapshot>, Arc<Beat>, RequestCounts) -> (T, Recipient<Publish>),
    ) -> T {
        let beat = Arc::new(Beat::default());
        let counts = RequestCounts::new();
        let requests = counts.reader();
        let watched = Arc::downgrade(&beat);
        let mut replicas = self.lock();
        let (replica, recipient) = start(self.newest.get(), beat, counts);
        replicas.last_id += 1;
        let id = ReplicaId(replicas.last_id);
        replicas.list.push(Registered {
            id,
            recipient,
            beat: watched,
            pulse: Pulse::default(),
            requests,
            is_late: false,
        });
        replica
    }

    /// Makes `next` of the newest snapshot the newest; gives it, the one before it, and the replicas to tell.
    pub(super) fn replace(&self, next: impl FnOnce(&Snapshot) -> Snapshot) -> Replaced {
        let replicas = self.lock();
        let newest = Arc::new(next(&self.newest.get()));
        let previous = self.newest.replace(Arc::clone(&newest));
        let registered = replicas.list.iter();
        Replaced {
            version: newest.version,
            previous,
            message: Publish(Arc::clone(&self.newest)),
            replicas: registered
                .map(|replica| (replica.id, replica.recipient.clone()))
                .collect(),
        }
    }

    /// Notes whether a replica is late with an acknowledgement; whether that is news.
    pub(super) fn note_late(&self, id: ReplicaId, is_late: bool) -> bool {
        let mut replicas = self.lock();
        let mut list = replicas.list.iter_mut();
        list.find(|replica| replica.id == id)
            .is_some_and(|replica| std::mem::replace(&mut replica.is_late, is_late) != is_late)
    }

    /// Looks at every worker's beat, `since_last` after the look before; gives for how long the one that has stood still
    /// the longest has done so. Forgets replicas that have stopped with their worker.
    pub(super) fn look(&self, since_last: Duration, period: Duration) -> Duration {
        let mut longest = Duration::ZERO;
        let Replicas { list, of_stopped, .. } = &mut *self.lock();
        list.retain_mut(|replica| {
            let beat = replica.beat.upgrade();
            match &beat {
                Some(beat) => longest = longest.max(replica.pulse.look(beat, since_last, period)),
                None => of_stopped.add(&replica.requests),
            }
            beat.is_some()
        });
        longest
    }

    /// Forgets a replica whose worker has stopped.
    pub(super) fn strike_off(&self, id: ReplicaId) {
        let Replicas { list, of_stopped, .. } = &mut *self.lock();
        list.retain(|known| {
            if known.id == id {
                of_stopped.add(&known.requests);
            }
            known.id != id
        });
    }

    /// How many requests brought a key of each environment so far.
    pub(super) fn requests(&self) -> RequestTotals {
        let replicas = self.lock();
        let mut totals = replicas.of_stopped.clone();
        for replica in &replicas.list {
            totals.add(&replica.requests);
        }
        totals
    }

    fn lock(&self) -> MutexGuard<'_, Replicas> {
        // Every change under the lock is whole before the next can panic.
        self.replicas.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`Registry::replace`] gives.
pub(super) struct Replaced {
    /// That of the newest snapshot.
    pub(super) version: u64,
    pub(super) previous: Arc<Snapshot>,
    /// What to tell the replicas.
    pub(super) message: Publish,
    pub(super) replicas: Vec<(ReplicaId, Recipient<Publish>)>,
}
