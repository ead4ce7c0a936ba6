//! Real sockets, real actors, a scripted upstream.
mod failures;
mod fetch;
mod files;
mod harness;
mod lifelines;
mod polling;
mod pushes;
mod replicas;
#[path = "../support/mod.rs"]
mod support;
