//! Key pairs that are corrected, and environments that come back.
use std::fs;

use actors::environment::EnvironmentEvent;
use actors::keys::EnvironmentKey;
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use super::{Life, T1, T2, at, folder_with, give, giving, hold, silent};
use crate::harness::{has_value, of_client0, polled};

#[actix_rt::test]
async fn a_corrected_client_side_key_is_the_one_that_a_restart_looks_for() {
    let folder = tempfile::tempdir().unwrap();
    let upstream = giving("one", T1);
    let mut mistaken = polled(0);
    mistaken.client_side_key = EnvironmentKey::new("mistaken");
    let mut first = Life::begin(folder.path(), &upstream, vec![mistaken]);
    first.event().await;
    // Nothing changes but the key: what is served is stored under it at once.
    let reconfigured = first.harness.handle.reconfigure(vec![polled(0)], None, None);
    reconfigured.await.unwrap();
    first.end().await;
    upstream.go_down();
    let mut second = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    let id = second.harness.id(0);
    assert_eq!(second.event().await, EnvironmentEvent::Restored(id, at(T1)));

    // And so is all that comes later.
    upstream.come_up();
    give(&upstream, "two", T2);
    assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T2)));
    second.end().await;
    upstream.go_down();
    let mut third = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    let id = third.harness.id(0);
    assert_eq!(third.event().await, EnvironmentEvent::Restored(id, at(T2)));
    third.end().await;
}

#[actix_rt::test]
async fn what_a_mended_pair_was_given_of_another_environment_is_not_served_again() {
    let folder = tempfile::tempdir().unwrap();
    // Not client0's, whose key pair has another environment's server-side key.
    let foreign = document("foreign", T1);
    let upstream = ScriptedUpstream::start(move |_| Answer::ok(foreign.clone()));
    let mut first = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    first.event().await;
    first.end().await;
    upstream.script(|_| Answer::status(503));
    let mut mended = polled(0);
    mended.server_side_keys = vec![EnvironmentKey::new("ser.mended")];
    let file = folder.path().join("seed.json");
    fs::write(&file, of_client0(&document("seed", T1))).unwrap();
    mended.fallback = Some(file);
    let second = Life::begin(folder.path(), &upstream, vec![mended]);
    // The first that is served.
    let served = second.harness.wait_for(|snapshot| {
        let served = snapshot.environment(second.harness.id(0))?;
        Some(has_value(served, "seed"))
    });
    assert!(served.await);
    second.end().await;

    // The same keys' document is served as before, whatever it names.
    let third = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    third.harness.wait_for_value("foreign").await;
    third.end().await;
}

#[actix_rt::test]
async fn what_waits_to_be_stored_is_what_an_environment_that_comes_back_begins_with() {
    let upstream = silent();
    let folder = folder_with(&upstream, "one", T1).await;
    // Another process has the directory.
    let _holder = hold(folder.path());
    give(&upstream, "two", T2);
    let mut second = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    while second.event().await != EnvironmentEvent::Updated(second.harness.id(0), at(T2)) {}
    upstream.go_down();
    for environments in [Vec::new(), vec![polled(0)]] {
        let reconfigured = second.harness.handle.reconfigure(environments, None, None);
        reconfigured.await.unwrap();
    }
    let id = second.harness.id(0);
    let begun = second
        .harness
        .wait_for(|snapshot| snapshot.environment(id).cloned())
        .await;
    assert!(has_value(&begun, "two"));
    assert_eq!(begun.updated_at, at(T2));
    second.end().await;
}
