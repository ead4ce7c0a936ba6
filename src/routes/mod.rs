//! The URL table. Each path works with and without its trailing slash, and none ever redirects: Ruby's and PHP's SDKs
//! do not follow.
//!
//! # Layout
//! - [`flags`], [`identities`], [`environment_document`], [`health`]: one file a resource.
//! - [`stream`], [`queue_change`], [`sse_health`]: realtime; [`event_stream`], [`realtime`]: what they share.
//! - [`resource`]: paths with their methods: HEAD, OPTIONS, 405.
//! - [`resolve`]: from a request's environment key to the environment it opens.
//! - [`query`], [`body`]: reading what a request carries.
//! - [`answer`]: building what it gets.
//! - [`worker`]: what the routes of one HTTP worker share.
use actix_web::web::{ServiceConfig, get, head, post, to};

pub mod answer;
pub mod body;
pub mod environment_document;
pub mod event_stream;
pub mod flags;
pub mod health;
pub mod identities;
pub mod query;
pub mod queue_change;
pub mod realtime;
pub mod resolve;
pub mod resource;
pub mod sse_health;
pub mod stream;
pub mod worker;

use resource::{GET, POST, at, at_busy, at_busy_with_post, unknown_path};

/// Registers every path; the busiest first, because the router tries them in this order.
///
/// `takes_changes`: whether a token for `queue-change` is configured; without one there is no such path.
pub fn configure(table: &mut ServiceConfig, takes_changes: bool) {
    at_busy(table, "/api/v1/flags", flags::get);
    at_busy_with_post(table, "/api/v1/identities", identities::get, identities::post);
    at_busy(table, "/api/v1/environment-document", environment_document::get);

    at(table, "/proxy/health/readiness", GET, |r| {
        r.route(get().to(health::readiness))
            .route(head().to(health::readiness))
    });
    at(table, "/proxy/health/liveness", GET, |r| {
        r.route(get().to(health::liveness))
            .route(head().to(health::liveness))
    });
    at(table, "/proxy/health", GET, |r| {
        r.route(get().to(health::health)).route(head().to(health::health))
    });
    at(table, "/health", GET, |r| {
        r.route(get().to(health::health)).route(head().to(health::health))
    });

    realtime_at_both_roots(table, takes_changes);
    table.default_service(to(unknown_path));
}

/// The browser SDK's documentation gives the API URL as realtime's default.
fn realtime_at_both_roots(table: &mut ServiceConfig, takes_changes: bool) {
    for root in ["", "/api/v1"] {
        at(
            table,
            &format!("{root}/sse/environments/{{client_side_key}}/stream"),
            GET,
            |r| r.route(get().to(stream::get)).route(head().to(stream::head)),
        );
        if takes_changes {
            at(
                table,
                &format!("{root}/sse/environments/{{client_side_key}}/queue-change"),
                POST,
                |r| r.route(post().to(queue_change::post)),
            );
        }
        at(table, &format!("{root}/sse/health"), GET, |r| {
            r.route(get().to(sse_health::get))
                .route(head().to(sse_health::get))
        });
    }
}
