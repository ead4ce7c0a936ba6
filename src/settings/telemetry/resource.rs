use super::export::decoded;
use super::reader::Reader;

/// What a process is called where no variable says so.
const SERVICE_NAME: &str = "flagsmith-edge-proxy";

/// Reads `OTEL_RESOURCE_ATTRIBUTES` and `OTEL_SERVICE_NAME`, which wins.
pub(super) fn read(reader: &mut Reader<'_>) -> Vec<(String, String)> {
    let mut attributes: Vec<(String, String)> = Vec::new();
    if let Some(variable) = reader.variables.get("otel_resource_attributes") {
        match pairs(&variable.text) {
            Some(pairs) => {
                for (name, value) in pairs {
                    set(&mut attributes, name, value);
                }
            }
            // One that is half right says something else than it was meant to.
            None => reader.warn(
                variable,
                "is no list as key=value,key=value, percent-encoded, so all of it is left out",
            ),
        }
    }
    let name = reader.variables.get("otel_service_name");
    let name = name.map(|variable| variable.text.trim().to_owned());
    let is_named = attributes.iter().any(|(name, _)| name == "service.name");
    if let Some(name) = name.or_else(|| (!is_named).then(|| SERVICE_NAME.to_owned())) {
        set(&mut attributes, "service.name".to_owned(), name);
    }
    attributes
}

/// Of one name the last value counts.
fn set(attributes: &mut Vec<(String, String)>, name: String, value: String) {
    attributes.retain(|(known, _)| *known != name);
    attributes.push((name, value));
}

fn pairs(list: &str) -> Option<Vec<(String, String)>> {
    list.split(',')
        .map(str::trim)
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=')?;
            let (name, value) = (decoded(name)?, decoded(value)?);
            (!name.is_empty()).then_some((name, value))
        })
        .collect()
}
