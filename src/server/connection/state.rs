//! What is known of one connection. It lives on the worker's thread, like the connection.
use std::cell::Cell;

/// What the wrapper around a socket and the requests that come over it share.
#[derive(Debug, Default)]
pub(crate) struct ConnectionState {
    /// How many bytes of answers the socket refused when it was offered them last.
    unsent: Cell<usize>,
}

impl ConnectionState {
    /// Notes how many bytes the socket did not take.
    pub(super) fn note_unsent(&self, bytes: usize) {
        self.unsent.set(bytes);
    }

    /// How many bytes of answers wait for the peer to read on.
    #[cfg(test)]
    pub(super) fn unsent(&self) -> usize {
        self.unsent.get()
    }
}
