//! What the process needs from the system before anything starts: descriptors and threads.
//!
//! The libraries underneath panic where they get none, each in its own place and on its own thread. So we ask first, all
//! at once, and a start that cannot succeed is one line that says how many are needed.
use std::fmt;
use std::io;
use std::sync::{Arc, PoisonError, RwLock};
use std::thread;

use rustix::io::Errno;
use rustix::process::{Resource, getrlimit, getuid};

use crate::process::open_descriptors;
use crate::server::open_files;
use crate::settings::Settings;

/// Threads with a runtime of their own beside the workers: the first thread, the SseHub, the EnvironmentActor, the writes that
/// are sent on, the identities that are written, analytics, the streams from upstream, and the store.
const OTHER_RUNTIMES: usize = 8;

/// The same where the admin port is open: its worker.
const ADMIN_RUNTIMES: usize = 1;

/// Descriptors of a runtime: two for polling, one to wake it, one for signals.
const FILES_A_RUNTIME: usize = 4;

/// Descriptors of the rest: signals 2, the thread that accepts 3, and a handful for documents' files, look-ups of names
/// and fetches.
const OTHER_FILES: usize = 16;

/// Fewer connections than that serve nobody.
const FEWEST_CONNECTIONS: usize = 16;

/// What is open where the system does not tell: standard input, output and error.
const FILES_AT_START: usize = 3;

/// Threads without a runtime: the log's, the one that accepts, the one that reads the configuration again, the allocator's,
/// and a few that read files, write the store's and look up names.
const OTHER_THREADS: usize = 10;

/// The system allows too little.
#[derive(Debug)]
pub enum Shortage {
    /// Too few open files.
    Files {
        /// The limit.
        allowed: usize,
        /// What serves at least.
        needed: usize,
    },
    /// Too few threads.
    Threads {
        /// How many could be started.
        allowed: usize,
        /// How many run while it serves.
        needed: usize,
        /// Why the next one could not.
        source: io::Error,
    },
}

impl std::error::Error for Shortage {}

impl fmt::Display for Shortage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Files { allowed, needed } => write!(
                f,
                "the limit of open files is {allowed}, and at least {needed} are needed: raise it (ulimit -n, LimitNOFILE, \
                 docker run --ulimit nofile) or lower WEB_CONCURRENCY"
            ),
            Self::Threads {
                allowed,
                needed,
                source,
            } => write!(
                f,
                "the system allows {allowed} threads, and {needed} are needed ({source}): raise its limit (ulimit -u, \
                 TasksMax, docker run --pids-limit) or its memory, or lower WEB_CONCURRENCY"
            ),
        }
    }
}

/// Checks that the system allows the descriptors and the threads which these settings need.
///
/// # Errors
/// Where it does not; the first one.
pub fn check(settings: &Settings) -> Result<(), Shortage> {
    check_files(settings)?;
    // The admin port's connections are accepted by a thread of their own.
    let threads = runtimes(settings).saturating_add(OTHER_THREADS + of_admin(settings));
    limit_of_threads(threads)?;
    start_threads(threads)
}

/// Checks that the system allows the descriptors.
///
/// # Errors
/// Where it does not.
pub fn check_files(settings: &Settings) -> Result<(), Shortage> {
    let needed = runtimes(settings)
        .saturating_mul(FILES_A_RUNTIME)
        .saturating_add(open_now() + OTHER_FILES + FEWEST_CONNECTIONS);
    let allowed = open_files::limit();
    if allowed < needed {
        return Err(Shortage::Files { allowed, needed });
    }
    Ok(())
}

fn runtimes(settings: &Settings) -> usize {
    settings
        .process
        .workers
        .saturating_add(OTHER_RUNTIMES + of_admin(settings))
}

fn of_admin(settings: &Settings) -> usize {
    settings.admin.port.map_or(0, |_| ADMIN_RUNTIMES)
}

/// Asks for the limit first, where it says enough: where threads are tried until there are none, the allocator may want one
/// of its own in that moment, and writes lines of its own. The limit does not hold for root.
fn limit_of_threads(needed: usize) -> Result<(), Shortage> {
    let limit = getrlimit(Resource::Nproc).current;
    let allowed = limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    if allowed >= needed || getuid().is_root() {
        return Ok(());
    }
    Err(Shortage::Threads {
        allowed,
        needed,
        source: Errno::AGAIN.into(),
    })
}

/// How many descriptors are open; supervisors leave some of theirs.
fn open_now() -> usize {
    let open = open_descriptors().and_then(|open| usize::try_from(open).ok());
    open.unwrap_or(FILES_AT_START)
}

/// Starts as many threads, which live at the same time, and ends them: there is no other way to know.
fn start_threads(needed: usize) -> Result<(), Shortage> {
    let gate = Arc::new(RwLock::new(()));
    let closed = gate.write().unwrap_or_else(PoisonError::into_inner);
    let mut waiting = Vec::with_capacity(needed);
    let mut outcome = Ok(());
    for allowed in 0..needed {
        let gate = Arc::clone(&gate);
        match thread::Builder::new().spawn(move || drop(gate.read())) {
            Ok(thread) => waiting.push(thread),
            Err(source) => {
                outcome = Err(Shortage::Threads {
                    allowed,
                    needed,
                    source,
                });
                break;
            }
        }
    }
    drop(closed);
    for thread in waiting {
        // Such a thread has nothing to panic about.
        let _ = thread.join();
    }
    outcome
}
