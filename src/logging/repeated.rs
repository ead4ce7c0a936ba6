//! Lines of a dependency that come again and again while a state lasts.
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use log::Record;

/// How long such a line is not repeated.
const PAUSE: Duration = Duration::from_secs(60);

/// actix-server's acceptor tries twice a second, and logs each failure, while the process has no descriptor left.
const ACCEPTOR: &str = "actix_server::accept";

static ACCEPT_ERRORS: Repeated = Repeated::new();

/// How its failure ends where the listener listens no longer (`EINVAL` of accept(2)). A stop closes it once the acceptor was asked to
/// leave it, which answers before it has: on a busy machine it may come to the listener once more. Nobody is lost by that.
const OF_A_CLOSED_LISTENER: &str = "(os error 22)";

/// Tells whether the line was written a short while ago, or is none of a failure, and is left out.
pub(super) fn is_repeated(record: &Record<'_>) -> bool {
    record.target() == ACCEPTOR && (is_of_a_closed_listener(record) || ACCEPT_ERRORS.again_at(Instant::now()))
}

fn is_of_a_closed_listener(record: &Record<'_>) -> bool {
    record.args().to_string().ends_with(OF_A_CLOSED_LISTENER)
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

    #[test]
    fn the_end_of_a_listener_is_no_failure_of_its_acceptor() {
        // As the acceptor comes to it.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        socket2::SockRef::from(&listener)
            .shutdown(std::net::Shutdown::Read)
            .unwrap();
        let ended = listener.accept().unwrap_err();
        let limited = std::io::Error::from(rustix::io::Errno::MFILE);
        for (error, is_of_the_end) in [(ended, true), (limited, false)] {
            let told = is_of_a_closed_listener(
                &Record::builder()
                    .target(ACCEPTOR)
                    .args(format_args!("Error accepting connection: {error}"))
                    .build(),
            );
            assert_eq!(told, is_of_the_end, "{error}");
        }
    }
}
