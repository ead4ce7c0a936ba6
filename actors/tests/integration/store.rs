//! What survives a restart.
use std::fs;
use std::path::Path;
use std::time::Duration;

use actors::environment::{ActorOptions, EnvironmentEvent, EnvironmentOptions, PollingOptions};
use actors::keys::EnvironmentKey;
use actors::lifeline::Lifelines;
use actors::store::{StoreHandle, StoreOptions};
use actors::upstream::UpstreamOptions;
use engine::{KeyKind, UpdatedAt};
use test_support::documents::document;
use test_support::upstream::{Answer, ScriptedUpstream};

use crate::harness::{Harness, SOON, from_file, has_value, of_client0, polled, quick};

const T1: &str = "2024-12-26T16:18:08.760000+00:00";
const T2: &str = "2024-12-26T16:18:20.000000+00:00";

fn at(text: &str) -> UpdatedAt {
    UpdatedAt::parse(text).unwrap()
}

/// Polls that come when the first is over and no more, of an environment that goes stale at once.
fn polling() -> PollingOptions {
    PollingOptions {
        grace_period: Some(SOON),
        ..quick()
    }
}

/// One process's life on a directory.
struct Life {
    harness: Harness,
    store: StoreHandle,
}

impl Life {
    fn begin(directory: &Path, upstream: &ScriptedUpstream, environments: Vec<EnvironmentOptions>) -> Self {
        let keys = environments.iter().map(|options| options.client_side_key.clone());
        let options = StoreOptions {
            retry: Duration::from_millis(20),
            look: Duration::from_millis(20),
            ..StoreOptions::new(directory.to_owned(), keys.collect())
        };
        let store = StoreHandle::start(options, &Lifelines::new()).unwrap();
        let mut options = ActorOptions::new(polling(), UpstreamOptions::new(upstream.api_url()));
        options.store = Some(store.clone());
        Self {
            harness: Harness::start_with(environments, options),
            store,
        }
    }

    /// Stops it in good order: all that it told is stored.
    async fn end(self) {
        assert!(self.harness.handle.stop(SOON).await);
        assert!(self.store.stop(SOON).await);
    }

    /// The next event but additions.
    async fn event(&mut self) -> EnvironmentEvent {
        loop {
            match self.harness.event().await {
                EnvironmentEvent::Added(_) => {}
                event => return event,
            }
        }
    }
}

fn gives(value: &str, updated_at: &str) -> impl Fn() -> Answer + Clone + Send + Sync + 'static {
    let document = of_client0(&document(value, updated_at));
    move || Answer::ok(document.clone())
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[actix_rt::test]
async fn a_restart_without_upstream_serves_the_same_and_tells_nobody_twice() {
    let folder = tempfile::tempdir().unwrap();
    let directory = folder.path().join("store");
    let one = gives("one", T1);
    let upstream = ScriptedUpstream::start(move |_| one());
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
    let two = gives("two", T2);
    upstream.script(move |_| two());
    assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T2)));
    second.end().await;
}

#[actix_rt::test]
async fn what_changed_while_the_process_was_down_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let one = gives("one", T1);
    let upstream = ScriptedUpstream::start(move |_| one());
    let mut first = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    first.event().await;
    first.end().await;
    let two = gives("two", T2);
    upstream.script(move |_| two());
    let mut second = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    let id = second.harness.id(0);
    assert_eq!(second.event().await, EnvironmentEvent::Restored(id, at(T1)));
    assert_eq!(second.event().await, EnvironmentEvent::Updated(id, at(T2)));
    second.end().await;

    // Under an unmoved number as well: it is told under one of ours, which survives in turn.
    let three = gives("three", T2);
    upstream.script(move |_| three());
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
    let folder = tempfile::tempdir().unwrap();
    let one = gives("one", T2);
    let upstream = ScriptedUpstream::start(move |_| one());
    let mut first = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    first.event().await;
    first.end().await;
    // An older document of the same upstream would be taken for a lagging worker's.
    let zero = gives("zero", T1);
    upstream.script(move |_| zero());
    let mut rotated = polled(0);
    rotated.server_side_keys = vec![EnvironmentKey::new("ser.next")];
    let mut second = Life::begin(folder.path(), &upstream, vec![rotated]);
    second.event().await;
    let EnvironmentEvent::Updated(_, number) = second.event().await else {
        panic!("it is told");
    };
    assert!(number > at(T2), "the number never falls");
    assert_eq!(
        upstream.requests().last().unwrap().header("If-Modified-Since"),
        None
    );
    second.end().await;
}

