//! The one layer that sees every request and its outcome, and tells whoever is to hear of it.
//!
//! Who hears is chosen by the configuration. Another listener is another one of the [`Observers`], not another layer.
mod access_log;
mod observed;
#[cfg(test)]
pub(super) mod recorder;
mod traced;

use std::cell::OnceCell;
use std::net::IpAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use actix_web::Error;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actors::trace::Entered;
use pin_project_lite::pin_project;

use access_log::AccessLog;
use observed::{Asked, Observed, ObservedBody};
use traced::TracedRequest;

use super::LayerOptions;
use crate::error::Reason;
use crate::live::Reader;
use crate::metrics::{MethodNumber, Metrics, Moment, WorkerCounts};
use crate::routes::Patterns;
use crate::settings::Settings;
use crate::telemetry::{RequestNames, RequestTraces};

/// All who hear.
#[derive(Debug, Clone)]
pub(super) struct Observers {
    access_log: Option<AccessLog>,
    metrics: Option<Metrics>,
    /// Who traces requests, from their beginning; `None`: nobody.
    traces: Option<RequestTraces>,
    #[cfg(test)]
    recorder: Option<recorder::Recorder>,
}

impl Observers {
    /// The access log hears where `logging.enable_access_log` is on; `metrics` where there is somebody to ask for them
    /// (`admin.port`), or to send them to (`OTEL_EXPORTER_OTLP_ENDPOINT`).
    pub(super) fn new(settings: &Settings, metrics: &Metrics, traces: Option<RequestTraces>) -> Self {
        let access_log = settings.logging.access_log;
        let are_sent = settings.process.telemetry.metrics.is_some();
        Self {
            access_log: access_log.then(|| AccessLog::new(settings)),
            metrics: (are_sent || settings.admin.port.is_some()).then(|| metrics.clone()),
            traces,
            #[cfg(test)]
            recorder: None,
        }
    }

    /// One recorder alone.
    #[cfg(test)]
    pub(super) fn recording(recorder: &recorder::Recorder) -> Self {
        Self {
            access_log: None,
            metrics: None,
            traces: None,
            recorder: Some(recorder.clone()),
        }
    }

    /// Metrics alone.
    #[cfg(test)]
    pub(super) fn counting(metrics: &Metrics) -> Self {
        Self {
            access_log: None,
            metrics: Some(metrics.clone()),
            traces: None,
            recorder: None,
        }
    }

    fn has_any(&self) -> bool {
        let has_any = self.access_log.is_some() || self.metrics.is_some() || self.traces.is_some();
        #[cfg(test)]
        let has_any = has_any || self.recorder.is_some();
        has_any
    }

    /// Tells of what is no request, and why it is refused.
    pub(super) fn refused(&self, reason: Option<Reason>) {
        if let (Some(metrics), Some(reason)) = (&self.metrics, reason) {
            metrics.refused(reason);
        }
    }

    /// Tells of what is no request, and got an answer that somebody has asked for. It took no time that could be told.
    pub(super) fn answered(
        &self,
        method: Option<&str>,
        status: StatusCode,
        bytes: u64,
        peer: Option<IpAddr>,
        fields: &HeaderMap,
    ) {
        let method = method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
        let observed = Observed {
            method: method.as_ref().map(MethodNumber::of),
            asked: Asked::Nothing(fields, peer),
            status,
            body: ObservedBody::Ready(bytes),
            nanoseconds: 0,
            own_nanoseconds: 0,
        };
        self.log(observed, None);
    }

    fn tell(&self, observed: Observed<'_>, own: &Own) {
        if let Some(metrics) = &self.metrics {
            own.count(metrics, observed);
        }
        self.log(observed, Some(&own.patterns));
    }

    #[inline]
    fn log(&self, observed: Observed<'_>, patterns: Option<&Patterns>) {
        if let Some(log) = &self.access_log {
            log.hear(observed, patterns);
        }
        #[cfg(test)]
        if let Some(recorder) = &self.recorder {
            recorder.hear(observed, patterns);
        }
    }
}

