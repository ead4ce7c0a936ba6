use actors::trace::{RootSampler, Sampler};

use super::reader::Reader;

/// Reads `OTEL_TRACES_SAMPLER` and `OTEL_TRACES_SAMPLER_ARG`.
pub(super) fn read(reader: &mut Reader<'_>) -> Sampler {
    let Some(variable) = reader.variables.get("otel_traces_sampler") else {
        return Sampler::default();
    };
    let name = variable.text.trim().to_ascii_lowercase();
    let (is_parent_based, root) = match name.strip_prefix("parentbased_") {
        Some(root) => (true, root),
        None => (false, &*name),
    };
    let root = match root {
        "always_on" => RootSampler::AlwaysOn,
        "always_off" => RootSampler::AlwaysOff,
        "traceidratio" => RootSampler::ratio(ratio(reader)),
        _ => {
            reader.warn(
                variable,
                "names a sampler that there is not, so parentbased_always_on counts; there are always_on, always_off and \
                 traceidratio, and the same after parentbased_",
            );
            return Sampler::default();
        }
    };
    Sampler {
        is_parent_based,
        root,
    }
}

fn ratio(reader: &mut Reader<'_>) -> f64 {
    let Some(variable) = reader.variables.get("otel_traces_sampler_arg") else {
        return 1.0;
    };
    let ratio = variable.text.trim().parse().ok();
    ratio
        .filter(|ratio| (0.0..=1.0).contains(ratio))
        .unwrap_or_else(|| {
            reader.warn(variable, "is no number from 0 to 1, so 1 counts");
            1.0
        })
}
