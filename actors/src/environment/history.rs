//! What has become of one environment since the start, as operators see it; pure.
use std::time::SystemTime;

use super::events::{FetchEnd, Moment};
use super::status::{ChangeSource, FetchCounts, LastChange, LastFailure};
use super::versions::Verdict;
use crate::upstream::{FailureKind, FetchFailure};

/// Who announced a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Announcer {
    /// Flagsmith itself (`queue-change`).
    Push,
    /// Its realtime service.
    Stream,
}

/// The past of one environment.
#[derive(Debug, Default)]
pub(super) struct History {
    /// Who announced a change last.
    announcer: Option<Announcer>,
    last_change: Option<LastChange>,
    last_failure: Option<(FetchFailure, SystemTime)>,
    /// Whether a fetch has succeeded since. A further key that is to be tried is no success.
    has_succeeded_since: bool,
    fetches: FetchCounts,
}

impl History {
    /// A change was announced.
    pub(super) fn announced(&mut self, by: Announcer) {
        self.announcer = Some(by);
    }

    /// A poll of upstream, or a fetch for what was announced, has ended.
    pub(super) fn fetched<D>(&mut self, now: Moment, end: &FetchEnd<D>, is_for_push: bool) {
        let source = match self.announcer.filter(|_| is_for_push) {
            None => ChangeSource::Poll,
            Some(Announcer::Push) => ChangeSource::Push,
            Some(Announcer::Stream) => ChangeSource::Stream,
        };
        self.ended(now, end, source);
    }

    /// A look at a file has ended.
    pub(super) fn looked<D>(&mut self, now: Moment, end: &FetchEnd<D>) {
        self.ended(now, end, ChangeSource::File);
    }

    fn ended<D>(&mut self, now: Moment, end: &FetchEnd<D>, source: ChangeSource) {
        let fetches = &mut self.fetches;
        let outcome = match end {
            FetchEnd::Document {
                verdict: Verdict::Serve(_) | Verdict::ServeUnsettled(_),
                ..
            } => {
                self.has_succeeded_since = true;
                self.last_change = Some(LastChange { source, at: now.wall });
                &mut fetches.changed
            }
            FetchEnd::Document { .. } | FetchEnd::NotModified { .. } => {
                self.has_succeeded_since = true;
                &mut fetches.unchanged
            }
            FetchEnd::Failure(failure) => {
                self.last_failure = Some((failure.clone(), now.wall));
                self.has_succeeded_since = false;
                match failure {
                    FetchFailure::KeyRejected(..) | FetchFailure::UnusableKey => &mut fetches.rejected,
                    FetchFailure::RateLimited(_) => &mut fetches.limited,
                    failure => match failure.kind() {
                        FailureKind::Late => &mut fetches.late,
                        FailureKind::Unreachable => &mut fetches.unreachable,
                        FailureKind::BadAnswer => &mut fetches.bad_answer,
                        FailureKind::Unusable => &mut fetches.unusable,
                    },
                }
            }
            FetchEnd::Abandoned => return,
        };
        *outcome = outcome.saturating_add(1);
    }

    /// Content is served that no fetch gave.
    pub(super) fn loaded(&mut self, now: Moment, source: ChangeSource) {
        self.last_change = Some(LastChange { source, at: now.wall });
    }

    /// It is fetched from elsewhere from now on, where nothing has failed yet.
    pub(super) fn moved(&mut self) {
        self.last_failure = None;
        self.announcer = None;
    }

    pub(super) fn last_change(&self) -> Option<LastChange> {
        self.last_change
    }

    /// The last fetch that failed.
    pub(super) fn last_failure(&self) -> Option<LastFailure> {
        let (failure, at) = self.last_failure.as_ref()?;
        Some(LastFailure {
            reason: failure.to_string(),
            at: *at,
            is_over: self.has_succeeded_since,
        })
    }

    pub(super) fn fetches(&self) -> FetchCounts {
        self.fetches
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant, UNIX_EPOCH};

