//! One set of labels beside others.
use super::*;
use crate::analytics::labels::Labels;

fn labelled(agent: &str, count: u64) -> Counts {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    let labels = LabelsRef([None, None, None, Some(agent.as_bytes())]);
    counts
        .counting(labels, &mut room)
        .feature("feature", count, |_| true);
    counts
}

fn is_evil(batch: &Batch) -> bool {
    let agent = batch.labels.0[3].as_deref();
    agent.is_some_and(|agent| agent.starts_with(b"evil"))
}

/// Runs a minute in which `evil` sets of labels are refused with this status, and twenty others count one each ten seconds.
fn minute(evil: usize, status: u16) -> Scene {
    let mut scene = Scene::new(Counts::default());
    for number in 0..evil {
        scene.queue.add(labelled(&format!("evil {number}"), 100), false);
    }
    let (start, mut others) = (scene.now, 0);
    for round in 1..=6 {
        for number in 0..20 {
            scene.queue.add(labelled(&format!("agent {number}"), 1), false);
        }
        let answer = Outcome::of_answer(awc::http::StatusCode::from_u16(status).unwrap(), None);
        scene.run(Duration::from_secs(10), |_, batch| {
            if is_evil(batch) {
                return answer.clone();
            }
            if batch.labels != Labels::default() {
                others += batch.sum();
            }
            Outcome::Counted
        });
        // But for the single counts with which upstream is asked.
        assert!(others + 20 >= 20 * round, "{others} in round {round}");
        scene.now = start + Duration::from_secs(10) * u32::try_from(round).unwrap();
    }
    scene
}

#[test]
fn labels_that_upstream_does_not_take_hold_up_no_others() {
    for status in [403, 500, 503, 302] {
        for evil in [1, 3, 40] {
            let scene = minute(evil, status);
            assert!(scene.requests.len() < 125 + 10 * evil, "{}", scene.requests.len());
        }
    }
}

#[test]
fn labels_that_fail_beside_others_are_left_out() {
    let mut scene = minute(1, 500);
    assert_eq!((scene.sum(), scene.queue.waiting()), (220, 0));
    // For some time they are not even tried.
    let before = scene.requests.len();
    scene.queue.add(labelled("evil 0", 1), false);
    scene.run(HOUR, |_, batch| {
        assert_eq!(batch.labels, Labels::default());
        Outcome::Counted
    });
    assert_eq!((scene.sum(), scene.requests.len()), (221, before + 1));
}

#[test]
fn labels_that_get_no_answer_are_left_out_too() {
    let mut scene = Scene::new(Counts::default());
    let start = scene.now;
    for round in 1..=12 {
        scene.queue.add(labelled("evil", 10), false);
        scene.queue.add(labelled("agent", 10), false);
        scene.run(Duration::from_secs(10), |_, batch| {
            if is_evil(batch) {
                no_answer()
            } else {
                Outcome::Counted
            }
        });
        scene.now = start + Duration::from_secs(10) * round;
    }
    scene.run(HOUR, |_, _| Outcome::Counted);
    assert_eq!(scene.sum(), 240);
    let last = scene.requests.last().unwrap();
    assert!(last.0 < Duration::from_secs(60), "{last:?}");
}

#[test]
fn an_upstream_that_fails_for_all_labels_is_left_alone() {
    let mut scene = Scene::new(Counts::default());
    for number in 0..50 {
        scene.queue.add(labelled(&format!("agent {number}"), 7), false);
    }
    scene.run(HOUR, |_, _| Outcome::NotCounted(failure(500), None));
    assert!(
        (50..130).contains(&scene.requests.len()),
        "{}",
        scene.requests.len()
    );
    assert_eq!(scene.changes, [Change::Failing(failure(500))]);
    assert_eq!(scene.queue.waiting(), 350);
    let before = scene.now;
    scene.run(HOUR, |_, _| Outcome::Counted);
    assert_eq!(scene.sum(), 350);
    assert!(
        scene.now - before < Duration::from_secs(90),
        "{:?}",
        scene.now - before
    );
}

#[test]
fn upstream_is_asked_with_labels_too_where_it_takes_nothing_without() {
    let mut scene = Scene::new(Counts::default());
    for number in 0..3 {
        scene.queue.add(labelled(&format!("evil {number}"), 100), false);
    }
    for number in 0..20 {
        scene.queue.add(labelled(&format!("agent {number}"), 1), false);
    }
    scene.run(Duration::from_secs(60), |_, batch| {
        if is_evil(batch) || batch.labels == Labels::default() {
            Outcome::NotCounted(failure(500), None)
        } else {
            Outcome::Counted
        }
    });
    // But for the single count that upstream was asked with.
    assert!((18..=20).contains(&scene.sum()), "{}", scene.sum());
}

#[test]
fn labels_that_are_told_to_come_later_are_left_out_too() {
    let mut scene = Scene::new(Counts::default());
    let start = scene.now;
    for round in 1..=30 {
        scene.queue.add(labelled("evil", 1), false);
        scene.queue.add(labelled("agent", 1), false);
        scene.run(Duration::from_secs(10), |_, batch| {
            if is_evil(batch) {
                Outcome::NotCounted(Failure::RateLimited, Some(Duration::from_secs(20)))
            } else {
                Outcome::Counted
            }
        });
        scene.now = start + Duration::from_secs(10) * round;
    }
    assert_eq!(scene.sum(), 60);
}

#[test]
fn batches_keep_a_distance_until_the_process_is_to_end() {
    let mut scene = Scene::new(Counts::default());
    for number in 0..50 {
        scene.queue.add(labelled(&format!("agent {number}"), 1), false);
    }
    let before = scene.now;
    scene.run(HOUR, |_, _| Outcome::Counted);
    assert_eq!(scene.now - before, 49 * GAP);
    scene.queue.hurry();
    for number in 0..50 {
        scene.queue.add(labelled(&format!("agent {number}"), 1), false);
    }
    scene.run(Duration::ZERO, |_, _| Outcome::Counted);
    assert_eq!(scene.sum(), 100);
}
