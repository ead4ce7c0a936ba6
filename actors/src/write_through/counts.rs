//! What became of the identities that requests carried.
use super::losses::Why;
use crate::counts::Counter;

/// Counts since the process began, whichever actors have written: a part that is switched off and on goes on counting.
#[derive(Debug, Default)]
pub struct WriteThroughCounts {
    /// Identities that upstream has taken.
    pub written: Counter,
    /// Those that found no room.
    pub no_room: Counter,
    /// Those that upstream refuses.
    pub refused: Counter,
    /// Those whose environment's key upstream rejects.
    pub key_rejected: Counter,
    /// Those that an end of the part has left.
    pub ended: Counter,
}

impl WriteThroughCounts {
    /// All that were not written, whatever the reason.
    pub fn lost(&self) -> u64 {
        let Self {
            no_room,
            refused,
            key_rejected,
            ended,
            written: _,
        } = self;
        [no_room, refused, key_rejected, ended]
            .iter()
            .fold(0, |sum, count| sum.saturating_add(count.get()))
    }

    /// Counts identities that were not written.
    pub(super) fn lose(&self, identities: u64, why: Why) {
        let lost = match why {
            Why::NoRoom => &self.no_room,
            Why::Refused(_) => &self.refused,
            Why::KeyRejected(_) => &self.key_rejected,
        };
        lost.add(identities);
    }
}
