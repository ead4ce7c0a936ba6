//! The access log as a layer around the routes: the route's pattern, never the path or the query, which hold keys and
//! identifiers.
use std::net::IpAddr;
use std::time::Instant;

use actix_web::Error;
use actix_web::body::{BodySize, MessageBody};
use actix_web::dev::{Service, ServiceRequest, ServiceResponse};
use actix_web::http::Method;
use futures::future::Either;

use crate::logging::{Access, RemoteAddress, log_access};
use crate::settings::Settings;

/// Whether answers are logged, and whose word on the client's address is taken.
#[derive(Debug, Clone)]
pub struct AccessLog {
    enabled: bool,
    remote: RemoteAddress,
}

impl AccessLog {
    /// From `logging.enable_access_log` and `server.proxy_headers`.
    pub fn new(settings: &Settings) -> Self {
        Self {
            enabled: settings.logging.access_log,
            remote: RemoteAddress::new(&settings.server, &settings.process),
        }
    }

    /// Logs the answer to one request; a closure around this goes to `App::wrap_fn`. Switched off it costs a branch.
    pub fn apply<S>(
        &self,
        request: ServiceRequest,
        routes: &S,
    ) -> impl Future<Output = Result<ServiceResponse, Error>> + use<S>
    where
        S: Service<ServiceRequest, Response = ServiceResponse, Error = Error>,
    {
        if !self.enabled {
            return Either::Left(routes.call(request));
        }
        let started = Instant::now();
        let remote = self.remote(&request);
        let answer = routes.call(request);
        Either::Right(async move {
            let answer = answer.await?;
            log(&answer, remote, started);
            Ok(answer)
        })
    }

    fn remote(&self, request: &ServiceRequest) -> Option<IpAddr> {
        let forwarded_for = request
            .headers()
            .get_all("x-forwarded-for")
            .filter_map(|value| value.to_str().ok());
        self.remote
            .of(request.peer_addr().map(|peer| peer.ip()), forwarded_for)
    }
}

fn log(answer: &ServiceResponse, remote: Option<IpAddr>, started: Instant) {
    let route = answer.request().match_pattern();
    log_access(&Access {
        method: known_method(answer.request().method()),
        route: route.as_deref(),
        status: answer.status().as_u16(),
        bytes: match answer.response().body().size() {
            BodySize::None => Some(0),
            BodySize::Sized(bytes) => Some(bytes),
            BodySize::Stream => None,
        },
        duration: started.elapsed(),
        remote,
    });
}

/// A method that no specification names is the client's own text, of any length, and is not shown.
fn known_method(method: &Method) -> &str {
    match *method {
        Method::GET
        | Method::HEAD
        | Method::POST
        | Method::PUT
        | Method::PATCH
        | Method::DELETE
        | Method::OPTIONS
        | Method::TRACE
        | Method::CONNECT => method.as_str(),
        _ => "OTHER",
    }
}
