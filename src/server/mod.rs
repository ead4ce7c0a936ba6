//! The HTTP server under the application: HTTP/1, and HTTP/2 where it is asked for, with the socket options that event
//! streams need.
//!
//! `actix_web::HttpServer` would serve HTTP/1 as well, but each of its connections is ready to become HTTP/2 (awc switches
//! that feature on), which costs 2 KiB: 13.4 instead of 11.4 KiB resident for an event stream, with the system's
//! allocator. Here it is known what a connection speaks before anything is made for it.
//!
//! # Layout
//! - `listener`: what is bound, first of all.
//! - `service`: what the workers make of what is accepted.
//! - `connection`: the wrapper around each connection, and what its requests know of it.
//! - [`tls`]: TLS below connections.
//! - `by_protocol`, `h2`: what serves it, where it speaks HTTP/2 too.
//! - `in_progress`: what the application is told of a request in progress.
//! - `socket_options`: what is set on each connection's socket.
//! - `ending`: how the server ends; it uses the three below.
//! - `door`: how a listener closes.
//! - `stop_signal`: how the workers hear of a stop, and from them their connections.
//! - `places`: how many connections there are and may be.
//! - [`open_files`]: how many descriptors the system allows, and how they are shared out.
mod by_protocol;
mod connection;
mod door;
mod ending;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod h2;
mod in_progress;
mod listener;
pub mod open_files;
mod places;
mod service;
mod socket_options;
mod stop_signal;
pub mod tls;

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix_http::body::MessageBody;
use actix_http::{Request, Response};
use actix_server::Server;
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_web::Error;
use actix_web::dev::AppConfig;

use crate::budget::Budgets;
use crate::live::Live;
use crate::service_state::ServiceState;

use connection::Plain;
use door::Door;
use listener::Listener;
use stop_signal::ServerStop;
use tls::{Secure, TlsTerms};

pub(crate) use connection::{ConnectionTerms, PlannedEnd, Prefaces, RefusalAnswers, Refused};
pub(crate) use ending::Ending;
pub(crate) use in_progress::{InProgress, wait_aside};
pub(crate) use listener::{BoundListener, bind, try_bind};
pub(crate) use places::{Places, Protocol};
pub(crate) use socket_options::SocketOptions;

/// How many threads compress large answers for each HTTP worker. More would only wait for each other's core.
const BLOCKING_THREADS: usize = 4;

/// How the server treats its connections.
#[derive(Debug, Clone)]
pub(crate) struct ServerOptions {
    /// How many HTTP workers there are.
    pub workers: usize,
    /// How many connections there may be.
    pub places: Places,
    /// How long an idle connection stays open.
    pub keep_alive: Duration,
    /// The longest time from a head's first byte to its last, and from a connection's start to the end of its first
    /// head.
    pub request_head: Duration,
    /// What a new configuration changes of connections that are there.
    pub connections: Live<ConnectionTerms>,
    /// How long the server reads off what a client still sends after the end of a connection was announced.
    pub disconnect: Duration,
    /// How long a graceful stop waits for requests in flight.
    pub shutdown_timeout: Duration,
    /// What is set on each connection's socket.
    pub socket: SocketOptions,
    /// What all connections together may hold.
    pub budgets: Budgets,
    /// Whose connections begin with the client's address.
    pub prefaces: Prefaces,
    /// What answers to what is no request.
    pub refusals: RefusalAnswers,
    /// What is agreed with clients over TLS; `None`: plain HTTP is spoken.
    pub tls: Option<TlsTerms>,
    /// Whether a client may begin with HTTP/2, because it knows beforehand that it is spoken here.
    pub h2c: bool,
    /// Tells whether the process drains.
    pub state: Arc<ServiceState>,
}

/// A server that answers while its future is polled.
pub(crate) struct Serving {
    /// Resolves when it has stopped.
    pub server: Server,
    /// How it stops.
    pub ending: Ending,
}

/// Starts the workers on bound listeners, once the server is polled. It calls `app` once for each worker and listener, and
/// again where a worker restarts.
///
/// # Errors
/// Where the system refuses a listener to the workers.
pub(crate) fn serve<F, I, S, B>(
    listeners: Vec<BoundListener>,
    options: ServerOptions,
    app: F,
) -> io::Result<Serving>
where
    F: Fn() -> I + Send + Clone + 'static,
    I: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig, Error = Error> + 'static,
    S::Response: Into<Response<B>> + 'static,
    S::InitError: fmt::Debug,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let mut server = Server::build()
        .disable_signals()
        .workers(options.workers)
        .worker_max_blocking_threads(BLOCKING_THREADS)
        .max_concurrent_connections(options.places.shares().of_a_worker)
        // Whoever asks for the stop keeps the bound to the fraction of a second; this one only knows whole seconds.
        .shutdown_timeout(options.shutdown_timeout.as_secs().saturating_add(1));
    let stop = ServerStop::default();
    let mut doors = Vec::new();
    for BoundListener { listener, .. } in listeners {
        let Listener::Tcp(listener) = listener;
        doors.push(Door::of(&listener)?);
        let app = app.clone();
        server = match options.tls.clone() {
            None => service::listen(server, listener, Plain, &options, &stop, app)?,
            Some(terms) => service::listen(server, listener, Secure::new(terms), &options, &stop, app)?,
        };
    }
    let server = server.run();
    let ending = Ending::new(server.handle(), doors, stop, options.places);
    Ok(Serving { server, ending })
}
