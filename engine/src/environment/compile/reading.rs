//! Reading parts of a document.
use std::borrow::Cow;

use serde_json::value::RawValue;

use crate::json::Text;
use crate::python::PyValue;

/// The elements of a JSON list.
pub(super) fn elements(json: &str) -> Vec<&RawValue> {
    serde_json::from_str(json).unwrap_or_default()
}

/// What is wrong with a part that does not fit its type, without quoting it.
pub(super) fn problem(error: &serde_json::Error) -> Cow<'static, str> {
    let text = error.to_string();
    // serde names the field where one is missing; any other message may quote the document.
    match text.split(" at line ").next() {
        Some(known) if known.starts_with("missing field") => Cow::Owned(known.to_owned()),
        _ => Cow::Borrowed("a field has a wrong type"),
    }
}

/// Python's `str()` of an id; numbers and strings without a detour.
pub(super) fn id_text(json: &RawValue) -> Option<String> {
    if let Ok(Text(text)) = serde_json::from_str(json.get()) {
        return Some(text.into_owned());
    }
    PyValue::from_json(json).ok().map(|id| id.text())
}
