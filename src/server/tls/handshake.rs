//! The handshake: from an accepted socket to a connection over TLS.
//!
//! It has the time of a head, and then the first head has as much again. Who begins without TLS but with HTTP is told in
//! plain HTTP, as nginx does; anything else is closed.
use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Poll, ready};

use actix_web::rt::net::TcpStream;
use tokio::io::ReadBuf;
use tokio_rustls::server;

use super::super::connection::{Admitted, Arrival, ByteStream as _, Connection, Opening, Refused, Worker};
use super::socket::TlsSocket;
use super::stream::{AHEAD, TlsStream};
use super::terms::TlsTerms;
use crate::error::{ApiError, HeadFault, Shortage};

/// The first byte of a record of a handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 0x16;

/// What is looked at of a connection that does not begin with TLS: its head, for the answer.
const LOOKED_AT: usize = 2048;

/// The opening of a listener that speaks TLS.
#[derive(Debug, Clone)]
pub(in crate::server) struct Secure {
    terms: TlsTerms,
}

impl Secure {
    /// Agrees on these terms with clients.
    pub(in crate::server) fn new(terms: TlsTerms) -> Self {
        Self { terms }
    }
}

/// How a connection begins.
enum Beginning {
    Tls,
    /// As a request does; what has come of it.
    Http(Vec<u8>),
    Neither,
}

impl Opening for Secure {
    type Stream = TlsStream;

    /// It would hear of it after a handshake, which is what there is no place for. Who counts refusals hears of it.
    fn turn_away(&self, _: &mut TcpStream, worker: &Worker) {
        worker.refusals().answer(&Refused {
            error: ApiError::Overloaded(Shortage::Connections),
            head: None,
            peer: None,
        });
    }

    async fn open(&self, mut arrival: Arrival) -> Option<Connection<TlsStream>> {
        match beginning(&mut arrival).await? {
            Beginning::Tls => {}
            Beginning::Http(head) => {
                arrival.refuse_plainly(HeadFault::PlainHttp, &head).await;
                return None;
            }
            Beginning::Neither => return None,
        }
        let Arrival {
            stream,
            admitted,
            read_ahead,
        } = arrival;
        let socket = TlsSocket::new(stream, read_ahead);
        // In a box: the state of a handshake is large, and nothing of it is needed afterwards.
        let handshake = Box::pin(shake_hands(&self.terms, socket, &admitted));
        match admitted.unless_ended(handshake).await? {
            Ok(stream) => {
                admitted.state.begin_head_time();
                Some(Connection::over(TlsStream::new(stream), admitted))
            }
            Err((error, mut socket)) => {
                log::debug!("a TLS handshake has failed: {error}");
                // The alert that tells why is on its way.
                if error.kind() == io::ErrorKind::InvalidData {
                    admitted.close(socket.stream_mut()).await;
                }
                None
            }
        }
    }
}

/// Waits for the first bytes; `None`: none come.
async fn beginning(arrival: &mut Arrival) -> Option<Beginning> {
    let (stream, state) = (&mut arrival.stream, &arrival.admitted.state);
    let first = poll_fn(|cx| {
        if !arrival.read_ahead.is_empty() {
            return Poll::Ready(Some(arrival.read_ahead.clone()));
        }
        if state.worker().is_stopping() && !stream.has_arrived() {
            return Poll::Ready(None);
        }
        let mut bytes = [0; LOOKED_AT];
        let mut peeked = ReadBuf::new(&mut bytes);
        Poll::Ready(match ready!(stream.poll_peek(cx, &mut peeked)) {
            Ok(_) => Some(peeked.filled().to_vec()),
            Err(_) => None,
        })
    });
    let first = arrival.admitted.unless_ended(first).await??;
    Some(match first.first()? {
        &HANDSHAKE => Beginning::Tls,
        byte if byte.is_ascii_alphabetic() => Beginning::Http(first),
        _ => Beginning::Neither,
    })
}

/// Goes through a handshake, each step in a turn of its own.
async fn shake_hands(
    terms: &TlsTerms,
    socket: TlsSocket,
    admitted: &Admitted,
) -> Result<server::TlsStream<TlsSocket>, (io::Error, TlsSocket)> {
    let acceptor = terms.acceptor();
    let accept = acceptor.accept_with(socket, |session| session.set_buffer_limit(Some(AHEAD)));
    let mut accept = accept.into_fallible();
    loop {
        let turn = admitted.state.worker().handshakes().turn().await;
        let step = poll_fn(|cx| Poll::Ready(Pin::new(&mut accept).poll(cx))).await;
        turn.end();
        if let Poll::Ready(outcome) = step {
            return outcome;
        }
        until_woken().await;
    }
}

/// Waits for what the step before this has asked to be woken for.
async fn until_woken() {
    let mut is_woken = false;
    poll_fn(|_| {
        if std::mem::replace(&mut is_woken, true) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    })
    .await;
}
