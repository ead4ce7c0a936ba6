//! Whether calls get through to upstream, and what the operator hears of it; pure.
use std::time::{Duration, Instant};

use super::ForwardFailure;

/// Between two times that the operator hears of a failure: an upstream that comes and goes is two lines a minute.
const PAUSE: Duration = Duration::from_secs(60);

/// Whether calls get through.
#[derive(Debug, Default)]
pub struct Standing {
    /// Why the last call did not.
    failure: Option<ForwardFailure>,
    /// When the operator heard of a failure last, and has not heard of its end.
    told: Option<Instant>,
    /// When the operator heard of a failure last.
    last_told: Option<Instant>,
    /// Calls that failed since.
    failed: u64,
}

/// What to tell the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Calls do not get through; why, and how many since the operator heard of it last.
    Fails(ForwardFailure, u64),
    /// They get through again.
    Works,
}

impl Standing {
    /// Notes the outcome of a call: `None`, or what to tell. A change is told, and a failure that lasts or returns once a
    /// minute.
    pub fn note(&mut self, outcome: Result<(), &ForwardFailure>, now: Instant) -> Option<News> {
        let Err(failure) = outcome else {
            self.failure = None;
            return self.told.take().map(|_| News::Works);
        };
        self.failed = self.failed.saturating_add(1);
        let is_same = self.failure.as_ref() == Some(failure);
        self.failure = Some(failure.clone());
        let is_early = self
            .last_told
            .is_some_and(|last| now.saturating_duration_since(last) < PAUSE);
        // One failure that lasts is told once.
        if is_early || (is_same && self.told.is_some()) {
            return None;
        }
        self.told = Some(now);
        self.last_told = Some(now);
        Some(News::Fails(failure.clone(), std::mem::take(&mut self.failed)))
    }

    /// Whether the last call did not get through.
    pub fn is_down(&self) -> bool {
        self.failure.is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::{Fault, Stage};

    #[test]
    fn changes_are_told_and_floods_are_not() {
        let (mut standing, start) = (Standing::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let refused = ForwardFailure::NoAnswer(Fault::Refused);
        let late = ForwardFailure::NoAnswer(Fault::Late(Stage::Head));
        assert_eq!(standing.note(Ok(()), at(0)), None);
        assert_eq!(
            standing.note(Err(&refused), at(0)),
            Some(News::Fails(refused.clone(), 1))
        );
        for second in 0..300 {
            assert_eq!(standing.note(Err(&refused), at(second)), None, "{second}");
        }
        assert!(standing.is_down());
        assert_eq!(standing.note(Ok(()), at(300)), Some(News::Works));
        assert!(!standing.is_down());

        // It comes and goes.
        let lines = (300..360_u64)
            .flat_map(|second| {
                let failure = if second % 2 == 0 { &refused } else { &late };
                [
                    standing.note(Err(failure), at(second)),
                    standing.note(Ok(()), at(second)),
                ]
            })
            .flatten();
        assert_eq!(lines.count(), 2);
        let news = standing.note(Err(&late), at(361));
        assert_eq!(news, Some(News::Fails(late, 60)), "those in between are counted");
    }
}
