//! Realtime over real sockets.
//!
//! # Layout
//! - `rules_1_to_5`, `rules_6_to_9`, `rule_8`: the numbered rules that satisfy all eight SDKs that listen, each by its number.
//! - `subscribers`: how many there may be, and how they are told of one change.
//! - `sources`: where changes come from. `stop`: streams when the process ends.
use std::time::{Duration, Instant};

use edge_proxy::application::{Limits, StopLimits};
use edge_proxy::routes::StreamOptions;
use serde_json::{Value, json};

use crate::harness::{App, Options, Response, fixture, spawn_app};

mod rule_8;
mod rules_1_to_5;
mod rules_6_to_9;
mod sources;
mod stop;
mod subscribers;

/// The fixture as it would be after a change at this moment.
pub(crate) fn changed(updated_at: &str) -> Value {
    let mut document = fixture();
    document["updated_at"] = json!(updated_at);
    document["feature_states"][0]["feature_state_value"] = json!(updated_at);
    document
}

pub(crate) fn streams(streams: StreamOptions) -> Options {
    let options = Options::default();
    Options {
        limits: Limits {
            streams,
            ..options.limits.clone()
        },
        ..options
    }
}

pub(crate) fn heartbeats(period: Duration) -> Options {
    streams(StreamOptions {
        heartbeat: period,
        ..StreamOptions::default()
    })
}

/// A proxy that goes on for half a minute after an actor has died, where a real one does for a second: a busy machine needs that
/// for a few requests. A signal ends it.
fn dying_slowly(options: Options) -> App {
    let limits = options.limits.clone();
    spawn_app(Options {
        limits: Limits {
            stop: StopLimits {
                notice_of_death: Duration::from_secs(30),
                ..limits.stop
            },
            ..limits
        },
        ..options
    })
}

pub(crate) fn updated_at_header(response: &Response) -> &str {
    response.header("x-flagsmith-document-updated-at").unwrap()
}

pub(crate) fn subscribers(app: &App) -> Value {
    app.get("/proxy/health").json()["environments"][0]["subscribers"].clone()
}

/// Waits until so many are subscribed: a stream's answer is on its way before its subscription is counted.
pub(crate) fn until_subscribers(app: &App, expected: u64) {
    let patience = Instant::now() + Duration::from_secs(20);
    while subscribers(app) != json!(expected) {
        assert!(
            Instant::now() < patience,
            "{} subscribers, not {expected}",
            subscribers(app)
        );
    }
}
