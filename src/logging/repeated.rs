//! Lines of a dependency that come again and again while a state lasts.
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::Record;

/// How long such a line is not repeated.
const PAUSE: Duration = Duration::from_secs(60);

/// actix-server's acceptor tries twice a second, and logs each failure, while the process has no descriptor left.
const ACCEPTOR: &str = "actix_server::accept";

static ACCEPT_ERRORS: Repeated = Repeated::new();

/// Tells whether the line was written a short while ago and is left out.
pub(super) fn is_repeated(record: &Record<'_>) -> bool {
    record.target() == ACCEPTOR && ACCEPT_ERRORS.again_at(Instant::now())
}

/// When a line was written last.
#[derive(Debug)]
pub(crate) struct Repeated {
    last: Mutex<Option<Instant>>,
}

impl Repeated {
    /// It was not written yet.
    pub(crate) const fn new() -> Self {
        Self {
            last: Mutex::new(None),
        }
    }

    /// Tells whether it is too early for the line; if not, it is written now.
    pub(crate) fn again_at(&self, now: Instant) -> bool {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let is_again = last.is_some_and(|last| now.saturating_duration_since(last) < PAUSE);
        if !is_again {
            *last = Some(now);
        }
        is_again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_once_a_minute() {
        let (repeated, start) = (Repeated::new(), Instant::now());
        let written = (0..600_u64)
            .filter(|half_seconds| !repeated.again_at(start + Duration::from_millis(half_seconds * 500)))
            .count();
        assert_eq!(written, 5);
    }

    #[test]
    fn other_targets_are_written_as_often_as_they_come() {
        let record = Record::builder().target("edge_proxy::server").build();
        assert!(!is_repeated(&record) && !is_repeated(&record));
        let record = Record::builder().target(ACCEPTOR).build();
        assert!(!is_repeated(&record) && is_repeated(&record));
    }
}
