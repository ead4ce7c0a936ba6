//! The composition root: settings become actors, routes and a server, and stop in the right order. Tests use it too.
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::Server;
use actix_web::{App, HttpServer};
use actors::environment::{EnvironmentHandle, PollingOptions};
use actors::lifeline::Lifelines;

use crate::access_log::AccessLog;
use crate::cors::Cors;
use crate::drain;
use crate::routes::{self, worker::BodyLimits, worker::Worker};
use crate::service_state::ServiceState;
use crate::settings::Settings;

/// Exit code after an actor has died (`EX_SOFTWARE` of sysexits.h): an orchestrator should start the process anew.
pub const EXIT_ACTOR_DIED: u8 = 70;

/// Exit code where the system refuses what the process needs, such as its port (`EX_OSERR` of sysexits.h).
pub const EXIT_SYSTEM: u8 = 71;

/// How long it goes on answering after it was asked to stop: connections in use hear by `Connection: close` that they
/// end, and probes that it drains. actix closes the listener and idle connections as soon as its own stop begins.
const NOTICE_OF_STOP: Duration = Duration::from_millis(500);

/// How long requests in flight may take after an actor has died: the process must be gone within 5 s.
const DRAIN_AFTER_DEATH: Duration = Duration::from_secs(3);

/// Threads for compressing large answers, for each HTTP worker. More would only wait for each other's core.
const BLOCKING_THREADS: usize = 4;

/// Durations and limits that no option sets; tests shorten them.
#[derive(Debug, Clone)]
pub struct Limits {
    /// What a request's body may cost.
    pub body: BodyLimits,
    /// From a connection's start to the end of its first request's head; then 408.
    pub request_head: Duration,
    /// How long the server reads off what a client still sends after an answer that ends the connection.
    pub disconnect: Duration,
    /// How often a file source looks for a change.
    pub file_period: Duration,
    /// How long everything is still answered once the stop has begun; `server.shutdown_timeout_seconds` bounds it too.
    pub notice_of_stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body: BodyLimits {
                bytes: 1024 * 1024,
                duration: Duration::from_secs(10),
            },
            request_head: Duration::from_secs(5),
            disconnect: Duration::from_secs(1),
            file_period: PollingOptions::default().file_period,
            notice_of_stop: NOTICE_OF_STOP,
        }
    }
}

/// A bound server with its actors running; it answers once [`Application::run_until_stopped`] is polled.
pub struct Application {
    server: Server,
    addresses: Vec<SocketAddr>,
    environments: EnvironmentHandle,
    lifelines: Lifelines,
    state: Arc<ServiceState>,
    notice_of_stop: Duration,
    shutdown_timeout: Duration,
}

/// Why the process stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was asked to.
    Stopped,
    /// The actor of this name has died.
    ActorDied(&'static str),
}

impl Outcome {
    /// The process's exit code.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Stopped => 0,
            Self::ActorDied(_) => EXIT_ACTOR_DIED,
        }
    }
}

/// The server cannot listen where it should.
#[derive(Debug)]
pub struct ListenError {
    address: SocketAddr,
    source: io::Error,
}

impl std::error::Error for ListenError {}

impl fmt::Display for ListenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { address, source } = self;
        write!(
            f,
            "cannot listen on {address}: {source}; choose another server.host or server.port, or free this one"
        )
    }
}

