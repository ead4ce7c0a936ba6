//! The death of an actor is noticed; an orderly stop is not taken for one.
use actix::Arbiter;
use actors::fault::Panic;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::harness::{Harness, SOON, polled, quick, resolve, served};

const T1: &str = "2024-12-26T16:18:08+00:00";

async fn start() -> (ScriptedUpstream, Harness) {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    harness.wait_for_value("one").await;
    (upstream, harness)
}

async fn first_death(harness: &Harness) -> &'static str {
    tokio::time::timeout(SOON, harness.lifelines.first_death())
        .await
        .expect("noticed")
}

#[actix_rt::test]
async fn a_panic_in_the_environment_actor_is_noticed_and_flags_still_answer() {
    let (_upstream, harness) = start().await;
    let replica = harness.handle.start_replica();
    harness.handle.inject_panic();
    assert_eq!(first_death(&harness).await, "EnvironmentActor");
    assert!(!harness.lifelines.is_alive());
    assert!(harness.handle.statuses().await.is_err());
    assert!(served(&replica, "client0").await.is_some());
}

#[actix_rt::test]
async fn a_panic_in_a_replica_is_noticed() {
    let (_upstream, harness) = start().await;
    let replica = harness.handle.start_replica();
    assert!(replica.send(Panic).await.is_err());
    assert_eq!(first_death(&harness).await, "EnvironmentReplica");
}

#[actix_rt::test]
async fn an_orderly_stop_is_no_death() {
    let (_upstream, harness) = start().await;
    let replica = harness.handle.start_replica();
    assert!(harness.handle.stop(SOON).await, "its thread ends");
    assert!(harness.handle.statuses().await.is_err());
    assert!(harness.lifelines.is_alive());
    resolve(&replica, "client0").await;
}

#[actix_rt::test]
async fn a_stopped_worker_is_struck_off_without_a_death() {
    let (upstream, harness) = start().await;
    let worker = Arbiter::new();
    let handle = harness.handle.clone();
    let (started, replica) = tokio::sync::oneshot::channel();
    worker.spawn(async move {
        let _ = started.send(handle.start_replica());
    });
    let replica = replica.await.unwrap();
    worker.stop();
    worker.join().unwrap();
    assert!(!replica.connected());

    upstream.script(|_| Answer::ok(document("two", "2025-01-01T00:00:00Z")));
    let mut acknowledged = harness.handle.acknowledged();
    let waiting = acknowledged.wait_for(|version| *version >= 2);
    tokio::time::timeout(SOON, waiting)
        .await
        .expect("complete without the worker")
        .unwrap();
    assert!(harness.lifelines.is_alive());
}

#[actix_rt::test]
async fn a_blocked_worker_is_a_death_and_holds_no_change_back() {
    let (upstream, mut harness) = start().await;
    harness.update().await;
    let worker = Arbiter::new();
    let handle = harness.handle.clone();
    let (started, replica) = tokio::sync::oneshot::channel();
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    worker.spawn(async move {
        let _ = started.send(handle.start_replica());
    });
    let _replica = replica.await.unwrap();
    worker.spawn(async move {
        let _ = blocked.recv();
    });
    upstream.script(|_| Answer::ok(document("two", "2025-01-01T00:00:00Z")));
    assert_eq!(first_death(&harness).await, "EnvironmentReplica");
    harness.update().await;
    drop(release);
}
