//! Log lines: formats, levels, the access log.
use std::net::IpAddr;
use std::time::Duration;

use crate::settings::LoggingSettings;

/// Log target of the access log, one line a request.
pub const ACCESS: &str = "access";

/// Names of a log line's own fields, which the message's field must not take.
pub const OWN_FIELDS: &[&str] = &[
    "timestamp",
    "level",
    "logger",
    "method",
    "route",
    "status",
    "bytes",
    "duration_us",
    "remote_ip",
];

/// Starts logging to standard error and reports panics there in one line. Once a process; a second call
/// changes nothing (tests).
pub fn init(_settings: &LoggingSettings) {
    todo!()
}

/// One answered request for the access log: never a path or query, which hold keys and identifiers.
#[derive(Debug, Clone, Copy)]
pub struct Access<'a> {
    /// Request method.
    pub method: &'a str,
    /// The route's pattern; `None` where no route matched.
    pub route: Option<&'a str>,
    /// Status code of the answer.
    pub status: u16,
    /// Bytes of the body, where known.
    pub bytes: Option<u64>,
    /// From the request's head to the answer's head.
    pub duration: Duration,
    /// The client, see [`remote_address`].
    pub remote: Option<IpAddr>,
}

/// Writes the line to the access log.
pub fn log_access(_access: &Access<'_>) {
    todo!()
}