#[actix_rt::test]
async fn files_and_fallbacks_are_not_stored() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, file) = (folder.path().join("store"), folder.path().join("seed.json"));
    fs::write(&file, of_client0(&document("seed", T1))).unwrap();
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    let mut first = Life::begin(&directory, &upstream, vec![from_file(file.clone())]);
    first.event().await;
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
    let seed = gives("seed", T1);
    upstream.script(move |_| seed());
    let third = Life::begin(&directory, &upstream, vec![with_fallback]);
    third.harness.wait_for_status(0, "ok").await;
    third.end().await;
    assert_eq!(names(&directory).len(), 2);
}

#[actix_rt::test]
async fn a_second_process_reads_and_writes_when_the_first_has_gone() {
    let folder = tempfile::tempdir().unwrap();
    let one = gives("one", T1);
    let upstream = ScriptedUpstream::start(move |_| one());
    let mut first = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    first.event().await;
    first.end().await;
    // It holds the directory and writes nothing.
    let holder = fs::File::open(folder.path().join("lock")).unwrap();
    holder.lock().unwrap();
    let two = gives("two", T2);
    upstream.script(move |_| two());
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
async fn a_corrected_client_side_key_is_the_one_that_a_restart_looks_for() {
    let folder = tempfile::tempdir().unwrap();
    let one = gives("one", T1);
    let upstream = ScriptedUpstream::start(move |_| one());
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
    let two = gives("two", T2);
    upstream.script(move |_| two());
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
async fn a_document_that_cannot_be_stored_keeps_no_other_from_being() {
    let folder = tempfile::tempdir().unwrap();
    let one = gives("one", T1);
    let upstream = ScriptedUpstream::start(move |_| one());
    let mut first = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    first.event().await;
    first.end().await;
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
    let two = gives("two", T2);
    upstream.script(move |_| two());
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
    let directory = folder.path().join("store");
    let one = gives("one", T1);
    let upstream = ScriptedUpstream::start(move |_| one());
    let mut first = Life::begin(&directory, &upstream, vec![polled(0)]);
    first.event().await;
    let is_stored = || {
        let mut names = names(&directory).into_iter();
        names.any(|name| name.ends_with(".document"))
    };
    while !(directory.exists() && is_stored()) {
        actix_rt::task::yield_now().await;
    }
    // Nothing changes but the directory, as where a volume is mounted late.
    let late = folder.path().join("late");
    fs::create_dir(&late).unwrap();
    fs::rename(&directory, folder.path().join("away")).unwrap();
    fs::rename(&late, &directory).unwrap();
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
async fn what_waits_to_be_stored_is_what_an_environment_that_comes_back_begins_with() {
    let folder = tempfile::tempdir().unwrap();
    let one = gives("one", T1);
    let upstream = ScriptedUpstream::start(move |_| one());
    let mut first = Life::begin(folder.path(), &upstream, vec![polled(0)]);
    first.event().await;
    first.end().await;
    // Another process has the directory.
    let holder = fs::File::open(folder.path().join("lock")).unwrap();
    holder.lock().unwrap();
    let two = gives("two", T2);
    upstream.script(move |_| two());
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

#[actix_rt::test]
async fn what_is_stored_on_a_volume_that_comes_late_takes_the_place_of_a_fallback() {
    let folder = tempfile::tempdir().unwrap();
    let (directory, late) = (folder.path().join("store"), folder.path().join("late"));
    let one = gives("one", T1);
    let upstream = ScriptedUpstream::start(move |_| one());
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
    while !directory.exists() {
        actix_rt::task::yield_now().await;
    }
    fs::rename(&directory, folder.path().join("away")).unwrap();
    fs::rename(&late, &directory).unwrap();
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
