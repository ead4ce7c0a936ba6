//! The access log hears of every outcome: one line each.
use std::time::Duration;

use actix_web::http::header::HeaderMap;

use super::observed::Observed;
use crate::logging::{Access, RemoteAddress, log_access};
use crate::metrics::MethodNumber;
use crate::routes::Patterns;
use crate::settings::Settings;

/// Whose word on the client's address is taken.
#[derive(Debug, Clone)]
pub(super) struct AccessLog {
    remote: RemoteAddress,
}

impl AccessLog {
    /// Reads `server.proxy_headers` and the trusted proxies.
    pub(super) fn new(settings: &Settings) -> Self {
        Self {
            remote: RemoteAddress::new(&settings.server, &settings.process),
        }
    }

    /// Writes the line; `patterns`: those of the routes, where it is a request.
    pub(super) fn hear(&self, observed: Observed<'_>, patterns: Option<&Patterns>) {
        let asked = observed.asked;
        let forwarded_for = asked.headers().into_iter().flat_map(forwarded_for);
        log_access(&Access {
            method: observed.method.map_or("-", MethodNumber::name),
            route: patterns.and_then(|patterns| asked.pattern(patterns)),
            status: observed.status.as_u16(),
            bytes: observed.body.bytes(),
            duration: Duration::from_nanos(observed.nanoseconds),
            remote: self.remote.of(asked.peer(), forwarded_for),
        });
    }
}

fn forwarded_for(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    headers
        .get_all("x-forwarded-for")
        .filter_map(|value| value.to_str().ok())
}
