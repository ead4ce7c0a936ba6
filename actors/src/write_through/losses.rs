//! Identities that were not written, and what the log says of them; pure.
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::counts::WriteThroughCounts;

/// Between two lines of the log.
const PAUSE: Duration = Duration::from_secs(60);

/// Why an identity was not written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// As much waits as may.
    NoRoom,
    /// Upstream does not take it; its status.
    Refused(u16),
    /// Upstream does not take the environment's key; its status.
    KeyRejected(u16),
}

/// What was lost, and not told yet.
#[derive(Debug, Default)]
pub(super) struct Losses {
    untold: u64,
    why: Option<Why>,
    last_told: Option<Instant>,
    counts: Arc<WriteThroughCounts>,
}

impl Losses {
    /// Of nothing so far; all that comes is counted there, too.
    pub(super) fn counted(counts: Arc<WriteThroughCounts>) -> Self {
        Self {
            counts,
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, identities: u64, why: Why) {
        if identities > 0 {
            self.untold = self.untold.saturating_add(identities);
            self.why = Some(why);
            self.counts.lose(identities, why);
        }
    }

    /// What to tell now: how many since the last time, and why the last of them. Once a minute at most.
    pub(super) fn news(&mut self, now: Instant) -> Option<(u64, Why)> {
        let is_early = self
            .last_told
            .is_some_and(|last| now.saturating_duration_since(last) < PAUSE);
        if is_early {
            return None;
        }
        let untold = self.rest()?;
        self.last_told = Some(now);
        Some(untold)
    }

    /// What was not told yet, whatever was told last: for the stop.
    pub(super) fn rest(&mut self) -> Option<(u64, Why)> {
        let why = self.why.take()?;
        Some((std::mem::take(&mut self.untold), why))
    }
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoRoom => f.write_str(
                "more change than upstream takes, or it takes nothing; check upstream's load, and whether it can be reached",
            ),
            Self::Refused(status) => write!(
                f,
                "upstream answers {status} to what it was sent; check upstream's log"
            ),
            Self::KeyRejected(status) => write!(
                f,
                "upstream answers {status} to the environment's key; check the key pair, and whether the organisation stores traits"
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn losses_are_told_once_a_minute_and_all_of_them() {
        let (mut losses, start) = (Losses::default(), Instant::now());
        assert_eq!(losses.news(start), None);
        losses.add(0, Why::NoRoom);
        assert_eq!(losses.news(start), None);
        let mut told = Vec::new();
        for second in 0..180 {
            losses.add(10, Why::NoRoom);
            told.extend(losses.news(start + Duration::from_secs(second)));
        }
        let counts: Vec<_> = told.iter().map(|(count, _)| *count).collect();
        assert_eq!(counts, [10, 600, 600]);
        losses.add(1, Why::Refused(400));
        assert_eq!(
            losses.news(start + Duration::from_secs(180)),
            Some((591, Why::Refused(400)))
        );
        losses.add(2, Why::NoRoom);
        assert_eq!(losses.news(start + Duration::from_secs(181)), None);
        assert_eq!(losses.rest(), Some((2, Why::NoRoom)), "a stop does not wait");
        assert_eq!(losses.rest(), None);
        losses.add(1, Why::Refused(400));
        let last = losses.news(start + Duration::from_secs(300));
        assert_eq!(last, Some((1, Why::Refused(400))));
    }
}
