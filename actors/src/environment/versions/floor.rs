//! The number below which nothing is served.
use engine::UpdatedAt;

use super::Versions;

/// A number that clients may know and that this process has not given: one before it has served it, or another one does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::environment) struct Floor<D> {
    pub(in crate::environment) number: UpdatedAt,
    /// What was served under it; `None`: not known.
    pub(in crate::environment) content: Option<D>,
}

impl<D: Copy + PartialEq> Versions<D> {
    /// From now on nothing is served under a number below this one, and no other content under this one.
    pub(in crate::environment) fn never_below(&mut self, floor: Floor<D>) {
        if self.floor.is_none_or(|known| known.number < floor.number) {
            self.floor = Some(floor);
        }
    }

    /// The same, with the floor that `others` have: work that began before it was known has not heard of it.
    pub(in crate::environment) fn above_floor_of(self, others: &Self) -> Self {
        Self {
            floor: others.floor,
            ..self
        }
    }

    /// Whether what is served has a number below the floor, or that of other content.
    pub(in crate::environment) fn is_below_floor(&self) -> bool {
        let current = self.current.as_ref();
        current.is_some_and(|current| {
            self.above_floor(current.content, current.served, current.served) != current.served
        })
    }

    /// Raises the number of what is served above the floor; gives it, where that was needed.
    pub(in crate::environment) fn raise(&mut self, now: UpdatedAt) -> Option<UpdatedAt> {
        let mut current = self.current.filter(|_| self.is_below_floor())?;
        current.served = self.above_floor(current.content, current.served, now);
        current.is_unsettled = false;
        self.current = Some(current);
        Some(current.served)
    }

    /// This number for this content, or the next that the floor allows.
    pub(super) fn above_floor(&self, content: D, number: UpdatedAt, now: UpdatedAt) -> UpdatedAt {
        match self.floor {
            Some(floor) if number <= floor.number && floor.content == Some(content) => floor.number,
            Some(floor) if number <= floor.number => now.max(floor.number.next()),
            _ => number,
        }
    }
}
