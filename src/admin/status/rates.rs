//! How many requests a second bring a key of each environment: over the last ten seconds, so that a reader can follow.
use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actors::environment::EnvironmentHandle;
use actors::keys::EnvironmentId;
use actors::replica::RequestTotals;
use tokio::time::{MissedTickBehavior, interval};

/// Between two looks.
const PERIOD: Duration = Duration::from_secs(1);

/// The looks that count: the oldest of them is ten periods before the newest.
const LOOKS: usize = 11;

/// What requests came to at the last looks; clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rates(Arc<Mutex<VecDeque<Look>>>);

#[derive(Debug, Clone)]
struct Look {
    at: Instant,
    totals: RequestTotals,
}

/// The rates at one moment.
#[derive(Debug)]
pub(super) struct RatesNow {
    first: Look,
    last: Look,
}

impl Rates {
    /// Looks once a second.
    pub(crate) async fn follow(self, environments: EnvironmentHandle) -> Infallible {
        let mut looks = interval(PERIOD);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        // Nobody has looked while the port was closed.
        self.lock().clear();
        loop {
            looks.tick().await;
            self.look(Instant::now(), environments.requests());
        }
    }

    fn look(&self, at: Instant, totals: RequestTotals) {
        let mut looks = self.lock();
        looks.push_back(Look { at, totals });
        while looks.len() > LOOKS {
            looks.pop_front();
        }
    }

    /// `None`: there was one look at most, or none for a while.
    pub(super) fn now(&self) -> Option<RatesNow> {
        let looks = self.lock();
        let (first, last) = (looks.front()?.clone(), looks.back()?.clone());
        (first.at < last.at).then_some(RatesNow { first, last })
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Look>> {
        // A change is one look more or less, so it is whole.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RatesNow {
    /// Requests a second of one environment, to a tenth.
    pub(super) fn of(&self, id: EnvironmentId) -> f64 {
        self.rate(self.first.totals.of(id), self.last.totals.of(id))
    }

    /// Those of all environments.
    pub(super) fn sum(&self) -> f64 {
        self.rate(self.first.totals.sum(), self.last.totals.sum())
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "far below 2^52 requests in ten seconds"
    )]
    fn rate(&self, first: u64, last: u64) -> f64 {
        let seconds = (self.last.at - self.first.at).as_secs_f64();
        let rate = last.saturating_sub(first) as f64 / seconds;
        (rate * 10.0).round() / 10.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_look_tells_nothing_and_old_ones_do_not_count() {
        let (rates, start) = (Rates::default(), Instant::now());
        assert!(rates.now().is_none());
        for second in 0..30 {
            rates.look(start + Duration::from_secs(second), RequestTotals::default());
            assert_eq!(rates.now().is_some(), second > 0);
        }
        let now = rates.now().unwrap();
        assert_eq!(now.last.at - now.first.at, Duration::from_secs(10));
        assert_eq!((now.sum(), now.rate(5, 42)), (0.0, 3.7));
        assert_eq!(now.rate(5, 4), 0.0, "workers that come anew");
    }
}
