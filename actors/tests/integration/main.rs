//! Real sockets, real actors, a scripted upstream.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]
mod analytics;
mod answers;
mod bodies;
mod client_certificates;
mod configuration;
mod connecting;
mod failures;
mod fallbacks;
mod fetch;
mod files;
mod forward;
mod harness;
mod lifelines;
mod outgoing;
mod polling;
mod pushes;
mod reasons;
mod reconfiguration;
mod replicas;
mod store;
mod tls;
