//! Exchanges: one stream each, from its request to the last byte of its answer.
//!
//! A client gives up a request by a reset of its stream. The exchange hears of it whatever it waits for, and drops the
//! handler or the body: the subscription of an event stream ends at once, and the other streams go on.
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use ::h2::server::SendResponse;
use ::h2::{Reason, SendStream};
use actix_http::Response;
use actix_http::body::{BodySize, BoxBody, EitherBody, MessageBody};
use bytes::Bytes;
use pin_project_lite::pin_project;
use tokio::time::{Sleep, sleep};

use super::answer;
use super::heads::HeldHead;
use super::outflow::{Outflow, Place};
use super::stream_state::StreamTurn;
use crate::server::connection::PacedBody;

/// The body of an answer: the application's, or that of an error or a refusal.
type AnswerBody<B> = PacedBody<EitherBody<B, BoxBody>>;

/// What an exchange needs for as long as it lasts.
pub(super) struct Exchanged {
    /// The way to the client.
    pub respond: SendResponse<Bytes>,
    /// Whether HEAD was asked for.
    pub is_head: bool,
    /// What it shares with the others of its connection.
    pub outflow: Rc<Outflow>,
    /// How long its client may open no window.
    pub patience: Duration,
    /// The turn of its request; `None`: it was refused before it was one.
    pub turn: Option<StreamTurn>,
    /// What its head takes, until the answer is there.
    pub held: Option<HeldHead>,
}

pin_project! {
    /// One exchange. Its output is nothing: what fails is told to the client by a reset.
    pub(super) struct Exchange<F, B> {
        #[pin]
        stage: Stage<F, B>,
        exchanged: Exchanged,
    }
}

pin_project! {
    #[project = Staged]
    enum Stage<F, B> {
        /// The application works at it.
        Answering { #[pin] call: F },
        /// The answer is ready, and nothing of it has been sent.
        Answered { answer: Option<Response<EitherBody<B, BoxBody>>> },
        /// Its body is sent.
        Sending { #[pin] body: AnswerBody<B>, sending: Sending },
    }
}

/// How far a body has been sent.
struct Sending {
    stream: SendStream<Bytes>,
    /// What is to be sent next.
    piece: Bytes,
    /// How much is left in all, where that is known.
    left: Option<u64>,
    stall: Option<Stall>,
    /// Where it waits for room on the connection.
    place: Place,
}

/// The client's window has no room.
struct Stall {
    until: Pin<Box<Sleep>>,
    /// What all exchanges had sent when it began.
    sent: u64,
}

impl<F, B: MessageBody + 'static> Exchange<F, B> {
    /// Begins with the application's work.
    pub(super) fn begin(call: F, exchanged: Exchanged) -> Self {
        Self {
            stage: Stage::Answering { call },
            exchanged,
        }
    }

    /// Begins with an answer that the application has no part in.
    pub(super) fn answered(answer: Response<BoxBody>, exchanged: Exchanged) -> Self {
        let answer = answer.map_body(|_, body| EitherBody::right(body));
        Self {
            stage: Stage::Answered { answer: Some(answer) },
            exchanged,
        }
    }
}

impl<F, B, R, E> Future for Exchange<F, B>
where
    F: Future<Output = Result<R, E>>,
    R: Into<Response<B>>,
    E: Into<Response<BoxBody>>,
    B: MessageBody + 'static,
{
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let mut this = self.project();
        let exchanged = this.exchanged;
        loop {
            let next = match this.stage.as_mut().project() {
                Staged::Answering { call } => match call.poll(cx) {
                    Poll::Ready(outcome) => Stage::Answered {
                        answer: Some(either(outcome)),
                    },
                    // It tells of a reset, or that the connection is gone.
                    Poll::Pending => return exchanged.respond.poll_reset(cx).map(drop),
                },
                Staged::Answered { answer } => {
                    let begun = answer.take().and_then(|answer| exchanged.send_head(answer));
                    let Some((body, sending)) = begun else {
                        return Poll::Ready(());
                    };
                    Stage::Sending { body, sending }
                }
                Staged::Sending { body, sending } => return exchanged.poll_send(body, sending, cx),
            };
            this.stage.set(next);
        }
    }
}

fn either<R, E, B>(outcome: Result<R, E>) -> Response<EitherBody<B, BoxBody>>
where
    R: Into<Response<B>>,
    E: Into<Response<BoxBody>>,
{
    match outcome {
        Ok(answer) => answer.into().map_body(|_, body| EitherBody::left(body)),
        Err(error) => error.into().map_body(|_, body| EitherBody::right(body)),
    }
}