    use engine::UpdatedAt;

    use super::super::events::FetchCost;
    use super::super::versions::Versions;
    use super::*;
    use crate::upstream::{Fault, Stage};

    fn at(seconds: u64) -> Moment {
        Moment {
            instant: Instant::now(),
            wall: UNIX_EPOCH + Duration::from_secs(seconds),
        }
    }

    fn document(verdict: Verdict) -> FetchEnd<u8> {
        FetchEnd::Document {
            date: None,
            cost: FetchCost {
                bytes: 1,
                time: Duration::ZERO,
            },
            versions: Versions::default(),
            verdict,
        }
    }

    fn change(history: &History) -> Option<(&'static str, u64)> {
        let change = history.last_change()?;
        let at = change.at.duration_since(UNIX_EPOCH).unwrap().as_secs();
        Some((change.source.name(), at))
    }

    #[test]
    fn a_change_is_whose_fetch_found_it() {
        let mut history = History::default();
        let (number, next) = (UpdatedAt::from_micros(1), UpdatedAt::from_micros(2));
        history.loaded(at(1), ChangeSource::Store);
        assert_eq!(change(&history), Some(("store", 1)));
        history.fetched(at(2), &document(Verdict::Serve(number)), false);
        assert_eq!(change(&history), Some(("poll", 2)));
        history.announced(Announcer::Push);
        // A poll that was under way does not know of it.
        history.fetched(at(3), &document(Verdict::ServeUnsettled(number)), false);
        assert_eq!(change(&history), Some(("poll", 3)));
        history.fetched(at(4), &document(Verdict::Serve(next)), true);
        assert_eq!(change(&history), Some(("push", 4)));
        history.announced(Announcer::Stream);
        history.fetched(at(5), &document(Verdict::Serve(next)), true);
        assert_eq!(change(&history), Some(("stream", 5)));
        // The same content under another number, an older one, and nothing.
        history.fetched(at(6), &document(Verdict::Restamp(next)), false);
        history.fetched(at(6), &document(Verdict::Hold), false);
        history.fetched(at(6), &document(Verdict::Keep), false);
        history.fetched(at(6), &FetchEnd::<u8>::NotModified { date: None }, false);
        assert_eq!(change(&history), Some(("stream", 5)));
        history.looked(at(7), &document(Verdict::Serve(next)));
        assert_eq!(change(&history), Some(("file", 7)));
        assert_eq!((history.fetches().changed, history.fetches().unchanged), (5, 4));
    }

    #[test]
    fn a_failure_is_remembered_and_counted_by_its_kind() {
        let mut history = History::default();
        for failure in [
            FetchFailure::KeyRejected(403, None),
            FetchFailure::RateLimited(None),
            FetchFailure::NoAnswer(Fault::Late(Stage::Head)),
            FetchFailure::NoAnswer(Fault::Refused),
            FetchFailure::NoAnswer(Fault::Chunks),
            FetchFailure::File("gone".to_owned()),
            FetchFailure::Status(502),
        ] {
            history.fetched(at(1), &FetchEnd::<u8>::Failure(failure), false);
        }
        history.fetched(at(2), &FetchEnd::<u8>::Abandoned, false);
        // A push announces what may come, and content from elsewhere is none of upstream's.
        history.announced(Announcer::Push);
        history.loaded(at(2), ChangeSource::Store);
        assert!(!history.last_failure().unwrap().is_over);
        let fetches = history.fetches();
        let counts = fetches.by_outcome().map(|(_, count)| count);
        assert_eq!((counts, fetches.failed()), ([0, 0, 1, 1, 1, 1, 2, 1], 5));
        history.fetched(at(3), &FetchEnd::<u8>::NotModified { date: None }, false);
        let failure = history.last_failure().unwrap();
        assert!(failure.reason.contains("502") && failure.is_over, "{failure:?}");
        assert_eq!(failure.at, at(1).wall);
        history.moved();
        assert_eq!(history.last_failure(), None);
    }
}
