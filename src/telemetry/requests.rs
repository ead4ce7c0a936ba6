//! Requests as spans, by OpenTelemetry's conventions for HTTP servers
//! (<https://opentelemetry.io/docs/specs/semconv/http/http-spans/>), save for what they have of paths, queries and clients:
//! keys and identifiers are in those.
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use actix_web::http::{StatusCode, Version};
use actors::trace::{Caller, Outcome, SpanKind, Trace, Tracer};

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

    /// Begins a request's span; `None`: its path is excluded.
    pub(crate) fn begin(&self, request: &ServiceRequest) -> Option<RequestTrace> {
        if self.excluded.cover(request.path()) {
            return None;
        }
        Some(RequestTrace {
            trace: self.tracer.begin(self.caller(request.headers())),
            protocol: match request.version() {
                Version::HTTP_2 => "2",
                Version::HTTP_10 => "1.0",
                _ => "1.1",
            },
        })
    }

    /// Ends it: `method` as it is known, `OTHER` where it is not; `route`: gives the pattern that matched.
    pub(crate) fn answered(
        &self,
        request: RequestTrace,
        method: &'static str,
        route: impl FnOnce() -> Option<String>,
        status: StatusCode,
    ) {
        let protocol = request.protocol;
        self.tracer.end(request.trace, SpanKind::Server, || {
            let mut outcome = self.outcome(method, route(), protocol);
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
        });
    }

    /// Ends one whose client has gone before its answer.
    pub(crate) fn given_up(&self, request: RequestTrace, method: &'static str) {
        let protocol = request.protocol;
        self.tracer.end(request.trace, SpanKind::Server, || {
            let mut outcome = self.outcome(method, None, protocol);
            outcome.attributes.push(("error.type", "given_up".into()));
            outcome.failure = Some("the client has gone before its answer".into());
            outcome
        });
    }

    fn caller(&self, headers: &HeaderMap) -> Caller {
        let values = |name: &HeaderName| headers.get_all(name).map(HeaderValue::as_bytes);
        Caller::read(
            self.tracer.propagators(),
            values(&TRACEPARENT),
            values(&TRACESTATE),
            values(&BAGGAGE),
        )
    }

    fn outcome(&self, method: &'static str, route: Option<String>, protocol: &'static str) -> Outcome {
        let (called, method) = match method {
            "OTHER" => ("HTTP", OTHER_METHOD),
            known => (known, known),
        };
        let mut attributes = Vec::with_capacity(8);
        attributes.extend([
            ("http.request.method", method.into()),
            ("url.scheme", self.scheme.into()),
            ("server.port", self.port.into()),
            ("network.protocol.version", protocol.into()),
        ]);
        match route {
            Some(route) => {
                let name = format!("{called} {route}");
                attributes.push(("http.route", route.into()));
                Outcome::new(name, attributes)
            }
            None => Outcome::new(called, attributes),
        }
    }
}
