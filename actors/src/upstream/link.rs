//! `Link` headers (RFC 8288) and references relative to a page (RFC 3986 5.2), as far as Flagsmith's pages need them.
use awc::http::Uri;

use super::port::{named_port, port};

/// The target of the first link whose relation is `next`. The target is passed on untouched.
pub(super) fn next_target(header: &str) -> Option<&str> {
    let mut rest = header;
    while let Some((_, from_target)) = rest.split_once('<') {
        let (target, from_parameters) = from_target.split_once('>')?;
        // A comma can stand within a quoted parameter; relations and Flagsmith's links have none.
        let (parameters, others) = from_parameters.split_once(',').unwrap_or((from_parameters, ""));
        if parameters.split(';').any(is_next_relation) {
            return Some(target.trim());
        }
        rest = others;
    }
    None
}

fn is_next_relation(parameter: &str) -> bool {
    parameter.split_once('=').is_some_and(|(name, relations)| {
        let relations = relations.trim().trim_matches('"');
        name.trim().eq_ignore_ascii_case("rel")
            && relations
                .split_ascii_whitespace()
                .any(|relation| relation.eq_ignore_ascii_case("next"))
    })
}

/// What a reference on the page at `base` points to; `None` where it is no http or https URL, or names a port that there is not.
pub(super) fn resolve(base: &Uri, reference: &str) -> Option<Uri> {
    let reference = reference.split('#').next().unwrap_or_default();
    let (scheme, authority) = (base.scheme_str()?, base.authority()?);
    let absolute = if reference.contains("://") && !reference.starts_with(['/', '?']) {
        reference.to_owned()
    } else if reference.starts_with("//") {
        format!("{scheme}:{reference}")
    } else if reference.starts_with('/') {
        format!("{scheme}://{authority}{reference}")
    } else if reference.starts_with('?') {
        format!("{scheme}://{authority}{}{reference}", base.path())
    } else {
        let folder = base.path().rsplit_once('/').map_or("", |(folder, _)| folder);
        format!("{scheme}://{authority}{folder}/{reference}")
    };
    let uri: Uri = absolute.parse().ok()?;
    let is_http = matches!(uri.scheme_str(), Some("http" | "https"));
    (is_http && uri.host().is_some() && named_port(&uri).is_ok()).then_some(uri)
}

/// Whether two URLs have the same scheme, host and port: a key sent to the one may be sent to the other.
pub(super) fn is_same_origin(one: &Uri, other: &Uri) -> bool {
    let is_same_host = match (one.host(), other.host()) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        _ => false,
    };
    is_same_host && one.scheme() == other.scheme() && port(one) == port(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_next_page() {
        for (header, target) in [
            (
                r#"<https://a/b?page_id=%7B1%7D>; rel="next""#,
                Some("https://a/b?page_id=%7B1%7D"),
            ),
            ("</b>;rel=next", Some("/b")),
            (
                r#"<?p=1>; rel="prev", <?p=3,4>; title="x"; REL="last Next""#,
                Some("?p=3,4"),
            ),
            (r#"<?p=1>; rel="prev""#, None),
            (r#"<?p=1>; rel="nextish""#, None),
            ("<?p=1", None),
            ("<>", None),
            ("", None),
        ] {
            assert_eq!(next_target(header), target, "{header}");
        }
    }

    #[test]
    fn resolves_references_as_they_are_written() {
        let base: Uri = "http://host:8000/api/v1/environment-document/?page_id=1"
            .parse()
            .unwrap();
        for (reference, target) in [
            (
                "http://other/x?page_id=a%2Bb",
                Some("http://other/x?page_id=a%2Bb"),
            ),
            ("//other/x", Some("http://other/x")),
            ("/x?u=http://y", Some("http://host:8000/x?u=http://y")),
            (
                "?page_id=2#top",
                Some("http://host:8000/api/v1/environment-document/?page_id=2"),
            ),
            ("next", Some("http://host:8000/api/v1/environment-document/next")),
            ("//other:/x", Some("http://other:/x")),
            ("ftp://host:8000/x", None),
            ("http://host:99999/x", None),
            ("//host:8x/x", None),
            ("http://host:0/x", None),
            ("/a b", None),
        ] {
            assert_eq!(
                resolve(&base, reference).map(|uri| uri.to_string()).as_deref(),
                target,
                "{reference}"
            );
        }
    }

    #[test]
    fn an_origin_is_scheme_host_and_port() {
        let uri = |text: &str| text.parse::<Uri>().unwrap();
        for same in ["https://host:443/b", "https://host:/b"] {
            assert!(is_same_origin(&uri("https://Host/a"), &uri(same)), "{same}");
        }
        for other in [
            "http://host/",
            "https://host:444/",
            "https://host:99999/",
            "https://host.evil/",
            "https://user@evil/",
        ] {
            assert!(!is_same_origin(&uri("https://host/"), &uri(other)), "{other}");
        }
    }
}
