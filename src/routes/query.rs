//! Query parameters, read as Flagsmith's core API (Django) reads them.
use std::borrow::Cow;

/// Reads a parameter: decodes `%` escapes and `+`, takes the last of repeated ones, and turns bytes that are no UTF-8
/// into U+FFFD. `None` where it is absent or empty.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<Cow<'a, str>> {
    if query.is_empty() {
        return None;
    }
    let values = form_urlencoded::parse(query.as_bytes());
    values
        .filter(|(key, _)| key == name)
        .last()
        .map(|(_, value)| value)
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_django_reads() {
        for (query, expected) in [
            ("", None),
            ("feature", None),
            ("feature=", None),
            ("feature=a", Some("a")),
            ("x=1&feature=a+b%20c%2B", Some("a b c+")),
            ("feature=a&feature=b", Some("b")),
            ("feature=a&feature=", None),
            ("Feature=a", None),
            ("%66eature=a", Some("a")),
            ("feature=%ff", Some("\u{fffd}")),
            ("feature=%", Some("%")),
            ("feature=%zz", Some("%zz")),
            ("feature=caf%C3%A9", Some("café")),
            ("&&feature=a&&", Some("a")),
        ] {
            assert_eq!(parameter(query, "feature").as_deref(), expected, "{query}");
        }
    }
}
