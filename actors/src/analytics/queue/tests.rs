use std::collections::BTreeMap;
use std::time::Duration;

use super::*;
use crate::analytics::batch::Content;
use crate::analytics::labels::LabelsRef;
use crate::upstream::{Fault, ForwardFailure, Stage};

mod labels;
mod refusing;

const PLENTY: usize = 1 << 20;

fn failure(status: u16) -> Failure {
    Failure::Status(status)
}

fn refused() -> Failure {
    Failure::NoAnswer(ForwardFailure::NoAnswer(Fault::Refused))
}

fn away() -> Outcome {
    Outcome::NotCounted(refused(), None)
}

fn no_answer() -> Outcome {
    let late = Fault::Late(Stage::Head);
    Outcome::Doubtful(Failure::NoAnswer(ForwardFailure::NoAnswer(late)))
}

/// Counts of so many features, each so often.
fn counts(features: usize, each: u64) -> Counts {
    let (mut counts, mut room) = (Counts::default(), Room::new(PLENTY));
    let mut counting = counts.counting(LabelsRef::default(), &mut room);
    for number in 0..features {
        counting.feature(&format!("feature {number}"), each, |_| true);
    }
    counts
}

/// An upstream in virtual time: what it has counted, and when it was asked.
struct Scene {
    queue: Queue,
    now: Instant,
    counted: BTreeMap<String, u64>,
    requests: Vec<(Duration, usize)>,
    changes: Vec<Change>,
}

impl Scene {
    fn new(counts: Counts) -> Self {
        let mut queue = Queue::new(PLENTY, fastrand::Rng::with_seed(7));
        queue.add(counts, false);
        Self {
            queue,
            now: Instant::now(),
            counted: BTreeMap::new(),
            requests: Vec::new(),
            changes: Vec::new(),
        }
    }

    /// Runs until nothing is left to do, or for so long.
    fn run(&mut self, duration: Duration, mut answer: impl FnMut(Duration, &Batch) -> Outcome) {
        let (start, end) = (self.now, self.now + duration);
        loop {
            match self.queue.next(self.now) {
                Next::Nothing => break,
                Next::Wait(until) if until > end => break,
                Next::Wait(until) => self.now = until,
                Next::Send => {
                    let batch = self.queue.batch().unwrap().clone();
                    let at = self.now - start;
                    self.requests.push((at, batch.len()));
                    let outcome = answer(at, &batch);
                    if outcome == Outcome::Counted {
                        self.count(&batch);
                    }
                    self.changes.extend(self.queue.ended(self.now, outcome));
                }
            }
        }
    }

    fn count(&mut self, batch: &Batch) {
        let counts: Vec<(&str, u32)> = match &batch.content {
            Content::Features(counts) => counts
                .iter()
                .map(|(feature, count)| (&**feature, *count))
                .collect(),
            Content::Evaluations(counts) => {
                let counts = counts.iter();
                counts
                    .map(|(evaluation, count)| (&*evaluation.feature, *count))
                    .collect()
            }
        };
        for (feature, count) in counts {
            *self.counted.entry(feature.to_string()).or_default() += u64::from(count);
        }
    }

    fn sum(&self) -> u64 {
        self.counted.values().sum()
    }
}

const HOUR: Duration = Duration::from_secs(3_600);

#[test]
fn everything_arrives_once_in_batches() {
    let mut scene = Scene::new(counts(2_500, 3));
    assert_eq!(scene.queue.waiting(), 7_500);
    scene.run(HOUR, |_, _| Outcome::Counted);
    assert_eq!((scene.sum(), scene.counted.len()), (7_500, 2_500));
    let sizes: Vec<_> = scene.requests.iter().map(|(_, size)| *size).collect();
    assert_eq!(sizes, [1_000, 1_000, 500]);
    assert_eq!(scene.queue.forwarded(), 7_500);
    assert!(scene.queue.is_empty() && scene.changes.is_empty());
}

#[test]
fn while_one_is_under_way_nothing_else_is_sent() {
    let mut queue = Queue::new(PLENTY, fastrand::Rng::with_seed(7));
    let now = Instant::now();
    assert_eq!(queue.next(now), Next::Nothing);
    queue.add(counts(1, 1), false);
    assert_eq!(queue.next(now), Next::Send);
    queue.add(counts(1, 2), false);
    assert_eq!(queue.next(now), Next::Nothing);
    assert_eq!(queue.waiting(), 3);
    assert_eq!(queue.into_unsent().sum(), 3);
}

#[test]
fn an_upstream_that_is_away_for_a_minute_loses_nothing() {
    let mut scene = Scene::new(counts(1_500, 2));
    let minute = Duration::from_secs(60);
    scene.run(HOUR, |at, _| if at < minute { away() } else { Outcome::Counted });
    assert_eq!(scene.sum(), 3_000);
    let failed = scene.requests.iter().filter(|(at, _)| *at < minute).count();
    assert!((6..15).contains(&failed), "{failed} attempts");
    let back = scene.requests[failed].0;
    assert!(back < 2 * minute, "{back:?}");
    assert_eq!(scene.changes, [Change::Failing(refused()), Change::Recovered]);
}

