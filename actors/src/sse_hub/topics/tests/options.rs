//! Other options while streams are open.
use super::*;

#[test]
fn other_options_hold_for_who_comes_and_end_nobody() {
    let mut scene = scene(HubOptions {
        max_subscribers: 2,
        ..HubOptions::default()
    });
    let subscribed = scene.join_many(2);
    assert_eq!(scene.topics.admits(MAIN), Err(Refusal::Full));
    let now = scene.start;
    let change = |topics: &mut Topics<Recorder>, max_subscribers| {
        let options = HubOptions {
            max_subscribers,
            ..HubOptions::default()
        };
        topics.change_options(options, now);
    };
    change(&mut scene.topics, 3);
    assert_eq!(scene.topics.admits(MAIN), Ok(()));
    change(&mut scene.topics, 1);
    assert_eq!(scene.topics.admits(MAIN), Err(Refusal::Full));
    assert_eq!(scene.counts(), [2, 0]);
    scene.topics.notify(MAIN, seconds(1), now, seconds(1));
    scene.topics.advance(now);
    assert!(subscribed.iter().all(|recorder| recorder.record().len() == 1));
}

#[test]
fn streams_without_room_end_and_no_others() {
    let mut scene = scene(HubOptions::default());
    let streams: Vec<_> = (0..5).map(|_| scene.join(MAIN, 0)).collect();
    let (elsewhere, _) = scene.join(OTHER, 0);
    let change = |scene: &mut Scene, room, millis| {
        let options = HubOptions {
            room,
            ..HubOptions::default()
        };
        let now = scene.at(millis);
        scene.topics.change_options(options, now);
    };
    let ended = |streams: &[(Recorder, SubscriberKey)]| {
        let recorders: Vec<_> = streams.iter().map(|(recorder, _)| recorder.clone()).collect();
        told(&recorders, "end") + told(std::slice::from_ref(&elsewhere), "end")
    };
    change(&mut scene, 6, 0);
    scene.run(0, 5_000);
    assert_eq!(ended(&streams), 0, "there is room for all");

    change(&mut scene, 4, 5_000);
    // One of those that are to end goes by itself, and its key becomes another one's.
    let gone: Vec<_> = streams.iter().map(|(_, key)| *key).collect();
    for key in gone {
        scene.topics.unsubscribe(MAIN, key);
    }
    let newcomers: Vec<_> = (0..5).map(|_| scene.join(MAIN, 5_000)).collect();
    scene.run(5_000, 10_000);
    assert_eq!(
        told(
            &newcomers
                .iter()
                .map(|(recorder, _)| recorder.clone())
                .collect::<Vec<_>>(),
            "end"
        ),
        0
    );

    change(&mut scene, 4, 10_000);
    change(&mut scene, 4, 10_000);
    scene.run(10_000, 15_000);
    assert_eq!(ended(&newcomers), 2, "who is ending already does not count");
}
