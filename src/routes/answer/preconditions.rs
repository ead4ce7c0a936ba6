//! Conditional requests (RFC 9110, 13): whether the caller's stored copy is still the current one.
use actix_web::http::header::{HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH};

use actors::served::Encoding;

/// Which of the representations the caller holds. Its 304 names that one, so that a cache refreshes the right copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Held {
    /// The one with this content coding, or without any.
    Encoded(Option<Encoding>),
    /// Any: `If-None-Match: *`, or a date.
    Any,
}

/// Tells whether `If-None-Match` names the current representation in any encoding. `None`: the header is absent.
///
/// It compares weakly (RFC 9110, 13.1.2): it ignores a `W/` that a proxy on the way has put before our tag.
pub(super) fn if_none_match(headers: &HeaderMap, opaque_tag: &str) -> Option<Option<Held>> {
    let mut values = headers.get_all(IF_NONE_MATCH).peekable();
    values.peek()?;
    Some(values.find_map(|value| {
        value
            .as_bytes()
            .split(|byte| *byte == b',')
            .find_map(|tag| held(tag, opaque_tag))
    }))
}

fn held(tag: &[u8], opaque_tag: &str) -> Option<Held> {
    let tag = tag.trim_ascii();
    if tag == b"*" {
        return Some(Held::Any);
    }
    let tag = tag.strip_prefix(b"W/").unwrap_or(tag);
    let tag = tag.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let suffix = tag.strip_prefix(opaque_tag.as_bytes())?;
    if suffix.is_empty() {
        return Some(Held::Encoded(None));
    }
    let name = suffix.strip_prefix(b"-")?;
    Encoding::ALL
        .into_iter()
        .find(|encoding| encoding.name().as_bytes() == name)
        .map(|encoding| Held::Encoded(Some(encoding)))
}

/// Tells whether `If-Modified-Since` is no earlier than `last_modified`, both in whole seconds.
///
/// It counts only where `If-None-Match` is absent (RFC 9110, 13.1.3). An unreadable date is no condition.
pub(super) fn unmodified_since(headers: &HeaderMap, last_modified: &HeaderValue) -> bool {
    let Some(since) = headers.get(IF_MODIFIED_SINCE) else {
        return false;
    };
    // The caller mostly sends our own Last-Modified back.
    since == last_modified
        || match (http_date(since), http_date(last_modified)) {
            (Some(since), Some(last_modified)) => since >= last_modified,
            _ => false,
        }
}

fn http_date(value: &HeaderValue) -> Option<std::time::SystemTime> {
    httpdate::parse_http_date(value.to_str().ok()?).ok()
}

/// What holds of every date: it is no earlier than itself, and earlier than the second behind it.
#[cfg(any(test, feature = "fuzzing"))]
pub(in crate::routes) fn fuzz_date(data: &[u8]) {
    use std::time::{Duration, UNIX_EPOCH};

    /// From the year 9000 on dates cannot be written.
    const MOST_SECONDS: u64 = 7_000 * 365 * 24 * 3600;
    let Ok(since) = HeaderValue::from_bytes(data) else {
        return;
    };
    let Some(time) = http_date(&since) else { return };
    let Ok(seconds) = time.duration_since(UNIX_EPOCH).map(|time| time.as_secs()) else {
        return;
    };
    if seconds > MOST_SECONDS {
        return;
    }
    let headers = HeaderMap::from_iter([(IF_MODIFIED_SINCE, since)]);
    for (later, expected) in [(0, true), (1, false)] {
        let written = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds + later));
        let Ok(last_modified) = HeaderValue::from_str(&written) else {
            return;
        };
        assert_eq!(unmodified_since(&headers, &last_modified), expected, "{written}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(values: &[&'static str]) -> Option<Option<Held>> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(IF_NONE_MATCH, HeaderValue::from_static(value));
        }
        if_none_match(&headers, "abc")
    }

    #[test]
    fn any_encoding_of_the_current_tag_matches() {
        assert_eq!(asked(&[]), None);
        assert_eq!(asked(&["\"abc\""]), Some(Some(Held::Encoded(None))));
        assert_eq!(
            asked(&["\"abc-gzip\""]),
            Some(Some(Held::Encoded(Some(Encoding::Gzip))))
        );
        assert_eq!(
            asked(&["W/\"abc-br\""]),
            Some(Some(Held::Encoded(Some(Encoding::Brotli))))
        );
        assert_eq!(
            asked(&["\"old\" , \"abc-zstd\""]),
            Some(Some(Held::Encoded(Some(Encoding::Zstd))))
        );
        assert_eq!(asked(&["\"old\"", "\"abc\""]), Some(Some(Held::Encoded(None))));
        assert_eq!(asked(&["*"]), Some(Some(Held::Any)));
        for other in [
            "\"abcd\"",
            "abc",
            "\"abc-deflate\"",
            "\"ab\"",
            "",
            ",,",
            "W/",
            "\"",
        ] {
            assert_eq!(asked(&[other]), Some(None), "{other}");
        }
    }

    #[test]
    fn a_date_matches_in_whole_seconds() {
        let last_modified = HeaderValue::from_static("Thu, 26 Dec 2024 16:18:08 GMT");
        for (since, expected) in [
            ("Thu, 26 Dec 2024 16:18:08 GMT", true),
            ("Thu, 26 Dec 2024 16:18:09 GMT", true),
            ("Thursday, 26-Dec-24 16:18:08 GMT", true),
            ("Thu, 26 Dec 2024 16:18:07 GMT", false),
            ("yesterday", false),
            ("", false),
        ] {
            let headers = HeaderMap::from_iter([(IF_MODIFIED_SINCE, HeaderValue::from_static(since))]);
            assert_eq!(unmodified_since(&headers, &last_modified), expected, "{since}");
        }
        assert!(!unmodified_since(&HeaderMap::new(), &last_modified));
    }
}