impl Application {
    /// Binds the socket and starts the actors; the first fetches begin at once. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the address cannot be bound.
    pub fn build(settings: &Settings, limits: Limits) -> Result<Self, ListenError> {
        let lifelines = Lifelines::new();
        let state = Arc::new(ServiceState::new(lifelines.clone()));
        let polling = polling_options(settings, &limits);
        let environments = EnvironmentHandle::start(settings.environments.clone(), polling, None, &lifelines);
        let workers = WorkerFactory {
            environments: environments.clone(),
            state: Arc::clone(&state),
            body_limits: limits.body,
            stale_is_unready: settings.health_check.stale_is_unready,
        };
        let origins = settings.allow_origins.clone();
        let access_log = AccessLog::new(settings);
        let address = SocketAddr::new(settings.server.host, settings.server.port);
        // Once for each worker and socket, and again where a worker is restarted.
        let app = move || {
            let state = Arc::clone(&workers.state);
            let cors = Rc::new(Cors::new(origins.clone()));
            let access_log = Rc::new(access_log.clone());
            App::new()
                .app_data(workers.start_worker())
                .wrap_fn(move |request, routes| drain::apply(Arc::clone(&state), request, routes))
                .wrap_fn(move |request, routes| cors.apply(request, routes))
                .wrap_fn(move |request, routes| access_log.apply(request, routes))
                .configure(routes::configure)
        };
        let server = HttpServer::new(app)
            .disable_signals()
            .workers(settings.process.workers)
            .worker_max_blocking_threads(BLOCKING_THREADS)
            .keep_alive(settings.server.timeout_keep_alive)
            .client_request_timeout(limits.request_head)
            .client_disconnect_timeout(limits.disconnect)
            // The bound is kept by who asks it to stop, to the fraction of a second.
            .shutdown_timeout(settings.server.shutdown_timeout.as_secs().saturating_add(1))
            .tcp_nodelay(true)
            .bind(address)
            .map_err(|source| ListenError { address, source })?;
        let addresses = server.addrs();
        Ok(Self {
            server: server.run(),
            addresses,
            environments,
            lifelines,
            state,
            notice_of_stop: limits.notice_of_stop.min(settings.server.shutdown_timeout),
            shutdown_timeout: settings.server.shutdown_timeout,
        })
    }

    /// Where the server listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The port it listens on, where the system chose it.
    pub fn port(&self) -> u16 {
        self.addresses.first().map_or(0, SocketAddr::port)
    }

    /// The owner of the environments.
    pub fn environments(&self) -> &EnvironmentHandle {
        &self.environments
    }

    /// Serves until `stop` resolves or an actor dies, then lets requests in flight finish.
    ///
    /// The order of a stop: readiness fails and every answer ends its connection; the listener closes, idle connections
    /// with it; requests in flight are answered; after `server.shutdown_timeout_seconds` in all, the actors stop. It is driven by the server's handle
    /// and not by `HttpServer::shutdown_signal`, which would also stop the actix `System` under what comes after.
    ///
    /// # Errors
    /// Where the server cannot start its workers.
    pub async fn run_until_stopped(self, stop: impl Future<Output = ()>) -> io::Result<Outcome> {
        for address in &self.addresses {
            log::info!("listening on http://{address}");
        }
        let handle = self.server.handle();
        let mut server = actix_rt::spawn(self.server);
        let outcome = tokio::select! {
            () = stop => Outcome::Stopped,
            actor = self.lifelines.first_death() => Outcome::ActorDied(actor),
            ended = &mut server => return Err(early_end(ended)),
        };
        self.state.start_draining();
        self.lifelines.disarm();
        let patience = match outcome {
            Outcome::Stopped => {
                log::info!("stopping: requests in flight are finished first");
                tokio::time::sleep(self.notice_of_stop).await;
                self.shutdown_timeout.saturating_sub(self.notice_of_stop)
            }
            Outcome::ActorDied(actor) => {
                log::error!(
                    "{actor} has died, which is a defect: stopping, so that the process is started anew"
                );
                DRAIN_AFTER_DEATH
            }
        };
        if tokio::time::timeout(patience, handle.stop(true)).await.is_err() {
            log::warn!("requests were still in flight");
        }
        self.environments.stop();
        log::info!("stopped");
        Ok(outcome)
    }
}

/// Makes what the routes of one HTTP worker share, on the worker's thread.
#[derive(Clone)]
struct WorkerFactory {
    environments: EnvironmentHandle,
    state: Arc<ServiceState>,
    body_limits: BodyLimits,
    stale_is_unready: bool,
}

impl WorkerFactory {
    fn start_worker(&self) -> Worker {
        Worker {
            replica: self.environments.start_replica(),
            environments: self.environments.clone(),
            service: Arc::clone(&self.state),
            body_limits: self.body_limits,
            stale_is_unready: self.stale_is_unready,
        }
    }
}

fn early_end(ended: Result<io::Result<()>, tokio::task::JoinError>) -> io::Error {
    match ended {
        Ok(Ok(())) => io::Error::other("the server ended unasked"),
        Ok(Err(error)) => error,
        Err(error) => io::Error::other(error),
    }
}

fn polling_options(settings: &Settings, limits: &Limits) -> PollingOptions {
    PollingOptions {
        api_url: settings.api_url.clone(),
        period: settings.api_poll_frequency,
        timeout: settings.api_poll_timeout,
        unconditional_period: settings.api_poll_unconditional,
        file_period: limits.file_period,
        grace_period: settings.health_check.grace_period,
    }
}
