//! What is known of one connection. It lives on the worker's thread, like the connection.
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use std::task::Waker;

use crate::budget::{ByteBudget, HeldBytes};

/// What happens to the connection's requests at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// No request is in progress: a head is awaited.
    Idle,
    /// A request is in progress, and its body may still come.
    Receiving,
    /// A request is in progress, and needs nothing more from the peer.
    Answering,
}

/// What the wrapper around a socket and the requests that come over it share.
#[derive(Debug)]
pub(crate) struct ConnectionState {
    phase: Cell<Phase>,
    /// How many bytes of answers the socket refused when it was offered them last.
    unsent: Cell<usize>,
    /// The same, in the budget of the process.
    held: RefCell<HeldBytes>,
    /// Whether the dispatcher asked for bytes and was told that there are none, though there are.
    is_held_back: Cell<bool>,
    /// The task of the connection's dispatcher.
    task: RefCell<Option<Waker>>,
}

impl ConnectionState {
    /// Starts as a connection that awaits its first request; unsent bytes of answers count in `unsent`.
    pub(super) fn new(unsent: &ByteBudget) -> Self {
        Self {
            phase: Cell::new(Phase::Idle),
            unsent: Cell::new(0),
            held: RefCell::new(unsent.holder()),
            is_held_back: Cell::new(false),
            task: RefCell::new(None),
        }
    }

    /// Notes that the request in progress has its whole body, or wants no more of it.
    pub(crate) fn body_is_read(&self) {
        if self.phase.get() == Phase::Receiving {
            self.phase.set(Phase::Answering);
        }
    }

    /// Tells whether bytes of the peer are of use now.
    ///
    /// Those of a further request are not while one is in progress: the dispatcher would queue it. Neither are any while the peer does not read what it has asked
    /// for before.
    pub(super) fn wants_bytes(&self) -> bool {
        self.unsent.get() == 0 && self.phase.get() != Phase::Answering
    }

    /// Notes that bytes are there which are not wanted yet.
    pub(super) fn hold_back(&self) {
        self.is_held_back.set(true);
    }

    /// Notes whom to wake, which is the same task for the whole life of a connection.
    pub(super) fn note_task(&self, task: &Waker) {
        let mut known = self.task.borrow_mut();
        if !known.as_ref().is_some_and(|known| known.will_wake(task)) {
            *known = Some(task.clone());
        }
    }

    /// Notes how many bytes the socket did not take.
    pub(super) fn note_unsent(&self, bytes: usize) {
        if self.unsent.replace(bytes) == bytes {
            return;
        }
        self.held.borrow_mut().set(bytes);
        self.release();
    }

    /// Lets the dispatcher read what was held back, where it is wanted now.
    fn release(&self) {
        if self.is_held_back.get() && self.wants_bytes() {
            self.is_held_back.set(false);
            if let Some(task) = &*self.task.borrow() {
                task.wake_by_ref();
            }
        }
    }

    /// How many bytes of answers wait for the peer to read on.
    #[cfg(test)]
    pub(super) fn unsent(&self) -> usize {
        self.unsent.get()
    }
}

/// A request in progress: from its head to the last byte of its answer that the dispatcher has taken.
#[derive(Debug)]
pub(super) struct Turn {
    state: Rc<ConnectionState>,
}

impl Turn {
    /// Begins the turn of a request.
    pub(super) fn begin(state: &Rc<ConnectionState>, has_body: bool) -> Self {
        state.phase.set(if has_body {
            Phase::Receiving
        } else {
            Phase::Answering
        });
        Self {
            state: Rc::clone(state),
        }
    }

    /// Notes that the head of the answer is ready.
    pub(super) fn answer(&self) {
        self.state.phase.set(Phase::Answering);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.state.phase.set(Phase::Idle);
        self.state.release();
    }
}
