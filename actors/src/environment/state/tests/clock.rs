//! This machine's clock jumps, as it does when its time is set or after a sleep.
use super::*;

const DAY: i64 = 86_400;

/// Far behind and far ahead of the start.
const JUMPS: [i64; 4] = [1, START - DAY, START + DAY, 4_102_444_800];

#[test]
fn a_clock_that_jumps_changes_neither_the_polls_nor_freshness() {
    for jump in JUMPS {
        let mut player = Player::polling();
        player.clock = wall(jump);
        assert!(player.state.is_fresh(player.now()), "{jump}");
        assert!(player.state.age(player.now()).unwrap() < PERIOD, "{jump}");
        let (waited, _) = player.plan();
        assert!((9.0..=11.0).contains(&waited.as_secs_f64()), "{jump}: {waited:?}");
        player.fail(FetchFailure::NoAnswer(Fault::Refused));
        let (waited, _) = player.plan();
        assert!(waited < PERIOD * 2, "{jump}: {waited:?}");
    }
}

#[test]
fn new_content_is_served_under_a_number_that_never_falls() {
    for jump in JUMPS {
        let mut player = Player::polling();
        player.plan();
        assert_eq!(player.give('b', 200, START), Verdict::Serve(at(200)));
        player.clock = wall(jump);
        // Once without a number of upstream's, which makes ours count, and then with one again.
        player.plan();
        let mut versions = player.state.versions();
        let verdict = versions.consider('c', None, player.now().updated_at(), Trust::Eventual);
        let Verdict::Serve(ours) = verdict else {
            panic!("{jump}: {verdict:?}");
        };
        assert!(ours > at(200), "{jump}: {ours:?}");
        let (now, cost) = (player.now(), player.cost);
        let end = FetchEnd::Document {
            date: None,
            cost,
            versions,
            verdict,
        };
        player.state.ended(now, end);
        player.clock = wall(START);
        player.plan();
        let Verdict::Serve(theirs) = player.give('d', 300, START) else {
            panic!("{jump}");
        };
        assert!(theirs > ours, "{jump}: {theirs:?} after {ours:?}");
    }
}
