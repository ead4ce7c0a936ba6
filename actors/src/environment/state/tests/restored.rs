use super::*;

/// With content that was stored under number 100, when subscribers had been told of `told`.
fn restored(told: Option<i64>, is_unsettled: bool) -> Player {
    let mut player = Player::new(Trust::Eventual, 1);
    let versions = Versions::of_record(Record {
        content: 'a',
        upstream: Some(at(100)),
        served: at(100),
        is_unsettled,
    });
    let now = player.now().instant;
    player.state.restore(now, versions, told.map(at));
    player
}

#[test]
fn what_was_stored_is_stale_until_the_first_good_answer() {
    let mut player = restored(Some(100), false);
    assert!(!player.state.is_fresh(player.now()));
    let (waited, plan) = player.plan();
    // A change while the process was down may have the same second, or no number of its own.
    assert_eq!((waited, plan.if_modified_since), (Duration::ZERO, None));
    player.fail(FetchFailure::Status(503));
    assert!(!player.state.is_fresh(player.now()));
    player.plan();
    assert_eq!(player.give('a', 100, START), Verdict::Keep);
    assert!(player.state.is_fresh(player.now()));
    assert_eq!(player.plan().1.if_modified_since, Some(at(100)));
}

#[test]
fn what_was_told_is_no_news_and_what_changed_meanwhile_is() {
    for (told, is_news) in [(Some(100), false), (Some(99), true), (None, true)] {
        let mut player = restored(told, false);
        assert_eq!(player.state.published(at(100)), is_news, "{told:?}");
        player.plan();
        assert_eq!(player.give('b', 200, START), Verdict::Serve(at(200)));
        assert!(player.state.published(at(200)));
    }
}

#[test]
fn a_lagging_worker_does_not_take_back_what_was_stored() {
    let mut player = restored(Some(100), false);
    for _ in 0..2 {
        player.plan();
        assert_eq!(player.give('z', 90, START), Verdict::Hold);
    }
    player.plan();
    assert_eq!(player.give('a', 100, START), Verdict::Keep);
}

#[test]
fn content_whose_number_had_not_come_gets_one() {
    let mut player = restored(Some(100), true);
    player.plan();
    assert_eq!(player.give('a', 103, START), Verdict::Restamp(at(103)));
    assert!(player.state.published(at(103)));

    // While upstream is away, too.
    let mut player = restored(Some(100), true);
    player.plan();
    player.fail(FetchFailure::Status(503));
    let action = std::iter::repeat_with(|| match player.wait().1 {
        Action::Fetch(_) => {
            player.fail(FetchFailure::Status(503));
            None
        }
        action => Some(action),
    })
    .find_map(|action| action);
    let expected = player.now().updated_at();
    assert_eq!(action, Some(Action::Settle(expected)));
    assert!(player.elapsed >= SETTLE_LIMIT);
    player.state.settled();
    assert!(player.state.published(expected));
}

/// What one process before has served as `a` under 100 and told, where this one has served something else meanwhile.
fn known(content: Option<char>, served: i64, told: Option<i64>) -> Known<char> {
    Known {
        content,
        served: at(served),
        upstream: Some(at(served)),
        told: told.map(at),
    }
}

/// With content that upstream gave, and what was learnt then.
fn quicker_than_the_disk(content: char, updated_at: i64, known: Known<char>) -> Player {
    let mut player = Player::new(Trust::Eventual, 1);
    player.plan();
    player.give(content, updated_at, START);
    player.state.learn(known);
    player
}

