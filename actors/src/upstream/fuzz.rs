//! What holds of whatever the head of an answer says.
use awc::http::Uri;

use super::{connect, link, named_port};

/// A `Link` header. The next page that it names is an http or https URL, and its target stands in the header.
pub(crate) fn link(data: &[u8]) {
    let header = String::from_utf8_lossy(data);
    let Some(target) = link::next_target(&header) else {
        return;
    };
    assert!(header.contains(target), "{target} does not stand in {header}");
    let base: Uri = Uri::from_static("https://host:8443/api/v1/environment-document/?page_id=1");
    let Some(next) = link::resolve(&base, target) else {
        return;
    };
    assert!(matches!(next.scheme_str(), Some("http" | "https")), "{next}");
    assert!(next.host().is_some(), "{next}");
    assert!(named_port(&next).is_ok(), "{next}");
    if link::is_same_origin(&base, &next) {
        assert_eq!(
            next.host().map(str::to_lowercase).as_deref(),
            Some("host"),
            "{next}"
        );
        assert_eq!(next.port_u16(), Some(8443), "{next}");
    }
}

/// The head of an answer.
pub(crate) fn head(data: &[u8]) {
    connect::fuzz_head(data);
}
