//! The one layer that sees every request and its outcome, and tells whoever is to hear of it.
//!
//! Who hears is chosen by the configuration. Another listener is another [`Observer`], not another layer.
mod access_log;
mod observed;
#[cfg(test)]
pub(super) mod recorder;
mod traced;

use std::net::IpAddr;
use std::time::{Duration, Instant};

use actix_web::Error;
use actix_web::body::MessageBody;
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use futures::future::Either;

use access_log::AccessLog;
use observed::{Observed, ObservedBody};
use traced::TracedRequest;

use super::LayerOptions;
use crate::live::Reader;
use crate::settings::Settings;
use crate::telemetry::RequestTraces;

/// Who hears of every outcome.
#[derive(Debug, Clone)]
enum Observer {
    AccessLog(AccessLog),
    #[cfg(test)]
    Recorder(recorder::Recorder),
}

impl Observer {
    fn hear(&self, observed: &Observed<'_>) {
        match self {
            Self::AccessLog(log) => log.hear(observed),
            #[cfg(test)]
            Self::Recorder(recorder) => recorder.hear(observed),
        }
    }
}

/// All who hear.
#[derive(Debug, Clone)]
pub(super) struct Observers {
    /// Of every outcome.
    of_outcomes: Vec<Observer>,
    /// Who traces requests, from their beginning; `None`: nobody.
    traces: Option<RequestTraces>,
}

impl Observers {
    /// The access log hears where `logging.enable_access_log` is on.
    pub(super) fn new(settings: &Settings, traces: Option<RequestTraces>) -> Self {
        let access_log = settings
            .logging
            .access_log
            .then(|| Observer::AccessLog(AccessLog::new(settings)));
        Self {
            of_outcomes: access_log.into_iter().collect(),
            traces,
        }
    }

    /// One recorder alone.
    #[cfg(test)]
    pub(super) fn recording(recorder: &recorder::Recorder) -> Self {
        Self {
            of_outcomes: vec![Observer::Recorder(recorder.clone())],
            traces: None,
        }
    }

    /// Tells of what is no request, and got an answer all the same. It took no time that could be told.
    pub(super) fn refused(
        &self,
        method: Option<&str>,
        status: StatusCode,
        bytes: u64,
        peer: Option<IpAddr>,
        headers: &HeaderMap,
    ) {
        let method = method.and_then(|method| Method::from_bytes(method.as_bytes()).ok());
        self.tell(&Observed {
            method: method.as_ref().map_or("-", known_method),
            route: None,
            status,
            body: ObservedBody::Ready(bytes),
            duration: Duration::ZERO,
            peer,
            headers: Some(headers),
        });
    }

    fn is_nobody(&self) -> bool {
        self.of_outcomes.is_empty() && self.traces.is_none()
    }

    fn tell(&self, observed: &Observed<'_>) {
        for observer in &self.of_outcomes {
            observer.hear(observed);
        }
    }
}

/// The layer of one worker.
#[derive(Debug)]
pub(super) struct Observe {
    options: Reader<LayerOptions>,
}

impl Observe {
    /// Takes who hears from the options.
    pub(super) fn new(options: Reader<LayerOptions>) -> Self {
        Self { options }
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
        if self.options.with(|options| options.observers.is_nobody()) {
            return Either::Left(routes.call(request));
        }
        // Who hears of its beginning hears of its end.
        let options = self.options.get();
        let started = Instant::now();
        let method = known_method(request.method());
        let peer = request.peer_addr().map(|peer| peer.ip());
        let traced = TracedRequest::begin(&options, &request, method);
        let answer = {
            let _entered = traced.enter();
            traced.within(routes.call(request))
        };
        Either::Right(async move {
            let answer = answer.await;
            let _entered = traced.enter();
            let route = answer
                .as_ref()
                .ok()
                .and_then(|answer| answer.request().match_pattern());
            let status = match &answer {
                Ok(answer) => answer.status(),
                Err(error) => error.as_response_error().status_code(),
            };
            options.observers.tell(&Observed {
                method,
                route: route.as_deref(),
                status,
                body: answer.as_ref().map_or(ObservedBody::Streamed, |answer| {
                    ObservedBody::of(answer.response().body().size())
                }),
                duration: started.elapsed(),
                peer,
                headers: answer.as_ref().ok().map(|answer| answer.request().headers()),
            });
            traced.answered(|| route, status);
            answer
        })
    }
}

/// A method that no specification names is the client's own text, of any length, and is not shown.
fn known_method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        Method::TRACE => "TRACE",
        Method::CONNECT => "CONNECT",
        _ => "OTHER",
    }
}
