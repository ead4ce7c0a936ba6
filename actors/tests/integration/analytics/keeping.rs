//! Bounds, sources, the stop and a restart.
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, mpsc};
use std::time::{Duration, Instant};

use actors::analytics::{AnalyticsOptions, LabelsRef, UnsentStore};
use test_support::upstream::{Answer, Counted, ScriptedUpstream};

use super::{Analytics, at_last, document, often, sent, upstream};
use crate::harness::{NEVER, SOON, from_file, polled};

/// What a stop has, a part of which is for the end of its thread: longer than that takes on a slow machine.
const LITTLE: Duration = Duration::from_secs(5);

/// What is kept over a restart.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl UnsentStore for Kept {
    fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0.lock().unwrap())
    }

    fn keep(&mut self, unsent: &[u8]) -> bool {
        *self.0.lock().unwrap() = unsent.to_vec();
        true
    }
}

#[actix_rt::test]
async fn what_finds_no_room_is_counted_as_lost_and_nothing_twice() {
    let (upstream, counted) = upstream(200, |_| None);
    let options = AnalyticsOptions {
        tally_bytes: 4_000,
        ..at_last()
    };
    let analytics = Analytics::start(&upstream, options).await;
    // The actor comes when the tally is half full; it may be slower than the tally fills.
    for number in 0..200 {
        analytics.count(&format!("feature_{number}"), 3);
    }
    analytics.handle.flush(SOON).await;
    let totals = analytics.wait_for(|totals| totals.waiting == 0).await;
    assert_eq!(totals.forwarded + totals.lost.sum(), 600);
    assert_eq!(counted.sum(), totals.forwarded);
    assert!(totals.forwarded > 0);
}

#[actix_rt::test]
async fn a_full_queue_loses_what_is_new_alone() {
    let (upstream, counted) = upstream(200, |_| Some(Answer::status(503)));
    let options = AnalyticsOptions {
        queues_bytes: 4_000,
        ..often()
    };
    let analytics = Analytics::start(&upstream, options).await;
    for number in 0..200 {
        analytics.count(&format!("feature_{number}"), 1);
    }
    let totals = analytics
        .wait_for(|totals| totals.waiting + totals.lost.no_room == 200)
        .await;
    assert!(totals.lost.no_room > 100 && totals.waiting > 10, "{totals:?}");
    upstream.script(counted.script(&document(200), |_| None));
    let after = analytics.wait_for(|totals| totals.waiting == 0).await;
    assert_eq!((after.lost, after.forwarded), (totals.lost, totals.waiting));
    assert_eq!(counted.sum(), totals.waiting);
}

#[actix_rt::test]
async fn what_came_before_the_first_document_is_sent_once_its_features_are_known() {
    let counted = Counted::default();
    let upstream = ScriptedUpstream::start(|_| Answer::status(503));
    let analytics = Analytics::start_with(vec![polled(0)], upstream.api_url(), often(), None);
    analytics.count("feature_0", 2);
    analytics.count("unknown", 3);
    analytics.wait_for(|totals| totals.waiting == 5).await;
    assert_eq!(sent(&upstream).len(), 0);
    upstream.script(counted.script(&document(1), |_| None));
    let totals = analytics.wait_for(|totals| totals.forwarded == 2).await;
    assert_eq!((totals.unknown, totals.waiting, totals.lost.sum()), (3, 0, 0));
    assert_eq!(
        counted.by_feature(),
        BTreeMap::from([("feature_0".to_owned(), 2)])
    );
}

#[actix_rt::test]
async fn counts_of_a_file_have_no_upstream() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("environment.json");
    std::fs::write(&path, document(1)).unwrap();
    let (upstream, _counted) = upstream(1, |_| None);
    let analytics = Analytics::start_with(vec![from_file(path)], upstream.api_url(), often(), None);
    analytics.wait_for_document().await;
    analytics.count("feature_0", 2);
    analytics.wait_for(|totals| totals.without_upstream == 2).await;
    assert!(analytics.handle.stop(SOON).await);
    assert_eq!(upstream.requests().len(), 0);
}

#[actix_rt::test]
async fn what_waits_of_an_environment_that_becomes_a_file_s_is_lost_and_counted() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("environment.json");
    std::fs::write(&path, document(1)).unwrap();
    let (upstream, counted) = upstream(1, |_| Some(Answer::status(503)));
    let analytics = Analytics::start(&upstream, often()).await;
    analytics.count("feature_0", 5);
    analytics.wait_for(|totals| totals.waiting == 5).await;
    analytics
        .harness
        .handle
        .configure(vec![from_file(path)])
        .await
        .unwrap();
    let totals = analytics.wait_for(|totals| totals.lost.removed == 5).await;
    assert_eq!((totals.waiting, totals.lost.sum(), counted.sum()), (0, 5, 0));
}

