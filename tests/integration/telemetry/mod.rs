//! Spans of requests and polls, as a collector gets them.
pub(crate) mod collector;
mod failures;
mod figures;
pub(crate) mod grpc;
mod log_lines;
mod over_tls;
mod polls;
mod real;
mod requests;
mod stops;

use serde_json::{Value, json};
use test_support::upstream::ScriptedUpstream;

use crate::harness::{App, CLIENT_KEY, Options, SERVER_KEY, merge, spawn_app};
use collector::Collector;

/// A caller's context, whose trace is recorded.
const TRACEPARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const TRACE_ID: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT_ID: &str = "b7ad6b7169203331";

/// A proxy that sends its spans to this collector.
fn traced(collector: &Collector, more: &[(&'static str, &str)]) -> App {
    traced_by(collector.variables(), more, json!({}))
}

fn traced_by(
    mut variables: Vec<(&'static str, String)>,
    more: &[(&'static str, &str)],
    config: Value,
) -> App {
    // What a test asks for counts.
    variables.retain(|(name, _)| more.iter().all(|(other, _)| name != other));
    variables.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    spawn_app(Options {
        variables,
        config,
        ..Options::default()
    })
}

/// The configuration of a proxy that polls this upstream.
fn polled(upstream: &ScriptedUpstream) -> Value {
    json!({
        "environment_key_pairs": [{"client_side_key": CLIENT_KEY, "server_side_key": SERVER_KEY}],
        "api_url": upstream.api_url(),
        "api_poll_frequency_seconds": 1,
        "api_poll_timeout_seconds": 20,
    })
}

/// A proxy that polls this upstream, and sends its spans to this collector.
fn polling(collector: &Collector, upstream: &ScriptedUpstream, over: Value) -> App {
    let mut config = polled(upstream);
    merge(&mut config, &over);
    let app = spawn_app(Options {
        document: None,
        variables: collector.variables(),
        config,
        ..Options::default()
    });
    app.wait_for_first_document();
    app
}
