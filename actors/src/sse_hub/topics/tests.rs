//! Who is told of what, and when, by a clock that the test turns.
use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::sse_hub::NotifySpread;

mod ends;
mod options;
mod spreads;

const MAIN: EnvironmentId = EnvironmentId::after(None);
const OTHER: EnvironmentId = EnvironmentId::after(Some(MAIN));

/// Records what it is told, in order.
#[derive(Debug, Clone, Default)]
struct Recorder(Rc<RefCell<Vec<String>>>);

impl Recorder {
    fn record(&self) -> Vec<String> {
        self.0.borrow().clone()
    }
}

impl Subscriber for Recorder {
    fn tell(&self, change: &Change) {
        self.0.borrow_mut().push(change.updated_at.to_string());
    }
    fn replay(&self, change: &Change) {
        self.tell(change);
    }
    fn end(&self) {
        self.0.borrow_mut().push("end".to_owned());
    }
}

struct Scene {
    topics: Topics<Recorder>,
    start: Instant,
}

fn scene(options: HubOptions) -> Scene {
    let mut topics = Topics::new(options);
    topics.add(MAIN);
    topics.add(OTHER);
    Scene {
        topics,
        start: Instant::now(),
    }
}

fn spread(notify_spread: NotifySpread) -> Scene {
    scene(HubOptions {
        notify_spread,
        ..HubOptions::default()
    })
}

fn seconds(seconds: i64) -> UpdatedAt {
    UpdatedAt::from_micros(seconds * 1_000_000)
}

impl Scene {
    fn at(&self, millis: u64) -> Instant {
        self.start + Duration::from_millis(millis)
    }

    /// Subscribers of the two environments.
    fn counts(&self) -> [usize; 2] {
        let counts = self.topics.counts();
        [MAIN, OTHER].map(|id| counts.get(&id).copied().unwrap_or(0))
    }

    fn join(&mut self, id: EnvironmentId, millis: u64) -> (Recorder, SubscriberKey) {
        let recorder = Recorder::default();
        let key = self
            .topics
            .subscribe(id, recorder.clone(), self.at(millis))
            .unwrap();
        (recorder, key)
    }

    fn join_many(&mut self, count: usize) -> Vec<Recorder> {
        std::iter::repeat_with(|| self.join(MAIN, 0).0)
            .take(count)
            .collect()
    }

    /// A change at a moment; the wall clock stands at second 1,000 when the scene starts.
    fn change(&mut self, updated_at: i64, millis: u64) {
        let now = self.at(millis);
        self.topics.notify(
            MAIN,
            seconds(updated_at),
            now,
            seconds(1_000 + millis as i64 / 1_000),
        );
    }

    fn run(&mut self, from: u64, to: u64) {
        for millis in (from..=to).step_by(2) {
            self.topics.advance(self.at(millis));
        }
    }
}

fn told(recorders: &[Recorder], text: &str) -> usize {
    recorders
        .iter()
        .filter(|recorder| recorder.record().iter().any(|told| told == text))
        .count()
}

#[test]
fn a_change_is_told_to_the_subscribers_of_its_environment_alone() {
    let mut scene = spread(NotifySpread::Auto);
    let (here, _) = scene.join(MAIN, 0);
    let (elsewhere, _) = scene.join(OTHER, 0);
    scene.change(1_000, 0);
    assert_eq!(
        scene.topics.advance(scene.at(0)),
        None,
        "without a spread nothing is left to do"
    );
    assert_eq!(here.record(), ["1000.0"]);
    assert!(elsewhere.record().is_empty());
    assert_eq!(scene.counts(), [1, 1]);
}

