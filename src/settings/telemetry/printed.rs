//! What `--check` prints.
use actors::trace::{Propagators, RootSampler, Sampler};
use serde_json::{Map, Value, json};

use super::{Export, MetricSettings, TelemetrySettings, TraceSettings};
use crate::settings::MASK;

impl TelemetrySettings {
    /// What is sent where, values of headers masked; null: nothing.
    pub(in crate::settings) fn printed(&self) -> Value {
        if self.traces.is_none() && self.metrics.is_none() {
            return Value::Null;
        }
        let resource = self.resource.iter();
        json!({
            "traces": self.traces.as_ref().map(traces),
            "metrics": self.metrics.as_ref().map(metrics),
            "resource": resource.map(|(name, value)| (name.clone(), json!(value))).collect::<Map<_, _>>(),
        })
    }
}

fn traces(traces: &TraceSettings) -> Value {
    let TraceSettings {
        export,
        sampler,
        propagators,
        queue,
        schedule_delay,
        export_timeout,
        excluded,
    } = traces;
    let mut value = export_json(export);
    let own = json!({
        "sampler": sampler_name(*sampler),
        "propagators": propagator_names(*propagators),
        "max_queue_size": queue.capacity,
        "max_export_batch_size": queue.batch,
        "schedule_delay": schedule_delay.as_millis(),
        "export_timeout": export_timeout.as_millis(),
        "excluded_url_paths": excluded.to_string(),
    });
    extend(&mut value, own);
    value
}

fn metrics(metrics: &MetricSettings) -> Value {
    let MetricSettings {
        export,
        interval,
        export_timeout,
    } = metrics;
    let mut value = export_json(export);
    let own = json!({"interval": interval.as_millis(), "export_timeout": export_timeout.as_millis()});
    extend(&mut value, own);
    value
}

fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

fn export_json(export: &Export) -> Value {
    let headers = export.headers.names();
    json!({
        "endpoint": export.url,
        "protocol": export.protocol.name(),
        "headers": headers.map(|name| (name.to_owned(), json!(MASK))).collect::<Map<_, _>>(),
        "timeout": export.timeout.as_millis(),
        "compression": if export.gzip { "gzip" } else { "none" },
        "certificate": export.certificate,
    })
}

fn sampler_name(sampler: Sampler) -> String {
    let root = match sampler.root {
        RootSampler::AlwaysOn => "always_on".to_owned(),
        RootSampler::AlwaysOff => "always_off".to_owned(),
        RootSampler::Ratio(_) => format!("traceidratio {}", sampler.root.part()),
    };
    let before = if sampler.is_parent_based {
        "parentbased_"
    } else {
        ""
    };
    format!("{before}{root}")
}

fn propagator_names(propagators: Propagators) -> &'static str {
    match (propagators.trace_context, propagators.baggage) {
        (true, true) => "tracecontext,baggage",
        (true, false) => "tracecontext",
        (false, true) => "baggage",
        (false, false) => "none",
    }
}
