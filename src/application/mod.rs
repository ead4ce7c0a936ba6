//! The composition root: settings become actors, routes and a server, and stop in the right order. Tests use it too.
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use actix_web::App;
use actix_web::dev::Server;
use actors::environment::EnvironmentHandle;
use actors::lifeline::Lifelines;
use actors::sse_hub::SseHubHandle;
use futures::{FutureExt as _, Stream, StreamExt as _};

mod admin;
mod bare;
mod limits;
mod listening;
mod parts;
mod reload;
pub mod requirements;
mod running;
mod signals;
mod stop;
mod unfollowed;
mod upstream;

use crate::admin::{Access, AdminContext};
use crate::budget::Budgets;
use crate::layers::{LayerOptions, Layers};
use crate::live::Live;
use crate::metrics::{Format, Metrics, ServerSources, Sources};
use crate::routes::{self, HeavyEvaluations, Patterns, Services, SharedServices, TableOptions};
use crate::server::tls::{Tls, TlsTerms};
use crate::server::{
    self, BoundListener, ConnectionTerms, Ending, Places, PlannedEnd, Prefaces, RefusalAnswers,
    ServerOptions, Serving,
};
use crate::service_state::ServiceState;
use crate::settings::{ConfigurationSource, Loaded, Settings};

use admin::AdminPort;
pub use bare::BareServer;
pub use limits::Limits;
pub(crate) use listening::try_addresses;
pub use listening::{ListenError, StartError};
use parts::LastFigures;
use reload::{Changeable, Reload};
use running::Running;
pub use signals::{Beginning, HangUps, Signals, StopSignal, StopSignals, outlive_limits_of_files};
use stop::{Cause, StopPlan, end_at_once};
pub use stop::{EXIT_ACTOR_DIED, Outcome, StopLimits};
pub(crate) use upstream::options as upstream_options;

/// Exit code where the system refuses what the process needs, such as its port (`EX_OSERR` of sysexits.h).
pub const EXIT_SYSTEM: u8 = 71;

/// A bound server with its actors running; it answers once [`Application::run_until_stopped`] is polled.
pub struct Application {
    server: Server,
    ending: Ending,
    addresses: Vec<SocketAddr>,
    scheme: &'static str,
    /// The configuration in force.
    settings: Settings,
    running: Running,
    changeable: Changeable,
    /// `None`: the configuration stays as it is.
    reload: Option<Reload>,
    lifelines: Lifelines,
    stop_limits: StopLimits,
}

