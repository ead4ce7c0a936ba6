//! The limit of open files, which bounds how many connections the process can hold.
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
