//! What counts may take of the memory.

/// A map's slot, the length and the allocation of a feature's name: about so much beside the name itself.
const FEATURE: usize = 64;
/// The same for an evaluation, which has two texts.
const EVALUATION: usize = 112;
/// Two maps, four lengths.
const SHEET: usize = 256;

/// What takes room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cost {
    /// The counts under one set of labels; the bytes of the labels.
    Sheet(usize),
    /// The count of a feature; the bytes of its name.
    Feature(usize),
    /// The count of an evaluation; the bytes of its texts.
    Evaluation(usize),
}

impl Cost {
    /// The bytes of its texts alone.
    pub(super) fn text_bytes(self) -> usize {
        match self {
            Self::Sheet(bytes) | Self::Feature(bytes) | Self::Evaluation(bytes) => bytes,
        }
    }

    fn bytes(self) -> usize {
        match self {
            Self::Sheet(bytes) => SHEET.saturating_add(bytes),
            Self::Feature(bytes) => FEATURE.saturating_add(bytes),
            Self::Evaluation(bytes) => EVALUATION.saturating_add(bytes),
        }
    }
}

/// The room of one store of counts, and what found none in it.
#[derive(Debug)]
pub(super) struct Room {
    most: usize,
    taken: usize,
    /// Of it, what evaluations take: half of the room at most. Identities come without end, the features of an environment
    /// do not, and must find room beside them.
    by_evaluations: usize,
    /// Counts that found no room since this was last taken.
    lost: u64,
}

impl Room {
    /// Of so many bytes.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            taken: 0,
            by_evaluations: 0,
            lost: 0,
        }
    }

    /// From now on there is so much; what is taken stays taken.
    pub(super) fn resize(&mut self, most: usize) {
        self.most = most;
    }

    /// Takes room for something new, if there is enough.
    pub(super) fn take(&mut self, cost: Cost) -> bool {
        let bytes = cost.bytes();
        let fits = |taken: usize, most: usize| taken.saturating_add(bytes) <= most;
        let is_there = fits(self.taken, self.most)
            && (!matches!(cost, Cost::Evaluation(_)) || fits(self.by_evaluations, self.most / 2));
        if is_there {
            self.take_anyway(cost);
        }
        is_there
    }

    /// Takes room for something that was there before.
    pub(super) fn take_anyway(&mut self, cost: Cost) {
        self.taken = self.taken.saturating_add(cost.bytes());
        if let Cost::Evaluation(_) = cost {
            self.by_evaluations = self.by_evaluations.saturating_add(cost.bytes());
        }
    }

    /// Gives back what something took.
    pub(super) fn give_back(&mut self, cost: Cost) {
        self.taken = self.taken.saturating_sub(cost.bytes());
        if let Cost::Evaluation(_) = cost {
            self.by_evaluations = self.by_evaluations.saturating_sub(cost.bytes());
        }
    }

    /// Notes that something found no room.
    pub(super) fn lose(&mut self, counts: u64) {
        self.lost = self.lost.saturating_add(counts);
    }

    /// What found no room since it was last taken.
    pub(super) fn lost(&self) -> u64 {
        self.lost
    }

    /// What found no room since this was last asked.
    pub(super) fn take_lost(&mut self) -> u64 {
        std::mem::take(&mut self.lost)
    }

    /// Whether half of it is taken, by all or by evaluations.
    pub(super) fn is_half_full(&self) -> bool {
        self.taken >= self.most / 2 || self.by_evaluations >= self.most / 4
    }

    /// The bytes that are taken.
    #[cfg(test)]
    pub(super) fn taken(&self) -> usize {
        self.taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evaluations_leave_half_of_the_room() {
        let mut room = Room::new(4 * (EVALUATION + 8));
        let (evaluation, feature) = (Cost::Evaluation(8), Cost::Feature(EVALUATION - FEATURE + 8));
        assert_eq!([room.take(evaluation), room.take(evaluation)], [true, true]);
        assert!(room.is_half_full());
        assert!(!room.take(evaluation));
        assert_eq!([room.take(feature), room.take(feature)], [true, true]);
        assert!(!room.take(feature));
        room.give_back(evaluation);
        room.give_back(feature);
        assert_eq!([room.take(evaluation), room.take(feature)], [true, true]);
        assert_eq!(room.taken(), 4 * (EVALUATION + 8));
    }

    #[test]
    fn what_is_lost_is_told_once() {
        let mut room = Room::new(0);
        assert!(!room.take(Cost::Sheet(0)));
        room.lose(3);
        room.lose(u64::MAX);
        assert_eq!((room.take_lost(), room.take_lost()), (u64::MAX, 0));
        room.resize(SHEET);
        assert!(room.take(Cost::Sheet(0)));
    }
}
