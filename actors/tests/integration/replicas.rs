//! Publishing reaches every replica, and none goes back to an older document after it has acknowledged a newer one.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize, Ordering};
use std::time::Duration;

use actix::{Addr, Arbiter};
use actors::environment::{ActorOptions, EnvironmentHandle, PollingOptions};
use actors::replica::{EnvironmentReplica, Resolution, ResolveClientSide};
use actors::upstream::UpstreamOptions;
use engine::{KeyKind, UpdatedAt};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};
use tokio::sync::oneshot;

use crate::harness::{Harness, NEVER, polled, quick, resolve, served};

const FIRST: i64 = 1_735_229_888_000_000;
const CHANGES: i64 = 60;

/// The document of change `number`, whose `updated_at` it is.
fn change(number: i64) -> String {
    document(
        &format!("value{number}"),
        &UpdatedAt::from_micros(FIRST + number).to_rfc3339(),
    )
}

/// An upstream whose document is that of `current`.
fn counting_upstream() -> (ScriptedUpstream, Arc<AtomicI64>) {
    let current = Arc::new(AtomicI64::new(0));
    let shared = Arc::clone(&current);
    (
        ScriptedUpstream::start(move |_| Answer::ok(change(shared.load(Ordering::SeqCst)))),
        current,
    )
}

/// Starts a replica on a thread of its own, as an HTTP worker does.
async fn replica_on(worker: &Arbiter, handle: &EnvironmentHandle) -> Addr<EnvironmentReplica> {
    let (started, replica) = oneshot::channel();
    let handle = handle.clone();
    worker.spawn(async move {
        let _ = started.send(handle.start_replica());
    });
    replica.await.unwrap()
}

#[actix_rt::test]
async fn keys_open_what_they_should() {
    let (upstream, _) = counting_upstream();
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    harness.wait_for_value("value0").await;
    let replica = harness.handle.start_replica();
    assert!(matches!(
        resolve(&replica, " client0 ").await,
        Resolution::Ready {
            kind: KeyKind::Client,
            ..
        }
    ));
    assert!(matches!(
        resolve(&replica, "ser.0").await,
        Resolution::Ready {
            kind: KeyKind::Server,
            ..
        }
    ));
    for unknown in ["", "CLIENT0", "ser.1"] {
        assert!(matches!(resolve(&replica, unknown).await, Resolution::Unknown));
    }
    let in_path = |key: &str| {
        replica.send(ResolveClientSide {
            client_side_key: key.to_owned(),
        })
    };
    assert!(matches!(
        in_path("client0").await.unwrap(),
        Resolution::Ready { .. }
    ));
    assert!(
        matches!(in_path("ser.0").await.unwrap(), Resolution::Unknown),
        "no server-side key in a path"
    );
}

#[actix_rt::test]
async fn a_known_key_without_a_document_is_not_ready() {
    let upstream = ScriptedUpstream::start(|_| Answer::status(500));
    let harness = Harness::start(vec![polled(0)], upstream.api_url(), quick());
    let replica = harness.handle.start_replica();
    let resolution = resolve(&replica, "ser.0").await;
    assert!(matches!(
        resolution,
        Resolution::NotReady {
            kind: KeyKind::Server,
            ..
        }
    ));
}

#[actix_rt::test]
async fn a_change_is_told_when_every_replica_serves_it() {
    let (upstream, current) = counting_upstream();
    // Pushes drive it; the period is far away.
    let polling = PollingOptions {
        period: Duration::from_secs(1000),
        ..quick()
    };
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), polling);
    let workers: Vec<_> = (0..3).map(|_| Arbiter::new()).collect();
    let mut replicas = Vec::new();
    // Two bound sockets: two replicas a worker.
    for worker in workers.iter().chain(&workers) {
        replicas.push(replica_on(worker, &harness.handle).await);
    }
    harness.update().await;
    for number in 1..=3 {
        current.store(number, Ordering::SeqCst);
        let announced = UpdatedAt::from_micros(FIRST + number);
        harness.handle.refresh(harness.id(0), Some(announced));
        assert_eq!(harness.update().await, announced);
        for replica in &replicas {
            assert_eq!(served(replica, "client0").await.unwrap().updated_at, announced);
        }
    }
    workers.iter().for_each(|worker| {
        worker.stop();
    });
}

