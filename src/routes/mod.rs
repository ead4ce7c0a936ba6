//! The URL table. Each path works with and without its trailing slash, and none ever redirects: Ruby's and PHP's SDKs
//! do not follow.
//!
//! # Layout
//! - [`flags`], [`identities`], [`environment_document`], [`health`]: one file a resource.
//! - [`resource`]: paths with their methods: HEAD, OPTIONS, 405.
//! - [`resolve`]: from a request's environment key to the environment it opens.
//! - [`query`], [`body`]: reading what a request carries.
//! - [`answer`]: building what it gets.
//! - [`worker`]: what the routes of one HTTP worker share.
use actix_web::web::{ServiceConfig, get, head, to};

pub mod answer;
pub mod body;
pub mod environment_document;
pub mod flags;
pub mod health;
pub mod identities;
pub mod query;
pub mod resolve;
pub mod resource;
pub mod worker;

use resource::{GET, at, at_busy, at_busy_with_post, unknown_path};

/// Registers every path; the busiest first, because the router tries them in this order.
pub fn configure(table: &mut ServiceConfig) {
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

    table.default_service(to(unknown_path));
}
