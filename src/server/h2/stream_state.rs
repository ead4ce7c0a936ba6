//! What is known of one request of a connection that has several at a time. A request reaches it by its extensions.
use std::cell::Cell;
use std::rc::Rc;

use crate::server::connection::ConnectionState;

/// The state of one stream, which its request shares.
#[derive(Debug)]
pub(crate) struct StreamState {
    connection: Rc<ConnectionState>,
    /// Whether it counts among the requests that the worker has in hand.
    is_in_hand: Cell<bool>,
    has_ended: Cell<bool>,
}

impl StreamState {
    /// Begins with a request that has come, and is in hand.
    fn begin(connection: &Rc<ConnectionState>) -> Rc<Self> {
        let stream = Self {
            connection: Rc::clone(connection),
            is_in_hand: Cell::new(false),
            has_ended: Cell::new(false),
        };
        stream.take_in_hand();
        Rc::new(stream)
    }

    /// The connection that it came over.
    pub(in crate::server) fn connection(&self) -> &ConnectionState {
        &self.connection
    }

    /// Lets it wait without counting among the requests in hand.
    pub(in crate::server) fn wait_aside(self: Rc<Self>) -> AsideStream {
        self.put_aside();
        AsideStream(self)
    }

    fn take_in_hand(&self) {
        if !self.is_in_hand.replace(true) {
            self.connection.worker().take_request();
        }
    }

    fn put_aside(&self) {
        if self.is_in_hand.replace(false) {
            self.connection.worker().leave_request();
        }
    }
}

/// A request that waits aside; it is in hand again when this is dropped.
#[derive(Debug)]
pub(crate) struct AsideStream(Rc<StreamState>);

impl Drop for AsideStream {
    fn drop(&mut self) {
        // A request that is given up has ended by then.
        if !self.0.has_ended.get() {
            self.0.take_in_hand();
        }
    }
}

/// A request in progress: from its head to the last byte of its answer, or until its client gives it up.
#[derive(Debug)]
pub(super) struct StreamTurn(Rc<StreamState>);

impl StreamTurn {
    /// Begins with its head.
    pub(super) fn begin(connection: &Rc<ConnectionState>) -> Self {
        connection.begin_stream();
        Self(StreamState::begin(connection))
    }

    /// What its request gets of it.
    pub(super) fn state(&self) -> &Rc<StreamState> {
        &self.0
    }

    /// Its answer is ready.
    pub(super) fn answer(&self) {
        self.0.put_aside();
    }
}

impl Drop for StreamTurn {
    fn drop(&mut self) {
        self.0.has_ended.set(true);
        self.0.put_aside();
        self.0.connection.end_stream();
    }
}
