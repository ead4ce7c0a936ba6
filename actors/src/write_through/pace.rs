//! How fast upstream is written to, and how long it is left alone after a failure; pure.
use std::time::{Duration, Instant};

/// The longest that a `Retry-After` is honoured for, as with fetches.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(300);

/// How fast upstream is written to.
#[derive(Debug, Clone, Copy)]
pub(super) struct PaceOptions {
    /// Calls a second, over time.
    pub(super) calls_a_second: f64,
    /// Calls under way at a time.
    pub(super) at_once: usize,
    /// About the first wait after a failure; each further one is twice as long.
    pub(super) shortest_wait: Duration,
    /// About the longest wait between failures.
    pub(super) longest_wait: Duration,
}

/// What is allowed at the moment.
#[derive(Debug)]
pub(super) struct Pace {
    options: PaceOptions,
    /// Calls that may begin now; it fills up to those of one second.
    allowed: f64,
    filled: Instant,
    under_way: usize,
    /// Failures in a row.
    failures: u32,
    wait_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(options: PaceOptions, now: Instant) -> Self {
        Self {
            options,
            allowed: options.calls_a_second.max(1.0),
            filled: now,
            under_way: 0,
            failures: 0,
            wait_until: None,
        }
    }

    /// Whether a call may begin; it has begun then.
    pub(super) fn begin(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.filled).as_secs_f64();
        let most = self.options.calls_a_second.max(1.0);
        self.allowed = (self.allowed + passed * self.options.calls_a_second).min(most);
        self.filled = now;
        // After a failure one call finds out whether upstream is well again.
        let at_once = if self.failures > 0 {
            1
        } else {
            self.options.at_once
        };
        let may = self.under_way < at_once && self.allowed >= 1.0 && !self.is_waiting(now);
        if may {
            self.allowed -= 1.0;
            self.under_way += 1;
        }
        may
    }

    /// Whether upstream is left alone at the moment.
    pub(super) fn is_waiting(&self, now: Instant) -> bool {
        self.wait_until.is_some_and(|until| now < until)
    }

    /// A call has not begun after all: nothing may be written at the moment.
    pub(super) fn unused(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
        self.allowed += 1.0;
    }

    /// How many calls are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way
    }

    /// Whether no call is under way.
    #[cfg(test)]
    pub(super) fn is_idle(&self) -> bool {
        self.under_way == 0
    }

    /// A call has ended, and upstream took or refused what it brought.
    pub(super) fn answered(&mut self) {
        self.under_way = self.under_way.saturating_sub(1);
        self.failures = 0;
    }

    /// A call has ended, and upstream gave no answer, or wants to be left alone for some time. `spread` is random, from 0 to 1,
    /// so that many proxies do not come back together.
    pub(super) fn failed(&mut self, retry_after: Option<Duration>, spread: f64, now: Instant) {
        self.under_way = self.under_way.saturating_sub(1);
        let doubled = self
            .options
            .shortest_wait
            .saturating_mul(1_u32 << self.failures.min(16));
        let wait = doubled.min(self.options.longest_wait).mul_f64(0.5 + spread / 2.0);
        let asked = retry_after.unwrap_or_default().min(LONGEST_RETRY_AFTER);
        self.failures = self.failures.saturating_add(1);
        let until = now + wait.max(asked);
        self.wait_until = Some(self.wait_until.map_or(until, |earlier| earlier.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(calls_a_second: f64, at_once: usize, start: Instant) -> Pace {
        let options = PaceOptions {
            calls_a_second,
            at_once,
            shortest_wait: Duration::from_secs(1),
            longest_wait: Duration::from_secs(60),
        };
        Pace::new(options, start)
    }

    #[test]
    fn calls_are_bounded_at_a_time_and_over_time() {
        let start = Instant::now();
        let mut pace = pace(10.0, 4, start);
        assert_eq!((0..100).filter(|_| pace.begin(start)).count(), 4);
        let mut calls = 0;
        for tick in 0..100_u32 {
            let now = start + Duration::from_millis(100) * tick;
            for _ in 0..10 {
                pace.answered();
                calls += usize::from(pace.begin(now));
            }
        }
        assert!((100..=110).contains(&calls), "{calls} in ten seconds");
    }

    #[test]
    fn after_failures_upstream_is_left_alone_ever_longer() {
        let start = Instant::now();
        let mut pace = pace(1_000.0, 4, start);
        let mut now = start;
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert!(pace.begin(now));
            pace.failed(None, 1.0, now);
            assert!(!pace.begin(now + Duration::from_millis(wait * 1_000 - 1)));
            now += Duration::from_secs(wait);
        }
        assert!(pace.begin(now));
        assert!(!pace.begin(now), "one finds out");
        pace.answered();
        assert_eq!((0..10).filter(|_| pace.begin(now)).count(), 4);

        pace.failed(Some(Duration::from_secs(90)), 0.0, now);
        pace.failed(None, 0.0, now);
        pace.answered();
        pace.failed(Some(Duration::from_secs(100_000)), 0.0, now);
        assert!(!pace.begin(now + Duration::from_secs(299)));
        assert!(pace.begin(now + Duration::from_secs(300)));
    }
}
