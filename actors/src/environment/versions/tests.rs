use super::Trust::{Eventual, Immediate};
use super::Verdict::{Hold, Keep, Restamp, Serve, ServeUnsettled};
use super::*;

fn at(second: i64) -> UpdatedAt {
    UpdatedAt::from_micros(second * 1_000_000)
}

/// (content, `updated_at`, wall clock) → verdict.
type Fetch = (char, Option<i64>, i64, Verdict);

fn play(trust: Trust, fetches: &[Fetch]) -> Versions<char> {
    let mut versions = Versions::default();
    for (number, (content, upstream, now, expected)) in fetches.iter().enumerate() {
        let verdict = versions.consider(*content, upstream.map(at), at(*now), trust);
        assert_eq!(verdict, *expected, "fetch {number} of {fetches:?}");
    }
    versions
}

#[test]
fn content_under_a_moved_number_is_served_under_it() {
    play(
        Eventual,
        &[
            ('a', Some(10), 50, Serve(at(10))),
            ('b', Some(20), 60, Serve(at(20))),
        ],
    );
}

#[test]
fn a_number_moving_alone_is_no_news_but_is_asked_since() {
    let versions = play(
        Eventual,
        &[
            ('a', Some(10), 50, Serve(at(10))),
            ('a', Some(15), 60, Keep),
            ('a', Some(12), 61, Keep),
            ('a', None, 62, Keep),
        ],
    );
    assert_eq!(versions.upstream_updated_at(), Some(at(15)));
    play(
        Eventual,
        &[
            ('a', Some(10), 50, Serve(at(10))),
            ('a', Some(15), 60, Keep),
            ('b', Some(16), 61, Serve(at(16))),
        ],
    );
}

#[test]
fn content_under_an_unmoved_number_is_served_at_once_and_told_with_upstreams_own() {
    let versions = play(
        Eventual,
        &[
            ('a', Some(10), 50, Serve(at(10))),
            ('b', Some(10), 60, ServeUnsettled(at(10))),
            ('b', Some(10), 61, Keep),
            ('b', Some(59), 62, Restamp(at(59))),
            ('b', Some(59), 63, Keep),
        ],
    );
    assert!(!versions.is_unsettled());
    assert_eq!(versions.upstream_updated_at(), Some(at(59)));
}

#[test]
fn waiting_in_vain_gives_now() {
    let fetches = [
        ('a', Some(10), 50, Serve(at(10))),
        ('b', Some(10), 60, ServeUnsettled(at(10))),
    ];
    let mut versions = play(Eventual, &fetches);
    assert!(versions.is_unsettled());
    assert_eq!(versions.settle(at(63)), Some(at(63)));
    assert_eq!(versions.settle(at(64)), None);
    assert_eq!(
        versions.consider('b', Some(at(59)), at(65), Eventual),
        Keep,
        "the served number stays"
    );
    // Upstream's next number is below the one served, which never falls.
    assert_eq!(
        versions.consider('c', Some(at(62)), at(66), Eventual),
        Serve(at(66))
    );
    // A clock that was set back does not pull it down either.
    assert_eq!(
        versions.consider('d', Some(at(63)), at(5), Eventual),
        Serve(at(66).next())
    );
}

#[test]
fn further_content_while_unsettled_is_served_at_once_too() {
    play(
        Eventual,
        &[
            ('a', Some(10), 50, Serve(at(10))),
            ('b', Some(10), 60, ServeUnsettled(at(10))),
            ('c', Some(10), 61, ServeUnsettled(at(10))),
            ('d', Some(60), 62, Serve(at(60))),
        ],
    );
}

#[test]
fn an_older_document_is_believed_when_three_fetches_in_a_row_give_it() {
    let versions = play(
        Eventual,
        &[
            ('b', Some(20), 50, Serve(at(20))),
            ('a', Some(10), 60, Hold),
            ('a', Some(10), 61, Hold),
            ('b', Some(20), 62, Keep),
            ('a', Some(10), 63, Hold),
            ('z', Some(9), 64, Hold),
            ('a', Some(10), 65, Hold),
            ('a', Some(10), 66, Hold),
            ('a', Some(10), 67, Serve(at(67))),
            ('a', Some(10), 68, Keep),
        ],
    );
    assert_eq!(versions.upstream_updated_at(), Some(at(10)));
    assert!(!versions.is_doubtful());
}

#[test]
fn without_a_number_it_is_the_time_first_seen() {
    let versions = play(
        Eventual,
        &[
            ('a', None, 50, Serve(at(50))),
            ('a', None, 60, Keep),
            ('b', None, 70, Serve(at(70))),
        ],
    );
    assert_eq!(versions.upstream_updated_at(), None, "nothing to ask since");
    play(
        Eventual,
        &[('a', None, 50, Serve(at(50))), ('b', Some(20), 60, Serve(at(60)))],
    );
}

#[test]
fn a_file_is_believed_at_once() {
    play(
        Immediate,
        &[
            ('a', Some(10), 50, Serve(at(10))),
            ('b', Some(10), 60, Serve(at(60))),
            ('c', Some(5), 70, Serve(at(70))),
            ('c', Some(80), 90, Keep),
        ],
    );
}
