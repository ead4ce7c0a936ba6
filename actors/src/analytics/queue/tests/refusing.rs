//! What upstream refuses for good, and what it has not.
use super::*;
use crate::analytics::evaluation::EvaluationRef;

fn evaluations(identities: usize) -> Counts {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    let mut counting = counts.counting(LabelsRef::default(), &mut room);
    for number in 0..identities {
        let identity = format!("identity {number}");
        let evaluation = EvaluationRef {
            feature: "feature",
            identity: Some(&identity),
            enabled: true,
        };
        counting.evaluation(evaluation, 1, |_| true);
    }
    counts
}

/// Whether a batch has one of these features.
fn has(batch: &Batch, features: &[&str]) -> bool {
    let Content::Features(counts) = &batch.content else {
        panic!("features alone")
    };
    counts.iter().any(|(feature, _)| features.contains(&&**feature))
}

#[test]
fn what_upstream_refuses_for_good_is_dropped_and_counted() {
    let mut scene = Scene::new(counts(1_500, 1));
    let mut first = true;
    scene.run(HOUR, |_, _| {
        if std::mem::take(&mut first) {
            Outcome::Refused(failure(404))
        } else {
            Outcome::Counted
        }
    });
    assert_eq!(
        (
            scene.sum(),
            scene.queue.take_refused(),
            scene.queue.take_refused()
        ),
        (500, 1_000, 0)
    );
    assert!(
        scene.requests[1].0 > Duration::ZERO,
        "refusals follow one another without a pause"
    );
    assert_eq!(scene.changes, [Change::Refusing(failure(404)), Change::Recovered]);
}

#[test]
fn one_entry_that_upstream_refuses_costs_no_other() {
    for status in [400, 422] {
        let mut scene = Scene::new(counts(1_000, 2));
        let bad = ["feature 0", "feature 7", "feature 8"];
        scene.run(HOUR, |_, batch| {
            if has(batch, &bad) {
                Outcome::Refused(failure(status))
            } else {
                Outcome::Counted
            }
        });
        assert_eq!((scene.sum(), scene.queue.take_refused()), (2 * 997, 6));
        assert!(scene.requests.len() < 70, "{}", scene.requests.len());
        assert!(scene.queue.is_empty());
    }
}

#[test]
fn where_upstream_refuses_everything_a_batch_is_not_halved_to_its_end() {
    let mut scene = Scene::new(counts(1_000, 1));
    scene.run(HOUR, |_, _| Outcome::Refused(failure(400)));
    assert_eq!(scene.queue.take_refused(), 1_000);
    assert!(scene.requests.len() < 40, "{}", scene.requests.len());
}

#[test]
fn refusals_do_not_slow_down_what_is_good() {
    let mut scene = Scene::new(Counts::default());
    for _ in 0..20 {
        scene.queue.add(counts(1, 1), false);
        scene.run(HOUR, |_, _| Outcome::Refused(failure(404)));
    }
    scene.queue.add(counts(1, 1), false);
    let before = scene.now;
    scene.run(HOUR, |_, _| Outcome::Counted);
    assert!(scene.now - before < Duration::from_secs(1));
    assert_eq!(scene.sum(), 1);
}

#[test]
fn where_upstream_has_no_version_2_evaluations_are_counts_of_their_features() {
    for status in [404, 405] {
        let mut scene = Scene::new(evaluations(1_500));
        scene.queue.add(counts(1, 3), false);
        let mut asked = 0;
        let mut no_version_2 = |_: Duration, batch: &Batch| match batch.version() {
            Version::One => Outcome::Counted,
            Version::Two => {
                asked += 1;
                Outcome::Refused(failure(status))
            }
        };
        scene.run(HOUR, &mut no_version_2);
        scene.queue.add(evaluations(5), false);
        scene.run(HOUR, &mut no_version_2);
        assert_eq!((scene.counted["feature"], scene.counted["feature 0"]), (1_505, 3));
        assert_eq!((scene.queue.take_refused(), scene.queue.failure()), (0, None));
        assert_eq!(scene.changes, [Change::Folding(failure(status))]);
        // It may have one later.
        scene.now += WITHOUT_VERSION_2;
        scene.queue.add(evaluations(1), false);
        scene.run(HOUR, &mut no_version_2);
        assert_eq!(asked, 2);
    }
}

#[test]
fn one_version_that_fails_does_not_hold_up_the_other() {
    let mut scene = Scene::new(Counts::default());
    for number in 0..20 {
        scene.queue.add(evaluations(1), false);
        scene.queue.add(counts(1, 1), false);
        let added = scene.now;
        scene.run(Duration::from_secs(10), |_, batch| match batch.version() {
            Version::One => Outcome::Counted,
            Version::Two => Outcome::NotCounted(failure(500), None),
        });
        assert_eq!(scene.sum(), number + 1);
        scene.now = added + Duration::from_secs(10);
    }
}
