//! Fallback documents.
use std::fs;
use std::time::Duration;

use actors::environment::{EnvironmentEvent, EnvironmentOptions};
use actors::keys::EnvironmentKey;
use engine::UpdatedAt;
use tempfile::TempDir;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::harness::{Harness, of_client0, polled, quick};

const OLDER: &str = "2024-12-26T16:18:08.760000+00:00";
const NEWER: &str = "2024-12-26T16:18:20.000000+00:00";

/// A polled environment with a fallback document, in a folder.
fn with_fallback(content: &str) -> (TempDir, EnvironmentOptions) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("seed.json");
    fs::write(&path, content).unwrap();
    let mut options = polled(0);
    options.fallback = Some(path);
    (folder, options)
}

fn seed() -> String {
    of_client0(&document("seed", NEWER))
}

#[actix_rt::test]
async fn it_is_served_until_the_first_good_answer_which_may_be_older() {
    let (_folder, options) = with_fallback(&seed());
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    let mut harness = Harness::start_unhurried(vec![options], upstream.api_url());
    let seeded = harness.wait_for_value("seed").await;
    assert_eq!(seeded.updated_at, UpdatedAt::parse(NEWER).unwrap());
    let status = harness.status(0).await;
    assert_eq!(
        (status.status, status.is_served, status.is_fresh),
        ("fallback", true, false)
    );
    let detail = status.detail.unwrap();
    assert!(
        detail.contains("fallback document") && detail.contains("503"),
        "{detail}"
    );
    assert_eq!(harness.update().await, seeded.updated_at);

    let older = of_client0(&document("upstream", OLDER));
    upstream.script(move |_| Answer::ok(older.clone()));
    let after = harness.wait_for_value("upstream").await;
    assert!(after.updated_at > seeded.updated_at, "the number never falls");
    assert_eq!(harness.update().await, after.updated_at);
    let status = harness.status(0).await;
    assert_eq!((status.status, status.detail), ("ok", None));
}

#[actix_rt::test]
async fn an_answer_with_the_same_content_confirms_it_without_a_word() {
    let (_folder, options) = with_fallback(&seed());
    let upstream = ScriptedUpstream::start(|_| Answer::status(403));
    let mut harness = Harness::start_unhurried(vec![options], upstream.api_url());
    let seeded = harness.update().await;
    assert_eq!(harness.status(0).await.status, "fallback");
    upstream.script(|_| Answer::ok(of_client0(&document("seed", OLDER))));
    harness.wait_for_status(0, "ok").await;
    assert_eq!(harness.wait_for_value("seed").await.updated_at, seeded);
    assert_eq!(harness.pending_updates(), 0);
}

#[actix_rt::test]
async fn it_is_not_served_where_upstream_answers() {
    let (_folder, options) = with_fallback(&seed());
    let upstream = ScriptedUpstream::start(|_| Answer::ok(of_client0(&document("upstream", OLDER))));
    let mut harness = Harness::start_unhurried(vec![options], upstream.api_url());
    let id = harness.id(0);
    assert_eq!(harness.event().await, EnvironmentEvent::Added(id));
    let number = UpdatedAt::parse(OLDER).unwrap();
    assert_eq!(harness.event().await, EnvironmentEvent::Updated(id, number));
}

#[actix_rt::test]
async fn an_upstream_that_hangs_is_waited_for_a_second_and_asked_again() {
    let (_folder, options) = with_fallback(&seed());
    let upstream = ScriptedUpstream::start(|_| Answer::hang());
    let harness = Harness::start(vec![options], upstream.api_url(), quick());
    harness.wait_for_value("seed").await;
    upstream.script(|_| Answer::ok(of_client0(&document("upstream", OLDER))));
    upstream.go_down();
    upstream.come_up();
    harness.wait_for_value("upstream").await;
}

#[actix_rt::test]
async fn one_that_cannot_be_used_is_looked_at_again() {
    let (folder, options) = with_fallback("{");
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    let harness = Harness::start(vec![options], upstream.api_url(), quick());
    upstream.wait_for_more(3).await;
    assert_eq!(harness.status(0).await.status, "not updated");
    fs::write(folder.path().join("seed.json"), seed()).unwrap();
    harness.wait_for_value("seed").await;
}

#[actix_rt::test]
async fn one_that_cannot_be_used_is_told_of_before_it_is_needed() {
    let (folder, options) = with_fallback("{");
    let upstream = ScriptedUpstream::start(|_| Answer::ok(of_client0(&document("upstream", OLDER))));
    let harness = Harness::start(vec![options.clone()], upstream.api_url(), quick());
    harness.wait_for_value("upstream").await;
    let detail = harness.wait_for_detail(0, Option::is_some).await.unwrap();
    assert!(
        detail.starts_with("its fallback_document_path cannot be used (it is not JSON"),
        "{detail}"
    );
    let status = harness.status(0).await;
    assert_eq!((status.status, status.is_fresh), ("ok", true));
    // A new configuration looks again, whatever it changes.
    fs::write(folder.path().join("seed.json"), seed()).unwrap();
    let reconfigured = harness.handle.reconfigure(vec![options], None, None);
    reconfigured.await.unwrap();
    harness.wait_for_detail(0, Option::is_none).await;
    harness.wait_for_value("upstream").await;
}

#[actix_rt::test]
async fn another_one_takes_its_place_where_it_is_served() {
    let (folder, mut options) = with_fallback(&seed());
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    let harness = Harness::start(vec![options.clone()], upstream.api_url(), quick());
    let seeded = harness.wait_for_value("seed").await;
    let path = folder.path().join("other.json");
    fs::write(&path, of_client0(&document("other", OLDER))).unwrap();
    options.fallback = Some(path);
    let reconfigured = harness.handle.reconfigure(vec![options.clone()], None, None);
    reconfigured.await.unwrap();
    let other = harness.wait_for_value("other").await;
    assert!(other.updated_at > seeded.updated_at, "the number never falls");
    assert_eq!(harness.status(0).await.status, "fallback");

    // One that cannot be used, or none, takes nothing away.
    options.fallback = Some(folder.path().join("none.json"));
    let reconfigured = harness.handle.reconfigure(vec![options.clone()], None, None);
    reconfigured.await.unwrap();
    let is_told = |detail: &Option<String>| detail.as_ref().is_some_and(|said| said.contains("No such file"));
    harness.wait_for_detail(0, is_told).await;
    options.fallback = None;
    let reconfigured = harness.handle.reconfigure(vec![options], None, None);
    reconfigured.await.unwrap();
    harness.wait_for_value("other").await;
}

#[actix_rt::test]
async fn it_is_not_served_while_the_next_key_is_tried() {
    let (_folder, mut options) = with_fallback(&seed());
    options
        .server_side_keys
        .insert(0, EnvironmentKey::new("ser.rejected"));
    let upstream = ScriptedUpstream::start(|request| match request.header("X-Environment-Key") {
        Some("ser.rejected") => Answer::status(403),
        _ => Answer::ok(of_client0(&document("upstream", OLDER))).dripping(Duration::from_millis(1)),
    });
    let mut harness = Harness::start_unhurried(vec![options], upstream.api_url());
    assert_eq!(harness.update().await, UpdatedAt::parse(OLDER).unwrap());
}
