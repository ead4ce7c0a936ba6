//! What is sent to a collector by OTLP, where the variables `OTEL_*` ask for it: spans of requests and polls, and the figures
//! of `/metrics`.
//!
//! Off, it is not there: no thread, no layer, no look at anything by a request. On, a request makes its spans and leaves them in
//! a bounded queue; everything else happens on a thread of its own, whatever the collector does.
//!
//! # Layout
//! - [`RequestTraces`], [`RequestNames`] (`requests`): the spans of requests, for the layer that observes them.
//! - [`Evaluations`] (`evaluations`): the spans of evaluations within them.
//! - [`Telemetry`]: the thread that sends, as a part of the process.
//! - `export`: sending, by HTTP and gRPC. `messages`: from spans to OTLP's messages; `figures`: from the text of `/metrics`.
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use actix::ArbiterHandle;
use actors::actor_thread::ActorThread;
use actors::trace::{SpanQueue, Tracer};
use tokio::sync::watch;
use tokio::time::{Instant, timeout_at};

mod evaluations;
mod export;
mod figures;
mod messages;
mod requests;

use export::{Batches, Read, Readings};
use messages::Resource;

pub(crate) use export::{Destination, GrpcMethod, Refusal, try_connection};

pub(crate) use evaluations::{Evaluations, Traced, Untraced};
pub(crate) use requests::{RequestNames, RequestTrace, RequestTraces};

use crate::settings::{ProcessSettings, Settings};

/// What sends spans and figures. Clones are one.
#[derive(Clone)]
pub(crate) struct Telemetry {
    thread: ActorThread,
    arbiter: ArbiterHandle,
    resource: Arc<Resource>,
    /// `None`: nothing is traced.
    tracer: Option<Tracer>,
    /// Until when what waits may still be sent; `None`: nothing has ended.
    end: watch::Sender<Option<Instant>>,
    /// How many senders are at work.
    at_work: watch::Sender<usize>,
}

impl Telemetry {
    /// Starts what the settings ask for; `None`: nothing. Needs a running actix `System`.
    ///
    /// # Errors
    /// Where the system allows no thread.
    pub(crate) fn start(process: &ProcessSettings) -> io::Result<Option<Self>> {
        let settings = &process.telemetry;
        if settings.traces.is_none() && settings.metrics.is_none() {
            return Ok(None);
        }
        let (thread, arbiter) = ActorThread::start()?;
        let (end, ended) = watch::channel(None);
        let at_work = watch::Sender::new(0);
        let resource = Arc::new(Resource::of(&settings.resource));
        let tracer = settings.traces.as_ref().map(|traces| {
            let queue = Arc::new(SpanQueue::new(traces.queue));
            let destination = Destination::new(&traces.export, process);
            log::info!("spans are sent to {destination}");
            let batches = Batches {
                queue: Arc::clone(&queue),
                schedule_delay: traces.schedule_delay,
                export_timeout: traces.export_timeout,
                resource: Arc::clone(&resource),
            };
            let (ended, working) = (ended.clone(), AtWork::begin(&at_work));
            arbiter.spawn_fn(move || {
                actix_rt::spawn(async move {
                    let _working = working;
                    batches.send_all(destination.connect(), ended).await;
                });
            });
            Tracer::new(traces.sampler, queue).with_propagators(traces.propagators)
        });
        Ok(Some(Self {
            thread,
            arbiter,
            resource,
            tracer,
            end,
            at_work,
        }))
    }

    /// What begins traces; `None`: nothing is traced.
    pub(crate) fn tracer(&self) -> Option<&Tracer> {
        self.tracer.as_ref()
    }

    /// The spans of requests that are answered at this port; `None`: nothing is traced.
    pub(crate) fn requests(&self, settings: &Settings, port: u16) -> Option<RequestTraces> {
        let excluded = settings.process.telemetry.traces.as_ref()?.excluded.clone();
        let is_tls = settings.server.tls.is_some();
        Some(RequestTraces::new(self.tracer.clone()?, excluded, is_tls, port))
    }

    /// Sends what `read` gives, the text of `/metrics`, again and again, where the settings ask for it.
    pub(crate) fn send_figures(&self, process: &ProcessSettings, read: Read) {
        let Some(metrics) = &process.telemetry.metrics else {
            return;
        };
        let destination = Destination::new(&metrics.export, process);
        log::info!("metrics are sent to {destination}");
        let readings = Readings {
            read,
            interval: metrics.interval,
            export_timeout: metrics.export_timeout,
            resource: Arc::clone(&self.resource),
        };
        let (ended, working) = (self.end.subscribe(), AtWork::begin(&self.at_work));
        self.arbiter.spawn_fn(move || {
            actix_rt::spawn(async move {
                let _working = working;
                readings.send_all(destination.connect(), ended).await;
            });
        });
    }

    /// Sends what waits, within `patience`, and ends the thread. Whether the thread is gone.
    pub(crate) async fn stop(&self, patience: Duration) -> bool {
        let until = Instant::now() + patience;
        // The thread itself may take as long to end as the last answer to come.
        self.end.send_replace(Some(until - patience / 10));
        let mut at_work = self.at_work.subscribe();
        let _ = timeout_at(until, at_work.wait_for(|senders| *senders == 0)).await;
        self.thread
            .end(until.saturating_duration_since(Instant::now()))
            .await
    }
}

impl fmt::Debug for Telemetry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Telemetry")
            .field("is_tracing", &self.tracer.is_some())
            .finish_non_exhaustive()
    }
}

/// A sender at work, until this is dropped.
struct AtWork(watch::Sender<usize>);

impl AtWork {
    fn begin(working: &watch::Sender<usize>) -> Self {
        working.send_modify(|senders| *senders += 1);
        Self(working.clone())
    }
}

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.send_modify(|senders| *senders -= 1);
    }
}
