use actors::trace::Propagators;

use super::reader::Reader;

/// Reads `OTEL_PROPAGATORS`: names divided by commas.
pub(super) fn read(reader: &mut Reader<'_>) -> Propagators {
    let Some(variable) = reader.variables.get("otel_propagators") else {
        return Propagators::default();
    };
    let lower = variable.text.to_ascii_lowercase();
    let names = lower.split(',').map(str::trim).filter(|name| !name.is_empty());
    let (mut read, mut is_any_known) = (Propagators::NONE, false);
    let mut is_any_unknown = false;
    for name in names {
        match name {
            "tracecontext" => read.trace_context = true,
            "baggage" => read.baggage = true,
            "none" => {}
            _ => {
                is_any_unknown = true;
                continue;
            }
        }
        is_any_known = true;
    }
    if is_any_unknown {
        reader.warn(
            variable,
            "names a propagator that there is not, which is left out; there are tracecontext, baggage and none",
        );
    }
    if is_any_known {
        read
    } else {
        Propagators::default()
    }
}
