//! When an environment is polled: the period, its jitter, and how failures stretch it.
use std::time::{Duration, Instant};

use crate::upstream::FetchFailure;

/// Every period varies by this much, so that many proxies do not poll in step.
const JITTER: f64 = 0.1;
/// Each failure in a row adds this much of a period …
const FAILURE_GROWTH: f64 = 0.25;
/// … up to this: with the jitter still under two periods, within which a recovered upstream must be noticed.
const FAILURE_LIMIT: f64 = 1.75;
/// Where waits for a rejected key or a rate limit grow to.
const REFUSAL_LIMIT: Duration = Duration::from_secs(60);
/// The longest that a `Retry-After` is honoured: one beyond it is a mistake that would leave flags unchanged for hours or days.
const RETRY_AFTER_LIMIT: Duration = Duration::from_secs(300);

/// The polls of one environment.
#[derive(Debug)]
pub(super) struct Schedule {
    period: Duration,
    next_poll: Instant,
    /// Before this nothing is sent at all: upstream said so.
    not_before: Option<Instant>,
    failures: u32,
    refusals: u32,
    random: fastrand::Rng,
}

impl Schedule {
    /// The first poll comes at once: until then there are no flags. Proxies that start together are spread from the second
    /// one on.
    pub(super) fn new(now: Instant, period: Duration, random: fastrand::Rng) -> Self {
        Self {
            period,
            next_poll: now,
            not_before: None,
            failures: 0,
            refusals: 0,
            random,
        }
    }

    /// When to poll next.
    pub(super) fn next_poll(&self) -> Instant {
        self.next_poll
    }

    /// The time between two polls.
    pub(super) fn period(&self) -> Duration {
        self.period
    }

    /// Another period holds from now on: no poll is further away than it.
    pub(super) fn change_period(&mut self, now: Instant, period: Duration) {
        if period < self.period {
            let waiting = self.next_poll;
            self.rearm(now, period);
            self.next_poll = self.next_poll.min(waiting);
        }
        self.period = period;
    }

    /// The longest time to the next poll while all goes well.
    pub(super) fn longest_wait(&self) -> Duration {
        self.period.mul_f64(1.0 + JITTER)
    }

    /// The earliest moment for any fetch that is wanted at `wanted`.
    pub(super) fn allowed(&self, wanted: Instant) -> Instant {
        self.not_before
            .map_or(wanted, |not_before| wanted.max(not_before))
    }

    /// Upstream answered well: the normal period again, at once.
    pub(super) fn succeeded(&mut self, now: Instant) {
        self.failures = 0;
        self.refusals = 0;
        self.not_before = None;
        self.rearm(now, self.period);
    }

    /// Another key is tried at once.
    pub(super) fn retry_now(&mut self, now: Instant) {
        self.next_poll = now;
    }

    /// A fetch failed that began at `started`.
    pub(super) fn failed(&mut self, started: Instant, now: Instant, failure: &FetchFailure) {
        match failure {
            FetchFailure::RateLimited(retry_after) => {
                let asked = retry_after.map(|wait| wait.max(self.period));
                let limit = asked.map_or(REFUSAL_LIMIT, |_| RETRY_AFTER_LIMIT);
                let wait = asked.unwrap_or_else(|| self.refused());
                let wait = self.at_least(wait, limit.max(self.period));
                self.next_poll = now + wait;
                self.not_before = Some(self.next_poll);
            }
            FetchFailure::KeyRejected(..) | FetchFailure::UnusableKey => {
                let wait = self.refused();
                let limit = REFUSAL_LIMIT.max(self.period);
                self.next_poll = now + self.jittered(wait, limit);
            }
            _ => {
                self.failures = self.failures.saturating_add(1);
                let factor = (1.0 + FAILURE_GROWTH * f64::from(self.failures)).min(FAILURE_LIMIT);
                // A fetch that hung was itself a part of the wait. With both together, upstream could be well for more than
                // two periods before it is asked again.
                let from_start = started + self.jittered(self.period.mul_f64(factor), Duration::MAX);
                self.next_poll = from_start.max(now + self.jittered(self.period, Duration::MAX));
            }
        }
    }

    /// The wait after one more refusal in a row: doubled each time.
    fn refused(&mut self) -> Duration {
        let limit = REFUSAL_LIMIT.max(self.period);
        let wait = self
            .period
            .saturating_mul(1_u32.checked_shl(self.refusals).unwrap_or(u32::MAX))
            .min(limit);
        self.refusals = self.refusals.saturating_add(1);
        wait
    }

    /// A jittered wait. The jitter only adds, since upstream asked not to come earlier, up to the limit; what is longer than
    /// that is spread below it.
    fn at_least(&mut self, wait: Duration, limit: Duration) -> Duration {
        let jitter = JITTER * self.random.f64();
        if wait < limit {
            wait.mul_f64(1.0 + jitter).min(limit)
        } else {
            limit.mul_f64(1.0 - jitter)
        }
    }

    /// A wait that is jittered both ways, and below the limit where that is reached.
    fn jittered(&mut self, wait: Duration, limit: Duration) -> Duration {
        let jitter = if wait < limit {
            JITTER * (2.0 * self.random.f64() - 1.0)
        } else {
            -JITTER * self.random.f64()
        };
        wait.mul_f64(1.0 + jitter).min(limit)
    }

