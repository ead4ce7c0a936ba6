//! Arrivals: accepted sockets that have a place, before anything is made of them.
use std::net::SocketAddr;
use std::rc::Rc;

use actix_web::rt::net::TcpStream;

use super::byte_stream::ByteStream;
use super::state::ConnectionState;
use super::worker::Worker;
use super::{Connection, refuse};
use crate::error::ApiError;
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
        refuse(stream, worker, ApiError::Overloaded, None, None);
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
}
