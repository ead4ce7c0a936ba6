//! Signs of life of the HTTP workers: a worker that is busy is late with everything, and is not dead.
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A number that a timer on the worker's own thread counts up.
#[derive(Debug, Default)]
pub(crate) struct Beat(AtomicU64);

impl Beat {
    pub(crate) fn beat(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What a watcher, who looks at regular times, makes of one worker's beat.
#[derive(Debug, Default)]
pub(crate) struct Pulse {
    seen: u64,
    standing: Duration,
}

impl Pulse {
    /// Looks at the beat, `since_last` after the look before; gives how long the beat has stood still.
    ///
    /// A look that comes far later than the `period` of looks says that the machine is starved: the worker's timer may be
    /// as late as the watcher's, so that this time does not count.
    pub(crate) fn look(&mut self, beat: &Beat, since_last: Duration, period: Duration) -> Duration {
        let count = beat.count();
        if count != self.seen {
            self.seen = count;
            self.standing = Duration::ZERO;
        } else if since_last <= period.saturating_mul(2) {
            self.standing = self.standing.saturating_add(since_last);
        }
        self.standing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERIOD: Duration = Duration::from_secs(1);

    #[test]
    fn a_beat_that_stands_still_is_timed_until_it_goes_on() {
        let (beat, mut pulse) = (Beat::default(), Pulse::default());
        for second in 1..=100 {
            assert_eq!(pulse.look(&beat, PERIOD, PERIOD), Duration::from_secs(second));
        }
        beat.beat();
        assert_eq!(pulse.look(&beat, PERIOD, PERIOD), Duration::ZERO);
        assert_eq!(pulse.look(&beat, PERIOD, PERIOD), PERIOD);
    }

    #[test]
    fn time_in_which_the_watcher_was_late_itself_does_not_count() {
        let (beat, mut pulse) = (Beat::default(), Pulse::default());
        for _ in 0..100 {
            assert_eq!(pulse.look(&beat, PERIOD * 10, PERIOD), Duration::ZERO);
        }
        assert_eq!(pulse.look(&beat, PERIOD, PERIOD), PERIOD);
    }
}
