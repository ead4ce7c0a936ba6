//! The replicas and the newest snapshot, under one lock.
//!
//! A replica starts from the newest snapshot and is registered in one step, and a publish replaces the newest and
//! takes the list of replicas in one step. So for every replica and every snapshot either the one was built from the
//! other, or it is sent to it: none is missed. No request takes the lock.
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix::Recipient;

use crate::replica::Publish;
use crate::served::Snapshot;

/// Tells replicas apart for striking them off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ReplicaId(u64);

#[derive(Debug)]
pub(super) struct Registry {
    inner: Mutex<Inner>,
}

#[derive(Debug)]
struct Inner {
    newest: Arc<Snapshot>,
    replicas: Vec<(ReplicaId, Recipient<Publish>)>,
    last_id: u64,
}

impl Registry {
    pub(super) fn new(newest: Snapshot) -> Self {
        Self {
            inner: Mutex::new(Inner {
                newest: Arc::new(newest),
                replicas: Vec::new(),
                last_id: 0,
            }),
        }
    }

    pub(super) fn newest(&self) -> Arc<Snapshot> {
        Arc::clone(&self.lock().newest)
    }

    /// Starts a replica from the newest snapshot and registers it.
    pub(super) fn register<T>(&self, start: impl FnOnce(Arc<Snapshot>) -> (T, Recipient<Publish>)) -> T {
        let mut inner = self.lock();
        let (replica, recipient) = start(Arc::clone(&inner.newest));
        inner.last_id += 1;
        let id = ReplicaId(inner.last_id);
        inner.replicas.push((id, recipient));
        replica
    }

    /// Makes `next` of the newest snapshot the newest; gives it, the one before it, and the replicas to send it to.
    pub(super) fn replace(&self, next: impl FnOnce(&Snapshot) -> Snapshot) -> Replaced {
        let mut inner = self.lock();
        let newest = Arc::new(next(&inner.newest));
        let previous = std::mem::replace(&mut inner.newest, Arc::clone(&newest));
        Replaced {
            newest,
            previous,
            replicas: inner.replicas.clone(),
        }
    }

    /// Forgets a replica whose worker has stopped.
    pub(super) fn strike_off(&self, id: ReplicaId) {
        self.lock().replicas.retain(|(known, _)| *known != id);
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        // Every change under the lock is whole before the next can panic.
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What [`Registry::replace`] gives.
pub(super) struct Replaced {
    pub(super) newest: Arc<Snapshot>,
    pub(super) previous: Arc<Snapshot>,
    pub(super) replicas: Vec<(ReplicaId, Recipient<Publish>)>,
}
