//! What the server knows of a request in progress, whatever it came over: a connection that has one at a time (HTTP/1),
//! or a stream of one that has several (HTTP/2).
use std::rc::Rc;

use actix_web::{HttpMessage as _, HttpRequest};

use super::connection::{AsideConnection, ConnectionState};
use super::h2::{AsideStream, StreamState};

/// A request in progress.
pub(crate) enum InProgress<'a> {
    /// It is the only one of its connection.
    Connection(&'a Rc<ConnectionState>),
    /// It is one of several.
    Stream(Rc<StreamState>),
}

/// A request that waits aside; it is in hand again when this is dropped.
#[derive(Debug)]
#[expect(dead_code, reason = "what their drop does is all")]
pub(crate) enum Aside {
    /// All of its connection waits.
    Connection(AsideConnection),
    /// One stream of it does.
    Stream(AsideStream),
}

impl<'a> InProgress<'a> {
    /// What is known of a request; `None` where it came over no connection, as only tests do it.
    pub(crate) fn of(request: &'a HttpRequest) -> Option<Self> {
        if let Some(connection) = request.conn_data::<Rc<ConnectionState>>() {
            return Some(Self::Connection(connection));
        }
        let extensions = request.extensions();
        let stream = extensions.get::<Rc<StreamState>>()?;
        Some(Self::Stream(Rc::clone(stream)))
    }

    fn connection(&self) -> &ConnectionState {
        match self {
            Self::Connection(connection) => connection,
            Self::Stream(stream) => stream.connection(),
        }
    }

    /// Tells whether there is no place for its connection, so that it is refused and the connection ends.
    pub(crate) fn has_no_place(&self) -> bool {
        self.connection().has_no_place()
    }

    /// Tells whether the worker has more requests in hand than it may.
    pub(crate) fn worker_is_full(&self) -> bool {
        self.connection().worker_is_full()
    }

    /// Notes that it has its whole body, or wants no more of it.
    pub(crate) fn body_is_read(&self) {
        // What comes over a stream is that request's alone, and may come at any time.
        if let Self::Connection(connection) = self {
            connection.body_is_read();
        }
    }
}

/// Lets a request wait, for its peer or on purpose, without counting among those that its worker has in hand.
pub(crate) fn wait_aside(request: &HttpRequest) -> Option<Aside> {
    Some(match InProgress::of(request)? {
        InProgress::Connection(connection) => Aside::Connection(connection.wait_aside()),
        InProgress::Stream(stream) => Aside::Stream(stream.wait_aside()),
    })
}
