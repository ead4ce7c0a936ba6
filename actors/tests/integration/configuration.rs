//! A new list of environments while the process runs.
use std::sync::Arc;

use actors::environment::{EnvironmentEvent, EnvironmentOptions, PollingOptions};
use actors::keys::EnvironmentKey;
use actors::replica::Resolution;

use crate::harness::{Harness, NEVER, from_file, has_value, polled, quick, resolve, served};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

const T1: &str = "2024-12-26T16:18:08+00:00";

/// An upstream whose documents name the server-side key that asked.
fn upstream() -> ScriptedUpstream {
    ScriptedUpstream::start(|request| {
        Answer::ok(document(
            request.header("X-Environment-Key").unwrap_or("none"),
            T1,
        ))
    })
}

/// A harness of environments that are fetched once, and again only when something asks for it.
async fn start(upstream: &ScriptedUpstream, environments: Vec<EnvironmentOptions>) -> Harness {
    let polling = PollingOptions {
        period: NEVER,
        ..quick()
    };
    let count = environments.len();
    let harness = Harness::start(environments, upstream.api_url(), polling);
    for place in 0..count {
        harness.wait_for_value_of(place, &format!("ser.{place}")).await;
    }
    harness
}

#[actix_rt::test]
async fn an_environment_that_stays_is_not_touched() {
    let upstream = upstream();
    let harness = start(&upstream, vec![polled(0), polled(1)]).await;
    let (stays, before) = (harness.id(1), harness.wait_for_value_of(1, "ser.1").await);
    let last_update = harness.status(1).await.last_successful_update;
    for list in [
        vec![polled(1), polled(0)],
        vec![polled(2), polled(1)],
        vec![polled(1)],
        vec![polled(0), polled(1)],
    ] {
        let place = list.iter().position(|options| *options == polled(1)).unwrap();
        harness.handle.configure(list).await.unwrap();
        assert_eq!(harness.id(place), stays);
        let now = harness.wait_for_value_of(place, "ser.1").await;
        assert!(Arc::ptr_eq(&before, &now), "the same document");
        assert_eq!(harness.status(place).await.last_successful_update, last_update);
    }
    let fetches = upstream.requests();
    let fetches = fetches
        .iter()
        .filter(|request| request.header("X-Environment-Key") == Some("ser.1"));
    assert_eq!(fetches.count(), 1);
}

#[actix_rt::test]
async fn keys_open_what_the_newest_list_says_as_soon_as_it_is_answered() {
    let upstream = upstream();
    let harness = start(&upstream, vec![polled(0), polled(1)]).await;
    let replica = harness.handle.start_replica();
    harness
        .handle
        .configure(vec![polled(1), polled(2)])
        .await
        .unwrap();
    for gone in ["client0", "ser.0"] {
        assert!(matches!(resolve(&replica, gone).await, Resolution::Unknown));
    }
    assert!(has_value(&served(&replica, "client1").await.unwrap(), "ser.1"));
    assert!(!matches!(resolve(&replica, "client2").await, Resolution::Unknown));
    harness.wait_for_value_of(1, "ser.2").await;

    // A rotated key: the next one first, both, then it alone.
    for keys in [&["ser.1", "ser.next"][..], &["ser.next"]] {
        let mut rotated = polled(1);
        rotated.server_side_keys = keys.iter().copied().map(EnvironmentKey::new).collect();
        harness.handle.configure(vec![rotated]).await.unwrap();
        assert!(served(&replica, "ser.next").await.is_some(), "without a gap");
        assert!(served(&replica, "client1").await.is_some(), "without a gap");
    }
    assert!(matches!(resolve(&replica, "ser.1").await, Resolution::Unknown));
    harness.wait_for_value("ser.next").await;
}

#[actix_rt::test]
async fn another_source_is_believed_at_once_however_old_its_document() {
    let upstream = upstream();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("environment.json");
    std::fs::write(&path, document("from the file", "2001-01-01T00:00:00Z")).unwrap();
    let mut harness = start(&upstream, vec![polled(0)]).await;
    let id = harness.id(0);
    let upstreams_number = harness.update().await;
    harness.handle.configure(vec![from_file(path)]).await.unwrap();
    let now = harness.wait_for_value("from the file").await;
    assert_eq!(harness.id(0), id);
    assert_eq!(harness.update().await, now.updated_at);
    assert!(now.updated_at > upstreams_number, "the number never falls");

    harness.handle.configure(vec![polled(0)]).await.unwrap();
    harness.wait_for_value("ser.0").await;
    let requests = upstream.requests();
    let last = requests.last().unwrap();
    assert_eq!(
        last.header("If-Modified-Since"),
        None,
        "what it holds is not upstream's"
    );
}

#[actix_rt::test]
async fn a_fetch_that_a_new_list_overtakes_changes_nothing() {
    let upstream = upstream();
    let harness = start(&upstream, vec![polled(0), polled(1)]).await;
    // The old keys' answers do not come any more.
    upstream.script(|request| match request.header("X-Environment-Key") {
        Some("ser.0" | "ser.1") => Answer::ok(document("late", "2030-01-01T00:00:00Z")).stalling(),
        key => Answer::ok(document(key.unwrap_or("none"), T1)),
    });
    let before = upstream.requests().len();
    harness.handle.refresh(harness.id(0), None);
    harness.handle.refresh(harness.id(1), None);
    while upstream.requests().len() < before + 2 {
        actix_rt::task::yield_now().await;
    }
    let mut rotated = polled(0);
    rotated.server_side_keys = vec![EnvironmentKey::new("ser.new")];
    harness.handle.configure(vec![rotated]).await.unwrap();
    harness.wait_for_value("ser.new").await;
    assert_eq!(harness.statuses().await.len(), 1);
}

#[actix_rt::test]
async fn listeners_hear_of_additions_first_and_of_removals_last() {
    let upstream = upstream();
    let mut harness = start(&upstream, vec![polled(0)]).await;
    let first = harness.id(0);
    assert_eq!(harness.event().await, EnvironmentEvent::Added(first));
    harness.update().await;
    harness.handle.configure(vec![polled(1)]).await.unwrap();
    let second = harness.id(0);
    assert_ne!(first, second, "no id comes twice");
    assert_eq!(harness.event().await, EnvironmentEvent::Added(second));
    // When the message is answered, the listeners know.
    let mut known = Vec::new();
    while known.last() != Some(&EnvironmentEvent::Removed(first)) {
        known.push(harness.event().await);
    }
    harness.wait_for_value("ser.1").await;
}
