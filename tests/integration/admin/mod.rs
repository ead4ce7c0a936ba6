//! The admin port: where it is, who may ask it, and what it answers.
//!
//! # Layout
//! - `listener`: where it is, and how it follows a new configuration.
//! - `admission`: who may ask.
//! - `log_level`: the level of the log.
//! - `metrics`: what requests count, and what a scrape says; `figures`: what everything else counts;
//!   `refusals`: what is refused before or beside a whole request.
//! - `status`: how the process fares, as JSON; `page`: the same for people; `events`: what pages that are open are told.
mod admission;
mod events;
mod figures;
mod listener;
mod log_level;
mod metrics;
mod page;
mod refusals;
mod status;
mod sums;

use serde_json::{Value, json};

use crate::harness::{App, Options, spawn_app};

/// A proxy with an admin port of these options.
fn app(admin: Value) -> App {
    let mut admin = admin;
    admin["port"] = json!(0);
    spawn_app(Options {
        config: json!({"admin": admin}),
        ..Options::default()
    })
}
