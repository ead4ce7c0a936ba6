//! The limit of open files, and how it is shared out: connections may not take what the process needs to go on.
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// What we assume where the system names no limit.
const UNLIMITED: usize = 1 << 20;

/// Raises the limit as far as the system allows, and gives what it is then.
///
/// A refusal costs connections and no more, so it is only a warning.
pub fn raise_limit() -> usize {
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    if current != maximum
        && let Err(error) = setrlimit(
            Resource::Nofile,
            Rlimit {
                current: maximum,
                maximum,
            },
        )
    {
        log::warn!("the limit of open files stays at {}: {error}", limit());
    }
    limit()
}

/// Gives the limit as it stands.
pub(crate) fn limit() -> usize {
    getrlimit(Resource::Nofile)
        .current
        .map_or(UNLIMITED, |limit| usize::try_from(limit).unwrap_or(UNLIMITED))
}

/// Descriptors of the process itself: standard streams, listeners, the actors' runtimes, files that are read, fetches
/// that overlap.
const OF_THE_PROCESS: usize = 44;

/// Descriptors of the evaluation counts that are sent on to upstream: a connection each.
const OF_ANALYTICS: usize = actors::analytics::AT_ONCE;

/// Descriptors of the writes that are sent on to upstream: a connection each.
const OF_FORWARDED_CALLS: usize = actors::forwarding::AT_ONCE;

/// Descriptors of each HTTP worker's runtime: two for polling, one to wake it, one for signals.
const OF_A_WORKER: usize = 4;

/// Descriptors of each environment: its connection to upstream, the one after it, and its stream from upstream.
const OF_AN_ENVIRONMENT: usize = 3;

/// One in so many connections is left for those who come when there is no place, and as many for those about to leave.
const ONE_IN_PASSING: usize = 16;

/// How many descriptors connections get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shares {
    /// The connections that are served.
    pub served: usize,
    /// Connections of each worker, beside those that are served, which are told that there is no place.
    pub in_passing: usize,
    /// What each worker may hold of all, those included that are about to leave.
    pub of_a_worker: usize,
}

impl Shares {
    /// Shares a limit out. What the process needs for itself comes first, up to half of the limit.
    pub(crate) fn of(limit: usize, workers: usize, environments: usize) -> Self {
        let reserve = (OF_THE_PROCESS + OF_ANALYTICS + OF_FORWARDED_CALLS)
            .saturating_add(OF_A_WORKER.saturating_mul(workers))
            .saturating_add(OF_AN_ENVIRONMENT.saturating_mul(environments))
            .min(limit / 2);
        let workers = workers.max(1);
        let of_a_worker = ((limit - reserve) / workers).max(1);
        let in_passing = (of_a_worker / ONE_IN_PASSING).max(1);
        let served = of_a_worker.saturating_sub(2 * in_passing).max(1);
        Self {
            served: served.saturating_mul(workers),
            in_passing,
            of_a_worker,
        }
    }

    /// Serves fewer connections than there are descriptors for.
    pub(crate) fn at_most(self, connections: usize) -> Self {
        Self {
            served: self.served.min(connections),
            ..self
        }
    }

    /// The most event streams: whatever is configured, a quarter of the connections is left for requests.
    pub(crate) fn streams(self) -> usize {
        self.served - self.served / 4
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn connections_leave_the_process_what_it_needs_and_streams_leave_a_quarter() {
        for (limit, workers, environments, expected) in [
            (256, 2, 1, (140, 5, 80)),
            (1_024, 8, 10, (776, 6, 109)),
            (1_048_576, 2, 1, (917_420, 32_765, 524_240)),
            // The half, where the limit is too low for all of it.
            (64, 2, 1, (28, 1, 16)),
            (16, 4, 100, (4, 1, 2)),
            (2, 8, 1, (8, 1, 1)),
        ] {
            let shares = Shares::of(limit, workers, environments);
            let Shares {
                served,
                in_passing,
                of_a_worker,
            } = shares;
            assert_eq!((served, in_passing, of_a_worker), expected, "{limit}");
            assert!(shares.streams() * 4 <= served * 3 + 3, "{limit}");
        }
        assert_eq!(Shares::of(256, 2, 1).streams(), 105);
        let few = Shares::of(256, 2, 1).at_most(8);
        assert_eq!((few.served, few.in_passing, few.streams()), (8, 5, 6));
        assert_eq!(few.at_most(1_000), few);
    }
}
