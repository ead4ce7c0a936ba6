//! The stream of the Python SDK, which is the strictest reader of events and the one that reconnects without a pause.
//! (Those of Node and Rust have no streams; the browsers' is in `browser`.)
use std::time::{Duration, Instant};

use serde_json::json;
use test_support::http::{Connection, Request};
use test_support::wait::PATIENCE;

use crate::harness::{CLIENT_SIDE_KEY, Driver, Edge, Flagsmith, SERVER_SIDE_KEY, Sdk};

const STREAM: &str = "/sse/environments/{client_side_key}/stream/";
const DOCUMENT: &str = "/api/v1/environment-document/";

/// An SDK that evaluates by itself and listens to the stream.
struct Listener(Driver);

impl Listener {
    fn start(edge: &Edge) -> Option<Self> {
        let driver = Driver::start(Sdk::Python)?;
        let options = json!({"local": true, "realtime_url": edge.realtime_url()});
        driver.open("any", edge, SERVER_SIDE_KEY, options);
        Some(Self(driver))
    }

    fn banner(&self) -> String {
        let flags = self.0.environment_flags("any");
        flags["banner"]["value"].as_str().unwrap().to_owned()
    }

    /// Waits until the SDK has taken this version.
    fn wait_for(&self, version: u32) {
        let begun = Instant::now();
        while self.banner() != format!("version {version}") {
            assert!(begun.elapsed() < PATIENCE, "{}", self.0.written());
        }
    }
}

fn change(flagsmith: &Flagsmith, edge: &Edge, version: u32) {
    flagsmith.change(version);
    edge.push(version);
}

#[test]
fn each_change_is_followed_by_one_refetch_which_is_new() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({}));
    let Some(listener) = Listener::start(&edge) else {
        return;
    };
    edge.wait_for_subscribers(1);
    assert_eq!(listener.banner(), "version 0");
    for version in 1..=5 {
        change(&flagsmith, &edge, version);
        listener.wait_for(version);
        edge.wait_until_answered(DOCUMENT, 200, 1 + version as usize);
        assert_eq!(edge.answered(DOCUMENT, 200), 1 + version as usize);
    }
    assert!(
        !listener.0.written().contains("Error"),
        "{}",
        listener.0.written()
    );
}

#[test]
fn a_stream_that_ends_is_opened_again_and_nothing_is_fetched_twice() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({"realtime": {"max_stream_age_seconds": 1}}));
    let Some(listener) = Listener::start(&edge) else {
        return;
    };
    edge.wait_until_answered(STREAM, 200, 2);
    assert_eq!(edge.answered(DOCUMENT, 200), 1);
    change(&flagsmith, &edge, 1);
    listener.wait_for(1);
    // Each of these streams began with the event of that change, which is old to the SDK.
    edge.wait_until_answered(STREAM, 200, edge.answered(STREAM, 200) + 3);
    assert_eq!(edge.answered(DOCUMENT, 200), 2);
    change(&flagsmith, &edge, 2);
    listener.wait_for(2);
    assert!(
        !listener.0.written().contains("Error"),
        "{}",
        listener.0.written()
    );
}

#[test]
fn the_stream_is_found_again_after_a_restart_with_what_changed_meanwhile() {
    let flagsmith = Flagsmith::start();
    let mut edge = Edge::start(&flagsmith, json!({}));
    let Some(listener) = Listener::start(&edge) else {
        return;
    };
    edge.wait_for_subscribers(1);
    edge.kill();
    flagsmith.change_now("changed meanwhile");
    edge.start_again();
    let begun = Instant::now();
    while listener.banner() != "changed meanwhile" {
        assert!(begun.elapsed() < PATIENCE, "{}", listener.0.written());
    }
    assert_eq!(edge.subscribers(), 1);
}

/// At most two requests a second, counted from the first refusal.
fn assert_refused_slowly(edge: &Edge, status: u16) {
    const REFUSALS: usize = 4;
    edge.wait_until_answered(STREAM, status, 1);
    let begun = Instant::now();
    edge.wait_until_answered(STREAM, status, 1 + REFUSALS);
    let least = Duration::from_millis(500) * REFUSALS as u32;
    assert!(
        begun.elapsed() >= least,
        "{REFUSALS} more in {:?}",
        begun.elapsed()
    );
}

#[test]
fn an_unknown_environments_stream_is_refused_slowly() {
    let flagsmith = Flagsmith::start();
    let mut document = crate::harness::document();
    document["api_key"] = "a key that is unknown here".into();
    flagsmith.upstream.serve(&document);
    let edge = Edge::start(&flagsmith, json!({}));
    let Some(_listener) = Listener::start(&edge) else {
        return;
    };
    assert_refused_slowly(&edge, 404);
}

#[test]
fn a_stream_past_the_most_is_refused_slowly() {
    let flagsmith = Flagsmith::start();
    let edge = Edge::start(&flagsmith, json!({"realtime": {"max_subscribers": 1}}));
    let mut first = Connection::open(edge.address);
    first.write_request(&Request::get(
        &STREAM.replace("{client_side_key}", CLIENT_SIDE_KEY),
    ));
    assert_eq!(first.read_head().status, 200);
    let Some(_listener) = Listener::start(&edge) else {
        return;
    };
    assert_refused_slowly(&edge, 503);
}

#[test]
fn a_stream_in_the_drain_is_refused_slowly() {
    let flagsmith = Flagsmith::start();
    let mut edge = Edge::start(&flagsmith, json!({}));
    let Some(_listener) = Listener::start(&edge) else {
        return;
    };
    edge.wait_for_subscribers(1);
    let begun = Instant::now();
    edge.stop();
    let refused = edge.answered(STREAM, 503);
    let most = 2 * (begun.elapsed().as_secs() as usize + 1);
    assert!(
        (1..=most).contains(&refused),
        "{refused} in {:?}",
        begun.elapsed()
    );
}
