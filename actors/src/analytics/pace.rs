//! When the next batch may be sent; pure.
use std::time::{Duration, Instant};

/// The first wait after a failure; each further one in a row doubles it …
const SHORTEST: Duration = Duration::from_secs(1);
/// … up to this: an upstream that is back is noticed within a minute.
const LONGEST: Duration = Duration::from_secs(60);
/// The first wait where only a change of the configuration helps.
const SHORTEST_OF_LASTING: Duration = Duration::from_secs(60);
/// The longest wait there is. A `Retry-After` beyond it is a mistake.
const LIMIT: Duration = Duration::from_secs(300);

/// The pace of one environment.
#[derive(Debug)]
pub(super) struct Pace {
    /// Before this nothing is sent.
    not_before: Option<Instant>,
    /// Whether upstream said so.
    is_told: bool,
    failures: u32,
    random: fastrand::Rng,
}

impl Pace {
    pub(super) fn new(random: fastrand::Rng) -> Self {
        Self {
            not_before: None,
            is_told: false,
            failures: 0,
            random,
        }
    }

    /// When the next batch may be sent.
    pub(super) fn not_before(&self) -> Option<Instant> {
        self.not_before
    }

    /// Upstream took one: the next may follow at once.
    pub(super) fn succeeded(&mut self) {
        self.not_before = None;
        self.is_told = false;
        self.failures = 0;
    }

    /// It did not.
    pub(super) fn failed(&mut self, now: Instant, is_lasting: bool, retry_after: Option<Duration>) {
        let own = self.wait(self.failures, is_lasting);
        self.failures = self.failures.saturating_add(1);
        let wait = match retry_after {
            // The jitter only adds: upstream asked not to come earlier.
            Some(asked) => own
                .max(asked.min(LIMIT).mul_f64(1.0 + self.random.f64() / 10.0))
                .min(LIMIT),
            None => own,
        };
        self.is_told = retry_after.is_some();
        self.not_before = Some(now + wait);
    }

    /// How long to wait after so many failures in a row and one more.
    pub(super) fn wait(&mut self, failures: u32, is_lasting: bool) -> Duration {
        let (shortest, longest) = if is_lasting {
            (SHORTEST_OF_LASTING, LIMIT)
        } else {
            (SHORTEST, LONGEST)
        };
        let factor = 1_u32.checked_shl(failures).unwrap_or(u32::MAX);
        let bound = shortest.saturating_mul(factor).min(longest);
        // Between half and the whole of it, so that many proxies do not knock at once.
        bound.mul_f64(0.5 + self.random.f64() / 2.0)
    }

    /// The process is about to end: a wait of our own is over, one that upstream asked for is not.
    pub(super) fn hurry(&mut self) {
        if !self.is_told {
            self.not_before = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace() -> Pace {
        Pace::new(fastrand::Rng::with_seed(7))
    }

    /// The waits after failures in a row, in seconds.
    fn waits(pace: &mut Pace, is_lasting: bool, retry_after: Option<u64>, times: usize) -> Vec<f64> {
        let now = Instant::now();
        let mut wait = || {
            pace.failed(now, is_lasting, retry_after.map(Duration::from_secs));
            (pace.not_before().unwrap() - now).as_secs_f64()
        };
        (0..times).map(|_| wait()).collect()
    }

    #[test]
    fn waits_double_to_a_minute_with_jitter_and_start_over() {
        let mut pace = pace();
        let bounds = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0];
        let first = waits(&mut pace, false, None, bounds.len());
        for (wait, bound) in first.iter().zip(bounds) {
            assert!((bound / 2.0..=bound).contains(wait), "{wait} of {bound}");
        }
        pace.succeeded();
        assert_eq!(pace.not_before(), None);
        let second = waits(&mut pace, false, None, bounds.len());
        assert!(second[0] <= 1.0);
        assert_ne!(first, second, "no jitter");
        assert!(
            waits(&mut pace, false, None, 100)
                .iter()
                .all(|wait| *wait <= 60.0)
        );
    }

    #[test]
    fn what_only_a_configuration_mends_is_tried_seldom() {
        let waits = waits(&mut pace(), true, None, 5);
        for (wait, bound) in waits.iter().zip([60.0, 120.0, 240.0, 300.0, 300.0]) {
            assert!((bound / 2.0..=bound).contains(wait), "{wait} of {bound}");
        }
    }

    #[test]
    fn retry_after_is_honoured_for_five_minutes_at_most() {
        for (asked, least, most) in [
            (10, 10.0, 11.0),
            (299, 299.0, 300.0),
            (301, 300.0, 300.0),
            (86_400, 300.0, 300.0),
        ] {
            let wait = waits(&mut pace(), false, Some(asked), 1)[0];
            assert!((least..=most).contains(&wait), "{wait} of {asked}");
        }
        // Never less than our own.
        assert!(waits(&mut pace(), true, Some(0), 1)[0] >= 30.0);
    }

    #[test]
    fn a_hurry_ends_our_own_wait_and_not_upstreams() {
        let mut pace = pace();
        waits(&mut pace, false, None, 1);
        pace.hurry();
        assert_eq!(pace.not_before(), None);
        waits(&mut pace, false, Some(5), 1);
        pace.hurry();
        assert!(pace.not_before().is_some());
    }
}
