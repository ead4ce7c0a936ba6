//! The service in front of the application: it knows which request each connection answers.
use std::rc::Rc;

use actix_http::body::MessageBody;
use actix_http::{Payload, Request, Response};
use actix_service::{Service, ServiceFactory, apply_fn_factory};

use super::paced_body::PacedBody;
use super::state::{ConnectionState, Turn};

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
        let has_body = !matches!(request.payload(), Payload::None);
        // There is one in every request that came over a connection.
        let turn = request
            .conn_data::<Rc<ConnectionState>>()
            .map(|state| Turn::begin(state, has_body));
        let answer = app.call(request);
        async move {
            let answer: Response<B> = answer.await?.into();
            if let Some(turn) = &turn {
                turn.answer();
            }
            Ok(answer.map_body(|_, body| PacedBody::new(body, turn)))
        }
    })
}