#[actix_rt::test]
async fn a_removed_environment_sends_what_it_has() {
    let (upstream, counted) = upstream(1, |_| None);
    let analytics = Analytics::start(&upstream, at_last()).await;
    analytics.count("feature_0", 2);
    analytics.harness.handle.configure(vec![polled(1)]).await.unwrap();
    analytics.handle.flush(SOON).await;
    assert_eq!(counted.sum(), 2);
    assert_eq!(counted.requests()[0].header("x-environment-key"), Some("client0"));
}

#[actix_rt::test]
async fn requests_that_found_a_removed_environment_still_are_counted() {
    let (upstream, counted) = upstream(1, |_| None);
    let analytics = Analytics::start(&upstream, at_last()).await;
    let removed = analytics.id();
    analytics.harness.handle.configure(vec![polled(1)]).await.unwrap();
    analytics.handle.flush(SOON).await;
    analytics.worker.count(removed, LabelsRef::default(), |counting| {
        counting.feature("feature_0", 2, |_| true);
    });
    analytics.handle.flush(SOON).await;
    assert_eq!(counted.sum(), 2);
    assert_eq!(analytics.totals().await.lost.removed, 0);
}

#[actix_rt::test]
async fn an_environment_that_comes_and_goes_between_two_looks_sends_what_it_has() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("environment.json");
    std::fs::write(&path, document(1)).unwrap();
    let (upstream, counted) = upstream(1, |_| Some(Answer::status(503)));
    let analytics = Analytics::start(&upstream, at_last()).await;
    analytics.count("feature_0", 5);
    analytics.handle.flush(SOON).await;
    let configure = |environments| analytics.harness.handle.configure(environments);
    configure(vec![from_file(path.clone()), polled(1)]).await.unwrap();
    // What it had is lost where its environment becomes a file's, which shows that the actor has followed.
    analytics.wait_for(|totals| totals.lost.removed == 5).await;
    let added = analytics.harness.id(1);
    analytics.worker.count(added, LabelsRef::default(), |counting| {
        counting.feature("feature_0", 2, |_| true);
    });
    configure(vec![from_file(path)]).await.unwrap();
    upstream.script(counted.script(&document(1), |_| None));
    analytics.handle.flush(SOON).await;
    assert_eq!(counted.sum(), 2);
    assert_eq!(counted.requests()[0].header("x-environment-key"), Some("client1"));
}

#[actix_rt::test]
async fn a_stop_sends_what_is_there() {
    let (upstream, counted) = upstream(1, |_| None);
    let analytics = Analytics::start(&upstream, at_last()).await;
    let second = analytics.handle.tallies().register();
    analytics.count("feature_0", 2);
    second.count(analytics.id(), LabelsRef::default(), |counting| {
        counting.feature("feature_0", 3, |_| true);
    });
    drop(second);
    assert!(analytics.handle.stop(SOON).await, "its thread ends");
    assert_eq!(counted.sum(), 5);
    assert!(analytics.harness.lifelines.is_alive());
    let totals = analytics.totals().await;
    assert_eq!(
        (totals.forwarded, totals.waiting),
        (5, 0),
        "it tells them to the last"
    );
}

#[actix_rt::test]
async fn a_stop_does_not_wait_for_an_upstream_that_is_away_or_silent() {
    for answer in [Answer::status(503), Answer::hang()] {
        let (upstream, _counted) = upstream(1, move |_| Some(answer.clone()));
        let options = AnalyticsOptions {
            timeout: NEVER,
            ..at_last()
        };
        let analytics = Analytics::start(&upstream, options).await;
        analytics.count("feature_0", 2);
        let before = Instant::now();
        assert!(analytics.handle.stop(LITTLE).await);
        assert!(before.elapsed() < SOON);
    }
}

#[actix_rt::test]
async fn what_a_stop_cannot_send_is_there_after_a_restart() {
    let (upstream, counted) = upstream(2, |_| Some(Answer::status(503)));
    let kept = Kept::default();
    let start = |environment| {
        let store: Box<dyn UnsentStore> = Box::new(kept.clone());
        Analytics::start_with(vec![environment], upstream.api_url(), often(), Some(store))
    };
    let shop = [("flagsmith-application-name", "shop")];
    let first = start(polled(0));
    first.wait_for_document().await;
    first.count_as(&shop, "feature_0", 2);
    first.count_as(&shop, "feature_1", 3);
    first.wait_for(|totals| totals.waiting == 5).await;
    assert!(first.handle.stop(SOON).await);
    assert!(!kept.0.lock().unwrap().is_empty());

    // Another environment's process keeps them on.
    let other = start(polled(1));
    other.wait_for_document().await;
    assert!(other.handle.stop(SOON).await);

    upstream.script(counted.script(&document(2), |_| None));
    let second = start(polled(0));
    second.count_as(&shop, "feature_0", 10);
    let totals = second.wait_for(|totals| totals.forwarded == 15).await;
    assert_eq!((totals.lost.sum(), counted.sum()), (0, 15));
    for request in counted.requests() {
        assert_eq!(request.header("flagsmith-application-name"), Some("shop"));
    }
    assert!(second.handle.stop(SOON).await);
    assert!(kept.0.lock().unwrap().is_empty());
}

