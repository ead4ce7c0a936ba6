//! The process, by the names that every Prometheus client has for it, and its build.
use std::fmt;

use super::families::{Families, number};
use crate::metrics::reading::Reading;

/// The commit that it was built from, where whoever built it has said so.
const COMMIT: &str = match option_env!("CI_COMMIT_SHA") {
    Some(commit) => commit,
    None => "unknown",
};

/// Writes them.
pub(super) fn write(families: &mut Families<'_, '_>, reading: &Reading) -> fmt::Result {
    families.info(
        "flagsmith_build",
        "The version that runs.",
        &vec![("ci_commit_sha", COMMIT), ("version", env!("CARGO_PKG_VERSION"))],
    )?;
    let process = &reading.process;
    families.counters(
        "process_cpu_seconds",
        "Total user and system CPU time spent in seconds.",
        process.cpu_seconds.map(|seconds| (Vec::new(), seconds)),
    )?;
    let count = |value: Option<u64>| value.map(number);
    for (name, help, value) in [
        (
            "process_open_fds",
            "Number of open file descriptors.",
            count(process.open_descriptors),
        ),
        (
            "process_max_fds",
            "Maximum number of open file descriptors.",
            count(process.most_descriptors),
        ),
        (
            "process_resident_memory_bytes",
            "Resident memory size in bytes.",
            count(process.resident_bytes),
        ),
        (
            "process_virtual_memory_bytes",
            "Virtual memory size in bytes.",
            count(process.virtual_bytes),
        ),
        ("process_threads", "Number of threads.", count(process.threads)),
        (
            "process_start_time_seconds",
            "Start time of the process since unix epoch in seconds.",
            reading.started,
        ),
    ] {
        families.gauges(name, help, value.map(|value| (Vec::new(), value)))?;
    }
    Ok(())
}