impl Exchanged {
    /// Sends the head; `None`: there is nothing more to send.
    fn send_head<B: MessageBody + 'static>(
        &mut self,
        answer: Response<EitherBody<B, BoxBody>>,
    ) -> Option<(AnswerBody<B>, Sending)> {
        if let Some(turn) = &self.turn {
            turn.answer();
        }
        // The request has gone with its handler, however long the answer takes.
        self.held = None;
        let (head, size) = answer::head(answer.head(), answer.body().size());
        let is_whole = self.is_head || size.is_eof();
        // An error: its client has gone, or has given it up.
        let stream = self.respond.send_response(head, is_whole).ok()?;
        self.outflow.note_head();
        if is_whole {
            self.outflow.note_answer();
            return None;
        }
        let sending = Sending {
            stream,
            piece: Bytes::new(),
            left: match size {
                BodySize::Sized(bytes) => Some(bytes),
                BodySize::None | BodySize::Stream => None,
            },
            stall: None,
            place: self.outflow.place(),
        };
        Some((PacedBody::new(answer.into_body(), None), sending))
    }

    /// Sends what the body yields, as the client's windows and the outflow have room.
    fn poll_send<B: MessageBody + 'static>(
        &self,
        mut body: Pin<&mut AnswerBody<B>>,
        sending: &mut Sending,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        loop {
            if sending.piece.is_empty() {
                match body.as_mut().poll_next(cx) {
                    Poll::Ready(Some(Ok(piece))) => sending.piece = piece,
                    Poll::Ready(None) => {
                        self.end(sending);
                        return Poll::Ready(());
                    }
                    // It is cut, so that its client does not take it for whole.
                    Poll::Ready(Some(Err(_))) => {
                        sending.stream.send_reset(Reason::INTERNAL_ERROR);
                        return Poll::Ready(());
                    }
                    Poll::Pending => return sending.stream.poll_reset(cx).map(drop),
                }
                continue;
            }
            if self.outflow.poll_room(&mut sending.place, cx).is_pending() {
                return sending.stream.poll_reset(cx).map(drop);
            }
            let Some(room) = ready!(self.poll_window(sending, cx)) else {
                return Poll::Ready(());
            };
            if self.send_piece(sending, room) {
                return Poll::Ready(());
            }
        }
    }

    /// Sends what there is room for; `true`: that was all, or its client is gone.
    fn send_piece(&self, sending: &mut Sending, room: usize) -> bool {
        let piece = sending.piece.split_to(room.min(sending.piece.len()));
        sending.left = sending.left.map(|left| left.saturating_sub(piece.len() as u64));
        let is_whole = sending.piece.is_empty() && sending.left == Some(0);
        self.outflow.note_piece(piece.len(), !sending.piece.is_empty());
        if sending.stream.send_data(piece, is_whole).is_err() {
            return true;
        }
        if is_whole {
            self.outflow.note_answer();
        }
        is_whole
    }

    /// Ends a body whose length was not known, or one that is shorter than it said.
    fn end(&self, sending: &mut Sending) {
        if sending.left.is_some_and(|left| left > 0) {
            sending.stream.send_reset(Reason::INTERNAL_ERROR);
        } else if sending.stream.send_data(Bytes::new(), true).is_ok() {
            self.outflow.note_answer();
        }
    }

    /// Resolves to the room that the client's windows have; `None`: it is gone, or has opened none in time.
    fn poll_window(&self, sending: &mut Sending, cx: &mut Context<'_>) -> Poll<Option<usize>> {
        sending.stream.reserve_capacity(sending.piece.len());
        loop {
            let room = sending.stream.capacity();
            if room > 0 {
                sending.stall = None;
                return Poll::Ready(Some(room));
            }
            match sending.stream.poll_capacity(cx) {
                Poll::Ready(Some(Ok(_))) => {}
                Poll::Ready(None | Some(Err(_))) => return Poll::Ready(None),
                Poll::Pending => break,
            }
        }
        let sent = self.outflow.sent();
        let stall = sending.stall.get_or_insert_with(|| Stall {
            until: Box::pin(sleep(self.patience)),
            sent,
        });
        ready!(stall.until.as_mut().poll(cx));
        if stall.sent == sent {
            self.outflow.is_stuck_now();
        }
        sending.stream.send_reset(Reason::CANCEL);
        Poll::Ready(None)
    }
}
