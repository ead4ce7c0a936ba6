//! The segment overrides that hold.
use smallvec::{SmallVec, smallvec};

use super::segments::Evaluation;
use crate::environment::compiled::{Features, Segment, SegmentOverride};

/// Environments with no more contested features need no allocation for the winners.
const CONTESTED_INLINE: usize = 64;

/// The segment overrides that hold.
#[expect(
    clippy::large_enum_variant,
    reason = "it lives on the stack for one evaluation; a box would be an allocation"
)]
pub(super) enum Winners<'e> {
    /// At most one segment matches: what it overrides holds, each feature once.
    Of(Option<&'e Segment>),
    /// The override that holds for each contested feature; `None`: none does.
    Mixed(SmallVec<[Option<&'e SegmentOverride>; CONTESTED_INLINE]>),
}

impl<'e> Winners<'e> {
    /// Evaluates the segments that override something, in document order, and adds those that match. In place: to copy
    /// the winners costs a twentieth of a small evaluation. `note` hears of each segment that was evaluated, by its place, and
    /// whether it matches.
    #[inline]
    pub(super) fn find(&mut self, evaluation: &Evaluation<'e>, mut note: impl FnMut(u32, bool)) {
        let environment = evaluation.environment;
        if evaluation.dependencies.is_some() {
            // Segments that override nothing count here: reading a flag resolves it.
            let segments = (0..).zip(&environment.segments);
            for ((place, segment), matches) in segments.zip(evaluation.all_segments()) {
                note(place, matches);
                if matches {
                    self.add(segment, &environment.features);
                }
            }
            return;
        }
        for place in &environment.overriding_segments {
            let Some(segment) = environment.segments.get(*place as usize) else {
                continue;
            };
            let matches = evaluation.matches(*place, segment);
            note(*place, matches);
            if matches {
                self.add(segment, &environment.features);
            }
        }
    }

    /// The override of the strictly lowest priority wins for each feature; the first of equal ones.
    fn add(&mut self, segment: &'e Segment, features: &Features) {
        match self {
            Self::Of(None) => *self = Self::Of(Some(segment)),
            Self::Of(Some(first)) => {
                let first = *first;
                *self = Self::Mixed(smallvec![None; features.contested.len()]);
                self.add(first, features);
                self.add(segment, features);
            }
            Self::Mixed(winners) => {
                for candidate in &segment.overrides {
                    if let Some(holder) = winners.get_mut(candidate.contested as usize)
                        && holder.is_none_or(|holder| candidate.rank < holder.rank)
                    {
                        *holder = Some(candidate);
                    }
                }
            }
        }
    }

    /// The overrides in the order of the features.
    pub(super) fn iter(&self) -> impl Iterator<Item = &'e SegmentOverride> {
        let (one, mixed) = match self {
            Self::Of(segment) => (segment.map_or(&[][..], |segment| &*segment.overrides), &[][..]),
            Self::Mixed(winners) => (&[][..], &**winners),
        };
        one.iter().chain(mixed.iter().copied().flatten())
    }
}
