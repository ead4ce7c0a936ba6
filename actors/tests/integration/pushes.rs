//! Announced changes.
use std::time::{Duration, Instant};

use actors::environment::{EnvironmentEvent, PollingOptions};
use engine::UpdatedAt;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::harness::{Harness, polled, quick};

const T1: &str = "2024-12-26T16:18:08+00:00";
const T2: &str = "2024-12-26T16:18:20+00:00";

fn at(text: &str) -> Option<UpdatedAt> {
    UpdatedAt::parse(text)
}

/// An environment that has its first document and will not be polled again.
async fn start(upstream: &ScriptedUpstream) -> Harness {
    let polling = PollingOptions {
        period: Duration::from_secs(60),
        ..quick()
    };
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), polling);
    harness.update().await;
    harness
}

/// An upstream as core's: to a conditional request it answers 304 from its cache.
fn upstream() -> ScriptedUpstream {
    ScriptedUpstream::start(|_| Answer::ok(document("one", T1)))
}

fn change(upstream: &ScriptedUpstream) {
    upstream.script(|request| match request.header("If-Modified-Since") {
        Some(_) => Answer::status(304),
        None => Answer::ok(document("two", T2)),
    });
}

#[actix_rt::test]
async fn a_push_fetches_unconditionally_at_once() {
    let upstream = upstream();
    let mut harness = start(&upstream).await;
    let before = upstream.requests().len();
    change(&upstream);
    harness.handle.refresh(harness.id(0), at(T2));
    assert_eq!(harness.update().await, at(T2).unwrap());
    harness.wait_for_value("two").await;
    assert_eq!(upstream.requests().len(), before + 1);
    assert_eq!(upstream.requests()[before].header("If-Modified-Since"), None);
}

#[actix_rt::test]
async fn a_document_older_than_announced_is_asked_for_again() {
    let upstream = upstream();
    let mut harness = start(&upstream).await;
    harness.handle.refresh(harness.id(0), at(T2));
    upstream.wait_for_more(3).await;
    assert_eq!(harness.pending_updates(), 0, "told when it is new, not before");
    change(&upstream);
    harness.update().await;
    harness.wait_for_value("two").await;

    let times: Vec<_> = upstream.requests().iter().map(|request| request.at).collect();
    let gaps: Vec<_> = times[1..]
        .windows(2)
        .map(|pair| (pair[1] - pair[0]).as_millis())
        .collect();
    assert!(gaps[0] >= 240 && gaps[1] >= 490 && gaps[2] >= 990, "{gaps:?}");
}

#[actix_rt::test]
async fn a_burst_makes_few_fetches_and_loses_nothing() {
    let upstream = upstream();
    let mut harness = start(&upstream).await;
    let before = upstream.requests().len();
    let began = Instant::now();
    for number in 0..50_i64 {
        let value = format!("value{number}");
        let updated_at = UpdatedAt::from_micros(at(T2).unwrap().as_micros() + number);
        let body = document(&value, &updated_at.to_rfc3339());
        upstream.script(move |_| Answer::ok(body.clone()));
        harness.handle.refresh(harness.id(0), Some(updated_at));
        // Asked in the same mailbox: each push has come by itself before the next is sent.
        harness.status(0).await;
    }
    harness.wait_for_value("value49").await;
    let fetches = upstream.requests().len() - before;
    assert!(
        fetches as u128 <= 2 + began.elapsed().as_millis() / 500,
        "{fetches}"
    );
    harness.update().await;
}

#[actix_rt::test]
async fn a_push_while_a_fetch_is_under_way_is_not_lost() {
    let (release, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    let upstream = ScriptedUpstream::start(move |_| {
        let _ = released.lock().unwrap().recv();
        Answer::ok(document("one", T1))
    });
    let polling = PollingOptions {
        period: Duration::from_secs(60),
        ..quick()
    };
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), polling);
    upstream.wait_for(1).await;
    harness.handle.refresh(harness.id(0), at(T1));
    // The status is asked after the push in the same mailbox.
    harness.status(0).await;
    change(&upstream);
    release.send(()).unwrap();
    harness.wait_for_value("two").await;
    assert_eq!(upstream.requests().len(), 2);
}

#[actix_rt::test]
async fn an_unknown_environment_is_ignored() {
    let upstream = upstream();
    let mut harness = start(&upstream).await;
    harness.handle.configure(Vec::new()).await.unwrap();
    let removed = loop {
        if let EnvironmentEvent::Removed(id) = harness.event().await {
            break id;
        }
    };
    harness.handle.configure(vec![polled(0)]).await.unwrap();
    harness.handle.refresh(removed, at(T2));
    assert_eq!(harness.statuses().await.len(), 1);
    assert!(harness.lifelines.is_alive());
}
