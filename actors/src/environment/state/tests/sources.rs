//! Files, content from elsewhere, and other sources.
use super::*;

#[test]
fn a_file_needs_no_second_look() {
    let mut player = Player::new(Trust::Immediate, 0);
    player.plan();
    assert_eq!(player.give('a', 100, START), Verdict::Serve(at(100)));
    player.plan();
    let expected = player.now().updated_at();
    assert_eq!(player.give('b', 100, START), Verdict::Serve(expected));
    assert!(player.plan().0 > Duration::from_secs(5));
}

#[test]
fn content_from_elsewhere_is_taken_while_idle() {
    let mut player = Player::new(Trust::Eventual, 1);
    player.state.assign(Versions::assigned('a', None, at(100)));
    let (_, plan) = player.plan();
    assert_eq!(plan.if_modified_since, None, "upstream's own number is not known");
    // The same content, whatever number upstream gives it: not new, not lagging.
    assert_eq!(player.give('a', 90, START), Verdict::Keep);
    let (_, plan) = player.plan();
    assert_eq!(plan.if_modified_since, Some(at(90)));
    let now = player.now().updated_at();
    assert_eq!(
        player.give('b', 95, START),
        Verdict::Serve(now),
        "the served number never falls"
    );
}

#[test]
fn another_source_is_asked_at_once_without_a_condition_and_believed() {
    for trust in [Trust::Eventual, Trust::Immediate] {
        let mut player = Player::new(Trust::Eventual, 2);
        player.plan();
        player.fail(FetchFailure::KeyRejected(403, None));
        player.plan();
        // Nobody hears of the end of this fetch: it is overtaken.
        let options = StateOptions {
            trust,
            server_side_keys: 1,
            unconditional: UnconditionalFetches::Every(UNCONDITIONAL_PERIOD),
            freshness: None,
        };
        let now = player.now().instant;
        player
            .state
            .assign(Versions::assigned('a', Some(at(100)), at(100)));
        let schedule = Schedule::new(now, PERIOD, fastrand::Rng::with_seed(7));
        player.state.reconfigure(options, schedule);
        assert_eq!(player.not_modified(START), None);
        assert!(!player.state.is_key_rejected());
        let (waited, plan) = player.plan();
        assert_eq!(
            (waited, plan.key, plan.if_modified_since),
            (Duration::ZERO, 0, None)
        );
        let served = player.give('b', 50, START);
        assert!(
            matches!(served, Verdict::Serve(number) if number > at(100)),
            "{served:?}"
        );
    }
}
