//! The HTTP server of the admin port: one worker, and small limits.
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::time::Duration;

use actix_web::dev::ServerHandle;
use actix_web::http::KeepAlive;
use actix_web::middleware::from_fn;
use actix_web::rt::net::TcpStream;
use actix_web::{App, HttpServer};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::{AdminContext, admission, configure};
use crate::server::{BoundListener, SocketOptions};

/// Connections at a time; more wait until one of them ends.
pub(crate) const CONNECTIONS: usize = 32;

/// From a connection's start to the end of its request's head.
const REQUEST_HEAD: Duration = Duration::from_secs(5);

/// How long an answer that ends its connection is waited for to be read.
const DISCONNECT: Duration = Duration::from_secs(1);

/// In whole seconds. Whoever stops it has less patience and cuts it.
const SHUTDOWN: u64 = 1;

/// A server that runs.
pub(crate) struct AdminServer {
    /// Its end is that of the streams.
    lives: watch::Sender<()>,
    handle: ServerHandle,
    running: JoinHandle<()>,
    /// What counts requests meanwhile.
    rates: JoinHandle<Infallible>,
}

/// Starts the server on bound listeners, with these options for each connection. Needs a running actix `System`.
///
/// # Errors
/// Where the system refuses a listener to it.
pub(crate) fn serve(
    listeners: Vec<BoundListener>,
    socket: SocketOptions,
    context: &AdminContext,
) -> io::Result<AdminServer> {
    let (lives, server_ends) = watch::channel(());
    let of_server = AdminContext {
        server_ends,
        ..context.clone()
    };
    let app = move || {
        App::new()
            .app_data(of_server.clone())
            .wrap(from_fn(admission::admit))
            .configure(configure)
    };
    let mut server = HttpServer::new(app)
        .workers(1)
        .worker_max_blocking_threads(1)
        .disable_signals()
        .max_connections(CONNECTIONS)
        // Who never reads would else hold a place for ever.
        .on_connect(move |connection, _| {
            if let Some(connection) = connection.downcast_ref::<TcpStream>() {
                socket.set(connection);
            }
        })
        // A request or two a scrape: a connection that stays open for the next one would hold up the stop.
        .keep_alive(KeepAlive::Disabled)
        .client_request_timeout(REQUEST_HEAD)
        .client_disconnect_timeout(DISCONNECT)
        .shutdown_timeout(SHUTDOWN);
    for listener in listeners {
        server = server.listen(listener.into_tcp())?;
    }
    let server = server.run();
    let handle = server.handle();
    let running = actix_rt::spawn(async move {
        if let Err(error) = server.await {
            log::error!("the admin port does not answer any more: {error}");
        }
    });
    let rates = context.rates.clone().follow(context.environments.clone());
    Ok(AdminServer {
        lives,
        handle,
        running,
        rates: actix_rt::spawn(rates),
    })
}

impl AdminServer {
    /// Stops it: no further connection is taken, and requests in hand are answered within this time, or cut. Whether nothing of it
    /// is left.
    pub(crate) async fn stop(self, patience: Duration) -> bool {
        drop(self.lives);
        self.rates.abort();
        let has_ended = timeout(patience, self.handle.stop(true)).await.is_ok();
        self.running.abort();
        has_ended
    }
}

impl fmt::Debug for AdminServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminServer")
    }
}
