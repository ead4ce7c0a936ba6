//! How long to wait before the next connection.
use std::time::Duration;

/// Grows while connections fail, and starts over once one has lived.
#[derive(Debug)]
pub(super) struct Backoff {
    shortest: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(super) fn new(shortest: Duration, longest: Duration) -> Self {
        Self {
            shortest,
            longest,
            next: shortest,
        }
    }

    /// A connection lived long enough to count as good.
    pub(super) fn reset(&mut self) {
        self.next = self.shortest;
    }

    /// The next wait, between half and the whole of a bound that doubles, so that many proxies do not knock at once.
    pub(super) fn wait(&mut self) -> Duration {
        let bound = self.next;
        self.next = bound.saturating_mul(2).min(self.longest);
        bound.mul_f64(0.5 + fastrand::f64() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grows_to_its_bound_with_jitter_and_starts_over() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        for bound in [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0, 60.0] {
            let wait = backoff.wait().as_secs_f64();
            assert!((bound / 2.0..=bound).contains(&wait), "{wait} of {bound}");
        }
        backoff.reset();
        assert!(backoff.wait() <= Duration::from_secs(1));
        let mut waits = std::iter::repeat_with(|| {
            backoff.reset();
            backoff.wait()
        });
        let first = waits.next().unwrap();
        assert!(waits.take(20).any(|wait| wait != first), "no jitter");
    }
}
