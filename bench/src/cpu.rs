//! CPU time of a process, by its threads, from the scheduler's accounts (Linux).
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Nanoseconds that all threads of a process have run. Threads that ended meanwhile are left out: the servers measured
/// here start theirs before the first request and keep them.
pub fn time(process: u32) -> Duration {
    let tasks = fs::read_dir(format!("/proc/{process}/task")).expect("the server runs");
    let nanoseconds = tasks.filter_map(|task| run_time(&task.ok()?.path().join("schedstat")));
    Duration::from_nanos(nanoseconds.sum())
}

/// How long the calling thread has run. The account is kept by the scheduler's ticks, some milliseconds apart.
pub fn time_of_this_thread() -> Duration {
    Duration::from_nanos(run_time(Path::new("/proc/thread-self/schedstat")).expect("a thread has an account"))
}

fn run_time(schedstat: &Path) -> Option<u64> {
    let schedstat = fs::read_to_string(schedstat).ok()?;
    schedstat.split_ascii_whitespace().next()?.parse().ok()
}
