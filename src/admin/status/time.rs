//! Moments, as programs and as people read them.
use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::Offset;
use serde::{Serialize, Serializer};

/// A moment, in whole seconds of UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Time(Timestamp);

impl Time {
    /// `None`: it is beyond what a calendar has.
    pub(super) fn of(time: SystemTime) -> Option<Self> {
        Timestamp::try_from(time).ok().map(Self)
    }

    /// Reads an `updated_at`.
    pub(super) fn of_micros(micros: i64) -> Option<Self> {
        Timestamp::from_microsecond(micros).ok().map(Self)
    }

    /// Writes it for programs: `2026-11-21T19:14:06Z`.
    pub(super) fn iso(&self) -> String {
        self.0.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
    }
}

/// Writes it for people: `2026-11-21 19:14:06 UTC`.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = Offset::UTC.to_datetime(self.0);
        write!(f, "{}", time.strftime("%Y-%m-%d %H:%M:%S UTC"))
    }
}

impl Serialize for Time {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.iso())
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    #[test]
    fn a_moment_has_whole_seconds() {
        let time = Time::of(UNIX_EPOCH + Duration::from_millis(1_764_153_246_900)).unwrap();
        assert_eq!(time.iso(), "2025-11-26T10:34:06Z");
        assert_eq!(time.to_string(), "2025-11-26 10:34:06 UTC");
        assert_eq!(Time::of_micros(1_764_153_246_900_000), Some(time));
    }
}