#[test]
fn the_data_of_a_change_is_one_shared_text_with_a_decimal_point() {
    let change = Change::new(UpdatedAt::from_micros(1_735_229_888_760_000), Instant::now());
    assert_eq!(&*change.data, r#"{"updated_at": 1735229888.76}"#);
    assert_eq!(change.data.as_ptr(), change.clone().data.as_ptr());
}

#[test]
fn the_same_or_an_older_change_is_not_told_again() {
    let mut scene = spread(NotifySpread::Auto);
    let (subscriber, _) = scene.join(MAIN, 0);
    for updated_at in [1_000, 1_000, 999, 1_001] {
        scene.change(updated_at, 0);
        scene.topics.advance(scene.at(0));
    }
    assert_eq!(subscriber.record(), ["1000.0", "1001.0"]);
}

#[test]
fn who_connects_late_is_told_of_a_recent_change() {
    const REPLAYED: u64 = 5 * 60 * 1_000;
    for (joined, expected) in [(0, 1), (REPLAYED - 1, 1), (REPLAYED, 0)] {
        let mut scene = spread(NotifySpread::Auto);
        scene.join(MAIN, 0);
        scene.change(10, 0); // ancient by its own number, but told now
        scene.topics.advance(scene.at(0));
        let (late, _) = scene.join(MAIN, joined);
        assert_eq!(late.record().len(), expected, "joined after {joined} ms");
    }
}

#[test]
fn after_a_start_the_age_of_the_first_document_counts_from_its_updated_at() {
    for (updated_at, joined, expected) in [
        (1_000, 0, 1),              // changed this moment
        (701, 0, 1),                // 299 s old
        (701, 999, 1),              // not yet 300 s old
        (701, 1_000, 0),            // 300 s old
        (10, 0, 0),                 // ancient
        (1_060, 5 * 60_000 - 1, 1), // upstream's clock is ahead of ours
        (1_060, 5 * 60_000, 0),
    ] {
        let mut scene = spread(NotifySpread::Auto);
        scene.change(updated_at, 0);
        scene.topics.advance(scene.at(0));
        let (first, _) = scene.join(MAIN, joined);
        assert_eq!(
            first.record().len(),
            expected,
            "updated at {updated_at}, joined after {joined} ms"
        );
    }
}

#[test]
fn a_replayed_change_is_not_told_again_by_the_spread_that_is_under_way() {
    let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(1)));
    scene.join_many(10);
    scene.change(1_000, 0);
    scene.run(0, 500);
    let (late, _) = scene.join(MAIN, 500);
    scene.run(520, 2_000);
    assert_eq!(late.record(), ["1000.0"]);
}

#[test]
fn admission_is_limited_for_the_process() {
    let mut scene = scene(HubOptions {
        max_subscribers: 2,
        ..HubOptions::default()
    });
    let (_, first) = scene.join(MAIN, 0);
    scene.join(OTHER, 0);
    let now = scene.at(0);
    assert_eq!(
        scene.topics.subscribe(MAIN, Recorder::default(), now),
        Err(Refusal::Full)
    );
    scene.topics.unsubscribe(MAIN, first);
    scene.topics.unsubscribe(MAIN, first); // twice counts once
    assert!(scene.topics.subscribe(MAIN, Recorder::default(), now).is_ok());
    assert_eq!(
        scene.topics.subscribe(MAIN, Recorder::default(), now),
        Err(Refusal::Full)
    );
}

#[test]
fn what_was_told_before_a_restart_is_replayed_while_it_is_recent_and_no_news_else() {
    for (updated_at, replayed) in [(1_000, 1), (701, 1), (700, 0), (10, 0)] {
        let mut scene = spread(NotifySpread::Auto);
        let (before, _) = scene.join(MAIN, 0);
        let now = scene.start;
        scene
            .topics
            .restore(MAIN, seconds(updated_at), now, seconds(1_000));
        scene.run(0, 10);
        let (after, _) = scene.join(MAIN, 20);
        assert_eq!(before.record().len(), replayed, "{updated_at}");
        assert_eq!(after.record().len(), replayed, "{updated_at}");
        scene
            .topics
            .restore(MAIN, seconds(updated_at), now, seconds(1_000));
        scene.run(30, 40);
        assert_eq!(after.record().len(), replayed, "once");

        scene.change(updated_at, 50);
        scene.run(50, 60);
        assert_eq!(after.record().len(), replayed, "the same number is no news");
        scene.change(1_100, 100);
        scene.run(100, 110);
        for recorder in [&before, &after] {
            assert_eq!(recorder.record().len(), replayed + 1);
        }
    }
}
