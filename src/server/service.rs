//! The service of a listener: each accepted socket becomes a connection, which HTTP/1 or HTTP/2 is spoken over.
use std::fmt;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::error::DispatchError;
use actix_http::{HttpService, Request, Response};
use actix_server::ServerBuilder;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, fn_service, map_config};
use actix_web::Error;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;

use super::ServerOptions;
use super::by_protocol::{Begun, by_protocol};
use super::connection::{
    Arrival, ByteStream as _, Connection, ConnectionTimes, Opening, SLICE, Worker, in_turns,
};
use super::h2::Http2Options;
use super::socket_options;
use super::stop_signal::{self, ServerStop};

/// Adds a listener to the server. What comes in becomes a connection by `opening`.
///
/// # Errors
/// Where the system refuses the listener to the workers.
pub(super) fn listen<O, F, I, S, B>(
    server: ServerBuilder,
    listener: TcpListener,
    opening: O,
    options: &ServerOptions,
    stop: &ServerStop,
    app: F,
) -> io::Result<ServerBuilder>
where
    O: Opening,
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error = Error> + 'static,
    S::Response: Into<Response<B>> + 'static,
    S::InitError: fmt::Debug,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let (options, stop) = (options.clone(), stop.clone());
    server.listen("http", listener, move || {
        let worker = start_worker(&options, &stop);
        let app = map_config(app(), |()| AppConfig::default()).map_err(|error: Error| error.error_response());
        let (keep_alive, disconnect) = (options.keep_alive, options.disconnect);
        let http1 = move |app| {
            HttpService::build()
                .keep_alive(keep_alive)
                // The worker times heads itself.
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(disconnect)
                .h1_write_buffer_size(SLICE)
                .on_connect_ext(|connection: &Connection<O::Stream>, data| {
                    data.insert(Rc::clone(connection.state()));
                })
                .h1(in_turns(app))
        };
        let http2 = Http2Options {
            unacknowledged: options.socket.unacknowledged,
            requests: options.budgets.request_bodies.clone(),
            state: Arc::clone(&options.state),
        };
        let h2c = options.h2c;
        let (socket, prefaces, opening) = (options.socket, options.prefaces.clone(), opening.clone());
        let accepted = fn_service(move |stream: TcpStream| {
            socket.set(&stream);
            let arrival = Arrival::admit(stream, &worker).map_err(|mut stream| {
                opening.turn_away(&mut stream, &worker);
            });
            let (prefaces, opening) = (prefaces.clone(), opening.clone());
            async move {
                let connection = match arrival {
                    Ok(arrival) => match arrival.introduced(&prefaces).await {
                        Some(arrival) => opening.open(arrival).await,
                        None => None,
                    },
                    Err(()) => None,
                };
                // Nobody hears of the error; the socket closes.
                let mut connection =
                    connection.ok_or_else(|| DispatchError::Io(io::ErrorKind::ConnectionRefused.into()))?;
                if connection.speaks_http2(h2c).await {
                    let (stream, connection) = connection.into_http2();
                    socket_options::let_answers_share(stream.socket());
                    return Ok(Begun::Http2(stream, connection));
                }
                Ok(Begun::Http1(connection))
            }
        });
        accepted.and_then(by_protocol(app, http1, http2))
    })
}

/// Starts what the connections of this thread share.
fn start_worker(options: &ServerOptions, stop: &ServerStop) -> Rc<Worker> {
    let terms = *options.connections.newest();
    let times = ConnectionTimes {
        request_head: options.request_head,
        keep_alive: options.keep_alive,
        read_off: options.disconnect,
        planned_end: terms.planned_end,
    };
    let worker = Worker::start(
        times,
        terms.requests_in_flight,
        &options.budgets.unsent_answers,
        &options.places,
        &options.refusals,
    );
    worker.follow(&options.connections);
    let told = Rc::downgrade(&worker);
    stop_signal::follow(stop, move || {
        if let Some(worker) = told.upgrade() {
            worker.begin_stop();
        }
    });
    worker
}