#[test]
fn each_failure_is_told_once() {
    let mut scene = Scene::new(counts(1, 1));
    let mut outcomes = [
        away(),
        away(),
        Outcome::NotCounted(failure(503), None),
        Outcome::NotCounted(failure(503), None),
        away(),
        Outcome::Counted,
    ]
    .into_iter();
    scene.run(HOUR, |_, _| outcomes.next().unwrap());
    let away = Change::Failing(refused());
    let expected = [
        away.clone(),
        Change::Failing(failure(503)),
        away,
        Change::Recovered,
    ];
    assert_eq!(scene.changes, expected);
}

#[test]
fn retry_after_is_waited_for() {
    let mut scene = Scene::new(counts(1, 1));
    let asked = Duration::from_secs(100);
    let mut outcomes = [
        Outcome::NotCounted(Failure::RateLimited, Some(asked)),
        Outcome::Counted,
    ]
    .into_iter();
    scene.run(HOUR, |_, _| outcomes.next().unwrap());
    let waited = scene.requests[1].0;
    assert!((asked..=asked.mul_f64(1.1)).contains(&waited), "{waited:?}");
}

#[test]
fn a_rejected_key_keeps_counts_and_is_tried_seldom() {
    let mut scene = Scene::new(counts(3, 1));
    let rejected = || Outcome::NotCounted(Failure::KeyRejected(403), None);
    scene.run(HOUR, |_, _| rejected());
    assert!(
        (12..35).contains(&scene.requests.len()),
        "{}",
        scene.requests.len()
    );
    assert_eq!(scene.queue.waiting(), 3);
    scene.run(HOUR, |_, _| Outcome::Counted);
    assert_eq!(scene.sum(), 3);
}

#[test]
fn a_batch_that_is_too_large_is_halved_until_it_fits() {
    let mut scene = Scene::new(counts(1_000, 2));
    let only_small = |_: Duration, batch: &Batch| {
        if batch.len() > 100 {
            Outcome::TooLarge
        } else {
            Outcome::Counted
        }
    };
    scene.run(HOUR, only_small);
    assert_eq!((scene.sum(), scene.counted.len()), (2_000, 1_000));
    let sizes: Vec<_> = scene.requests.iter().map(|(_, size)| *size).take(6).collect();
    assert_eq!(sizes, [1_000, 500, 250, 125, 62, 62]);
    // It asks for more again, after many that were good.
    scene.queue.add(counts(10_000, 1), false);
    scene.run(HOUR, only_small);
    assert_eq!(scene.sum(), 12_000);
    let too_large = scene
        .requests
        .iter()
        .skip(4)
        .filter(|(_, size)| *size > 100)
        .count();
    assert!((1..=5).contains(&too_large), "{too_large}");
    assert_eq!(scene.changes, []);
}

#[test]
fn one_entry_that_is_too_large_is_refused() {
    let mut scene = Scene::new(counts(2, 5));
    scene.run(HOUR, |_, batch| {
        let Content::Features(counts) = &batch.content else {
            panic!("features alone")
        };
        let has_first = counts.iter().any(|(feature, _)| &**feature == "feature 0");
        if has_first {
            Outcome::TooLarge
        } else {
            Outcome::Counted
        }
    });
    assert_eq!((scene.sum(), scene.queue.take_refused()), (5, 5));
    assert_eq!(scene.changes[0], Change::Refusing(failure(413)));
}

#[test]
fn an_upstream_that_counts_and_does_not_answer_counts_little_twice() {
    let mut scene = Scene::new(counts(100, 1_000));
    let mut sent = 0;
    scene.run(HOUR, |_, batch| {
        sent += batch.sum();
        no_answer()
    });
    let attempts = scene.requests.len() as u64;
    assert!(attempts > 20);
    // The first batch, and one count an attempt.
    assert_eq!(sent, 100_000 + attempts - 1);
    assert_eq!(scene.queue.waiting(), 100_000);
    scene.run(HOUR, |_, _| Outcome::Counted);
    assert_eq!(scene.sum(), 100_000);
    let last: Vec<_> = scene.requests[attempts as usize..]
        .iter()
        .map(|(_, size)| *size)
        .collect();
    assert_eq!(last, [1, 100]);
}

#[test]
fn counts_beyond_the_room_are_lost_and_told_once() {
    let mut queue = Queue::new(2_000, fastrand::Rng::with_seed(7));
    queue.add(counts(100, 1), false);
    let lost = queue.take_lost();
    assert_eq!(queue.waiting() + lost, 100);
    assert!(lost > 50);
    assert_eq!(queue.take_lost(), 0);
    queue.resize(PLENTY);
    queue.add(counts(100, 1), false);
    assert_eq!(queue.waiting() + lost, 200);
}

#[test]
fn a_hurry_sends_what_waits_for_our_own_patience() {
    let mut scene = Scene::new(counts(1, 1));
    scene.run(Duration::from_secs(20), |_, _| away());
    assert!(matches!(scene.queue.next(scene.now), Next::Wait(_)));
    scene.queue.hurry();
    assert_eq!(scene.queue.next(scene.now), Next::Send);
}
