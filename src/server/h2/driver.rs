//! The driver: one connection, turn by turn.
//!
//! A turn writes what the last one has collected, lets the library read and write, begins an exchange for each request that
//! has come, and lets the exchanges go on. What they send wakes the connection up for another turn, so that all answers
//! of a turn go to the socket at once.
use std::cell::RefCell;
use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Instant;

use ::h2::server::{self, Builder, Handshake, SendResponse};
use ::h2::{Reason, RecvStream};
use actix_http::body::{BoxBody, MessageBody};
use actix_http::{HttpMessage as _, Request, Response};
use actix_service::Service;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::FuturesUnordered;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::{Sleep, sleep};

use super::answer;
use super::exchange::{Exchange, Exchanged};
use super::heads::Heads;
use super::outflow::Outflow;
use super::request::{Received, receive};
use super::stream_state::StreamTurn;
use super::wire::{Wire, WireEnd};
use super::{Http2Connection, Http2Options, MOST_STREAMS};
use crate::error::{ApiError, Shortage};
use crate::logging::Repeated;
use crate::server::connection::{ConnectionState, End, MOST_HEAD, ReadHead, Refused};
use crate::server::places::OpenConnection;

/// The bytes that a client may send of one body before they are read.
const STREAM_WINDOW: u32 = 64 * 1024 - 1;
/// And of all of them.
const CONNECTION_WINDOW: u32 = 256 * 1024;

/// Heads of up to so many bytes get our own answer where they are too large. The library answers longer ones (a bare 431),
/// and ends the connection at four times as much.
const MOST_READ_HEAD: u32 = 2 * MOST_HEAD as u32;

/// The exchanges that a turn begins at most: so many answers fit what is collected for the socket, about.
const BEGUN_A_TURN: usize = 64;

/// The requests that a client may have given up before they are looked at. The account of `calm` ends a flood before that.
const MOST_GIVEN_UP: usize = 10 * MOST_STREAMS as usize;

/// The streams that the server has reset and still knows for a second, so that what was under way on them is no fault.
const MOST_REMEMBERED: usize = 4 * MOST_STREAMS as usize;

static FLOODS: Repeated = Repeated::new();

/// How the connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Ending {
    /// Not yet.
    No,
    /// The client is asked for no further requests; those that were under way are answered.
    Announced,
    /// All of it ends now.
    Cut,
}

/// It is over.
struct Over;

/// What the library is doing.
enum Stage<S> {
    /// It awaits the client's preface.
    Begins(Handshake<WireEnd<S>, Bytes>),
    Runs(server::Connection<WireEnd<S>, Bytes>),
}

/// One connection.
pub(super) struct Driver<S, A: Service<Request>, B> {
    stage: Stage<S>,
    wire: Rc<RefCell<Wire<S>>>,
    state: Rc<ConnectionState>,
    client: Option<SocketAddr>,
    options: Http2Options,
    app: Rc<A>,
    exchanges: FuturesUnordered<Exchange<A::Future, B>>,
    outflow: Rc<Outflow>,
    heads: Rc<Heads>,
    ending: Ending,
    /// Whether its requests are refused, and it ends after the first of them.
    has_no_place: bool,
    /// How long the end may still take.
    patience: Option<Pin<Box<Sleep>>>,
    _open: OpenConnection,
}