    fn rearm(&mut self, now: Instant, wait: Duration) {
        self.next_poll = now + self.jittered(wait, Duration::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{Fault, Stage};

    const PERIOD: Duration = Duration::from_secs(10);

    fn schedule(now: Instant, seed: u64) -> Schedule {
        Schedule::new(now, PERIOD, fastrand::Rng::with_seed(seed))
    }

    /// The wait in periods after each of `failures` in a row.
    fn waits(failure: &FetchFailure, failures: usize, seed: u64) -> Vec<f64> {
        let now = Instant::now();
        let mut schedule = schedule(now, seed);
        let wait = |schedule: &Schedule| (schedule.next_poll() - now).as_secs_f64() / PERIOD.as_secs_f64();
        (0..failures)
            .map(|_| {
                schedule.failed(now, now, failure);
                wait(&schedule)
            })
            .collect()
    }

    #[test]
    fn the_first_poll_is_at_once_and_the_periods_are_spread_by_a_tenth() {
        let now = Instant::now();
        let mut waits = Vec::new();
        for seed in 0..200 {
            let mut schedule = schedule(now, seed);
            assert_eq!(schedule.next_poll(), now);
            schedule.succeeded(now);
            waits.push((schedule.next_poll() - now).as_secs_f64());
        }
        assert!(waits.iter().all(|wait| (9.0..=11.0).contains(wait)), "{waits:?}");
        let (least, most) = waits.iter().fold((f64::MAX, 0.0_f64), |(least, most), wait| {
            (least.min(*wait), most.max(*wait))
        });
        assert!(most - least > 1.0, "{least} to {most}");
    }

    #[test]
    fn a_shorter_period_holds_at_once_and_a_longer_one_after_the_next_poll() {
        let now = Instant::now();
        let mut schedule = schedule(now, 1);
        schedule.succeeded(now);
        schedule.change_period(now, 10 * PERIOD);
        assert!(schedule.next_poll() - now <= PERIOD.mul_f64(1.1));
        schedule.succeeded(now);
        assert!(schedule.next_poll() - now >= 9 * PERIOD);
        schedule.change_period(now, PERIOD / 10);
        assert!(schedule.next_poll() - now <= PERIOD.mul_f64(0.11));

        schedule.failed(
            now,
            now,
            &FetchFailure::RateLimited(Some(Duration::from_secs(60))),
        );
        schedule.change_period(now, PERIOD / 100);
        assert!(schedule.allowed(schedule.next_poll()) - now >= Duration::from_secs(60));
    }

    #[test]
    fn an_ordinary_failure_never_waits_two_periods() {
        for seed in 0..100 {
            let waits = waits(&FetchFailure::NoAnswer(Fault::Refused), 20, seed);
            assert!(waits.iter().all(|wait| *wait < 2.0), "{waits:?}");
            assert!(waits[19] > 1.5, "it grows: {waits:?}");
        }
    }

    #[test]
    fn a_fetch_that_hung_is_a_part_of_the_wait() {
        for seed in 0..100 {
            for (timeout, most) in [(0.5, 2.0), (0.75, 2.0), (1.0, 2.1), (3.0, 4.1)] {
                let started = Instant::now();
                let mut schedule = schedule(started, seed);
                for _ in 0..10 {
                    let ended = started + PERIOD.mul_f64(timeout);
                    schedule.failed(started, ended, &FetchFailure::NoAnswer(Fault::Late(Stage::Head)));
                    // From the begin of the fetch: upstream may be well from the next moment on.
                    let wait = (schedule.next_poll() - started).as_secs_f64() / PERIOD.as_secs_f64();
                    assert!(wait <= most, "{wait} periods with {timeout}");
                    assert!(schedule.next_poll() - ended >= PERIOD.mul_f64(0.9), "no hurry");
                }
            }
        }
    }

    #[test]
    fn a_rejected_key_is_probed_ever_more_slowly() {
        for seed in 0..100 {
            let waits = waits(&FetchFailure::KeyRejected(403, None), 6, seed);
            for (wait, expected) in waits.iter().zip([1.0, 2.0, 4.0, 6.0, 6.0, 6.0]) {
                assert!((wait / expected - 1.0).abs() <= 0.1001, "{waits:?}");
                assert!(*wait <= 6.0, "a minute at most: {waits:?}");
            }
        }
    }

    #[test]
    fn retry_after_is_honoured_for_every_kind_of_fetch() {
        for (asked, least, most) in [
            (25, 25.0, 27.5),
            (1, 10.0, 11.0),
            (295, 295.0, 300.0),
            (300, 270.0, 300.0),
            (3 * 86_400, 270.0, 300.0),
            (u64::MAX, 270.0, 300.0),
        ] {
            let now = Instant::now();
            let mut schedule = schedule(now, 3);
            schedule.failed(
                now,
                now,
                &FetchFailure::RateLimited(Some(Duration::from_secs(asked))),
            );
            let wait = schedule.allowed(now) - now;
            assert!((least..=most).contains(&wait.as_secs_f64()), "{asked}: {wait:?}");
            assert_eq!(schedule.next_poll(), now + wait);
        }
        let unasked = waits(&FetchFailure::RateLimited(None), 5, 1);
        assert!(unasked[4] >= 5.4 && unasked[4] <= 6.0, "{unasked:?}");
    }

    #[test]
    fn the_first_success_returns_to_the_normal_period() {
        let now = Instant::now();
        let mut schedule = schedule(now, 1);
        for failure in [
            FetchFailure::KeyRejected(401, None),
            FetchFailure::RateLimited(None),
            FetchFailure::NoAnswer(Fault::Late(Stage::Head)),
        ] {
            for _ in 0..10 {
                schedule.failed(now, now, &failure);
            }
            schedule.succeeded(now);
            assert!(schedule.next_poll() - now <= PERIOD.mul_f64(1.1));
            assert_eq!(schedule.allowed(now), now);
        }
    }
}
