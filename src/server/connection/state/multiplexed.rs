//! The state of a connection that has several requests at a time (HTTP/2).
//!
//! It is idle while it has none. Its worker lists it all the time: it hears of a stop when that begins, and a head that
//! does not come to its end ends it whatever else goes on, because nothing can come behind that.
use std::rc::Rc;

use super::{ConnectionState, Phase};

impl ConnectionState {
    /// Notes that it will have several requests at a time.
    pub(in crate::server) fn begin_multiplexed(self: &Rc<Self>) {
        self.is_multiplexed.set(true);
        self.head_since.set(None);
        self.idle_since.set(self.worker.now());
        if !self.is_listed.replace(true) {
            self.worker.list(self);
        }
    }

    /// Whether it has.
    pub(in crate::server::connection) fn is_multiplexed(&self) -> bool {
        self.is_multiplexed.get()
    }

    /// Notes the number of the head that has begun and is not whole. Each has its time.
    pub(in crate::server) fn note_partial_head(&self, head: Option<u64>) {
        if self.partial_head.replace(head) != head {
            self.head_since.set(head.map(|_| self.worker.now()));
        }
    }

    /// A request has come.
    pub(in crate::server) fn begin_stream(&self) {
        self.streams.set(self.streams.get() + 1);
        self.requests.set(self.requests.get().saturating_add(1));
        self.phase.set(Phase::Answering);
    }

    /// A request has its answer, or was given up.
    pub(in crate::server) fn end_stream(&self) {
        let left = self.streams.get().saturating_sub(1);
        self.streams.set(left);
        self.last_request.set(self.worker.number_request());
        if left == 0 {
            self.phase.set(Phase::Idle);
            self.idle_since.set(self.worker.now());
        }
    }
}
