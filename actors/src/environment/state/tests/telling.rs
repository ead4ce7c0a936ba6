//! What the operator and subscribers are told, and how often.
use super::*;

#[test]
fn each_change_of_state_is_told_once() {
    let mut player = Player::polling();
    for (failure, is_news) in [
        (FetchFailure::Status(500), true),
        (FetchFailure::Status(500), false),
        (FetchFailure::Status(502), true),
        (FetchFailure::NotJson("line 1".to_owned()), true),
        (FetchFailure::NotJson("line 2".to_owned()), false),
        // A gateway that alternates.
        (FetchFailure::Status(500), false),
        (FetchFailure::Status(502), false),
        (FetchFailure::KeyRejected(401, None), true),
        (FetchFailure::KeyRejected(403, None), true),
        (FetchFailure::KeyRejected(401, None), false),
        (FetchFailure::Status(502), false),
    ] {
        player.plan();
        let expected = is_news.then(|| Change::Failed(failure.clone()));
        assert_eq!(player.fail(failure), expected);
    }
    player.plan();
    assert_eq!(player.not_modified(START), Some(Change::Recovered));
    player.plan();
    assert_eq!(player.not_modified(START), None);
    player.plan();
    let again = FetchFailure::Status(502);
    assert_eq!(player.fail(again.clone()), Some(Change::Failed(again)));
}

#[test]
fn ever_new_failures_do_not_fill_the_log() {
    let mut player = Player::polling();
    let mut told = 0;
    for status in 500..600 {
        player.plan();
        told += usize::from(player.fail(FetchFailure::Status(status)).is_some());
    }
    assert_eq!(told, MOST_TOLD_FAILURES);
    player.plan();
    assert_eq!(player.not_modified(START), Some(Change::Recovered));
    player.plan();
    assert!(player.fail(FetchFailure::Status(599)).is_some());
}

#[test]
fn a_worker_that_lags_is_told_once_for_each_content_served() {
    let mut player = Player::polling();
    for (content, updated_at, older) in [('b', 500, 'a'), ('c', 600, 'b')] {
        player.plan();
        assert!(matches!(
            player.give(content, updated_at, START),
            Verdict::Serve(_)
        ));
        let mut told = 0;
        for _ in 0..5 {
            player.plan();
            let (_, change) = player.give_and_hear(older, 100, START);
            told += usize::from(change == Some(Change::Lagging));
            player.plan();
            player.give(content, updated_at, START);
        }
        assert_eq!(told, 1);
    }
}

#[test]
fn a_number_that_was_overtaken_is_not_told() {
    let mut player = Player::polling();
    assert!(player.state.published(at(2)));
    assert!(!player.state.published(at(1)));
    assert!(!player.state.published(at(2)));
    assert!(player.state.published(at(3)));
}
