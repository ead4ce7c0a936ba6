//! Directories that others have, that are full, or that come late.
use std::fs;

use actors::environment::EnvironmentEvent;
use test_support::documents::document;
use test_support::upstream::Answer;

use super::{Life, T1, T2, at, folder_with, give, giving, hold, lead, names, silent};
use crate::harness::{of_client0, polled};

#[actix_rt::test]
async fn a_second_process_reads_and_writes_when_the_first_has_gone() {
    let upstream = silent();
    let folder = folder_with(&upstream, "one", T1).await;
    // It holds the directory and writes nothing.
    let holder = hold(folder.path());
    give(&upstream, "two", T2);
    let mut second = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    let id = second.harness.id(0);
    assert_eq!(second.event().await, EnvironmentEvent::Restored(id, at(T1)));
    assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T2)));
    let before = names(folder.path());
    drop(holder);
    // The previous document is beside the current one then.
    while names(folder.path()) == before {
        actix_rt::task::yield_now().await;
    }
    second.end().await;
    upstream.go_down();
    let mut third = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    let id = third.harness.id(0);
    assert_eq!(third.event().await, EnvironmentEvent::Restored(id, at(T2)));
    third.end().await;
}

#[actix_rt::test]
async fn a_document_that_cannot_be_stored_keeps_no_other_from_being() {
    let upstream = silent();
    let folder = folder_with(&upstream, "one", T1).await;
    // Under its name is something else, which can be set aside no more.
    let stored = names(folder.path())
        .into_iter()
        .find(|name| name.ends_with(".document"))
        .unwrap();
    let stored = folder.path().join(stored);
    fs::write(&stored, "notes").unwrap();
    for number in 1..=100 {
        fs::write(format!("{}.set-aside-{number}", stored.display()), "notes").unwrap();
    }
    let mut second = Life::begin(folder.path(), &upstream, vec![polled(0), polled(1)]);
    second.harness.wait_for_value_of(0, "one").await;
    second.harness.wait_for_value_of(1, "one").await;
    give(&upstream, "two", T2);
    let mut told = Vec::new();
    while told.len() < 2 {
        match second.event().await {
            EnvironmentEvent::Updated(id, number) if number == at(T2) => told.push(id),
            _ => {}
        }
    }
    second.end().await;
    assert_eq!(fs::read_to_string(&stored).unwrap(), "notes");
    upstream.go_down();
    let third = Life::begin(folder.path(), &upstream, vec![polled(0), polled(1)]);
    third.harness.wait_for_value_of(1, "two").await;
    third.end().await;
}

#[actix_rt::test]
async fn in_a_directory_that_turns_out_to_be_another_everything_is_stored_anew() {
    let folder = tempfile::tempdir().unwrap();
    let [directory, early, late] = ["store", "early", "late"].map(|name| folder.path().join(name));
    for directory in [&early, &late] {
        fs::create_dir(directory).unwrap();
    }
    lead(&directory, &early);
    let upstream = giving("one", T1);
    let mut first = Life::begin(&directory, &upstream, vec![polled(0)]);
    first.event().await;
    let is_stored = || {
        let mut names = names(&directory).into_iter();
        names.any(|name| name.ends_with(".document"))
    };
    while !is_stored() {
        actix_rt::task::yield_now().await;
    }
    // Nothing changes but the directory, as where a volume is mounted late.
    lead(&directory, &late);
    while !is_stored() {
        actix_rt::task::yield_now().await;
    }
    first.end().await;
    upstream.go_down();
    let mut second = Life::begin(&directory, &upstream, vec![polled(0)]);
    let id = second.harness.id(0);
    assert_eq!(second.event().await, EnvironmentEvent::Restored(id, at(T1)));
    second.end().await;
}

#[actix_rt::test]
async fn what_is_stored_on_a_volume_that_comes_late_takes_the_place_of_a_fallback() {
    let folder = tempfile::tempdir().unwrap();
    let [directory, early, late] = ["store", "early", "late"].map(|name| folder.path().join(name));
    fs::create_dir(&early).unwrap();
    lead(&directory, &early);
    let upstream = giving("one", T1);
    let mut first = Life::begin(&late, &upstream, vec![polled(0)]);
    first.event().await;
    first.end().await;
    upstream.script(|_| Answer::status(503));
    let file = folder.path().join("seed.json");
    fs::write(&file, of_client0(&document("seed", T2))).unwrap();
    let mut with_fallback = polled(0);
    with_fallback.fallback = Some(file);
    let second = Life::begin(&directory, &upstream, vec![with_fallback]);
    let seeded = second.harness.wait_for_value("seed").await;
    second.has(&directory).await;
    lead(&directory, &late);
    let restored = second.harness.wait_for_value("one").await;
    assert!(restored.updated_at > seeded.updated_at, "the number never falls");
    second.end().await;
    // It is stored under the number that was told.
    upstream.go_down();
    let third = Life::begin(&directory, &upstream, vec![polled(0)]);
    let again = third.harness.wait_for_value("one").await;
    assert_eq!(again.updated_at, restored.updated_at);
    third.end().await;
}
