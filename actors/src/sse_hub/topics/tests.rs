use std::cell::RefCell;
use std::rc::Rc;

use super::*;
use crate::sse_hub::NotifySpread;

mod options;

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
fn the_window_follows_the_number_of_subscribers() {
    for (subscribers, millis) in [
        (0, 0),
        (499, 0),
        (500, 100),
        (5_000, 1_000),
        (15_000, 3_000),
        (90_000, 10_000),
    ] {
        assert_eq!(
            NotifySpread::Auto.window(subscribers),
            Duration::from_millis(millis),
            "{subscribers}"
        );
    }
    let fixed = NotifySpread::Fixed(Duration::from_millis(70));
    assert_eq!(fixed.window(1), Duration::from_millis(70));
}

#[test]
fn a_spread_tells_at_an_even_pace() {
    let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(1)));
    let subscribers = scene.join_many(1_000);
    scene.change(1_000, 0);
    for (millis, expected) in [(0, 2), (498, 500), (998, 1_000)] {
        scene.topics.advance(scene.at(millis));
        assert_eq!(told(&subscribers, "1000.0"), expected, "after {millis} ms");
    }
    assert_eq!(scene.topics.advance(scene.at(1_000)), None);
    assert!(
        subscribers
            .iter()
            .all(|subscriber| subscriber.record().len() == 1),
        "nobody is told twice"
    );
}

#[test]
fn a_stalled_hub_catches_up() {
    let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(1)));
    let subscribers = scene.join_many(1_000);
    scene.change(1_000, 0);
    assert_eq!(scene.topics.advance(scene.at(7_000)), None);
    assert_eq!(told(&subscribers, "1000.0"), 1_000);
}

#[test]
fn a_newer_change_during_a_spread_reaches_everybody_once_and_the_waiting_first() {
    let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(1)));
    let subscribers = scene.join_many(1_000);
    scene.change(1_000, 0);
    scene.run(0, 498);
    scene.change(1_001, 500);
    scene.run(500, 998);
    assert_eq!(
        told(&subscribers[500..], "1001.0"),
        500,
        "those who waited are told first"
    );
    assert_eq!(told(&subscribers[..500], "1001.0"), 0);
    scene.run(1_000, 1_500);
    for (place, subscriber) in subscribers.iter().enumerate() {
        let expected: &[&str] = if place < 500 {
            &["1000.0", "1001.0"]
        } else {
            &["1001.0"]
        };
        assert_eq!(subscriber.record(), expected, "subscriber {place}");
    }
}

#[test]
fn changes_faster_than_the_window_starve_nobody() {
    let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(1)));
    let subscribers = scene.join_many(100);
    for change in 0..20 {
        scene.change(1_000 + change, change as u64 * 100);
        scene.run(change as u64 * 100, change as u64 * 100 + 98);
    }
    assert!(
        subscribers
            .iter()
            .all(|subscriber| !subscriber.record().is_empty())
    );
    scene.run(2_000, 3_000);
    assert_eq!(told(&subscribers, "1019.0"), 100);
    let most = subscribers
        .iter()
        .map(|subscriber| subscriber.record().len())
        .max()
        .unwrap();
    assert!(most <= 4, "told once a window at most, not {most} times in three");
}

#[test]
fn changes_faster_than_one_turn_starve_nobody() {
    let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(10)));
    let subscribers = scene.join_many(5); // a turn takes 2 s
    for change in 0..20 {
        scene.change(1_000 + change, change as u64 * 500);
        scene.run(change as u64 * 500, change as u64 * 500 + 498);
    }
    let told = subscribers.iter().map(|subscriber| subscriber.record().len());
    assert_eq!(told.collect::<Vec<_>>(), [1, 1, 1, 1, 1], "each in its turn");
}

#[test]
fn who_comes_back_during_a_long_spread_is_told() {
    const MINUTE: u64 = 60 * 1_000;
    for (joined, expected) in [(6 * MINUTE, 1), (15 * MINUTE - 1, 1), (15 * MINUTE, 0)] {
        let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(10 * 60)));
        scene.join_many(10);
        scene.change(1_000, 0);
        let (back, _) = scene.join(MAIN, joined);
        assert_eq!(back.record().len(), expected, "joined after {joined} ms");
    }
}

