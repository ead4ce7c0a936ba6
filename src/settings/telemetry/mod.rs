//! The variables `OTEL_*`, named and read as OpenTelemetry's specification says
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> and
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>), and what Flagsmith's official Edge Proxy adds.
//!
//! The specification has numbers and names that cannot be understood warned of and taken as not set. Where it says nothing,
//! for endpoints and headers, they end the start: nothing could be sent with them.
//!
//! # Layout
//! - `export`: where a signal is sent to, and how; `sampling`; `resource`: what the process says of itself.
//! - `printed`: what `--check` prints of it.
//! - [`ExcludedPaths`] (`excluded`): paths that are not traced.
use std::time::Duration;

use actors::trace::{QueueOptions, Sampler};

use super::variables::{Variable, Variables};
use super::{Notice, SettingsError};

mod excluded;
mod export;
mod printed;
mod resource;
mod sampling;

pub use excluded::ExcludedPaths;
pub use export::{Export, OtlpProtocol};

/// More spans than this may not wait: each takes some 500 bytes, and up to 1 kB for a caller's `tracestate`.
const MOST_SPANS: u64 = 1_000_000;

/// The longest of all times, a day, in milliseconds.
const DAY: u64 = 24 * 60 * 60 * 1000;

/// What is sent to a collector. The default is nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TelemetrySettings {
    /// Spans; `None`: there are none.
    pub traces: Option<TraceSettings>,
    /// The figures of `/metrics`; `None`: they are not sent.
    pub metrics: Option<MetricSettings>,
    /// `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`: what the process says of itself; each name once.
    pub resource: Vec<(String, String)>,
}

impl TelemetrySettings {
    /// Where anything is sent to.
    pub(super) fn urls(&self) -> impl Iterator<Item = &str> {
        let traces = self.traces.iter().map(|traces| &*traces.export.url);
        traces.chain(self.metrics.iter().map(|metrics| &*metrics.export.url))
    }
}

/// How requests and polls are traced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TraceSettings {
    /// Where spans are sent to.
    pub export: Export,
    /// `OTEL_TRACES_SAMPLER`, `OTEL_TRACES_SAMPLER_ARG`.
    pub sampler: Sampler,
    /// `OTEL_BSP_MAX_QUEUE_SIZE`, `OTEL_BSP_MAX_EXPORT_BATCH_SIZE`.
    pub queue: QueueOptions,
    /// `OTEL_BSP_SCHEDULE_DELAY`: the longest that a span waits for others before all are sent.
    pub schedule_delay: Duration,
    /// `OTEL_BSP_EXPORT_TIMEOUT`: how long one batch is tried.
    pub export_timeout: Duration,
    /// `OTEL_TRACING_EXCLUDED_URL_PATHS`.
    pub excluded: ExcludedPaths,
}

/// How figures are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetricSettings {
    /// Where they are sent to.
    pub export: Export,
    /// `OTEL_METRIC_EXPORT_INTERVAL`.
    pub interval: Duration,
    /// `OTEL_METRIC_EXPORT_TIMEOUT`: how long one sending is tried.
    pub export_timeout: Duration,
}

/// What is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Signal {
    Traces,
    Metrics,
}

impl Signal {
    /// Its name in variables.
    fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Metrics => "metrics",
        }
    }
}

/// Reads what is on, and then what that needs.
pub(super) fn read(
    variables: &Variables,
    notices: &mut Vec<Notice>,
) -> Result<TelemetrySettings, SettingsError> {
    let mut reader = Reader { variables, notices };
    let has_endpoint = |signal: Signal| reader.variable_of(signal, "endpoint").is_some();
    let signals = [Signal::Traces, Signal::Metrics];
    if !signals.into_iter().any(has_endpoint) || reader.truth("otel_sdk_disabled") {
        return Ok(TelemetrySettings::default());
    }
    let traces = match reader.is_sent(Signal::Traces) {
        true => Some(traces(&mut reader)?),
        false => None,
    };
    let metrics = match reader.is_sent(Signal::Metrics) {
        true => Some(metrics(&mut reader)?),
        false => None,
    };
    if traces.is_none() && metrics.is_none() {
        return Ok(TelemetrySettings::default());
    }
    reader.tell_of_unsupported();
    Ok(TelemetrySettings {
        traces,
        metrics,
        resource: resource::read(&mut reader),
    })
}

