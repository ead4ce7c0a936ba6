//! Content whose number, or whose truth, is still in doubt.
use super::*;

#[test]
fn content_before_its_number_is_refetched_for_three_seconds_and_then_settled() {
    let mut player = Player::polling();
    player.plan();
    let begun = player.elapsed;
    assert_eq!(player.give('b', 100, START), Verdict::ServeUnsettled(at(100)));
    let mut fetches = 0;
    let settled = loop {
        match player.wait().1 {
            Action::Fetch(plan) => {
                assert_eq!(plan.if_modified_since, None);
                assert_eq!(player.give('b', 100, START), Verdict::Keep);
                fetches += 1;
            }
            Action::Settle(updated_at) => break updated_at,
            action => panic!("{action:?}"),
        }
    };
    assert_eq!(player.elapsed - begun, SETTLE_LIMIT);
    assert_eq!(fetches, 4);
    assert_eq!(settled, player.now().updated_at());
    assert_eq!(player.state.next(player.now()), Action::Busy);
    player.state.settled();
    let (waited, _) = player.plan();
    assert!(waited > Duration::from_secs(5), "{waited:?}");
}

#[test]
fn upstreams_own_number_ends_the_waiting() {
    let mut player = Player::polling();
    player.plan();
    player.give('b', 100, START);
    let (waited, _) = player.plan();
    assert_eq!(waited, SETTLE_FIRST_WAIT);
    assert_eq!(player.give('b', START, START), Verdict::Restamp(at(START)));
    let (waited, _) = player.plan();
    assert!(waited > Duration::from_secs(5), "{waited:?}");
}

#[test]
fn a_failing_upstream_does_not_keep_content_untold() {
    let mut player = Player::polling();
    player.plan();
    let begun = player.elapsed;
    player.give('b', 100, START);
    loop {
        match player.wait().1 {
            Action::Fetch(_) => {
                player.fail(FetchFailure::RateLimited(Some(Duration::from_secs(30))));
            }
            Action::Settle(_) => break,
            action => panic!("{action:?}"),
        }
    }
    assert_eq!(player.elapsed - begun, SETTLE_LIMIT);
}

#[test]
fn a_fetch_that_hangs_does_not_keep_content_untold() {
    let mut player = Player::polling();
    player.plan();
    let begun = player.elapsed;
    player.give('b', 100, START);
    let (_, plan) = player.plan();
    let deadline = player.start + begun + SETTLE_LIMIT;
    assert_eq!(plan.until, Some(deadline));
    player.elapsed = begun + SETTLE_LIMIT;
    assert_eq!(player.state.ended(player.now(), FetchEnd::Abandoned), None);
    let number = player.now().updated_at();
    assert_eq!(player.state.next(player.now()), Action::Settle(number));
    player.state.settled();
    // The push or poll that the fetch was for is not lost.
    assert_eq!(player.plan().1.until, None);
}

#[test]
fn a_doubtful_document_is_confirmed_unconditionally() {
    let mut player = Player::polling();
    player.plan();
    player.give('b', 500, START);
    assert_eq!(player.plan().1.if_modified_since, Some(at(500)));
    assert_eq!(player.give('a', 100, START), Verdict::Hold);
    assert_eq!(player.plan().1.if_modified_since, None);
    assert_eq!(player.give('a', 100, START), Verdict::Hold);
    assert_eq!(player.plan().1.if_modified_since, None);
    assert!(matches!(player.give('a', 100, START), Verdict::Serve(_)));
}