impl Application {
    /// Binds the sockets, then starts the actors; the first fetches begin at once. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the certificate cannot be used or the address cannot be bound, and nothing has started then; or the system
    /// allows no further thread.
    pub fn build(settings: &Settings, limits: Limits) -> Result<Self, StartError> {
        let tls = settings.server.tls.as_ref();
        let tls = tls.map(|tls| Tls::load(tls, limits.file_period)).transpose()?;
        let listeners = listening::bind(&settings.server.host, settings.server.port)?;
        let admin = admin::bind(&settings.admin)?;
        let addresses: Vec<_> = listeners.iter().map(BoundListener::address).collect();
        let lifelines = Lifelines::new();
        let state = Arc::new(ServiceState::new(lifelines.clone()));
        let mut running = Running::start(settings, &limits, &lifelines).map_err(StartError::Thread)?;
        let budgets = Budgets::of(&settings.server.door);
        let places = limits.places(settings);
        let metrics = Metrics::default();
        let sources = Sources::new(
            metrics.clone(),
            (
                running.environments.clone(),
                running.hub.clone(),
                running.forwarding.clone(),
            ),
            ServerSources {
                places: places.clone(),
                budgets: budgets.clone(),
                state: Arc::clone(&state),
                certificate: tls.as_ref().map(|tls| Arc::clone(&tls.served)),
            },
        );
        let last_figures = LastFigures(sources.clone());
        let context = AdminContext::new(
            (running.environments.clone(), running.hub.clone()),
            Arc::clone(&state),
            (places.clone(), settings.process.workers),
            sources,
            running.switched_parts(),
            Access::of(&settings.admin),
        );
        if let Some(telemetry) = &running.telemetry {
            let context = context.clone();
            let read = move || {
                let context = context.clone();
                async move { context.exposed(Format::OpenMetrics).await }.boxed_local()
            };
            telemetry.send_figures(&settings.process, Box::new(read));
            running.started(last_figures);
        }
        let admin = AdminPort::start(admin, limits.socket(), context)?;
        running.started(admin.clone());
        let port = addresses.first().map_or(0, SocketAddr::port);
        let traces = running.telemetry.as_ref();
        let traces = traces.and_then(|telemetry| telemetry.requests(settings, port));
        let changeable = Changeable {
            admin,
            routes: Live::new(running.route_options(settings, None)),
            layers: Live::new(LayerOptions::new(settings, &metrics, traces.clone())),
            metrics: metrics.clone(),
            traces,
            budgets: budgets.clone(),
            places: places.clone(),
            connections: Live::new(connection_terms(settings)),
            state: Arc::clone(&state),
        };
        let connections = changeable.connections.clone();
        let table = TableOptions {
            prefix: settings.server.path_prefix.clone(),
            options: changeable.routes.clone(),
            is_traced: changeable.traces.is_some(),
        };
        let shared = Arc::new(SharedServices {
            environments: running.environments.clone(),
            hub: running.hub.clone(),
            forwarding: running.forwarding.clone(),
            state: Arc::clone(&state),
            budgets: budgets.clone(),
            heavy: HeavyEvaluations::new(settings.process.workers, limits.heavy_evaluations),
            options: changeable.routes.clone(),
            store: running.store.clone(),
            certificate: tls.as_ref().map(|tls| Arc::clone(&tls.served)),
        });
        let layer_options = changeable.layers.clone();
        let layers = Layers::new(
            layer_options,
            &settings.server.path_prefix,
            Arc::clone(&state),
            &budgets,
        );
        let refusals = layers.refusals();
        // Once for each worker and socket, and again where a worker is restarted.
        let app = move || {
            let mut patterns = Patterns::default();
            let routes = App::new()
                .app_data(Services::start(&shared))
                .configure(|config| patterns = routes::configure(config, &table));
            layers.around(routes, patterns)
        };
        let scheme = if tls.is_some() { "https" } else { "http" };
        let terms = tls.map(|tls| {
            running.started(tls.renewal.start());
            tls.terms
        });
        let options = server_options(
            settings,
            &limits,
            (places, budgets, connections),
            refusals,
            terms,
            &state,
        );
        let refused = |source| ListenError::new(&settings.server.host, source);
        let Serving { server, ending } = server::serve(listeners, options, app).map_err(refused)?;
        Ok(Self {
            server,
            ending,
            addresses,
            scheme,
            settings: settings.clone(),
            running,
            changeable,
            reload: None,
            lifelines,
            stop_limits: limits.stop,
        })
    }

    /// Follows the configuration from now on, while it serves: when its file changes, and at each of `hang_ups`, changed or
    /// not. `loaded`: what the application was built from.
    ///
    /// # Errors
    /// Where the system allows no thread to read the file.
    pub fn follow(
        &mut self,
        source: ConfigurationSource,
        loaded: &Loaded,
        hang_ups: impl Stream<Item = ()> + 'static,
    ) -> io::Result<()> {
        self.reload = Some(Reload::start(source, loaded, hang_ups)?);
        Ok(())
    }

    /// Where the server listens.
    pub fn addresses(&self) -> &[SocketAddr] {
        &self.addresses
    }

    /// The port it listens on, where the system chose it.
    pub fn port(&self) -> u16 {
        self.addresses.first().map_or(0, SocketAddr::port)
    }

    /// Where the admin port is; empty where there is none.
    pub fn admin_addresses(&self) -> Vec<SocketAddr> {
        self.changeable.admin.addresses()
    }

    /// The owner of the environments.
    pub fn environments(&self) -> &EnvironmentHandle {
        &self.running.environments
    }

    /// The hub of its event streams.
    pub fn hub(&self) -> &SseHubHandle {
        &self.running.hub
    }

