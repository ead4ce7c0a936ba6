//! `server`: what its connections and their requests may take. All of it is ours but the keep-alive time, which is not here.
use std::time::Duration;

use serde_json::{Value, json};

use super::super::field::{Field, duration};
use super::super::sources::Sources;
use super::Read;

/// The longest body: what is read of one is parsed on a worker, which answers nobody else meanwhile.
const LARGEST_BODY: u32 = 8 * 1024 * 1024;

/// The least of what all bodies, or all unread answers, may take together.
const LEAST_IN_FLIGHT: u32 = 1024 * 1024;

/// More requests than that are not in hand of one worker at a time: each takes a connection.
const MOST_REQUESTS_IN_FLIGHT: u32 = 1024 * 1024;

/// The shortest time of a head or a body, in seconds: a client on the other side of the world takes longer for two packets.
const SHORTEST_TIME: f64 = 0.1;

/// The limits at the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DoorSettings {
    /// `request_head_timeout_seconds`: from a head's first byte, or a connection's start, to the head's end; then 408.
    pub request_head_timeout: Duration,
    /// `request_body_timeout_seconds`: from a request's head to the end of its body; then 408.
    pub request_body_timeout: Duration,
    /// `max_body_bytes`: a request's body, as it comes and as it is decoded; past it 413.
    pub max_body_bytes: usize,
    /// `max_body_bytes_in_flight`: what the bodies of all requests that are still coming may take together.
    pub max_body_bytes_in_flight: usize,
    /// `max_answer_bytes_in_flight`: what answers that clients have not read yet may take together.
    pub max_answer_bytes_in_flight: usize,
    /// `max_requests_in_flight`: the requests that each worker has in hand, save those that wait for their body.
    pub max_requests_in_flight: usize,
    /// `max_connections`; `None`: what the limit of open files leaves.
    pub max_connections: Option<usize>,
    /// `max_connection_age_seconds`; `None`: no age ends a connection (a negative number).
    pub max_connection_age: Option<Duration>,
    /// `max_requests_per_connection`; `None`: any number.
    pub max_requests_per_connection: Option<u32>,
}

impl Default for DoorSettings {
    fn default() -> Self {
        Self {
            request_head_timeout: Duration::from_secs(5),
            request_body_timeout: Duration::from_secs(10),
            max_body_bytes: 1024 * 1024,
            // 64 bodies of the largest size, or some ten thousand ordinary ones that do not come in one piece.
            max_body_bytes_in_flight: 64 * 1024 * 1024,
            // 200 clients that read a document of 5 MB slowly take a twentieth of it.
            max_answer_bytes_in_flight: 256 * 1024 * 1024,
            // The requests of one worker's turn, about: more of them have come than it can answer before the next ones come.
            // The runtime looks for so many sockets at a time, and an ordinary request takes some microseconds.
            max_requests_in_flight: 1024,
            max_connections: None,
            max_connection_age: None,
            max_requests_per_connection: None,
        }
    }
}

impl DoorSettings {
    /// Adds these options to those of `server`, as `--check` prints them.
    pub(in crate::settings) fn print_into(&self, server: &mut Value) {
        let Value::Object(server) = server else { return };
        let age = self.max_connection_age.map_or(-1.0, |age| age.as_secs_f64());
        for (option, value) in [
            (
                "request_head_timeout_seconds",
                json!(self.request_head_timeout.as_secs_f64()),
            ),
            (
                "request_body_timeout_seconds",
                json!(self.request_body_timeout.as_secs_f64()),
            ),
            ("max_body_bytes", json!(self.max_body_bytes)),
            ("max_body_bytes_in_flight", json!(self.max_body_bytes_in_flight)),
            (
                "max_answer_bytes_in_flight",
                json!(self.max_answer_bytes_in_flight),
            ),
            ("max_requests_in_flight", json!(self.max_requests_in_flight)),
            ("max_connections", json!(self.max_connections)),
            ("max_connection_age_seconds", json!(age)),
            (
                "max_requests_per_connection",
                json!(self.max_requests_per_connection),
            ),
        ] {
            server.insert(option.to_owned(), value);
        }
    }
}

impl Sources {
    /// Reads the limits at the door.
    pub(super) fn door(&self) -> Read<DoorSettings> {
        let default = DoorSettings::default();
        let max_body_bytes = self.count("server.max_body_bytes", 1024, LARGEST_BODY)?;
        Ok(DoorSettings {
            request_head_timeout: self.time(
                "server.request_head_timeout_seconds",
                default.request_head_timeout,
            )?,
            request_body_timeout: self.time(
                "server.request_body_timeout_seconds",
                default.request_body_timeout,
            )?,
            max_body_bytes_in_flight: self
                .body_bytes_in_flight(max_body_bytes.unwrap_or(default.max_body_bytes))?,
            max_body_bytes: max_body_bytes.unwrap_or(default.max_body_bytes),
            max_answer_bytes_in_flight: self
                .count("server.max_answer_bytes_in_flight", LEAST_IN_FLIGHT, u32::MAX)?
                .unwrap_or(default.max_answer_bytes_in_flight),
            max_requests_in_flight: self
                .count("server.max_requests_in_flight", 1, MOST_REQUESTS_IN_FLIGHT)?
                .unwrap_or(default.max_requests_in_flight),
            max_connections: self.count("server.max_connections", 1, u32::MAX)?,
            max_connection_age: self.max_connection_age()?,
            max_requests_per_connection: self
                .field("server.max_requests_per_connection")
                .map(|field| field.integer(1, u32::MAX))
                .transpose()?,
        })
    }

    fn time(&self, option: &str, default: Duration) -> Read<Duration> {
        self.field(option)
            .map_or(Ok(default), |field| field.seconds(SHORTEST_TIME))
    }

    fn count(&self, option: &str, least: u32, most: u32) -> Read<Option<usize>> {
        let count = self
            .field(option)
            .map(|field| field.integer(least, most))
            .transpose()?;
        Ok(count.map(|count| usize::try_from(count).unwrap_or(usize::MAX)))
    }

    /// One body of the largest size must fit in.
    fn body_bytes_in_flight(&self, max_body_bytes: usize) -> Read<usize> {
        const OPTION: &str = "server.max_body_bytes_in_flight";
        let in_flight = self
            .count(OPTION, LEAST_IN_FLIGHT, u32::MAX)?
            .unwrap_or(DoorSettings::default().max_body_bytes_in_flight);
        let too_small = |field: Field<'_>| {
            field.invalid(format!(
                "must be at least server.max_body_bytes, which is {max_body_bytes}"
            ))
        };
        match self.field(OPTION) {
            Some(field) if in_flight < max_body_bytes => Err(too_small(field)),
            _ => Ok(in_flight),
        }
    }

    fn max_connection_age(&self) -> Read<Option<Duration>> {
        let Some(field) = self.field("server.max_connection_age_seconds") else {
            return Ok(None);
        };
        match field.number()? {
            never if never < 0.0 => Ok(None),
            // Clients would spend their time with connecting.
            short if short < 1.0 => Err(field.invalid("must be at least 1 (seconds), or negative for never")),
            seconds => Ok(Some(duration(seconds))),
        }
    }
}
