//! The death of an actor is noticed; an orderly stop is not taken for one.
use std::sync::mpsc::{Sender, channel};
use std::time::Duration;

use actix::{Addr, Arbiter};
use actors::environment::{ActorOptions, ReplicaOptions};
use actors::fault::Panic;
use actors::replica::EnvironmentReplica;
use actors::upstream::UpstreamOptions;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::harness::{Harness, NEVER, SOON, has_value, polled, quick, resolve, served};

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

/// A worker that runs one replica, blocked until the sender is dropped.
async fn blocked_worker(harness: &Harness) -> (Arbiter, Addr<EnvironmentReplica>, Sender<()>) {
    let worker = Arbiter::new();
    let handle = harness.handle.clone();
    let (started, replica) = tokio::sync::oneshot::channel();
    worker.spawn(async move {
        let _ = started.send(handle.start_replica());
    });
    let replica = replica.await.unwrap();
    let (release, blocked) = channel::<()>();
    worker.spawn(async move {
        let _ = blocked.recv();
    });
    (worker, replica, release)
}

fn watched(upstream: &ScriptedUpstream, replicas: ReplicaOptions) -> Harness {
    let upstream = UpstreamOptions::new(upstream.api_url());
    let options = ActorOptions {
        replicas,
        ..ActorOptions::new(quick(), upstream)
    };
    Harness::start_with(vec![polled(0)], options)
}

#[actix_rt::test]
async fn a_busy_worker_is_no_death_holds_no_change_back_and_answers_nothing_old_afterwards() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let late_after = Duration::from_millis(100);
    let mut harness = watched(
        &upstream,
        ReplicaOptions {
            late_after,
            ..ReplicaOptions::default()
        },
    );
    harness.update().await;
    let (worker, replica, release) = blocked_worker(&harness).await;
    let other = harness.handle.start_replica();
    for (value, updated_at) in [("two", "2025-01-01T00:00:00Z"), ("three", "2025-01-02T00:00:00Z")] {
        upstream.script(move |_| Answer::ok(document(value, updated_at)));
        let told = harness.update().await;
        assert_eq!(served(&other, "client0").await.unwrap().updated_at, told);
    }
    assert!(harness.lifelines.is_alive());
    // What is asked while it is busy is answered when it goes on, and from the newest.
    let answer = actix_rt::spawn(async move { served(&replica, "client0").await });
    actix_rt::task::yield_now().await;
    drop(release);
    assert!(has_value(&answer.await.unwrap().unwrap(), "three"));
    assert!(harness.lifelines.is_alive());
    worker.stop();
}

#[actix_rt::test]
async fn a_worker_that_stands_still_for_long_is_a_death() {
    let upstream = ScriptedUpstream::start(|_| Answer::ok(document("one", T1)));
    let harness = watched(
        &upstream,
        ReplicaOptions {
            beat: Duration::from_millis(20),
            late_after: NEVER,
            dead_after: Duration::from_millis(400),
        },
    );
    harness.wait_for_value("one").await;
    let (worker, _replica, release) = blocked_worker(&harness).await;
    assert_eq!(first_death(&harness).await, "EnvironmentReplica");
    drop(release);
    worker.stop();
}
