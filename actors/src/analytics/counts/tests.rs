use super::*;
use crate::analytics::batch::MOST_COUNT;

const PLENTY: usize = 1 << 20;

fn any(_: &str) -> bool {
    true
}

fn labelled(name: &str) -> LabelsRef<'_> {
    LabelsRef([Some(name.as_bytes()), None, None, None])
}

fn evaluation<'r>(feature: &'r str, identity: &'r str) -> EvaluationRef<'r> {
    EvaluationRef {
        feature,
        identity: Some(identity),
        enabled: true,
    }
}

fn take(counts: &mut Counts, size: BatchSize, room: &mut Room) -> Option<Batch> {
    let mut take = |version| counts.take_batch(version, size, |_| false, room);
    take(Version::One).or_else(|| take(Version::Two))
}

/// Takes batches until there is none, and gives each as labels, entries and sum.
fn drain(counts: &mut Counts, size: BatchSize, room: &mut Room) -> Vec<(Option<String>, usize, u64)> {
    let batches = std::iter::from_fn(|| take(counts, size, room));
    let mut batches: Vec<_> = batches
        .map(|batch| {
            let name = batch.labels.0[0].as_deref();
            let name = name.map(|name| String::from_utf8(name.to_vec()).unwrap());
            (name, batch.len(), batch.sum())
        })
        .collect();
    batches.sort();
    batches
}

#[test]
fn counts_are_summed_by_labels_and_feature() {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    for labels in [
        labelled("shop"),
        labelled("till"),
        labelled("shop"),
        LabelsRef::default(),
    ] {
        let mut counting = counts.counting(labels, &mut room);
        counting.feature("a", 2, any);
        counting.feature("b", 1, any);
    }
    assert_eq!(counts.sum(), 12);
    let batches = drain(&mut counts, BatchSize::FULL, &mut room);
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(
        batches,
        [(None, 2, 3), (named("shop"), 2, 6), (named("till"), 2, 3)]
    );
    assert!(counts.is_empty());
    assert_eq!((counts.sum(), room.taken()), (0, 0));
}

#[test]
fn evaluations_are_summed_by_all_they_say() {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    let mut counting = counts.counting(LabelsRef::default(), &mut room);
    for identity in ["bob", "alice", "bob"] {
        counting.evaluation(evaluation("a", identity), 2, any);
    }
    let disabled = EvaluationRef {
        enabled: false,
        ..evaluation("a", "bob")
    };
    counting.evaluation(disabled, 1, any);
    counting.evaluation(
        EvaluationRef {
            identity: None,
            ..disabled
        },
        1,
        any,
    );
    // A feature's own count stays beside them.
    counting.feature("a", 5, any);
    assert_eq!(
        drain(&mut counts, BatchSize::FULL, &mut room),
        [(None, 1, 5), (None, 4, 8)]
    );
    assert_eq!(room.taken(), 0);
}

#[test]
fn an_unknown_feature_does_not_count_unless_it_was_counted_before() {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    let mut counting = counts.counting(LabelsRef::default(), &mut room);
    let unknown = |_: &str| false;
    counting.feature("a", 1, unknown);
    counting.evaluation(evaluation("a", "bob"), 1, unknown);
    counting.feature("b", 1, any);
    counting.feature("b", 1, unknown);
    counting.evaluation(evaluation("b", "bob"), 1, any);
    counting.evaluation(evaluation("b", "bob"), 1, unknown);
    assert_eq!(counts.sum(), 4);
    assert_eq!(counts.keep_known(|feature| feature == "b", &mut room), 0);
    assert_eq!(counts.keep_known(|_| false, &mut room), 4);
    assert_eq!(drain(&mut counts, BatchSize::FULL, &mut room), []);
    assert_eq!(room.taken(), 0);
}

#[test]
fn a_sum_stops_at_what_one_request_carries_and_the_rest_is_lost() {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    let most = u64::from(MOST_COUNT);
    for count in [most - 1, 5, u64::MAX] {
        let mut counting = counts.counting(LabelsRef::default(), &mut room);
        counting.feature("a", count, any);
        counting.evaluation(evaluation("a", "bob"), count, any);
    }
    assert_eq!((counts.sum(), room.take_lost()), (2 * most, u64::MAX));
    let features = take(&mut counts, BatchSize::FULL, &mut room).unwrap();
    counts
        .counting(LabelsRef::default(), &mut room)
        .feature("a", 3, any);
    counts.put_back(features, &mut room);
    assert_eq!((counts.sum(), room.take_lost()), (2 * most, 3));
    let batches = drain(&mut counts, BatchSize::FULL, &mut room);
    assert_eq!(batches, [(None, 1, most), (None, 1, most)]);
}

#[test]
fn sets_of_labels_take_turns() {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    let size = BatchSize {
        entries: 1,
        ..BatchSize::FULL
    };
    for name in ["shop", "till", "app"] {
        for feature in ["a", "b"] {
            counts
                .counting(labelled(name), &mut room)
                .feature(feature, 1, any);
        }
    }
    let mut names: Vec<_> = (0..3)
        .map(|_| {
            let batch = take(&mut counts, size, &mut room).unwrap();
            let name = batch.labels.0[0].clone();
            counts.put_back(batch, &mut room);
            name
        })
        .collect();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 3);
    let is_held = |labels: &Labels| labels.borrowed() != labelled("till");
    let batch = counts.take_batch(Version::One, size, is_held, &mut room);
    assert_eq!(batch.unwrap().labels.borrowed(), labelled("till"));
    assert_eq!((counts.sets(Version::One), counts.sets(Version::Two)), (3, 0));
}

