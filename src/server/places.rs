//! Places: how many connections of all workers are open.
use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::open_files::Shares;

/// The places of the process; clones share them.
#[derive(Debug, Clone)]
pub(crate) struct Places {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    shares: Shares,
    taken: AtomicUsize,
}

impl Places {
    /// Makes places of which none is taken.
    pub(crate) fn new(shares: Shares) -> Self {
        Self {
            shared: Arc::new(Shared {
                shares,
                taken: AtomicUsize::new(0),
            }),
        }
    }

    /// Takes a place, whether there is one or not.
    pub(super) fn take(&self) -> Place {
        self.shared.taken.fetch_add(1, Ordering::Relaxed);
        Place {
            shared: Arc::clone(&self.shared),
            passing: None,
        }
    }

    /// The limits of it all.
    pub(super) fn shares(&self) -> Shares {
        self.shared.shares
    }
}

/// The place of one connection, free again when it is dropped.
#[derive(Debug)]
pub(super) struct Place {
    shared: Arc<Shared>,
    passing: Option<Passing>,
}

impl Place {
    /// Tells whether more places are taken than there are.
    pub(super) fn is_one_too_many(&self) -> bool {
        self.shared.taken.load(Ordering::Relaxed) > self.shared.shares.served
    }

    /// Makes it the place of one that is to hear that there is none.
    pub(super) fn in_passing(mut self, passing: &Rc<Cell<usize>>) -> Self {
        passing.set(passing.get() + 1);
        self.passing = Some(Passing(Rc::clone(passing)));
        self
    }

    /// Tells whether there is no place for its connection, now that it asks.
    pub(super) fn is_none(&self) -> bool {
        self.passing.is_some() && self.is_one_too_many()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.shared.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

/// One of the connections in passing, which its worker counts.
#[derive(Debug)]
struct Passing(Rc<Cell<usize>>);

impl Drop for Passing {
    fn drop(&mut self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}