impl<S, A, B> Driver<S, A, B>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Service<Request>,
    A::Response: Into<Response<B>>,
    A::Error: Into<Response<BoxBody>>,
    B: MessageBody + 'static,
{
    pub(super) fn new(stream: S, connection: Http2Connection, options: &Http2Options, app: Rc<A>) -> Self {
        let Http2Connection {
            state,
            client,
            open,
            read_ahead,
        } = connection;
        let wire = Rc::new(RefCell::new(Wire::new(stream, &state, read_ahead)));
        let handshake = Builder::new()
            .max_concurrent_streams(MOST_STREAMS)
            .initial_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .max_header_list_size(MOST_READ_HEAD)
            .max_pending_accept_reset_streams(MOST_GIVEN_UP)
            // It counts through the whole life of a connection. The account of `calm` is the bound.
            .max_local_error_reset_streams(None)
            .max_concurrent_reset_streams(MOST_REMEMBERED)
            .handshake(WireEnd(Rc::clone(&wire)));
        Self {
            stage: Stage::Begins(handshake),
            wire,
            client,
            heads: Heads::new(&options.requests),
            options: options.clone(),
            app,
            exchanges: FuturesUnordered::new(),
            outflow: Rc::default(),
            ending: Ending::No,
            has_no_place: false,
            patience: None,
            state,
            _open: open,
        }
    }

    fn turn(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        self.state.note_task(cx.waker());
        self.wire.borrow_mut().begin_turn(self.outflow.take_earned());
        self.write(cx)?;
        self.begin(cx)?;
        self.take_requests(cx)?;
        // What was handed over before is written, or the socket does not take it.
        self.outflow.note_socket(self.wire.borrow().is_blocked());
        let mut has_answered = false;
        while let Poll::Ready(Some(())) = self.exchanges.poll_next_unpin(cx) {
            has_answered = true;
        }
        self.end_as_due(cx, has_answered)?;
        self.write(cx)
    }

    /// Writes what was collected, and notes what is left of it.
    fn write(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        let mut wire = self.wire.borrow_mut();
        if let Poll::Ready(Err(_)) = wire.poll_drain(cx) {
            return Err(Over);
        }
        let unsent = if wire.is_blocked() {
            wire.unsent() + self.outflow.in_hand()
        } else {
            0
        };
        self.state.note_unsent(unsent);
        Ok(())
    }

    /// Awaits the client's preface, which has the time of a first head.
    fn begin(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        let Stage::Begins(handshake) = &mut self.stage else {
            return Ok(());
        };
        match Pin::new(handshake).poll(cx) {
            Poll::Ready(Ok(connection)) => {
                self.stage = Stage::Runs(connection);
                self.state.begin_multiplexed();
                Ok(())
            }
            Poll::Ready(Err(_)) => Err(Over),
            Poll::Pending if self.state.ending().is_some() || self.state.worker().is_stopping() => Err(Over),
            Poll::Pending => Ok(()),
        }
    }

    /// Begins an exchange for each request that has come.
    fn take_requests(&mut self, cx: &mut Context<'_>) -> Result<(), Over> {
        for _ in 0..BEGUN_A_TURN {
            let Stage::Runs(connection) = &mut self.stage else {
                return Ok(());
            };
            match connection.poll_accept(cx) {
                Poll::Ready(Some(Ok((request, respond)))) => {
                    self.outflow.note_request();
                    let exchange = self.exchange(request, respond);
                    self.exchanges.push(exchange);
                }
                Poll::Ready(Some(Err(_)) | None) => return Err(Over),
                Poll::Pending => {
                    let head = self.wire.borrow().partial_head();
                    self.state.note_partial_head(head);
                    return Ok(());
                }
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }

    fn exchange(
        &mut self,
        request: http::Request<RecvStream>,
        respond: SendResponse<Bytes>,
    ) -> Exchange<A::Future, B> {
        let mut exchanged = Exchanged {
            respond,
            is_head: *request.method() == http::Method::HEAD,
            outflow: Rc::clone(&self.outflow),
            patience: self.options.unacknowledged,
            turn: None,
            held: None,
        };
        let Received {
            mut request,
            head,
            expects_continue,
        } = match receive(request) {
            Ok(received) => received,
            Err(refused) => {
                let (fault, read) = *refused;
                return self.refusal(ApiError::Head(fault), read, exchanged);
            }
        };
        exchanged.held = self.heads.hold(head);
        if exchanged.held.is_none() {
            let read = ReadHead {
                method: Some(request.method().as_str().to_owned()),
                fields: std::mem::take(request.headers_mut()),
            };
            return self.refusal(ApiError::Overloaded(Shortage::Bodies), read, exchanged);
        }
        if expects_continue {
            let mut informed = http::Response::new(());
            *informed.status_mut() = http::StatusCode::CONTINUE;
            // Where this fails, so does the answer.
            let _ = exchanged.respond.send_informational(informed);
        }
        let turn = StreamTurn::begin(&self.state);
        self.has_no_place |= self.state.has_no_place();
        request.extensions_mut().insert(Rc::clone(turn.state()));
        request.head_mut().peer_addr = self.client;
        exchanged.turn = Some(turn);
        Exchange::begin(self.app.call(request), exchanged)
    }

    fn refusal(&self, error: ApiError, head: ReadHead, exchanged: Exchanged) -> Exchange<A::Future, B> {
        let refused = Refused {
            error,
            head: Some(head),
            peer: self.client.map(|client| client.ip()),
        };
        let answer = self.state.worker().refusals().answer(&refused);
        Exchange::answered(answer::parsed(&answer), exchanged)
    }

    /// Ends the connection where it is time, and waits for that no longer than it may take.
    fn end_as_due(&mut self, cx: &mut Context<'_>, has_answered: bool) -> Result<(), Over> {
        let due = self.due(has_answered);
        let Stage::Runs(connection) = &mut self.stage else {
            return Ok(());
        };
        if due > self.ending {
            self.ending = due;
            self.patience = None;
            match due {
                Ending::Cut => connection.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM),
                Ending::Announced | Ending::No => connection.graceful_shutdown(),
            }
            cx.waker().wake_by_ref();
        }
        let read_off = self.state.worker().read_off();
        let most = match self.ending {
            Ending::No => None,
            Ending::Announced => self.exchanges.is_empty().then_some(read_off),
            // It is announced, and what still comes is read off.
            Ending::Cut => Some(2 * read_off),
        };
        let Some(most) = most else {
            self.patience = None;
            return Ok(());
        };
        let patience = self.patience.get_or_insert_with(|| Box::pin(sleep(most)));
        if patience.as_mut().poll(cx).is_pending() {
            return Ok(());
        }
        if self.ending == Ending::Cut {
            return Err(Over);
        }
        // The client has not answered the PING that says that it has heard of the end.
        self.ending = Ending::Cut;
        self.patience = None;
        connection.abrupt_shutdown(Reason::NO_ERROR);
        cx.waker().wake_by_ref();
        Ok(())
    }

    /// How the connection is to end now.
    fn due(&self, has_answered: bool) -> Ending {
        if self.wire.borrow().is_flooded() {
            let is_first = self.ending < Ending::Cut;
            if is_first
                && let Some(client) = self.client
                && !FLOODS.again_at(Instant::now())
            {
                log::warn!(
                    "a connection from {} was closed: it floods with HTTP/2 frames that ask for nothing",
                    client.ip()
                );
            }
            return Ending::Cut;
        }
        let ending = self.state.ending();
        if self.outflow.is_stuck() || ending == Some(End::SlowHead) {
            return Ending::Cut;
        }
        let is_last = has_answered && (self.has_no_place || self.options.state.is_draining());
        // No request is cut by an end that is announced, so it need not be an answer that does it.
        if ending.is_some() || self.state.takes_leave() || self.state.is_due() || is_last {
            return Ending::Announced;
        }
        Ending::No
    }
}

impl<S, A, B> Future for Driver<S, A, B>
where
    S: AsyncRead + AsyncWrite + Unpin,
    A: Service<Request>,
    A::Response: Into<Response<B>>,
    A::Error: Into<Response<BoxBody>>,
    B: MessageBody + 'static,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.get_mut().turn(cx) {
            Ok(()) => Poll::Pending,
            Err(Over) => Poll::Ready(()),
        }
    }
}
