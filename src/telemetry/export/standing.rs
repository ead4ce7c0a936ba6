//! Whether a collector takes what is sent, and what the operator hears of it; pure.
use std::time::{Duration, Instant};

/// Between two times that the operator hears of what was lost, or of a failure.
pub(super) const PERIOD: Duration = Duration::from_secs(60);

/// Whether a collector takes what is sent.
#[derive(Debug)]
pub(super) struct Standing {
    /// What is sent, as lines name it.
    what: &'static str,
    /// Why it does not, as the operator has heard; `None`: it does, as far as they have heard.
    told: Option<String>,
    /// When the operator heard of a failure last.
    failure_told: Option<Instant>,
    /// What was lost, and not told yet.
    lost: u64,
    /// When the operator heard of losses last.
    lost_told: Option<Instant>,
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
            lost: 0,
            lost_told: None,
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

    /// So many were lost. They are told once a minute.
    pub(super) fn lost(&mut self, count: u64, now: Instant) -> Option<Line> {
        self.lost = self.lost.saturating_add(count);
        if self.lost == 0 || is_early(self.lost_told, now) {
            return None;
        }
        self.lost_told = Some(now);
        self.last()
    }

    /// Whether some were lost that are not told yet.
    pub(super) fn has_untold(&self) -> bool {
        self.lost > 0
    }

    /// What was lost and not told yet, at the end.
    pub(super) fn last(&mut self) -> Option<Line> {
        let lost = std::mem::take(&mut self.lost);
        (lost > 0).then(|| {
            Line::Warning(format!(
                "{lost} {} were lost: the collector did not take them, or there were more than OTEL_BSP_MAX_QUEUE_SIZE holds",
                self.what
            ))
        })
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

    #[test]
    fn losses_are_added_up_and_told_once_a_minute() {
        let (mut standing, now) = (Standing::new("spans"), Instant::now());
        assert_eq!(standing.lost(0, now), None);
        let told = |line: Option<Line>, count: &str| match line {
            Some(Line::Warning(line)) => assert!(line.starts_with(count), "{line}"),
            other => panic!("{other:?}"),
        };
        told(standing.lost(3, now), "3 spans were lost");
        assert!(!standing.has_untold());
        assert_eq!(standing.lost(4, now), None);
        assert!(standing.has_untold());
        assert_eq!(standing.lost(5, now + PERIOD / 2), None);
        told(standing.lost(1, now + PERIOD), "10 spans");
        assert_eq!(standing.lost(2, now + PERIOD), None);
        told(standing.last(), "2 spans");
        assert_eq!(standing.last(), None);
    }
}
