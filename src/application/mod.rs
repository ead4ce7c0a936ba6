//! The composition root: settings become actors, routes and a server, and stop in the right order. Tests use it too.
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use actix_web::App;
use actix_web::dev::Server;
use actors::analytics::{AnalyticsHandle, Tallies};
use actors::environment::EnvironmentHandle;
use actors::forwarding::ForwardingHandle;
use actors::lifeline::Lifelines;
use actors::sse_hub::SseHubHandle;
use actors::store::StoreHandle;
use actors::upstream::{DocumentMemory, UpstreamOptions};
use actors::upstream_stream::UpstreamStreamsHandle;
use actors::write_through::WriteThroughHandle;
use futures::{Stream, StreamExt as _};

mod bare;
mod limits;
mod listening;
mod parts;
pub mod requirements;
mod signals;
mod stop;

use crate::budget::Budgets;
use crate::layers::Layers;
use crate::routes::{
    self, BodyLimits, HeavyEvaluations, RefusedStreams, Services, SharedServices, TableOptions,
};
use crate::server::{
    self, BoundListener, Ending, PlannedEnd, Prefaces, RefusalAnswers, ServerOptions, Serving, SocketOptions,
};
use crate::service_state::ServiceState;
use crate::settings::Settings;

pub use bare::BareServer;
pub use limits::Limits;
pub use listening::{ListenError, StartError};
use parts::Parts;
pub use signals::{Beginning, StopSignal, StopSignals};
use stop::{Cause, StopPlan, end_at_once};
pub use stop::{EXIT_ACTOR_DIED, Outcome, StopLimits};

/// Exit code where the system refuses what the process needs, such as its port (`EX_OSERR` of sysexits.h).
pub const EXIT_SYSTEM: u8 = 71;

/// A bound server with its actors running; it answers once [`Application::run_until_stopped`] is polled.
pub struct Application {
    server: Server,
    ending: Ending,
    addresses: Vec<SocketAddr>,
    parts: Parts,
    environments: EnvironmentHandle,
    hub: SseHubHandle,
    shutdown_timeout: Duration,
    drain: Duration,
    lifelines: Lifelines,
    state: Arc<ServiceState>,
    stop_limits: StopLimits,
}

