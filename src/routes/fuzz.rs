//! What holds of whatever a request's body, query or fields say.
use super::{analytics, answer, body, query};

/// The body of `analytics/flags/`, of both versions.
pub(crate) fn analytics(data: &[u8]) {
    analytics::fuzz(data);
}

/// A query string: what is put behind it is found, whatever stands before.
pub(crate) fn query(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let _ = query::parameter(&text, "identifier");
    let value: String = text.chars().take(50).collect();
    let encoded: String = form_urlencoded::byte_serialize(value.as_bytes()).collect();
    let extended = format!("{text}&identifier={encoded}");
    let found = query::parameter(&extended, "identifier");
    assert_eq!(
        found.as_deref(),
        Some(value.as_str()).filter(|value| !value.is_empty())
    );
}

/// A body in gzip: it decodes to what is allowed at most, and to the same where more is allowed.
pub(crate) fn gzip_body(data: &[u8]) {
    body::fuzz(data);
}

/// A date of `If-Modified-Since`.
pub(crate) fn http_date(data: &[u8]) {
    answer::fuzz_date(data);
}
