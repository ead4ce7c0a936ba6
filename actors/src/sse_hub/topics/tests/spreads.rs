//! A change that is told to many, over a time.
use super::*;

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