    /// Serves until a signal asks for the stop or an actor dies, then stops in good order; the next signal ends that at
    /// once.
    ///
    /// The order of a stop: readiness fails, new event streams are refused and every answer ends its connection, while
    /// open streams end cleanly and everything else is served for `server.drain_seconds` (after SIGTERM); the listener
    /// closes; idle connections end; requests in flight are answered; after `server.shutdown_timeout_seconds` in all,
    /// the actors stop. It is driven by the server's handle and not by `HttpServer::shutdown_signal`, which would also
    /// stop the actix `System` under what comes after.
    ///
    /// # Errors
    /// Where the server cannot start its workers.
    pub async fn run_until_stopped(
        mut self,
        signals: impl Stream<Item = StopSignal> + Unpin,
    ) -> io::Result<Outcome> {
        // A stream that ends asks for nothing more.
        let mut signals = signals.chain(futures::stream::pending());
        for address in &self.addresses {
            log::info!("listening on {}://{address}", self.scheme);
        }
        let mut server = actix_rt::spawn(self.server);
        let cause = tokio::select! {
            Some(signal) = signals.next() => Cause::Asked(signal),
            actor = self.lifelines.first_death() => Cause::Death(actor),
            ended = &mut server => return Err(early_end(ended)),
            never = reloads(&mut self.reload, &mut self.settings, &mut self.running, &self.changeable) => match never {},
        };
        let state = &*self.changeable.state;
        state.start_draining();
        self.lifelines.disarm();
        match cause {
            Cause::Asked(_) => {
                log::info!("stopping: event streams and requests in flight are finished first");
            }
            Cause::Death(actor) => log::error!(
                "{actor} has died, which is a defect: stopping, so that the process is started anew"
            ),
        }
        let options = &self.settings.server;
        let plan = StopPlan::of(cause, options.shutdown_timeout, options.drain, &self.stop_limits);
        let (parts, ending) = (self.running.into_parts(), &self.ending);
        let in_order = async move {
            ending.started().await;
            plan.run(parts, ending, state).await;
        };
        let was_cut_by = tokio::select! {
            () = in_order => None,
            Some(signal) = signals.next() => end_at_once(ending, state).await.then_some(signal),
        };
        log::info!("stopped");
        Ok(match (cause, was_cut_by) {
            (Cause::Death(actor), _) => Outcome::ActorDied(actor),
            (Cause::Asked(_), Some(signal)) => Outcome::Cut(signal),
            (Cause::Asked(_), None) => Outcome::Stopped,
        })
    }
}

/// Follows the configuration, where it is followed.
async fn reloads(
    reload: &mut Option<Reload>,
    settings: &mut Settings,
    running: &mut Running,
    changeable: &Changeable,
) -> Infallible {
    match reload {
        Some(reload) => reload.run(settings, running, changeable).await,
        None => std::future::pending().await,
    }
}

fn early_end(ended: Result<io::Result<()>, tokio::task::JoinError>) -> io::Error {
    match ended {
        Ok(Ok(())) => io::Error::other("the server ended unasked"),
        Ok(Err(error)) => error,
        // actix-server panics where the system allows no thread for a worker.
        Err(error) => io::Error::other(format!("the HTTP workers cannot run: {error}")),
    }
}

/// What connections are told of these settings, also those that are there.
fn connection_terms(settings: &Settings) -> ConnectionTerms {
    let door = &settings.server.door;
    ConnectionTerms {
        planned_end: PlannedEnd {
            age: door.max_connection_age,
            requests: door.max_requests_per_connection,
        },
        requests_in_flight: door.max_requests_in_flight,
    }
}

fn server_options(
    settings: &Settings,
    limits: &Limits,
    (places, budgets, connections): (Places, Budgets, Live<ConnectionTerms>),
    refusals: RefusalAnswers,
    tls: Option<TlsTerms>,
    state: &Arc<ServiceState>,
) -> ServerOptions {
    let door = &settings.server.door;
    ServerOptions {
        workers: settings.process.workers,
        places,
        keep_alive: settings.server.timeout_keep_alive,
        request_head: door.request_head_timeout,
        connections,
        disconnect: limits.disconnect,
        shutdown_timeout: settings.server.shutdown_timeout,
        budgets,
        prefaces: Prefaces::new(settings.server.proxy_protocol, &settings.process.trusted_proxies),
        refusals,
        tls,
        h2c: settings.server.h2c,
        state: Arc::clone(state),
        socket: limits.socket(),
    }
}