/// The layer of one worker.
#[derive(Debug)]
pub(super) struct Observe {
    options: Reader<LayerOptions>,
    own: Rc<Own>,
}

/// What a worker alone has.
#[derive(Debug)]
struct Own {
    patterns: Arc<Patterns>,
    /// Where it counts, from the first request that is counted.
    counts: OnceCell<WorkerCounts>,
    /// What spans are called, from the first one.
    names: OnceCell<RequestNames>,
}

impl Own {
    fn names(&self) -> &RequestNames {
        self.names
            .get_or_init(|| RequestNames::new(Arc::clone(&self.patterns)))
    }

    fn count(&self, metrics: &Metrics, observed: Observed<'_>) {
        if let (Some(path), Some(method)) = (observed.asked.path(), observed.method) {
            let counts = self.counts.get_or_init(|| metrics.register(&self.patterns));
            let (status, bytes) = (observed.status, observed.body.bytes());
            counts.count(path, method, status, observed.own_nanoseconds, bytes);
        }
        if let Some(reason) = observed.reason() {
            metrics.refused(reason);
        }
    }
}

impl Observe {
    /// Takes who hears from the options; `patterns`: those of the worker's routes.
    pub(super) fn new(options: Reader<LayerOptions>, patterns: Patterns) -> Self {
        Self {
            options,
            own: Rc::new(Own {
                patterns: Arc::new(patterns),
                counts: OnceCell::new(),
                names: OnceCell::new(),
            }),
        }
    }

    /// Passes the request on and tells of its outcome. Where nobody hears it costs a look at the options.
    pub(super) fn apply<S>(
        &self,
        request: ServiceRequest,
        routes: &S,
    ) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
    where
        S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    {
        let options = self.options.get_if(|options| options.observers.has_any());
        let hearing = options.map(|options| self.hear(options, &request));
        let _entered = hearing.as_ref().and_then(Hearing::enter);
        Observing {
            answer: routes.call(request),
            hearing,
        }
    }

    /// Who hears of its beginning hears of its end.
    fn hear(&self, options: Rc<LayerOptions>, request: &ServiceRequest) -> Hearing {
        let (started, method) = (Moment::now(), MethodNumber::of(request.method()));
        let is_traced = options.observers.traces.is_some();
        Hearing {
            started,
            method,
            traced: is_traced
                .then(|| Box::new(TracedRequest::begin(&options, request, method, Instant::now()))),
            options,
            own: Rc::clone(&self.own),
        }
    }
}

/// What is kept of a request until its answer.
struct Hearing {
    started: Moment,
    method: MethodNumber,
    options: Rc<LayerOptions>,
    own: Rc<Own>,
    /// In a box, because every request moves the room that it would take.
    traced: Option<Box<TracedRequest>>,
}

impl Hearing {
    fn enter(&self) -> Option<Entered> {
        self.traced.as_ref()?.enter()
    }

    /// Tells of the outcome.
    fn answered(self, answer: &Result<ServiceResponse, Error>) {
        let observed = Observed::of(answer, self.method, self.started);
        let traced = self.traced.map(|traced| (traced, Instant::now()));
        self.options.observers.tell(observed, &self.own);
        if let Some((traced, ended)) = traced {
            traced.answered(observed.asked.path(), self.own.names(), observed.status, ended);
        }
    }
}

pin_project! {
    /// Waits for an answer and tells of it. It is no async block: that would have room for what it waits for twice, and move it
    /// once more for each request.
    struct Observing<F> {
        #[pin]
        answer: F,
        hearing: Option<Hearing>,
    }
}

impl<F: Future<Output = Result<ServiceResponse, Error>>> Future for Observing<F> {
    type Output = Result<ServiceResponse, Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let _entered = this.hearing.as_ref().and_then(Hearing::enter);
        let polled = this.answer.poll(cx);
        if let Poll::Ready(answer) = &polled
            && let Some(hearing) = this.hearing.take()
        {
            hearing.answered(answer);
        }
        polled
    }
}
