//! What [`EnvironmentState`](super::state::EnvironmentState) hears and what it asks for.
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine::UpdatedAt;

use super::versions::{Verdict, Versions};
use crate::upstream::FetchFailure;

/// One moment on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct Moment {
    pub(super) instant: Instant,
    pub(super) wall: SystemTime,
}

impl Moment {
    pub(super) fn now() -> Self {
        Self {
            instant: Instant::now(),
            wall: SystemTime::now(),
        }
    }

    /// The wall clock as an `updated_at`.
    pub(super) fn updated_at(self) -> UpdatedAt {
        let micros = self
            .wall
            .duration_since(UNIX_EPOCH)
            .unwrap_or_default()
            .as_micros();
        UpdatedAt::from_micros(i64::try_from(micros).unwrap_or(i64::MAX))
    }
}

/// What to do next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// Fetch now; nothing else begins until [`EnvironmentState::ended`].
    Fetch(FetchPlan),
    /// Serve the content under this number and tell; nothing else begins until [`EnvironmentState::settled`].
    Settle(UpdatedAt),
    /// Ask again at this moment, or after an event.
    Wait(Instant),
    /// Something is under way; its end is an event.
    Busy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FetchPlan {
    /// Which of the server-side keys.
    pub(super) key: usize,
    /// `None`: unconditionally.
    pub(super) if_modified_since: Option<UpdatedAt>,
    /// Look even where nothing seems to have changed.
    pub(super) is_forced: bool,
    /// Given up where nothing has come by then: something else is due.
    pub(super) until: Option<Instant>,
}

/// How a fetch ended, its document considered.
#[derive(Debug)]
pub(super) enum FetchEnd<D> {
    NotModified {
        date: Option<SystemTime>,
    },
    Document {
        date: Option<SystemTime>,
        cost: FetchCost,
        versions: Versions<D>,
        verdict: Verdict,
    },
    Failure(FetchFailure),
    /// It was given up at [`FetchPlan::until`], which says nothing about upstream.
    Abandoned,
}

/// What a document took of upstream.
#[derive(Debug, Clone, Copy)]
pub(super) struct FetchCost {
    /// Of all pages, decoded.
    pub(super) bytes: usize,
    /// From the request to the end of the last page.
    pub(super) time: Duration,
}

/// A change of state that the operator should hear of, once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Change {
    Failed(FetchFailure),
    Recovered,
    /// A key was rejected, and the next is tried; with what upstream said.
    NextKey(Option<String>),
    /// An older document with different content came.
    Lagging,
}
