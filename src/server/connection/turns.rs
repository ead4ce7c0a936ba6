//! Turns: the service in front of the application knows which request each connection answers.
use std::cell::RefCell;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::MessageBody;
use actix_http::error::PayloadError;
use actix_http::header::CONTENT_LENGTH;
use actix_http::{ConnectionType, HttpMessage as _, Method, Payload, Request, Response};
use actix_service::{Service, ServiceFactory, apply_fn_factory};
use bytes::Bytes;
use futures::Stream;

use super::gate::Framing;
use super::paced_body::PacedBody;
use super::state::ConnectionState;

/// Puts turns around an application: reading is paced by them, and so are the bodies of its answers.
pub(in crate::server) fn in_turns<S, B>(
    app: S,
) -> impl ServiceFactory<
    Request,
    Config = (),
    Response = Response<PacedBody<B>>,
    Error = S::Error,
    InitError = S::InitError,
    Service: 'static,
>
where
    S: ServiceFactory<Request, Config = ()> + 'static,
    S::Service: 'static,
    S::Response: Into<Response<B>>,
    B: MessageBody + 'static,
{
    apply_fn_factory(app, |mut request: Request, app: &S::Service| {
        let turn = Turn::begin(&mut request);
        let answer = app.call(request);
        async move {
            let mut answer: Response<B> = answer.await?.into();
            if let Some(turn) = &turn {
                turn.state.answer_request();
                if turn.state.has_no_place() || turn.state.ending().is_some() || turn.state.is_due() {
                    answer.head_mut().set_connection_type(ConnectionType::Close);
                }
            }
            Ok(answer.map_body(|_, body| PacedBody::new(body, turn)))
        }
    })
}

/// A request in progress: from its head to the last byte of its answer that the dispatcher has taken.
pub(in crate::server) struct Turn {
    state: Rc<ConnectionState>,
    body: RequestBody,
}

impl Turn {
    /// Begins the turn of a request; `None` where it came over no connection, as only tests do it.
    fn begin(request: &mut Request) -> Option<Self> {
        let state = Rc::clone(request.conn_data::<Rc<ConnectionState>>()?);
        let body = RequestBody::of(request);
        let wants_body = !matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
        state
            .given_head()
            .begin(|| (!matches!(body, RequestBody::None)).then(|| framing(request)));
        state.begin_request(wants_body && !matches!(body, RequestBody::None));
        Some(Self { state, body })
    }
}

/// How the body of a request is framed that has one.
fn framing(request: &Request) -> Framing {
    let length = request.headers().get(CONTENT_LENGTH);
    match length.and_then(|length| length.to_str().ok()?.trim().parse().ok()) {
        _ if request.chunked().unwrap_or(true) => Framing::Chunked,
        Some(length) => Framing::Length(length),
        // A tunnel (CONNECT), which nobody builds here.
        None => Framing::Unknown,
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.state.end_request(!matches!(self.body, RequestBody::None));
    }
}

/// The body of the request in progress.
enum RequestBody {
    None,
    /// Its handler's alone.
    Given,
    /// Kept until the answer has been sent.
    Kept {
        _payload: Rc<RefCell<Payload>>,
    },
}

impl RequestBody {
    /// Keeps the body where it may never end.
    ///
    /// The dispatcher reads off a chunked body that its handler has dropped, for ever; and any body that was dropped
    /// while the answer is awaited. While somebody holds it, an answer before its end ends the connection, a second
    /// later at most (`client_disconnect_timeout`). Handlers of `POST` and `PUT` read their body or answer at once, where it has a length.
    fn of(request: &mut Request) -> Self {
        if matches!(request.payload(), Payload::None) {
            return Self::None;
        }
        if matches!(*request.method(), Method::POST | Method::PUT) && !request.chunked().unwrap_or(true) {
            return Self::Given;
        }
        let payload = Rc::new(RefCell::new(request.take_payload()));
        *request.payload() = Payload::Stream {
            payload: Box::pin(KeptBody(Rc::clone(&payload))),
        };
        Self::Kept { _payload: payload }
    }
}

/// The handler's end of a body that is kept.
struct KeptBody(Rc<RefCell<Payload>>);

impl Stream for KeptBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Pin::new(&mut *self.0.borrow_mut()).poll_next(cx)
    }
}
