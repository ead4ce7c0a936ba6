//! Real Flagsmith SDKs against the real proxy: `make test-sdk` installs them, at pinned versions, and runs this.
//!
//! Every SDK is driven by a small program (`python/driver.py`, `node/*.mjs`, `rust/`) that does what a test tells it and
//! answers in JSON, so that one test asks all of them the same. `make test` leaves this target out. Where an SDK is not
//! installed its tests say so and are skipped; with `CI` set they fail.
//!
//! # Layout
//! - `harness`: the upstream, the proxy, the drivers, and the document and identities that flags are evaluated with.
//! - `flags`: environments, identities with every sort of trait, single flags. `reasons`: `reason`, variants, experiments.
//! - `local_evaluation`: SDKs that evaluate by themselves, against what the proxy answers.
//! - `open_feature`: the OpenFeature providers. `failures`: wrong keys, upstream away, a restart.
//! - `analytics`: what SDKs count arrives upstream.
//! - `realtime`: changes, reconnects and refusals of the Python SDK's stream.
//! - `status`: the status page of the admin port in Chromium, with scripts and without.
//! - `browser`: the page of `examples/browser` in Chromium, with the JavaScript SDK, plain and in React.
#![cfg(target_os = "linux")]
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod analytics;
mod browser;
mod failures;
mod flags;
mod harness;
mod local_evaluation;
mod open_feature;
mod realtime;
mod reasons;
mod status;
