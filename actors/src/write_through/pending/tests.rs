use engine::{Identity, KeyKind};

use super::*;
use crate::keys::EnvironmentId;
use crate::write_through::seen::Content;

const LIMITS: BatchLimits = BatchLimits {
    identities: 3,
    bytes: 1 << 20,
};

fn target(number: u32) -> Target {
    let environments = std::iter::successors(Some(EnvironmentId::after(None)), |last| {
        Some(EnvironmentId::after(Some(*last)))
    });
    Target {
        environment: environments.take(number as usize + 1).last().unwrap(),
        kind: KeyKind::Client,
    }
}

fn sighting(target: Target, number: u64, traits: &str) -> Sighting {
    let body = format!(r#"{{"identifier":"i{number}","traits":[{traits}]}}"#);
    let identity = Identity::from_json(body.as_bytes(), || [0; 16]).unwrap();
    Sighting::new(target, number, Content::of(number), &identity)
}

fn set(key: &str, value: u32) -> String {
    format!(r#"{{"trait_key":"{key}","trait_value":{value}}}"#)
}

fn next(pending: &mut Pending) -> Option<Batch> {
    pending.next_batch(|_| Some(LIMITS), |_| true)
}

fn body(batch: &Batch) -> String {
    String::from_utf8(batch.bulk_body().to_vec()).unwrap()
}

#[test]
fn what_is_newer_of_an_identity_goes_over_what_is_older() {
    let mut pending = Pending::new(1 << 20);
    let unset = r#"{"trait_key":"c","trait_value":null}"#;
    for traits in [
        [set("a", 1), set("b", 1)].join(","),
        set("a", 2),
        [set("c", 3), set("c", 4)].join(","),
        unset.to_owned(),
    ] {
        assert!(pending.add(&sighting(target(0), 7, &traits)));
    }
    let batch = next(&mut pending).unwrap();
    assert_eq!(
        body(&batch),
        r#"{"data":[{"identifier":"i7","traits":[{"trait_key":"a","trait_value":2},{"trait_key":"b","trait_value":1},{"trait_key":"c","trait_value":null}]}]}"#
    );
    assert_eq!(batch.single_body(), body(&batch)[9..body(&batch).len() - 2]);

    // Upstream did not take it, and meanwhile something changed.
    pending.add(&sighting(target(0), 7, &set("a", 3)));
    assert!(next(&mut pending).is_none(), "it could come first");
    pending.put_back(batch, End::Front);
    let again = body(&next(&mut pending).unwrap());
    assert!(
        again.contains(r#""a","trait_value":3"#) && again.contains(r#""b","trait_value":1"#),
        "{again}"
    );
    assert!(next(&mut pending).is_none());
}

#[test]
fn batches_are_bounded_and_targets_take_turns() {
    let mut pending = Pending::new(1 << 20);
    for number in 0..7 {
        pending.add(&sighting(target(0), number, ""));
        pending.add(&sighting(target(1), 100 + number, ""));
    }
    let mut batches = Vec::new();
    while let Some(batch) = next(&mut pending) {
        batches.push((batch.target == target(0), batch.len()));
        pending.release(&batch);
    }
    let turns = [
        (true, 3),
        (false, 3),
        (true, 3),
        (false, 3),
        (true, 1),
        (false, 1),
    ];
    assert_eq!(batches, turns);

    pending.add(&sighting(target(0), 1, ""));
    pending.add(&sighting(target(1), 2, ""));
    assert_eq!(pending.drop_target(target(1)).len(), 1);
    assert_eq!(next(&mut pending).unwrap().target, target(0));
    assert_eq!((pending.len(), pending.targets()), (0, Vec::new()));
}

#[test]
fn bytes_count_until_they_are_written_or_lost() {
    let one = Entry::of(&sighting(target(0), 0, &set("a", 1))).bytes();
    let mut pending = Pending::new(3 * one);
    for number in 0..3 {
        assert!(pending.add(&sighting(target(0), number, &set("a", 1))));
    }
    assert!(!pending.add(&sighting(target(0), 3, &set("a", 1))));
    let batch = next(&mut pending).unwrap();
    assert!(
        !pending.add(&sighting(target(0), 3, &set("a", 1))),
        "it is under way"
    );
    pending.put_back(batch, End::Front);
    assert!(!pending.add(&sighting(target(0), 3, &set("a", 1))));
    let batch = next(&mut pending).unwrap();
    pending.release(&batch);
    assert!(pending.bytes.is_empty());
    assert!(pending.add(&sighting(target(0), 3, &set("a", 1))));

    let filtered = pending.next_batch(|_| Some(LIMITS), |_| false);
    assert!(filtered.is_none());
    assert_eq!((pending.len(), pending.bytes.len()), (0, 0));
}

#[test]
fn no_environment_takes_the_room_of_another() {
    let one = Entry::of(&sighting(target(0), 0, &set("a", 1))).bytes();
    let mut pending = Pending::new(6 * one);
    pending.share(2);
    let add = |pending: &mut Pending, of: u32, number: u64| {
        pending.add(&sighting(target(of), number, &set("a", 1)))
    };
    assert_eq!((0..6).filter(|number| add(&mut pending, 0, *number)).count(), 3);
    assert_eq!(pending.full().collect::<Vec<_>>(), [target(0).environment]);
    assert_eq!((6..9).filter(|number| add(&mut pending, 1, *number)).count(), 3);
    assert_eq!(pending.full().count(), 2);
    assert!(pending.next_batch(|_| None, |_| true).is_none() && pending.has(target(0)));
    pending.drop_target(target(0));
    assert!(!pending.has(target(0)));
    assert_eq!(pending.full().collect::<Vec<_>>(), [target(1).environment]);
    assert!(add(&mut pending, 0, 0));
}

#[test]
fn two_identities_of_one_hash_are_not_mixed() {
    let mut pending = Pending::new(1 << 20);
    let first = sighting(target(0), 1, &set("a", 1));
    let mut second = sighting(target(0), 2, &set("b", 1));
    second.subject = first.subject;
    assert!(pending.add(&first));
    assert!(!pending.add(&second));
    assert!(body(&next(&mut pending).unwrap()).contains("i1"));
}

#[test]
fn nothing_of_an_identity_is_shown() {
    let mut pending = Pending::new(1 << 20);
    let sighting = sighting(target(0), 1, r#"{"trait_key":"s3cret","trait_value":"s3cret"}"#);
    pending.add(&sighting);
    let shown = format!("{pending:?} {sighting:?} {:?}", next(&mut pending).unwrap());
    assert!(!shown.contains("s3cret") && !shown.contains("i1"), "{shown}");
}