#[test]
fn newcomers_and_leavers_during_a_spread_change_nothing_for_the_others() {
    let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(1)));
    let mut members: Vec<_> = std::iter::repeat_with(|| scene.join(MAIN, 0)).take(100).collect();
    scene.change(1_000, 0);
    scene.run(0, 300);
    for (_, key) in members.drain(60..80) {
        scene.topics.unsubscribe(MAIN, key);
    }
    let newcomers: Vec<_> = std::iter::repeat_with(|| scene.join(MAIN, 320).0)
        .take(40)
        .collect();
    scene.run(320, 1_000);
    let stayed = members.iter().map(|(recorder, _)| recorder);
    for recorder in stayed.chain(&newcomers) {
        assert_eq!(recorder.record(), ["1000.0"]);
    }
    assert_eq!(scene.topics.count(), 120);
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
fn a_drain_refuses_newcomers_and_ends_everybody_within_its_window() {
    let mut scene = spread(NotifySpread::Auto);
    let subscribers = scene.join_many(4_000);
    let (start, window) = (scene.at(0), Duration::from_secs(2));
    scene.topics.drain(window, start);
    assert_eq!(
        scene.topics.subscribe(MAIN, Recorder::default(), start),
        Err(Refusal::Draining)
    );
    for (millis, expected) in [(0, 4), (998, 2_000), (1_998, 4_000)] {
        scene.topics.advance(scene.at(millis));
        assert_eq!(told(&subscribers, "end"), expected, "after {millis} ms");
    }
    assert_eq!(scene.topics.advance(scene.at(2_000)), None);
    assert!(
        subscribers
            .iter()
            .all(|subscriber| subscriber.record().len() == 1),
        "nobody is ended twice"
    );
}

#[test]
fn a_drain_during_a_spread_tells_before_it_ends() {
    let mut scene = spread(NotifySpread::Fixed(Duration::from_secs(60)));
    let subscribers = scene.join_many(100);
    scene.change(1_000, 0);
    scene.run(0, 10_000);
    assert!((1..100).contains(&told(&subscribers, "1000.0")), "under way");
    scene.topics.drain(Duration::from_secs(1), scene.at(10_000));
    scene.run(10_000, 11_000);
    for subscriber in subscribers {
        assert_eq!(subscriber.record(), ["1000.0", "end"]);
    }
}

#[test]
fn a_drain_of_few_does_not_use_its_whole_window() {
    let mut scene = spread(NotifySpread::Auto);
    let subscribers = scene.join_many(10);
    scene.topics.drain(Duration::from_secs(5), scene.at(0));
    assert_eq!(scene.topics.advance(scene.at(8)), None);
    assert_eq!(told(&subscribers, "end"), 10);
}

#[test]
fn a_removed_environment_ends_its_streams_alone_spread_and_is_forgotten() {
    let mut scene = spread(NotifySpread::Auto);
    let leaving: Vec<_> = (0..2_000).map(|_| scene.join(MAIN, 0)).collect();
    let (staying, _) = scene.join(OTHER, 0);
    scene.topics.remove(MAIN, scene.at(0));
    scene.topics.remove(MAIN, scene.at(0));
    let late = scene.topics.subscribe(MAIN, Recorder::default(), scene.at(0));
    assert_eq!(late, Err(Refusal::Unknown));
    let ended = |leaving: &[(Recorder, SubscriberKey)]| {
        leaving
            .iter()
            .filter(|(recorder, _)| recorder.record() == ["end"])
            .count()
    };
    // Two seconds at a thousand a second.
    assert!(scene.topics.advance(scene.at(1_000)).is_some());
    assert!((900..=1_100).contains(&ended(&leaving)), "{}", ended(&leaving));
    assert!(scene.topics.advance(scene.at(2_000)).is_none());
    assert_eq!(ended(&leaving), 2_000);
    for (_, key) in leaving {
        scene.topics.unsubscribe(MAIN, key);
    }
    assert_eq!(
        scene.topics.counts().len(),
        1,
        "the topic is gone with its last stream"
    );
    assert_eq!((scene.topics.count(), staying.record().len()), (1, 0));

    scene.topics.remove(OTHER, scene.at(2_000));
    scene.topics.drain(Duration::from_secs(5), scene.at(2_000));
    scene.topics.advance(scene.at(2_000));
    assert_eq!(staying.record(), ["end"], "once, though it is in both");
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
