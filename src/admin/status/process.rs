//! What is said of the process.
use std::time::Instant;

use serde::Serialize;

use super::time::Time;
use crate::admin::AdminContext;
use crate::process::ProcessReading;
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
    pub(super) open_files: Option<u64>,
    /// How many descriptors may be open.
    pub(super) most_open_files: Option<u64>,
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
        let process = ProcessReading::take();
        Self {
            version: env!("CARGO_PKG_VERSION"),
            state,
            started: Time::of(context.started.wall),
            uptime_seconds: Instant::now()
                .saturating_duration_since(context.started.instant)
                .as_secs(),
            workers: context.workers,
            memory_bytes: process.resident_bytes,
            open_files: process.open_descriptors,
            most_open_files: process.most_descriptors,
            connections: context.places.open_now(),
            streams,
            requests_per_second: None,
        }
    }
}
