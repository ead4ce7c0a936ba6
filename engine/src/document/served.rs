//! The document as it is served.
use super::Document;
use crate::UpdatedAt;
use crate::json::{write_minified, write_string};

/// Room for an `updated_at` that was missing, and its name.
const ROOM_FOR_UPDATED_AT: usize = 128;

pub(super) fn to_json(document: &Document, served: UpdatedAt) -> Vec<u8> {
    let length: usize = document.pages.iter().map(String::len).sum();
    let mut out = Vec::with_capacity(length + ROOM_FOR_UPDATED_AT);
    let (mut dated, mut listed) = (false, false);
    out.push(b'{');
    for (name, value) in document.members() {
        write_name(&mut out, name);
        match name {
            "updated_at" => {
                dated = true;
                write_string(&mut out, &served.to_rfc3339());
            }
            "identity_overrides" => {
                listed = true;
                write_identity_overrides(&mut out, document);
            }
            _ => write_minified(&mut out, value),
        }
    }
    if !dated {
        write_name(&mut out, "updated_at");
        write_string(&mut out, &served.to_rfc3339());
    }
    if !listed {
        write_name(&mut out, "identity_overrides");
        write_identity_overrides(&mut out, document);
    }
    out.push(b'}');
    out
}

fn write_name(out: &mut Vec<u8>, name: &str) {
    if out.len() > 1 {
        out.push(b',');
    }
    write_string(out, name);
    out.push(b':');
}

fn write_identity_overrides(out: &mut Vec<u8>, document: &Document) {
    out.push(b'[');
    let start = out.len();
    for list in document.identity_overrides() {
        let elements = list
            .trim()
            .strip_prefix('[')
            .and_then(|list| list.strip_suffix(']'))
            .unwrap_or_default();
        if elements.trim_ascii().is_empty() {
            continue;
        }
        if out.len() > start {
            out.push(b',');
        }
        write_minified(out, elements);
    }
    out.push(b']');
}
