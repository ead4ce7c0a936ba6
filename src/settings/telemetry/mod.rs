//! The variables `OTEL_*`, named and read as OpenTelemetry's specification says
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/> and
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>), and what Flagsmith's official Edge Proxy adds.
//!
//! The specification has numbers and names that cannot be understood warned of and taken as not set. Where it says nothing,
//! for endpoints and headers, they end the start: nothing could be sent with them.
//!
//! # Layout
//! - `reader`: variables by the types of the specification.
//! - `export`: where a signal is sent to, and how; `sampling`; `propagation`: what of a caller's context goes on; `resource`: what
//!   the process says of itself.
//! - `printed`: what `--check` prints of it.
//! - [`ExcludedPaths`] (`excluded`): paths that are not traced.
use std::time::Duration;

use actors::trace::{Propagators, QueueOptions, Sampler};

use super::variables::Variables;
use super::{Notice, SettingsError};

mod excluded;
mod export;
mod printed;
mod propagation;
mod reader;
mod resource;
mod sampling;

pub use excluded::ExcludedPaths;
pub use export::{Export, OtlpProtocol};
use reader::Reader;

/// More spans than this may not wait: each takes some 500 bytes, and up to 1 kB for a caller's `tracestate`.
const MOST_SPANS: u64 = 1_000_000;

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
    /// `OTEL_PROPAGATORS`.
    pub propagators: Propagators,
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
    /// `OTEL_METRIC_EXPORT_INTERVAL`: from the beginning of one sending to that of the next.
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
    reader.tell_of_unsupported(metrics.is_some());
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
        propagators: propagation::read(reader),
        queue: QueueOptions {
            capacity: usize::try_from(capacity).unwrap_or(usize::MAX),
            batch: usize::try_from(batch).unwrap_or(usize::MAX),
        },
        schedule_delay: reader.milliseconds("otel_bsp_schedule_delay", 0, 5_000),
        export_timeout: reader.timeout("otel_bsp_export_timeout", 30_000),
        excluded: excluded(reader),
    })
}

fn excluded(reader: &mut Reader<'_>) -> ExcludedPaths {
    let Some(variable) = reader.variables.get("otel_tracing_excluded_url_paths") else {
        return ExcludedPaths::default();
    };
    let excluded = ExcludedPaths::parse(&variable.text);
    if excluded.has_pattern() {
        reader.warn(
            variable,
            "has an entry that looks like a pattern, which no path is compared with; give whole segments of paths, as \
             health/liveness",
        );
    }
    excluded
}

fn metrics(reader: &mut Reader<'_>) -> Result<MetricSettings, SettingsError> {
    Ok(MetricSettings {
        export: export::read(reader, Signal::Metrics)?,
        interval: reader.milliseconds("otel_metric_export_interval", 100, 60_000),
        export_timeout: reader.timeout("otel_metric_export_timeout", 30_000),
    })
}
