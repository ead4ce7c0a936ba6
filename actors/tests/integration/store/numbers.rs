//! Numbers that clients know from a process before, or beside, the one that serves.
use std::fs;
use std::sync::mpsc;

use actors::environment::EnvironmentEvent;
use actors::keys::EnvironmentKey;
use engine::UpdatedAt;
use test_support::upstream::Answer;

use super::{Life, T1, T2, at, folder_with, give, hold, silent};
use crate::harness::polled;

/// What is told of where two@T2 is stored and told, upstream gives this sooner than the disk does, and the number that is served then.
async fn after_a_slow_disk(value: &str, number: &str) -> (EnvironmentEvent, UpdatedAt) {
    let upstream = silent();
    let folder = folder_with(&upstream, "two", T2).await;
    give(&upstream, value, number);
    let (release, hangs) = mpsc::channel();
    let mut life = Life::begin_on(folder.path(), &upstream, vec![polled(0)], Some(hangs));
    life.harness.wait_for_value(value).await;
    // A full round of polls: whatever is told at once has been told.
    let polls = upstream.requests().len();
    while upstream.requests().len() < polls + 2 {
        actix_rt::task::yield_now().await;
    }
    assert_eq!(
        life.harness.pending_updates(),
        0,
        "it may be what was told before"
    );
    drop(release);
    let event = life.event().await;
    let served = life
        .harness
        .wait_for(|snapshot| Some(snapshot.environment(life.harness.id(0))?.updated_at));
    let served = served.await;
    life.end().await;
    (event, served)
}

#[actix_rt::test]
async fn where_upstream_is_quicker_than_the_disk_nobody_is_told_twice() {
    let (event, served) = after_a_slow_disk("two", T2).await;
    assert!(
        matches!(event, EnvironmentEvent::Restored(_, told) if told == at(T2)),
        "{event:?}"
    );
    assert_eq!(served, at(T2));
}

#[actix_rt::test]
async fn where_upstream_is_quicker_than_the_disk_the_number_is_raised_to_the_stored_one() {
    let (event, served) = after_a_slow_disk("two", T1).await;
    assert!(
        matches!(event, EnvironmentEvent::Restored(_, told) if told == at(T2)),
        "{event:?}"
    );
    assert_eq!(served, at(T2));
}

#[actix_rt::test]
async fn where_upstream_is_quicker_than_the_disk_other_content_is_told_under_a_higher_number() {
    let (event, served) = after_a_slow_disk("three", T2).await;
    let EnvironmentEvent::Updated(_, told) = event else {
        panic!("{event:?}");
    };
    assert!(told > at(T2));
    assert_eq!(served, told);
}

#[actix_rt::test]
async fn what_upstream_gave_last_is_served_though_a_lagging_worker_was_quicker_than_the_disk() {
    let upstream = silent();
    let folder = folder_with(&upstream, "two", T2).await;
    give(&upstream, "one", T1);
    let (release, hangs) = mpsc::channel();
    let mut life = Life::begin_on(folder.path(), &upstream, vec![polled(0)], Some(hangs));
    life.harness.wait_for_value("one").await;
    upstream.go_down();
    drop(release);
    let event = life.event().await;
    assert!(
        matches!(event, EnvironmentEvent::Restored(_, told) if told == at(T2)),
        "{event:?}"
    );
    assert_eq!(life.harness.wait_for_value("two").await.updated_at, at(T2));
    life.end().await;
}

#[actix_rt::test]
async fn a_process_that_gets_the_directory_takes_over_what_is_newer_in_it() {
    let upstream = silent();
    let folder = folder_with(&upstream, "one", T1).await;
    // It is the first process, which stores something newer while the second waits.
    let first = folder_with(&upstream, "two", T2).await;
    let holder = hold(folder.path());
    upstream.script(|_| Answer::status(503));
    let mut second = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    let id = second.harness.id(0);
    assert_eq!(second.event().await, EnvironmentEvent::Restored(id, at(T1)));
    take_over(first.path(), folder.path());
    drop(holder);
    // Its own subscribers do not know it.
    assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T2)));
    assert_eq!(second.harness.wait_for_value("two").await.updated_at, at(T2));
    second.end().await;
}

#[actix_rt::test]
async fn a_document_that_waits_while_another_process_stores_a_newer_number_is_served_under_that() {
    for (rotated, value) in [(false, "one"), (true, "one"), (true, "two")] {
        let upstream = silent();
        let folder = tempfile::tempdir().unwrap();
        let first = folder_with(&upstream, "two", T2).await;
        let holder = hold(folder.path());
        give(&upstream, value, T1);
        let mut pair = polled(0);
        if rotated {
            // Of another source, whose numbers say nothing of which is newer.
            pair.server_side_keys = vec![EnvironmentKey::new("ser.rotated")];
        }
        let mut second = Life::begin(folder.path(), &upstream, vec![pair]);
        let id = second.harness.id(0);
        assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T1)));
        take_over(first.path(), folder.path());
        drop(holder);
        // Same content: at once. Other content: the newer one of the same source, else this source's under a higher number.
        let raised = second
            .harness
            .wait_for(|snapshot| {
                let served = snapshot.environment(id)?;
                (served.updated_at >= at(T2)).then_some(served.updated_at)
            })
            .await;
        assert_eq!(raised == at(T2), !rotated || value == "two", "{rotated} {value}");
        second.end().await;
    }
}

/// Puts the documents of the one directory into the other.
fn take_over(from: &std::path::Path, into: &std::path::Path) {
    for name in super::names(from).iter().filter(|name| name.as_str() != "lock") {
        fs::copy(from.join(name), into.join(name)).unwrap();
    }
}