#[actix_rt::test]
async fn a_change_waits_for_the_slowest_replica() {
    let (upstream, current) = counting_upstream();
    let mut options = ActorOptions::new(quick(), UpstreamOptions::new(upstream.api_url()));
    options.replicas.late_after = NEVER;
    let mut harness = Harness::start_with(vec![polled(0)], options);
    harness.update().await;
    let worker = Arbiter::new();
    let slow = replica_on(&worker, &harness.handle).await;
    let (release, blocked) = std::sync::mpsc::channel::<()>();
    worker.spawn(async move {
        let _ = blocked.recv();
    });
    let quick_one = harness.handle.start_replica();
    current.store(1, Ordering::SeqCst);
    while served(&quick_one, "client0")
        .await
        .unwrap()
        .updated_at
        .as_micros()
        == FIRST
    {}
    // The actor has had time to send an event, were it to do so.
    for _ in 0..10 {
        harness.statuses().await;
    }
    assert_eq!(harness.pending_updates(), 0, "one replica does not serve it yet");
    assert_eq!(*harness.handle.acknowledged().borrow(), 1);
    drop(release);
    assert_eq!(harness.update().await.as_micros(), FIRST + 1);
    assert_eq!(
        served(&slow, "client0").await.unwrap().updated_at.as_micros(),
        FIRST + 1
    );
    worker.stop();
}

/// What the watchers of the stress test found.
#[derive(Default)]
struct Findings {
    told: AtomicI64,
    is_over: AtomicBool,
    replicas: AtomicUsize,
    looks: AtomicUsize,
}

/// Restarts a worker over and over; looks into its replicas all the while.
async fn watch(handle: EnvironmentHandle, findings: Arc<Findings>) {
    while !findings.is_over.load(Ordering::SeqCst) {
        let worker = Arbiter::new();
        let mut replicas = Vec::new();
        for _ in 0..2 {
            let told = findings.told.load(Ordering::SeqCst);
            let replica = replica_on(&worker, &handle).await;
            replicas.push((replica, told));
            findings.replicas.fetch_add(1, Ordering::SeqCst);
        }
        for _ in 0..20 {
            for (replica, seen) in &mut replicas {
                let told = findings.told.load(Ordering::SeqCst);
                let updated_at = served(replica, "client0")
                    .await
                    .expect("a document, always")
                    .updated_at
                    .as_micros();
                assert!(
                    updated_at >= told,
                    "a change that was told is served by every replica"
                );
                assert!(updated_at >= *seen, "no replica goes back");
                *seen = updated_at;
                findings.looks.fetch_add(1, Ordering::SeqCst);
            }
        }
        worker.stop();
    }
}

#[actix_rt::test]
async fn replicas_that_come_and_go_miss_nothing() {
    let (upstream, current) = counting_upstream();
    let polling = PollingOptions {
        period: Duration::from_millis(2),
        ..quick()
    };
    let mut harness = Harness::start(vec![polled(0)], upstream.api_url(), polling);
    harness.update().await;
    let findings = Arc::new(Findings::default());
    let watchers: Vec<_> = (0..4)
        .map(|_| actix_rt::spawn(watch(harness.handle.clone(), Arc::clone(&findings))))
        .collect();
    for number in 1..=CHANGES {
        current.store(number, Ordering::SeqCst);
        let update = harness.update().await;
        assert_eq!(update.as_micros(), FIRST + number);
        findings.told.store(FIRST + number, Ordering::SeqCst);
    }
    findings.is_over.store(true, Ordering::SeqCst);
    for watcher in watchers {
        watcher.await.expect("no finding");
    }
    assert!(
        findings.replicas.load(Ordering::SeqCst) >= 8,
        "replicas were started"
    );
    assert!(findings.looks.load(Ordering::SeqCst) >= 160, "and looked into");
    assert!(harness.lifelines.is_alive());
}
