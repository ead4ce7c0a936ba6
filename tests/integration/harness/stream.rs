//! A subscriber that shows exactly what was sent.
use std::net::SocketAddr;

use test_support::http::{Connection, Request, Response};

/// The stream of the test's environment.
pub(crate) const EVENT_STREAM: &str = "/sse/environments/client-key/stream";

/// An open event stream.
pub(crate) struct EventStream {
    /// The answer's head.
    pub head: Response,
    connection: Connection,
}

/// An event as it is written.
pub(crate) fn event(updated_at: &str) -> String {
    format!("event: environment_updated\ndata: {{\"updated_at\": {updated_at}}}\n\n")
}

impl EventStream {
    /// Subscribes; the head has been read.
    pub(crate) fn open(address: SocketAddr, request: &Request) -> Self {
        Self::over(Connection::open(address), request)
    }

    /// Subscribes over a connection; the head has been read.
    pub(crate) fn over(mut connection: Connection, request: &Request) -> Self {
        connection.write_request(request);
        let head = connection.read_head();
        Self { head, connection }
    }

    /// Subscribes to the test's environment.
    pub(crate) fn of(address: SocketAddr) -> Self {
        let stream = Self::open(address, &Request::get(EVENT_STREAM));
        assert_eq!(stream.head.status, 200);
        stream
    }

    /// Subscribes and reads the two frames that every stream begins with: whatever is told from now on comes next.
    pub(crate) fn settled(address: SocketAddr) -> Self {
        let mut stream = Self::of(address);
        stream.frame().expect("retry");
        stream.frame().expect("the newest change or a comment");
        stream
    }

    /// The next frame; `None`: the stream has ended with its last chunk.
    pub(crate) fn frame(&mut self) -> Option<String> {
        self.connection.chunk()
    }

    /// The next frame that is no comment.
    pub(crate) fn event(&mut self) -> Option<String> {
        loop {
            match self.frame() {
                Some(frame) if frame.starts_with(':') || frame.starts_with("retry:") => {}
                frame => return frame,
            }
        }
    }

    /// What the proxy writes next, as one write.
    pub(crate) fn read_once(&mut self) -> Vec<u8> {
        self.connection.read_once()
    }

    /// Whether the proxy closes the connection now.
    pub(crate) fn is_closed(&mut self) -> bool {
        self.connection.is_closed()
    }
}
