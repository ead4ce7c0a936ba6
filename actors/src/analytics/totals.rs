//! Sums of counts since the process began.
use super::report::Losses;
use crate::counts::Counter;

/// Counts by what has become of them, whichever actors have had them: a part that is switched off and on goes on counting.
#[derive(Debug, Default)]
pub struct AnalyticsCounts {
    pub(super) forwarded: Counter,
    pub(super) no_room: Counter,
    pub(super) refused: Counter,
    pub(super) removed: Counter,
    pub(super) unknown: Counter,
    pub(super) without_upstream: Counter,
    pub(super) ended: Counter,
}

impl AnalyticsCounts {
    pub(super) fn lose(&self, losses: Losses) {
        self.no_room.add(losses.no_room);
        self.refused.add(losses.refused);
        self.removed.add(losses.removed);
    }

    /// Where so many wait.
    pub(super) fn totals(&self, waiting: u64) -> Totals {
        Totals {
            forwarded: self.forwarded.get(),
            waiting,
            lost: Losses {
                no_room: self.no_room.get(),
                refused: self.refused.get(),
                removed: self.removed.get(),
            },
            unknown: self.unknown.get(),
            without_upstream: self.without_upstream.get(),
            ended: self.ended.get(),
        }
    }
}

/// Sums of counts since the process began.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Those that upstream has taken.
    pub forwarded: u64,
    /// Those that are still to be sent, or under way; those that workers have just counted are among them.
    pub waiting: u64,
    /// Those that upstream will not have, by reason.
    pub lost: Losses,
    /// Those of features that the environment does not have.
    pub unknown: u64,
    /// Those of environments that are read from files.
    pub without_upstream: u64,
    /// Those that were neither sent nor kept when analytics ended.
    pub ended: u64,
}
