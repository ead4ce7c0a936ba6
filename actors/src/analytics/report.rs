//! What the operator hears of one environment's counts: once per change of state, once a minute at most, never a key.
use std::time::{Duration, Instant};

use super::queue::Change;

/// Between two times that the operator hears of the same.
const PAUSE: Duration = Duration::from_secs(60);

/// The lines of one environment; pure but for the log.
#[derive(Debug, Default)]
pub(super) struct Report {
    /// When the operator heard of a failure last.
    failure: Option<Instant>,
    /// Whether the operator knows of a failure, and not of its end.
    knows_failure: bool,
    /// When the operator heard of losses last.
    loss: Option<Instant>,
    losses: Losses,
}

/// Counts that upstream will not have.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Losses {
    /// They found no room.
    pub no_room: u64,
    /// Upstream refuses them.
    pub refused: u64,
    /// Their environment was removed from the configuration, or is read from a file now, before they could be sent.
    pub removed: u64,
}

impl Losses {
    /// All of them.
    pub fn sum(self) -> u64 {
        self.no_room
            .saturating_add(self.refused)
            .saturating_add(self.removed)
    }

    pub(super) fn add(&mut self, other: Self) {
        self.no_room = self.no_room.saturating_add(other.no_room);
        self.refused = self.refused.saturating_add(other.refused);
        self.removed = self.removed.saturating_add(other.removed);
    }

    fn tell(self, label: &str) {
        log::warn!(
            "{label}: {} evaluation counts are lost: {} found no room or were more than can be stored, {} were refused by \
             upstream, {} were of an environment that is configured no longer",
            self.sum(),
            self.no_room,
            self.refused,
            self.removed
        );
    }
}

impl Report {
    /// Tells a change of state, unless the operator has just heard of one.
    pub(super) fn change(&mut self, label: &str, change: &Change, now: Instant) {
        if !self.is_to_tell(change, now) {
            return;
        }
        match change {
            Change::Failing(failure) => log::warn!(
                "{label}: evaluation counts do not arrive at upstream: {failure}. They are kept meanwhile, within a bound."
            ),
            Change::Refusing(failure) => log::warn!(
                "{label}: upstream refuses evaluation counts: {failure}. Those are dropped; where upstream has no analytics, \
                 set the option analytics to false."
            ),
            Change::Folding(failure) => log::warn!(
                "{label}: upstream does not take evaluations by identity (analytics/flags/ of version 2): {failure}. They are \
                 sent as counts of their features."
            ),
            Change::Recovered => log::info!("{label}: evaluation counts arrive at upstream again."),
        }
    }

    fn is_to_tell(&mut self, change: &Change, now: Instant) -> bool {
        if let Change::Folding(_) = change {
            // Once in ten minutes.
            return true;
        }
        if *change == Change::Recovered {
            return std::mem::take(&mut self.knows_failure);
        }
        let is_to_tell = is_due(self.failure, now);
        if is_to_tell {
            self.failure = Some(now);
            self.knows_failure = true;
        }
        is_to_tell
    }

    /// Notes losses, and tells of all since the last time where that is long enough ago.
    pub(super) fn losses(&mut self, label: &str, losses: Losses, now: Instant) {
        if let Some(losses) = self.losses_to_tell(losses, now) {
            losses.tell(label);
        }
    }

    /// Tells of all since the last time, for the last time.
    pub(super) fn end(&mut self, label: &str) {
        let losses = std::mem::take(&mut self.losses);
        if losses.sum() > 0 {
            losses.tell(label);
        }
    }

    fn losses_to_tell(&mut self, losses: Losses, now: Instant) -> Option<Losses> {
        self.losses.add(losses);
        if self.losses.sum() == 0 || !is_due(self.loss, now) {
            return None;
        }
        self.loss = Some(now);
        Some(std::mem::take(&mut self.losses))
    }
}

fn is_due(last: Option<Instant>, now: Instant) -> bool {
    last.is_none_or(|last| now.saturating_duration_since(last) >= PAUSE)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::analytics::outcome::Failure;

    #[test]
    fn an_upstream_that_comes_and_goes_is_two_lines_a_minute() {
        let (mut report, start) = (Report::default(), Instant::now());
        let failing = Change::Failing(Failure::RateLimited);
        let mut told = 0;
        for second in 0..120 {
            let now = start + Duration::from_secs(second);
            told += u32::from(report.is_to_tell(&failing, now));
            told += u32::from(report.is_to_tell(&Change::Recovered, now));
        }
        assert_eq!(told, 4);
    }

    #[test]
    fn losses_are_told_in_sum_once_a_minute() {
        let (mut report, start) = (Report::default(), Instant::now());
        let one = Losses {
            no_room: 1,
            ..Losses::default()
        };
        let told: Vec<_> = (0..121)
            .filter_map(|second| report.losses_to_tell(one, start + Duration::from_secs(second)))
            .map(Losses::sum)
            .collect();
        assert_eq!(told, [1, 60, 60]);
        let later = start + Duration::from_secs(300);
        assert_eq!(report.losses_to_tell(Losses::default(), later), None);
    }
}
