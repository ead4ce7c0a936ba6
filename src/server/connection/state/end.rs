//! When a connection ends, and why.
use super::ConnectionState;
use crate::error::HeadFault;
use crate::server::places::Place;

/// Why the server ends a connection that would else go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum End {
    /// A head has begun and does not come to its end.
    SlowHead,
    /// It is idle for longer than it may be, or makes room for another one.
    Idle,
    /// There is no place for it, and it has not asked for anything so far.
    NoPlace,
    /// What came is no head of a request.
    Refused(HeadFault),
    /// The body of the request in progress cannot be read on.
    BrokenBody,
}

impl ConnectionState {
    /// Tells whether there is no place for it, so that its requests are refused and it ends.
    pub(crate) fn has_no_place(&self) -> bool {
        self.last_request() == 0 && self.place.borrow().as_ref().is_some_and(Place::is_none)
    }

    /// Tells whether it has reached its age, or had as many requests as it may have: its next answer is its last.
    pub(in crate::server) fn is_due(&self) -> bool {
        let is_old = self.worker.is_old(self.begun, self.spread);
        let most = self.worker.most_requests();
        is_old || most.is_some_and(|most| self.requests.get() >= most)
    }

    /// Ends it at the dispatcher's next turn, which comes at once, unless its peer has asked for something by then.
    pub(in crate::server::connection) fn take_leave(&self) {
        self.takes_leave.set(true);
        self.wake();
    }

    /// Tells whether it ends where nothing of its peer's is there.
    pub(in crate::server) fn takes_leave(&self) -> bool {
        self.takes_leave.get() || self.worker.is_stopping()
    }

    /// Tells whether it has a place that it can give to another.
    pub(in crate::server::connection) fn has_place(&self) -> bool {
        self.place.borrow().is_some()
    }

    /// Gives its place to another: its end was announced, and all that is left is to read off what still comes.
    pub(in crate::server) fn free_place(&self) {
        self.place.take();
    }

    /// Gives its place to another and ends.
    pub(in crate::server::connection) fn leave(&self) {
        self.place.take();
        let was_answered = self.last_request() > 0;
        self.end(if was_answered { End::Idle } else { End::NoPlace });
    }

    /// Ends the connection at the dispatcher's next turn, which comes at once.
    pub(in crate::server::connection) fn end(&self, end: End) {
        self.end.set(Some(end));
        self.wake();
    }

    /// Why it is to end, if it is.
    pub(in crate::server) fn ending(&self) -> Option<End> {
        self.end.get()
    }
}
