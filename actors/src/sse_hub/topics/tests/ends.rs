//! Drains, and environments that are removed.
use super::*;

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
