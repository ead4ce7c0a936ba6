//! Unconditional fetches while they are cheap.
use super::*;

/// Polls for ten minutes: how many of the fetches were unconditional, and the longest time between two such.
fn polled(player: &mut Player) -> (usize, usize, Duration) {
    let end = player.elapsed + Duration::from_secs(600);
    let (mut all, mut unconditional) = (0, 0);
    let (mut last, mut longest) = (player.elapsed, Duration::ZERO);
    while player.elapsed < end {
        let (_, plan) = player.plan();
        all += 1;
        if plan.if_modified_since.is_some() {
            player.not_modified(START);
        } else {
            unconditional += 1;
            longest = longest.max(player.elapsed - last);
            last = player.elapsed;
            player.give('a', 100, START);
        }
    }
    (all, unconditional, longest)
}

fn player() -> Player {
    let mut player = Player::of(StateOptions {
        trust: Trust::Eventual,
        server_side_keys: 1,
        unconditional: UnconditionalFetches::WhileCheap,
        freshness: None,
    });
    player.plan();
    player
}

#[test]
fn every_poll_of_a_cheap_document_is_unconditional() {
    for (bytes, milliseconds, is_cheap) in [
        (10_000, 20, true),
        (999_999, 200, true),
        (1_000_000, 20, false),
        (10_000, 201, false),
    ] {
        let mut player = player();
        player.cost = FetchCost {
            bytes,
            time: Duration::from_millis(milliseconds),
        };
        player.give('a', 100, START);
        let (all, unconditional, longest) = polled(&mut player);
        assert_eq!(
            unconditional == all,
            is_cheap,
            "{bytes} bytes in {milliseconds} ms: {unconditional} of {all}"
        );
        assert!(longest <= SELDOM, "{longest:?}");
        assert!(is_cheap || longest > SELDOM - PERIOD * 2, "{longest:?}");
    }
}

#[test]
fn where_changes_are_announced_one_a_minute_is_enough() {
    let mut player = player();
    player.give('a', 100, START);
    player.state.announce(player.now(), None);
    let (all, unconditional, longest) = polled(&mut player);
    assert!(unconditional < all / 3, "{unconditional} of {all}");
    assert!(longest <= SELDOM, "{longest:?}");
}

#[test]
fn a_change_that_nobody_announced_ends_that() {
    let mut player = player();
    player.give('a', 100, START);
    player.state.announce(player.now(), None);
    let (all, unconditional, _) = polled(&mut player);
    assert!(unconditional < all / 3, "{unconditional} of {all}");
    player.plan();
    player.give('b', 200, START);
    for _ in 0..10 {
        assert_eq!(player.plan().1.if_modified_since, None);
        player.give('b', 200, START);
    }
}
