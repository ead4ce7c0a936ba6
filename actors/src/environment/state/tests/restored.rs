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
