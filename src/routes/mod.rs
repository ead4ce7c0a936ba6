//! The URL table. Each path works with and without its trailing slash, and none ever redirects: Ruby's and PHP's SDKs
//! do not follow.
//!
//! # Layout
//! - `flags`, `identities`, `environment_document`, `analytics`, `traits`, `health`: one file a resource.
//! - `stream`, `queue_change`, `sse_health`: realtime; `event_stream`, `refused_streams`, `stream_options`: its streams.
//! - `heavy`: evaluations beside the workers.
//! - `table`: where all of them are registered; `patterns`: their patterns.
//! - `resource`: a path with its handlers by method: HEAD, OPTIONS, 405.
//! - `unknown_path`: what is no path here, and which base URL was meant.
//! - `services`: what the routes share.
//! - `resolve`: from a request's environment key to the environment it opens.
//! - `query`, `body`: reading what a request carries.
//! - [`answer`]: building what it gets.
mod analytics;
pub mod answer;
pub(crate) mod body;
mod environment_document;
mod event_stream;
mod flags;
#[cfg(any(test, feature = "fuzzing"))]
pub(crate) mod fuzz;
mod health;
mod heavy;
mod identities;
mod patterns;
mod query;
mod queue_change;
mod refused_streams;
mod resolve;
pub(crate) mod resource;
mod services;
mod sse_health;
mod stream;
mod stream_options;
mod table;
mod traits;
mod unknown_path;
mod written;

use actix_web::web::ServiceConfig;

use crate::live::Live;
use crate::telemetry::{Evaluations, Traced, Untraced};

use resource::{Verb, resource};
use table::Table;
use unknown_path::no_other_path;

pub(crate) use analytics::CountsError;
pub use body::BodyLimits;
pub(crate) use body::BodyWait;
pub(crate) use health::ConfigurationHealth;
pub(crate) use heavy::{HeavyEvaluations, let_workers_go_first};
pub(crate) use patterns::Patterns;
pub(crate) use refused_streams::{RefusedStreams, is_of_a_stream, refuse as refuse_stream};
pub(crate) use services::{RouteOptions, Services, SharedServices};
pub use stream_options::StreamOptions;

/// What the URL table depends on.
#[derive(Debug, Clone)]
pub(crate) struct TableOptions {
    /// `server.path_prefix`: what comes before every path; empty, or a slash and more, without one at its end.
    pub prefix: String,
    /// Whether there is a token for `queue-change`; without one there is no such path.
    pub options: Live<RouteOptions>,
    /// Whether evaluations are spans.
    pub is_traced: bool,
}

#[cfg(test)]
impl TableOptions {
    /// Those of routes that no service stands behind.
    pub(crate) fn without_services() -> Self {
        use std::time::Duration;

        let streams = StreamOptions::default();
        let body_limits = BodyLimits {
            bytes: 1024,
            duration: Duration::from_secs(1),
        };
        Self {
            prefix: String::new(),
            is_traced: false,
            options: Live::new(RouteOptions {
                body_limits,
                write_through: None,
                tallies: None,
                stale_is_unready: false,
                refused_streams: std::sync::Arc::new(RefusedStreams::new(&streams)),
                streams,
                authentication_token: None,
            }),
        }
    }
}

/// Registers every path; the busiest first, because the router tries them in this order. Gives their patterns.
pub(crate) fn configure(config: &mut ServiceConfig, asked: &TableOptions) -> Patterns {
    let TableOptions {
        prefix,
        options,
        is_traced,
    } = asked;
    let mut table = Table::new(config);
    let table = &mut table;
    let api = format!("{prefix}/api/v1");
    if *is_traced {
        register_evaluations::<Traced>(table, &api);
    } else {
        register_evaluations::<Untraced>(table, &api);
    }
    resource(format!("{api}/analytics/flags"))
        .post(analytics::post)
        .register(table);
    resource(format!("{prefix}/api/v2/analytics/flags"))
        .post(analytics::post_evaluations)
        .register(table);
    resource(format!("{api}/environment-document"))
        .get(environment_document::get)
        .register(table);
    register_writes(table, &api);

    register_probes(table, prefix);
    if !prefix.is_empty() {
        // An orchestrator's probes come past the ingress, which alone knows the prefix.
        register_probes(table, "");
    }

    // The browser SDK's documentation gives the API URL as realtime's default.
    for root in [prefix, &api] {
        let environment = format!("{root}/sse/environments/{{client_side_key}}");
        resource(format!("{environment}/stream"))
            .get(stream::get)
            .head(stream::head)
            .register(table);
        let options = options.clone();
        resource(format!("{environment}/queue-change"))
            .post(queue_change::post)
            .register_while(table, move || options.newest().authentication_token.is_some());
    }
    resource(format!("{api}/sse/health"))
        .get(sse_health::get)
        .register(table);
    no_other_path(table.config, prefix);
    std::mem::take(&mut table.patterns)
}

/// Registers what evaluates.
fn register_evaluations<E: Evaluations>(table: &mut Table<'_>, api: &str) {
    resource(format!("{api}/flags"))
        .get(flags::get::<E>)
        .register(table);
    resource(format!("{api}/identities"))
        .get(identities::get::<E>)
        .post(identities::post::<E>)
        .register(table);
}

/// Registers the writes that are sent on to upstream.
fn register_writes(table: &mut Table<'_>, api: &str) {
    resource(format!("{api}/traits"))
        .post(traits::post)
        .register(table);
    resource(format!("{api}/traits/bulk"))
        .on(Verb::Put, traits::put_bulk)
        .register(table);
    resource(format!("{api}/traits/increment-value"))
        .post(traits::increment)
        .register(table);
    resource(format!("{api}/bulk-identities"))
        .post(traits::post_identities)
        .register(table);
}

/// Registers what balancers and orchestrators ask.
fn register_probes(table: &mut Table<'_>, root: &str) {
    resource(format!("{root}/proxy/health/readiness"))
        .get(health::readiness)
        .register(table);
    resource(format!("{root}/proxy/health/liveness"))
        .get(health::liveness)
        .register(table);
    resource(format!("{root}/proxy/health"))
        .get(health::health)
        .register(table);
    resource(format!("{root}/health"))
        .get(health::health)
        .register(table);
    resource(format!("{root}/sse/health"))
        .get(sse_health::get)
        .register(table);
    // What balancers ask by default: GCE's `GET /`, HAProxy's `OPTIONS /`.
    resource(root)
        .get(health::root)
        .on(Verb::Options, |request, payload| async move {
            body::discard(payload).await;
            health::root(request).await
        })
        .register(table);
}
