//! The whole proxy on an upstream that answers as a test says.
mod changes;
mod failures;
mod fetches;
mod health;
use std::time::Duration;

use edge_proxy::settings::Settings;
use serde_json::{Value, json};
use test_support::upstream::ScriptedUpstream;

use crate::harness::{App, CLIENT_KEY, Options, Request, Response, SERVER_KEY, merge, spawn_app};

const T1: &str = "2024-12-26T16:18:08.5+00:00";
const T2: &str = "2024-12-26T16:18:20.25+00:00";

/// Polls without pause; a fetch may take its time, as tests run beside one another.
fn quick(settings: &mut Settings) {
    settings.api_poll_frequency = Duration::from_millis(50);
    settings.api_poll_timeout = Duration::from_secs(20);
}

/// A proxy on this upstream; `config` is put over the test's own.
fn proxy(upstream: &ScriptedUpstream, config: &Value, adjust: fn(&mut Settings)) -> App {
    let mut own = json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": upstream.api_url(),
    });
    merge(&mut own, config);
    spawn_app(Options {
        document: None,
        config: own,
        workers: 4,
        adjust,
        ..Options::default()
    })
}

/// Whether `flags/` gives the feature of `test_support`'s smallest documents this value.
fn has_value(response: &Response, value: &str) -> bool {
    response.status == 200 && response.json()[0]["feature_state_value"] == value
}

/// Waits until flags have this value.
fn wait_for_value(app: &App, value: &str) {
    app.wait_until_published(|app| has_value(&app.get("/api/v1/flags/"), value));
}

fn environment_document(app: &App, key: &str) -> Response {
    app.send(Request::get("/api/v1/environment-document/").key(key))
}
