//! The HTTP server under the application: HTTP/1 alone, with the socket options that event streams need.
//!
//! `actix_web::HttpServer` would do the same, but its connections are ready to become HTTP/2 (awc switches that feature
//! on), which a plaintext listener never is asked for, and which costs 2 KiB a connection: 13.4 instead of 11.4 KiB
//! resident for an event stream, with the system's allocator.
use std::fmt;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::{HttpService, Request, Response};
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactory, ServiceFactoryExt as _, map_config};
use actix_web::Error;
use actix_web::dev::AppConfig;
use actix_web::rt::net::TcpStream;
use socket2::SockRef;

use crate::stop_signal::WorkerStop;

/// Connections that may wait to be accepted: all subscribers of a process that went away come back at once.
const BACKLOG: i32 = 4096;

/// Threads for compressing large answers, for each HTTP worker. More would only wait for each other's core.
const BLOCKING_THREADS: usize = 4;

/// How the server treats its connections.
#[derive(Debug, Clone)]
pub struct ServerOptions {
    /// HTTP workers.
    pub workers: usize,
    /// Connections of each worker.
    pub max_connections: usize,
    /// How long an idle connection stays open.
    pub keep_alive: Duration,
    /// From a connection's start to the end of its first request's head.
    pub request_head: Duration,
    /// How long what a client still sends is read off after an answer that ends the connection.
    pub disconnect: Duration,
    /// How long a graceful stop waits for requests in flight.
    pub shutdown_timeout: Duration,
    /// How long a peer may leave bytes unread or unacknowledged before its connection is dropped.
    pub unacknowledged: Duration,
    /// The kernel's send buffer of each connection; `None` = the system's own.
    pub send_buffer: Option<usize>,
}

/// Binds and starts the workers; `app` is called once for each, and again where a worker is restarted.
///
/// # Errors
/// Where the address cannot be bound.
pub fn start<F, I, S, B>(
    address: SocketAddr,
    options: ServerOptions,
    app: F,
) -> io::Result<(Server, SocketAddr)>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error = Error> + 'static,
    S::Response: Into<Response<B>> + 'static,
    S::InitError: fmt::Debug,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let listener = TcpListener::bind(address)?;
    SockRef::from(&listener).listen(BACKLOG)?;
    let bound = listener.local_addr()?;
    let server = Server::build()
        .disable_signals()
        .workers(options.workers)
        .worker_max_blocking_threads(BLOCKING_THREADS)
        .max_concurrent_connections(options.max_connections)
        // The bound is kept by who asks it to stop, to the fraction of a second.
        .shutdown_timeout(options.shutdown_timeout.as_secs().saturating_add(1));
    let stops = server.graceful_shutdown_signal();
    let server = server.listen("http", listener, move || {
        let (stop, options) = (WorkerStop::follow(stops.clone()), options.clone());
        let app = map_config(app(), |()| AppConfig::default()).map_err(|error: Error| error.error_response());
        HttpService::build()
            .graceful_shutdown_signal(move || stop.begun())
            .keep_alive(options.keep_alive)
            .client_request_timeout(options.request_head)
            .client_disconnect_timeout(options.disconnect)
            .local_addr(bound)
            .on_connect_ext(move |connection: &TcpStream, _| set_socket_options(connection, &options))
            .h1(app)
            .tcp()
    })?;
    Ok((server.run(), bound))
}

/// A socket that refuses an option serves all the same.
fn set_socket_options(connection: &TcpStream, options: &ServerOptions) {
    let socket = SockRef::from(connection);
    let send_buffer = options
        .send_buffer
        .map_or(Ok(()), |bytes| socket.set_send_buffer_size(bytes));
    for refused in [
        socket.set_tcp_nodelay(true),
        socket.set_tcp_user_timeout(Some(options.unacknowledged)),
        send_buffer,
    ]
    .into_iter()
    .filter_map(Result::err)
    {
        log::debug!("a socket option is refused: {refused}");
    }
}
