//! What a restart serves and tells.
use std::fs;

use actors::environment::EnvironmentEvent;
use actors::keys::EnvironmentKey;
use engine::KeyKind;
use test_support::documents::document;

use super::{Life, T1, T2, at, folder_with, give, giving, names, silent};
use crate::harness::{from_file, of_client0, polled};

#[actix_rt::test]
async fn a_restart_without_upstream_serves_the_same_and_tells_nobody_twice() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("store");
    let upstream = giving("one", T1);
    let mut first = Life::begin(&directory, &upstream, vec![polled(0)]);
    let before = first.harness.wait_for_value("one").await;
    let id = first.harness.id(0);
    assert_eq!(first.event().await, EnvironmentEvent::Updated(id, at(T1)));
    first.end().await;
    assert!(names(&directory).iter().all(|name| !name.contains("client0")));

    upstream.go_down();
    let mut second = Life::begin(&directory, &upstream, vec![polled(0)]);
    let after = second.harness.wait_for_value("one").await;
    let id = second.harness.id(0);
    assert_eq!(second.event().await, EnvironmentEvent::Restored(id, at(T1)));
    for kind in [KeyKind::Client, KeyKind::Server] {
        assert_eq!(after.flags(kind).etag, before.flags(kind).etag);
    }
    assert_eq!(after.document.etag, before.document.etag);
    assert_eq!(after.updated_at, before.updated_at);
    let status = second.harness.status(0).await;
    assert_eq!(
        (status.status, status.is_served, status.is_fresh),
        ("stale", true, false)
    );
    assert_eq!(status.last_successful_update, None);
    assert!(status.detail.unwrap().contains("was stored before the start"));

    // The same content is no news; another is.
    upstream.come_up();
    second.harness.wait_for_status(0, "ok").await;
    assert_eq!(second.harness.status(0).await.detail, None);
    assert_eq!(second.harness.pending_updates(), 0);
    give(&upstream, "two", T2);
    assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T2)));
    second.end().await;
}

#[actix_rt::test]
async fn what_changed_while_the_process_was_down_is_told() {
    let upstream = silent();
    let folder = folder_with(&upstream, "one", T1).await;
    give(&upstream, "two", T2);
    let mut second = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    let id = second.harness.id(0);
    assert_eq!(second.event().await, EnvironmentEvent::Restored(id, at(T1)));
    assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T2)));
    second.end().await;

    // Under an unmoved number as well: it is told under one of ours, which survives in turn.
    give(&upstream, "three", T2);
    let mut third = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    third.event().await;
    let EnvironmentEvent::Updated(_, own) = third.event().await else {
        panic!("it is told");
    };
    assert!(own > at(T2));
    third.end().await;
    upstream.go_down();
    let mut fourth = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    let id = fourth.harness.id(0);
    assert_eq!(fourth.event().await, EnvironmentEvent::Restored(id, own));
    assert_eq!(fourth.harness.wait_for_value("three").await.updated_at, own);
    fourth.end().await;
}

#[actix_rt::test]
async fn other_keys_or_another_api_make_its_numbers_unknown() {
    let upstream = silent();
    let folder = folder_with(&upstream, "one", T2).await;
    // An older document of the same upstream would be taken for a lagging worker's.
    give(&upstream, "zero", T1);
    let mut rotated = polled(0);
    rotated.server_side_keys = vec![EnvironmentKey::new("ser.next")];
    let before = upstream.requests().len();
    let mut second = Life::begin(folder.path(), &upstream, vec![rotated]);
    second.event().await;
    let EnvironmentEvent::Updated(_, number) = second.event().await else {
        panic!("it is told");
    };
    assert!(number > at(T2), "the number never falls");
    assert_eq!(upstream.requests()[before].header("If-Modified-Since"), None);
    second.end().await;
}

#[actix_rt::test]
async fn files_and_fallbacks_are_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, file) = (folder.path().join("store"), folder.path().join("seed.json"));
    fs::write(&file, of_client0(&document("seed", T1))).unwrap();
    let upstream = silent();
    let mut first = Life::begin(&directory, &upstream, vec![from_file(file.clone())]);
    first.event().await;
    first.has(&directory).await;
    first.end().await;
    assert_eq!(names(&directory), ["lock"]);

    let mut with_fallback = polled(0);
    with_fallback.fallback = Some(file);
    let mut second = Life::begin(&directory, &upstream, vec![with_fallback.clone()]);
    let id = second.harness.id(0);
    assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T1)));
    assert_eq!(second.harness.status(0).await.status, "fallback");
    second.end().await;
    assert_eq!(names(&directory), ["lock"]);

    // Unless upstream gives the same: then it is upstream's.
    give(&upstream, "seed", T1);
    let mut third = Life::begin(&directory, &upstream, vec![with_fallback]);
    third.event().await;
    third.harness.wait_for_status(0, "ok").await;
    third.end().await;
    assert_eq!(names(&directory).len(), 2);
}
