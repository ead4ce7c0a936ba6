//! What a connection speaks decides what serves it: HTTP/1 or HTTP/2, both over one application.
//!
//! The future of HTTP/1 is as large as it was by itself; that of HTTP/2 is in a box.
use std::fmt;
use std::future::{Ready, ready};
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::rc::Rc;
use std::task::{Context, Poll};

use actix_http::body::{BoxBody, MessageBody};
use actix_http::error::DispatchError;
use actix_http::{Request, Response};
use actix_service::{Service, ServiceFactory, fn_factory};
use futures::FutureExt as _;
use futures::future::{Either, LocalBoxFuture};

use super::connection::{ByteStream, Connection};
use super::h2::{self, Http2Connection, Http2Options};
use super::places::Protocol;

/// A connection that begins.
pub(super) enum Begun<S> {
    /// HTTP/1 is spoken over it, as far as one knows.
    Http1(Connection<S>),
    /// HTTP/2 is.
    Http2(S, Http2Connection),
}

/// An application that was made already: each protocol gets the same one.
pub(super) struct Made<A>(Rc<A>);

impl<A: Service<Request>> ServiceFactory<Request> for Made<A> {
    type Response = A::Response;
    type Error = A::Error;
    type Config = ();
    type Service = Rc<A>;
    type InitError = ();
    type Future = Ready<Result<Rc<A>, ()>>;

    fn new_service(&self, (): ()) -> Self::Future {
        ready(Ok(Rc::clone(&self.0)))
    }
}

/// Serves connections by an application. `http1` makes what serves HTTP/1.
pub(super) fn by_protocol<C, F, H, M, B>(
    app: F,
    http1: M,
    options: Http2Options,
) -> impl ServiceFactory<
    Begun<C>,
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = (),
    Service: 'static,
>
where
    C: ByteStream + 'static,
    F: ServiceFactory<Request, Config = ()> + 'static,
    F::Service: 'static,
    F::Response: Into<Response<B>> + 'static,
    F::Error: Into<Response<BoxBody>> + 'static,
    F::InitError: fmt::Debug,
    M: Fn(Made<F::Service>) -> H + 'static,
    H: ServiceFactory<
            (Connection<C>, Option<SocketAddr>),
            Config = (),
            Response = (),
            Error = DispatchError,
            InitError = (),
        > + 'static,
    H::Service: 'static,
    B: MessageBody + 'static,
{
    let http1 = Rc::new(http1);
    fn_factory(move || {
        let made = app.new_service(());
        let (http1, options) = (Rc::clone(&http1), options.clone());
        async move {
            let app = Rc::new(
                made.await
                    .map_err(|error| log::error!("no application: {error:?}"))?,
            );
            let http1 = http1(Made(Rc::clone(&app))).new_service(()).await?;
            Ok::<_, ()>(ByProtocol {
                http1,
                app,
                options,
                _body: PhantomData,
            })
        }
    })
}

/// Serves the connections of one worker.
struct ByProtocol<H, A, B> {
    http1: H,
    app: Rc<A>,
    options: Http2Options,
    _body: PhantomData<B>,
}

impl<C, H, A, B> Service<Begun<C>> for ByProtocol<H, A, B>
where
    C: ByteStream + 'static,
    H: Service<(Connection<C>, Option<SocketAddr>), Response = (), Error = DispatchError>,
    A: Service<Request> + 'static,
    A::Response: Into<Response<B>> + 'static,
    A::Error: Into<Response<BoxBody>> + 'static,
    B: MessageBody + 'static,
{
    type Response = ();
    type Error = DispatchError;
    type Future = Either<H::Future, LocalBoxFuture<'static, Result<(), DispatchError>>>;

    fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<Result<(), DispatchError>> {
        // It asks the application, which is the same for both.
        self.http1.poll_ready(cx)
    }

    fn call(&self, begun: Begun<C>) -> Self::Future {
        match begun {
            Begun::Http1(mut connection) => {
                connection.speaks_http1();
                let peer = connection.peer_address();
                Either::Left(self.http1.call((connection, peer)))
            }
            Begun::Http2(stream, mut connection) => {
                connection.open.speaks(Protocol::Http2);
                let served = h2::serve(stream, connection, &self.options, Rc::clone(&self.app));
                Either::Right(served.map(Ok).boxed_local())
            }
        }
    }
}
