//! Requests as spans, by OpenTelemetry's conventions for HTTP servers
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>), save for what they have of paths, queries and clients:
//! keys and identifiers are in those.
use std::cell::OnceCell;
use std::sync::Arc;
use std::time::Instant;

use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Version};
use actors::trace::{Caller, Outcome, SpanKind, Trace, Tracer};

use crate::metrics::MethodNumber;
use crate::routes::Patterns;
use crate::settings::ExcludedPaths;

static TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
static TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
static BAGGAGE: HeaderName = HeaderName::from_static("baggage");

/// The method that stands for those that no specification names.
const OTHER_METHOD: &str = "_OTHER";

/// The spans of requests.
#[derive(Debug, Clone)]
pub(crate) struct RequestTraces {
    tracer: Tracer,
    excluded: ExcludedPaths,
    scheme: &'static str,
    port: u16,
}

/// What the spans of a worker's requests are called: texts that are made once each, for no request is to make its own.
#[derive(Debug)]
pub(crate) struct RequestNames {
    patterns: Arc<Patterns>,
    /// By route, then by method.
    names: Vec<OnceCell<RequestName>>,
}

/// What requests of one route and method are called.
#[derive(Debug, Clone)]
struct RequestName {
    /// `GET /api/v1/flags/`
    span: Arc<str>,
    /// `/api/v1/flags/`
    route: Arc<str>,
}

impl RequestNames {
    /// For requests of these routes.
    pub(crate) fn new(patterns: Arc<Patterns>) -> Self {
        let names = patterns.count() * MethodNumber::COUNT;
        Self {
            patterns,
            names: std::iter::repeat_with(OnceCell::new).take(names).collect(),
        }
    }

    /// `path`: as the router has read it; `None`: it is of no route.
    fn find(&self, path: &str, method: MethodNumber) -> Option<RequestName> {
        let number = self.patterns.find(path);
        let pattern = self.patterns.pattern(number)?;
        let place = number * MethodNumber::COUNT + method.place();
        let name = self.names.get(place)?.get_or_init(|| {
            let (called, _) = called(method);
            RequestName {
                span: format!("{called} {pattern}").into(),
                route: pattern.into(),
            }
        });
        Some(name.clone())
    }
}

/// A request that is traced.
#[derive(Debug)]
pub(crate) struct RequestTrace {
    /// Itself.
    pub trace: Trace,
    protocol: &'static str,
}

impl RequestTraces {
    /// For requests to this port.
    pub(super) fn new(tracer: Tracer, excluded: ExcludedPaths, is_tls: bool, port: u16) -> Self {
        Self {
            tracer,
            excluded,
            scheme: if is_tls { "https" } else { "http" },
            port,
        }
    }

    /// Begins a request's span, which began at this moment; `None`: its path is excluded.
    pub(crate) fn begin(&self, request: &ServiceRequest, begun: Instant) -> Option<RequestTrace> {
        if self.excluded.cover(request.path()) {
            return None;
        }
        Some(RequestTrace {
            trace: self.tracer.begin_at(self.caller(request.headers()), begun),
            protocol: match request.version() {
                Version::HTTP_2 => "2",
                Version::HTTP_10 => "1.0",
                _ => "1.1",
            },
        })
    }

    /// Ends it: at this moment its answer had this status; `path`: as the router has read it.
    pub(crate) fn answered(
        &self,
        request: RequestTrace,
        (method, path): (MethodNumber, Option<&str>),
        names: &RequestNames,
        status: StatusCode,
        ended: Instant,
    ) {
        let protocol = request.protocol;
        let outcome = || {
            let name = path.and_then(|path| names.find(path, method));
            let mut outcome = self.outcome(method, name, protocol);
            outcome
                .attributes
                .push(("http.response.status_code", status.as_u16().into()));
            if status.is_server_error() {
                outcome
                    .attributes
                    .push(("error.type", status.as_str().to_owned().into()));
                outcome.failure = Some("".into());
            }
            outcome
        };
        self.tracer
            .end_at(request.trace, SpanKind::Server, outcome, ended);
    }

    /// Ends one whose client has gone before its answer.
    pub(crate) fn given_up(&self, request: RequestTrace, method: MethodNumber) {
        let protocol = request.protocol;
        self.tracer.end(request.trace, SpanKind::Server, || {
            let mut outcome = self.outcome(method, None, protocol);
            outcome.attributes.push(("error.type", "given_up".into()));
            outcome.failure = Some("the client has gone before its answer".into());
            outcome
        });
    }

    fn caller(&self, headers: &HeaderMap) -> Caller {
        // Looked for as they are asked for: most requests have none.
        let values = |name: &'static HeaderName| {
            let look = move || headers.get_all(name).map(HeaderValue::as_bytes);
            std::iter::once_with(look).flatten()
        };
        Caller::read(
            self.tracer.propagators(),
            values(&TRACEPARENT),
            values(&TRACESTATE),
            values(&BAGGAGE),
        )
    }

    fn outcome(&self, method: MethodNumber, name: Option<RequestName>, protocol: &'static str) -> Outcome {
        let (called, method) = called(method);
        // Those below, one or two of the outcome, and the route.
        let mut attributes = Vec::with_capacity(7);
        attributes.extend([
            ("http.request.method", method.into()),
            ("url.scheme", self.scheme.into()),
            ("server.port", self.port.into()),
            ("network.protocol.version", protocol.into()),
        ]);
        match name {
            Some(RequestName { span, route }) => {
                attributes.push(("http.route", route.into()));
                Outcome::new(span, attributes)
            }
            None => Outcome::new(called, attributes),
        }
    }
}

/// What a method is called in a span's name, and as its attribute.
fn called(method: MethodNumber) -> (&'static str, &'static str) {
    match method.name() {
        "OTHER" => ("HTTP", OTHER_METHOD),
        known => (known, known),
    }
}