#[test]
fn evaluations_fold_into_their_features() {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    let mut counting = counts.counting(labelled("shop"), &mut room);
    counting.feature("a", 1, any);
    counting.evaluation(evaluation("a", "bob"), 4, any);
    counting.evaluation(evaluation("b", "bob"), 2, any);
    counts.fold(&mut room);
    assert_eq!((counts.sets(Version::Two), counts.sum()), (0, 7));
    let batches = drain(&mut counts, BatchSize::FULL, &mut room);
    assert_eq!(batches, [(Some("shop".to_owned()), 2, 7)]);
    assert_eq!(room.taken(), 0);
}

#[test]
fn what_finds_no_room_is_lost_and_what_has_room_goes_on() {
    let (mut counts, mut room) = (Counts::default(), Room::new(1_000));
    for number in 0..20_u64 {
        let mut counting = counts.counting(LabelsRef::default(), &mut room);
        counting.feature(&format!("feature {number}"), 1, any);
        counting.feature("feature 0", 1, any);
    }
    let kept = counts.sum();
    assert_eq!(kept + room.take_lost(), 40);
    assert!((21..40).contains(&kept), "{kept}");
    // Not even for other labels.
    let mut counting = counts.counting(labelled(&"x".repeat(500)), &mut room);
    counting.feature("feature 0", 7, any);
    counting.evaluation(evaluation("feature 0", "bob"), 1, any);
    counting.feature("unknown", 1, |_| false);
    counting.evaluation(evaluation("unknown", "bob"), 1, |_| false);
    assert_eq!((counts.sum(), room.take_lost()), (kept, 8));
}

#[test]
fn past_the_most_labels_counts_have_none_and_are_right_in_sum() {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    for number in 0..MOST_LABELS + 100 {
        counts
            .counting(labelled(&format!("agent {number}")), &mut room)
            .feature("a", 1, any);
    }
    counts
        .counting(labelled("agent 0"), &mut room)
        .feature("a", 1, any);
    let batches = drain(&mut counts, BatchSize::FULL, &mut room);
    assert_eq!(batches[0], (None, 1, 100));
    assert_eq!(batches[1], (Some("agent 0".to_owned()), 1, 2));
    assert_eq!(batches.len(), MOST_LABELS + 1);
}

#[test]
fn a_batch_is_bounded_in_entries_bytes_and_count() {
    let fill = |counts: &mut Counts, room: &mut Room| {
        let mut counting = counts.counting(LabelsRef::default(), room);
        for number in 0..10 {
            counting.feature(&format!("feature {number}"), 3, any);
        }
    };
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    for (size, expected) in [
        (
            BatchSize {
                entries: 4,
                ..BatchSize::FULL
            },
            vec![(2, 6), (4, 12), (4, 12)],
        ),
        // Each name has nine bytes.
        (
            BatchSize {
                bytes: 40,
                ..BatchSize::FULL
            },
            vec![(5, 15), (5, 15)],
        ),
        (
            BatchSize {
                count: 2,
                ..BatchSize::FULL
            },
            vec![(10, 10), (10, 20)],
        ),
    ] {
        fill(&mut counts, &mut room);
        let batches = drain(&mut counts, size, &mut room);
        let batches: Vec<_> = batches
            .into_iter()
            .map(|(_, entries, sum)| (entries, sum))
            .collect();
        assert_eq!(batches, expected, "{size:?}");
        assert_eq!(room.taken(), 0, "{size:?}");
    }
}

#[test]
fn a_batch_that_comes_back_joins_what_came_meanwhile() {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    counts.counting(labelled("shop"), &mut room).feature("a", 2, any);
    let before = room.taken();
    let features = take(&mut counts, BatchSize::FULL, &mut room).unwrap();
    counts
        .counting(labelled("shop"), &mut room)
        .evaluation(evaluation("a", "bob"), 1, any);
    let evaluations = take(&mut counts, BatchSize::FULL, &mut room).unwrap();
    counts.counting(labelled("shop"), &mut room).feature("a", 3, any);
    counts.put_back(features, &mut room);
    assert_eq!((counts.sum(), room.taken()), (5, before));
    counts.put_back(evaluations, &mut room);
    assert_eq!(counts.sum(), 6);
    drain(&mut counts, BatchSize::FULL, &mut room);
    assert_eq!(room.taken(), 0);
}

#[test]
fn merging_adds_and_may_fold_evaluations() {
    for (folds, expected) in [(false, vec![(1, 3), (1, 4)]), (true, vec![(1, 7)])] {
        let (mut counts, mut other, mut room) = (Counts::default(), Counts::default(), Room::new(PLENTY));
        counts.counting(labelled("shop"), &mut room).feature("a", 1, any);
        let mut counting = other.counting(labelled("shop"), &mut room);
        counting.feature("a", 2, any);
        counting.evaluation(evaluation("a", "bob"), 4, any);
        counts.merge(other, folds, &mut room);
        let batches = drain(&mut counts, BatchSize::FULL, &mut room);
        let batches: Vec<_> = batches
            .into_iter()
            .map(|(_, entries, sum)| (entries, sum))
            .collect();
        assert_eq!(batches, expected);
    }
}
