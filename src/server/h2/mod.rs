//! HTTP/2 (RFC 9113): over TLS where ALPN chose it, and over plain TCP with prior knowledge (`server.h2c`).
//!
//! actix-http's own dispatcher bounds neither the streams of a connection nor what it holds for a client that does not
//! read, it does not hear of a reset while a body waits, and it knows no GOAWAY. So the `h2` crate speaks the protocol,
//! and this drives it. A request passes the same application as over HTTP/1, with the same limits and the same answers.
//!
//! # What a connection may take
//! - Streams: [`MOST_STREAMS`] at a time; the library refuses what is beyond that (`REFUSED_STREAM`).
//! - Bodies of requests that nobody has read yet: the windows, 64 KiB a stream and 256 KiB in all.
//! - Heads until they are answered: those of HTTP/1 for each, 1 MiB in all, and a budget of the process for what a
//!   connection has beyond 64 KiB (`heads`).
//! - Answers: 64 KiB that the socket has not taken, and as much in hand (`outflow`); the rest stays in its body. A client
//!   that opens no window is given up as one that acknowledges nothing.
//! - 16 KiB to write, 8 KiB to read and twice 4 KiB to compress heads are the library's own.
//!
//! # Layout
//! - `driver`: the connection, turn by turn, and its end.
//! - `wire`: the socket under the library; `watch` and `calm` see what comes and end floods.
//! - `request`, `answer`: heads on their way in and out.
//! - `exchange`: one stream, from its request to the last byte of its answer.
//! - `outflow`, `heads`: what the exchanges of a connection share.
//! - `stream_state`: what a request knows of its stream.
mod answer;
mod calm;
mod driver;
mod exchange;
mod heads;
mod outflow;
mod request;
mod stream_state;
mod watch;
mod wire;

use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::body::{BoxBody, MessageBody};
use actix_http::{Request, Response};
use actix_service::Service;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connection::ConnectionState;
use super::places::OpenConnection;
use crate::budget::ByteBudget;
use crate::service_state::ServiceState;

use driver::Driver;

pub(super) use stream_state::AsideStream;
pub(crate) use stream_state::StreamState;
pub(super) use watch::PREFACE;

/// The requests that a connection may have at a time: what clients take for granted before they hear of it (RFC 9113 §6.5.2
/// recommends no less).
const MOST_STREAMS: u32 = 100;

/// How HTTP/2 is spoken.
#[derive(Debug, Clone)]
pub(super) struct Http2Options {
    /// How long a client may open no window for an answer.
    pub unacknowledged: Duration,
    /// What requests may take that are still coming, of all connections.
    pub requests: ByteBudget,
    /// Tells whether the process drains: then a connection takes no further requests once it has answered one.
    pub state: Arc<ServiceState>,
}

/// What is known of a connection beside its byte stream.
#[derive(Debug)]
pub(super) struct Http2Connection {
    /// The state that its worker knows.
    pub state: Rc<ConnectionState>,
    /// The client's address.
    pub client: Option<SocketAddr>,
    /// Counts it as open until its end.
    pub open: OpenConnection,
    /// What was read of its stream already: the client's preface, where that told what it speaks, and what follows.
    pub read_ahead: Vec<u8>,
}

/// Speaks HTTP/2 over a byte stream until its end. `app`: the application of this worker.
pub(super) fn serve<S, A, B>(
    stream: S,
    connection: Http2Connection,
    options: &Http2Options,
    app: Rc<A>,
) -> impl Future<Output = ()> + use<S, A, B>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Service<Request>,
    A::Response: Into<Response<B>>,
    A::Error: Into<Response<BoxBody>>,
    B: MessageBody + 'static,
{
    Driver::new(stream, connection, options, app)
}
