//! Whether a connection's request counts among those that its worker has in hand.
use std::rc::Rc;

use super::{ConnectionState, Phase};

impl ConnectionState {
    /// Tells whether the worker has more requests in hand than it may.
    pub(crate) fn worker_is_full(&self) -> bool {
        self.worker.is_full()
    }

    /// Lets the request in progress wait without counting among those in hand: it costs nothing meanwhile.
    pub(crate) fn wait_aside(self: &Rc<Self>) -> AsideConnection {
        self.put_aside();
        AsideConnection(Rc::clone(self))
    }

    pub(super) fn take_in_hand(&self) {
        if !self.is_in_hand.replace(true) {
            self.worker.take_request();
        }
    }

    pub(super) fn put_aside(&self) {
        if self.is_in_hand.replace(false) {
            self.worker.leave_request();
        }
    }
}

/// A request that waits aside; it is in hand again when this is dropped.
#[derive(Debug)]
pub(crate) struct AsideConnection(Rc<ConnectionState>);

impl Drop for AsideConnection {
    fn drop(&mut self) {
        // A request that is given up has ended by then.
        if self.0.phase.get() != Phase::Idle {
            self.0.take_in_hand();
        }
    }
}
