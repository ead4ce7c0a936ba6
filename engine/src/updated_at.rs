use std::fmt;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

const MICROS_PER_SECOND: i64 = 1_000_000;

/// When an environment last changed: microseconds since the Unix epoch, which is all that Flagsmith gives.
///
/// Displays as the epoch seconds of `X-Flagsmith-Document-Updated-At` and of realtime events: the greatest double that is
/// not above it, always with a decimal point (`1735229888.76`, `1735229888.0`), because Flutter's SDK ignores an integer.
///
/// SDKs read that number as a double, and compare it to the document's RFC 3339. Of half of all microseconds the nearest
/// double lies above: Go's SDK, which cuts it to nanoseconds, would take an unchanged document for a new one at each
/// reconnect. The double below is a quarter of a microsecond away at most until 2038, and half of one until 2106, so that
/// Python's SDK, which rounds to microseconds, finds this one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UpdatedAt(i64);

impl UpdatedAt {
    /// From microseconds since the Unix epoch.
    pub fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// The current time of the system's clock.
    pub fn now() -> Self {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self(i64::try_from(since_epoch.as_micros()).unwrap_or(i64::MAX))
    }

    /// Microseconds since the Unix epoch.
    pub fn as_micros(self) -> i64 {
        self.0
    }

    /// The greatest double that is not above it, in seconds. (From 2255 on, where microseconds are no doubles themselves,
    /// about that.)
    fn to_seconds(self) -> f64 {
        let micros = self.0 as f64;
        let nearest = micros / MICROS_PER_SECOND as f64;
        // What a division leaves is a double itself, so a fused multiplication gives it exactly.
        let excess = nearest.mul_add(MICROS_PER_SECOND as f64, -micros);
        if excess > 0.0 {
            nearest.next_down()
        } else {
            nearest
        }
    }

    /// The next representable moment: what is served when new content comes under an unmoved `updated_at`.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// Reads an ISO 8601 date and time as Flagsmith writes it; without a zone it is UTC. `None` where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let timestamp = match text.parse::<Timestamp>() {
            Ok(timestamp) => timestamp,
            Err(_) => Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok()?,
        };
        Some(Self(timestamp.as_microsecond()))
    }

    /// RFC 3339 with microseconds and the zone `+00:00`, as the served document carries it (Go's SDK needs the zone).
    pub fn to_rfc3339(self) -> String {
        let zoneless = Timestamp::from_microsecond(self.0)
            .map(|timestamp| Offset::UTC.to_datetime(timestamp))
            .map(|datetime| datetime.strftime("%Y-%m-%dT%H:%M:%S%.6f").to_string());
        format!(
            "{}+00:00",
            zoneless.unwrap_or_else(|_| "1970-01-01T00:00:00.000000".to_owned())
        )
    }

    /// IMF-fixdate in whole seconds (RFC 9110 5.6.7), for `Last-Modified` and `If-Modified-Since`.
    pub fn to_http_date(self) -> String {
        httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(self.as_seconds()))
    }

    /// Whole seconds since the epoch, the fraction cut off; 0 for times before it.
    pub fn as_seconds(self) -> u64 {
        u64::try_from(self.0.div_euclid(MICROS_PER_SECOND)).unwrap_or(0)
    }
}

impl fmt::Display for UpdatedAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.to_seconds();
        if seconds.fract() == 0.0 {
            write!(f, "{seconds:.1}")
        } else {
            // The shortest text that is read as this double.
            write!(f, "{seconds}")
        }
    }
}

#[cfg(test)]
mod tests;
