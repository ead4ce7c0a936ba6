//! When a collector that does not take anything is asked again; pure.
use std::time::Duration;

/// The first wait.
const FIRST: Duration = Duration::from_secs(1);

/// The longest wait, doubled up to here.
const LONGEST: Duration = Duration::from_secs(30);

/// The longest wait that a collector may ask for: one beyond it is a mistake.
const LONGEST_ASKED: Duration = Duration::from_secs(300);

/// The waits of failures in a row.
#[derive(Debug, Default)]
pub(super) struct Pace {
    failures: u32,
}

impl Pace {
    /// Something was taken.
    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
    }

    /// The wait after a failure: what was asked for, else twice the one before, spread over its upper half by `random` from 0 to 1.
    pub(super) fn failed(&mut self, asked: Option<Duration>, random: f64) -> Duration {
        let doubled = 1_u32.checked_shl(self.failures).unwrap_or(u32::MAX);
        let own = FIRST.saturating_mul(doubled).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        match asked {
            Some(asked) => bounded(asked),
            None => own.mul_f64(0.5 + 0.5 * random),
        }
    }
}

/// What a collector asks for, within bounds.
pub(super) fn bounded(asked: Duration) -> Duration {
    asked.clamp(FIRST, LONGEST_ASKED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_doubled_up_to_half_a_minute_and_begin_anew() {
        let mut pace = Pace::default();
        let waits: Vec<_> = (0..40).map(|_| pace.failed(None, 1.0).as_secs()).collect();
        assert_eq!(waits[..7], [1, 2, 4, 8, 16, 30, 30]);
        assert_eq!(waits[39], 30);
        pace.succeeded();
        assert_eq!(pace.failed(None, 0.0), Duration::from_millis(500));
    }

    #[test]
    fn what_a_collector_asks_for_counts_within_bounds() {
        let mut pace = Pace::default();
        for (asked, expected) in [(0, 1), (7, 7), (4_000, 300)] {
            assert_eq!(
                pace.failed(Some(Duration::from_secs(asked)), 0.5).as_secs(),
                expected
            );
        }
    }
}
