//! Other rules of polling, and another way to upstream, while the process runs.
use std::sync::Arc;
use std::time::Duration;

use actors::environment::{PollingOptions, UnconditionalFetches};
use actors::upstream::UpstreamOptions;

use crate::harness::{Harness, NEVER, polled, quick};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

const T1: &str = "2024-12-26T16:18:08+00:00";

fn never() -> PollingOptions {
    PollingOptions {
        period: NEVER,
        ..quick()
    }
}

fn upstream(value: &'static str) -> ScriptedUpstream {
    ScriptedUpstream::start(move |_| Answer::ok(document(value, T1)))
}

#[actix_rt::test]
async fn a_shorter_period_polls_at_once_and_nothing_else_changes() {
    let upstream = upstream("value");
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), never());
    let before = harness.wait_for_value("value").await;
    let polling = PollingOptions {
        unconditional: UnconditionalFetches::Every(Duration::ZERO),
        ..quick()
    };
    let handle = &harness.handle;
    handle
        .reconfigure(vec![polled(0)], Some(polling), None)
        .await
        .unwrap();
    upstream.wait_for(4).await;
    let conditional = upstream
        .requests()
        .iter()
        .skip(1)
        .any(|request| request.header("If-Modified-Since").is_some());
    assert!(!conditional, "the new rule holds");
    let now = harness.wait_for_value("value").await;
    assert!(Arc::ptr_eq(&before, &now), "the same document");
}

#[actix_rt::test]
async fn another_address_is_asked_at_once_and_believed_however_old_its_document() {
    let (first, second) = (upstream("first"), upstream("second"));
    let harness = Harness::start(vec![polled(0), polled(1)], first.api_url(), never());
    harness.wait_for_value_of(0, "first").await;
    harness.wait_for_value_of(1, "first").await;
    let asked = first.requests().len();
    let elsewhere = UpstreamOptions::new(second.api_url());
    harness
        .handle
        .reconfigure(vec![polled(0), polled(1)], None, Some(elsewhere))
        .await
        .unwrap();
    harness.wait_for_value_of(0, "second").await;
    harness.wait_for_value_of(1, "second").await;
    assert_eq!(first.requests().len(), asked);
    let conditional =
        |request: &test_support::upstream::ReceivedRequest| request.header("If-Modified-Since").is_some();
    assert!(
        !second.requests().iter().any(conditional),
        "what it holds is not theirs"
    );
}

#[actix_rt::test]
async fn an_upstream_that_could_not_be_reached_is_tried_at_once_by_another_way() {
    let upstream = upstream("value");
    upstream.script(|_| Answer::status(500));
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), never());
    harness.wait_for_detail(0, Option::is_some).await;
    upstream.script(|_| Answer::ok(document("value", T1)));
    let otherwise = UpstreamOptions::new(upstream.api_url());
    harness
        .handle
        .reconfigure(vec![polled(0)], None, Some(otherwise))
        .await
        .unwrap();
    harness.wait_for_value("value").await;
}

/// A fetch that is under way goes on, and what follows it goes the new way.
#[actix_rt::test]
async fn another_timeout_overtakes_no_fetch() {
    let upstream = upstream("value");
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), never());
    harness.wait_for_value("value").await;
    upstream.script(|_| Answer::ok(document("late", "2030-01-01T00:00:00Z")).stalling());
    harness.handle.refresh(harness.id(0), None);
    upstream.wait_for(2).await;
    let polling = PollingOptions {
        timeout: Duration::from_millis(50),
        ..never()
    };
    let handle = &harness.handle;
    handle
        .reconfigure(vec![polled(0)], Some(polling), None)
        .await
        .unwrap();
    assert_eq!(harness.status(0).await.status, "ok", "it is still under way");
    handle
        .reconfigure(
            vec![polled(0)],
            None,
            Some(UpstreamOptions::new("http://127.0.0.1:1/api/v1")),
        )
        .await
        .unwrap();
    harness.wait_for_detail(0, Option::is_some).await;
}
