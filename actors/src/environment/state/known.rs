//! What clients may know of an environment that this process has not served: what one before it served, or one beside it.
use engine::UpdatedAt;

use super::EnvironmentState;
use crate::environment::versions::Floor;

/// What another process has served.
#[derive(Debug, Clone, Copy)]
pub(in crate::environment) struct Known<D> {
    /// `None`: it cannot be read.
    pub(in crate::environment) content: Option<D>,
    /// The number that it was served under.
    pub(in crate::environment) served: UpdatedAt,
    /// As upstream gave it, where it came from the upstream that is asked now.
    pub(in crate::environment) upstream: Option<UpdatedAt>,
    /// The newest number that subscribers were told.
    pub(in crate::environment) told: Option<UpdatedAt>,
}

impl<D: Copy + PartialEq> EnvironmentState<D> {
    /// Whether upstream itself has given it after what is served here.
    pub(in crate::environment) fn is_overtaken_by(&self, known: &Known<D>) -> bool {
        let Some((record, content)) = self.record().zip(known.content) else {
            return false;
        };
        let is_newer = |(theirs, ours)| theirs > ours;
        content != record.content && known.upstream.zip(record.upstream).is_some_and(is_newer)
    }

    /// From now on nothing is served under a lower number, nor other content under the same one. Where [`Self::is_below_floor`]
    /// holds then, the next action is to serve what is served under a higher one.
    pub(in crate::environment) fn learn(&mut self, known: Known<D>) {
        let Known {
            content,
            served,
            told,
            ..
        } = known;
        let number = told.map_or(served, |told| told.max(served));
        self.versions.never_below(Floor { number, content });
        let same = self.record().filter(|record| content == Some(record.content));
        self.told = match (same, self.told) {
            // Who was told of it under the one number knows it under the other.
            (Some(record), Some(own)) if own >= record.served => Some(own.max(number)),
            (Some(record), None) if told >= Some(served) => Some(number.max(record.served)),
            // What subscribers of this process were not told they do not know.
            (_, Some(own)) => Some(own),
            (_, None) => told,
        };
    }

    /// Whether what is served has a number that clients may know for something newer.
    pub(in crate::environment) fn is_below_floor(&self) -> bool {
        self.versions.is_below_floor()
    }
}
