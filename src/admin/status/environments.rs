//! What is said of one environment.
use actors::environment::{EnvironmentStatus, FetchCounts, KeyInUse, LastChange, LastFailure, Warnings};
use serde::Serialize;
use serde_json::value::RawValue;

use super::time::Time;

/// Characters of a name that a page shows. The JSON has all of them.
const LONGEST_NAME: usize = 200;

/// Characters of a reason or a warning that a page shows: it may name what the document calls things.
const LONGEST_TEXT: usize = 2_000;

/// How a key is shown: as `--check` does.
const MASKED_KEY: &str = "ser.****";

/// One environment.
#[derive(Debug, Clone, Serialize)]
pub(super) struct EnvironmentReport {
    /// The number that the log calls it by.
    pub(super) number: String,
    /// The document's; `None` before the first one.
    pub(super) name: Option<String>,
    pub(super) id: Option<Box<RawValue>>,
    /// As health has it.
    pub(super) status: &'static str,
    /// What is wrong now, and what to do about it.
    pub(super) detail: Option<String>,
    /// Seconds since its source last gave or confirmed its document; `None`: it has not yet.
    pub(super) age_seconds: Option<f64>,
    pub(super) last_successful_update: Option<Time>,
    /// The served `updated_at`.
    pub(super) updated_at: Option<Time>,
    pub(super) last_change: Option<ChangeReport>,
    pub(super) last_failure: Option<FailureReport>,
    /// `None`: its source asks for no key.
    pub(super) key: Option<KeyReport>,
    /// Open event streams; `None`: the hub does not answer.
    pub(super) streams: Option<usize>,
    /// Requests a second with one of its keys; `None`: not counted for long enough yet.
    pub(super) requests_per_second: Option<f64>,
    pub(super) warnings: WarningsReport,
    pub(super) fetches: FetchesReport,
}

/// The last time that it got other content.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct ChangeReport {
    pub(super) at: Time,
    /// `poll`, `push`, `stream`, `file`, `store`, `seed`.
    pub(super) source: &'static str,
}

/// The last fetch that failed.
#[derive(Debug, Clone, Serialize)]
pub(super) struct FailureReport {
    pub(super) at: Time,
    pub(super) reason: String,
    /// Whether one has succeeded since.
    pub(super) is_over: bool,
}

/// The server-side key in use.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct KeyReport {
    pub(super) shown: &'static str,
    /// Its place among those of the key pair, from 1.
    pub(super) place: usize,
    pub(super) of: usize,
}

/// What of the document could not be understood.
#[derive(Debug, Clone, Serialize)]
pub(super) struct WarningsReport {
    pub(super) count: usize,
    pub(super) first: Vec<String>,
}

/// How fetches ended since the start.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct FetchesReport {
    changed: u64,
    unchanged: u64,
    rejected: u64,
    limited: u64,
    failed: u64,
}

impl EnvironmentReport {
    pub(super) fn new(status: EnvironmentStatus, streams: Option<usize>, rate: Option<f64>) -> Self {
        let confirmed = status.last_successful_update;
        Self {
            number: status.environment.to_string(),
            name: status.name,
            id: status.id.and_then(|id| RawValue::from_string(id).ok()),
            status: status.status,
            detail: status.detail,
            age_seconds: status.age.map(|age| (age.as_secs_f64() * 10.0).round() / 10.0),
            last_successful_update: confirmed.and_then(Time::of),
            updated_at: status
                .updated_at
                .and_then(|updated_at| Time::of_micros(updated_at.as_micros())),
            last_change: status.last_change.and_then(ChangeReport::of),
            last_failure: status.last_failure.and_then(FailureReport::of),
            key: status.key.map(KeyReport::of),
            streams,
            requests_per_second: rate,
            warnings: WarningsReport::of(&status.warnings),
            fetches: FetchesReport::of(status.fetches),
        }
    }

    /// What a reader calls it; not all of a name that is very long.
    pub(super) fn title(&self) -> String {
        match self.name.as_deref() {
            Some(name) if !name.trim().is_empty() => short(name, LONGEST_NAME),
            _ => format!("environment {}", self.number),
        }
    }

    /// Its id as a reader sees it.
    pub(super) fn shown_id(&self) -> Option<String> {
        self.id.as_ref().map(|id| short(id.get(), LONGEST_NAME))
    }

    /// Its status as a reader sees it.
    pub(super) fn standing(&self) -> &'static str {
        match self.status {
            "ok" if !self.is_well() => "ok, with a problem",
            status => status,
        }
    }

    /// Its requests a second as a reader sees them.
    pub(super) fn rate(&self) -> String {
        rate(self.requests_per_second)
    }

    /// Whether all is well with it.
    pub(super) fn is_well(&self) -> bool {
        self.status == "ok" && self.detail.is_none()
    }
}

/// What a reader sees of a text that may be of any length.
pub(super) fn shown(text: &str) -> String {
    short(text, LONGEST_TEXT)
}

/// Takes the first characters, and says so where there are more.
fn short(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Writes requests a second: to a tenth below ten.
pub(super) fn rate(rate: Option<f64>) -> String {
    match rate {
        None => "…".to_owned(),
        Some(0.0) => "0".to_owned(),
        Some(rate) if rate < 10.0 => format!("{rate:.1}"),
        Some(rate) => format!("{rate:.0}"),
    }
}

impl ChangeReport {
    fn of(change: LastChange) -> Option<Self> {
        Some(Self {
            at: Time::of(change.at)?,
            source: change.source.name(),
        })
    }
}

impl FailureReport {
    fn of(failure: LastFailure) -> Option<Self> {
        Some(Self {
            at: Time::of(failure.at)?,
            reason: failure.reason,
            is_over: failure.is_over,
        })
    }
}

impl KeyReport {
    fn of(KeyInUse { place, of }: KeyInUse) -> Self {
        Self {
            shown: MASKED_KEY,
            place,
            of,
        }
    }
}

impl WarningsReport {
    fn of(warnings: &Warnings) -> Self {
        Self {
            count: warnings.count,
            first: warnings.first.to_vec(),
        }
    }
}

impl FetchesReport {
    fn of(counts: FetchCounts) -> Self {
        let FetchCounts {
            changed,
            unchanged,
            rejected,
            limited,
            ..
        } = counts;
        Self {
            changed,
            unchanged,
            rejected,
            limited,
            failed: counts.failed(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(short("äöü", 3), "äöü");
        assert_eq!(short("äöüß", 3), "äöü…");
        assert_eq!(shown(&"x".repeat(10_000)).chars().count(), LONGEST_TEXT + 1);
    }
}