/// A disk that hangs until its other end is dropped.
struct Hanging {
    released: Mutex<mpsc::Receiver<()>>,
    on_disk: Kept,
    /// Whether it hangs when something is to be kept, and not when it is read.
    on_keeping: bool,
}

impl Hanging {
    fn hang(&self) {
        let _ = self.released.lock().unwrap().recv();
    }
}

impl UnsentStore for Hanging {
    fn take(&mut self) -> Vec<u8> {
        if !self.on_keeping {
            self.hang();
        }
        self.on_disk.take()
    }

    fn keep(&mut self, unsent: &[u8]) -> bool {
        self.hang();
        self.on_disk.keep(unsent)
    }
}

/// Counts on a disk that hangs, and what lets go of it.
fn on_a_hanging_disk(
    upstream: &ScriptedUpstream,
    on_keeping: bool,
    on_disk: &Kept,
) -> (Analytics, mpsc::Sender<()>) {
    let (release, released) = mpsc::channel();
    let disk = Hanging {
        released: Mutex::new(released),
        on_disk: on_disk.clone(),
        on_keeping,
    };
    let api_url = upstream.api_url();
    let analytics = Analytics::start_with(vec![polled(0)], api_url, often(), Some(Box::new(disk)));
    (analytics, release)
}

#[actix_rt::test]
async fn a_disk_that_hangs_holds_up_no_count_and_no_stop() {
    for on_keeping in [false, true] {
        let (upstream, counted) = upstream(2, |_| Some(Answer::status(503)));
        let (analytics, _release) = on_a_hanging_disk(&upstream, on_keeping, &Kept::default());
        analytics.wait_for_document().await;
        analytics.count("feature_0", 2);
        analytics.wait_for(|totals| totals.waiting == 2).await;
        upstream.script(counted.script(&document(2), |_| None));
        analytics.count("feature_1", 3);
        analytics.wait_for(|totals| totals.forwarded == 5).await;
        let before = Instant::now();
        assert!(analytics.handle.stop(LITTLE).await);
        assert!(before.elapsed() < SOON);
    }
}

#[actix_rt::test]
async fn what_a_slow_disk_gives_late_is_sent_and_not_written_over_before() {
    let (upstream, counted) = upstream(2, |_| Some(Answer::status(503)));
    let on_disk = Kept::default();
    let store: Box<dyn UnsentStore> = Box::new(on_disk.clone());
    let first = Analytics::start_with(vec![polled(0)], upstream.api_url(), often(), Some(store));
    first.wait_for_document().await;
    first.count("feature_0", 2);
    first.wait_for(|totals| totals.waiting == 2).await;
    assert!(first.handle.stop(SOON).await);

    let (second, release) = on_a_hanging_disk(&upstream, false, &on_disk);
    second.wait_for_document().await;
    second.count("feature_1", 3);
    second.wait_for(|totals| totals.waiting == 3).await;
    assert!(!on_disk.0.lock().unwrap().is_empty());
    drop(release);
    second.wait_for(|totals| totals.waiting == 5).await;
    upstream.script(counted.script(&document(2), |_| None));
    second.wait_for(|totals| totals.forwarded == 5).await;
    assert!(second.handle.stop(SOON).await);
    assert_eq!(counted.sum(), 5);
    assert!(on_disk.0.lock().unwrap().is_empty());
}

#[actix_rt::test]
async fn a_panic_in_the_actor_is_noticed() {
    let (upstream, _counted) = upstream(1, |_| None);
    let analytics = Analytics::start(&upstream, at_last()).await;
    analytics.handle.inject_panic();
    assert_eq!(analytics.harness.lifelines.first_death().await, "AnalyticsActor");
}

#[actix_rt::test]
async fn what_does_not_arrive_is_kept_meanwhile_and_less_of_it_once_it_does() {
    let (upstream, counted) = upstream(2, |_| Some(Answer::status(503)));
    let kept = Kept::default();
    let store = Box::new(kept.clone());
    let analytics = Analytics::start_with(vec![polled(0)], upstream.api_url(), often(), Some(store));
    analytics.wait_for_document().await;
    analytics.count("feature_0", 2);
    // The process may be killed from here on.
    while kept.0.lock().unwrap().is_empty() {
        actix_rt::task::yield_now().await;
    }
    let at_its_kill = Kept(Arc::new(Mutex::new(kept.0.lock().unwrap().clone())));
    upstream.script(counted.script(&document(2), |_| None));
    counted.wait_for_sum(2).await;
    while !kept.0.lock().unwrap().is_empty() {
        actix_rt::task::yield_now().await;
    }
    assert!(analytics.handle.stop(SOON).await);
    assert!(kept.0.lock().unwrap().is_empty());

    let counted = Counted::default();
    upstream.script(counted.script(&document(2), |_| None));
    let next = Analytics::start_with(
        vec![polled(0)],
        upstream.api_url(),
        often(),
        Some(Box::new(at_its_kill)),
    );
    counted.wait_for_sum(2).await;
    assert!(next.handle.stop(SOON).await);
    assert_eq!(counted.sum(), 2, "once");
}
