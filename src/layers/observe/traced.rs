//! A request's span: from its head to the head of its answer, or to where its client goes before that.
use std::rc::Rc;
use std::time::Instant;

use actix_web::dev::ServiceRequest;
use actix_web::http::StatusCode;
use actors::trace::Entered;

use super::LayerOptions;
use crate::metrics::MethodNumber;
use crate::telemetry::{RequestNames, RequestTrace};

/// A request as it is traced; nothing, where it is not.
pub(super) struct TracedRequest {
    options: Rc<LayerOptions>,
    method: MethodNumber,
    /// `None`: it is not traced, or has ended.
    request: Option<RequestTrace>,
}

impl TracedRequest {
    /// Begins its span, where requests to its path have one.
    pub(super) fn begin(
        options: &Rc<LayerOptions>,
        request: &ServiceRequest,
        method: MethodNumber,
        begun: Instant,
    ) -> Self {
        let traces = options.observers.traces.as_ref();
        Self {
            request: traces.and_then(|traces| traces.begin(request, begun)),
            options: Rc::clone(options),
            method,
        }
    }

    /// What this thread does is a part of it, until what this gives is dropped.
    pub(super) fn enter(&self) -> Option<Entered> {
        self.request.as_ref().map(|request| request.trace.enter())
    }

    /// Ends it; `path`: as the router has read it.
    pub(super) fn answered(
        mut self,
        path: Option<&str>,
        names: &RequestNames,
        status: StatusCode,
        ended: Instant,
    ) {
        if let (Some(traces), Some(request)) = (&self.options.observers.traces, self.request.take()) {
            traces.answered(request, (self.method, path), names, status, ended);
        }
    }
}

impl Drop for TracedRequest {
    fn drop(&mut self) {
        if let (Some(traces), Some(request)) = (&self.options.observers.traces, self.request.take()) {
            traces.given_up(request, self.method);
        }
    }
}
