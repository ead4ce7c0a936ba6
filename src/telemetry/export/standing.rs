//! Whether a collector takes what is sent, and what the operator hears of it; pure.
use std::time::{Duration, Instant};

/// Between two times that the operator hears of a failure.
const PERIOD: Duration = Duration::from_secs(60);

/// Whether a collector takes what is sent.
#[derive(Debug)]
pub(super) struct Standing {
    /// What is sent, as lines name it.
    what: &'static str,
    /// Why it does not, as the operator has heard; `None`: it does, as far as they have heard.
    told: Option<String>,
    /// When the operator heard of a failure last.
    failure_told: Option<Instant>,
}

/// A line for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Line {
    Warning(String),
    Info(String),
}

impl Line {
    pub(super) fn log(self) {
        match self {
            Self::Warning(line) => log::warn!("{line}"),
            Self::Info(line) => log::info!("{line}"),
        }
    }
}

impl Standing {
    pub(super) fn new(what: &'static str) -> Self {
        Self {
            what,
            told: None,
            failure_told: None,
        }
    }

    /// Something was taken.
    pub(super) fn succeeded(&mut self) -> Option<Line> {
        self.told.take()?;
        Some(Line::Info(format!("the collector takes {} again", self.what)))
    }

    /// Something was not taken. The same failure is told once until something is taken, another one once a minute.
    pub(super) fn failed(&mut self, why: &str, now: Instant) -> Option<Line> {
        let is_early = is_early(self.failure_told, now);
        if self.told.as_deref() == Some(why) || is_early {
            return None;
        }
        self.told = Some(why.to_owned());
        self.failure_told = Some(now);
        Some(Line::Warning(format!(
            "{} do not reach the collector (OTEL_EXPORTER_OTLP_ENDPOINT): {why}. Requests are answered as ever",
            self.what
        )))
    }
}

fn is_early(last: Option<Instant>, now: Instant) -> bool {
    last.is_some_and(|last| now.saturating_duration_since(last) < PERIOD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_is_told_once_and_so_is_its_end() {
        let (mut standing, now) = (Standing::new("spans"), Instant::now());
        assert_eq!(standing.succeeded(), None);
        assert!(matches!(standing.failed("a", now), Some(Line::Warning(line)) if line.contains(": a.")));
        assert_eq!(standing.failed("a", now + 10 * PERIOD), None);
        assert_eq!(standing.failed("b", now), None);
        assert!(standing.failed("b", now + PERIOD).is_some());
        assert!(matches!(standing.succeeded(), Some(Line::Info(_))));
        assert_eq!(standing.succeeded(), None);
        assert_eq!(standing.failed("b", now + PERIOD), None, "it comes and goes");
    }
}