impl Application {
    /// Binds the sockets, then starts the actors; the first fetches begin at once. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the address cannot be bound, and nothing has started then; or the system allows no further thread.
    pub fn build(settings: &Settings, limits: Limits) -> Result<Self, StartError> {
        let listeners = listening::bind(&settings.server)?;
        let addresses: Vec<_> = listeners.iter().map(BoundListener::address).collect();
        let lifelines = Lifelines::new();
        let state = Arc::new(ServiceState::new(lifelines.clone()));
        let Started {
            hub,
            environments,
            forwarding,
            write_through,
            tallies,
            parts,
        } = start_parts(settings, &limits, &lifelines).map_err(StartError::Thread)?;
        let table = TableOptions {
            prefix: settings.server.path_prefix.clone(),
            takes_changes: settings.realtime.authentication_token.is_some(),
        };
        let streams = limits.stream_options(settings);
        let budgets = Budgets::of(&settings.server.door);
        let shared = Arc::new(SharedServices {
            environments: environments.clone(),
            hub: hub.clone(),
            forwarding,
            write_through,
            tallies,
            state: Arc::clone(&state),
            body_limits: BodyLimits {
                bytes: settings.server.door.max_body_bytes,
                duration: settings.server.door.request_body_timeout,
            },
            budgets: budgets.clone(),
            heavy: HeavyEvaluations::new(settings.process.workers, limits.heavy_evaluations),
            stale_is_unready: settings.health_check.stale_is_unready,
            refused_streams: RefusedStreams::new(&streams),
            streams,
            authentication_token: settings.realtime.authentication_token.clone(),
        });
        let layers = Layers::new(settings, Arc::clone(&state), &budgets);
        let refusals = layers.refusals();
        // Once for each worker and socket, and again where a worker is restarted.
        let app = move || {
            let routes = App::new()
                .app_data(Services::start(&shared))
                .configure(|config| routes::configure(config, &table));
            layers.around(routes)
        };
        let options = server_options(settings, &limits, budgets, refusals);
        let refused = |source| ListenError::new(&settings.server.host, source);
        let Serving { server, ending } = server::serve(listeners, options, app).map_err(refused)?;
        Ok(Self {
            server,
            ending,
            addresses,
            parts,
            environments,
            hub,
            shutdown_timeout: settings.server.shutdown_timeout,
            drain: settings.server.drain,
            lifelines,
            state,
            stop_limits: limits.stop,
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

    /// The hub of its event streams.
    pub fn hub(&self) -> &SseHubHandle {
        &self.hub
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
        self,
        signals: impl Stream<Item = StopSignal> + Unpin,
    ) -> io::Result<Outcome> {
        // A stream that ends asks for nothing more.
        let mut signals = signals.chain(futures::stream::pending());
        for address in &self.addresses {
            log::info!("listening on http://{address}");
        }
        let mut server = actix_rt::spawn(self.server);
        let cause = tokio::select! {
            Some(signal) = signals.next() => Cause::Asked(signal),
            actor = self.lifelines.first_death() => Cause::Death(actor),
            ended = &mut server => return Err(early_end(ended)),
        };
        self.state.start_draining();
        self.lifelines.disarm();
        match cause {
            Cause::Asked(_) => {
                log::info!("stopping: event streams and requests in flight are finished first");
            }
            Cause::Death(actor) => log::error!(
                "{actor} has died, which is a defect: stopping, so that the process is started anew"
            ),
        }
        let plan = StopPlan::of(cause, self.shutdown_timeout, self.drain, &self.stop_limits);
        let (parts, ending, state) = (self.parts, &self.ending, &self.state);
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

fn early_end(ended: Result<io::Result<()>, tokio::task::JoinError>) -> io::Error {
    match ended {
        Ok(Ok(())) => io::Error::other("the server ended unasked"),
        Ok(Err(error)) => error,
        // actix-server panics where the system allows no thread for a worker.
        Err(error) => io::Error::other(format!("the HTTP workers cannot run: {error}")),
    }
}

fn server_options(
    settings: &Settings,
    limits: &Limits,
    budgets: Budgets,
    refusals: RefusalAnswers,
) -> ServerOptions {
    let door = &settings.server.door;
    ServerOptions {
        workers: settings.process.workers,
        places: limits.places(settings),
        keep_alive: settings.server.timeout_keep_alive,
        request_head: door.request_head_timeout,
        planned_end: PlannedEnd {
            age: door.max_connection_age,
            requests: door.max_requests_per_connection,
        },
        disconnect: limits.disconnect,
        shutdown_timeout: settings.server.shutdown_timeout,
        budgets,
        prefaces: Prefaces::new(settings.server.proxy_protocol, &settings.process.trusted_proxies),
        refusals,
        requests_in_flight: door.max_requests_in_flight,
        socket: SocketOptions {
            unacknowledged: limits.unacknowledged,
            send_buffer: limits.send_buffer,
        },
    }
}

/// What the routes ask, and the list that it is all in.
struct Started {
    hub: SseHubHandle,
    environments: EnvironmentHandle,
    forwarding: ForwardingHandle,
    write_through: Option<WriteThroughHandle>,
    /// `None`: evaluations are not counted.
    tallies: Option<Arc<Tallies>>,
    parts: Parts,
}

/// How these settings have Flagsmith reached.
fn upstream_options(settings: &Settings) -> UpstreamOptions {
    let mut upstream =
        UpstreamOptions::new(settings.api_url.clone()).with_roots(settings.process.roots.clone());
    upstream.document_memory = DocumentMemory::new(settings.upstream.document_memory);
    upstream
}

/// `None` where `persistence.directory` is not set.
fn start_store(
    settings: &Settings,
    limits: &Limits,
    lifelines: &Lifelines,
) -> io::Result<Option<StoreHandle>> {
    let options = limits.store_options(settings);
    options
        .map(|options| StoreHandle::start(options, lifelines))
        .transpose()
}

/// Starts what runs beside the server, in order: who is told before who tells.
///
/// # Errors
/// Where the system allows no thread for one of them.
fn start_parts(settings: &Settings, limits: &Limits, lifelines: &Lifelines) -> io::Result<Started> {
    let mut parts = Parts::default();
    let hub = SseHubHandle::start(limits.hub_options(settings), lifelines)?;
    parts.started(hub.clone());
    let upstream = upstream_options(settings);
    let store = start_store(settings, limits, lifelines)?;
    if let Some(store) = &store {
        // Before whoever has it keep something, so that it stops after them.
        parts.started(store.clone());
    }
    let mut options = limits.actor_options(settings, upstream.clone());
    options.store = store;
    let (configured, listeners) = (settings.environments.clone(), vec![hub.listener()]);
    let environments = EnvironmentHandle::start(configured, options, listeners, lifelines)?;
    parts.started(environments.clone());
    let forwarding = ForwardingHandle::start(limits.forwarding, upstream.clone(), lifelines)?;
    parts.started(forwarding.clone());
    let write_through = if settings.forward_identities {
        let (options, configured) = (limits.write_through.clone(), environments.configured());
        let started = WriteThroughHandle::start(options, upstream.clone(), configured, lifelines)?;
        parts.started(started.clone());
        Some(started)
    } else {
        None
    };
    let tallies = if settings.analytics {
        let options = limits.analytics.clone();
        // Its store comes with that of the documents; until then what is unsent ends with the process.
        let analytics =
            AnalyticsHandle::start(options, upstream.clone(), environments.clone(), None, lifelines)?;
        let tallies = analytics.tallies();
        parts.started(analytics);
        Some(tallies)
    } else {
        None
    };
    if let Some(options) = limits.upstream_stream_options(settings) {
        let (configured, told) = (environments.configured(), environments.clone());
        let refresh = move |id, announced| told.refresh(id, announced);
        parts.started(UpstreamStreamsHandle::start(
            options, upstream, configured, lifelines, refresh,
        )?);
    }
    Ok(Started {
        hub,
        environments,
        forwarding,
        write_through,
        tallies,
        parts,
    })
}
