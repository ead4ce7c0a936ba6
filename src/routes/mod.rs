//! The URL table. Each path works with and without its trailing slash, and none ever redirects: Ruby's and PHP's SDKs
//! do not follow.
//!
//! # Layout
//! - `flags`, `identities`, `environment_document`, `health`: one file a resource.
//! - `stream`, `queue_change`, `sse_health`: realtime; `event_stream`, `stream_options`: its streams.
//! - `heavy`: evaluations beside the workers.
//! - `resource`: a path with its handlers by method: HEAD, OPTIONS, 405.
//! - `services`: what the routes share.
//! - `resolve`: from a request's environment key to the environment it opens.
//! - `query`, `body`: reading what a request carries.
//! - [`answer`]: building what it gets.
pub mod answer;
pub(crate) mod body;
mod environment_document;
mod event_stream;
mod flags;
mod health;
mod heavy;
mod identities;
mod query;
mod queue_change;
mod resolve;
mod resource;
mod services;
mod sse_health;
mod stream;
mod stream_options;

use actix_web::web::ServiceConfig;

use resource::{no_other_path, resource};

pub use body::BodyLimits;
pub(crate) use heavy::HeavyEvaluations;
pub(crate) use services::{Services, SharedServices};
pub use stream_options::StreamOptions;

/// Registers every path; the busiest first, because the router tries them in this order.
///
/// `takes_changes`: whether a token for `queue-change` is configured; without one there is no such path.
pub(crate) fn configure(table: &mut ServiceConfig, takes_changes: bool) {
    resource("/api/v1/flags").get(flags::get).register(table);
    resource("/api/v1/identities")
        .get(identities::get)
        .post(identities::post)
        .register(table);
    resource("/api/v1/environment-document")
        .get(environment_document::get)
        .register(table);

    resource("/proxy/health/readiness")
        .get(health::readiness)
        .register(table);
    resource("/proxy/health/liveness")
        .get(health::liveness)
        .register(table);
    resource("/proxy/health").get(health::health).register(table);
    resource("/health").get(health::health).register(table);

    // The browser SDK's documentation gives the API URL as realtime's default.
    for root in ["/sse", "/api/v1/sse"] {
        let environment = format!("{root}/environments/{{client_side_key}}");
        resource(format!("{environment}/stream"))
            .get(stream::get)
            .head(stream::head)
            .register(table);
        if takes_changes {
            resource(format!("{environment}/queue-change"))
                .post(queue_change::post)
                .register(table);
        }
        resource(format!("{root}/health"))
            .get(sse_health::get)
            .register(table);
    }
    no_other_path(table);
}
