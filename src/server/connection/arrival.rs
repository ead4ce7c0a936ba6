//! Arrivals: accepted sockets that have a place, before anything is made of them.
use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::task::Poll;

use actix_web::rt::net::TcpStream;
use tokio::io::AsyncWrite as _;

use super::byte_stream::ByteStream;
use super::fault::read_refused;
use super::orderly_end::OrderlyEnd;
use super::state::ConnectionState;
use super::worker::Worker;
use super::{Connection, refuse};
use crate::error::{ApiError, HeadFault, Shortage};
use crate::server::places::OpenConnection;

/// How what arrives becomes a connection, which depends on what the listener speaks.
pub(in crate::server) trait Opening: Clone + Send + 'static {
    /// What connections of the listener go over.
    type Stream: ByteStream + 'static;

    /// Tells the peer of a socket that there is no place for it, where it can be told.
    fn turn_away(&self, stream: &mut TcpStream, worker: &Worker);

    /// Makes a connection; `None`: it has ended.
    async fn open(&self, arrival: Arrival) -> Option<Connection<Self::Stream>>;
}

/// The opening of a listener that speaks plain HTTP.
#[derive(Debug, Clone, Copy)]
pub(in crate::server) struct Plain;

impl Opening for Plain {
    type Stream = TcpStream;

    fn turn_away(&self, stream: &mut TcpStream, worker: &Worker) {
        refuse(
            stream,
            worker,
            ApiError::Overloaded(Shortage::Connections),
            None,
            None,
        );
    }

    async fn open(&self, arrival: Arrival) -> Option<Connection<TcpStream>> {
        let Arrival {
            stream,
            admitted,
            read_ahead,
        } = arrival;
        let mut connection = Connection::over(stream, admitted);
        connection.inflow.put_back(&read_ahead);
        Some(connection)
    }
}

/// A socket of this worker that has a place.
#[derive(Debug)]
pub(in crate::server) struct Arrival {
    pub(in crate::server) stream: TcpStream,
    pub(in crate::server) admitted: Admitted,
    /// What was read of it to find its preface, and comes after that.
    pub(in crate::server) read_ahead: Vec<u8>,
}

/// What is known of an arrival, and stays with its connection.
#[derive(Debug)]
pub(in crate::server) struct Admitted {
    pub(in crate::server) state: Rc<ConnectionState>,
    /// Whom its peer speaks for, where it has said so before anything else.
    pub(super) client: Option<Box<SocketAddr>>,
    pub(super) open: OpenConnection,
}

impl Arrival {
    /// Finds a place for a socket of this worker.
    ///
    /// # Errors
    /// The socket, where there is none.
    pub(in crate::server) fn admit(stream: TcpStream, worker: &Rc<Worker>) -> Result<Self, TcpStream> {
        let Some(place) = worker.admit() else {
            return Err(stream);
        };
        Ok(Self {
            stream,
            admitted: Admitted {
                state: ConnectionState::new(worker, place),
                client: None,
                open: worker.open(),
            },
            read_ahead: Vec::new(),
        })
    }

    /// Ends it with an answer in plain HTTP, which this listener does not speak; `head` is what has come.
    pub(in crate::server) async fn refuse_plainly(mut self, fault: HeadFault, head: &[u8]) {
        let (read, _) = read_refused(head);
        let client = self.admitted.client.as_deref().copied();
        let peer = client.or_else(|| self.stream.peer_addr().ok());
        let worker = Rc::clone(self.admitted.state.worker());
        let error = ApiError::Head(fault);
        refuse(
            &mut self.stream,
            &worker,
            error,
            Some(read),
            peer.map(|peer| peer.ip()),
        );
        self.admitted.close(&mut self.stream).await;
    }
}

impl Admitted {
    /// Waits for something, while the server does not end the connection.
    pub(in crate::server) async fn unless_ended<T>(&self, awaited: impl Future<Output = T>) -> Option<T> {
        let mut awaited = pin!(awaited);
        poll_fn(|cx| {
            self.state.note_task(cx.waker());
            if self.state.ending().is_some() {
                return Poll::Ready(None);
            }
            awaited.as_mut().poll(cx).map(Some)
        })
        .await
    }

    /// Ends its socket in good order, as that of a connection ends.
    pub(in crate::server) async fn close(&self, stream: &mut TcpStream) {
        if poll_fn(|cx| Pin::new(&mut *stream).poll_shutdown(cx))
            .await
            .is_err()
        {
            return;
        }
        self.state.free_place();
        let (patience, mut end) = (self.state.worker().read_off(), OrderlyEnd::default());
        // An error is an end as well.
        let _ = poll_fn(|cx| end.poll_read_off(stream, patience, cx)).await;
    }
}
