//! Upstream rejects the server-side keys.
use super::*;

#[test]
fn a_rejected_key_gives_way_to_the_next_at_once() {
    let mut player = Player::new(Trust::Eventual, 2);
    assert_eq!(player.plan().1.key, 0);
    assert_eq!(
        player.fail(FetchFailure::KeyRejected(403, None)),
        Some(Change::NextKey(None))
    );
    assert!(!player.state.is_key_rejected());
    let (waited, plan) = player.plan();
    assert_eq!((waited, plan.key), (Duration::ZERO, 1));
    player.give('a', 100, START);
    assert_eq!(player.plan().1.key, 1, "the one that works is kept");
}

#[test]
fn rejected_keys_are_probed_slowly_and_told_once() {
    let mut player = Player::new(Trust::Eventual, 2);
    player.plan();
    player.fail(FetchFailure::KeyRejected(403, None));
    player.plan();
    let rejected = FetchFailure::KeyRejected(403, None);
    assert_eq!(
        player.fail(rejected.clone()),
        Some(Change::Failed(rejected.clone()))
    );
    assert!(player.state.is_key_rejected());
    let mut waits = Vec::new();
    let mut keys = Vec::new();
    for _ in 0..6 {
        let (waited, plan) = player.plan();
        waits.push(waited);
        keys.push(plan.key);
        assert_eq!(player.fail(rejected.clone()), None);
    }
    assert_eq!(keys, [0, 1, 0, 1, 0, 1], "each of them is probed");
    assert!(*waits.last().unwrap() > Duration::from_secs(50), "{waits:?}");
    player.plan();
    assert_eq!(player.not_modified(START), Some(Change::Recovered));
    assert!(
        player.plan().0 <= PERIOD.mul_f64(1.1),
        "the first success returns to the normal period"
    );
}

/// Plays so many seconds against an upstream that rejects every key, with pushes at these moments; gives when fetches began.
fn rejected_fetches(player: &mut Player, pushes: &[u64], seconds: u64) -> Vec<u64> {
    let begun = player.elapsed;
    let (mut pushes, mut fetches) = (pushes.iter().peekable(), Vec::new());
    loop {
        let elapsed = player.elapsed - begun;
        if elapsed > Duration::from_secs(seconds) {
            return fetches;
        }
        while pushes
            .next_if(|push| Duration::from_secs(**push) <= elapsed)
            .is_some()
        {
            player.state.announce(player.now(), Some(at(200)));
        }
        match player.state.next(player.now()) {
            Action::Fetch(_) => {
                fetches.push(elapsed.as_secs());
                player.fail(FetchFailure::KeyRejected(403, None));
            }
            Action::Wait(until) => {
                let push = pushes
                    .peek()
                    .map(|push| player.start + begun + Duration::from_secs(**push));
                player.elapsed = push.map_or(until, |push| push.min(until)) - player.start;
            }
            action => panic!("{action:?}"),
        }
    }
}

#[test]
fn pushes_keep_the_pace_of_rejected_keys() {
    let mut player = Player::polling();
    player.state.announce(player.now(), Some(at(200)));
    let fetches = rejected_fetches(&mut player, &[], 90);
    assert!(fetches.len() <= 4, "the push and three polls: {fetches:?}");

    // Polls come once a minute by now. A push has one fetch, and many pushes have that same one.
    let quiet = rejected_fetches(&mut player, &[], 300);
    let one_push = rejected_fetches(&mut player, &[20], 300);
    assert!(
        one_push.contains(&20) && one_push.len() <= quiet.len() + 1,
        "{one_push:?}"
    );
    let every_second: Vec<u64> = (0..300).collect();
    let storm = rejected_fetches(&mut player, &every_second, 300);
    assert!(storm.len() <= 2 * quiet.len() + 2, "{storm:?}");
}

#[test]
fn a_push_is_remembered_until_the_key_is_good_again() {
    let mut player = Player::polling();
    player.state.announce(player.now(), Some(at(200)));
    rejected_fetches(&mut player, &[], 600);
    let (_, plan) = player.plan();
    assert_eq!(plan.if_modified_since, None, "it asks for the push");
    player.give('a', 100, START);
    let (waited, _) = player.plan();
    assert_eq!(waited, Duration::from_millis(250), "still older than announced");
    player.give('b', 200, START);
    assert!(player.plan().0 > Duration::from_secs(5));
}

#[test]
fn a_rejected_key_is_not_asked_for_a_number() {
    let mut player = Player::polling();
    player.plan();
    let begun = player.elapsed;
    player.give('b', 100, START);
    player.plan();
    player.fail(FetchFailure::KeyRejected(403, None));
    let (_, action) = player.wait();
    assert!(matches!(action, Action::Settle(_)), "{action:?}");
    assert_eq!(player.elapsed - begun, SETTLE_LIMIT);
}
