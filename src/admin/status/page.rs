//! The page, and those of its parts that change while it is open. Everything that comes from outside is escaped.
use askama::Template;

use super::environments::{EnvironmentReport, rate, shown};
use super::process::{ProcessReport, State};
use super::report::{QueuesReport, Report};
use super::time::Time;
use crate::routes::ConfigurationHealth;

/// The whole page.
#[derive(Debug, Template)]
#[template(path = "page.html", config = "src/admin/status/page/askama.toml")]
pub(super) struct Page<'a> {
    /// How the page gets to the root of the port: by a relative path, for a proxy in front may have it below one of its own.
    root: &'static str,
    taken: Option<Time>,
    summary: Summary<'a>,
    process: Process<'a>,
    environments: Vec<Row<'a>>,
}

/// Environments that need attention which the summary names; the table has all of them.
const MOST_NAMED: usize = 12;

/// What is well and what is not, in a sentence.
#[derive(Debug, Template)]
#[template(path = "summary.html", config = "src/admin/status/page/askama.toml")]
pub(super) struct Summary<'a> {
    state: State,
    configuration: Option<&'a ConfigurationHealth>,
    /// How many there are; `None`: whoever owns them does not answer.
    environments: Option<usize>,
    troubled: Vec<&'a EnvironmentReport>,
}

/// The process and its queues.
#[derive(Debug, Template)]
#[template(path = "process.html", config = "src/admin/status/page/askama.toml")]
pub(super) struct Process<'a> {
    process: &'a ProcessReport,
    queues: &'a QueuesReport,
}

/// One environment.
#[derive(Debug, Template)]
#[template(path = "environment.html", config = "src/admin/status/page/askama.toml")]
pub(super) struct Row<'a> {
    environment: &'a EnvironmentReport,
    /// Whether its requests a second are in it: where it is sent for its changes, they come beside it.
    has_rate: bool,
}

impl<'a> Page<'a> {
    /// `path`: what the request asks for, `/status` with or without its slash.
    pub(super) fn of(report: &'a Report, path: &str) -> Self {
        Self {
            root: if path.ends_with('/') { "../" } else { "./" },
            taken: Time::of(std::time::SystemTime::now()),
            summary: Summary::of(report),
            process: Process::of(report),
            environments: rows(report).map(Row::whole).collect(),
        }
    }

    /// `None`: it cannot be written, which only a mistake in a template can bring about.
    pub(super) fn write(&self) -> Option<String> {
        self.render().ok()
    }
}

/// The environments that a page shows.
pub(super) fn rows(report: &Report) -> impl Iterator<Item = &EnvironmentReport> {
    report.environments.iter().flatten()
}

impl<'a> Summary<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        Self {
            state: report.process.state,
            configuration: report.configuration.as_ref(),
            environments: report.environments.as_ref().map(Vec::len),
            troubled: rows(report)
                .filter(|environment| !environment.is_well())
                .collect(),
        }
    }
}

impl Summary<'_> {
    /// Those that are named.
    fn named(&self) -> impl Iterator<Item = &EnvironmentReport> {
        self.troubled.iter().copied().take(MOST_NAMED)
    }

    /// How many there are beside them.
    fn further(&self) -> usize {
        self.troubled.len().saturating_sub(MOST_NAMED)
    }

    fn is_serving(&self) -> bool {
        self.state == State::Serving
    }
}

impl<'a> Process<'a> {
    pub(super) fn of(report: &'a Report) -> Self {
        Self {
            process: &report.process,
            queues: &report.queues,
        }
    }

    /// Rounded, so that an idle process does not change from second to second.
    fn memory(&self) -> Option<String> {
        self.process
            .memory_bytes
            .map(|bytes| format!("{} MiB", bytes.div_ceil(1024 * 1024)))
    }

    fn rate(&self) -> String {
        rate(self.process.requests_per_second)
    }

    fn log_waiting(&self) -> String {
        match self.queues.log_bytes_waiting {
            0 => "none".to_owned(),
            bytes => format!("{} KiB", bytes.div_ceil(1024)),
        }
    }
}

impl<'a> Row<'a> {
    fn whole(environment: &'a EnvironmentReport) -> Self {
        Self {
            environment,
            has_rate: true,
        }
    }

    /// The row without its requests a second, which change all the time.
    pub(super) fn without_rate(environment: &'a EnvironmentReport) -> Self {
        Self {
            environment,
            has_rate: false,
        }
    }

    /// The class that colours it.
    fn tone(&self) -> &'static str {
        match self.environment.status {
            "ok" if self.environment.detail.is_none() => "well",
            "ok" | "stale" | "fallback" => "poor",
            _ => "bad",
        }
    }

    /// What a reader is to notice where it changes: not that a document was confirmed once more.
    fn news(&self) -> String {
        let change = self.environment.last_change.map(|change| change.at.iso());
        format!("{} {}", self.environment.standing(), change.unwrap_or_default())
    }

    /// Whether there is more to say than fits into a row.
    fn has_notes(&self) -> bool {
        let environment = self.environment;
        environment.detail.is_some() || environment.last_failure.is_some() || environment.warnings.count > 0
    }

    /// A text as a reader sees it.
    fn shown(&self, text: &str) -> String {
        shown(text)
    }

    /// How many warnings are not among those that are shown.
    fn further_warnings(&self) -> usize {
        let warnings = &self.environment.warnings;
        warnings.count.saturating_sub(warnings.first.len())
    }
}
