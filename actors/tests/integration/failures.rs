//! What goes wrong keeps the last good document, and is over when it is over.
use std::time::{Duration, Instant};

use actors::environment::PollingOptions;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::harness::{Harness, polled, quick};

const T1: &str = "2024-12-26T16:18:08+00:00";
const T2: &str = "2024-12-26T16:18:20+00:00";

/// What is waited for in vain, beside what must come in time: longer than that takes on a slow machine.
const LITTLE: Duration = Duration::from_secs(1);

/// Serves a good document, fails by `answer` twice, and serves a newer one.
pub(crate) async fn fail_and_recover(name: &str, answer: Answer, status: &str) {
    fail_within(quick().timeout, name, answer, status).await;
}

/// The same with a fetch that may take so long.
async fn fail_within(timeout: Duration, name: &str, answer: Answer, status: &str) {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let polling = PollingOptions { timeout, ..quick() };
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), polling);
    harness.update().await;

    upstream.script(move |_| answer.clone());
    // The first may have been under way, the second has failed when the third comes.
    upstream.wait_for_more(3).await;
    harness.wait_for_value("one").await;
    assert_eq!(harness.handle.newest().version, 1, "{name}");
    assert_eq!(harness.status(0).await.status, status, "{name}");
    assert_eq!(harness.pending_updates(), 0, "{name}");

    upstream.script(|_| Answer::ok(document("two", T2)));
    harness.wait_for_value("two").await;
    harness.update().await;
    assert_eq!(harness.status(0).await.status, "ok", "{name}");
    assert!(harness.lifelines.is_alive(), "{name}");
}

#[actix_rt::test]
async fn refusals_keep_the_last_good_document() {
    fail_and_recover("403", Answer::status(403), "key rejected").await;
    fail_and_recover("401", Answer::status(401), "key rejected").await;
    fail_and_recover("500", Answer::status(500), "ok").await;
    fail_and_recover("429", Answer::status(429), "ok").await;
    fail_and_recover(
        "redirect",
        Answer::status(302).header("Location", "http://127.0.0.1:1/"),
        "ok",
    )
    .await;
}

#[actix_rt::test]
async fn broken_answers_keep_the_last_good_document() {
    fail_within(LITTLE, "hang", Answer::hang(), "ok").await;
    fail_and_recover("truncated", Answer::ok(document("two", T2)).truncated(), "ok").await;
    let stalling = Answer::ok(document("two", T2)).stalling();
    fail_within(LITTLE, "stalling", stalling, "ok").await;
    fail_and_recover("closed", Answer::ok("").truncated(), "ok").await;
}

#[actix_rt::test]
async fn what_is_no_document_is_refused_whole() {
    let html = "<!DOCTYPE html><html><body>Sign in</body></html>";
    let without_states = document("two", T2).replace("feature_states", "other");
    let wrong_type = document("two", T2).replace(r#""feature_states":["#, r#""feature_states":3,"x":["#);
    for body in [
        html,
        "{}",
        "[]",
        "null",
        "1",
        "",
        "\u{0}",
        &without_states,
        &wrong_type,
    ] {
        fail_and_recover(body, Answer::ok(body), "ok").await;
    }
}

#[actix_rt::test]
async fn an_upstream_that_comes_up_is_noticed_within_two_periods() {
    // The gateway before an upstream that is down.
    let upstream = ScriptedUpstream::start(|_| Answer::status(502));
    let period = Duration::from_millis(500);
    let polling = PollingOptions { period, ..quick() };
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), polling);
    // Failures have stretched the period as far as they do.
    upstream.wait_for(5).await;
    upstream.go_down();
    let status = harness.status(0).await;
    assert_eq!(
        (status.status, status.is_served, status.is_fresh),
        ("not updated", false, false)
    );

    // The exact bound is the schedule's own test. A machine that stands still is late once or twice, and not each time.
    let slack = Duration::from_secs(1);
    let mut late = Vec::new();
    loop {
        upstream.come_up();
        let up = Instant::now();
        upstream.wait_for_more(1).await;
        let noticed_after = up.elapsed();
        if noticed_after < period * 2 + slack {
            break;
        }
        late.push(noticed_after);
        assert!(late.len() < 5, "{late:?}");
        upstream.go_down();
    }
    upstream.script(|_| Answer::ok(document("one", T1)));
    harness.wait_for_value("one").await;

    upstream.script(|_| Answer::status(502));
    upstream.wait_for_more(2).await;
    upstream.go_down();
    harness.wait_for_value("one").await;
    upstream.script(|_| Answer::ok(document("two", T2)));
    upstream.come_up();
    harness.wait_for_value("two").await;
}

#[actix_rt::test]
async fn a_document_goes_stale_and_fresh_again() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let polling = PollingOptions {
        grace_period: Some(Duration::from_millis(50)),
        ..quick()
    };
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), polling);
    harness.wait_for_value("one").await;
    upstream.script(|_| Answer::status(500));
    // Four failed polls take longer than period and grace together.
    upstream.wait_for_more(5).await;
    let status = harness.status(0).await;
    assert_eq!(
        (status.status, status.is_served, status.is_fresh),
        ("stale", true, false)
    );

    upstream.script(|_| Answer::ok(document("one", T1)));
    // The first may have been under way, the second has succeeded when the third comes.
    upstream.wait_for_more(3).await;
    assert!(harness.status(0).await.last_successful_update > status.last_successful_update);
}