#[test]
fn a_number_below_the_stored_one_is_raised() {
    let now = UpdatedAt::from_micros(START * 1_000_000);
    for (content, updated_at, known, expected) in [
        // The same content: the same number.
        ('a', 90, known(Some('a'), 100, Some(100)), Some(at(100))),
        ('a', 100, known(Some('a'), 100, Some(100)), None),
        ('a', 110, known(Some('a'), 100, Some(100)), None),
        // Other content: one that nobody knows.
        ('b', 90, known(Some('a'), 100, None), Some(now)),
        ('b', 100, known(Some('a'), 100, None), Some(now)),
        ('b', 100, known(None, 90, Some(100)), Some(now)),
        ('b', 90, known(None, START + 5, None), Some(at(START + 5).next())),
        ('b', 110, known(Some('a'), 100, None), None),
    ] {
        let mut player = quicker_than_the_disk(content, updated_at, known);
        assert_eq!(player.state.is_below_floor(), expected.is_some());
        let action = player.state.next(player.now());
        match expected {
            Some(number) => {
                assert_eq!(action, Action::Settle(number), "{content} {updated_at} {known:?}");
                player.state.settled();
            }
            None => assert!(!matches!(action, Action::Settle(_)), "{action:?}"),
        }
        assert!(!player.state.is_below_floor());
    }
}

#[test]
fn what_comes_after_a_restart_is_above_what_is_known_whatever_gives_it() {
    let mut player = Player::new(Trust::Eventual, 1);
    player.plan();
    // A fetch that began before it was known.
    let before = player.state.versions();
    player.state.learn(known(None, START + 100, None));
    let (mut versions, now) = (before, player.now());
    let verdict = versions.consider('a', Some(at(50)), now.updated_at(), Trust::Eventual);
    let end = FetchEnd::Document {
        date: None,
        cost: player.cost,
        versions,
        verdict,
    };
    player.state.ended(now, end);
    assert!(player.state.is_below_floor());
    assert_eq!(player.state.next(now), Action::Settle(at(START + 100).next()));
    player.state.settled();
    // One that began afterwards, and one of another source.
    let mut player = Player::new(Trust::Eventual, 1);
    player.state.learn(known(Some('z'), START + 100, None));
    player.plan();
    assert_eq!(
        player.give('a', 50, START),
        Verdict::Serve(at(START + 100).next())
    );
    let mut player = Player::new(Trust::Eventual, 1);
    player.state.learn(known(Some('z'), START + 100, None));
    player.state.assign(Versions::assigned('s', None, at(1)));
    assert!(player.state.is_below_floor());
}

#[test]
fn who_was_told_of_content_under_one_number_is_told_no_more() {
    // A process before has told of it under 100.
    let mut player = quicker_than_the_disk('a', 110, known(Some('a'), 100, Some(100)));
    assert!(!player.state.published(at(110)));
    let mut player = quicker_than_the_disk('a', 90, known(Some('a'), 100, Some(100)));
    assert!(!player.state.published(at(100)));
    // It has served it, and told nobody.
    let mut player = quicker_than_the_disk('a', 110, known(Some('a'), 100, Some(90)));
    assert!(player.state.published(at(110)));
    // Other content.
    let mut player = quicker_than_the_disk('b', 110, known(Some('a'), 100, Some(100)));
    assert!(player.state.published(at(110)));
    // What another process has told its own subscribers, this one's have not heard.
    let mut player = Player::polling();
    assert!(player.state.published(at(90)));
    player.state.learn(known(Some('a'), 120, Some(120)));
    assert!(player.state.published(at(120)));
    let mut player = Player::polling();
    assert!(player.state.published(at(100)));
    player.state.learn(known(Some('a'), 120, Some(120)));
    assert!(!player.state.published(at(120)), "they know the content");
}

#[test]
fn what_upstream_gave_after_what_is_served_overtakes_it() {
    for (content, updated_at, upstream, is_overtaken) in [
        ('b', 90, Some(100), true),
        ('b', 100, Some(100), false),
        ('b', 110, Some(100), false),
        ('a', 90, Some(100), false),
        ('b', 90, None, false),
    ] {
        let mut player = Player::new(Trust::Eventual, 1);
        player.plan();
        player.give(content, updated_at, START);
        let known = Known {
            upstream: upstream.map(at),
            ..known(Some('a'), 100, None)
        };
        assert_eq!(
            player.state.is_overtaken_by(&known),
            is_overtaken,
            "{content} {updated_at}"
        );
    }
}