fn traces(reader: &mut Reader<'_>) -> Result<TraceSettings, SettingsError> {
    let capacity = reader.number("otel_bsp_max_queue_size", 1, MOST_SPANS, 2048);
    let batch = reader.number("otel_bsp_max_export_batch_size", 1, capacity, capacity.min(512));
    Ok(TraceSettings {
        export: export::read(reader, Signal::Traces)?,
        sampler: sampling::read(reader),
        queue: QueueOptions {
            capacity: usize::try_from(capacity).unwrap_or(usize::MAX),
            batch: usize::try_from(batch).unwrap_or(usize::MAX),
        },
        schedule_delay: reader.milliseconds("otel_bsp_schedule_delay", 0, 5_000),
        export_timeout: reader.milliseconds("otel_bsp_export_timeout", 1, 30_000),
        excluded: reader
            .variables
            .get("otel_tracing_excluded_url_paths")
            .map_or_else(ExcludedPaths::default, |variable| {
                ExcludedPaths::parse(&variable.text)
            }),
    })
}

fn metrics(reader: &mut Reader<'_>) -> Result<MetricSettings, SettingsError> {
    Ok(MetricSettings {
        export: export::read(reader, Signal::Metrics)?,
        interval: reader.milliseconds("otel_metric_export_interval", 100, 60_000),
        export_timeout: reader.milliseconds("otel_metric_export_timeout", 1, 30_000),
    })
}

/// Reads variables by the types of the specification.
struct Reader<'a> {
    variables: &'a Variables,
    notices: &'a mut Vec<Notice>,
}

impl<'a> Reader<'a> {
    /// A signal's own variable, or the one for all signals.
    fn variable_of(&self, signal: Signal, name: &str) -> Option<&'a Variable> {
        self.own_variable_of(signal, name)
            .or_else(|| self.variables.get(&format!("otel_exporter_otlp_{name}")))
    }

    fn own_variable_of(&self, signal: Signal, name: &str) -> Option<&'a Variable> {
        self.variables
            .get(&format!("otel_exporter_otlp_{}_{name}", signal.name()))
    }

    /// Whether a signal has an endpoint, and an exporter.
    fn is_sent(&mut self, signal: Signal) -> bool {
        if self.variable_of(signal, "endpoint").is_none() {
            return false;
        }
        let Some(variable) = self.variables.get(&format!("otel_{}_exporter", signal.name())) else {
            return true;
        };
        let named = || variable.text.split(',').map(str::trim);
        let is_known = |name: &str| name.eq_ignore_ascii_case("otlp") || name.eq_ignore_ascii_case("none");
        if !named().all(is_known) {
            self.warn(
                variable,
                "names an exporter that there is not; there are otlp and none",
            );
        }
        !named().any(|name| name.eq_ignore_ascii_case("none"))
    }

    /// `true` in any case is true, everything else is false.
    fn truth(&mut self, name: &str) -> bool {
        let Some(variable) = self.variables.get(name) else {
            return false;
        };
        let text = variable.text.trim();
        if !text.eq_ignore_ascii_case("true") && !text.eq_ignore_ascii_case("false") {
            self.warn(variable, "is neither true nor false, so it counts as false");
        }
        text.eq_ignore_ascii_case("true")
    }

    fn number(&mut self, name: &str, least: u64, most: u64, default: u64) -> u64 {
        let Some(variable) = self.variables.get(name) else {
            return default;
        };
        let number = variable.text.trim().parse().ok();
        number
            .filter(|number| (least..=most).contains(number))
            .unwrap_or_else(|| {
                self.warn(
                    variable,
                    &format!("is no whole number from {least} to {most}, so the default counts, {default}"),
                );
                default
            })
    }

    fn milliseconds(&mut self, name: &str, least: u64, default: u64) -> Duration {
        Duration::from_millis(self.number(name, least, DAY, default))
    }

    fn warn(&mut self, variable: &Variable, problem: &str) {
        let notice = Notice::warning(format!("environment variable {} {problem}", variable.name));
        // One variable is read for both signals.
        if !self.notices.contains(&notice) {
            self.notices.push(notice);
        }
    }

    /// Tells of what other SDKs read, and whoever sets it counts on.
    fn tell_of_unsupported(&mut self) {
        for name in ["client_key", "client_certificate"] {
            for signal in [Signal::Traces, Signal::Metrics] {
                if let Some(variable) = self.variable_of(signal, name) {
                    self.warn(variable, "has no effect: no collector is shown a certificate");
                    break;
                }
            }
        }
        if let Some(variable) = self.variables.get("otel_propagators") {
            let is_known = |name: &str| matches!(name, "tracecontext" | "baggage");
            if !variable.text.split(',').map(str::trim).all(is_known) {
                self.warn(
                    variable,
                    "has no effect: context is taken and passed on as tracecontext and baggage",
                );
            }
        }
    }
}
