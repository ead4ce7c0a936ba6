//! What is said of the process.
use std::fs;
use std::time::Instant;

use serde::Serialize;

use super::time::Time;
use crate::admin::AdminContext;
use crate::server::open_files;
use crate::service_state::ServiceState;

/// The process.
#[derive(Debug, Clone, Serialize)]
pub(super) struct ProcessReport {
    pub(super) version: &'static str,
    pub(super) state: State,
    /// When it began to serve.
    pub(super) started: Option<Time>,
    pub(super) uptime_seconds: u64,
    /// HTTP workers of the public port.
    pub(super) workers: usize,
    /// Bytes in memory; `None`: the system does not tell.
    pub(super) memory_bytes: Option<u64>,
    /// Open descriptors; `None`: the system does not tell.
    pub(super) open_files: Option<usize>,
    /// How many descriptors may be open.
    pub(super) most_open_files: usize,
    /// Connections to the public port.
    pub(super) connections: usize,
    /// Event streams among them; `None`: the hub does not answer.
    pub(super) streams: Option<usize>,
    /// Requests a second with a key of any environment; `None`: not counted for long enough yet.
    pub(super) requests_per_second: Option<f64>,
}

/// What the process as a whole does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// It serves.
    Serving,
    /// The stop has begun.
    Draining,
    /// A part has failed, and the process is about to end.
    Failed,
}

impl State {
    pub(super) fn of(state: &ServiceState) -> Self {
        match (state.is_draining(), state.is_alive()) {
            (true, _) => Self::Draining,
            (false, true) => Self::Serving,
            (false, false) => Self::Failed,
        }
    }

    /// Says it in words.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Serving => "serving",
            Self::Draining => "about to end",
            Self::Failed => "a part has failed, and it is about to end",
        }
    }
}

impl ProcessReport {
    /// Asks the system.
    pub(super) fn take(context: &AdminContext, state: State, streams: Option<usize>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            state,
            started: Time::of(context.started.wall),
            uptime_seconds: Instant::now()
                .saturating_duration_since(context.started.instant)
                .as_secs(),
            workers: context.workers,
            memory_bytes: memory(),
            open_files: open_now(),
            most_open_files: open_files::limit(),
            connections: context.places.open_now(),
            streams,
            requests_per_second: None,
        }
    }
}

/// Counts open descriptors. The folder's size is their number (proc_pid_fd(5), since Linux 6.2); to list them takes the longer the
/// more there are.
fn open_now() -> Option<usize> {
    const FOLDER: &str = "/proc/self/fd";
    let told = fs::metadata(FOLDER).ok()?.len();
    match usize::try_from(told).ok()? {
        // One of those that are listed is the list's own.
        0 => Some(fs::read_dir(FOLDER).ok()?.count().saturating_sub(1)),
        told => Some(told),
    }
}

/// Reads the resident memory, in bytes (proc_pid_status(5), `VmRSS`).
fn memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_of_descriptors() {
        let held: Vec<_> = (0..100).map(|_| fs::File::open("/dev/null").unwrap()).collect();
        // Other tests open and close some meanwhile, and no test opens so many.
        assert!((100..100_000).contains(&open_now().unwrap()));
        drop(held);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn the_system_tells_of_memory() {
        assert!(memory().unwrap() > 1_000_000);
    }
}
